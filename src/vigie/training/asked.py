"""What a user asks to be tried, read into candidates: a name, a name with parameters, or a scikit-learn import path.

In ``vigie.toml`` a plain text is a name; a table has ``name`` beside parameters of the estimator, and ``grid`` for
those that are to be searched: ``{ name = "random_forest", n_estimators = 100, grid = { max_depth = [3, 5] } }``.
"""

import importlib
import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from vigie.domain.task import Task
from vigie.errors import ConfigurationError, nearest
from vigie.training.candidates import (
    CANDIDATES,
    DUMMY,
    LINEAR,
    TREES,
    TREES_WITH_NAN,
    Candidate,
    Simplicity,
)

Asked = str | Mapping[str, Any]
"""One element of ``training.candidates``."""

KEY = "training.candidates"

_LIBRARY = "sklearn."
_OF_TREES = ("sklearn.ensemble", "sklearn.tree")


def candidates_for(task: Task, asked: Sequence[Asked]) -> tuple[Candidate, ...]:
    """Return the candidates that were asked for, in order, each once, the dummy last.

    A name that occurs once stays as it is; of several with one name, those with parameters show them:
    ``ridge`` and ``ridge(alpha=1.0)``.

    Raises:
        ConfigurationError: a name or a parameter is unknown or does not fit the task, a grid is empty, or nothing but
            the dummy is asked for.
    """
    found: list[Candidate] = []
    for item in asked:
        candidate = _read(task, item)
        if candidate.name != DUMMY and not any(_same(candidate, other) for other in found):
            found.append(candidate)
    if not found:
        raise ConfigurationError("no candidate is named besides the dummy.", remedy=_remedy(task), key=KEY)
    found = _with_parts(found)
    times = Counter(candidate.name for candidate in found)
    named = [_told_apart(candidate) if times[candidate.name] > 1 else candidate for candidate in found]
    return (*named, CANDIDATES[DUMMY])


def _with_parts(found: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates with the parts of those that are made of others, parts first."""
    blends = [candidate for candidate in found if candidate.parts]
    plain = [candidate for candidate in found if not candidate.parts]
    for part in dict.fromkeys(name for blend in blends for name in blend.parts):
        if not any(_same(CANDIDATES[part], other) for other in plain):
            plain.append(CANDIDATES[part])
    return [*plain, *blends]


def _read(task: Task, item: Asked) -> Candidate:
    if isinstance(item, str):
        return _named(task, item)
    table = dict(item)
    name, grid = table.pop("name", None), table.pop("grid", {})
    if not isinstance(name, str):
        raise ConfigurationError(
            "a table among the candidates has no name.",
            remedy='Write it as { name = "random_forest", max_depth = 5 }.',
            key=KEY,
        )
    _check_grid(name, grid, table)
    if name in CANDIDATES and CANDIDATES[name].parts and (table or grid):
        raise ConfigurationError(
            f"{name} has no parameters: it is made of {' and '.join(CANDIDATES[name].parts)} as they are.",
            remedy="Name one of these with parameters, beside it or in its place.",
            key=f"{KEY}.{name}",
        )
    values = {key: tuple(values) for key, values in grid.items()}
    # whoever sets a parameter has a model in mind: it is fitted as written, once
    candidate = replace(_named(task, name), params=table, grid=values, members=1)
    _check_parameters(task, name, candidate)
    return candidate


def _named(task: Task, name: str) -> Candidate:
    if "." in name:
        return _imported(task, name)
    valid = _valid(task)
    if name not in CANDIDATES:
        raise ConfigurationError(
            f"there is no candidate {name!r}.{nearest(name, valid)}", remedy=_remedy(task), key=KEY
        )
    if name not in valid:
        raise ConfigurationError(f"candidate {name!r} does not do {task.value}.", remedy=_remedy(task), key=KEY)
    CANDIDATES[name].build(task, 0)  # what is not installed is said before anything is fitted
    return CANDIDATES[name]


def _imported(task: Task, path: str) -> Candidate:
    """Return a candidate around any scikit-learn estimator; code from elsewhere is not run by a name in a file."""
    module_name, _, name = path.rpartition(".")
    if not path.startswith(_LIBRARY):
        raise ConfigurationError(
            f"{path!r} is not an import path into scikit-learn.",
            remedy='Write one such as "sklearn.ensemble.ExtraTreesClassifier", or a name. ' + _remedy(task),
            key=KEY,
        )
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigurationError(
            f"{path!r} cannot be imported: {error}.", remedy="Correct the path.", key=KEY
        ) from error
    kind = getattr(module, name, None)
    if not (isinstance(kind, type) and issubclass(kind, BaseEstimator)):
        public = list(getattr(module, "__all__", ()))
        raise ConfigurationError(
            f"{module_name} has no estimator {name!r}.{nearest(name, public)}", remedy="Correct the path.", key=KEY
        )
    of_trees = module_name.startswith(_OF_TREES)
    needs = (TREES_WITH_NAN if name.startswith("HistGradientBoosting") else TREES) if of_trees else LINEAR
    simplicity = Simplicity.LINEAR if module_name.startswith("sklearn.linear_model") else Simplicity.FLEXIBLE
    candidate = Candidate(name, frozenset({task}), needs, _builder(kind, path), simplicity=simplicity)
    _check_answers(task, path, candidate.build(task, 0))
    return candidate


def _builder(kind: type[BaseEstimator], path: str) -> Any:
    def build(_task: Task, seed: int) -> Any:
        try:
            estimator = kind()
        except TypeError as error:
            raise ConfigurationError(
                f"{path!r} cannot be built from plain values: {error}.", remedy="Name another estimator.", key=KEY
            ) from error
        return estimator.set_params(random_state=seed) if "random_state" in estimator.get_params() else estimator

    return build


def _check_answers(task: Task, path: str, estimator: Any) -> None:
    """A classifier without probabilities could be neither thresholded, calibrated nor compared by log-loss."""
    if not isinstance(estimator, ClassifierMixin if task.is_classification else RegressorMixin):
        raise ConfigurationError(f"{path!r} does not do {task.value}.", remedy=_remedy(task), key=KEY)
    if task.is_classification and not hasattr(estimator, "predict_proba"):
        raise ConfigurationError(
            f"{path!r} gives no probabilities (it has no predict_proba).", remedy="Name another estimator.", key=KEY
        )


def _check_grid(name: str, grid: Any, params: Mapping[str, Any]) -> None:
    if not isinstance(grid, Mapping):
        raise ConfigurationError(
            "a grid is a table of lists.", remedy="Write it as grid = { max_depth = [3, 5] }.", key=f"{KEY}.{name}.grid"
        )
    for parameter, values in grid.items():
        key = f"{KEY}.{name}.grid.{parameter}"
        if not isinstance(values, list | tuple) or not values:
            raise ConfigurationError("a list of values is needed.", remedy=f"Write {parameter} = [...].", key=key)
        if parameter in params:
            raise ConfigurationError("it is also given one value.", remedy="Leave one of the two out.", key=key)


def _check_parameters(task: Task, name: str, candidate: Candidate) -> None:
    """Every parameter must be one of the estimator's own."""
    point = candidate.points()[0]
    bare = replace(candidate, params={}, grid={})
    alpha = {"alpha": 1.0} if candidate.build_fixed and "alpha" in {**candidate.params, **point} else {}
    valid = _parameters(bare.estimator(task, 0, alpha))
    if candidate.build_fixed and not alpha:
        valid.append("alpha")
    for parameter in (*candidate.params, *candidate.grid):
        if parameter not in valid:
            raise ConfigurationError(
                f"there is no such parameter.{nearest(parameter, valid)}",
                remedy=f"{name} knows: {', '.join(valid)}.",
                key=f"{KEY}.{name}.{parameter}",
            )


def _parameters(estimator: Any) -> list[str]:
    """Return what can be set; CatBoost's ``get_params`` knows only what was."""
    declared = inspect.signature(type(estimator)).parameters.values()
    return sorted(
        {*estimator.get_params(deep=False), *(one.name for one in declared if one.kind is not one.VAR_KEYWORD)}
    )


def _same(one: Candidate, other: Candidate) -> bool:
    return (one.name, one.params, one.grid) == (other.name, other.params, other.grid)


def _told_apart(candidate: Candidate) -> Candidate:
    shown = [f"{key}={value}" for key, value in candidate.params.items()]
    shown += [f"{key}={'|'.join(map(str, values))}" for key, values in candidate.grid.items()]
    return replace(candidate, name=f"{candidate.name}({', '.join(shown)})") if shown else candidate


def _valid(task: Task) -> list[str]:
    return [candidate.name for candidate in CANDIDATES.values() if task in candidate.tasks]


def _remedy(task: Task) -> str:
    return f"For {task.value}: {', '.join(_valid(task))}."
