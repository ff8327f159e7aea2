"""Whether the arrays of hist gradient boosting stay inside themselves, those of native categories included.

A split on categories looks a category up in a row of 256 bits, and one that is not there in a second table, which it
finds through a map by feature: scikit-learn checks none of these indices.
"""

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE, X_BITSET_INNER_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from vigie.bundle.trees import require

N_CODES = 256
"""Categories that a row of bits has room for."""

_MODELS = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


def check_hist_part(part: object) -> None:
    """Do nothing when ``part`` is no hist gradient boosting, or one that can be walked with any row.

    Raises:
        BundleError: an index leaves its array, a number is missing, or columns are made otherwise than trees read them.
    """
    if isinstance(part, TreePredictor):
        _check_nodes(part)
    elif isinstance(part, _MODELS) and hasattr(part, "_predictors"):
        is_categorical = _check_columns(part)
        start, n_scores = part._baseline_prediction, part.n_trees_per_iteration_  # noqa: SLF001 - private to scikit-learn
        fits = isinstance(start, np.ndarray) and type(n_scores) is int and start.shape == (1, n_scores)
        require(fits and bool(np.all(np.isfinite(start))), "an ensemble starts from other scores than it has")
        for stage in part._predictors:  # noqa: SLF001 - the only place where scikit-learn keeps them
            require(len(stage) == n_scores, "an ensemble has other trees than scores")
            for predictor in stage:
                require(isinstance(predictor, TreePredictor), "an ensemble holds something else than trees")
                _check_nodes(predictor)
                _check_features(predictor.nodes, is_categorical)


def _check_columns(model: Any) -> np.ndarray:
    """Return which of the columns that the trees read are categories, categories first; shape (n_features,)."""
    n_features, mapper = model.n_features_in_, model._bin_mapper  # noqa: SLF001 - as above
    require(type(n_features) is int and n_features >= 1, "a model has no columns")
    require(type(mapper) is _BinMapper, "a model has no bins")
    flags, categories = mapper.is_categorical_, mapper.bin_thresholds_
    mask = model.is_categorical_
    _require_flags(flags, n_features)
    if mask is None:
        # A preprocessor that nobody asked for would hand the trees other columns than they read.
        require(model._preprocessor is None and not flags.any(), "columns are made otherwise than it says")  # noqa: SLF001 - as above
        return np.zeros(n_features, dtype=bool)
    _require_flags(mask, n_features)
    n_categorical = int(mask.sum())
    require(
        bool(np.all(flags[:n_categorical])) and int(flags.sum()) == n_categorical, "categories are not where they were"
    )
    require(isinstance(categories, list) and len(categories) == n_features, "a model has other bins than columns")
    for known in categories[:n_categorical]:
        require(
            isinstance(known, np.ndarray) and known.ndim == 1 and known.dtype == np.float64, "categories are no codes"
        )
        places = np.arange(len(known))
        require(len(known) <= N_CODES and np.array_equal(known, places), "categories are no codes")
    _check_preprocessor(model._preprocessor, mask)  # noqa: SLF001 - as above
    return np.asarray(flags, dtype=bool)


def _require_flags(flags: Any, n_features: int) -> None:
    plain = isinstance(flags, np.ndarray) and flags.shape == (n_features,) and flags.dtype in (np.bool_, np.uint8)
    require(plain and bool(np.all(flags <= 1)), "a model says of other columns whether they are categories")


def _check_preprocessor(found: Any, mask: np.ndarray) -> None:
    """Require that the columns come out as many as they go in, categories first: trees count on it unasked."""
    require(type(found) is ColumnTransformer and found.remainder == "drop", "columns are made by something unknown")
    require(found.n_features_in_ == len(mask), "columns are made from other columns")
    steps = {name: (step, columns) for name, step, columns in found.transformers_}
    known = [("encoder", OrdinalEncoder, mask), ("numerical", FunctionTransformer, ~mask)]
    rest, _ = steps.pop("remainder", ("drop", ()))
    require(rest == "drop" and list(steps) == [name for name, _, _ in known], "columns are made in unknown steps")
    for name, kind, expected in known:
        step, columns = steps[name]
        require(isinstance(columns, np.ndarray) and columns.dtype == bool, "columns are chosen in an unknown way")
        require(np.array_equal(columns, expected), "columns are chosen otherwise than it says")
        require(type(step) is kind or not expected.any(), "columns are made by something unknown")
    encoder = steps["encoder"][0]
    require(len(encoder.categories_) == int(mask.sum()), "an encoder knows other columns than it is given")


def _check_nodes(predictor: Any) -> None:
    nodes = predictor.nodes
    require(isinstance(nodes, np.ndarray) and nodes.ndim == 1 and len(nodes) > 0, "a tree has no nodes")
    require(nodes.dtype == PREDICTOR_RECORD_DTYPE, "a tree has nodes of an unknown shape")
    inner = nodes["is_leaf"] == 0
    above = np.arange(len(nodes))
    for child in (nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)):
        require(bool(np.all((child > above)[inner] & (child < len(nodes))[inner])), "a child index leaves its tree")
    require(bool(np.all(nodes["feature_idx"][inner] >= 0)), "a split reads a column it lacks")
    require(not np.isnan(nodes["num_threshold"][inner]).any(), "a threshold is not a number")
    require(bool(np.all(np.isfinite(nodes["value"]))), "a leaf holds a value that is not finite")
    raw, binned = predictor.raw_left_cat_bitsets, predictor.binned_left_cat_bitsets
    for bits in (raw, binned):
        plain = isinstance(bits, np.ndarray) and bits.ndim == 2 and bits.dtype == X_BITSET_INNER_DTYPE
        require(
            plain and bits.shape[1] == N_CODES // 32 and bits.flags.c_contiguous, "a table of categories is misshapen"
        )
    require(len(raw) == len(binned), "a tree has two tables of categories that differ in length")
    looked_up = nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)]
    require(bool(np.all(looked_up < len(raw))), "a category split leaves its table")


def _check_features(nodes: np.ndarray, is_categorical: np.ndarray) -> None:
    inner = nodes["is_leaf"] == 0
    features = nodes["feature_idx"][inner]
    require(bool(np.all(features < len(is_categorical))), "a split reads a column it lacks")
    asked = nodes["is_categorical"][inner] != 0
    require(bool(np.all(is_categorical[features] | ~asked)), "a split looks a number up among categories")
