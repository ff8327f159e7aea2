"""Sums and links in float32, made of float64 operations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.inference.compiled.links import LINKS, expit32, single
from vigie.inference.compiled.trees import round24

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**100), max_value=2.0**100)


@given(FLOATS, FLOATS)
def test_a_sum_of_two_is_rounded_as_numpy_rounds_it(one, other):
    """Whatever their sizes."""
    assert round24(one + other) == float(np.float32(one) + np.float32(other))


@given(FLOATS, st.integers(-40, 40))
def test_a_sum_next_to_a_power_of_two_or_half_way_is_rounded_as_numpy_rounds_it(one, exponent):
    """Where the spacing changes, and where a tie goes to the even one."""
    power = 2.0**exponent
    for other in (power, -power, float(np.nextafter(np.float32(power), np.float32(0.0)))):
        assert round24(one + other) == float(np.float32(one) + np.float32(other))
    middle = (power + float(np.nextafter(np.float32(power), np.float32(np.inf)))) / 2.0
    assert round24(middle) == float(np.float32(middle))


def test_a_store_rounds_and_overflows_as_a_float_of_c():
    """To the nearest, to infinity, and in steps of the smallest below the normal ones."""
    for value in (0.1, 1e-46, 3e-45, 1e-40, 3.4028235e38, -0.0):
        assert single(value) == float(np.float32(value))
    assert single(1e39) == np.inf


@pytest.mark.parametrize("x", [0.0, -1.5, 88.0, 89.0, 1e4, -88.0, -89.0, -1e4])
def test_the_logistic_function_is_a_float32_within_two_units(x):
    """Compared with float64, and never 0, as XGBoost's is not."""
    exact = 1.0 / (1.0 + np.exp(-max(x, -float(np.float32(88.7)))))
    assert expit32(x) == float(np.float32(expit32(x)))
    assert abs(expit32(x) - exact) <= 2 * float(np.spacing(np.float32(exact)))
    assert expit32(x) > 0.0


def test_probabilities_of_a_float32_model_add_up_to_one_in_float32():
    """Two or several."""
    for link, raw in (("expit32", [0.3]), ("softmax32", [0.3, -2.0, 5.0, 0.0])):
        assert sum(LINKS[link](raw)) == pytest.approx(1.0, abs=2**-22)
