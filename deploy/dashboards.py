"""Ask a Prometheus every question of the Grafana dashboards, and name those that it has no answer to.

Grafana draws an empty panel for a misspelt metric, and says nothing. This asks what Grafana would ask:

    python deploy/dashboards.py http://127.0.0.1:9090
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx

FOLDER = Path(__file__).resolve().parent / "grafana" / "dashboards"
VARIABLES = {"__rate_interval": "1m", "__interval": "15s", "__range": "1h"}
METRIC = re.compile(r"\b\w+:\w+:\w+|\bvigie_\w+")
VARIABLE = re.compile(r"\$(\w+)")
LABEL = re.compile(r"{{\s*(\w+)\s*}}")


class Question(NamedTuple):
    """What one panel asks: where it is, its PromQL with Grafana's variables put in, and the labels its legend shows."""

    place: str
    expression: str
    labels: frozenset[str]

    @property
    def metrics(self) -> frozenset[str]:
        """The names in the expression, recorded ones among them."""
        return frozenset(METRIC.findall(self.expression))


def questions(dashboards: Iterable[str]) -> list[Question]:
    """Return what dashboards ask, given their JSON.

    Raises:
        ValueError: an expression holds a variable that is none of `VARIABLES`.
    """
    found = []
    for text in dashboards:
        board = json.loads(text)
        for panel in board["panels"]:
            for target in panel["targets"]:
                place = f"{board['title']} / {panel['title']}"
                expression = VARIABLE.sub(lambda found: VARIABLES.get(found[1], found[0]), target["expr"])
                if "$" in expression:
                    raise ValueError(f"{place}: which variable is in {expression}?")
                found.append(Question(place, expression, frozenset(LABEL.findall(target["legendFormat"]))))
    return found


def unanswered(asked: Iterable[Question], prometheus: str) -> list[str]:
    """Return a sentence for each question that is wrong, names an unknown metric or label, or has no answer.

    Args:
        asked: the questions.
        prometheus: address of a Prometheus that reads a server which has had traffic and outcomes and was watched.
    """
    with httpx.Client(base_url=f"{prometheus}/api/v1", timeout=30) as http:
        known = set(http.get("/label/__name__/values").raise_for_status().json()["data"])
        return [f"{one.place}: {wrong}" for one in asked if (wrong := _wrong(one, known, http))]


def _wrong(asked: Question, known: set[str], http: httpx.Client) -> str:
    if strangers := asked.metrics - known:
        return f"there is no {', '.join(sorted(strangers))}"
    answer = http.get("/query", params={"query": asked.expression}).json()
    if answer["status"] != "success":
        return str(answer["error"])
    series: list[dict[str, Any]] = answer["data"]["result"]
    if not series:
        return f"nothing answers {asked.expression}"
    missing = {label for label in asked.labels for one in series if label not in one["metric"]}
    return f"its legend shows {', '.join(sorted(missing))}, which the answer has not" if missing else ""


def committed() -> list[str]:
    """Return the JSON of every dashboard."""
    return [file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.json"))]


@click.command()
@click.argument("prometheus")
def main(prometheus: str) -> None:
    """Ask PROMETHEUS, an address, what the dashboards ask; end with 1 where something is not answered."""
    asked = questions(committed())
    without = unanswered(asked, prometheus.rstrip("/"))
    for sentence in without:
        click.echo(sentence)
    click.echo(f"{len(asked) - len(without)} of {len(asked)} questions are answered.")
    sys.exit(bool(without))


if __name__ == "__main__":
    main()
