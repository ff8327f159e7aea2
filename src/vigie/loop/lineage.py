"""From a prediction back to everything that led to it: version, run, commit, data, parameters, gate, promotion."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pyarrow.compute as pc

from vigie.bundle.manifest import Manifest
from vigie.bundle.members import Parts, read_members
from vigie.domain.event import Event, EventKind
from vigie.domain.schema import Schema
from vigie.domain.window import Window
from vigie.errors import ModelNotFoundError
from vigie.loop.context import Loop
from vigie.promotion.history import REIGN_KINDS

_DECIDED = (EventKind.REGISTERED, EventKind.GATED, EventKind.REFUSED)


@dataclass(frozen=True, slots=True)
class Answered:
    """A logged answer.

    Attributes:
        prediction_id: its id.
        at: when, UTC.
        prediction: the label or the number; None when its row cannot be read under the version's schema.
        probabilities: by label, empty for regression.
        entity: whom it was about.
        features: what was asked, by name.
        outcome: what came true; None while unknown.
    """

    prediction_id: UUID
    at: datetime
    prediction: Any = None
    probabilities: Mapping[str, float] | None = None
    entity: str | None = None
    features: Mapping[str, Any] | None = None
    outcome: Any = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version comes from, and an answer of it, if one was asked about.

    Attributes:
        model: the registered name.
        version: which one.
        answered: the prediction; None when the version itself was asked about.
        manifest: what the version's bundle says of itself; None when the registry has it no more.
        decided: why it was registered, by the gate or against the dummy; oldest first.
        reigned: how it became champion; before the answer, if there is one. Oldest first.
    """

    model: str
    version: str
    answered: Answered | None
    manifest: Manifest | None
    decided: tuple[Event, ...]
    reigned: tuple[Event, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        told = msgspec.json.decode(msgspec.json.encode(self.manifest)) if self.manifest else None
        bundle = told and {key: told[key] for key in told if key not in {"members", "format_version", "name"}}
        return {
            "model": self.model,
            "version": self.version,
            "prediction": msgspec.to_builtins(self.answered),
            "bundle": bundle,
            "decided": [event.to_dict() for event in self.decided],
            "promoted": [event.to_dict() for event in self.reigned],
        }


def lineage_of_prediction(loop: Loop, prediction_id: UUID) -> Lineage:
    """Return where a logged prediction comes from.

    Raises:
        UnknownPredictionError: nothing was logged under this id.
        BundleError: the version's bundle is damaged.
        RegistryError: the registry failed.
    """
    model, version, at = loop.log.find(prediction_id)
    parts = _parts(loop, model, version)
    answered = Answered(prediction_id, at)
    if parts is not None:
        answered = _answered(loop, model, version, answered, parts.schema)
    return _lineage(loop, model, version, parts, answered)


def lineage_of_version(loop: Loop, wanted: str) -> Lineage:
    """Return where a version comes from, by number or alias.

    Raises:
        ModelNotFoundError: there is no such version.
        BundleError: its bundle is damaged.
    """
    version = loop.registry.version(loop.model, wanted).version
    return _lineage(loop, loop.model, version, _parts(loop, loop.model, version), None)


def _parts(loop: Loop, model: str, version: str) -> Parts | None:
    try:
        return read_members(loop.registry.members(model, version), trust=loop.rules.trust)
    except ModelNotFoundError:  # versions can be deleted; the log and the ledger still know of them
        return None


def _answered(loop: Loop, model: str, version: str, found: Answered, schema: Schema) -> Answered:
    rows = loop.log.rows(model, schema, Window(found.at, found.at + timedelta(microseconds=1)), version=version)
    place = pc.index(rows.records.column("id"), str(found.prediction_id)).as_py()
    if place < 0:  # logged under another schema than the version has
        return found
    record = rows.records.slice(place, 1).to_pylist()[0]
    classes = schema.target.classes
    return Answered(
        prediction_id=found.prediction_id,
        at=found.at,
        prediction=msgspec.json.decode(record["label"]) if classes else record["value"],
        probabilities=dict(zip(map(str, classes), record["probabilities"] or (), strict=True)) if classes else None,
        entity=record["entity"],
        features=rows.features.slice(place, 1).to_pylist()[0],
        outcome=None if record["outcome"] is None else msgspec.json.decode(record["outcome"]),
    )


def _lineage(loop: Loop, model: str, version: str, parts: Parts | None, answered: Answered | None) -> Lineage:
    events = loop.ledger.events(model, version=version)
    return Lineage(
        model=model,
        version=version,
        answered=answered,
        manifest=parts.manifest if parts else None,
        decided=tuple(event for event in events if event.kind in _DECIDED),
        reigned=tuple(
            event for event in events if event.kind in REIGN_KINDS and (answered is None or event.at <= answered.at)
        ),
    )
