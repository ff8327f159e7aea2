"""What a regression's outcome can be."""

import pytest

from vigie.domain.schema import Target
from vigie.domain.task import Task
from vigie.inference.outcomes import read_outcome
from vigie.inference.values import Fault

PRICE = Target("price", Task.REGRESSION)


@pytest.mark.parametrize("raw", [1e308, -1e308, 1e200, -1.1e37, 2**123])
def test_a_number_whose_error_cannot_be_measured_is_refused(raw):
    """Finite is not enough: statistics of its squared error must be."""
    assert read_outcome(raw, PRICE) == Fault("invalid-label", "a number of at most 1e+37 in size", "a larger one")


@pytest.mark.parametrize("raw", [1e37, -1e37, 0, 5e-324])
def test_every_other_number_is_taken(raw):
    """The bound itself included."""
    assert read_outcome(raw, PRICE) == raw
