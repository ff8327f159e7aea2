"""What is not compiled says why; what is compiled says it exactly."""

import msgspec
import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

from vigie.bundle.compiler import nodes
from vigie.bundle.compiler.export import export
from vigie.bundle.compiler.expression import NotCompiled
from vigie.bundle.compiler.nodes import float32_thresholds
from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.inference.compiled import arrays

FEATURES = (Feature("a", Kind.NUMBER), Feature("b", Kind.NUMBER), Feature("c", Kind.CATEGORY))
PRICE = Schema(FEATURES, Target("y", Task.REGRESSION))
STAYS = Schema(FEATURES, Target("y", Task.BINARY, ("no", "yes")))
RNG = np.random.default_rng(0)
COLUMNS = {
    "a": RNG.normal(size=60).tolist(),
    "b": RNG.normal(size=60).tolist(),
    "c": RNG.choice(["x", "y"], 60).tolist(),
}
DENSE = OneHotEncoder(sparse_output=False)


class _MyScaler(StandardScaler):
    """A subclass may do anything."""


def _prepare(numbers="passthrough", words=DENSE, **options):
    return ColumnTransformer([("n", numbers, ["a", "b"]), ("w", words, ["c"])], **options)


def _fitted(schema, *steps):
    y = RNG.integers(0, 2, 60) if schema is STAYS else RNG.normal(size=60)
    return Pipeline([(str(i), step) for i, step in enumerate(steps)]).fit(model_frame(schema, COLUMNS), y)


REFUSED = {
    "an unknown estimator": (PRICE, (_prepare(), KNeighborsRegressor()), "KNeighborsRegressor"),
    "an unknown transformer": (PRICE, (_prepare(), PCA(2), LinearRegression()), "PCA"),
    "a subclass": (PRICE, (_prepare(_MyScaler()), LinearRegression()), "_MyScaler"),
    "a function": (PRICE, (_prepare(FunctionTransformer(np.abs)), LinearRegression()), "FunctionTransformer"),
    "another word for missing": (PRICE, (_prepare(SimpleImputer(missing_values=-1)), LinearRegression()), "NaN"),
    "a scaler of a sparse matrix": (
        PRICE,
        (_prepare(words=OneHotEncoder(), sparse_threshold=1.0), MaxAbsScaler(), LinearRegression()),
        "sparse",
    ),
    "codes in float32": (PRICE, (_prepare(words=OrdinalEncoder(dtype=np.float32)), LinearRegression()), "float32"),
    "boosting from an estimator": (
        PRICE,
        (_prepare(), GradientBoostingRegressor(init=LinearRegression(), n_estimators=2)),
        "an estimator of its own",
    ),
    "a transformed target": (PRICE, (_prepare(), TransformedTargetRegressor(LinearRegression())), "Transformed"),
    "calibration": (STAYS, (_prepare(), CalibratedClassifierCV(LogisticRegression(), cv=2)), "Calibrated"),
    "a dummy that throws dice": (STAYS, (_prepare(), DummyClassifier(strategy="stratified")), "stratified"),
    "another kind of question": (PRICE, (_prepare(), DummyClassifier()), "another kind of question"),
}


@pytest.mark.parametrize(("schema", "steps", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_known_to_be_reproduced_stays_with_scikit_learn(schema, steps, reason):
    """A value with a sentence, never an exception."""
    y = RNG.integers(0, 2, 60)
    model = Pipeline([(str(i), step) for i, step in enumerate(steps)]).fit(model_frame(schema, COLUMNS), y)
    made = export(model, schema)
    assert isinstance(made, NotCompiled)
    assert reason in made.reason
    assert not made.reason.endswith(".")


def test_an_unknown_scikit_learn_is_not_guessed_at(monkeypatch):
    """Private fields may have moved."""
    model = _fitted(PRICE, _prepare(), LinearRegression())
    monkeypatch.setattr(sklearn, "__version__", "1.10.0")
    assert export(model, PRICE) == NotCompiled("the compiler does not know scikit-learn 1.10, only 1.9")


def test_an_unfitted_pipeline_is_a_reason_and_no_exception():
    """Whatever an object lacks."""
    assert isinstance(export(Pipeline([("p", _prepare()), ("m", LinearRegression())]), PRICE), NotCompiled)


def test_an_encoder_becomes_the_table_that_it_answers():
    """One-hot: one for the category, nothing for the others, a refusal for the unknown one."""
    spec = msgspec.json.decode(export(_fitted(PRICE, _prepare(), LinearRegression()), PRICE))
    assert spec["cols"][2:] == [
        ["tab", ["in", 2], [["x", 1.0], ["y", 0.0]], None, None],
        ["tab", ["in", 2], [["x", 0.0], ["y", 1.0]], None, None],
    ]


def test_equal_leaves_are_stored_once():
    """A forest on two outcomes has few different leaves."""
    model = Pipeline([("p", _prepare()), ("m", RandomForestRegressor(5, random_state=0))])
    model.fit(model_frame(PRICE, COLUMNS), RNG.integers(0, 2, 60))
    spec = msgspec.json.decode(export(model, PRICE))
    assert sorted(spec["leaf"]) == [0.0, 1.0]


def test_rewritten_thresholds_decide_as_rounding_to_float32_does():
    """Random thresholds, and rows within two steps of the place where the decision turns."""
    thresholds = np.concatenate([RNG.normal(size=300), RNG.normal(size=50) * 1e-40, [0.0, 1.0, -1.0, 3.4e38, -3.4e38]])
    thresholds = np.concatenate([thresholds, thresholds.astype(np.float32).astype(np.float64)])
    turned = float32_thresholds(thresholds)
    for shift in (-2, -1, 0, 1, 2):
        rows = turned.copy()
        for _ in range(abs(shift)):
            rows = np.nextafter(rows, np.inf * np.sign(shift))
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(rows.astype(np.float32) <= thresholds, rows <= turned)
    assert float32_thresholds(np.array([3.5e38])).tolist() == [np.inf]


def test_an_ensemble_too_large_for_a_server_says_so(monkeypatch):
    """The limit is in the reason; the reader has the same one."""
    assert nodes.MAX_NODES == arrays.MAX_NODES == 500_000
    monkeypatch.setattr(nodes, "MAX_NODES", 20)
    model = Pipeline([("p", _prepare()), ("m", RandomForestRegressor(5, random_state=0))])
    model.fit(model_frame(PRICE, COLUMNS), RNG.normal(size=60))
    assert export(model, PRICE) == NotCompiled("it has more than 20 tree nodes")
