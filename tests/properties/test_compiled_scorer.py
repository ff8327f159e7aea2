"""Whatever a row holds, the compiled scorer and scikit-learn agree; whatever a spec holds, it is read or refused."""

import json
import warnings

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from vigie.bundle.compiler.export import export
from vigie.bundle.compiler.nodes import float32_thresholds
from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError, VigieError
from vigie.inference.compiled.scorer import CompiledScorer
from vigie.inference.sklearn_scorer import SklearnScorer

FEATURES = (
    Feature("a", Kind.NUMBER, nullable=True),
    Feature("b", Kind.NUMBER, nullable=True),
    Feature("c", Kind.CATEGORY, nullable=True),
)
PRICE = Schema(FEATURES, Target("y", Task.REGRESSION))
KIND = Schema(FEATURES, Target("y", Task.MULTICLASS, ("p", "q", "r")))
N = 150


def _pair(schema, estimator, words, y):
    rng = np.random.default_rng(0)
    columns = {"a": rng.normal(size=N), "b": rng.lognormal(size=N), "c": rng.choice(["x", "y", "z"], N)}
    columns["a"][::7] = np.nan
    prepare = ColumnTransformer([("n", StandardScaler(), ["a", "b"]), ("w", words, ["c"])])
    model = Pipeline([("p", prepare), ("m", estimator)]).fit(model_frame(schema, columns), y)
    return SklearnScorer(model, schema), CompiledScorer(export(model, schema), schema), export(model, schema)


RNG = np.random.default_rng(1)
HIST = _pair(
    PRICE,
    HistGradientBoostingRegressor(max_iter=12, min_samples_leaf=4),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    RNG.normal(size=N),
)
FOREST = _pair(
    KIND,
    RandomForestClassifier(5, random_state=0),
    OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    RNG.integers(0, 3, N),
)
NUMBERS = (
    st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-3, 3)
    | st.floats(width=32, allow_nan=False, allow_infinity=False)
)
ROWS = st.tuples(NUMBERS, NUMBERS, st.none() | st.sampled_from(["x", "y", "z"]) | st.text(max_size=3))


def _answer(scorer, row):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return scorer.score({name: [value] for name, value in zip("abc", row, strict=True)})[0]
    except VigieError:
        return None


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_any_row_is_answered_or_refused_as_scikit_learn_does(row):
    """To the last bit: these models end in no link."""
    for reference, compiled, _ in (HIST, FOREST):
        assert _answer(compiled, row) == _answer(reference, row)


JUNK = st.none() | st.booleans() | st.integers(-3, 2**40) | st.floats() | st.text(max_size=3) | st.just([])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_spec_with_one_value_replaced_is_read_or_refused(data):
    """Nothing but a refusal is raised, at reading as at scoring."""
    _, _, content = data.draw(st.sampled_from([HIST, FOREST]))
    spec = msgspec.json.decode(content)
    place = spec
    key = data.draw(st.sampled_from(sorted(spec)))
    while isinstance(place[key], list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.integers(0, len(place) - 1))
    place[key] = data.draw(JUNK)
    schema = PRICE if spec["classes"] == 0 else KIND
    try:
        scorer = CompiledScorer(json.dumps(spec).encode(), schema)
        scorer.score({"a": [None, 1.0, -1e300], "b": [0.5, None, 1e300], "c": ["x", None, "new"]})
    except BundleError:
        return
    except VigieError:
        return


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_a_rewritten_threshold_decides_as_float32_does(x, threshold):
    """For every row that float32 can hold at all."""
    with np.errstate(over="ignore"):
        narrow = np.float32(x)
    if np.isfinite(narrow):
        assert (float(narrow) <= threshold) == (x <= float32_thresholds(np.array([threshold]))[0])
