"""Fitted estimators as the parts of a spec that stand behind the columns: weights or trees, start, link."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
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
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from vigie.bundle.compiler.boosters import exporter
from vigie.bundle.compiler.encoders import places
from vigie.bundle.compiler.expression import Block, Column, Expression, UnsupportedError
from vigie.bundle.compiler.nodes import NodeRun

Parts = dict[str, Any]

LOSS_LINKS = {
    "HalfSquaredError": "identity",
    "AbsoluteError": "identity",
    "PinballLoss": "identity",
    "HuberLoss": "identity",
    "HalfPoissonLoss": "exp",
    "HalfGammaLoss": "exp",
    "HalfBinomialLoss": "expit",
    "ExponentialLoss": "expit2",
    "HalfMultinomialLoss": "softmax",
}
"""What turns the raw score of a boosted model into its answer, by the class of its loss."""


GLM_LINKS = {"IdentityLink": "identity", "LogLink": "exp"}
"""The same for generalized linear models, by the class of their link."""


def export_model(model: Any, block: Block) -> Parts:
    """Return family, arrays, link and columns of a fitted estimator behind ``block``.

    Raises:
        UnsupportedError: it is of another class, or fitted in a way that is not known to be reproduced.
    """
    rule = _RULES.get(type(model)) or exporter(model)
    if rule is None:
        raise UnsupportedError(f"{type(model).__name__} is not compiled")
    if getattr(model, "n_outputs_", 1) != 1:
        raise UnsupportedError("it predicts several targets at once")
    parts = {"cols": [column.expression for column in block.columns]} | rule(model, block)
    if any(_is_text(expression) for expression in parts["cols"]):
        raise UnsupportedError("text reaches the model as it is")
    return parts


def _is_text(expression: Expression) -> bool:
    return expression[0] == "in" or (expression[0] == "fill" and isinstance(expression[2], str))


def _linear_regressor(model: Any, _block: Block) -> Parts:
    if np.ndim(model.coef_) != 1:
        raise UnsupportedError("it predicts several targets at once")
    return _linear(np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_), "identity")


def _logistic(model: Any, _block: Block) -> Parts:
    link = "expit" if len(model.classes_) == 2 else "softmax"
    return _linear(model.coef_, np.atleast_1d(model.intercept_), link)


def _sgd_classifier(model: Any, _block: Block) -> Parts:
    if model.loss != "log_loss" or len(model.classes_) > 2:
        raise UnsupportedError("an SGDClassifier is compiled for two classes and the loss log_loss only")
    return _linear(model.coef_, model.intercept_, "expit")


def _generalized_linear(model: Any, _block: Block) -> Parts:
    link = type(model._base_loss.link).__name__  # noqa: SLF001 - the only place where scikit-learn keeps it
    if link not in GLM_LINKS:
        raise UnsupportedError(f"the link {link} is not compiled")
    return _linear(np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_), GLM_LINKS[link])


def _linear(weights: np.ndarray, intercepts: np.ndarray, link: str) -> Parts:
    if len(intercepts) == 1 < len(weights):  # fit_intercept=False
        intercepts = np.repeat(intercepts, len(weights))
    if not (np.isfinite(weights).all() and np.isfinite(intercepts).all()):
        raise UnsupportedError("a weight is not finite")
    rows = weights.astype(np.float64).tolist()
    return {"family": "linear", "W": rows, "b": intercepts.astype(np.float64).tolist(), "link": link}


def _dummy_classifier(model: Any, block: Block) -> Parts:
    if model.strategy not in {"prior", "most_frequent", "constant"}:
        raise UnsupportedError(f"a dummy that answers by the strategy {model.strategy!r} is not compiled")
    answer = model.predict_proba(np.zeros((1, max(1, len(block.columns)))))[0]
    return _constant(answer.tolist(), "none")


def _dummy_regressor(model: Any, _block: Block) -> Parts:
    return _constant(np.ravel(model.constant_).astype(np.float64).tolist(), "identity")


def _constant(answer: list[float], link: str) -> Parts:
    everything = {"f32": False, "inf": True, "nan": True}
    return {"family": "trees", **NodeRun().to_dict(), "base": answer, "div": 1.0, "link": link} | everything


def _forest(model: Any, block: Block) -> Parts:
    trees = [member.tree_ for member in model.estimators_]
    return _averaged(model, trees, float(len(trees)), block)


def _decision_tree(model: Any, block: Block) -> Parts:
    return _averaged(model, [model.tree_], 1.0, block)


def _averaged(model: Any, trees: list[Any], div: float, block: Block) -> Parts:
    run = NodeRun()
    n_classes = len(getattr(model, "classes_", ()))
    for tree in trees:
        values = tree.value[:, 0, :n_classes] if n_classes else tree.value[:, 0, 0]
        run.add_tree(tree, values, None if n_classes else 0)
    return {
        "family": "trees",
        **run.to_dict(),
        "base": [0.0] * (n_classes or 1),
        "div": div,
        "link": "none" if n_classes else "identity",
        "f32": True,
        "inf": False,
        "nan": _takes_missing(model, block),
    }


def _gradient_boosting(model: Any, block: Block) -> Parts:
    if model.init_ != "zero" and type(model.init_) not in {DummyClassifier, DummyRegressor}:
        raise UnsupportedError("gradient boosting starts from an estimator of its own")
    width = len(block.columns)
    start = model._raw_predict_init(np.zeros((1, width), dtype=np.float32))[0]  # noqa: SLF001 - the only place of it
    run = NodeRun()
    for stage in model.estimators_:
        for k, member in enumerate(stage):
            tree = member.tree_
            run.add_tree(tree, model.learning_rate * tree.value[:, 0, 0], k)  # one rounding, as scikit-learn's
    return {
        "family": "trees",
        **run.to_dict(),
        "base": start.astype(np.float64).tolist(),
        "div": 1.0,
        "link": _link(model),
        "f32": True,
        "inf": False,
        "nan": _takes_missing(model, block),
    }


def _hist_gradient_boosting(model: Any, block: Block) -> Parts:
    if block.sparse:
        raise UnsupportedError("hist gradient boosting does not take a sparse matrix")
    columns, order = _native_categories(model, block)
    n_codes = [len(column.expression[2]) if column.expression[0] == "code" else 0 for column in columns]
    run = NodeRun()
    for stage in model._predictors:  # noqa: SLF001 - the only place where scikit-learn keeps them
        for k, predictor in enumerate(stage):
            run.add_predictor(predictor, order, n_codes, k)
    baseline = np.ravel(model._baseline_prediction).astype(np.float64).tolist()  # noqa: SLF001 - idem
    return {
        "family": "trees",
        "cols": [column.expression for column in columns],
        **run.to_dict(),
        "base": baseline,
        "div": 1.0,
        "link": _link(model),
        "f32": False,
        "inf": True,
        "nan": True,
    }


def _native_categories(model: Any, block: Block) -> tuple[list[Column], list[int]]:
    """Return the columns with categories as places, and the column behind each of the model's feature indices.

    The model counts its features in the order of an encoder of its own: categorical columns first.
    """
    columns = list(block.columns)
    mask = model.is_categorical_
    if mask is None:
        return columns, list(range(len(columns)))
    preprocessor = model._preprocessor  # noqa: SLF001 - the only place where scikit-learn keeps it
    categorical = np.flatnonzero(mask).tolist()
    encoder = preprocessor.named_transformers_["encoder"]
    inputs = [columns[index] for index in categorical]
    for index, (column, pairs) in zip(categorical, zip(inputs, places(encoder, inputs), strict=True), strict=True):
        columns[index] = Column(["code", column.checked().expression, [list(pair) for pair in pairs]])
    return columns, [*categorical, *np.flatnonzero(~mask).tolist()]


def _link(model: Any) -> str:
    name = type(model._loss).__name__  # noqa: SLF001 - the only place where scikit-learn keeps it
    if name not in LOSS_LINKS:
        raise UnsupportedError(f"the loss {name} is not compiled")
    return LOSS_LINKS[name]


def _takes_missing(model: Any, block: Block) -> bool:
    """Whether the fitted estimator answers a row of nothing but NaN."""
    row = np.full((1, len(block.columns)), np.nan)
    names = getattr(model, "feature_names_in_", None)
    asked = csr_matrix(row) if block.sparse else row if names is None else pd.DataFrame(row, columns=names)
    try:
        model.predict(asked)
    except ValueError:
        return False
    return True


_RULES: dict[type, Callable[[Any, Block], Parts]] = (
    dict.fromkeys((LinearRegression, Ridge, RidgeCV, Lasso, LassoCV, ElasticNet, ElasticNetCV), _linear_regressor)
    | dict.fromkeys((BayesianRidge, ARDRegression, HuberRegressor, SGDRegressor), _linear_regressor)
    | dict.fromkeys((PoissonRegressor, GammaRegressor, TweedieRegressor), _generalized_linear)
    | dict.fromkeys((LogisticRegression, LogisticRegressionCV), _logistic)
    | {SGDClassifier: _sgd_classifier, DummyClassifier: _dummy_classifier, DummyRegressor: _dummy_regressor}
    | dict.fromkeys((DecisionTreeClassifier, DecisionTreeRegressor), _decision_tree)
    | dict.fromkeys((RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor), _forest)
    | dict.fromkeys((GradientBoostingClassifier, GradientBoostingRegressor), _gradient_boosting)
    | dict.fromkeys((HistGradientBoostingClassifier, HistGradientBoostingRegressor), _hist_gradient_boosting)
)
"""Exact classes: a subclass may do anything."""
