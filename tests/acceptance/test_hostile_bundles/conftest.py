"""Real bundles, tools that alter them as somebody who owns the registry would, and a process that opens them."""

import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from vigie.bundle.archive import BundleContent, pack
from vigie.bundle.manifest import Member
from vigie.bundle.members import MANIFEST
from vigie.bundle.signature import SIGNATURE, new_key, sign_manifest
from vigie.domain.frame import model_frame
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.loop.compile import with_scorer
from vigie.loop.golden import golden_rows

N = 400
MAX_CPU_S = 2.0
MAX_GROWTH_MIB = 50
SCHEMA = Schema(
    (
        Feature("amount", Kind.NUMBER, nullable=True, range=(-3.0, 3.0)),
        Feature("city", Kind.CATEGORY, categories=tuple("abcdefgh")),
    ),
    Target("stays", Task.MULTICLASS, ("no", "perhaps", "yes")),
)
ESTIMATORS = {
    "logistic": LogisticRegression(),
    "forest": RandomForestClassifier(8, max_depth=8, random_state=0),
    "three trees": RandomForestClassifier(3, max_depth=4, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=2, max_depth=3, random_state=0),
    "hist": HistGradientBoostingClassifier(max_iter=4, min_samples_leaf=5, categorical_features=[1], random_state=0),
}


class Kit:
    """Good bundles, each made once, and what is done to them."""

    def __init__(self):
        self._made = {}
        self.key, self.other_key = new_key()[0], new_key()[0]

    def good(self, kind="logistic", *, compiled=False):
        """Return the members of a good bundle, with a compiled scorer or with scikit-learn's model alone."""
        if (kind, compiled) not in self._made:
            content, columns = self._content(kind)
            self._made[kind, compiled] = pack(with_scorer(content, columns) if compiled else content)
        return dict(self._made[kind, compiled])

    @staticmethod
    def _content(kind):
        rng = np.random.default_rng(0)
        columns = {"amount": rng.normal(size=N).tolist(), "city": rng.choice(list("abcdefgh"), N).tolist()}
        columns["amount"][3] = None
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        numbers = make_pipeline(SimpleImputer(), StandardScaler())
        prepare = ColumnTransformer([("numbers", numbers, ["amount"]), ("words", codes, ["city"])])
        model = Pipeline([("prepare", prepare), ("model", ESTIMATORS[kind])])
        odd = np.array([city in "aceg" for city in columns["city"]])
        model.fit(model_frame(SCHEMA, columns), (odd + rng.integers(0, 2, N)).clip(0, 2))
        made_at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        golden = golden_rows(model, SCHEMA, columns)
        return BundleContent("people", made_at, SCHEMA, model, b'{"format": 1}', golden, [], "d" * 64), columns

    def sealed(self, members, **changed):
        """Return members with other contents and a manifest that agrees: digests alone must not save us."""
        altered = members | {name.replace("__", "."): content for name, content in changed.items()}
        manifest = json.loads(altered[MANIFEST])
        described = {name: Member.of(data) for name, data in altered.items() if name not in {MANIFEST, SIGNATURE}}
        manifest["members"] = {name: {"sha256": one.sha256, "size": one.size} for name, one in described.items()}
        return altered | {MANIFEST: json.dumps(manifest).encode()}

    def with_manifest(self, **changed):
        """Return a bundle whose manifest has other fields."""
        members = self.good()
        return members | {MANIFEST: json.dumps(json.loads(members[MANIFEST]) | changed).encode()}

    def with_files(self, kind, edit):
        """Return a sealed bundle in whose skops archive ``edit`` has altered the files, in place."""
        with zipfile.ZipFile(io.BytesIO(self.good(kind)["model.skops"])) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        edit(files)
        return self.sealed(self.good(kind), model__skops=self.zipped(files))

    def with_arrays(self, kind, dtype, edit):
        """Return a sealed bundle in whose skops archive ``edit`` has altered every array of ``dtype``."""

        def alter(files):
            for name, content in files.items():
                array = np.load(io.BytesIO(content)) if name.endswith(".npy") else None
                if array is not None and array.dtype == dtype:
                    found = edit(array)
                    files[name] = self.npy(array if found is None else found)

        return self.with_files(kind, alter)

    def with_state(self, kind, edit):
        """Return a sealed bundle in whose description ``edit`` was called with every JSON object."""

        def alter(files):
            state = json.loads(files["schema.json"])
            waiting = [state]
            while waiting:
                item = waiting.pop()
                if isinstance(item, dict):
                    edit(item)
                waiting.extend(item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
            files["schema.json"] = json.dumps(state).encode()

        return self.with_files(kind, alter)

    def with_scorer(self, kind, edit):
        """Return a sealed bundle in whose compiled scorer ``edit`` has altered the spec, in place."""
        members = self.good(kind, compiled=True)
        spec = json.loads(members["scorer.json"])
        edit(spec)
        return self.sealed(members, scorer__json=json.dumps(spec, separators=(",", ":")).encode())

    def signed(self, members, key=None):
        """Return members with a signature of their manifest."""
        return members | {SIGNATURE: sign_manifest(members[MANIFEST], key or self.key)}

    @staticmethod
    def zipped(files, compression=zipfile.ZIP_DEFLATED):
        """Return files as a zip archive."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    @staticmethod
    def npy(array):
        """Return an array as a file."""
        buffer = io.BytesIO()
        np.save(buffer, array)
        return buffer.getvalue()


def _is_own(event, case):
    name, arguments = event
    if name == "os.scandir":
        return arguments[0].endswith(f"/people/{case}")
    if name != "open" or int(arguments[2]) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return False
    return arguments[0].isdecimal() or Path(arguments[0]).parent.parts[-2:] == ("people", case)


class Reader:
    """A process that opens bundles from one folder and tells what came of each."""

    def __init__(self, root, key):
        self.root, self._key = root, key
        self._n = 0
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("reader.py")), str(root)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def put(self, members):
        """Write members as files of a case of their own and return its name."""
        self._n += 1
        folder = self.root / "people" / f"c{self._n}"
        folder.mkdir(parents=True)
        for name, content in members.items():
            (folder / name).write_bytes(content)
        return folder.name

    def folder(self, case):
        """Return where a case lies."""
        return self.root / "people" / case

    def open(self, case, route, *, signed_only=False):
        """Have a case opened and return what came of it; the process must live to tell."""
        keys = [self._key.public] if signed_only else []
        task = {"case": case, "route": route, "signed_only": signed_only, "keys": keys}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the process ended with {self.process.wait(10)} while it opened {case} by {route}"
        return json.loads(line)

    def refuses(self, case, route, error, match, *, signed_only=False):
        """Assert that a case is refused with an error of its own that names the fault, in time and without a trace."""
        found = self.open(case, route, signed_only=signed_only)
        assert found["error"] == error, (route, found["message"])
        assert match in found["message"], (route, found["message"])
        self.check_harmless(found)

    @staticmethod
    def check_harmless(found):
        """Assert that an opening cost little and touched nothing but the bundle's own files, to read them."""
        assert found["cpu_s"] < MAX_CPU_S
        assert found["growth_mib"] < MAX_GROWTH_MIB
        assert [event for event in found["events"] if not _is_own(event, found["case"])] == []

    def close(self):
        """End the process."""
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        self.process.stdout.close()


@pytest.fixture(scope="session")
def kit():
    """Return good bundles and what is done to them."""
    return Kit()


@pytest.fixture(scope="session")
def reader(tmp_path_factory, kit):
    """Return the process that opens bundles; every route has been gone once, so that libraries are loaded."""
    reader = Reader(tmp_path_factory.mktemp("bundles"), kit.key)
    for kind in ESTIMATORS:
        for compiled in (False, True):
            case = reader.put(kit.good(kind, compiled=compiled))
            for route in ("cache", "mlflow", "registry", "members"):
                assert reader.open(case, route)["error"] is None, (kind, compiled, route)
    yield reader
    reader.close()
