"""Tables in a terminal: names are folded, numbers and their intervals never broken where there is room for them."""

import io

import pytest
from rich.console import Console

from vigie.cli.sheet import Sheet

LONG = "a_name_that_somebody_gave_to_a_column_of_the_table_long_ago: over 100,000 to 250,000"
COLUMNS = (("segment", "left"), ("rmse [95 %]", "right"), ("mae [95 %]", "right"), ("n", "right"), ("known", "right"))
LARGE = ("205,426 [203,377, 207,475]", "155,618 [-154,101, 157,136]", "130,000", "100.0 %")
SMALL = ("0.5 [0.4, 0.6]", "0.5 [0.4, 0.6]", "900", "9.0 %")


def lines(sheet, width=80):
    """Return what is printed, which must fit."""
    screen = Console(file=io.StringIO(), width=width, highlight=False)
    screen.print(sheet)
    found = screen.file.getvalue().splitlines()
    assert max(map(len, found)) <= width
    return found


@pytest.mark.parametrize("name", ["n", LONG])
@pytest.mark.parametrize("numbers", [SMALL, LARGE])
def test_no_interval_is_broken(name, numbers):
    """It stands in its line, or whole in the line below its value."""
    shown = lines(Sheet("Segments", COLUMNS, [(name, *numbers)]))
    assert all(line.count("[") == line.count("]") for line in shown)
    text = "\n".join(shown)
    assert all(part in text for number in numbers for part in number.replace(" [", "\n[").split("\n"))


def test_what_fits_is_set_in_one_line():
    """Nothing is stacked without need."""
    assert lines(Sheet("Segments", COLUMNS, [("north", *SMALL)]))[2].split() == ["north", *" ".join(SMALL).split()]


def test_values_stand_above_their_intervals_where_they_must():
    """All rows alike, names beside them."""
    shown = lines(Sheet("Segments", COLUMNS, [("north", *LARGE), ("south", *SMALL)]))
    assert shown[1].split() == ["rmse", "mae"]
    (north,) = (place for place, line in enumerate(shown) if line.startswith("north"))
    assert shown[north].split() == ["north", "205,426", "155,618", "130,000", "100.0", "%"]
    assert shown[north + 1].split() == ["[203,377,", "207,475]", "[-154,101,", "157,136]"]


def test_a_heading_is_stacked_before_the_numbers():
    """Its sample size and its level stand below it; the intervals keep their line."""
    columns = (("metric", "left"), ("now [95 %]", "right"), ("held out at training, n = 1,000 [95 %]", "right"))
    row = ("rmse", "12,205,426 [12,203,377, 12,207,475]", "12,100,154 [12,098,159, 12,102,148]")
    shown = lines(Sheet("Performance", columns, [row]))
    assert [line.split()[-4:] for line in shown[1:4]] == [
        ["held", "out", "at", "training,"], ["now", "n", "=", "1,000"], ["[95", "%]", "[95", "%]"],
    ]  # fmt: skip
    assert shown[4].split() == " ".join(row).split()


def test_a_screen_too_narrow_for_its_numbers_keeps_all_of_them():
    """Then even a number is broken; nothing is lost, and no column vanishes."""
    shown = lines(Sheet("Segments", COLUMNS[:2], [("north", LARGE[0])]), width=20)
    digits = "".join(char for line in shown[2:] for char in line if char.isdigit())
    assert sorted(digits) == sorted("95" + "205426203377207475")
