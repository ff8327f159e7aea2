"""Models of LightGBM, XGBoost and CatBoost go round the loop in compiled form, or not at all."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from vigie.bundle.archive import BundleContent, pack, unpack
from vigie.bundle.trust import Trust
from vigie.domain.event import EventKind
from vigie.errors import BundleError
from vigie.loop.open_bundle import open_bundle
from vigie.loop.open_sklearn import sklearn_scorer
from vigie.testing.tables import churn_table

SMALL = {
    "lightgbm": {"name": "lightgbm", "n_estimators": 25},
    "xgboost": {"name": "xgboost", "n_estimators": 25, "max_depth": 3},
    "catboost": {"name": "catboost", "iterations": 25, "depth": 4},
}


def _world(new_world, *candidates):
    world = new_world()
    world.change(training=replace(world.loop.rules.training, candidates=candidates))
    return world


@pytest.fixture(scope="session")
def trained_with(churn_trained):
    """Return what trains one booster, once."""
    made = {}

    def train(new_world, name):
        if name not in made:
            made[name] = _world(new_world, SMALL[name]).train(churn_table(900, seed=1))
        return made[name]

    assert churn_trained
    return train


@pytest.mark.parametrize("name", SMALL)
def test_a_booster_travels_as_its_compiled_scorer_alone(new_world, trained_with, name):
    """No member is for its own library to parse; lineage, libraries and card say so."""
    members = trained_with(new_world, name).members
    assert "scorer.json" in members
    assert "model.skops" not in members
    manifest = json.loads(members["manifest.json"])
    assert manifest["lineage"]["scorer"] == "compiled"
    assert name in manifest["lineage"]["pipeline"]
    assert any(library.startswith(name) for library in manifest["libraries"])
    assert f"a model of {name} is never opened by {name}" in members["card.md"].decode()
    assert unpack(members, trust=Trust()).model is None


def test_a_bundle_without_a_pipeline_has_nothing_for_scikit_learn(new_world, trained_with):
    """Asked for all the same, it says what it holds."""
    with pytest.raises(BundleError, match="compiled scorer alone"):
        sklearn_scorer(trained_with(new_world, "lightgbm").members, trust=Trust())


def test_a_bundle_with_neither_pipeline_nor_scorer_is_refused(new_world, trained_with):
    """By the names of its members, before anything is read."""
    members = dict(trained_with(new_world, "lightgbm").members)
    del members["scorer.json"]
    with pytest.raises(BundleError, match=r"neither model\.skops nor scorer\.json"):
        open_bundle(members, version="1", trust=Trust())


def test_a_booster_without_its_compiled_form_is_not_packed(new_world, trained_with):
    """Whoever calls: a version that no server could open does not come to be."""
    trained = trained_with(new_world, "xgboost")
    bundle = unpack(trained.members, trust=Trust())
    content = BundleContent(
        name="churn",
        created_at=bundle.manifest.created_at,
        schema=bundle.schema,
        model=trained.leaderboard.winner.model,
        profile=bundle.profile,
        golden=bundle.golden,
        metrics=(),
        data_digest="digest",
    )
    with pytest.raises(BundleError, match="travels only as a compiled scorer"):
        pack(content)


def test_a_booster_that_does_not_compile_leaves_its_place_to_the_next(new_world):
    """With the reason among the failures, where the leaderboard prints it."""
    forest = {"name": "lightgbm", "boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1, "n_estimators": 10}
    trained = _world(new_world, forest, "logistic").train(churn_table(400, seed=1))
    assert trained.leaderboard.winner.name == "logistic"
    assert [failure.name for failure in trained.leaderboard.failures] == ["lightgbm"]
    reason = trained.leaderboard.failures[0].reason
    assert reason.startswith("it cannot be served")
    assert reason.endswith("a random forest of LightGBM is not compiled.")


def test_a_champion_without_a_pipeline_is_judged_and_challenged(new_world, trained_with, changed):
    """It answers, a changed world raises the alarm, and the gate weighs it against a newly fitted one."""
    world = _world(new_world, SMALL["catboost"])
    world.register(trained_with(new_world, "catboost"))
    world.ask(changed)
    turn = world.turn()
    assert turn.alert is not None
    event = world.last(EventKind.GATED)
    assert (event.version, event.evidence["champion"]) == ("2", "1")
    assert "model.skops" not in world.registry.members("churn", "2")


def test_a_server_of_boosters_never_imports_their_libraries(new_world, trained_with, tmp_path):
    """It opens each bundle and answers a row in a fresh process."""
    for name in SMALL:
        (tmp_path / name).mkdir()
        for member, content in trained_with(new_world, name).members.items():
            (tmp_path / name / member).write_bytes(content)
    code = (
        "import sys, pathlib\n"
        "from vigie.bundle.trust import Trust\n"
        "from vigie.loop.open_bundle import open_bundle\n"
        f"for folder in sorted(pathlib.Path({str(tmp_path)!r}).iterdir()):\n"
        "    members = {p.name: p.read_bytes() for p in folder.iterdir()}\n"
        "    model = open_bundle(members, version='1', trust=Trust())\n"
        "    row = {feature.name: [None if feature.nullable else 'x' if not feature.kind.is_numeric else 1]\n"
        "           for feature in model.schema.features}\n"
        "    print(folder.name, model.scorer_kind, model.scorer.score(row)[0].value)\n"
        "heavy = {'lightgbm', 'xgboost', 'catboost', 'numpy', 'sklearn', 'pandas', 'skops'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    *answers, loaded = printed.splitlines()
    assert [answer.split()[:2] for answer in answers] == [[name, "compiled"] for name in sorted(SMALL)]
    assert loaded == "[]"
