"""Alerting rules: valid, tested both ways, explained in a runbook, and about metrics that exist."""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from vigie.api.telemetry import COUNTERS

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
LEVELS = ("technical", "data", "business")
METRIC = re.compile(r"\b\w+:\w+:\w+|\bvigie_\w+")


def rules():
    """Return every alerting rule with the name of its file."""
    return [
        pytest.param(file.stem, rule, id=rule["alert"])
        for file in RULES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def test_prometheus_takes_the_rules(tool):
    """``promtool check rules`` finds nothing wrong."""
    done = tool("promtool", "check", "rules", *RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("level", LEVELS)
def test_rules_fire_and_keep_quiet_as_their_cases_say(tool, deploy, level):
    """``promtool test rules`` passes."""
    done = tool("promtool", "test", "rules", deploy / "prometheus" / "tests" / f"{level}.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_case_that_is_wrong_is_found(tool, deploy, tmp_path):
    """With a threshold above what the cases have, the same cases fail: they can."""
    for folder in ("rules", "tests"):
        (tmp_path / folder).mkdir()
        for file in (deploy / "prometheus" / folder).glob("*.yml"):
            (tmp_path / folder / file.name).write_text(file.read_text().replace("> 0.02 and", "> 0.2 and"))
    assert tool("promtool", "test", "rules", tmp_path / "tests" / "technical.yml").returncode == 1


@pytest.mark.parametrize(("level", "rule"), rules())
def test_a_rule_says_how_grave_it_is_and_what_to_do(level, rule):
    """Severity, level, summary, and a runbook that exists and names the rule."""
    assert rule["labels"]["severity"] in {"page", "notice"}
    assert rule["labels"]["level"] == level
    assert rule["annotations"]["summary"]
    assert rule["alert"] in (ROOT / rule["annotations"]["runbook_url"]).read_text()


@cache
def cases_of(level):
    """Return the cases of a level."""
    return yaml.safe_load((ROOT / "deploy" / "prometheus" / "tests" / f"{level}.yml").read_text())["tests"]


@pytest.mark.parametrize(("level", "rule"), rules())
def test_a_rule_has_a_case_that_fires_and_one_that_does_not(level, rule):
    """Its test file expects an alert at one time, and, at another or of another series, none."""
    cases = cases_of(level)
    named = [(case, test) for case in cases for test in case["alert_rule_test"] if test["alertname"] == rule["alert"]]
    assert any(test.get("exp_alerts") for _, test in named)
    silent = any(not test.get("exp_alerts") for _, test in named)
    more_jobs_than_alerts = any(
        len({re.search(r'job="(\w+)"', series["series"])[1] for series in case["input_series"]})
        > len(test.get("exp_alerts", ()))
        for case, test in named
    )
    assert silent or more_jobs_than_alerts


def unknown_names(text, metrics):
    """Return the metrics that rules name and neither the reference nor a recording rule has."""
    return set(METRIC.findall(text)) - set(metrics)


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_rules_ask_for_metrics_that_exist(file, metrics):
    """Every name is in the reference, or recorded by a rule; a misspelt one is found."""
    assert set(COUNTERS) <= set(metrics)
    assert unknown_names(file.read_text(), metrics) == set()
    assert unknown_names("sum(rate(vigie_request_total[5m]))", metrics) == {"vigie_request_total"}


def test_alertmanager_takes_its_routes(tool, deploy):
    """``amtool check-config`` finds nothing wrong."""
    done = tool("amtool", "check-config", deploy / "alertmanager" / "alertmanager.yml")
    if "url_file not found" in done.stderr + done.stdout:
        pytest.skip("this Alertmanager is older than 0.26")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("severity", "receiver"), [("page", "pages"), ("notice", "notices")])
def test_a_page_and_a_notice_go_where_they_should(tool, deploy, severity, receiver):
    """``amtool config routes test`` names the receiver."""
    file = deploy / "alertmanager" / "alertmanager.yml"
    if "url_file not found" in (checked := tool("amtool", "check-config", file)).stderr + checked.stdout:
        pytest.skip("this Alertmanager is older than 0.26")
    done = tool("amtool", "config", "routes", "test", f"--config.file={file}", f"severity={severity}")
    assert done.stdout.split() == [receiver]
