"""The one frame that models are fitted on and asked with."""

import numpy as np
import pandas as pd
import pytest

from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task

SCHEMA = Schema(
    (
        Feature("n", Kind.INTEGER),
        Feature("x", Kind.NUMBER),
        Feature("b", Kind.BOOLEAN),
        Feature("c", Kind.CATEGORY),
    ),
    Target("y", Task.REGRESSION),
)


def test_types_and_missing():
    """Numeric kinds are float64, categories are objects of str, and missing is NaN in both."""
    columns = {"c": ["a", None], "b": [True, None], "x": [0.5, None], "n": [1, None], "other": [1, 2]}
    frame = model_frame(SCHEMA, columns)
    wanted = pd.DataFrame(
        {
            "n": np.array([1.0, np.nan]),
            "x": np.array([0.5, np.nan]),
            "b": np.array([1.0, np.nan]),
            "c": np.array(["a", np.nan], dtype=object),
        }
    )
    pd.testing.assert_frame_equal(frame, wanted)


def test_arrays_and_lists_agree():
    """A numpy column gives the same frame as a list."""
    lists = {"n": [1, 2], "x": [0.5, 1.5], "b": [True, False], "c": ["a", "b"]}
    arrays = {name: np.array(values) for name, values in lists.items()}
    pd.testing.assert_frame_equal(model_frame(SCHEMA, lists), model_frame(SCHEMA, arrays))


def test_absent_feature_is_refused():
    """A feature that is not there is a KeyError, not a column of missing values."""
    with pytest.raises(KeyError):
        model_frame(SCHEMA, {"n": [1]})
