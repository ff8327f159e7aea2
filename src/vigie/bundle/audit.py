"""Whether the values in a loaded model are such that compiled code can be let loose on them.

skops audits types, not values, and scikit-learn trusts its own arrays. The model is therefore walked once in Python,
after loading and before the first prediction.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.svm._base import BaseLibSVM, BaseSVC
from sklearn.utils.validation import check_array

from vigie.bundle.hist_trees import check_hist_part
from vigie.bundle.trees import check_tree_part, require


def check_model(model: object, *, any_partial: bool = False) -> None:
    """Do nothing when every part of the model can be used with any row.

    Args:
        model: as the archive's reader made it.
        any_partial: whether the owner of this process trusts partial functions beyond the one of scikit-learn.

    Raises:
        BundleError: something stands where a method should, an index leaves its array, or a number is missing.
    """
    for part in _parts(model):
        _check_names(part)
        _check_input(part)
        check_tree_part(part)
        check_hist_part(part)
        if isinstance(part, partial):
            require(any_partial or part.func is check_array, "a partial function calls what no model of ours calls")
        elif issparse(part):
            _check_sparse(part)
        elif isinstance(part, BaseLibSVM) and hasattr(part, "support_"):
            _check_support_vectors(part)


def use_one_job(model: object) -> None:
    """Have every part of the model answer by itself: many of scikit-learn's parts would start processes for a row."""
    for part in _parts(model):
        if "n_jobs" in getattr(part, "__dict__", {}):
            vars(part)["n_jobs"] = 1


def _parts(model: object) -> Iterator[object]:
    """Yield everything the model is made of, each object once."""
    waiting, seen = [model], set[int]()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, (list, tuple, set, frozenset)):
            waiting.extend(part)
        elif isinstance(part, np.ndarray):
            waiting.extend(part.ravel().tolist() if part.dtype == object else ())
        else:
            waiting.extend(getattr(part, "__dict__", {}).values())


def _check_names(part: object) -> None:
    """Require that no attribute takes the place of a method.

    A forest whose ``_validate_X_predict`` is ``numpy.positive`` would walk rows that are shorter than its trees expect.
    """
    if not isinstance(part, type):
        for name in getattr(part, "__dict__", {}):
            require(not callable(getattr(type(part), name, None)), f"an attribute stands for the method {name[:40]!a}")


def _check_input(part: object) -> None:
    """Require that text is text: scikit-learn's vectorizers can be told to open it as the name of a file."""
    if isinstance(part, (CountVectorizer, HashingVectorizer)):
        require(vars(part).get("input") == "content", "it opens files that a row names")


def _check_sparse(matrix: Any) -> None:
    require(matrix.format in {"csr", "csc"}, "a sparse matrix has an unusual format")
    try:
        matrix.check_format(full_check=True)
    except ValueError:
        require(condition=False, problem="a sparse matrix points outside itself")


def _check_support_vectors(model: Any) -> None:
    """Require that libsvm finds as many numbers as it will read."""
    # Private, and what libsvm is handed as it is.
    coefficients, counts, intercepts = model._dual_coef_, model._n_support, model._intercept_  # noqa: SLF001
    arrays = (model.support_, model.support_vectors_, coefficients, counts, intercepts)
    require(all(isinstance(array, np.ndarray) for array in arrays), "support vectors are no plain arrays")
    require("_impl" not in vars(model) and counts.dtype == np.int32, "libsvm is asked for another model than it holds")
    counts = counts if isinstance(model, BaseSVC) else counts[:1]  # without classes, libsvm fills in the first only
    n_vectors, n_rows = len(model.support_), max(len(counts) - 1, 1)
    fits = model.support_vectors_.shape == (n_vectors, model.n_features_in_)
    require(fits and coefficients.shape == (n_rows, n_vectors), "support vectors and their weights differ in number")
    counted = bool(np.all(counts >= 0)) and int(counts.sum(dtype=np.int64)) == n_vectors
    require(counted, "support vectors are counted otherwise than they are")
    require(len(intercepts) == n_rows * (n_rows + 1) // 2, "support vectors have other intercepts than pairs")
