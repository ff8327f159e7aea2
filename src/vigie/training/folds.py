"""Folds of the training rows: stratified, with entities kept together, or each one later than what it learns from.

Rows that were split at random are already in random order, so folds take them as they come: the same folds that
scikit-learn's ``cv=5`` makes of the training part.

Where the folds are repeated, every draw after the first shuffles the rows with a seed of its own.

Rows that were split by time are folded by time as well. Shuffled folds would let a model learn from the hour before and
the hour after the one it is asked about: on the flights example they promise a ROC-AUC of 0.75 where 0.69 comes true.
"""

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

from vigie.errors import ConfigurationError, DataError
from vigie.training.dataset import Dataset
from vigie.training.roles import entity_codes
from vigie.training.split import Split

Fold = tuple[np.ndarray, np.ndarray]
"""Positions of rows to fit on, and of rows to check on."""


MANY_ROWS = 20_000
"""Training rows above which three folds do: each learns from so many rows that five would only cost more."""


def usual_folds(n_rows: int) -> int:
    """Return how many folds a training part of ``n_rows`` has when nobody says otherwise."""
    return 3 if n_rows > MANY_ROWS else 5


def folds_of(dataset: Dataset, split: Split, *, n_folds: int, seed: int, repeats: int = 1) -> list[Fold]:
    """Return ``n_folds`` pairs of row positions of the dataset for each repeat, training rows only.

    Args:
        dataset: all rows.
        split: whose training part is folded.
        n_folds: of one repeat, at least 2.
        seed: of whatever is drawn.
        repeats: how often the same rows are dealt into folds; the first ``n_folds`` do not depend on it.

    Raises:
        ConfigurationError: fewer than two folds, more folds than rows, or folds by time are to be repeated.
        DataError: a class has too few rows for every fold to see it, or there are fewer entities than folds.
    """
    if repeats > 1 and split.by_time:
        raise ConfigurationError(
            "Folds in order of time can be cut in one way only, so there is nothing to repeat.",
            remedy='Leave it out, or say split = "stratified" if the order of rows does not matter.',
            key="training.repeats",
        )
    if n_folds < 2:
        raise ConfigurationError(f"{n_folds} is too few.", remedy="Say 2 or more; 5 is usual.", key="training.folds")
    if len(split.train) <= n_folds:
        raise ConfigurationError(
            f"{n_folds} folds need more training rows than there are ({len(split.train):,}).",
            remedy="Lower it.",
            key="training.folds",
        )
    is_classification = dataset.schema.target.task.is_classification
    if is_classification:
        _check_counts(dataset, split, n_folds)
    outcomes = dataset.y[split.train]
    folds: list[Fold] = []
    for repeat in range(repeats):
        if split.by_time:
            folds += TimeSeriesSplit(n_splits=n_folds).split(split.train)
        elif split.by_entity:
            folds += _by_entity(dataset, split, n_folds, seed + repeat)
        else:
            kind = StratifiedKFold if is_classification else KFold
            shuffled = {"shuffle": True, "random_state": seed + repeat} if repeat else {}
            folds += kind(n_splits=n_folds, **shuffled).split(split.train, outcomes)
    if is_classification and (split.by_time or split.by_entity):
        _check_classes(dataset, outcomes, folds, in_time=split.by_time)
    return [(split.train[fit], split.train[check]) for fit, check in folds]


def _by_entity(dataset: Dataset, split: Split, n_folds: int, seed: int) -> list[Fold]:
    if dataset.entities is None:
        raise ValueError("folds by entity need entities")
    groups = entity_codes(dataset.entities)[split.train]
    n_groups = len(np.unique(groups))
    if n_groups < n_folds:
        raise DataError(
            f"{n_folds} folds need as many different {dataset.schema.entity!r} to learn from; there are {n_groups}.",
            remedy='Lower training.folds, or say split = "random".',
        )
    kind = StratifiedGroupKFold if dataset.schema.target.task.is_classification else GroupKFold
    return list(kind(n_splits=n_folds, shuffle=True, random_state=seed).split(groups, dataset.y[split.train], groups))


def _check_counts(dataset: Dataset, split: Split, n_folds: int) -> None:
    target = dataset.schema.target
    counts = np.bincount(dataset.y[split.train], minlength=len(target.classes))
    for label, count in zip(target.classes, counts, strict=True):
        if count < n_folds:
            raise DataError(
                f"Class {label!r} of {target.name!r} has {count:,} rows to learn from, fewer than the {n_folds} folds.",
                remedy="Lower training.folds, add rows of it, or merge it with another class.",
            )


def _check_classes(dataset: Dataset, outcomes: np.ndarray, folds: list[Fold], *, in_time: bool) -> None:
    """Every fold must learn every class, and be checked on more than one."""
    target = dataset.schema.target
    for number, (fit, check) in enumerate(folds, start=1):
        learnt = set(outcomes[fit].tolist())
        absent = [str(label) for index, label in enumerate(target.classes) if index not in learnt]
        if absent or len(set(outcomes[check].tolist())) < 2:
            where = "before it" if in_time else "outside it"
            lacking = f"none of class {', '.join(absent)} {where}" if absent else "one class only"
            order = "In order of time" if in_time else f"With all rows of one {dataset.schema.entity!r} together"
            raise DataError(
                f"{order}, fold {number} of {len(folds)} has {lacking}.",
                remedy='Lower training.folds, add rows, or say split = "stratified".',
            )
