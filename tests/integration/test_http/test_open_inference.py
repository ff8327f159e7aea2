"""The Open Inference Protocol: tensors in, tensors out, the same answers as ``/predict``."""

import json
import struct

import numpy as np
import pytest

from vigie.domain.access import AccessKey, KeyRing, KeyScope, key_digest, key_text

PEOPLE = [
    {"age": 30, "income": 12.5, "city": "Lyon", "vip": True, "client": "c-1"},
    {"age": 41, "income": None, "city": "Orléans", "vip": False, "client": "c-2"},
    {"age": 95, "income": 0.1, "city": "Tokyo", "vip": True, "client": None},
]
TYPES = {"age": "INT64", "income": "FP64", "city": "BYTES", "vip": "BOOL", "client": "BYTES"}
INFER = "/v2/models/people/infer"


def tensors(rows, names=("age", "income", "city", "vip", "client")):
    """Return one tensor a feature, as JSON."""
    return [
        {"name": name, "shape": [len(rows)], "datatype": TYPES[name], "data": [row[name] for row in rows]}
        for name in names
    ]


def outputs(response):
    """Return the values of every output, by name."""
    assert response.status_code == 200, response.text
    return {output["name"]: output["data"] for output in response.json()["outputs"]}


def binary(rows):
    """Return a request whose tensors are behind the JSON, packed here by hand, and the length of its JSON."""
    texts = [row["city"].encode() for row in rows]
    parts = {
        "age": struct.pack(f"<{len(rows)}q", *(row["age"] for row in rows)),
        "income": struct.pack(
            f"<{len(rows)}d", *(float("nan") if row["income"] is None else row["income"] for row in rows)
        ),
        "city": b"".join(struct.pack("<I", len(text)) + text for text in texts),
        "vip": bytes(row["vip"] for row in rows),
    }
    inputs = [
        {
            "name": name,
            "shape": [len(rows), 1],
            "datatype": TYPES[name],
            "parameters": {"binary_data_size": len(parts[name])},
        }
        for name in parts
    ]
    head = json.dumps({"inputs": inputs, "id": "7", "parameters": {"binary_data_output": True}}).encode()
    return head + b"".join(parts.values()), len(head)


def unpack(response):
    """Return the outputs of a binary answer, read by hand."""
    size = int(response.headers["Inference-Header-Content-Length"])
    head, place, found = json.loads(response.content[:size]), size, {}
    for output in head["outputs"]:
        part = response.content[place : place + output["parameters"]["binary_data_size"]]
        place += len(part)
        if output["datatype"] == "BYTES":
            texts = []
            while part:
                (length,) = struct.unpack_from("<I", part)
                texts.append(part[4 : 4 + length].decode())
                part = part[4 + length :]
            found[output["name"]] = texts
        else:
            found[output["name"]] = np.frombuffer(part, {"FP64": "<f8", "INT64": "<i8"}[output["datatype"]]).tolist()
    assert place == len(response.content)
    return head, found


def test_tensors_are_answered_like_rows(server):
    """The same rows both ways: the same labels, probabilities, warnings and log."""
    rows = [row | {"client": row["client"] or "c-3"} for row in PEOPLE]
    expected = server.post("/predict", rows).json()
    said = server.post(INFER, {"id": "mine", "inputs": tensors(rows)})
    found = outputs(said)
    assert said.json()["id"] == "mine"
    assert (said.json()["model_name"], said.json()["model_version"]) == ("people", "3")
    assert found["prediction"] == [answer["prediction"] for answer in expected]
    assert found["probability"] == [answer["probability"] for answer in expected]
    assert list(map(json.loads, found["warnings"])) == [answer["warnings"] for answer in expected]
    by_rows, by_tensors = server.log.records[:3], server.log.records[3:]
    assert [str(record.id) for record in by_tensors] == found["prediction_id"]
    assert [(r.features, r.entity) for r in by_rows] == [(r.features, r.entity) for r in by_tensors]
    assert said.headers["vigie-log"] == "durable"


def test_bytes_are_answered_like_json(server):
    """The extension for binary data, both ways; NaN is missing, and length and text of BYTES are read."""
    expected = outputs(server.post(INFER, {"inputs": tensors(PEOPLE, ("age", "income", "city", "vip"))}))
    body, size = binary(PEOPLE)
    headers = {"Inference-Header-Content-Length": str(size), "Content-Type": "application/octet-stream"}
    response = server.post(INFER, body, **headers)
    head, found = unpack(response)
    assert head["id"] == "7"
    assert response.headers["content-type"] == "application/octet-stream"
    for name in ("prediction", "probability", "warnings"):
        assert found[name] == expected[name]
    assert server.log.records[-2].features == (41, None, "Orléans", False)


def test_a_matrix_is_read_in_the_order_of_the_schema(churn_server):
    """One FP64 tensor, flat or nested; whole numbers become integers."""
    row = {"anciennete_mois": 18, "montant_mensuel": 70.5, "nb_reclamations": 3, "nb_produits": 2, "satisfaction": 2.5}
    expected = churn_server.post("/predict", [row, row]).json()[0]["probability"]
    values = [float(value) for value in row.values()]
    for data in (values * 2, [values, values]):
        tensor = {"name": "input-0", "shape": [2, 5], "datatype": "FP64", "data": data}
        found = outputs(churn_server.post(INFER, {"inputs": [tensor]}))
        assert found["probability"] == [expected, expected]
    assert {type(value) for value in churn_server.log.records[-1].features} == {int, float}


def test_single_precision_is_read_as_it_is(churn_server):
    """0.1 as FP32 is not 0.1: the model sees what the client's array held."""
    values = [18.0, 70.1, 3.0, 2.0, 2.6]
    raw = struct.pack("<5f", *values)
    tensor = {"name": "x", "shape": [1, 5], "datatype": "FP32", "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [tensor]}).encode()
    response = churn_server.post(INFER, head + raw, **{"Inference-Header-Content-Length": str(len(head))})
    assert response.status_code == 200, response.text
    assert churn_server.log.records[-1].features == (18, float(np.float32(70.1)), 3, 2, float(np.float32(2.6)))


def test_the_answer_holds_what_was_asked_for(server):
    """Named outputs only, each as bytes or as JSON."""
    asked = [{"name": "probability", "parameters": {"binary_data": True}}, {"name": "prediction_id"}]
    response = server.post(INFER, {"inputs": tensors(PEOPLE[:1]), "outputs": asked})
    size = int(response.headers["Inference-Header-Content-Length"])
    told = {output["name"]: output for output in json.loads(response.content[:size])["outputs"]}
    assert set(told) == {"probability", "prediction_id"}
    assert told["prediction_id"]["data"] == [str(server.log.records[0].id)]
    (share,) = struct.unpack("<d", response.content[size:])
    assert share == server.log.records[0].prediction.probabilities[-1]


def test_other_tasks_answer_in_their_shapes(species_server, price_server):
    """Several classes: a column each, and whole numbers as labels; a number: no probability."""
    tensor = {"name": "size", "shape": [2, 1], "datatype": "FP64", "data": [0.2, 0.9]}
    expected = species_server.post("/predict", [{"size": 0.2}, {"size": 0.9}]).json()
    body = species_server.post(INFER, {"inputs": [tensor]}).json()
    told = {output["name"]: output for output in body["outputs"]}
    assert (told["prediction"]["datatype"], told["probabilities"]["shape"]) == ("INT64", [2, 3])
    shares = [share for answer in expected for share in answer["probabilities"].values()]
    assert told["probabilities"]["data"] == shares
    price = price_server.post(INFER, {"inputs": [tensor]}).json()
    assert [output["name"] for output in price["outputs"]] == ["prediction", "prediction_id", "warnings"]
    assert price["outputs"][0]["datatype"] == "FP64"


def _with(**changes):
    """Return the tensors of one person with changes to the first."""
    first, *others = tensors(PEOPLE[:1])
    return {"inputs": [first | changes, *others]}


BAD = {
    "not JSON": (b"{", 400, ""),
    "no tensors": ({"inputs": []}, 422, "/inputs"),
    "no inputs": ({"rows": 1}, 422, ""),
    "an array": ([1], 422, ""),
    "a missing feature": ({"inputs": tensors(PEOPLE[:1], ("age", "income", "city"))}, 422, "/inputs"),
    "an unknown feature": (_with(name="Age"), 422, "/inputs"),
    "a feature twice": ({"inputs": tensors(PEOPLE[:1], ("age", "age"))}, 422, "/inputs/1/name"),
    "a wrong type": (_with(data=["30"]), 422, "/inputs/0/data/0"),
    "a null": (_with(data=[None]), 422, "/inputs/0/data/0"),
    "too few values": (_with(data=[]), 422, "/inputs/0/data"),
    "too many values": (_with(data=[1, 2]), 422, "/inputs/0/data"),
    "a ragged array": (_with(shape=[1, 1], data=[[1, 2]]), 422, "/inputs/0/data"),
    "no data": ({"inputs": [{"name": "age", "shape": [1], "datatype": "INT64"}]}, 422, "/inputs/0/data"),
    "two lengths": (_with(shape=[2], data=[1, 2]), 422, "/inputs"),
    "no rows": (_with(shape=[0], data=[]), 422, "/inputs"),
    "too many rows": (_with(shape=[1001], data=[1] * 1001), 413, "/inputs"),
    "a cube": (_with(shape=[1, 1, 1]), 422, "/inputs/0/shape"),
    "a negative shape": (_with(shape=[-1]), 422, "/inputs/0/shape"),
    "a huge shape": (_with(shape=[1000, 2**62]), 422, "/inputs/0/data"),
    "a strange datatype": (_with(datatype="COMPLEX"), 422, "/inputs/0/datatype"),
    "a strange size": (_with(parameters={"binary_data_size": "8"}), 422, "/inputs/0/parameters/binary_data_size"),
    "bytes that are not there": (_with(parameters={"binary_data_size": 8}), 422, "/inputs"),
    "an unknown output": (_with() | {"outputs": [{"name": "logits"}]}, 422, "/outputs/0/name"),
}


@pytest.mark.parametrize(("body", "status", "place"), BAD.values(), ids=BAD)
def test_faults_are_told_both_ways(server, body, status, place):
    """A problem with its place, and the member ``error`` that this protocol's clients read; nothing is logged."""
    response = server.post(INFER, body)
    told = response.json()
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert told["error"]
    assert not told.get("errors") if status == 400 else place in {fault["pointer"] for fault in told["errors"]}
    assert server.log.records == []


@pytest.mark.parametrize("key", [None, "vg_wrong", "feedback"])
def test_the_door_speaks_the_protocol_too(server, key):
    """401 and 403, before a route is entered: problem and ``error`` in one, on known paths and others."""
    secret = key_text("feedback0"[:8], bytes(32))
    scopes = frozenset({KeyScope.FEEDBACK})
    server.door.ring = KeyRing([AccessKey("feedback", "one", key_digest(secret), scopes, server.clock.now())])
    headers = {} if key is None else {"Authorization": f"Bearer {secret if key == 'feedback' else key}"}
    for method, path in (("GET", "/v2"), ("POST", INFER), ("GET", "/v2/models/people")):
        response = server.request(method, path, headers=headers)
        told = response.json()
        assert response.status_code == told["status"] == (403 if key == "feedback" else 401)
        assert told["error"].startswith(told["title"])
        assert int(response.headers["content-length"]) == len(response.content)
        assert "www-authenticate" in response.headers


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v2/nothing", {}, 404),
        ("DELETE", "/v2", {}, 405),
        ("GET", "/v2", {"Host": "evil.example"}, 421),
        ("POST", INFER, {"Origin": "https://evil.example"}, 403),
    ],
)
def test_whatever_refuses_speaks_the_protocol(server, method, path, headers, status):
    """The router, and the check of Host and Origin."""
    response = server.request(method, path, headers=headers)
    assert (response.status_code, bool(response.json()["error"])) == (status, True)
    assert response.headers["x-content-type-options"] == "nosniff"


def test_other_routes_keep_their_problems_as_they_are(server):
    """The member is this protocol's alone, and so is a path that only begins alike."""
    assert "error" not in server.get("/v2nothing").json()
    assert "error" not in server.post("/predict", b"{").json()


def test_a_deep_body_is_refused_with_its_place(server):
    """Before anything reads it; here in parameters, which are nobody's business else."""
    response = server.post(INFER, b'{"inputs": [], "parameters": {"a": ' + b"[" * 9 + b"]" * 9 + b"}}")
    assert (response.status_code, response.json()["type"]) == (400, "urn:vigie:problem:json-too-deep")
    assert response.json()["errors"][0]["pointer"] == "/parameters/a" + "/0" * 6


def test_the_documents_example_is_answered(server):
    """What ``/openapi.json`` shows of the protocol works, and the paths' parameters are told."""
    document = server.get("/openapi.json").json()
    infer = document["paths"]["/v2/models/{name}/versions/{version}/infer"]["post"]
    assert [parameter["name"] for parameter in infer["parameters"]] == ["name", "version"]
    example = infer["requestBody"]["content"]["application/json"]["example"]
    assert outputs(server.post("/v2/models/people/versions/3/infer", example))["warnings"] == ["[]"]
    assert {"/invocations", "/ping", "/v2", "/v2/models/{name}", "/v2/health/live"} <= document["paths"].keys()
    described = json.dumps(document)
    for name in document["components"]["schemas"].keys() | {"Tensor"}:
        assert f'"#/components/schemas/{name}"' in described, name
    for text in described.split('"#/components/schemas/')[1:]:
        assert text.partition('"')[0] in document["components"]["schemas"]


@pytest.mark.parametrize("size", ["-1", "x", "999999", "1" * 30])
def test_a_wrong_header_length_is_told(server, size):
    """Not a number, or more than there is."""
    response = server.post(INFER, {"inputs": []}, **{"Inference-Header-Content-Length": size})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "wrong-type")


def test_bytes_that_do_not_fit_are_refused(server):
    """Every cut and every spare byte of a binary request: 4xx, never an answer, never a failure of ours."""
    body, size = binary(PEOPLE)
    headers = {"Inference-Header-Content-Length": str(size)}
    assert server.post(INFER, body, **headers).status_code == 200
    statuses = {server.post(INFER, body[:end], **headers).status_code for end in range(size - 5, len(body))}
    assert statuses == {422}
    assert server.post(INFER, body + b"\0", **headers).status_code == 422


def test_mutated_requests_never_fail_on_our_side(server):
    """Four hundred binary requests with a few bytes changed, half of them in the tensors: answered or refused."""
    body, size = binary(PEOPLE)
    rng = np.random.default_rng(5)
    statuses = []
    for number in range(400):
        mutated = bytearray(body)
        for place in rng.integers(size * (number % 2), len(body), rng.integers(1, 4)):
            mutated[place] = rng.integers(256)
        response = server.post(INFER, bytes(mutated), **{"Inference-Header-Content-Length": str(size)})
        statuses.append(response.status_code)
        assert response.status_code < 500
    assert min(statuses.count(200), len(statuses) - statuses.count(200)) > 40, "the mix must hold good and bad ones"


def test_a_retry_gets_its_first_bytes(server):
    """The same key again: the same bytes, and where their JSON ends."""
    body, size = binary(PEOPLE)
    headers = {"Inference-Header-Content-Length": str(size), "Idempotency-Key": "k"}
    first, second = server.post(INFER, body, **headers), server.post(INFER, body, **headers)
    assert second.headers["idempotency-replayed"] == "true"
    assert (first.content, unpack(first)) == (second.content, unpack(second))
    assert len(server.log.records) == 3


def test_a_broken_log_answers_nothing(server):
    """503 with Retry-After, in this protocol's words too."""
    server.log.broken = True
    response = server.post(INFER, {"inputs": tensors(PEOPLE)})
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "secret" not in response.text
    assert response.json()["error"]
    assert server.get("/v2/health/ready").status_code == server.get("/v2/models/people/ready").status_code == 503


def test_the_model_is_described(server):
    """Names, datatypes and shapes of what goes in and comes out."""
    told = server.get("/v2/models/people").json()
    assert (told["name"], told["versions"]) == ("people", ["3"])
    assert {tensor["name"]: tensor["datatype"] for tensor in told["inputs"]} == TYPES
    assert {tensor["name"]: tensor["shape"] for tensor in told["outputs"]} == {
        "prediction": [-1], "probability": [-1], "prediction_id": [-1], "warnings": [-1],
    }  # fmt: skip
    assert server.get("/v2/models/people/versions/3").json() == told
    assert server.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    for path in (
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/people/ready",
        "/v2/models/people/versions/3/ready",
    ):
        assert server.get(path).status_code == 200


@pytest.mark.parametrize("place", ["/v2/models/other", "/v2/models/people/versions/4", "/v2/models/other/versions/3"])
def test_other_models_and_versions_are_unknown(server, place):
    """404 for what does not serve here, with what does."""
    for response in (server.get(place), server.get(place + "/ready"), server.post(place + "/infer", _with())):
        assert response.status_code == 404
        assert response.json()["error"]


def test_without_a_model_nothing_is_ready(empty_server):
    """Alive, and no more."""
    assert empty_server.get("/v2/health/live").status_code == 200
    for path in ("/v2/health/ready", "/v2/models/people", "/v2/models/people/ready"):
        assert empty_server.get(path).status_code == 503


def test_a_body_without_a_type_is_read_but_not_from_a_page_of_another_site(server):
    """Triton's client sends no Content-Type; a browser says where its page is from."""
    content = json.dumps({"inputs": tensors(PEOPLE)}).encode()
    assert server.request("POST", INFER, content=content).status_code == 200
    assert server.request("POST", INFER, content=content, headers={"Origin": "https://evil.example"}).status_code == 403
    assert server.post(INFER, content, **{"Content-Type": "text/plain"}).status_code == 415


def test_requests_are_counted_by_pattern(server):
    """A path's names are the client's words, and no label."""
    server.post(INFER, {"inputs": tensors(PEOPLE)})
    server.get("/v2/models/whatever")
    text = server.get("/metrics").text
    assert 'vigie_requests_total{code="200",method="POST",route="/v2/models/{name}/infer"} 1.0' in text
    assert "whatever" not in text
    assert "vigie_predictions_total{" in text
