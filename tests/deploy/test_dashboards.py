"""Dashboards: the committed JSON is what the generator writes, and nothing in it is lost or doubled."""

import json

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
    """Nothing is lost when a dashboard is read by Grafana's schema; a misspelt field would be."""
    for text in generator.dashboards().values():
        raw = json.loads(text)
        assert lost_keys(raw, round_trip(raw)) == []
        raw["panels"][0]["heading"] = "misspelt"
        assert lost_keys(raw, round_trip(raw)) == ["heading"]


def test_panels_have_ids_of_their_own_and_the_provisioned_source(generator, deploy):
    """Ids differ, and every panel and query asks the data source that provisioning makes."""
    provisioned = yaml.safe_load((deploy / "grafana" / "provisioning" / "datasources" / "prometheus.yml").read_text())
    source = {"type": "prometheus", "uid": provisioned["datasources"][0]["uid"]}
    boards = [json.loads(text) for text in generator.dashboards().values()]
    assert len({board["uid"] for board in boards}) == len(boards)
    for board in boards:
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        for panel in board["panels"]:
            assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [source] * 2
