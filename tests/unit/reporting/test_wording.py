"""Numbers as text, and text as text."""

import pytest

from vigie.domain.measurement import Interval
from vigie.reporting.markup import Markup, joined, tag
from vigie.reporting.wording import NOTHING, cell, labels, number, percent, with_interval


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (0.77634, 0.024, "0.776"),
        (18569.4, 2031.0, "18,569"),
        (-0.00412, 0.0105, "\u22120.004"),
        (-0.0001, 0.01, "0.000"),
        (80.0, None, "80"),
        (0.5, None, "0.5"),
        (3.14159, None, "3.142"),
        (1e-9, None, "0"),
        (0.0, None, "0"),
        (-1.5e200, 1e190, "\u22121.5e+200"),
        (None, None, NOTHING),
        (float("nan"), 1.0, NOTHING),
    ],
)
def test_a_number_has_the_digits_its_uncertainty_supports(value: float, spread: float, text: str) -> None:
    """Two digits of the spread, four in all without one, a true minus, no minus zero."""
    assert number(value, spread) == text


def test_an_interval_stands_beside_its_number() -> None:
    """Level in running text, none in a table; nothing where it has no width."""
    interval = Interval(0.75, 0.80, 0.95)
    assert with_interval(0.776, interval) == "0.776 (95 %: 0.750 to 0.800)"
    assert cell(0.776, interval) == "0.776 (0.750 to 0.800)"
    assert cell(0.5, Interval(0.5, 0.5, 0.95)) == "0.5"


@pytest.mark.parametrize(("share", "decimals", "text"), [(0.95, 0, "95 %"), (0.0, 1, "0.0 %"), (0.9987, 1, "99.9 %")])
def test_a_share_is_a_percentage_with_its_blank(share: float, decimals: int, text: str) -> None:
    """In one form, wherever it is read."""
    assert percent(share, decimals) == text


def test_text_is_escaped_and_markup_is_not() -> None:
    """A string is text wherever it stands; only what this module made is markup."""
    assert tag("p", "<b>", title='"><i>') == '<p title="&quot;&gt;&lt;i&gt;">&lt;b&gt;</p>'
    assert joined(Markup("<b>"), "&") == "<b>&amp;"
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_long_names_keep_both_ends_and_stay_apart() -> None:
    """A name is cut in the middle; where two would become one, all stay whole."""
    assert labels(["short", "a very long feature name 12"], 12) == ["short", "a ver\u2026ame 12"]
    twins = ["a very long middle one same end", "a very long middle two same end"]
    assert labels(twins, 12) == twins
