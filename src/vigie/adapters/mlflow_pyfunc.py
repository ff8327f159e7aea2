"""What ``mlflow.pyfunc.load_model`` calls on a version of ours: the bundle, read by our own audited reader.

MLflow finds this module's name in the version's MLmodel file, imports it from the installed Vigie, and hands it a
folder. Nothing in that folder is imported or unpickled, and nothing in it can widen what is trusted: MLflow knows no
``vigie.toml``, so types, keys and whether a signature is required are read from the environment, under the same names
as for the server.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vigie.adapters.bundle_folder import read_bundle
from vigie.adapters.environment_trust import trust_of_environment
from vigie.errors import StorageError
from vigie.inference.payload import read_rows
from vigie.inference.slots import ServingModel
from vigie.loop.open_bundle import open_bundle


class BundleModel:
    """A bundle behind MLflow's ``predict``.

    Args:
        model: an opened bundle.
    """

    def __init__(self, model: ServingModel) -> None:
        self._model = model

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Return one row per input row: ``prediction`` and, for classes, their probabilities.

        Args:
            model_input: the schema's features, in any order; NaN and None are missing.
            params: not used; MLflow passes it.

        Raises:
            SchemaMismatchError: rows do not fit the schema; the same checks as the server's.
        """
        schema = self._model.schema
        rows = read_rows(_records(model_input), schema, max_rows=sys.maxsize)
        predictions = self._model.scorer.score_rows(rows.values)
        found: dict[str, Any] = {"prediction": [prediction.value for prediction in predictions]}
        for place, label in enumerate(schema.target.classes):
            found[f"probability_{label}"] = [prediction.probabilities[place] for prediction in predictions]
        return pd.DataFrame(found, index=model_input.index)


def _load_pyfunc(path: str) -> BundleModel:
    """Open the bundle in a folder; MLflow's contract for a ``loader_module``."""
    try:
        members = read_bundle(Path(path))
    except OSError as exc:
        raise StorageError(path, f"{exc.strerror or type(exc).__name__}.", retryable=False) from exc
    return BundleModel(open_bundle(members, version="mlflow", trust=trust_of_environment(os.environ)))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON would say them: plain Python values, None for missing."""
    known = frame.astype(object).where(frame.notna(), None)
    return [
        {str(name): value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
        for row in known.to_dict("records")
    ]
