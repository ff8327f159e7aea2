"""One column of the reference beside a window of it: what several statistics ask for is worked out once."""

from functools import cached_property

import numpy as np

from vigie.monitoring.cells import Comparison, coarse_cells, compare
from vigie.monitoring.columns import Column, ColumnCounts, NumericColumn
from vigie.monitoring.drift.chi_square import chi_square
from vigie.monitoring.drift.ks import kolmogorov_smirnov
from vigie.monitoring.drift.moments import Moments, moments_of
from vigie.monitoring.drift.psi import Samples, population_stability_index
from vigie.monitoring.grid import NumberCounts


class Pair:
    """A column and a window of it, each with at least one known row.

    Attributes:
        column: the reference.
        counts: the window on its grid.
        n: the window's rows that hold a value.
        m: the reference's.
    """

    def __init__(self, column: Column, counts: ColumnCounts) -> None:
        """Take both sides; nothing is computed before it is asked for."""
        self.column, self.counts = column, counts
        self.n, self.m = counts.known, column.counts.known

    @cached_property
    def numbers(self) -> tuple[NumericColumn, NumberCounts] | None:
        """Both sides where they are numeric."""
        if isinstance(self.column, NumericColumn) and isinstance(self.counts, NumberCounts):
            return self.column, self.counts
        return None

    @cached_property
    def bins(self) -> tuple[np.ndarray, np.ndarray]:
        """What the stability index compares: known rows on the deciles, or on every level either side holds."""
        if self.numbers is not None:
            column, counts = self.numbers
            return coarse_cells(column.counts.cells, column.deciles), coarse_cells(counts.cells, column.deciles)
        reference, current = self.column.counts.cells[:-1], self.counts.cells[:-1]
        used = (reference + current) > 0
        return reference[used], current[used]

    @cached_property
    def samples(self) -> Samples:
        """How much ``bins`` rest on."""
        return Samples(len(self.bins[0]), self.n, self.m)

    @cached_property
    def stability_index(self) -> float:
        """The plain index of ``bins``, in nats."""
        return population_stability_index(*self.bins)

    @cached_property
    def largest_gap(self) -> float:
        """The Kolmogorov-Smirnov distance."""
        return kolmogorov_smirnov(self.column.counts.cells, self.counts.cells)

    @cached_property
    def comparison(self) -> Comparison:
        """The cells that the alarm rule tests."""
        return compare(self.column, self.counts, split=False)  # as the rule asks for it: a call remembered

    @cached_property
    def homogeneity(self) -> tuple[float, int]:
        """Chi-square on those cells, and its degrees of freedom."""
        return chi_square(self.comparison.reference, self.comparison.current)

    @cached_property
    def then(self) -> Moments | None:
        """Mean and spread of the reference."""
        return moments_of(self.numbers[0], self.numbers[0].counts) if self.numbers else None

    @cached_property
    def now(self) -> Moments | None:
        """Mean and spread of the window."""
        return moments_of(*self.numbers) if self.numbers else None
