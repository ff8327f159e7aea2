"""How near two answers must lie: in units in the last place after a link, within a sum's noise before it."""

import sys
from math import isfinite, ulp

from vigie.domain.prediction import Prediction
from vigie.inference.compiled.links import ULP32

EPSILON = sys.float_info.epsilon


def agree(expected: Prediction, found: Prediction, *, ulps: int, noise: float) -> bool:
    """Whether two answers to one row are the same model's.

    A shift of ``d`` in the raw scores changes a number by ``d`` and a probability by at most the share ``2 d`` of
    itself or of its complement, which is a sum's rounding away from 1.

    Args:
        expected: the reference.
        found: the other one.
        ulps: units in the last place that the link may add.
        noise: how far the raw scores may lie apart, absolute.
    """
    if len(expected.probabilities) != len(found.probabilities):
        return False
    if not expected.probabilities:
        return _near(_number(expected), _number(found), ulps, noise, 0.0)
    pairs = list(zip(expected.probabilities, found.probabilities, strict=True))
    if not all(_near(one, other, ulps, 0.0, 2.0 * noise) for one, other in pairs):
        return False
    first, second = sorted(expected.probabilities, reverse=True)[:2]
    tied = first - second <= 2.0 * (ulps * EPSILON + 2.0 * noise)
    return tied or (type(expected.value) is type(found.value) and expected.value == found.value)


def _near(one: float, other: float, ulps: int, absolute: float, relative: float) -> bool:
    if not (isfinite(one) and isfinite(other)):
        return False
    if one == other:
        return True
    # 1 - p of a probability next to 1 keeps an absolute error of its own rounding, whatever its size
    complement = EPSILON * ulps if relative or ulps >= ULP32 else 0.0
    larger = max(abs(one), abs(other))
    return abs(one - other) <= absolute + complement + ulps * ulp(larger) + relative * larger


def _number(prediction: Prediction) -> float:
    value = prediction.value
    return float("nan") if isinstance(value, (bool, str)) else float(value)
