"""Arrow streams in and out: the same answers as for JSON, and a body from anywhere is refused with a reason."""

import pyarrow as pa
import pytest

STREAM = "application/vnd.apache.arrow.stream"
PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}
OTHER = {"age": 95, "income": None, "city": "Tokyo", "vip": False}


def _stream(table, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as stream:
        stream.write_table(table, max_chunksize=2)
    return sink.getvalue().to_pybytes()


def _ask(server, table, **options):
    body = table if isinstance(table, bytes) else _stream(table, **options)
    return server.post("/predict", body, **{"Content-Type": STREAM})


def _read(response):
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == STREAM
    return pa.ipc.open_stream(response.content).read_all()


def test_a_stream_is_answered_like_json_and_logged(server):
    """Row by row the same numbers, warnings and logged values; the model is named in the metadata."""
    people = [PERSON, OTHER, PERSON | {"client": "c-1"}]
    told = server.post("/predict", people).json()
    by_json = [(record.features, record.entity, record.prediction) for record in server.log.records]
    server.log.records.clear()
    answers = _read(_ask(server, pa.Table.from_pylist([dict.fromkeys([*PERSON, "client"]) | row for row in people])))
    assert answers.column("probability").to_pylist() == [answer["probability"] for answer in told]
    assert answers.column("prediction").to_pylist() == [answer["prediction"] for answer in told]
    assert answers.column("warnings").to_pylist() == [answer["warnings"] for answer in told]
    assert answers.schema.metadata == {b"model": b"people", b"version": b"3"}
    assert [(record.features, record.entity, record.prediction) for record in server.log.records] == by_json
    assert answers.column("prediction_id").to_pylist() == [str(record.id) for record in server.log.records]


def test_columns_as_data_frames_write_them(server):
    """Dictionaries, float32, whole floats for integers and NaN for missing, in any order of the columns."""
    table = pa.table(
        {
            "vip": [True, False],
            "city": pa.array(["Lyon", "Paris"]).dictionary_encode(),
            "income": pa.array([12.5, float("nan")], pa.float32()),
            "age": [30.0, 31.0],
        }
    )
    _read(_ask(server, table))
    assert [record.features for record in server.log.records] == [(30, 12.5, "Lyon", True), (31, None, "Paris", False)]


def test_many_rows_keep_their_order(server):
    """More than the JSON limit, scored in a thread, answered in order."""
    ages = [18 + place % 70 for place in range(3_000)]
    table = pa.table({"age": ages, "income": [1.0] * 3_000, "city": ["Lyon"] * 3_000, "vip": [True] * 3_000})
    answers = _read(_ask(server, table))
    alone = {
        age: server.post("/predict", PERSON | {"age": age, "income": 1.0}).json()["probability"] for age in (18, 60)
    }
    found = answers.column("probability").to_pylist()
    for age, probability in alone.items():
        assert found[ages.index(age)] == pytest.approx(probability, rel=1e-12)


TABLE = pa.Table.from_pylist([PERSON, PERSON, PERSON])

HOSTILE = {
    "nothing": (b"", 400, "malformed-arrow"),
    "text": (b"hello, world, this is no stream", 400, "malformed-arrow"),
    "cut in a message": (_stream(TABLE)[:-300], 400, "malformed-arrow"),
    "compressed": (_stream(TABLE, compression="zstd"), 400, "malformed-arrow"),
    "no rows": (_stream(TABLE.slice(0, 0)), 422, "invalid-request"),
    "a column twice": (_stream(TABLE.append_column("age", TABLE["age"])), 400, "malformed-arrow"),
    "a missing column": (_stream(TABLE.drop_columns("age")), 422, "invalid-request"),
    "a strange column": (_stream(TABLE.append_column("x", TABLE["age"])), 422, "invalid-request"),
    "dates": (_stream(TABLE.set_column(0, "age", pa.array([1, 2, 3], pa.date32()))), 422, "unsupported-arrow-type"),
    "lists": (_stream(TABLE.set_column(0, "age", pa.array([[1], [2], []]))), 422, "unsupported-arrow-type"),
    "a fraction for an integer": (
        _stream(TABLE.set_column(0, "age", pa.array([1.5, 2, 3]))), 422, "invalid-request",
    ),
    "an infinity": (_stream(TABLE.set_column(1, "income", pa.array([1.5, float("inf"), 3]))), 422, "invalid-request"),
    "NUL in a text": (_stream(TABLE.set_column(2, "city", pa.array(["a\0", "b", "c"]))), 422, "invalid-request"),
    "a long dictionary": (
        _stream(TABLE.set_column(2, "city", pa.array(["x" * 2000] * 3).dictionary_encode())),
        422,
        "unsupported-arrow-type",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "slug"), HOSTILE.values(), ids=HOSTILE)
def test_a_bad_stream_is_a_problem(server, body, status, slug):
    """With its own reason, and the next one is answered."""
    response = _ask(server, body)
    assert (response.status_code, response.json()["type"]) == (status, f"urn:vigie:problem:{slug}"), response.text
    assert server.log.records == []
    assert _ask(server, TABLE).status_code == 200


def test_a_stream_with_any_byte_changed_is_answered_or_refused(server):
    """Flipped lengths, offsets and types: 200 or 4xx, never a crash of the reader."""
    body = _stream(TABLE)
    for place in range(0, len(body), 5):
        changed = bytearray(body)
        changed[place] ^= 0xFF
        assert _ask(server, bytes(changed)).status_code in {200, 400, 413, 422}
