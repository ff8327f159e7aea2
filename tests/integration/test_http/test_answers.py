"""What a client gets for a good request, and for a good request at a bad time."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}


def test_the_curl_of_the_source_chapter_is_answered_and_logged(churn_server):
    """The churn example's five features get a prediction and a probability, and the row is in the log."""
    body = (
        b'{"anciennete_mois": 6, "montant_mensuel": 89.99, "nb_reclamations": 5, "nb_produits": 1, "satisfaction": 1.5}'
    )
    response = churn_server.post("/predict", body)
    answer = response.json()
    assert response.status_code == 200
    assert list(answer) == ["prediction_id", "prediction", "probability", "model", "warnings"]
    assert (answer["prediction"] == "oui") == (answer["probability"] > 0.5)
    assert answer["model"] == {"name": "people", "version": "3"}
    assert answer["warnings"] == []
    (record,) = churn_server.log.records
    assert record.id == UUID(answer["prediction_id"])
    assert record.features == (6, 89.99, 5, 1, 1.5)


def test_an_array_is_answered_in_order(server):
    """Two rows in one array get the answers that each gets alone, and warnings stay with their row."""
    other = PERSON | {"age": 95, "city": "Tokyo"}
    both = server.post("/predict", [PERSON, other]).json()
    alone = [server.post("/predict", row).json() for row in (PERSON, other)]
    assert [answer["probability"] for answer in both] == pytest.approx([answer["probability"] for answer in alone])
    assert both[0]["warnings"] == []
    assert [(note["code"], note["feature"]) for note in both[1]["warnings"]] == [
        ("outside-range", "age"),
        ("unknown-category", "city"),
    ]


def test_a_multiclass_answer_names_every_class(species_server):
    """Classes that are numbers become JSON keys, and their probabilities add up to one."""
    answer = species_server.post("/predict", {"size": 0.5}).json()
    assert list(answer["probabilities"]) == ["1", "2", "3"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert answer["prediction"] == int(max(answer["probabilities"], key=answer["probabilities"].get))


def test_a_regression_answer_has_no_probability(price_server):
    """A number needs no probability."""
    answer = price_server.post("/predict", {"size": 0.5}).json()
    assert isinstance(answer["prediction"], float)
    assert not {"probability", "probabilities"} & set(answer)


def test_the_entity_is_kept_and_is_no_feature(server):
    """The entity column may be sent beside the features, as text or as an integer."""
    first, second = PERSON | {"client": "c-1"}, PERSON | {"client": 42}
    assert server.post("/predict", [first, second, PERSON]).status_code == 200
    assert [record.entity for record in server.log.records] == ["c-1", "42", None]


def test_a_broken_log_means_no_answer(server):
    """A prediction that cannot be kept is not given away: 503, try later, and nothing of our disk is told."""
    server.log.broken = True
    response = server.post("/predict", PERSON)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert "prediction" not in response.json()
    assert "secret" not in response.text


def test_a_model_that_breaks_is_a_problem_with_an_id_and_no_trace(server, people_model, caplog):
    """An unforeseen error is 500 with an id; the log has the trace under the same id."""

    class _Broken:
        kind = "compiled"

        def score_rows(self, _rows):
            raise ZeroDivisionError("internal detail")

    server.slots.swap(type(people_model)("people", "4", people_model.schema, _Broken(), NOW))
    response = server.post("/predict", PERSON)
    assert response.status_code == 500
    assert "internal detail" not in response.text
    assert response.json()["instance"] in caplog.text
    assert "internal detail" in caplog.text
    server.slots.swap(people_model)
    assert server.post("/predict", PERSON).status_code == 200


def test_without_a_model_the_server_is_alive_and_not_ready(empty_server):
    """Before the first model, requests are 503 problems, and only liveness is fine."""
    server = empty_server
    assert server.get("/livez").status_code == 200
    assert server.get("/readyz").status_code == 503
    assert server.get("/health").json()["status"] == "unavailable"
    assert server.get("/openapi.json").status_code == 200
    response = server.post("/predict", PERSON)
    assert (response.status_code, response.json()["type"]) == (503, "urn:vigie:problem:no-model")


def test_readiness_and_health_follow_the_log(server):
    """A log that cannot be written makes the server unready, and health says why."""
    assert server.get("/readyz").status_code == 200
    health = server.get("/health").json()
    assert health["status"] == "ok"
    assert health["model"] == {"name": "people", "version": "3", "created_at": "2026-03-01T12:00:00Z"}
    assert health["log"] == {"mode": "durable", "writable": True}
    assert health["memory_bytes"] > 2**20
    assert health["uptime_s"] > 0
    server.log.broken = True
    assert server.get("/readyz").status_code == 503
    assert server.get("/health").json()["log"] == {"mode": "durable", "writable": False}


def test_feedback_is_recorded_repeated_and_contradicted(server):
    """The same outcome twice is fine; another one without a later time is a conflict and changes nothing."""
    prediction_id = server.post("/predict", PERSON).json()["prediction_id"]
    first = server.post("/feedback", {"prediction_id": prediction_id, "outcome": "yes"})
    assert (first.status_code, first.json()["status"], first.json()["matched"]) == (200, "recorded", True)
    again = server.post("/feedback", {"prediction_id": prediction_id, "outcome": "yes"})
    assert (again.status_code, again.json()["status"]) == (200, "unchanged")
    other = server.post("/feedback", {"prediction_id": prediction_id, "outcome": "no"})
    assert (other.status_code, other.json()["type"]) == (409, "urn:vigie:problem:feedback-conflict")
    batch = [{"prediction_id": prediction_id, "outcome": outcome} for outcome in ("no", "yes")]
    assert [item["status"] for item in server.post("/feedback", batch).json()] == ["conflict", "unchanged"]


def test_feedback_for_an_unknown_prediction_is_accepted_and_unmatched(server):
    """It may be early: 202, matched false."""
    body = {"prediction_id": "0198c0de-0000-7000-8000-000000000000", "outcome": "yes"}
    response = server.post("/feedback", body)
    assert (response.status_code, response.json()["matched"]) == (202, False)


def test_metrics_count_what_happened_without_values_or_ids(server):
    """Prometheus sees routes, answers, warnings, feedback and the model, by closed sets of labels."""
    answer = server.post("/predict", [PERSON, PERSON | {"city": "Tokyo"}]).json()[0]
    server.post("/feedback", {"prediction_id": answer["prediction_id"], "outcome": "yes"})
    server.post("/predict", b"nonsense")
    server.get("/secret-path")
    text = server.get("/metrics").text
    for line in (
        'vigie_requests_total{code="200",method="POST",route="/predict"} 1.0',
        'vigie_requests_total{code="400",method="POST",route="/predict"} 1.0',
        'vigie_requests_total{code="404",method="GET",route="other"} 1.0',
        'vigie_predictions_total{model="people",version="3"} 2.0',
        'vigie_prediction_warnings_total{kind="unknown-category"} 1.0',
        'vigie_feedback_total{status="recorded"} 1.0',
        'vigie_model_info{model="people",version="3"} 1.0',
        'vigie_request_duration_seconds_count{route="/predict"} 2.0',
    ):
        assert line in text
    assert "vigie_process_resident_memory_bytes" in text
    assert "Tokyo" not in text
    assert "secret-path" not in text


def test_the_description_is_the_models_own_and_follows_it(server, price_server):
    """The example of the docs is answered without a warning, and another champion brings another description."""
    document = server.get("/openapi.json").json()
    features = document["components"]["schemas"]["Features"]
    assert features["required"] == ["age", "income", "city", "vip"]
    assert features["properties"]["income"]["type"] == ["number", "null"]
    assert features["properties"]["age"]["maximum"] == 120
    assert features["properties"]["city"]["examples"] == ["Lyon", "Orléans", "Paris"]
    assert server.post("/predict", features["example"]).json()["warnings"] == []
    server.slots.swap(price_server.slots.champion)
    document = server.get("/openapi.json").json()
    assert document["components"]["schemas"]["Features"]["required"] == ["size"]


def test_the_docs_page_asks_nothing_of_another_host(server):
    """The page, its style and its script come from here, under a policy that allows nothing else."""
    page = server.get("/docs")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for path in ("/docs/style.css", "/docs/script.js"):
        assert path in page.text
        assert server.get(path).status_code == 200
    everything = page.text + server.get("/docs/script.js").text + server.get("/docs/style.css").text
    assert "http://" not in everything
    assert "https://" not in everything


def test_a_swap_between_requests_changes_the_version_that_answers(server, people_model):
    """A new champion answers the next request; the schema in force is its own."""
    assert server.post("/predict", PERSON).json()["model"]["version"] == "3"
    server.slots.swap(type(people_model)("people", "4", people_model.schema, people_model.scorer, NOW))
    assert server.post("/predict", PERSON).json()["model"]["version"] == "4"
    assert [record.version for record in server.log.records] == ["3", "4"]
