"""One decision function: terminal, JSON, page, Prometheus and alerts say the same of the same window."""

import json
import re
from dataclasses import replace
from html import escape
from io import StringIO

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from vigie.adapters.verdict_file import LEVELS, MAX_FEATURES, OTHER, write_verdicts
from vigie.alerting.memory import open_alerts
from vigie.cli.report import print_report
from vigie.domain.event import EventKind
from vigie.domain.measurement import Verdict
from vigie.domain.service import ServiceSample
from vigie.loop.hours import counts_in
from vigie.loop.monitor import monitor, open_window
from vigie.loop.picture import picture
from vigie.monitoring.assess import assess_service
from vigie.monitoring.report.others import others
from vigie.monitoring.technical import ServiceRule
from vigie.reporting.page import POLICY
from vigie.testing import InMemoryLedger
from vigie.testing.tables import churn_table

TABLES = {
    "calm": lambda: churn_table(800, seed=2),
    "changed": lambda: churn_table(2_000, seed=3, drift=1.0, relation=1.0),
    "inputs only": lambda: churn_table(1_200, seed=3, drift=0.6),
    "too few": lambda: churn_table(60, seed=4),
}


@pytest.fixture(params=list(TABLES))
def told(request, world, tmp_path):
    """Return a window as every way of telling it tells it."""
    world.change(retraining=replace(world.loop.rules.retraining, min_labelled=100_000))
    opened = world.opened()
    world.ask(TABLES[request.param]())
    turn = world.turn()
    report = turn.report
    screen = Console(record=True, width=80, file=StringIO())
    print_report(report, screen)
    standing = open_alerts(world.ledger.events("churn", kinds=(EventKind.ALERTED,)))
    write_verdicts(tmp_path / "v.prom", report, standing)
    gauges = {
        (item.name, item.labels.get("subject") or item.labels.get("feature")): item.value
        for family in text_string_to_metric_families((tmp_path / "v.prom").read_text())
        for item in family.samples
    }
    page = picture(world.loop, opened, report, counts_in(world.loop, opened, report.window))
    return turn, screen.export_text(), json.loads(json.dumps(report.to_dict())), page, gauges, standing


def test_every_way_of_telling_tells_the_same_verdicts(told):
    """The window's, the performance's, the predictions', and each feature's."""
    turn, screen, plain, page, gauges, standing = told
    report = turn.report
    assert f", {report.verdict.value}\n" in screen
    assert plain["verdict"] == report.verdict
    assert f'<dd class="value">{report.verdict.value}</dd>' in page
    assert gauges["vigie_verdict", "window"] == LEVELS[report.verdict]
    assert f"Performance: {report.performance.verdict.value}" in screen
    assert plain["performance"]["verdict"] == report.performance.verdict
    assert f"<p>Verdict: {report.performance.verdict.value}. " in page
    assert gauges["vigie_verdict", "performance"] == LEVELS[report.performance.verdict]
    for feature, said in zip(report.features, plain["features"], strict=True):
        assert re.search(rf"^{feature.name} +{feature.verdict.value}\b", screen, re.MULTILINE)
        assert said["verdict"] == feature.verdict
        assert f"<h3>{feature.name}: {feature.verdict.value}</h3>" in page
        assert gauges["vigie_feature_verdict", feature.name] == LEVELS[feature.verdict]
    alarms = {
        name for name, verdict in (
            ("performance", report.performance.verdict), ("prediction", report.prediction.verdict),
            ("inputs", Verdict.ALARM if report.drifted else Verdict.OK),
        ) if verdict is Verdict.ALARM and turn.closed
    }  # fmt: skip
    assert {alert.latest.subject.value for alert in standing} == alarms
    assert {name for (metric, name), value in gauges.items() if metric == "vigie_open_alerts" and value} == alarms
    assert (turn.alert is not None) == bool(alarms)


def test_labels_stay_bounded_however_many_features(world, tmp_path):
    """A hundred of them, the gravest; the rest share one series, also with a feature of that name."""
    world.ask(churn_table(400, seed=2))
    report = world.turn().report
    calm = report.features[0]
    many = tuple(replace(calm, name=f"f{k}", verdict=Verdict.OK) for k in range(MAX_FEATURES + 50))
    many = (replace(calm, name=OTHER, verdict=Verdict.WARN), *many, replace(calm, name="last", verdict=Verdict.ALARM))
    write_verdicts(tmp_path / "v.prom", replace(report, features=many), [])
    series = [
        (item.labels["feature"], item.value)
        for family in text_string_to_metric_families((tmp_path / "v.prom").read_text())
        for item in family.samples
        if item.name == "vigie_feature_verdict"
    ]
    found = dict(series)
    assert len(found) == len(series) == MAX_FEATURES
    assert (found["last"], found[OTHER]) == (2.0, 1.0)


def test_the_page_asks_for_nothing_and_takes_names_for_words(world):
    """No script, no address, no element that a name brought in; the picture is drawn in it."""
    opened = world.opened()
    world.ask(churn_table(400, seed=2))
    report = world.turn().report
    hostile = "<script>alert(1)</script><img src=http://asked.invalid/x>"
    features = (replace(report.features[0], name=hostile, reason=hostile), *report.features[1:])
    counts = counts_in(world.loop, opened, report.window)
    page = picture(world.loop, opened, replace(report, features=features, model=hostile), counts)
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("<svg") == len(features) + 3
    assert not re.search(r'(src|href)="(?!#)', page)
    assert escape(POLICY, quote=True) in page


def test_the_page_says_over_what_the_servers_numbers_were_taken(world):
    """As the terminal and JSON do."""
    opened = world.opened()
    world.ask(churn_table(400, seed=2))
    sample = ServiceSample(requests=40, failures=0, cpu_s=1.0, started_at_s=0.0, uptime_s=60.0, memory_bytes=2.0**21)
    report = assess_service(world.turn().report, sample, {}, ServiceRule())
    page = picture(world.loop, opened, report, counts_in(world.loop, opened, report.window))
    assert "Since the server began: 1970-01-01 00:00:00 UTC" in page
    assert "When the server was asked: 00:01:00 UTC" in page
    assert "40 requests" in page
    assert "1 reading" in page


def test_an_empty_window_says_what_to_do_everywhere(world):
    """A project that was trained and never served."""
    opened = world.opened()
    world.clock.advance(60)
    report = monitor(world.loop, opened, open_window(world.loop, "1"), look=1)
    page = picture(world.loop, opened, report, counts_in(world.loop, opened, report.window))
    assert "Ask a server that `vigie serve` started" in report.to_dict()["headline"][0]
    assert escape(report.nothing) in page
    forgetful = replace(world.loop, ledger=InMemoryLedger(world.clock))
    unknown = monitor(forgetful, opened, open_window(forgetful, "1"), look=1)
    assert "`vigie watch` opens one" in unknown.to_dict()["headline"][0]
    page = picture(world.loop, opened, unknown, counts_in(world.loop, opened, unknown.window))
    assert "No window yet, look 1" in page


def test_a_part_that_no_section_knows_is_shown_by_its_name(world):
    """A new part of a report is on the page before anybody draws it."""
    world.ask(churn_table(400, seed=2))
    report = world.turn().report

    class Wider:
        def to_dict(self):
            return report.to_dict() | {"newly_built": {"verdict": "ok", "values": [1.5, None]}}

    class Inputs:
        report = Wider()

    section = others(Inputs())
    (table,) = (table for table in section.tables if table.caption == "newly built")
    assert table.rows == (("verdict", "ok"), ("values / 1", "1.5"), ("values / 2", "\u2013"))
