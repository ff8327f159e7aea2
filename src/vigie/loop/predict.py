"""Answer rows, and keep every answer before it leaves.

``predict`` is the whole of it, one call after another. A server takes the steps one by one, because it waits for the
log together with many other requests: score, then ``logged`` with the encoder of its writer, then submit and wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from vigie.domain.prediction import EPOCH, Prediction, PredictionRecord
from vigie.inference.payload import Rows
from vigie.inference.slots import ServingModel
from vigie.inference.values import Caution
from vigie.ports import Clock, EncodedRows, IdSource, PredictionLog, RowEncoder


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, with the id that feedback refers to, and the model that gave it."""

    prediction_id: UUID
    prediction: Prediction
    model: str
    version: str
    warnings: tuple[Caution, ...]


class Scored(Struct, frozen=True):
    """Rows with what one version of a model said of them, and when.

    Attributes:
        rows: as they were read.
        predictions: one per row.
        version: which version answered.
        at_us: when scoring began, in microseconds since 1970.
        latency_us: how long it took, 0 where the clock went back.
    """

    rows: Rows
    predictions: Sequence[Prediction]
    version: str
    at_us: int
    latency_us: int


def predict(rows: Rows, model: ServingModel, log: PredictionLog, clock: Clock, ids: IdSource) -> list[Answer]:
    """Return one answer per row, in order, all by the same model, all logged.

    Raises:
        DataError: the model cannot take a number of this size; nothing is logged.
        BundleError: the model's answer is no finite number; nothing is logged.
        StorageError: the log did not keep the answers, so there are none.
    """
    at = clock.now()
    predictions = model.scorer.score_rows(rows.values)
    elapsed_us = max(0, (clock.now() - at) // timedelta(microseconds=1))
    records = [
        PredictionRecord(
            id=ids.new_id(at),
            at=at,
            version=model.version,
            features=values,
            prediction=prediction,
            entity=entity,
            latency_us=elapsed_us,
        )
        for values, entity, prediction in zip(rows.values, rows.entities, predictions, strict=True)
    ]
    log.append(model.name, model.schema, records)
    return [
        Answer(record.id, record.prediction, model.name, model.version, warnings)
        for record, warnings in zip(records, rows.warnings, strict=True)
    ]


def now_us(clock: Clock) -> int:
    """Return the present in microseconds since 1970."""
    since = clock.now() - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds  # a quarter of the time of //


def logged(scored: Scored, ids: Sequence[bytes], encoder: RowEncoder) -> EncodedRows:
    """Return the rows to insert, one per answer.

    Args:
        scored: rows and answers.
        ids: one per row.
        encoder: of the model's table.
    """
    read, version, at_us, latency_us = scored.rows, scored.version, scored.at_us, scored.latency_us
    encode = encoder.encode
    rows = [
        encode(which, at_us, version, entity, latency_us, prediction, values)
        for which, entity, prediction, values in zip(ids, read.entities, scored.predictions, read.values, strict=True)
    ]
    return EncodedRows(encoder.table, rows)
