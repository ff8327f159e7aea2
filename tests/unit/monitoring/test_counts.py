"""A window reduced to counts."""

import numpy as np
import pytest

from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.monitoring.counts import count_window
from vigie.monitoring.profile import build_profile

SCHEMA = Schema(
    features=(Feature("age", Kind.NUMBER), Feature("city", Kind.CATEGORY)),
    target=Target("t", Task.MULTICLASS, ("lo", "hi")),
)
FRAME = model_frame(SCHEMA, {"age": [1.0, 2.0, 3.0, 4.0], "city": ["a", "b", "a", None]})
PROFILE = build_profile(SCHEMA, FRAME, np.array([0.0, 1.0, 1.0, 0.0]))


def test_the_reference_counts_as_itself():
    """Counting the reference's own rows gives the counts that the profile holds."""
    counts = count_window(PROFILE, FRAME, np.array([0.0, 1.0, 1.0, 0.0]))
    for column, found in zip(
        (*PROFILE.features, PROFILE.prediction), (*counts.features, counts.prediction), strict=True
    ):
        assert found.cells.tolist() == column.counts.cells.tolist()


def test_an_empty_window_counts_nothing():
    """No row, no count, no error."""
    counts = count_window(PROFILE, FRAME.iloc[:0], np.empty(0))
    assert counts.n == 0
    assert [found.n for found in (*counts.features, counts.prediction)] == [0, 0, 0]


def test_kinds_do_not_mix():
    """Adding counts of different profiles is a mistake that is told."""
    counts = count_window(PROFILE, FRAME, np.zeros(4))
    turned = type(counts)(counts.n, counts.features[::-1], counts.prediction)
    with pytest.raises(TypeError):
        counts + turned


def test_predictions_must_be_as_many_as_rows():
    """A mistake of the caller is told at once."""
    with pytest.raises(ValueError, match="4 rows cannot have 1"):
        count_window(PROFILE, FRAME, np.zeros(1))
