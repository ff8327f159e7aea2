"""Whole reports of each task: what they hold, what they say, that they draw."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from vigie.reporting.drawing import draw_png
from vigie.reporting.page import POLICY
from vigie.reporting.theme import PALETTE
from vigie.training.report import Report, ReportInputs, render
from vigie.training.report.headline import warnings

Told = Callable[[ReportInputs], Report]
Drawn = Callable[[ReportInputs], str]

EXPECTED = {
    "regression": {
        "leaderboard", "residuals", "residual_histogram", "residual_quantiles", "coefficients", "importance",
        "segments", "path_lasso", "path_ridge", "zeros_lasso", "zeros_ridge", "learning_curve", "validation_curve",
    },
    "binary": {
        "leaderboard", "roc", "precision_recall", "calibration", "confusion", "value_by_threshold", "confusion_value",
        "coefficients", "importance", "segments", "learning_curve", "validation_curve",
    },
    "boosted": {
        "leaderboard", "roc", "precision_recall", "calibration", "confusion", "importance", "segments",
        "learning_curve", "validation_curve",
    },
    "multiclass": {
        "leaderboard", "calibration", "confusion", "importance", "segments", "learning_curve", "validation_curve",
    },
}  # fmt: skip


class Outline(HTMLParser):
    """Elements, ids and links of a page, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, its id and what it points to."""
        self.seen.add(tag)
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(found["id"])
        self.links += [value for name, value in attrs if name in {"href", "src", "xlink:href"} and value]
        if tag not in {"meta", "br", "hr"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself, as in SVG."""
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Refuse a closing tag that closes nothing."""
        assert self.open.pop() == tag


@pytest.fixture(params=sorted(EXPECTED))
def inputs(request: pytest.FixtureRequest) -> ReportInputs:
    """Each task's training in turn."""
    found: ReportInputs = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_question_has_its_charts(name: str, told: Told, request: pytest.FixtureRequest) -> None:
    """A task shows all its charts, each once."""
    names = [figure.name for figure in told(request.getfixturevalue(name)).figures]
    assert sorted(names) == sorted(EXPECTED[name])


def test_the_page_is_well_formed_and_needs_nothing(inputs: ReportInputs, drawn: Drawn) -> None:
    """Tags are closed, ids are unique, links stay in the page, nothing is embedded that runs or loads."""
    outline = Outline()
    outline.feed(drawn(inputs))
    assert not outline.open
    assert len(outline.ids) == len(set(outline.ids))
    assert all(link.startswith("#") for link in outline.links)
    assert {link[1:] for link in outline.links} <= set(outline.ids)
    assert not outline.seen & {"script", "img", "iframe", "link", "object", "embed", "image", "foreignobject"}


def test_the_policy_names_the_style_sheet_and_nothing_else(inputs: ReportInputs, drawn: Drawn) -> None:
    """No inline style attribute exists, since the policy would ignore it; the policy allows no source by name."""
    text = drawn(inputs)
    assert not re.search(r"<[^>]*\sstyle=", text)
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


def test_every_chart_says_what_it_rests_on(inputs: ReportInputs, told: Told) -> None:
    """Captions name their rows, and a reader who sees nothing gets a sentence with numbers."""
    for figure in told(inputs).figures:
        assert re.search(r"\d[\d,]* (of the \d+ )?(held-out|training|rows|worst)", figure.caption), figure.caption
        assert re.search(r"\d", figure.alt) or figure.name == "value_by_threshold"


def test_charts_use_the_palette_only(inputs: ReportInputs, drawn: Drawn) -> None:
    """Every colour of a drawing has a counterpart in the dark scheme."""
    used = set(re.findall(r'(?:fill|stroke)="([^"]*)"', drawn(inputs)))
    assert used <= {*PALETTE.values(), "none", "transparent"}


def test_pictures_are_png_of_a_screens_size(regression: ReportInputs, told: Told) -> None:
    """MLflow shows them as they are."""
    picture = draw_png(told(regression).figures[0])
    assert picture.startswith(b"\x89PNG\r\n")
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
    assert 700 <= width <= 1000
    assert height >= 300


def test_the_same_training_gives_the_same_page(multiclass: ReportInputs, drawn: Drawn) -> None:
    """Nothing on the page depends on the moment or on chance."""
    assert render(multiclass) == drawn(multiclass)


def test_the_headline_names_the_winner_and_the_rows(inputs: ReportInputs, told: Told) -> None:
    """Who, how much, on how many rows."""
    report = told(inputs)
    assert report.statement.startswith(inputs.leaderboard.winner.name)
    assert f"{len(inputs.split.test):,} held-out rows" in report.statement
    assert " over the folds is " in report.reasons[0]


def test_a_rule_that_chose_is_quoted(binary: ReportInputs, told: Told) -> None:
    """The sentence of the rule stands where the reasons are."""
    assert told(binary).reasons[0].startswith("Of 1 candidate it has the best mean ROC-AUC")


def test_no_gain_over_the_dummy_is_a_warning(binary: ReportInputs) -> None:
    """A winner that is no better than looking at nothing is announced as such."""
    board = binary.leaderboard
    blind = replace(board.winner, test_scores=board.dummy.test_scores)
    found = warnings(replace(binary, leaderboard=replace(board, winner=blind)))
    assert any("does not clearly beat the dummy" in text for text in found)
    assert not any("does not clearly beat" in text for text in warnings(binary))
