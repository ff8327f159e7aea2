"""The gate lets a compiled scorer into a bundle only if it answers as scikit-learn does; a server needs no more."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from vigie.bundle.archive import BundleContent, pack
from vigie.bundle.compiler.expression import NotCompiled
from vigie.bundle.compiler.reference import single_job
from vigie.bundle.golden import MAX_ROWS
from vigie.bundle.manifest import Member
from vigie.bundle.trust import Trust
from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleCorruptedError, BundleError
from vigie.inference.sklearn_scorer import SklearnScorer
from vigie.loop import compile as gate
from vigie.loop.golden import golden_rows
from vigie.loop.open_bundle import open_bundle

SCHEMA = Schema(
    (Feature("a", Kind.NUMBER, nullable=True), Feature("b", Kind.INTEGER), Feature("c", Kind.CATEGORY)),
    Target("y", Task.BINARY, ("no", "yes")),
)
N = 120
RNG = np.random.default_rng(0)
COLUMNS = {
    "a": [None if i % 9 == 0 else value for i, value in enumerate(RNG.normal(size=N).tolist())],
    "b": RNG.integers(0, 9, N).tolist(),
    "c": RNG.choice(["x", "y"], N).tolist(),
}
Y = RNG.integers(0, 2, N)


def _model(estimator, columns=COLUMNS):
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepare = ColumnTransformer([("numbers", "passthrough", ["a", "b"]), ("words", words, ["c"])])
    return Pipeline([("prepare", prepare), ("model", estimator)]).fit(model_frame(SCHEMA, columns), Y)


HIST = _model(HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=5))
FOREST = _model(RandomForestClassifier(5, n_jobs=2, random_state=0))


def _content(model):
    golden = golden_rows(model, SCHEMA, COLUMNS)
    return BundleContent("m", datetime(2026, 3, 1, tzinfo=UTC), SCHEMA, model, b"{}", golden, [], "digest")


def _members(model):
    return pack(gate.with_scorer(_content(model), COLUMNS))


def _resealed(members, **changed):
    altered = members | {name.replace("__", "."): content for name, content in changed.items()}
    manifest = json.loads(altered["manifest.json"])
    described = {name: Member.of(content) for name, content in altered.items() if name != "manifest.json"}
    manifest["members"] = {name: {"sha256": one.sha256, "size": one.size} for name, one in described.items()}
    return altered | {"manifest.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize("model", [HIST, FOREST], ids=["hist", "forest"])
def test_a_model_that_compiles_is_served_by_its_compiled_form(model):
    """And answers every training row as scikit-learn does."""
    members = _members(model)
    serving = open_bundle(members, version="1", trust=Trust())
    assert serving.scorer_kind == "compiled"
    assert json.loads(members["manifest.json"])["lineage"]["scorer"] == "compiled"
    one_thread = single_job(model)  # with two, a forest adds its trees in any order and changes its own last bit
    assert serving.scorer.score(COLUMNS) == SklearnScorer(one_thread, SCHEMA).score(COLUMNS)


def test_a_model_that_does_not_compile_is_served_by_scikit_learn_and_says_why():
    """The reason stands in the lineage, for a person."""
    columns = COLUMNS | {"a": [0.0 if value is None else value for value in COLUMNS["a"]]}
    schema = replace(SCHEMA, features=(Feature("a", Kind.NUMBER), *SCHEMA.features[1:]))
    model = _model(GaussianNB(), columns)
    content = replace(_content(HIST), schema=schema, model=model, golden=golden_rows(model, schema, columns))
    members = pack(gate.with_scorer(content, columns))
    assert open_bundle(members, version="1", trust=Trust()).scorer_kind == "sklearn"
    lineage = json.loads(members["manifest.json"])["lineage"]
    assert "scorer.json" not in members
    assert lineage["scorer"] == "sklearn"
    assert "GaussianNB" in lineage["scorer_reason"]


def _edited(edit):
    def export(model, schema):
        spec = msgspec.json.decode(EXPORT(model, schema))
        edit(spec)
        return msgspec.json.encode(spec)

    return export


EXPORT = gate.export
WRONG = {
    "a leaf one ulp off": (lambda spec: spec.update(leaf=[np.nextafter(x, 9.0).item() for x in spec["leaf"]]), "raw"),
    "missing the other way": (lambda spec: spec.update(mleft=[1 - bit for bit in spec["mleft"]]), "otherwise|raw"),
    "no missing values": (lambda spec: spec.update(nan=False), "refuses a row"),
    "another start": (lambda spec: spec.update(base=[spec["base"][0] + 0.1]), "otherwise"),
    "not a model": (lambda spec: spec.update(feat=[99] * len(spec["feat"])), "is refused"),
}


@pytest.mark.parametrize(("edit", "why"), WRONG.values(), ids=WRONG)
def test_the_gate_keeps_out_a_scorer_that_differs(monkeypatch, edit, why):
    """In one unit of a leaf, in one direction, in one refusal."""
    monkeypatch.setattr(gate, "export", _edited(edit))
    found = gate.compile_model(HIST, SCHEMA, COLUMNS)
    assert isinstance(found, NotCompiled)
    assert any(word in found.reason for word in why.split("|"))


def test_the_golden_rows_of_a_compiled_model_stand_on_its_splits():
    """At most 64, missing and unseen ones included, and some within a hair of a threshold."""
    made = gate.compile_model(HIST, SCHEMA, COLUMNS)
    golden = made.golden
    assert len(golden.predictions) == MAX_ROWS
    thresholds = set(msgspec.json.decode(made.content)["thr"])
    assert thresholds & {*golden.columns["a"], *golden.columns["b"]}
    assert None in golden.columns["a"]


def test_a_compiled_scorer_that_fails_its_golden_rows_is_refused():
    """A digest that agrees does not save it."""
    members = _members(HIST)
    spec = msgspec.json.decode(members["scorer.json"])
    spec["base"][0] += 1e-9
    with pytest.raises(BundleError, match="Golden row 0"):
        open_bundle(_resealed(members, scorer__json=msgspec.json.encode(spec)), version="1", trust=Trust())


def test_a_compiled_bundle_never_opens_its_scikit_learn_model():
    """Bytes that no reader would take do not matter: they are not looked at beyond their digest."""
    members = _resealed(_members(HIST), model__skops=b"not a model")
    assert open_bundle(members, version="1", trust=Trust()).scorer_kind == "compiled"


def test_a_process_that_serves_a_compiled_bundle_loads_no_scientific_library(tmp_path):
    """It opens the bundle, answers a row, and has imported neither numpy nor anything above it."""
    for name, content in _members(HIST).items():
        (tmp_path / name).write_bytes(content)
    code = (
        "import sys, pathlib\n"
        "from vigie.bundle.trust import Trust\n"
        "from vigie.loop.open_bundle import open_bundle\n"
        f"members = {{p.name: p.read_bytes() for p in pathlib.Path({str(tmp_path)!r}).iterdir()}}\n"
        "model = open_bundle(members, version='1', trust=Trust())\n"
        "print(model.scorer.score({'a': [None], 'b': [3], 'c': ['x']})[0].value)\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pandas', 'pyarrow', 'skops', 'joblib'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")
    assert found[0] in {"no", "yes"}
    assert found[1] == "[]"


def test_an_altered_or_missing_scorer_is_found_before_it_is_parsed():
    """One bit, one byte less, or the whole member taken away to fall back on another scorer."""
    members = _members(HIST)
    content = bytearray(members["scorer.json"])
    content[len(content) // 2] ^= 1
    for altered in (bytes(content), members["scorer.json"][:-1]):
        with pytest.raises(BundleCorruptedError, match=r"scorer\.json"):
            open_bundle(members | {"scorer.json": altered}, version="1", trust=Trust())
    del members["scorer.json"]
    with pytest.raises(BundleError, match="does not describe"):
        open_bundle(members, version="1", trust=Trust())
