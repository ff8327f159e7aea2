"""Fitted pipelines: every estimator that compiles behind every preprocessing, for every task."""

import warnings
from itertools import product

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

from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task

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
