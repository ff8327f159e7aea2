"""Compiled models against scikit-learn: every estimator behind every preprocessing, on rows chosen to tell them apart.

The reference is scikit-learn's own predict, predict_proba and decision_function on the frame; refusals are compared
too. A core of pipelines runs always, the rest of the matrix is marked slow.
"""

import math
import warnings
from itertools import product

import msgspec
import numpy as np
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    Ridge,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

from vigie.bundle.compiler.edges import edges
from vigie.bundle.compiler.export import export
from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import DataError
from vigie.inference.compiled.layout import Trees
from vigie.inference.compiled.scorer import CompiledScorer

N = 160
FEATURES = (
    Feature("a", Kind.NUMBER, nullable=True),
    Feature("b", Kind.NUMBER),
    Feature("k", Kind.INTEGER, nullable=True),
    Feature("f", Kind.BOOLEAN),
    Feature("c", Kind.CATEGORY, nullable=True, categories=("p", "q", "r", "rare", "s")),
    Feature("d", Kind.CATEGORY, categories=("x", "y", "z")),
)
NUMBERS, WORDS = ["a", "b", "k", "f"], ["c", "d"]
EXTREMES = [
    0.0,
    -0.0,
    5e-324,
    2.0**53 + 2,
    3.4e38,
    3.4028235677973362e38,
    3.4028235677973366e38,
    1e39,
    1e300,
    -1e300,
]


def table(seed, *, holes=True):
    """Return N rows as columns; with ``holes``, some values are missing."""
    rng = np.random.default_rng(seed)
    columns = {
        "a": rng.normal(size=N).tolist(),
        "b": rng.lognormal(size=N).tolist(),
        "k": rng.integers(0, 7, N).tolist(),
        "f": rng.integers(0, 2, N).astype(bool).tolist(),
        "c": rng.choice(["p", "q", "r", "rare", "s"], N, p=[0.4, 0.3, 0.15, 0.03, 0.12]).tolist(),
        "d": rng.choice(["x", "y", "z"], N).tolist(),
    }
    if holes:
        for name, step in (("a", 9), ("k", 14), ("c", 11)):
            columns[name] = [None if i % step == 4 else value for i, value in enumerate(columns[name])]
    return columns


def columns_of(numbers, words, **options):
    """Return a ColumnTransformer of two parts."""
    return ColumnTransformer([("numbers", numbers, NUMBERS), ("words", words, WORDS)], **options)


def codes(**options):
    """Return an ordinal encoder that knows a place for the unknown."""
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2, **options)


PREPARATIONS = {
    "mean+indicator, standard, one-hot": lambda: columns_of(
        make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    ),
    "median, min-max clip, ordinal": lambda: columns_of(
        make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler(clip=True)), codes(min_frequency=8)
    ),
    "most frequent, infrequent one-hot, sparse": lambda: columns_of(
        SimpleImputer(strategy="most_frequent", add_indicator=True),
        make_pipeline(
            SimpleImputer(strategy="most_frequent"),
            OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10),
        ),
        sparse_threshold=1.0,
    ),
    "constant, robust, drop first": lambda: columns_of(
        make_pipeline(SimpleImputer(strategy="constant", fill_value=-3.5), RobustScaler(), MinMaxScaler()),
        OneHotEncoder(drop="first", handle_unknown="ignore", sparse_output=False),
        sparse_threshold=0,
    ),
    "passthrough, ordinal": lambda: columns_of("passthrough", codes()),
    "max-abs, target mean": lambda: columns_of(
        make_pipeline(SimpleImputer(), MaxAbsScaler()), TargetEncoder(cv=3, random_state=0)
    ),
    "nested, numbers one-hot, strict": lambda: Pipeline(
        [
            (
                "columns",
                ColumnTransformer(
                    [
                        ("few", OneHotEncoder(sparse_output=False), ["k", "f"]),
                        ("words", make_pipeline(SimpleImputer(strategy="constant", fill_value="q"), codes()), WORDS),
                        ("dropped", "drop", ["b"]),
                    ],
                    remainder=SimpleImputer(),
                ),
            ),
            ("scale", MaxAbsScaler()),
            ("again", Pipeline([("centre", StandardScaler(with_std=False)), ("nothing", "passthrough")])),
        ]
    ),
}

LIGHT = {"n_estimators": 8, "min_child_samples": 4, "n_jobs": 1, "verbosity": -1}
EXTREME = {"n_estimators": 8, "max_depth": 4, "n_jobs": 1}
CAT = {"iterations": 12, "depth": 4, "thread_count": 1, "verbose": False, "allow_writing_files": False}

REGRESSORS = {
    "ols": LinearRegression,
    "ridge": Ridge,
    "ridge cv": RidgeCV,
    "lasso": lambda: Lasso(alpha=0.05),
    "lasso cv": lambda: LassoCV(alphas=[0.01, 0.1], cv=3),
    "elastic net": lambda: ElasticNet(alpha=0.05),
    "elastic net cv": lambda: ElasticNetCV(alphas=[0.01, 0.1], cv=3),
    "bayesian ridge": BayesianRidge,
    "ard": ARDRegression,
    "huber": lambda: HuberRegressor(max_iter=2_000),
    "sgd": lambda: SGDRegressor(random_state=0),
    "poisson": lambda: PoissonRegressor(max_iter=500),
    "gamma": lambda: GammaRegressor(max_iter=500),
    "tweedie": lambda: TweedieRegressor(power=1.5, max_iter=500),
    "tweedie identity": lambda: TweedieRegressor(power=0.0, max_iter=500),
    "tree": lambda: DecisionTreeRegressor(max_depth=6, random_state=0),
    "forest": lambda: RandomForestRegressor(5, random_state=0),
    "extra trees": lambda: ExtraTreesRegressor(5, random_state=0),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=12, random_state=0),
    "boosting quantile": lambda: GradientBoostingRegressor(loss="quantile", n_estimators=9, random_state=0),
    "boosting huber": lambda: GradientBoostingRegressor(loss="huber", n_estimators=9, random_state=0),
    "hist": lambda: HistGradientBoostingRegressor(max_iter=15, min_samples_leaf=4),
    "hist absolute": lambda: HistGradientBoostingRegressor(loss="absolute_error", max_iter=9, min_samples_leaf=4),
    "hist quantile": lambda: HistGradientBoostingRegressor(
        loss="quantile", quantile=0.3, max_iter=9, min_samples_leaf=4
    ),
    "hist poisson": lambda: HistGradientBoostingRegressor(loss="poisson", max_iter=9, min_samples_leaf=4),
    "hist gamma": lambda: HistGradientBoostingRegressor(loss="gamma", max_iter=9, min_samples_leaf=4),
    "dummy": DummyRegressor,
    "lightgbm": lambda: LGBMRegressor(**LIGHT),
    "lightgbm quantile": lambda: LGBMRegressor(objective="quantile", alpha=0.3, **LIGHT),
    "lightgbm tweedie": lambda: LGBMRegressor(objective="tweedie", **LIGHT),
    "xgboost": lambda: XGBRegressor(**EXTREME),
    "xgboost absolute": lambda: XGBRegressor(objective="reg:absoluteerror", **EXTREME),
    "xgboost gamma": lambda: XGBRegressor(objective="reg:gamma", **EXTREME),
    "catboost": lambda: CatBoostRegressor(**CAT),
    "catboost poisson": lambda: CatBoostRegressor(loss_function="Poisson", **CAT),
}
CLASSIFIERS = {
    "logistic": lambda: LogisticRegression(max_iter=300),
    "tree": lambda: DecisionTreeClassifier(max_depth=6, class_weight="balanced", random_state=0),
    "forest": lambda: RandomForestClassifier(5, max_depth=7, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(5, max_depth=8, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=6, random_state=0),
    "hist": lambda: HistGradientBoostingClassifier(max_iter=6, min_samples_leaf=4),
    "dummy": lambda: DummyClassifier(strategy="prior"),
    "lightgbm": lambda: LGBMClassifier(**LIGHT),
    "xgboost": lambda: XGBClassifier(**EXTREME),
    "catboost": lambda: CatBoostClassifier(**CAT),
}
BINARY = CLASSIFIERS | {
    "logistic without intercept": lambda: LogisticRegression(fit_intercept=False, max_iter=300),
    "logistic cv": lambda: LogisticRegressionCV(Cs=3, cv=2, max_iter=300),
    "sgd": lambda: SGDClassifier(loss="log_loss", random_state=0),
    "boosting exponential": lambda: GradientBoostingClassifier(loss="exponential", n_estimators=8, random_state=0),
    "boosting from zero": lambda: GradientBoostingClassifier(init="zero", n_estimators=8, random_state=0),
    "lightgbm dart": lambda: LGBMClassifier(boosting_type="dart", class_weight="balanced", **LIGHT),
    "xgboost parallel trees": lambda: XGBClassifier(num_parallel_tree=2, subsample=0.7, base_score=0.3, **EXTREME),
    "hist balanced": lambda: HistGradientBoostingClassifier(max_iter=6, min_samples_leaf=4, class_weight="balanced"),
    "dummy most frequent": lambda: DummyClassifier(strategy="most_frequent"),
}
TASKS = {
    "regression": (REGRESSORS, Schema(FEATURES, Target("y", Task.REGRESSION))),
    "binary": (BINARY, Schema(FEATURES, Target("y", Task.BINARY, ("no", "yes")))),
    "four": (CLASSIFIERS, Schema(FEATURES, Target("y", Task.MULTICLASS, tuple("mnop")))),
    "eleven": (
        {
            name: CLASSIFIERS[name]
            for name in ("logistic", "forest", "boosting", "hist", "lightgbm", "xgboost", "catboost")
        },
        Schema(FEATURES, Target("y", Task.MULTICLASS, tuple("abcdefghijk"))),
    ),
}
VARIANTS = {
    *("bayesian ridge", "ard", "huber", "sgd", "gamma", "tweedie", "tweedie identity", "logistic cv"),
    *("lightgbm quantile", "lightgbm tweedie", "lightgbm dart", "xgboost absolute", "xgboost gamma"),
    *("xgboost parallel trees", "catboost poisson"),
}
"""Other ways to a family that stands here already: behind two preparations."""

SOME = {"mean+indicator, standard, one-hot", "max-abs, target mean"}
TARGET_CODED = {"ridge", "poisson", "logistic", "forest", "hist", "lightgbm"} | VARIANTS


def of_interest(estimator, preparation):
    """Whether a pair says something that the others do not."""
    if preparation == "max-abs, target mean":
        return estimator in TARGET_CODED
    return estimator not in VARIANTS or preparation in SOME


MATRIX = [
    (task, estimator, preparation)
    for task, (estimators, _) in TASKS.items()
    for estimator, preparation in product(estimators, PREPARATIONS)
    if of_interest(estimator, preparation)
]
BOOSTERS = {"lightgbm", "xgboost", "catboost"}
DENSE = {"hist", *BOOSTERS}
REFUSE_SPARSE = {*DENSE, "bayesian", "ard"}
"""These refuse a sparse matrix when they are fitted; to a booster its zeros may be missing values."""

CASES = [case for case in MATRIX if not (case[1].split()[0] in REFUSE_SPARSE and case[2].endswith("sparse"))]
CORE = {i for i in range(len(CASES)) if i % 5 == 0}
PARAMETERS = [
    pytest.param(*case, id=", ".join(case), marks=() if i in CORE else pytest.mark.slow) for i, case in enumerate(CASES)
]


def fitted(task, estimator, preparation):
    """Return a schema and a pipeline fitted on its frame."""
    estimators, schema = TASKS[task]
    model = estimators[estimator]()
    tolerant = estimator.split()[0] in {"tree", "forest", "extra", "dummy", *DENSE}
    columns = table(1, holes="passthrough" not in preparation or tolerant)
    rng = np.random.default_rng(2)
    n_classes = len(schema.target.classes)
    signal = np.nan_to_num(np.array(columns["a"], dtype=float)) + np.array(columns["b"]) + rng.normal(size=N)
    y = np.argsort(np.argsort(signal)) * n_classes // N if n_classes else np.exp(signal / 3)
    pipeline = Pipeline([("prepare", PREPARATIONS[preparation]()), ("model", model)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(model_frame(schema, columns), y)
    return schema, pipeline


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
    if package in BOOSTERS:
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


def test_the_matrix_is_as_large_as_promised():
    """At least 150 pipelines, at least 40 of them on every run."""
    assert len(CASES) >= 150
    assert len(CORE) >= 40


@pytest.mark.parametrize(("task", "estimator", "preparation"), PARAMETERS)
def test_a_compiled_pipeline_answers_and_refuses_as_scikit_learn(task, estimator, preparation):
    """Raw scores of trees to the last bit, sums within their noise, links within ulps, labels and refusals equal."""
    schema, model = fitted(task, estimator, preparation)
    answered, _ = compare(schema, model, n=len(estimator + preparation))
    assert answered >= 50


NATIVE = {
    "classifier": ("binary", HistGradientBoostingClassifier),
    "four classes": ("four", HistGradientBoostingClassifier),
    "regressor": ("regression", HistGradientBoostingRegressor),
}


@pytest.mark.parametrize(("task", "build"), NATIVE.values(), ids=NATIVE)
@pytest.mark.parametrize("coded", [False, True], ids=["text", "codes"])
def test_native_categories_are_looked_up_as_the_inner_encoder_does(task, build, coded):
    """Text or ordinal codes that the model itself takes for categories: same answers, unseen and missing included."""
    schema, columns = TASKS[task][1], table(1)
    estimator = build(max_iter=9, min_samples_leaf=3, categorical_features=[1, 4, 5] if coded else ["c", "d"])
    steps = [("codes", columns_of("passthrough", codes()) if coded else "passthrough")]
    n_classes = len(schema.target.classes)
    signal = np.array([hash_of(row) for row in zip(columns["c"], columns["d"], strict=True)])
    y = signal % n_classes if n_classes else signal.astype(float)
    if coded:
        columns["b"] = [float(round(value)) for value in columns["b"]]
    model = Pipeline([*steps, ("model", estimator)]).fit(model_frame(schema, columns), y)
    answered, _ = compare(schema, model)
    assert answered >= 50
    assert any(cat >= 0 for cat in CompiledScorer(export(model, schema), schema).spec.cat)


def hash_of(pair):
    """Return a number that depends on the categories and on nothing else."""
    return sum(map(ord, f"{pair[0]}{pair[1]}")) * 7 % 11


def tampered(content, edit):
    """Return a spec with one thing changed."""
    spec = msgspec.json.decode(content)
    edit(spec)
    return msgspec.json.encode(spec)


CONTROLS = {
    "a threshold one step on": (
        "hist",
        lambda spec: spec["thr"].__setitem__(0, math.nextafter(spec["thr"][0], math.inf)),
    ),
    "a leaf one step on": ("hist", lambda spec: spec["leaf"].__setitem__(0, math.nextafter(spec["leaf"][0], math.inf))),
    "missing goes the other way": ("hist", lambda spec: spec.update(mleft=[1 - bit for bit in spec["mleft"]])),
    "float32 forgotten": ("forest", lambda spec: spec.update(f32=False, inf=True)),
    "a weight a part in ten thousand million off": (
        "logistic",
        lambda spec: spec["W"][0].__setitem__(0, spec["W"][0][0] * (1 + 1e-10)),
    ),
}


@pytest.mark.parametrize(("estimator", "edit"), CONTROLS.values(), ids=CONTROLS)
def test_the_comparison_can_fail(estimator, edit):
    """A model that differs in the smallest thing is found out by the same comparison."""
    schema, model = fitted(
        "binary", estimator, "mean+indicator, standard, one-hot" if estimator == "logistic" else "passthrough, ordinal"
    )
    altered = tampered(export(model, schema), edit)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        compare(schema, model, altered=altered)
