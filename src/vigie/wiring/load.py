"""``vigie.load``: a model for Python users, scaler and all, from a bundle's folder or from the registry.

A folder needs neither MLflow nor, where the bundle has a compiled scorer, scikit-learn. It only reads.
"""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from vigie.adapters.bundle_folder import read_bundle
from vigie.adapters.environment_trust import trust_of_environment
from vigie.adapters.tables.frames import as_table
from vigie.bundle.members import MANIFEST, Parts, read_members
from vigie.bundle.trust import Trust
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Label, Schema
from vigie.errors import ConfigurationError, DataError, StorageError, VigieWarning, listed, nearest
from vigie.inference.payload import Rows, read_rows
from vigie.inference.slots import ServingModel
from vigie.loop.open_bundle import open_bundle
from vigie.loop.tabular import table_rows, told_cautions, unknown_columns
from vigie.settings import FILE_NAME, Settings, load_settings
from vigie.wiring.state import trust_of

_MLFLOW_DATA = Path("data", "bundle")
_MAX_ROWS = 2**31


class Model:
    """A registered model, asked from Python: what the server answers, without the server and without the log.

    Preprocessing and model are one and cannot be refitted. ``X`` may be any frame (pandas, Polars, Arrow), one row as a
    dictionary, a list of such rows, or a two-dimensional numpy array with the columns in the schema's order. A frame
    may also hold the target and the entity, which are not looked at. Unseen categories and values outside the training
    range are answered, with a ``VigieWarning``.

    Attributes:
        name: the registered model's name.
        version: as the registry writes it; None for a folder, which does not know it.
        schema: features in order, and the target.
        classes: labels in the order of ``predict_proba``; empty for regression.
        card: for a person, in Markdown.
        lineage: where the model comes from, and its held-out metrics, as plain JSON values.
        scorer: ``compiled`` or ``sklearn``.
    """

    def __init__(self, serving: ServingModel, parts: Parts, *, version: str | None) -> None:
        self.name = serving.name
        self.version = version
        self.schema: Schema = serving.schema
        self.classes: tuple[Label, ...] = serving.schema.target.classes
        self.card = parts.card
        self.scorer = serving.scorer_kind
        told = msgspec.json.decode(msgspec.json.encode(parts.manifest))
        self.lineage: dict[str, Any] = {
            **{key: told[key] for key in ("created_at", "data_digest", "git_commit", "params", "metrics", "libraries")},
            **told["lineage"],
        }
        self._serving = serving

    def predict(self, X: Any) -> np.ndarray:
        """Return one label a row, or one number for regression; shape (n_rows,).

        Raises:
            DataError: a column is missing or unknown, or an array has another width.
            SchemaMismatchError: values do not fit the schema.
        """
        values = [prediction.value for prediction in self._ask(X)]
        return np.array(values, dtype=np.asarray(self.classes).dtype if self.classes else np.float64)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities, shape (n_rows, n_classes), in the order of ``classes``.

        Raises:
            DataError: as ``predict``, or the model predicts a number.
            SchemaMismatchError: values do not fit the schema.
        """
        if not self.classes:
            raise DataError(f"The model predicts {self.schema.target.name!r}, a number.", remedy="Use predict.")
        found = [prediction.probabilities for prediction in self._ask(X)]
        return np.array(found, dtype=np.float64).reshape(len(found), len(self.classes))

    def _ask(self, X: Any) -> list[Prediction]:
        rows = _rows(X, self.schema)
        for sentence in told_cautions(rows.warnings):
            warnings.warn(sentence, VigieWarning, stacklevel=3)
        return self._serving.scorer.score_rows(rows.values) if rows.n else []

    def __repr__(self) -> str:
        version = f" version {self.version}" if self.version else ""
        target = self.schema.target
        return (
            f"<vigie.Model {self.name}{version}: {len(self.schema.features)} features, {target.task} {target.name!r}>"
        )


def load(where: str | Path, *, trusted_types: Sequence[str] = ()) -> Model:
    """Open a model.

    Args:
        where: a bundle's folder (an MLflow model's folder will do); or ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``
            in the registry of the project around, or else of ``MLFLOW_TRACKING_URI``.
        trusted_types: full names of your own types that the model may hold, beyond Vigie's list and the settings.

    Raises:
        ConfigurationError: there is no such folder, or no registry is known.
        BundleError: the bundle is refused.
        RegistryError: the registry has no such version, or cannot be reached.
    """
    settings = _project_around()
    trust = trust_of(settings.bundle) if settings else trust_of_environment(os.environ)
    trust = replace(trust, types=trust.types | frozenset(trusted_types))
    if isinstance(where, str) and where.startswith("models:"):
        from vigie.wiring.registered import members_of  # noqa: PLC0415 - a folder needs no MLflow

        members, version = members_of(where, settings)
        return open_model(members, version=version, trust=trust)
    return open_model(_folder(Path(where)), version=None, trust=trust)


def open_model(members: Mapping[str, bytes], *, version: str | None, trust: Trust) -> Model:
    """Return a model from a bundle's members; its golden rows are predicted anew first.

    Raises:
        BundleError: the bundle is refused.
    """
    serving = open_bundle(members, version=version or "folder", trust=trust)
    return Model(serving, read_members(members, trust=trust), version=version)


def _folder(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise ConfigurationError(
            f"There is no folder {folder}.",
            remedy="Name a bundle's folder, or a version in the registry: models:/NAME@champion.",
        )
    if not (folder / MANIFEST).is_file() and (folder / _MLFLOW_DATA).is_dir():
        folder = folder / _MLFLOW_DATA
    try:
        return read_bundle(folder)
    except OSError as exc:
        raise StorageError(str(folder), f"{exc.strerror or type(exc).__name__}.", retryable=False) from exc


def _project_around() -> Settings | None:
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE_NAME).is_file():
            return load_settings(folder, os.environ)
    return None


def _rows(X: Any, schema: Schema) -> Rows:
    if isinstance(X, Mapping):
        return read_rows(_plain(X), schema, max_rows=1)
    if isinstance(X, (list, tuple)):
        items = [_plain(item) if isinstance(item, Mapping) else item for item in X]
        return read_rows(items, schema, max_rows=_MAX_ROWS) if items else table_rows(_empty(schema), schema)
    if isinstance(X, np.ndarray):
        return table_rows(_from_array(X, schema), schema)
    try:
        table = as_table(X, "the frame")
    except TypeError as exc:
        raise DataError(
            f"Rows cannot be read from the type {type(X).__name__}.",
            remedy="Give a frame (one row of pandas: frame.iloc[[0]]), a dictionary, a list of dictionaries, or a "
            "two-dimensional numpy array.",
        ) from exc
    unknown = unknown_columns(table, schema)
    if unknown:
        raise DataError(
            f"The model does not know {listed(unknown)}.{nearest(unknown[0], schema.names)}",
            remedy=f"Drop what it does not take; its columns are: {', '.join(schema.names)}.",
        )
    return table_rows(table, schema)


def _from_array(X: np.ndarray, schema: Schema) -> pa.Table:
    n_features = len(schema.features)
    if X.ndim != 2 or X.shape[1] != n_features:
        raise DataError(
            f"The array has shape {X.shape}; the model takes (n_rows, {n_features}).",
            remedy=f"Its columns are, in this order: {', '.join(schema.names)}.",
        )
    try:
        columns = [pa.array(X[:, place].tolist(), from_pandas=True) for place in range(n_features)]
    except (pa.ArrowException, TypeError, ValueError) as exc:
        raise DataError(f"A column of the array mixes types: {exc}.", remedy="Give a frame instead.") from exc
    return pa.Table.from_arrays(columns, names=list(schema.names))


def _empty(schema: Schema) -> pa.Table:
    return pa.table({name: pa.array([], pa.null()) for name in schema.names})


def _plain(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a row as JSON would say it: plain Python values, None for missing."""
    items = {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
    return {name: None if isinstance(value, float) and value != value else value for name, value in items.items()}  # noqa: PLR0124 - NaN is the only value unlike itself
