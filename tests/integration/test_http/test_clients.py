"""Other people's clients against a running server: MLflow's, Triton's and curl, unchanged."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

PEOPLE = pd.DataFrame({"age": [30, 41], "income": [12.5, np.nan], "city": ["Lyon", "Orléans"], "vip": [True, False]})

TRITON = """
import json, sys
import numpy as np
import tritonclient.http as triton

port, binary = sys.argv[1], sys.argv[2] == "binary"
client = triton.InferenceServerClient(f"127.0.0.1:{port}")
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("people")
assert not client.is_model_ready("people", "99")
described = client.get_model_metadata("people")
columns = {
    "age": np.array([30, 41]),
    "income": np.array([12.5, 50.0]),
    "city": np.array(["Lyon", "Orléans".encode()], dtype=object),
    "vip": np.array([True, False]),
}
inputs = []
for tensor in described["inputs"]:
    if tensor["name"] in columns:
        values = columns[tensor["name"]]
        inputs.append(triton.InferInput(tensor["name"], list(values.shape), tensor["datatype"]))
        inputs[-1].set_data_from_numpy(values, binary_data=binary)
outputs = None if binary else [triton.InferRequestedOutput(o["name"], binary_data=False) for o in described["outputs"]]
said = client.infer("people", inputs, model_version="3", outputs=outputs, request_id="mine")
again = client.async_infer("people", inputs).get_result()
try:
    client.infer("people", inputs[:1])
except triton.InferenceServerException as refused:
    refusal = refused.message()
texts = [t.decode() if isinstance(t, bytes) else t for t in said.as_numpy("prediction")]
print(json.dumps({
    "server": client.get_server_metadata()["name"],
    "id": said.get_response()["id"],
    "prediction": texts,
    "probability": said.as_numpy("probability").tolist(),
    "again": again.as_numpy("probability").tolist(),
    "refusal": refusal,
}))
"""


def ask_rows(server, frame):
    """Return what ``/predict`` answers to the rows of a frame."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return server.post("/predict", rows).json()


def test_mlflow_scoring_client(server, running):
    """Frames as ``dataframe_split``, arrays as ``inputs``; ping and version."""
    client = ScoringServerClient("127.0.0.1", running)
    client.wait_server_ready(timeout=5)
    assert client.get_version()
    expected = [answer["prediction"] for answer in ask_rows(server, PEOPLE)]
    said = client.invoke(PEOPLE)
    assert said.get_predictions()[0].tolist() == expected
    assert said["prediction_ids"] == [str(record.id) for record in server.log.records[2:]]
    assert len(client.invoke(PEOPLE.fillna(1.0).to_numpy()).get_predictions()) == 2
    assert server.log.records[3].features == (41, None, "Orléans", False), "the NaN of a frame is a missing value"
    with pytest.raises(Exception, match="422"):
        client.invoke(PEOPLE.drop(columns="age"))


@pytest.mark.parametrize("way", ["binary", "json"])
def test_triton_client(server, running, way):
    """With bytes behind the JSON, its default, and with JSON alone; in a process of its own, as it brings gevent."""
    done = subprocess.run(
        [sys.executable, "-c", TRITON, str(running), way], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    expected = ask_rows(server, PEOPLE.fillna(50.0))
    assert said["prediction"] == [answer["prediction"] for answer in expected]
    assert said["probability"] == said["again"] == [answer["probability"] for answer in expected]
    assert (said["server"], said["id"]) == ("vigie", "mine")
    assert "a number" in said["refusal"] or "expected" in said["refusal"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("path", "body", "read"),
    [
        ("/predict", PEOPLE.iloc[0].to_dict(), lambda told: told["probability"]),
        ("/invocations", {"dataframe_records": [PEOPLE.iloc[0].to_dict()]}, lambda told: told["probabilities"][0][1]),
        (
            "/v2/models/people/infer",
            {
                "inputs": [
                    {"name": name, "shape": [1], "datatype": kind, "data": [PEOPLE[name].iloc[0].item()]}
                    for name, kind in {"age": "INT64", "income": "FP64", "vip": "BOOL"}.items()
                ]
                + [{"name": "city", "shape": [1], "datatype": "BYTES", "data": ["Lyon"]}]
            },
            lambda told: next(o["data"][0] for o in told["outputs"] if o["name"] == "probability"),
        ),
    ],
    ids=["predict", "invocations", "v2"],
)
def test_curl(server, running, path, body, read):
    """As one would type it."""
    done = subprocess.run(
        ["curl", "-sS", "--fail", "-H", "Content-Type: application/json", f"http://127.0.0.1:{running}{path}",  # noqa: S607  curl, as found
         "-d", json.dumps(body)], capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert read(json.loads(done.stdout)) == ask_rows(server, PEOPLE.iloc[:1])[0]["probability"]
    assert len(server.log.records) == 2
