"""A model fitted in a notebook: registered, asked from Python and over HTTP, scored in bulk, followed back."""

import asyncio
import json
import subprocess
import sys
from contextlib import closing
from uuid import UUID

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import vigie
from vigie.api.access import LOOPBACK_HOSTS
from vigie.api.app import create_app
from vigie.api.door import Door
from vigie.api.service import Limits, Service
from vigie.bundle.trust import Trust
from vigie.cli.main import cli
from vigie.domain.event import EventKind
from vigie.errors import ConfigurationError, DataError, ModelNotFoundError, SchemaMismatchError, VigieWarning
from vigie.inference.slots import Slots
from vigie.loop.open_bundle import open_bundle
from vigie.testing import FakeClock, FakeIds
from vigie.wiring.operate import open_loop
from vigie.wiring.registered import fetch
from vigie.wiring.state import open_writer

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own; what Vigie warns of is asked for by name

TOML = """
[project]
name = "stays"
[data]
source = "learnt.parquet"
target = "state"
positive = "stayed"
entity = "client"
"""
TAKEN = ["plan", "tenure", "age", "vip"]


def clients(n, seed):
    """Return rows of every kind: a category, a number that may be missing, an integer, a boolean; one column unused."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(["basic", "gold", "pro"], n)
    tenure = rng.uniform(0, 60, n)
    state = np.where(rng.random(n) < 1 / (1 + np.exp(-(tenure - 30) / 6 - (plan == "gold"))), "stayed", "left")
    tenure[::9] = np.nan
    return pd.DataFrame({
        "client": [f"c{i}" for i in range(n)], "plan": plan, "tenure": tenure, "age": rng.integers(18, 90, n),
        "vip": rng.random(n) < 0.3, "comment": "-", "state": state,
    })  # fmt: skip


@pytest.fixture(scope="module")
def notebook():
    """Return a pipeline as a notebook would fit it."""
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["plan"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["tenure", "age"]),
        ("passthrough", ["vip"]),
    )
    frame = clients(400, 0)
    return make_pipeline(encode, RandomForestClassifier(20, max_depth=6, random_state=0)).fit(
        frame[TAKEN], frame["state"]
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory, notebook):
    """Return a project whose only version is that pipeline."""
    folder = tmp_path_factory.mktemp("stays")
    (folder / "vigie.toml").write_text(TOML)
    clients(400, 0).to_parquet(folder / "learnt.parquet")
    made = vigie.Project(folder)
    made.register(notebook, test=clients(200, 1))
    return made


@pytest.fixture(scope="module")
def model(project):
    """Return it as a Python user has it."""
    return project.load()


@pytest.fixture
def rows():
    """Return rows that were not learnt from."""
    return clients(50, 2)


def test_it_answers_as_the_notebook_does(model, notebook, rows):
    """Labels in the words of the table, probabilities in the order of ``classes``."""
    assert model.classes == ("left", "stayed")
    assert (model.version, model.scorer) == ("1", "compiled")
    assert model.predict(rows[TAKEN]).tolist() == notebook.predict(rows[TAKEN]).tolist()
    np.testing.assert_allclose(
        model.predict_proba(rows[TAKEN]), notebook.predict_proba(rows[TAKEN]), rtol=0, atol=1e-12
    )


def test_every_kind_of_rows_is_the_same_rows(model, rows):
    """pandas, Arrow, records, one row, an array in the schema's order, a frame in another order."""
    expected = model.predict_proba(rows[TAKEN])
    records = rows[TAKEN].to_dict("records")
    for same in (
        rows[list(reversed(TAKEN))],
        rows[["client", *TAKEN, "state"]],
        pa.Table.from_pandas(rows[TAKEN], preserve_index=False),
        rows[TAKEN].convert_dtypes(),
        rows[TAKEN].astype({"plan": "category", "age": "float64"}),
        records,
        rows[TAKEN].to_numpy(dtype=object),
    ):
        assert np.array_equal(model.predict_proba(same), expected)
    assert np.array_equal(model.predict_proba(records[3]), expected[3:4])
    assert model.predict(rows[TAKEN].head(0)).shape == model.predict([]).shape == (0,)
    assert model.predict_proba([]).shape == (0, 2)


def test_polars_is_welcome(model, rows):
    """Where it is installed: eager and lazy, NaN or null."""
    pl = pytest.importorskip("polars")
    expected = model.predict_proba(rows[TAKEN])
    for frame in (pl.from_pandas(rows[TAKEN]), pl.from_pandas(rows[TAKEN], nan_to_null=False)):
        assert np.array_equal(model.predict_proba(frame), expected)
        assert np.array_equal(model.predict_proba(frame.lazy()), expected)


def _app(serving, writer, clock, ids):
    limits = Limits(max_body_bytes=2**20, max_rows=1000)
    return create_app(Service("stays", Slots(serving), writer, clock, ids, limits, Door(clock), LOOPBACK_HOSTS))


def test_the_server_gives_the_same_numbers(project, model, rows):
    """What ``POST /predict`` answers to a row is what ``vigie.load`` answers, to the last bit."""
    members, version = fetch(project.settings.tracking_uri, "stays", "champion")
    with closing(open_writer(project.settings)) as writer:
        app = _app(open_bundle(members, version=version, trust=Trust()), writer, FakeClock(), FakeIds())
        known = rows[TAKEN].astype(object).where(rows[TAKEN].notna(), None)

        async def ask():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.post("/predict", json=known.to_dict("records"))

        answers = asyncio.run(ask()).json()
    assert [answer["prediction"] for answer in answers] == model.predict(rows[TAKEN]).tolist()
    assert [answer["probability"] for answer in answers] == model.predict_proba(rows[TAKEN])[:, 1].tolist()


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (lambda rows: rows.drop(columns="age"), DataError, "no column 'age', which the model needs"),
        (lambda rows: rows.rename(columns={"age": "Age"}), DataError, "does not know 'Age'. Did you mean 'age'?"),
        (lambda rows: rows.assign(plan=1.5), None, ""),
        (lambda rows: rows.assign(age="old"), SchemaMismatchError, "row 1, 'age': expected integer, found text"),
        (lambda rows: rows.assign(age=30.5), SchemaMismatchError, "row 1, 'age': expected integer"),
        (lambda rows: rows.assign(age=np.nan), DataError, "50 of 50 rows have no 'age', which the schema never allows"),
        (lambda rows: rows.assign(tenure=np.inf), DataError, "50 infinite values"),
        (lambda rows: rows.to_numpy(dtype=object)[:, :3], DataError, r"has shape \(50, 3\); the model takes"),
        (lambda rows: rows.to_numpy(dtype=object)[0], DataError, r"has shape \(4,\)"),
        (lambda rows: rows.iloc[0], DataError, "from the type Series"),
        (lambda rows: rows.iloc[0].to_dict() | {"age": "30"}, SchemaMismatchError, "row 0, 'age': .* found text"),
        (lambda rows: rows.iloc[0].to_dict() | {"state": "left"}, SchemaMismatchError, "only features of the model"),
        (lambda _rows: ["gold"], SchemaMismatchError, "an object with one value per feature"),
        (lambda _rows: 3, DataError, "from the type int"),
    ],
)
def test_rows_that_do_not_fit_are_refused_in_words(model, rows, change, kind, message):
    """Each fault has its own sentence, and none of them is a KeyError."""
    if kind is None:
        with pytest.warns(VigieWarning):
            model.predict(change(rows[TAKEN]))
        return
    with pytest.raises(kind, match=message):
        model.predict(change(rows[TAKEN]))


def test_strange_values_are_answered_with_a_warning(model, rows):
    """Unseen categories and values outside the training range: how many rows, once a kind."""
    changed = rows[TAKEN].assign(plan=["platinum", "iron", *rows["plan"][2:]], age=200)
    with pytest.warns(VigieWarning, match="2 of 50 rows: feature 'plan' has a category unseen") as caught:
        found = model.predict(changed)
    assert (len(found), len(caught)) == (50, 2)


def test_what_it_is_can_be_read(model):
    """Schema, card and lineage, as plain values; it cannot be fitted."""
    assert model.schema.names == tuple(TAKEN)
    assert "Fitted elsewhere" in model.card
    assert json.loads(json.dumps(model.lineage))["candidate"] == "RandomForestClassifier"
    assert {item["name"] for item in model.lineage["metrics"]} >= {"roc_auc", "in_sample_roc_auc"}
    assert repr(model) == "<vigie.Model stays version 1: 4 features, binary 'state'>"
    assert not hasattr(model, "fit")


def test_a_regressor_answers_numbers(project, tmp_path):
    """And has no probabilities."""
    toml = TOML.replace("stays", "tenure").replace("state", "tenure").replace('positive = "stayed"\n', "")
    # another project in the same registry: a new MLflow store costs seconds
    toml += f'[stores]\ntracking_uri = "{project.settings.tracking_uri}"\n'
    (tmp_path / "vigie.toml").write_text(toml)
    frame = clients(100, 3).dropna()
    ridge = Ridge().fit(frame[["age", "vip"]], frame["tenure"])
    other = vigie.Project(tmp_path)
    other.register(ridge, frame)
    model = other.load("1")
    found = model.predict(frame[["age", "vip"]])
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, ridge.predict(frame[["age", "vip"]]), rtol=1e-12)
    with pytest.raises(DataError, match="'tenure', a number"):
        model.predict_proba(frame[["age", "vip"]])
    with pytest.raises(DataError, match="The frame is of type list"):
        other.register(ridge, [1, 2])


def test_load_finds_the_registry(project, rows, monkeypatch, tmp_path):
    """By the environment, by the project around, or it says what is missing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ConfigurationError, match="Set MLFLOW_TRACKING_URI"):
        vigie.load("models:/stays@champion")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", project.settings.tracking_uri)
    expected = vigie.load("models:/stays@champion").predict(rows[TAKEN])
    with pytest.raises(ModelNotFoundError, match="stays has no version or alias '7'"):
        vigie.load("models:/stays/7")
    with pytest.raises(ConfigurationError, match="names no version"):
        vigie.load("models:/stays")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    inside = project.settings.folder / "notebooks"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert vigie.load("models:/stays/1").predict(rows[TAKEN]).tolist() == expected.tolist()


def test_a_folder_needs_neither_mlflow_nor_scikit_learn(project, rows, tmp_path):
    """A bundle, or an MLflow model with one inside, opened in a process that imports neither."""
    members, _ = fetch(project.settings.tracking_uri, "stays", "1")
    bundle = tmp_path / "model" / "data" / "bundle"
    bundle.mkdir(parents=True)
    for name, content in members.items():
        (bundle / name).write_bytes(content)
    row = json.dumps(rows[TAKEN].iloc[1].to_dict(), default=lambda value: value.item())
    program = (
        "import sys, json, vigie\n"
        f"answers = [vigie.load(folder).predict_proba(json.loads({row!r})).tolist() for folder in sys.argv[1:]]\n"
        "assert not {'mlflow', 'sklearn', 'skops'} & set(sys.modules), sorted(sys.modules)\n"
        "print(json.dumps(answers))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(bundle), str(tmp_path / "model")],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    expected = project.load("1").predict_proba(rows[TAKEN].iloc[[1]]).tolist()
    assert json.loads(done.stdout) == [expected, expected]
    with pytest.raises(ConfigurationError, match="There is no folder"):
        vigie.load(tmp_path / "elsewhere")


def run(*arguments, expect=0):
    """Run a command in this process."""
    done = CliRunner().invoke(cli, list(map(str, arguments)), standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    assert done.exit_code == expect, done.output
    return done


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_is_scored_offline(project, model, tmp_path, monkeypatch, ending):
    """Entity, prediction and probability, row by row as the model answers; several chunks; nothing is logged."""
    monkeypatch.setattr("vigie.loop.score.score.__kwdefaults__", {"chunk": 16})
    rows = clients(50, 4).drop(columns="state")
    rows.to_parquet(tmp_path / "new.parquet")
    out = tmp_path / f"answers.{ending}"
    with open_loop(project.settings) as loop:
        before = loop.log.count("stays")
    done = run("predict", tmp_path / "new.parquet", "--project", project.settings.folder, "--out", out, "--json")
    told = json.loads(done.stdout)
    assert (told["rows"], told["version"], told["unused_columns"]) == (50, "1", ["comment"])
    answers = (pa.csv.read_csv(out) if ending == "csv" else pq.read_table(out)).to_pandas()
    assert list(answers.columns) == ["client", "prediction", "probability"]
    assert answers["client"].tolist() == rows["client"].tolist()
    assert answers["prediction"].tolist() == model.predict(rows[TAKEN]).tolist()
    np.testing.assert_allclose(answers["probability"], model.predict_proba(rows[TAKEN])[:, 1], rtol=1e-15)
    with open_loop(project.settings) as loop:
        assert loop.log.count("stays") == before


def test_a_faulty_table_leaves_the_older_file(project, tmp_path):
    """The row is named, nothing is written, and nothing half-written is left."""
    out = tmp_path / "answers.csv"
    out.write_text("of yesterday")
    rows = clients(50, 4).astype({"age": object})
    rows.loc[40, "age"] = "old"
    rows.to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(SchemaMismatchError, match="row 41, 'age'"):
        run("predict", tmp_path / "new.csv", "--project", project.settings.folder, "--out", out)
    assert out.read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "new.csv"]
    with pytest.raises(ConfigurationError, match="neither CSV nor Parquet"):
        run("predict", tmp_path / "new.csv", "--project", project.settings.folder, "--out", tmp_path / "a.xlsx")


def test_without_a_file_answers_are_printed(project, tmp_path):
    """As CSV on standard output; what a person reads goes to standard error."""
    clients(3, 5).drop(columns="client").to_csv(tmp_path / "new.csv", index=False)
    done = run("predict", tmp_path / "new.csv", "--project", project.settings.folder)
    lines = done.stdout.splitlines()
    assert lines[0] == '"row","prediction","probability"'
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3"]
    assert "none is logged" in done.stderr


def test_one_command_leads_from_a_prediction_to_everything(project):
    """Answer, version, run, data, parameters, figures, gate, who promoted it: what the ledger and MLflow say too."""
    members, version = fetch(project.settings.tracking_uri, "stays", "champion")
    serving = open_bundle(members, version=version, trust=Trust())
    with open_loop(project.settings) as loop, closing(open_writer(project.settings)) as writer:
        app = _app(serving, writer, loop.clock, FakeIds(seed=7))

        async def ask(path, body):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return (await client.post(path, json=body)).json()

        body = {"client": "c9", "plan": "gold", "tenure": None, "age": 40, "vip": True}
        answer = asyncio.run(ask("/predict", body))
        asyncio.run(ask("/feedback", {"prediction_id": answer["prediction_id"], "outcome": "left"}))
        event = loop.ledger.events("stays", kinds=[EventKind.PROMOTED])[0]
        run_tags = loop.registry.version("stays", "1").run_id
    arguments = ("history", "--prediction", answer["prediction_id"], "--project", project.settings.folder)
    found = json.loads(run(*arguments, "--json").stdout)
    assert found["prediction"]["prediction"] == answer["prediction"]
    assert found["prediction"]["probabilities"]["stayed"] == answer["probability"]
    assert found["prediction"]["features"] == {name: body[name] for name in TAKEN}
    assert (found["prediction"]["entity"], found["prediction"]["outcome"]) == ("c9", "left")
    assert (found["model"], found["version"]) == ("stays", "1")
    assert found["bundle"]["lineage"]["run_id"] == run_tags
    assert found["bundle"]["params"]["max_depth"] == "6"
    assert found["bundle"]["data_digest"] == project.load().lineage["data_digest"]
    assert found["decided"][0]["evidence"]["verdict"] == "promote"
    assert found["promoted"][0]["evidence"]["by"] == event.evidence["by"]
    told = run(*arguments).stdout
    for fact in ("stayed", "c9", "left", run_tags, found["bundle"]["data_digest"], "Better than the dummy"):
        assert fact in told
    assert max(map(len, told.splitlines())) <= 80
    version_told = run("history", "--version", "champion", "--project", project.settings.folder).stdout
    assert run_tags in version_told
    assert "Prediction" not in version_told


def test_an_unknown_prediction_is_said(project):
    """With the exit code of data."""
    unknown = UUID(int=7 << 76 | 2 << 62)
    with pytest.raises(vigie.VigieError, match=f"No prediction {unknown}"):
        run("history", "--prediction", unknown, "--project", project.settings.folder)
