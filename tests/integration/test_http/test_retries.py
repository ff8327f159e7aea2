"""``Idempotency-Key``: a retry gets the first answer's bytes, and counts once."""

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}


def test_a_retry_gets_the_same_bytes_and_one_row(server, people_model):
    """Also after a swap: what was answered stays answered."""
    first = server.post("/predict", PERSON, **{"Idempotency-Key": "k-1"})
    server.slots.swap(
        type(people_model)("people", "4", people_model.schema, people_model.scorer, people_model.created_at)
    )
    again = server.post("/predict", PERSON, **{"Idempotency-Key": "k-1"})
    assert again.content == first.content
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert len(server.log.records) == 1


def test_another_body_under_the_same_key_is_refused(server):
    """422, and nothing is logged for it."""
    server.post("/predict", PERSON, **{"Idempotency-Key": "k-1"})
    other = server.post("/predict", PERSON | {"age": 31}, **{"Idempotency-Key": "k-1"})
    assert (other.status_code, other.json()["type"]) == (422, "urn:vigie:problem:idempotency-key-reuse")
    assert len(server.log.records) == 1


def test_without_a_key_every_request_counts(server):
    """The control: the same body twice is two predictions."""
    ids = [server.post("/predict", PERSON).json()["prediction_id"] for _ in range(2)]
    assert len(set(ids)) == len(server.log.records) == 2
