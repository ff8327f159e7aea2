"""Vigie: the stored profile, one pass over the window, and the whole report with verdicts that a user sees."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.drift.engines.engine import run
from benchmarks.drift.judging import judged, profile_of
from vigie.domain.measurement import Verdict
from vigie.domain.window import Window
from vigie.monitoring.counts import count_window
from vigie.monitoring.profile import ReferenceProfile

_START = datetime(2026, 1, 1, tzinfo=UTC)
_DAY = Window(_START, _START + timedelta(days=1))


def load(path: Path) -> pa.Table:
    """Read a file as the log gives rows: columns of Arrow."""
    return pq.read_table(path)


def prepare(reference: pa.Table) -> ReferenceProfile:
    """Make the profile, and read it back as a monitor would: from the bundle's bytes."""
    return ReferenceProfile.from_bytes(profile_of(reference).to_bytes())


def check(profile: ReferenceProfile, window: pa.Table) -> int:
    """Count the window and judge every column; a constant prediction adds nothing to it."""
    report = judged(profile, count_window(profile, window, np.zeros(len(window))), _DAY)
    text: dict[str, Any] = report.to_dict()
    return sum(feature["verdict"] == Verdict.ALARM.value for feature in text["features"])


if __name__ == "__main__":
    run(prepare, check, load=load)
