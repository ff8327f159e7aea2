"""Evidently's own report of the same rows, made in an environment of its own.

Evidently's newest release does not import beside the pandas that Vigie runs on, and brings 80 packages: it is asked
from outside, and nothing of it ever decides anything here.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pandas as pd

from vigie.domain.schema import Schema
from vigie.errors import ConfigurationError, StorageError

PACKAGES: Final = ("evidently==0.7.23", "pandas==3.0.6", "pyarrow>=20")
"""What imports together."""

_CHILD: Final = Path(__file__).with_name("evidently_child.py")
_PATIENCE_S: Final = 1_800.0


def write_evidently(environment: Path, schema: Schema, frames: tuple[pd.DataFrame, pd.DataFrame], out: Path) -> None:
    """Write Evidently's drift report and data summary as one HTML page.

    Args:
        environment: a virtual environment that holds ``PACKAGES``.
        schema: which columns are numbers.
        frames: reference and current features, shape (n, n_features) each, at least one row.
        out: the page.

    Raises:
        ConfigurationError: there is no such environment.
        StorageError: Evidently failed, or a file could not be written.
    """
    python = environment / "bin" / "python"
    if not python.exists():
        raise ConfigurationError(
            f"There is no environment with Evidently in {environment}.",
            remedy=f"Make it once: python -m venv {environment} && {environment}/bin/pip install "
            f"{' '.join(repr(name) for name in PACKAGES)}",
        )
    kinds = {feature.name: "numeric" if feature.kind.is_numeric else "category" for feature in schema.features}
    columns = {kind: [name for name, its in kinds.items() if its == kind] for kind in ("numeric", "category")}
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{name}.parquet" for name in ("reference", "current")]
        for frame, file in zip(frames, files, strict=True):
            frame.to_parquet(file)
        line = [str(python), "-I", str(_CHILD), *map(str, files), str(out.absolute()), json.dumps(columns)]
        # its telemetry is asked to stay silent; it gets none of our environment but a place to find programs
        environ = {"DO_NOT_TRACK": "1", "PATH": os.environ.get("PATH", ""), "HOME": folder}
        try:
            done = subprocess.run(  # noqa: S603  the environment's own Python, on our own script
                line, capture_output=True, text=True, timeout=_PATIENCE_S, check=False, env=environ
            )
        except subprocess.TimeoutExpired as exc:
            raise StorageError("Evidently", "It took longer than half an hour.", retryable=False) from exc
    if done.returncode or not out.exists():
        said = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise StorageError("Evidently", f"It failed: {said[:200]}", retryable=False, remedy=f"Look at {environment}.")
