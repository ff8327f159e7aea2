"""Charts of whatever data are called."""

import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

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
