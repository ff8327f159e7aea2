"""A fitted pipeline and its compiled twin, asked the same rows: clean ones, odd ones, and those beside a split."""

import warnings

import numpy as np
import pytest
from parity_pipelines import EXTREMES, table
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
)

from vigie.bundle.compiler.edges import edges
from vigie.bundle.compiler.export import export
from vigie.domain.frame import model_frame
from vigie.domain.schema import Kind
from vigie.errors import DataError
from vigie.inference.compiled.layout import Trees
from vigie.inference.compiled.scorer import CompiledScorer


def odd_rows(schema, n):
    """Return rows with something missing, unseen or extreme; the extremes take turns over the features."""
    clean = table(3, holes=False)
    base = tuple(clean[name][0] for name in schema.names)
    numeric = [place for place, feature in enumerate(schema.features) if feature.kind in {Kind.NUMBER, Kind.INTEGER}]
    asked = [(None,) * len(base)]
    for place, feature in enumerate(schema.features):
        strange = [None] + ([] if feature.kind.is_numeric else ["unseen"])
        if place == numeric[n % len(numeric)]:
            strange += EXTREMES
        asked += [(*base[:place], value, *base[place + 1 :]) for value in strange]
    return asked


def plain_rows(scorer, schema):
    """Return clean rows, and rows on a split or one step beside it."""
    clean = table(3, holes=False)
    rows = list(zip(*(clean[name] for name in schema.names), strict=True))
    asked = rows[:50]
    if isinstance(scorer.spec, Trees):
        splits = [
            (column, threshold)
            for column, threshold, cat in zip(scorer.spec.feat, scorer.spec.thr, scorer.spec.cat, strict=True)
            if cat < 0 and threshold is not None
        ]
        for n, (place, value) in enumerate(edges(scorer.spec.cols, splits, most=180)):
            row = rows[n % len(rows)]
            asked.append((*row[:place], value, *row[place + 1 :]))
    return asked


def ask_sklearn(model, schema, rows):
    """Return predict_proba or predict of each row, None for a refusal; refused rows are found by halving."""
    if not rows:
        return []
    columns = {name: [row[place] for row in rows] for place, name in enumerate(schema.names)}
    try:
        with np.errstate(all="ignore"):
            frame = model_frame(schema, columns)
            answers = model.predict_proba(frame) if schema.target.classes else model.predict(frame).reshape(-1, 1)
            return [answer if np.isfinite(answer).all() else None for answer in answers]
    except ValueError:
        if len(rows) == 1:
            return [None]
    half = len(rows) // 2
    return ask_sklearn(model, schema, rows[:half]) + ask_sklearn(model, schema, rows[half:])


RAW = {
    "lightgbm": {"raw_score": True},
    "xgboost": {"output_margin": True},
    "catboost": {"prediction_type": "RawFormulaVal"},
}


def raw_of(model, frame):
    """Return the scores before the link, where the answer is not the score itself."""
    prepared, estimator = model[:-1].transform(frame), model[-1]
    if isinstance(estimator, HistGradientBoostingRegressor):
        return estimator._raw_predict(prepared).reshape(len(frame), -1)
    package = type(estimator).__module__.split(".")[0]
    if package in RAW:
        return np.asarray(estimator.predict(prepared, **RAW[package]), dtype=np.float64).reshape(len(frame), -1)
    if hasattr(estimator, "_linear_predictor"):
        return estimator._linear_predictor(prepared).reshape(len(frame), -1)
    if hasattr(estimator, "decision_function"):
        return estimator.decision_function(prepared).reshape(len(frame), -1)
    answers = estimator.predict_proba(prepared) if hasattr(estimator, "classes_") else estimator.predict(prepared)
    return answers.reshape(len(frame), -1)


def terms(model, frame):
    """Return |b| + sum |w x| per row and score."""
    prepared, estimator = model[:-1].transform(frame), model[-1]
    weights, start = np.atleast_2d(estimator.coef_), np.atleast_1d(estimator.intercept_)
    return np.abs(start) + abs(prepared) @ np.abs(weights).T


def ulps_between(one, other):
    """Return how many float64 lie between two positive arrays, elementwise."""
    return np.abs(one.view(np.int64) - other.view(np.int64))


def within_float32(one, other):
    """Whether two arrays of float32 lie two units apart at most, or that far from 1 where they are complements."""
    ulps = np.abs(one.astype(np.float32).view(np.int32) - other.astype(np.float32).view(np.int32))
    return ((ulps <= 2) | (np.abs(one - other) <= 2**-23)).all() and (one == one.astype(np.float32)).all()


def compare(schema, model, n=0, altered=None):
    """Compare a fitted pipeline with its compiled twin on every row; return how many were answered and refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = altered or export(model, schema)
        assert isinstance(content, bytes), content
        scorer = CompiledScorer(content, schema)
        plain, odd = plain_rows(scorer, schema), odd_rows(schema, n)
        rows = plain + odd
        expected = ask_sklearn(model, schema, plain) + ask_sklearn(model, schema, odd)
        answered = [row for row, answer in zip(rows, expected, strict=True) if answer is not None]
        frame = model_frame(schema, {name: [row[i] for row in answered] for i, name in enumerate(schema.names)})
        raw, labels = raw_of(model, frame), np.ravel(model.predict(frame))
        noise = 1e-14 * terms(model, frame) if hasattr(model[-1], "coef_") else np.zeros_like(raw)
        # a few rows alone, as a server asks: a batch of rows is summed in another order
        alone = [ask_sklearn(model, schema, [row])[0] for row in answered[:3]]
    for row, answer in zip(rows, expected, strict=True):
        if answer is None:
            with pytest.raises(DataError, match="The model cannot take"):
                scorer.score({name: [row[i]] for i, name in enumerate(schema.names)})
    compare_answers(scorer, schema, answered, (raw, noise), [a for a in expected if a is not None], labels)
    compare_answers(scorer, schema, answered[:3], (raw[:3], noise[:3]), alone, labels[:3])
    return len(answered), len(rows) - len(answered)


def compare_answers(scorer, schema, rows, raw_and_noise, expected, labels):
    """Assert on raw scores, outputs and labels of answered rows."""
    raw, noise = raw_and_noise
    ours = np.array([scorer.raw(row) for row in rows])
    linear = bool(noise.any())
    if linear:
        assert (np.abs(ours - raw) <= noise).all()
    else:
        np.testing.assert_array_equal(ours, raw)
    found = scorer.score({name: [row[i] for row in rows] for i, name in enumerate(schema.names)})
    answers = np.array([list(answer.probabilities) or [answer.value] for answer in found], dtype=np.float64)
    expected = np.array(expected, dtype=np.float64)
    if linear:
        shift = np.minimum(2 * noise.max(axis=1, keepdims=True), 1.0) + 8 * np.finfo(float).eps
        bound = shift if schema.target.classes else noise
        if scorer.spec.link == "exp":  # a shift before the link is a share of the answer behind it
            bound = (2 * noise + 16 * np.finfo(float).eps) * expected
        assert (np.abs(answers - expected) <= bound).all()
    elif scorer.spec.link.endswith("32"):
        assert within_float32(answers, expected)
    else:
        allowed = 16 if scorer.spec.link in {"softmax", "exp"} else 4
        assert ulps_between(answers, expected).max() <= allowed
    if schema.target.classes:
        top = np.sort(expected, axis=1)
        clear = top[:, -1] - top[:, -2] > 4 * noise.max(axis=1) + (1e-6 if scorer.spec.link.endswith("32") else 1e-14)
        names = [schema.target.classes[int(label)] for label in labels]
        assert [a.value for a, sure in zip(found, clear, strict=True) if sure] == [
            name for name, sure in zip(names, clear, strict=True) if sure
        ]
