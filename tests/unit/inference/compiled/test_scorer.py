"""Generated code, the walker and hand-worked figures agree; refusals name the feature and never the value."""

import math

import msgspec
import numpy as np
import pytest
from scipy.special import expit as scipy_expit
from scipy.special import softmax as scipy_softmax
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from vigie.bundle.compiler.export import export
from vigie.domain.frame import model_frame
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError, DataError
from vigie.inference.compiled import trees
from vigie.inference.compiled.links import LINKS, expit
from vigie.inference.compiled.parity import agree
from vigie.inference.compiled.scorer import CompiledScorer

FEATURES = (Feature("a", Kind.NUMBER, nullable=True), Feature("b", Kind.NUMBER))
PRICE = Schema(FEATURES, Target("y", Task.REGRESSION))
KIND = Schema(FEATURES, Target("y", Task.MULTICLASS, ("p", "q", "r")))
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 2))
COLUMNS = {"a": X[:, 0].tolist(), "b": X[:, 1].tolist()}


def compiled(estimator, schema, y):
    """Return a pipeline, and its compiled twin."""
    model = Pipeline([("model", estimator)]).fit(model_frame(schema, COLUMNS), y)
    return model, CompiledScorer(export(model, schema), schema)


@pytest.mark.parametrize(
    ("estimator", "schema"),
    [
        (HistGradientBoostingRegressor(max_iter=30), PRICE),
        (RandomForestClassifier(8, random_state=0), KIND),
    ],
    ids=["numbers", "lists"],
)
def test_the_walker_gives_the_bits_of_the_generated_code(monkeypatch, estimator, schema):
    """Also where a value is missing."""
    y = X[:, 0] + X[:, 1] if schema is PRICE else RNG.integers(0, 3, 300)
    model, generated = compiled(estimator, schema, y)
    monkeypatch.setattr(trees, "MAX_GENERATED_NODES", 0)
    walked = CompiledScorer(export(model, schema), schema)
    rows = [*map(tuple, X.tolist()), (None, 0.5), (1e30, -1e30)]
    assert not trees.is_generated(walked.spec)
    assert [walked.raw(row) for row in rows] == [generated.raw(row) for row in rows]


def test_a_tree_deeper_than_python_nests_is_walked():
    """A staircase of 150 steps answers as scikit-learn does."""
    steps = np.arange(300.0)
    columns = {"a": steps.tolist(), "b": steps.tolist()}
    model = Pipeline([("model", DecisionTreeRegressor(random_state=0))]).fit(model_frame(PRICE, columns), 3.0**steps)
    scorer = CompiledScorer(export(model, PRICE), PRICE)
    assert not trees.is_generated(scorer.spec)
    assert [answer.value for answer in scorer.score(columns)] == model.predict(model_frame(PRICE, columns)).tolist()


def test_many_weights_are_multiplied_and_not_written_out():
    """Above two thousand terms the sum is a loop, with the same answer."""
    names = [f"x{i}" for i in range(2_100)]
    schema = Schema(tuple(Feature(name, Kind.NUMBER) for name in names), Target("y", Task.REGRESSION))
    cells = RNG.normal(size=(20, len(names)))
    columns = dict(zip(names, cells.T.tolist(), strict=True))
    model = Pipeline([("scale", StandardScaler()), ("model", LinearRegression())])
    model.fit(model_frame(schema, columns), RNG.normal(size=20))
    scorer = CompiledScorer(export(model, schema), schema)
    expected = model.predict(model_frame(schema, columns))
    assert [answer.value for answer in scorer.score(columns)] == pytest.approx(expected, abs=1e-11)


def test_a_refusal_names_the_feature_and_not_the_value():
    """A number too large for float32, a missing value where none is taken."""
    _, forest = compiled(RandomForestClassifier(2, random_state=0), KIND, RNG.integers(0, 3, 300))
    with pytest.raises(DataError, match="as large as the one sent for 'b'") as caught:
        forest.score({"a": [0.0], "b": [1e39]})
    assert "e39" not in str(caught.value)
    _, linear = compiled(LinearRegression(), PRICE, X[:, 0])
    with pytest.raises(DataError, match="missing value for 'a'"):
        linear.score({"a": [None], "b": [0.0]})


def test_an_answer_that_overflows_is_refused():
    """A sum of finite columns that is no finite number is no answer."""
    _, scorer = compiled(LinearRegression(), PRICE, 9.0 * X[:, 0] + 9.0 * X[:, 1])
    with pytest.raises((DataError, BundleError)):
        scorer.score({"a": [1.7e308], "b": [1.7e308]})


def test_integers_and_nan_are_read_as_the_frame_reads_them():
    """3 is 3.0, NaN is missing."""
    _, scorer = compiled(HistGradientBoostingRegressor(max_iter=5), PRICE, X[:, 0])
    assert scorer.raw((3, 1)) == scorer.raw((3.0, 1.0))
    assert scorer.raw((math.nan, 1.0)) == scorer.raw((None, 1.0))


def test_expit_is_scipys_to_the_last_bit():
    """Over the whole range, infinities included."""
    points = [*np.linspace(-746, 746, 20_001).tolist(), 1e300, -1e300, math.inf, -math.inf, 0.0, -0.0]
    assert [expit(x) for x in points] == scipy_expit(np.array(points)).tolist()


@pytest.mark.parametrize("k", [3, 7, 8, 11, 17, 24])
def test_softmax_is_scipys_within_a_few_ulps(k):
    """For fewer than eight classes and for more, where numpy adds in another order."""
    raw = RNG.normal(scale=4, size=k)
    np.testing.assert_array_max_ulp(np.array(LINKS["softmax"](raw.tolist())), scipy_softmax(raw), maxulp=16)


@pytest.mark.parametrize(
    ("found", "ulps", "noise", "same"),
    [
        (1.0, 0, 0.0, True),
        (math.nextafter(1.0, 2.0), 0, 0.0, False),
        (math.nextafter(1.0, 2.0), 1, 0.0, True),
        (1.0 + 1e-12, 4, 0.0, False),
        (1.0 + 1e-12, 0, 2e-12, True),
        (math.nan, 16, 1.0, False),
    ],
)
def test_agreement_is_counted_in_ulps_and_noise(found, ulps, noise, same):
    """One unit is one unit; NaN agrees with nothing."""
    assert agree(Prediction(1.0), Prediction(found), ulps=ulps, noise=noise) is same


def test_a_flipped_label_never_agrees_unless_it_is_a_tie():
    """Equal probabilities do not excuse another answer, except where two are equal."""
    one, other = Prediction("yes", (0.4, 0.6)), Prediction("no", (0.4, 0.6))
    assert not agree(one, other, ulps=16, noise=0.0)
    assert agree(Prediction("yes", (0.5, 0.5)), Prediction("no", (0.5, 0.5)), ulps=16, noise=0.0)


def test_an_untampered_spec_is_json_of_numbers():
    """It can be read with any JSON reader; there is no NaN and no infinity in it."""
    model, _ = compiled(HistGradientBoostingRegressor(max_iter=3), PRICE, X[:, 0])
    assert msgspec.json.decode(export(model, PRICE))["family"] == "trees"
