"""A served model as its clients and its operator meet it."""

import signal
import time

import httpx
import psutil
import pytest

pytestmark = pytest.mark.slow

BAD_BODIES = {
    "not JSON": b"{",
    "empty": b"",
    "NaN": b'{"anciennete_mois": NaN}',
    "not UTF-8": b'{"anciennete_mois": "\xff"}',
    "a number": b"3",
    "an empty array": b"[]",
    "an array of arrays": b"[[1, 2, 3, 4, 5]]",
    "a missing feature": b'{"anciennete_mois": 6}',
    "an unknown feature": b'{"anciennete_mois": 6, "montant_mensuel": 1, "nb_reclamations": 1, "nb_produits": 1, '
    b'"satisfaction": 1, "churn": "oui"}',
    "a text for a number": b'{"anciennete_mois": "six", "montant_mensuel": 1, "nb_reclamations": 1, "nb_produits": 1, '
    b'"satisfaction": 1}',
    "a fraction for an integer": b'{"anciennete_mois": 6.5, "montant_mensuel": 1, "nb_reclamations": 1, '
    b'"nb_produits": 1, "satisfaction": 1}',
    "a null": b'{"anciennete_mois": null, "montant_mensuel": 1, "nb_reclamations": 1, "nb_produits": 1, '
    b'"satisfaction": 1}',
    "an overflow": b'{"anciennete_mois": 6, "montant_mensuel": 1e999, "nb_reclamations": 1, "nb_produits": 1, '
    b'"satisfaction": 1}',
    "a huge integer": b'{"anciennete_mois": 99999999999999999999, "montant_mensuel": 1, "nb_reclamations": 1, '
    b'"nb_produits": 1, "satisfaction": 1}',
    "deep nesting": b"[" * 100_000,
    "too many rows": b"[" + b"{}," * 1_001 + b"{}]",
    "too large": b" " * 2_000_000,
}


@pytest.fixture(scope="module")
def served(project):
    """Return a server's process and a client."""
    with project.server() as found:
        yield found


def test_the_chapters_customer_is_answered_logged_and_its_outcome_monitored(project, served, customer):
    """POST /predict, POST /feedback, vigie monitor: the loop's first half by hand."""
    _, http = served
    before = project.json("monitor")
    answer = http.post("/predict", json=customer).raise_for_status().json()
    assert answer["prediction"] == "oui"
    assert 0.5 < answer["probability"] < 1
    assert answer["model"] == {"name": "churn", "version": "1"}
    receipt = http.post("/feedback", json={"prediction_id": answer["prediction_id"], "outcome": "oui"})
    assert (receipt.status_code, receipt.json()["matched"]) == (200, True)
    after = project.json("monitor")
    assert after["n"] == before["n"] + 1
    known = {item["current"]["name"]: item["current"]["n"] for item in after["performance"]["metrics"]}
    known_before = {item["current"]["name"]: item["current"]["n"] for item in before["performance"]["metrics"]}
    assert known["log_loss"] == known_before["log_loss"] + 1
    assert after["performance"]["coverage"]["value"] > 0


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_body_is_a_problem_and_the_server_lives_on(served, customer, body):
    """4xx as problem+json that says what to mend; the next customer is answered."""
    _, http = served
    refused = http.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= refused.status_code < 500
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == refused.status_code
    assert refused.json()["detail"] or refused.json()["errors"]
    assert http.post("/predict", json=customer).status_code == 200


def test_a_server_of_a_compiled_model_is_small(served, customer):
    """After an answer, no numeric library is mapped into its memory, which stays below 80 MB."""
    process, http = served
    assert http.post("/predict", json=customer).status_code == 200
    server = psutil.Process(process.pid)
    mapped = {part for place in server.memory_maps() for part in place.path.split("/")}
    assert not {"numpy", "scipy", "sklearn", "pandas", "pyarrow", "mlflow"} & mapped
    assert "msgspec" in mapped, "the control: what is imported shows"
    assert server.memory_info().rss < 80e6


def test_a_second_server_on_the_same_port_says_so(project, served):
    """Exit code 2, one sentence, and the first one serves on."""
    _, http = served
    refused = project.run("serve", "--port", str(http.base_url.port), expect=2)
    assert "Cannot listen on" in refused.stderr
    assert "--port" in refused.stderr
    assert http.get("/readyz").status_code == 200


def test_promote_and_rollback_move_the_server_without_a_failed_request(project, served, customer, tools):
    """The server follows both, and each answer is by one whole version."""
    _, http = served
    assert project.json("train")["version"] == "2"
    with httpx.Client(base_url=http.base_url, timeout=30) as other, tools.trickle(other, customer) as seen:
        for arguments, version in ((("promote", "2"), "2"), (("rollback",), "1")):
            project.run(*arguments)
            tools.wait(lambda version=version: seen and seen[-1][1] == version, 30)
    assert {status for status, _, _ in seen} == {200}
    assert [event["kind"] for event in project.json("history")][-2:] == ["promoted", "rolled_back"]


def test_a_registry_that_cannot_be_read_does_not_touch_the_answers(project, served, customer):
    """The server goes on; the command line says what is wrong; afterwards all is as before."""
    process, http = served
    store = project.folder / ".vigie" / "mlflow.db"
    kept = store.rename(store.with_suffix(".kept"))
    store.write_bytes(b"this is not a database " * 400)
    try:
        time.sleep(1.5)
        assert http.post("/predict", json=customer).status_code == 200
        assert "MLflow could not" in project.run("promote", "2", expect=5).stderr
        assert http.get("/readyz").status_code == 200
        assert process.poll() is None
    finally:
        store.unlink()
        kept.rename(store)
    assert project.json("history")[-1]["kind"] == "rolled_back"


def test_sigterm_ends_the_server_and_its_follower(project, customer):
    """Exit code 0, and no process is left behind."""
    with project.server() as (process, http):
        assert http.post("/predict", json=customer).status_code == 200
        family = psutil.Process(process.pid).children(recursive=True)
        assert family, "the follower should run"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        _, alive = psutil.wait_procs(family, 60)
        assert alive == []


def test_after_kill_9_every_acknowledged_prediction_is_in_the_log(project, customer, tools):
    """Under load, without warning; the next server starts, and no follower of the first is left."""
    with project.server() as (process, http):
        family = psutil.Process(process.pid).children(recursive=True)
        with httpx.Client(base_url=http.base_url, timeout=30) as other, tools.trickle(other, customer, 0.0) as seen:
            tools.wait(lambda: len(seen) >= 100, 30)
            process.kill()
            process.wait(10)
        acknowledged = [which for status, _, which in seen if status == 200]
        assert len(acknowledged) >= 100
        _, alive = psutil.wait_procs(family, 15)
        assert alive == []
    with project.server() as (_, http):
        items = [{"prediction_id": which, "outcome": "oui"} for which in acknowledged[:1000]]
        receipts = http.post("/feedback", json=items).raise_for_status().json()
        assert [receipt["matched"] for receipt in receipts] == [True] * len(items)
        stranger = {"prediction_id": "01890000-0000-7000-8000-000000000000", "outcome": "oui"}
        assert http.post("/feedback", json=stranger).json()["matched"] is False, "the control must not match"


def test_the_registry_may_be_away_when_the_server_starts(project, customer):
    """The bundle is in the cache: a restart needs no registry."""
    store = project.folder / ".vigie" / "mlflow.db"
    kept = store.rename(store.with_suffix(".kept"))
    try:
        with project.server(VIGIE_STORES__TRACKING_URI="http://127.0.0.1:9") as (_, http):
            assert http.post("/predict", json=customer).status_code == 200
    finally:
        store.unlink(missing_ok=True)
        kept.rename(store)
