"""Numbers and names as a reader wants them."""

import math
from collections.abc import Iterable, Sequence

from vigie.domain.measurement import Interval, Measurement

METRIC_NAMES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "log_loss": "log-loss",
    "brier": "Brier score",
    "accuracy": "accuracy",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "f1_macro": "macro F1",
    "value": "value",
}
"""How metrics are called in running text."""

NOTHING = "\u2013"

_LARGEST = 1e15  # from here on numbers are told with a power of ten

_SMALLEST = 1e-300  # p-values below it underflow to 0, which none is

_PER_THOUSAND = "/1000"  # how ``evaluation.value`` ends the unit of what decisions are worth


def metric_name(name: str) -> str:
    """Return a metric's name in running text."""
    return METRIC_NAMES.get(name, name)


def unit_name(unit: str, target: str = "") -> str:
    """Return a unit in running text: nothing for a bare number, whose unit its own name is for the target's."""
    own = f"units of {target}" if target else "the target's own unit"
    worth = unit.removesuffix(_PER_THOUSAND)
    return {"1": "", "target": own}.get(unit, unit if worth == unit else f"{worth} per 1,000 decisions")


def unit_text(unit: str, target: str) -> str:
    """Return a unit for a heading, see ``unit_name``."""
    named = unit_name(unit, target)
    return f"in {named}" if named else ""


def sample(found: Iterable[Measurement | None]) -> str:
    """Return on how many rows numbers of one table rest, e.g. ``n = 1,000``; empty where there is none."""
    sizes = sorted({item.n for item in found if item is not None})
    if not sizes:
        return ""
    return f"n = {sizes[0]:,}" if len(sizes) == 1 else f"n = {sizes[0]:,} to {sizes[-1]:,}"


def number(value: float | None, spread: float | None = None) -> str:
    """Return a number with as many decimals as its uncertainty supports: two digits of ``spread``, else four in all."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if abs(value) >= _LARGEST:
        return signed_zero_free(f"{value:.4g}")
    if spread and math.isfinite(spread) and spread > 0:
        decimals = min(6, max(0, 1 - math.floor(math.log10(spread))))
        return signed_zero_free(f"{value:,.{decimals}f}")
    if value == 0:
        return "0"
    decimals = min(6, max(0, 3 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    return signed_zero_free(text.rstrip("0").rstrip(".") if decimals else text)


def percent(share: float, decimals: int = 0) -> str:
    """Return a share as a percentage, e.g. ``95 %``."""
    return f"{100 * share:,.{decimals}f} %"


def signed_zero_free(text: str) -> str:
    """Return a number's text with a true minus sign, and none before zero."""
    if text.startswith("-"):
        return "\u2212" + text[1:] if any(digit in "123456789" for digit in text) else text[1:]
    return text


def span(low: float, high: float) -> str:
    """Return an interval as text."""
    width = (high - low) / 2
    return f"{number(low, width)} to {number(high, width)}"


def with_interval(value: float | None, interval: Interval | None) -> str:
    """Return a number and its interval."""
    if interval is None or value is None or interval.low == interval.high:
        return number(value)
    half = (interval.high - interval.low) / 2
    return f"{number(value, half)} ({percent(interval.level)}: {span(interval.low, interval.high)})"


def cell(value: float | None, interval: Interval | None) -> str:
    """Return a number and its interval for a table whose caption names the level."""
    if interval is None or value is None or interval.low == interval.high:
        return number(value)
    return f"{number(value, (interval.high - interval.low) / 2)} ({span(interval.low, interval.high)})"


def measured(measurement: Measurement) -> str:
    """Return a measurement's value and interval."""
    return with_interval(measurement.value, measurement.interval)


def p_power(p: float) -> str:
    """Return a p-value, however small, as text."""
    return f"{p:.1e}" if p >= _SMALLEST else f"< {_SMALLEST:.0e}"


def p_text(p: float) -> str:
    """Return a p-value as text."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def opening(text: str) -> str:
    """Return words that begin a heading: ROC-AUC stays, log-loss becomes Log-loss."""
    return text[:1].upper() + text[1:]


def labels(names: Sequence[str], most: int) -> list[str]:
    """Return names that fit beside marks, cut in the middle; whole where two would become the same."""
    short = [
        name if len(name) <= most else f"{name[: most - most // 2 - 1]}\u2026{name[-(most // 2) :]}" for name in names
    ]
    return short if len(set(short)) == len(set(names)) else list(names)


def count(n: int, noun: str) -> str:
    """Return a number of things."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
