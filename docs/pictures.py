"""Draw the pictures of the page on flights, from the JSON of a year judged month by month.

In ``examples/flights``, after ``vigie train``::

    vigie monitor --data data:load_year --by month --json > /tmp/year.json
    python ../../docs/pictures.py /tmp/year.json
"""  # noqa: INP001  a script beside the pages it serves

import json
import sys
from pathlib import Path
from typing import Any

from vigie.reporting.drawing import draw_svg
from vigie.reporting.marks import Scale, chart, dots, line, many_lines, rows, spans, tiles, words
from vigie.reporting.parts import Figure
from vigie.reporting.theme import FIRST, MUTED, SECOND

FOLDER = Path(__file__).parent / "examples" / "pictures"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHOWN = {"May": MUTED, "Jul": SECOND, "Oct": FIRST}
"""Months whose reliability is drawn."""

Month = dict[str, Any]


def main(path: Path) -> None:
    """Write every picture into ``docs/examples/pictures``."""
    months = json.loads(path.read_text(encoding="utf-8"))[: len(MONTHS)]
    FOLDER.mkdir(exist_ok=True)
    for name, spec in {
        "flights_log_loss": realised_and_estimated(months, "log_loss", "log-loss (nats)"),
        "flights_roc_auc": realised_and_estimated(months, "roc_auc", "ROC-AUC"),
        "flights_drift": drift(months),
        "flights_calibration": calibration(months),
    }.items():
        ground = {"background": "white", "padding": 8}  # these stand on their own, in pages of any colour
        figure = Figure(name=name, title="", alt="", caption="", spec=spec | ground)
        (FOLDER / f"{name}.svg").write_text(str(draw_svg(figure)) + "\n", encoding="utf-8")


def realised_and_estimated(months: list[Month], metric: str, title: str) -> dict[str, Any]:
    """Return a chart of what came out, with its interval, and of what was estimated on the same rows."""
    found = [next(pair for pair in month["performance"]["metrics"] if pair["current"]["name"] == metric)
             for month in months]  # fmt: skip
    realised = [pair["current"] for pair in found]
    trials = [next(trial for trial in month["estimate"]["trials"] if trial["metric"] == metric) for month in months]
    estimated = [trial["estimated"] for trial in trials]
    promised = found[0]["reference"]["value"]
    bounds = rows(x=MONTHS, low=[item["interval"]["low"] for item in realised],
                  high=[item["interval"]["high"] for item in realised])  # fmt: skip
    last = MONTHS[-1:]
    layers = [
        line(rows(x=MONTHS, y=[promised] * len(MONTHS)), MUTED, width=1.2, dash=(4, 3)),
        line(rows(x=MONTHS, y=estimated), SECOND, dash=(2, 2)),
        dots(rows(x=MONTHS, y=estimated), SECOND, hollow=True),
        spans(bounds, FIRST, upright=True),
        line(rows(x=MONTHS, y=[item["value"] for item in realised]), FIRST),
        dots(rows(x=MONTHS, y=[item["value"] for item in realised]), FIRST),
        words(rows(x=last, y=[promised], text=["promised"]), MUTED, dy=12 if estimated[-1] > promised else -9),
        words(rows(x=last, y=estimated[-1:], text=["estimated"]), SECOND),
        words(rows(x=last, y=[realised[-1]["value"]], text=["came out"]), FIRST),
    ]
    return chart(layers, Scale("", kind="nominal", order=MONTHS), Scale(title))


def drift(months: list[Month]) -> dict[str, Any]:
    """Return a map of months and columns: the bias-corrected PSI, full colour from 0.5 on."""
    cells = [
        (month, feature["name"], _statistic(feature, "psi_corrected"))
        for month, report in zip(MONTHS, months, strict=True)
        for feature in (*report["features"], report["prediction"])
    ]
    columns = tuple(dict.fromkeys(name for _, name, _ in cells))
    places = {"x": [month for month, _, _ in cells], "y": [name for _, name, _ in cells]}
    weights = [min(1.0, max(0.0, psi) / 0.5) for _, _, psi in cells]
    texts = [f"{psi:.2f}" if psi >= 0.1 else "" for _, _, psi in cells]
    layers = [tiles(rows(**places, weight=weights)), words(rows(**places, text=texts), align="center", dx=0)]
    scales = Scale("", kind="nominal", order=MONTHS), Scale("", kind="nominal", order=columns, limit=120)
    return chart(layers, *scales, height=24 * len(columns))


def calibration(months: list[Month]) -> dict[str, Any]:
    """Return reliability curves of some months: what was said against what came true."""
    found = {name: months[MONTHS.index(name)]["performance"]["calibration"]["bins"] for name in SHOWN}
    points = [(name, item["said"], item["came_true"], SHOWN[name]) for name, bins in found.items() for item in bins]
    names, said, came, colours = (list(column) for column in zip(*points, strict=True))
    ends = [bins[-1] for bins in found.values()]
    layers = [
        line(rows(x=[0.0, 0.5], y=[0.0, 0.5]), MUTED, width=1.2, dash=(4, 3)),
        many_lines(rows(x=said, y=came, name=names, colour=colours), width=2),
        *(
            words(rows(x=[end["said"]], y=[end["came_true"]], text=[name]), SHOWN[name])
            for name, end in zip(found, ends, strict=True)
        ),
    ]
    share = {"domain": (0.0, 0.7), "format": ".0%"}
    return chart(layers, Scale("said: probability of being late", **share), Scale("came true", **share), height=280)


def _statistic(feature: dict[str, Any], name: str) -> float:
    return next((item["value"] for item in feature["statistics"] if item["name"] == name), None) or 0.0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
