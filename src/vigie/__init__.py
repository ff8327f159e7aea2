"""Vigie takes a tabular model to production and keeps watch over it.

The loop, and the file where each step begins::

    table ──► loop/train ──► leaderboard ──► bundle ──► loop/register ──► MLflow (versions, @champion, @challenger)
      ▲                                                                        │
      │                                                                        ▼
    loop/retrain ◄── retraining/policy ◄── loop/alert ◄── loop/monitor ◄── prediction log ◄── loop/predict ◄── client
      │                                                                        ▲                                 │
      └──► promotion/gate ──► loop/promote, loop/rollback                      └─────────── loop/feedback ◄──────┘

``loop/cycle`` is one turn of it. On the command line the same steps are ``vigie train``, ``serve``, ``monitor``,
``retrain``, ``promote``, ``rollback``, ``history``, ``watch`` and ``up``; from Python they are methods of ``Project``.
``load`` opens a model to ask it from Python; ``vigie register`` takes in one that was fitted elsewhere.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from vigie.domain.measurement import Interval, Measurement, Verdict
from vigie.domain.schema import Feature, Kind, Schema
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.errors import VigieError, VigieWarning

if TYPE_CHECKING:
    from vigie.wiring.load import Model, load
    from vigie.wiring.project import Project

__version__ = version("vigie")

__all__ = [
    "Feature",
    "Interval",
    "Kind",
    "Measurement",
    "Model",
    "Project",
    "Schema",
    "Task",
    "Verdict",
    "VigieError",
    "VigieWarning",
    "Window",
    "__version__",
    "load",
]

_LATE = {"Project": "vigie.wiring.project", "Model": "vigie.wiring.load", "load": "vigie.wiring.load"}


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is first asked for: ``Project`` brings MLflow and scikit-learn along."""
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'vigie' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Offer the public names."""
    return sorted(__all__)
