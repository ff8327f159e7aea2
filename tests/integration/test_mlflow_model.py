"""A version of ours, asked through MLflow's own doors."""

import asyncio
import os

import httpx
import mlflow
import pandas as pd
import pyarrow.parquet as pq
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import scoring_server

from vigie import Project
from vigie.errors import SchemaMismatchError
from vigie.testing.tables import CHURN_FEATURES, churn_table
from vigie.wiring.operate import open_loop

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own; what Vigie warns of is tested elsewhere

TOML = """
[project]
name = "churn"
[data]
source = "churn.parquet"
target = "churn"
positive = "oui"
entity = "client_id"
[training]
candidates = ["logistic"]
folds = 2
report = false
"""
ROW = {
    "anciennete_mois": 6,
    "montant_mensuel": 89.99,
    "nb_reclamations": 5,
    "nb_produits": 1,
    "satisfaction": 1.5,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a trained project; MLflow looks at its store."""
    folder = tmp_path_factory.mktemp("churn")
    (folder / "vigie.toml").write_text(TOML)
    pq.write_table(churn_table(600, seed=1), folder / "churn.parquet")
    project = Project(folder)
    project.train()
    uri = f"sqlite:///{folder / '.vigie' / 'mlflow.db'}"
    with pytest.MonkeyPatch.context() as patch:
        # MLflow keeps its address in the environment, where the commands that other tests start would find it.
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        patch.setenv("MLFLOW_REGISTRY_URI", uri)
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        yield project
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        os.environ.pop(name, None)


@pytest.fixture(scope="module")
def model(project):
    """Return the champion as MLflow loads it."""
    return mlflow.pyfunc.load_model(f"models:/{project.settings.project.name}@champion")


def test_mlflow_loads_the_champion_and_gets_the_answers_of_the_bundle(project, model):
    """``models:/churn@champion`` answers what the pipeline in the bundle answers, row by row."""
    frame = churn_table(50, seed=2).select(list(CHURN_FEATURES)).to_pandas()
    found = model.predict(frame)
    trained, _ = Project(project.settings.folder).train()
    expected = trained.leaderboard.winner.model.predict_proba(frame.astype(float))[:, 1]
    assert found["probability_oui"].to_numpy() == pytest.approx(expected, rel=1e-9)
    assert set(found["prediction"]) <= {"oui", "non"}


def test_no_pickle_and_no_code_lie_in_the_artifact(project):
    """The artifact is text, JSON and skops: nothing that runs when it is read."""
    artifacts = list((project.settings.folder / ".vigie" / "artifacts").rglob("*"))
    suffixes = {path.suffix for path in artifacts if path.is_file()}
    assert suffixes <= {".json", ".md", ".skops", ".yaml", ".txt", ""}
    bare = {path.name for path in artifacts if path.is_file() and not path.suffix}
    assert bare <= {"MLmodel", "registered_model_meta"}  # the second is a note that MLflow leaves when it loads


def test_the_signature_and_the_schema_refuse_what_does_not_fit(model):
    """A missing column is MLflow's refusal, a missing value is ours: the same checks as the server's."""
    with pytest.raises(MlflowException, match="satisfaction"):
        model.predict(pd.DataFrame([{name: value for name, value in ROW.items() if name != "satisfaction"}]))
    with pytest.raises(SchemaMismatchError, match="montant_mensuel"):
        model.predict(pd.DataFrame([{**ROW, "montant_mensuel": None}]).astype({"montant_mensuel": float}))


def test_mlflows_scoring_server_answers(model):
    """The application behind ``mlflow models serve`` takes its own formats and answers with our columns."""
    body = {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}}

    async def ask():
        transport = httpx.ASGITransport(app=scoring_server.init(model))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.post("/invocations", json=body)

    answer = asyncio.run(ask())
    assert answer.status_code == 200
    (row,) = answer.json()["predictions"]
    assert row["prediction"] == "oui"
    assert row["probability_oui"] + row["probability_non"] == pytest.approx(1.0)


def test_the_registry_gives_back_the_bundle_untouched(project):
    """MLmodel and its companions stand beside the bundle, not in it."""
    with open_loop(project.settings) as loop:
        members = loop.registry.members("churn", "1")
    named = {"manifest", "schema", "scorer", "profile", "golden", "estimation"}
    assert set(members) == {f"{name}.json" for name in named} | {"model.skops", "card.md"}
