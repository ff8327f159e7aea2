"""A scorer answers with finite numbers or says why it cannot."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError, DataError
from vigie.inference.sklearn_scorer import SklearnScorer

FEATURES = (Feature("a", Kind.NUMBER), Feature("b", Kind.INTEGER))
PRICE = Schema(FEATURES, Target("y", Task.REGRESSION))
STAYS = Schema(FEATURES, Target("y", Task.BINARY, ("no", "yes")))
RNG = np.random.default_rng(2)
COLUMNS = {"a": RNG.normal(size=60).tolist(), "b": RNG.integers(0, 9, 60).tolist()}
CODES = (np.asarray(COLUMNS["a"]) > 0).astype(int)


class _Constant:
    """A model that answers one number, whatever it is asked."""

    def __init__(self, answer):
        self._answer = answer

    def predict(self, frame):
        return np.full(len(frame), self._answer)


def test_binary_answers_are_the_labels_with_their_probabilities():
    """Column i of predict_proba belongs to class i of the schema, and the most probable class is the answer."""
    model = LogisticRegression().fit(model_frame(STAYS, COLUMNS), CODES)
    answers = SklearnScorer(model, STAYS).score(COLUMNS)
    expected = model.predict_proba(model_frame(STAYS, COLUMNS))
    assert np.asarray([answer.probabilities for answer in answers]) == pytest.approx(expected)
    assert [answer.value for answer in answers] == [STAYS.target.classes[code] for code in expected.argmax(axis=1)]


@pytest.mark.parametrize("answer", [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_no_finite_number_is_an_error(answer):
    """NaN never reaches a client or the log."""
    with pytest.raises(BundleError, match="finite"):
        SklearnScorer(_Constant(answer), PRICE).score({"a": [1.0], "b": [2]})


def test_a_number_too_large_for_float32_is_the_clients_error():
    """The message names the feature, and not the one that is fine."""
    model = RandomForestClassifier(2).fit(model_frame(STAYS, COLUMNS), CODES)
    with pytest.raises(DataError, match="'a'") as caught:
        SklearnScorer(model, STAYS).score({"a": [1e39], "b": [2]})
    assert "'b'" not in str(caught.value)


def test_an_overflowing_linear_model_is_the_clients_error():
    """A finite input that makes the answer infinite is told, not answered."""
    model = LinearRegression().fit(model_frame(PRICE, COLUMNS), 1000.0 * np.asarray(COLUMNS["a"]))
    with pytest.raises(DataError, match="'a'"):
        SklearnScorer(model, PRICE).score({"a": [1.7e308], "b": [2]})


def test_a_classifier_without_probabilities_cannot_serve():
    """Binary answers promise one."""
    model = LinearSVC().fit(model_frame(STAYS, COLUMNS), CODES)
    with pytest.raises(BundleError, match="predict_proba"):
        SklearnScorer(model, STAYS)


def test_a_model_of_other_classes_cannot_serve():
    """Three codes do not fit two labels."""
    model = LogisticRegression().fit(model_frame(STAYS, COLUMNS), np.arange(60) % 3)
    with pytest.raises(BundleError, match="other classes"):
        SklearnScorer(model, STAYS)


def test_threads_get_the_answers_of_their_own_rows():
    """Eight threads ask at once; each gets what it would get alone."""
    scorer = SklearnScorer(LogisticRegression().fit(model_frame(STAYS, COLUMNS), CODES), STAYS)
    rows = [{"a": [value], "b": [3]} for value in COLUMNS["a"]]
    alone = [scorer.score(row) for row in rows]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(scorer.score, rows)) == alone
