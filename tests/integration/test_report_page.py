"""The training report in a real browser: it asks for nothing, complains of nothing, and runs no name as a script."""

import shutil
import socketserver
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.evaluation.value import DecisionValue
from vigie.monitoring.assess import Reference, WindowRows, assess
from vigie.monitoring.counts import count_window
from vigie.monitoring.performance import PerformanceRule
from vigie.monitoring.profile import build_profile
from vigie.monitoring.report import PageInputs
from vigie.monitoring.report import build as build_window
from vigie.monitoring.thresholds import AlarmRule
from vigie.reporting.page import page
from vigie.training.dataset import DataSpec, build_dataset
from vigie.training.report import Effort, Provenance, ReportInputs, render
from vigie.training.search import TrainingSpec, train_candidates
from vigie.training.split import split

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
)  # fmt: skip
HOSTILE = (
    "<script>document.title='ran'</script>",
    "\"><img src=http://asked.invalid/x onerror=\"document.title='ran'\">",
    "</style></svg><style>@import 'http://asked.invalid/y';</style>",
    "x' onmouseover='document.title=1",
    "datum['y'] + ${1+1} {{7*7}}",
    "a.b[0]\\.c",
    '  url(#clip0) fill="#2563a8" ]]>',
    "日本 العربية 🙂",
)  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine, so the page was not opened"),
]


class Census(HTMLParser):
    """Which elements and attributes a document holds."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count an element."""
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}


class Trap:
    """A proxy that answers nothing and remembers who was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        trap = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                line = self.rfile.readline().decode("latin-1").split()
                if len(line) > 1:
                    trap.asked.append(urlsplit(line[1]).hostname or line[1].rsplit(":", 1)[0])

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hosts_of(self, address: str, profile: Path) -> tuple[set[str], list[str], str]:
        """Open an address; return the hosts asked for, what the console says, and the document as it stands."""
        self.asked.clear()
        proxy = f"--proxy-server=http://127.0.0.1:{self.server.server_address[1]}"
        found = subprocess.run(
            [CHROMIUM, *FLAGS, proxy, f"--user-data-dir={profile}", "--dump-dom", address],
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
        )
        return set(self.asked), [line for line in found.stderr.splitlines() if "CONSOLE" in line], found.stdout


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    """Stand between the browser and the world."""
    found = Trap()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module")
def own(trap: Trap, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Hosts that the browser asks for by itself, on an empty page."""
    return trap.hosts_of("about:blank", tmp_path_factory.mktemp("blank"))[0]


@pytest.fixture(scope="module")
def report() -> str:
    """A page in which every name is hostile: features, levels, classes, the model, the source."""
    rng, n = np.random.default_rng(5), 400
    columns = {name: rng.normal(size=n) for name in HOSTILE[:-1]}
    signal = sum(columns.values())
    columns[HOSTILE[-1]] = pa.array([HOSTILE[at] for at in rng.integers(0, 3, n)])
    target = "<b>target</b>"
    columns[target] = pa.array([HOSTILE[0] if value > 0 else HOSTILE[1] for value in signal + rng.normal(size=n)])
    spec = DataSpec(target, None, None, None, None, (), 0.25, 1, "auto")
    dataset = build_dataset(pa.table(columns), spec, None)
    parts = split(dataset, spec)
    board = train_candidates(
        dataset,
        parts,
        TrainingSpec(("logistic",), "roc_auc", 4, 1, None),
        progress=lambda *_: None,
        seconds=lambda: 0.0,
    )
    told = Provenance(datetime(2026, 1, 1, tzinfo=UTC), HOSTILE[0], HOSTILE[1], {HOSTILE[2]: HOSTILE[3]}, {})
    effort = Effort(rows=200, folds=2, steps=3, shuffles=2, judged_rows=100)
    value = DecisionValue(80.0, -10.0, -60.0, 0.0, "</title><i>EUR</i>")
    return render(ReportInputs(HOSTILE[0], dataset, parts, board, 4, 1, value, HOSTILE[1], told, effort))


@pytest.fixture(scope="module")
def window() -> str:
    """A monitored window in which every name is hostile: features, levels, the model, the reasons."""
    rng, n = np.random.default_rng(6), 600
    features = (*(Feature(name, Kind.NUMBER) for name in HOSTILE[:-1]), Feature(HOSTILE[-1], Kind.CATEGORY))
    schema = Schema(features, Target("t", Task.REGRESSION))

    def rows(shift: float) -> pd.DataFrame:
        columns = {name: rng.normal(shift, 1, n) for name in HOSTILE[:-1]}
        levels = [HOSTILE[at] for at in rng.integers(0, 3, n)]
        return model_frame(schema, {**columns, HOSTILE[-1]: levels})

    profile = build_profile(schema, rows(0.0), rng.normal(size=n))
    frame, said = rows(1.0), rng.normal(1, 1, n)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    counts = count_window(profile, frame, said)
    found = WindowRows(Window(moment, moment), counts, None, np.empty(0), None)
    rule = AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=100)
    performance = PerformanceRule(("rmse",), 0.02, 100, 0.05)
    report = assess(found, Reference(HOSTILE[0], HOSTILE[1], Task.REGRESSION, profile, {}), rule, performance, look=1)
    return page(build_window(PageInputs(report, profile, counts, rule, 0.02, 100, moment)))


def censused(document: str) -> Census:
    """Count what a document is made of, and find nothing in it that a name could have brought in."""
    census = Census()
    census.feed(document)
    assert not census.tags.keys() & {"script", "img", "i", "b", "iframe", "link", "object"}
    assert not [name for name in census.attributes if name.startswith("on")]
    return census


def test_the_page_of_a_window_asks_for_nothing_either(trap: Trap, own: set[str], window: str, tmp_path: Path) -> None:
    """The same promises for the monitoring page."""
    file = tmp_path / "window.html"
    file.write_text(window, encoding="utf-8")
    asked, console, document = trap.hosts_of(file.as_uri(), tmp_path / "profile")
    assert asked <= own
    assert console == []
    census = censused(document)
    assert census.tags["svg"] >= len(HOSTILE) + 1
    assert "<title>Monitoring of &lt;script&gt;" in document


def test_the_page_asks_for_nothing_and_says_nothing(trap: Trap, own: set[str], report: str, tmp_path: Path) -> None:
    """No host besides the browser's own, an empty console, no element that a name brought in."""
    file = tmp_path / "report.html"
    file.write_text(report, encoding="utf-8")
    asked, console, document = trap.hosts_of(file.as_uri(), tmp_path / "profile")
    assert asked <= own
    assert console == []
    census = censused(document)
    assert census.tags["style"] == 1
    assert "<title>Training report of &lt;script&gt;" in document


def test_a_page_that_asks_is_caught(trap: Trap, own: set[str], tmp_path: Path) -> None:
    """Control: without a policy an image is asked for and a script runs, and both are seen."""
    file = tmp_path / "open.html"
    file.write_text(f"<body>{HOSTILE[1]}{HOSTILE[0]}<script>console.error('ran')</script></body>", encoding="utf-8")
    asked, console, document = trap.hosts_of(file.as_uri(), tmp_path / "profile")
    assert "asked.invalid" in asked - own
    assert any("ran" in line for line in console)
    assert "<title>ran</title>" in document


def test_the_policy_stops_what_escaping_would_miss(trap: Trap, own: set[str], report: str, tmp_path: Path) -> None:
    """Were a name to reach the page as markup, the browser would refuse it and say so."""
    file = tmp_path / "injected.html"
    file.write_text(report.replace("<main", f"{HOSTILE[1][2:]}{HOSTILE[0]}<main", 1), encoding="utf-8")
    asked, console, document = trap.hosts_of(file.as_uri(), tmp_path / "profile")
    assert "asked.invalid" not in asked - own
    assert sum("Content Security Policy" in line for line in console) >= 2
    assert "<title>ran</title>" not in document
