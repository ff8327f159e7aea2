"""LightGBM, XGBoost and CatBoost: what is read out of them, and what is not known to be reproduced."""

import warnings

import numpy as np
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor, early_stopping
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from xgboost import XGBClassifier, XGBRegressor

from vigie.bundle.compiler.boosters import raw_scores
from vigie.bundle.compiler.export import export
from vigie.bundle.compiler.expression import NotCompiled
from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.inference.compiled.scorer import CompiledScorer

FEATURES = (
    Feature("a", Kind.NUMBER, nullable=True),
    Feature("b", Kind.NUMBER, nullable=True),
    Feature("c", Kind.CATEGORY, nullable=True),
)
PRICE = Schema(FEATURES, Target("y", Task.REGRESSION))
STAYS = Schema(FEATURES, Target("y", Task.BINARY, ("no", "yes")))
N = 200
RNG = np.random.default_rng(5)
COLUMNS = {
    "a": [None if i % 6 == 0 else value for i, value in enumerate(RNG.normal(size=N).tolist())],
    "b": RNG.integers(-2, 3, N).astype(float).tolist(),  # zeros, and never missing
    "c": RNG.choice([f"level {i}" for i in range(12)], N).tolist(),
}
SIGNAL = np.nan_to_num(np.array(COLUMNS["a"], dtype=float)) + np.array([len(c) + (c[-1:] == "3") for c in COLUMNS["c"]])
Y = SIGNAL + RNG.normal(size=N)
YES = (np.median(Y) < Y).astype(int)
LIGHT = {"n_estimators": 10, "min_child_samples": 5, "n_jobs": 1, "verbosity": -1}
EXTREME = {"n_estimators": 10, "max_depth": 4, "n_jobs": 1}
CAT = {"iterations": 10, "depth": 4, "thread_count": 1, "verbose": False, "allow_writing_files": False}

STRANGE = [
    None,
    0.0,
    -0.0,
    1e-36,
    -1e-36,
    1.0000000180025095e-35,
    -1.0000000180025095e-35,
    2e-35,
    -2e-35,
    3.4028235677973362e38,
    3.4028235677973366e38,
    1.7e308,
    -1.7e308,
]


def _prepare(**options):
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    return ColumnTransformer([("n", "passthrough", ["a", "b"]), ("w", options.pop("words", codes), ["c"])], **options)


def _fitted(schema, estimator, prepare=None, y=None, **options):
    y = (Y if schema is PRICE else YES) if y is None else y
    model = Pipeline([("p", prepare or _prepare()), ("m", estimator)])
    return model.fit(model_frame(schema, COLUMNS), y, **options)


def _rows():
    real = list(zip(*COLUMNS.values(), strict=True))
    odd = [(a, b, c) for a in STRANGE for b in STRANGE[:4] for c in ("level 3", "never seen", None)]
    return real + odd


def _assert_same(schema, model):
    """Raw scores to the last bit on real rows, missing and unseen values, numbers next to nothing, and huge ones."""
    scorer = CompiledScorer(export(model, schema), schema)
    rows = _rows()
    frame = model_frame(schema, {name: [row[i] for row in rows] for i, name in enumerate(schema.names)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CatBoost and numpy on infinities in float32
        expected = raw_scores(model[-1], model[:-1].transform(frame)).reshape(len(rows), -1)
    np.testing.assert_array_equal(np.array([scorer.raw(row) for row in rows]), expected)
    return scorer


@pytest.mark.parametrize(
    ("schema", "estimator"),
    [
        (PRICE, LGBMRegressor(**LIGHT)),
        (STAYS, LGBMClassifier(boosting_type="goss", **LIGHT)),
        (PRICE, XGBRegressor(**EXTREME)),
        (PRICE, XGBRegressor(grow_policy="lossguide", max_leaves=9, **EXTREME)),
        (STAYS, XGBClassifier(tree_method="exact", scale_pos_weight=2.0, gamma=0.5, **EXTREME)),
        (PRICE, CatBoostRegressor(nan_mode="Max", **CAT)),
        (STAYS, CatBoostClassifier(auto_class_weights="Balanced", **CAT)),
        (PRICE, CatBoostRegressor(depth=1, **{k: v for k, v in CAT.items() if k != "depth"})),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, Schema) else value.target.task.value,
)
def test_odd_numbers_fall_on_the_side_where_the_library_lets_them(schema, estimator):
    """Zero by whatever sign, what LightGBM takes for zero, what overflows in float32, and nothing at all."""
    _assert_same(schema, _fitted(schema, estimator))


def test_categories_of_lightgbm_are_looked_up_by_their_place():
    """An ordinal code that LightGBM splits as a category: known, rare, unseen and missing ones."""
    model = _fitted(PRICE, LGBMRegressor(min_data_per_group=1, cat_smooth=1.0, **LIGHT), m__categorical_feature=[2])
    scorer = _assert_same(PRICE, model)
    assert any(cat >= 0 for cat in scorer.spec.cat)
    assert scorer.spec.cols[2][0] == "code"


@pytest.mark.parametrize("estimator", [LGBMRegressor(**LIGHT), XGBRegressor(early_stopping_rounds=1, **EXTREME)])
def test_a_model_that_was_stopped_answers_with_its_best_rounds(estimator):
    """Trees behind the best round are no part of its answer."""
    prepare = _prepare().fit(model_frame(PRICE, COLUMNS))
    columns = prepare.transform(model_frame(PRICE, COLUMNS))
    estimator.set_params(n_estimators=200, learning_rate=0.5)
    if isinstance(estimator, LGBMRegressor):
        judged = {"eval_X": columns[100:], "eval_y": Y[100:], "callbacks": [early_stopping(2, verbose=False)]}
    else:
        judged = {"eval_set": [(columns[100:], Y[100:])], "verbose": False}
    estimator.fit(columns[:100], Y[:100], **judged)
    scorer = _assert_same(PRICE, Pipeline([("p", prepare), ("m", estimator)]))
    assert len(scorer.spec.root) < 200


REFUSED = {
    "zero for missing": (LGBMRegressor(zero_as_missing=True, **LIGHT), "zero for missing"),
    "a forest of LightGBM": (LGBMRegressor(boosting_type="rf", subsample=0.5, subsample_freq=1, **LIGHT), "forest"),
    "linear leaves": (LGBMRegressor(linear_tree=True, **LIGHT), "linear models"),
    "a root of the target": (LGBMRegressor(reg_sqrt=True, **LIGHT), "objective"),
    "dart of XGBoost": (XGBRegressor(booster="dart", **EXTREME), "'dart'"),
    "a line of XGBoost": (XGBRegressor(booster="gblinear", n_estimators=3, n_jobs=1), "'gblinear'"),
    "another word for missing": (XGBRegressor(missing=-2.0, **EXTREME), "something else than NaN"),
    "an unknown objective": (XGBRegressor(objective="reg:squaredlogerror", **EXTREME), "squaredlogerror"),
    "trees that are not symmetric": (CatBoostRegressor(grow_policy="Depthwise", **CAT), "symmetric"),
    "an unknown loss": (CatBoostRegressor(loss_function="LogCosh", **CAT), "LogCosh"),
}


@pytest.mark.parametrize(("estimator", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_known_to_be_reproduced_says_why(estimator, reason):
    """A value with a reason, never another model's answers."""
    model = _fitted(PRICE, estimator)
    found = export(model, PRICE)
    assert isinstance(found, NotCompiled)
    assert reason in found.reason


def test_a_sparse_matrix_is_not_taken_for_a_dense_one():
    """To XGBoost its zeros are missing values."""
    model = _fitted(STAYS, XGBClassifier(**EXTREME), _prepare(words=OneHotEncoder(), sparse_threshold=1.0))
    found = export(model, STAYS)
    assert isinstance(found, NotCompiled)
    assert "sparse" in found.reason


def test_a_start_is_what_the_library_says_of_empty_leaves():
    """Not what we would make of ``base_score``: a share, a count and a number become scores in different ways."""
    share = CompiledScorer(export(_fitted(STAYS, XGBClassifier(base_score=0.25, **EXTREME)), STAYS), STAYS)
    assert share.spec.base[0] == pytest.approx(np.log(0.25 / 0.75), rel=1e-6)
    count = _fitted(PRICE, XGBRegressor(objective="count:poisson", base_score=3.0, **EXTREME), y=np.exp(Y / 9))
    assert CompiledScorer(export(count, PRICE), PRICE).spec.base[0] == pytest.approx(np.log(3.0), rel=1e-6)
