"""Dashboards: the committed JSON is what the generator writes, nothing in it is lost, and all that it names exists."""

import json

import pytest
import yaml


def test_the_committed_dashboards_are_the_generated_ones(generator, deploy):
    """Regenerating gives the same files, and no file is left over."""
    written = {file.name: file.read_text() for file in (deploy / "grafana" / "dashboards").glob("*.json")}
    assert generator.dashboards() == written


def lost_keys(raw, again):
    """Return what a document holds that did not survive reading and writing it."""
    if isinstance(raw, dict) and isinstance(again, dict):
        return [key for key in raw if key not in again and raw[key]] + [
            lost for key in raw if key in again for lost in lost_keys(raw[key], again[key])
        ]
    if isinstance(raw, list) and isinstance(again, list):
        return [lost for one, other in zip(raw, again, strict=True) for lost in lost_keys(one, other)]
    return []


def round_trip(raw):
    """Read a dashboard as Grafana's own schema has it, and write it again."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: PLC0415 - not on every machine
    from grafana_foundation_sdk.cog.plugins import register_default_plugins  # noqa: PLC0415 - as above
    from grafana_foundation_sdk.models.dashboard import Dashboard  # noqa: PLC0415 - as above

    register_default_plugins()
    return json.loads(JSONEncoder().encode(Dashboard.from_json(raw)))


def test_every_field_is_one_that_grafana_knows(generator):
    """Nothing is lost when a dashboard is read by Grafana's schema; a misspelt field is."""
    for text in generator.dashboards().values():
        raw = json.loads(text)
        assert lost_keys(raw, round_trip(raw)) == []
        raw["panels"][0]["heading"] = "misspelt"
        assert lost_keys(raw, round_trip(raw)) == ["heading"]


@pytest.fixture
def boards(deploy):
    """Return the committed dashboards, as Grafana would read them."""
    return [json.loads(file.read_text()) for file in sorted((deploy / "grafana" / "dashboards").glob("*.json"))]


@pytest.fixture
def provisioned(deploy):
    """Return the data source that provisioning makes."""
    file = deploy / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    (source,) = yaml.safe_load(file.read_text())["datasources"]
    return {"type": source["type"], "uid": source["uid"]}


def strangers(boards, provisioned):
    """Return the titles of the panels that ask another data source, themselves or in a query."""
    return [
        panel["title"]
        for board in boards
        for panel in board["panels"]
        if any(one["datasource"] != provisioned for one in [panel, *panel["targets"]])
    ]


def test_every_panel_asks_the_provisioned_source(boards, provisioned):
    """None asks another; one that does, in its query alone, is found."""
    assert strangers(boards, provisioned) == []
    boards[1]["panels"][2]["targets"][0]["datasource"] = {"type": "prometheus", "uid": "prometheus"}
    assert strangers(boards, provisioned) == [boards[1]["panels"][2]["title"]]


def test_ids_are_each_once(boards):
    """Dashboards have uids of their own, and panels ids of their own."""
    assert len({board["uid"] for board in boards}) == len(boards) == 3
    for board in boards:
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def unknown_names(asked, metrics):
    """Return the metrics and labels that questions name and the reference does not have."""
    labels = set().union(*metrics.values()) | {"job", "instance"}
    names = {name for one in asked for name in one.metrics}
    return sorted((names - set(metrics)) | {label for one in asked for label in one.labels - labels})


def test_every_metric_and_label_exists(dashboards, metrics):
    """Each is in the reference, or recorded by a rule; misspelt ones are found, in a query and in a legend."""
    texts = dashboards.committed()
    assert len(dashboards.questions(texts)) == 18
    assert unknown_names(dashboards.questions(texts), metrics) == []
    for right, wrong, found in [
        ("vigie_predictions_total", "vigie_prediction_total", "vigie_prediction_total"),
        ("job:vigie_failures:share5m", "job:vigie_failure:share5m", "job:vigie_failure:share5m"),
        ("{{feature}}", "{{column}}", "column"),
    ]:
        spoilt = [text.replace(right, wrong) for text in texts]
        assert spoilt != texts
        assert unknown_names(dashboards.questions(spoilt), metrics) == [found]


def test_a_variable_that_is_not_known_is_refused(dashboards):
    """An expression that Grafana alone could read would go unchecked."""
    (text,) = (text for text in dashboards.committed() if "is the service well" in text)
    with pytest.raises(ValueError, match=r"which variable is in .*\$__interval_ms"):
        dashboards.questions([text.replace("$__rate_interval", "$__interval_ms")])


ANSWERS = {"vigie_up": [{"metric": {"job": "a"}, "value": [0, "1"]}], "vigie_silent": []}


@pytest.mark.parametrize(
    ("expression", "labels", "sentence"),
    [
        ("vigie_up", {"job"}, []),
        ("vigie_down", {"job"}, ["here: there is no vigie_down"]),
        ("vigie_silent", set(), ["here: nothing answers vigie_silent"]),
        ("vigie_up", {"job", "worker"}, ["here: its legend shows worker, which the answer has not"]),
        ("vigie_up(", set(), ["here: parse error"]),
    ],
)
def test_what_prometheus_cannot_answer_is_told(dashboards, answering, expression, labels, sentence):
    """An unknown name, no series, a label that the series lack, an expression that does not parse."""

    def prometheus(path, query):
        if path == "/api/v1/label/__name__/values":
            return {"status": "success", "data": list(ANSWERS)}
        if query not in ANSWERS:
            return {"status": "error", "error": "parse error"}
        return {"status": "success", "data": {"result": ANSWERS[query]}}

    asked = [dashboards.Question("here", expression, frozenset(labels))]
    assert dashboards.unanswered(asked, answering(prometheus)) == sentence
