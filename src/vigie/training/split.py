"""Which rows are held out for the final judgement; nothing is fitted on them."""

import warnings
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split

from vigie.errors import ConfigurationError, DataError
from vigie.reporting.wording import percent
from vigie.training.dataset import Dataset, DataSpec
from vigie.training.roles import entity_codes, repeats

FINEST = 20
"""Parts that classes and entities are dealt into when rows are held out: shares come in twentieths or rounder."""


@dataclass(frozen=True, slots=True)
class Split:
    """Two disjoint sets of row positions that together are all rows.

    Attributes:
        train: shape (n_train,), in the order candidates see them: by time, by row number when entities are kept
            together, else shuffled.
        test: shape (n_test,).
        how: one sentence for the report.
        by_time: whether ``train`` is in order of time and all of it comes before ``test``.
        by_entity: whether no entity has rows on both sides.
    """

    train: np.ndarray
    test: np.ndarray
    how: str
    by_time: bool
    by_entity: bool = False


def split(dataset: Dataset, spec: DataSpec) -> Split:
    """Return the rows to learn from and the rows held out.

    ``auto`` goes by time when a time column is named, else keeps entities together where one has several rows, else
    is stratified for classes, else at random. ``random`` draws the same rows in the same order as scikit-learn's
    ``train_test_split`` with this seed.

    Raises:
        ConfigurationError: the method asks for what the data does not have.
        DataError: one side would be empty or lack a class.
    """
    if not 0 < spec.test_fraction < 1:
        raise ConfigurationError(
            f"{spec.test_fraction} is not a share between 0 and 1.",
            remedy="Say 0.2 to hold out a fifth of the rows.",
            key="data.test_fraction",
        )
    method = _method(dataset, spec)
    if method == "time":
        found = _by_time(dataset, spec)
    elif method == "grouped":
        found = _by_entity(dataset, spec)
    else:
        found = _at_random(dataset, spec, stratified=method == "stratified")
    _check_classes(dataset, found)
    return found


def _method(dataset: Dataset, spec: DataSpec) -> str:
    if spec.split == "time" and dataset.times is None:
        raise ConfigurationError(
            "a split by time needs a time column.", remedy="Name it as data.time.", key="data.split"
        )
    if spec.split == "grouped" and dataset.entities is None:
        raise ConfigurationError(
            "a grouped split needs an entity column.", remedy="Name it as data.entity.", key="data.split"
        )
    is_classification = dataset.schema.target.task.is_classification
    if spec.split == "stratified" and not is_classification:
        raise ConfigurationError(
            "a stratified split needs classes, and the target is a number.",
            remedy='Say "random" or "auto".',
            key="data.split",
        )
    if spec.split != "auto":
        return spec.split
    if dataset.times is not None:
        return "time"
    if repeats(dataset.entities):
        return "grouped"
    return "stratified" if is_classification else "random"


def _at_random(dataset: Dataset, spec: DataSpec, *, stratified: bool) -> Split:
    if stratified:
        labels, counts = np.unique(dataset.y, return_counts=True)
        lone = [str(dataset.schema.target.classes[label]) for label in labels[counts < 2]]
        if lone:
            raise DataError(
                f"Class {', '.join(lone)} of {dataset.schema.target.name!r} has one row, "
                "which cannot stand on both sides of a split.",
                remedy="Add rows of it, merge it with another class, or remove it.",
            )
    try:
        train, test = train_test_split(
            np.arange(len(dataset)),
            test_size=spec.test_fraction,
            random_state=spec.seed,
            stratify=dataset.y if stratified else None,
        )
    except ValueError as error:
        raise DataError(
            f"{len(dataset):,} rows cannot be split with a test fraction of {spec.test_fraction}: {error}",
            remedy="Use a test fraction nearer to 0.2, or more rows.",
        ) from error
    kind = "at random, each class in its share" if stratified else "at random"
    return Split(
        train,
        test,
        f"{len(train):,} rows to learn from, {len(test):,} held out {kind} (seed {spec.seed}).",
        by_time=False,
    )


def _by_entity(dataset: Dataset, spec: DataSpec) -> Split:
    """Hold out whole entities: a model that met a client in training would be flattered by meeting the client again."""
    if dataset.entities is None:
        raise ValueError("a split by entity needs entities")
    groups = entity_codes(dataset.entities)
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise DataError(
            f"All rows have the same {spec.entity!r}: there is none to hold out.",
            remedy='Correct data.entity, or say split = "random".',
        )
    try:
        if dataset.schema.target.task.is_classification:
            train, test = _stratified_by_entity(dataset, groups, spec)
        else:
            parts = GroupShuffleSplit(1, test_size=spec.test_fraction, random_state=spec.seed)
            train, test = next(parts.split(groups, groups=groups))
    except ValueError as error:
        raise DataError(
            f"{len(dataset):,} rows cannot be split by {spec.entity!r}: {error}",
            remedy="Use a test fraction nearer to 0.2, or more rows.",
        ) from error
    return Split(
        train,
        test,
        f"{len(train):,} rows to learn from, {len(test):,} held out at random, all rows of one {spec.entity!r} on one "
        f"side (seed {spec.seed}).",
        by_time=False,
        by_entity=True,
    )


def _stratified_by_entity(dataset: Dataset, groups: np.ndarray, spec: DataSpec) -> tuple[np.ndarray, np.ndarray]:
    """Deal entities into parts with the classes in their share, and hold out as many parts as the fraction says."""
    finest = min(FINEST, len(np.unique(groups)))
    nearest = Fraction(spec.test_fraction).limit_denominator(finest)
    share = min(max(nearest, Fraction(1, finest)), Fraction(finest - 1, finest))
    dealer = StratifiedGroupKFold(share.denominator, shuffle=True, random_state=spec.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class that is too rare is refused by _check_classes
        parts = [part for _, part in dealer.split(groups, dataset.y, groups)][: share.numerator]
    test = np.sort(np.concatenate(parts))
    return np.setdiff1d(np.arange(len(dataset)), test), test


def _by_time(dataset: Dataset, spec: DataSpec) -> Split:
    """Hold out the latest rows; rows of one moment stay together, on the later side."""
    times = dataset.times
    if times is None:
        raise ValueError("a split by time needs times")
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    cut = np.searchsorted(ordered, ordered[len(order) - max(1, round(len(order) * spec.test_fraction))], side="left")
    train, test = order[:cut], order[cut:]
    if not len(train):
        raise DataError(
            f"Too many rows share the same {spec.time!r} to hold out the latest {percent(spec.test_fraction)}.",
            remedy='Use a finer time, or say split = "random".',
        )
    boundary = np.datetime_as_string(ordered[cut], unit="s")
    return Split(
        train,
        test,
        f"{len(train):,} rows before {boundary} UTC to learn from, {len(test):,} from then on held out.",
        by_time=True,
    )


def _check_classes(dataset: Dataset, found: Split) -> None:
    if not dataset.schema.target.task.is_classification:
        return
    for side, rows in (("to learn from", found.train), ("held out", found.test)):
        present = set(dataset.y[rows].tolist())
        absent = [str(label) for index, label in enumerate(dataset.schema.target.classes) if index not in present]
        if absent and (side == "to learn from" or len(present) < 2):
            raise DataError(
                f"Among the rows {side} there is none of class {', '.join(absent)}.",
                remedy='Add rows of it, change data.test_fraction, or say split = "stratified".',
            )
