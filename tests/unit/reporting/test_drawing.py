"""Charts of whatever data are called."""

import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from vigie.reporting.drawing import draw_svg
from vigie.reporting.parts import Figure

HOSTILE = "a\x00b\x1b[31mc\x07d\x7fe\x85f\ufffeg\uffffh\U0001ffffi<script>&\"'j"

DRAW = """
import json, sys
from vigie.reporting.drawing import draw_png, draw_svg
from vigie.reporting.parts import Figure
given = json.load(sys.stdin)
draw = {"svg": draw_svg, "png": lambda figure: draw_png(figure).hex()}[sys.argv[1]]
sys.stdout.write(draw(Figure(name="f", title=given["title"], spec=given["spec"], **given["rest"])))
"""


def _draw(how):
    spec = {
        "title": HOSTILE,
        "data": {"values": [{"level": HOSTILE, "n": 1}, {"level": "é🎉" * 50, "n": 2}]},
        "mark": "bar",
        "encoding": {"x": {"field": "level", "title": HOSTILE}, "y": {"field": "n", "type": "quantitative"}},
    }
    given = json.dumps({"title": HOSTILE, "spec": spec, "rest": {"alt": "", "caption": ""}})
    return subprocess.run(
        [sys.executable, "-c", DRAW, how], input=given, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("how", ["svg", "png"])
def test_no_character_of_a_name_ends_the_process(how):
    """Control characters, noncharacters and a long label of emoji, in data and in titles; about one CPU second each."""
    done = _draw(how)
    assert done.returncode == 0, done.stderr[-500:]
    if how == "svg":
        root = ET.fromstring(done.stdout)  # noqa: S314  drawn by us just now
        said = "".join(root.itertext())
        assert "a\ufffdb\ufffd[31mc" in said
        assert root.find(".//{*}script") is None


def test_an_axis_writes_percentages_as_the_text_does():
    """With a blank before the sign."""
    axis = {"field": "share", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": {"format": ".0%"}}
    spec = {"data": {"values": [{"share": 0.5}]}, "mark": "point", "encoding": {"x": axis}}
    drawn = draw_svg(Figure(name="shares", title="", alt="", caption="", spec=spec))
    assert ">50 %<" in drawn
