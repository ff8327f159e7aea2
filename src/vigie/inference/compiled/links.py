"""From raw scores to answers, operation by operation as scikit-learn does it on one row.

``numpy.exp`` has code of its own on CPUs with AVX-512 and then differs from libm by one unit in the last place in one
value of twenty: softmax and the log link agree to a few units, the others to the last bit. Links that end in 32 work in
float32, as XGBoost does: ``expf`` may round another way than we do, so they agree to a unit or two of float32.
"""

from collections.abc import Callable, Sequence
from math import exp, inf
from struct import Struct

EXPF_LIMIT = 88.69999694824219
"""88.7 in float32, where XGBoost stops asking for larger powers."""

Scores = Sequence[float]
Link = Callable[[Scores], tuple[float, ...]]


def expit(x: float) -> float:
    """Return the logistic function as scipy.special.expit computes it; the form z/(1+z) would differ."""
    try:
        return 1.0 / (1.0 + exp(-x))
    except OverflowError:
        return 0.0


def expit32(x: float) -> float:
    """Return the logistic function as XGBoost computes it: every operation rounded to float32, no input below -88.7."""
    return single(1.0 / single(1.0 + single(exp(min(-x, EXPF_LIMIT)))))


def single(x: float) -> float:
    """Round to float32, as a store to a C float does."""
    try:
        rounded: float = _FLOAT.unpack(_FLOAT.pack(x))[0]
    except OverflowError:
        return inf
    return rounded


_FLOAT = Struct("f")


def _exp(raw: Scores) -> tuple[float, ...]:
    try:
        return (exp(raw[0]),)
    except OverflowError:
        return (inf,)


def _expit(raw: Scores) -> tuple[float, ...]:
    positive = expit(raw[0])
    return (1.0 - positive, positive)


def _expit2(raw: Scores) -> tuple[float, ...]:
    positive = expit(2.0 * raw[0])
    return (1.0 - positive, positive)


def _exp32(raw: Scores) -> tuple[float, ...]:
    return (single(_exp(raw)[0]),)


def _expit32(raw: Scores) -> tuple[float, ...]:
    positive = expit32(raw[0])
    return (single(1.0 - positive), positive)


def _softmax32(raw: Scores) -> tuple[float, ...]:
    largest = max(raw)
    powers = [single(exp(single(score - largest))) for score in raw]
    total = single(_in_order(0.0, powers))
    return tuple(single(power / total) for power in powers)


def _softmax(raw: Scores) -> tuple[float, ...]:
    largest = max(raw)
    powers = [exp(score - largest) for score in raw]
    total = _sum(powers)
    return tuple(power / total for power in powers)


def _sum(terms: Sequence[float]) -> float:
    """Return the sum in the order in which numpy adds one row: pairwise in eights from eight terms on."""
    n = len(terms)
    if n < 8:
        return _in_order(0.0, terms)
    partial = list(terms[:8])
    whole = n - n % 8
    for start in range(8, whole, 8):
        partial = [one + other for one, other in zip(partial, terms[start : start + 8], strict=True)]
    r0, r1, r2, r3, r4, r5, r6, r7 = partial
    return _in_order(((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7)), terms[whole:])


def _in_order(total: float, terms: Sequence[float]) -> float:
    for term in terms:  # sum() compensates from Python 3.12 on, and would differ
        total += term
    return total


LINKS: dict[str, Link] = {
    "identity": tuple,
    "none": tuple,
    "exp": _exp,
    "expit": _expit,
    "expit2": _expit2,
    "softmax": _softmax,
    "exp32": _exp32,
    "expit32": _expit32,
    "softmax32": _softmax32,
}
"""Every link by its name in the layout."""

ULP32 = 2**29
"""Units in the last place of a float64 that one of a float32 is worth."""

ULPS = {"identity": 0, "none": 0, "expit": 4, "expit2": 4, "exp": 16, "softmax": 16} | dict.fromkeys(
    ("exp32", "expit32", "softmax32"), 4 * ULP32
)
"""Units in the last place by which an answer may differ from the library's when the raw scores are the same."""
