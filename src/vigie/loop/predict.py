"""Answer rows, and keep every answer before it leaves."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from vigie.domain.prediction import Prediction, PredictionRecord
from vigie.inference.payload import Rows
from vigie.inference.slots import ServingModel
from vigie.inference.values import Caution
from vigie.ports import Clock, IdSource, PredictionLog


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, with the id that feedback refers to, and the model that gave it."""

    prediction_id: UUID
    prediction: Prediction
    model: str
    version: str
    warnings: tuple[Caution, ...]


def predict(rows: Rows, model: ServingModel, log: PredictionLog, clock: Clock, ids: IdSource) -> list[Answer]:
    """Return one answer per row, in order, all by the same model, all logged.

    Raises:
        DataError: the model cannot take a number of this size; nothing is logged.
        BundleError: the model's answer is no finite number; nothing is logged.
        StorageError: the log did not keep the answers, so there are none.
    """
    at = clock.now()
    predictions = model.scorer.score(rows.columns)
    elapsed_us = max(0, (clock.now() - at) // timedelta(microseconds=1))
    features = list(zip(*(rows.columns[name] for name in model.schema.names), strict=True))
    records = [
        PredictionRecord(
            id=ids.new_id(at),
            at=at,
            version=model.version,
            features=features[row],
            prediction=prediction,
            entity=rows.entities[row],
            latency_us=elapsed_us,
        )
        for row, prediction in enumerate(predictions)
    ]
    log.append(model.name, model.schema, records)
    return [
        Answer(record.id, record.prediction, model.name, model.version, warnings)
        for record, warnings in zip(records, rows.warnings, strict=True)
    ]
