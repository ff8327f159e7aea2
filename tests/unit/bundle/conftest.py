"""Small real bundles, and tools that alter them the way an attacker who owns the registry would."""

import io
import json
import zipfile
from datetime import UTC, datetime

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
from vigie.domain.frame import model_frame
from vigie.domain.measurement import Interval, Measurement
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.loop.golden import golden_rows

N = 80

SCHEMA = Schema(
    (
        Feature("amount", Kind.NUMBER, nullable=True, range=(-3.0, 3.0)),
        Feature("city", Kind.CATEGORY, categories=("Lyon", "Paris")),
    ),
    Target("stays", Task.MULTICLASS, ("no", "perhaps", "yes")),
    entity="client",
)


class _Maker:
    """Bundles by kind of model, made once, and alterations of them."""

    estimators = {  # noqa: RUF012 - a table, read only
        "logistic": LogisticRegression(),
        "forest": RandomForestClassifier(2, max_depth=3, random_state=0),
        "boosting": GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0),
        "hist": HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5, random_state=0),
    }

    def __init__(self):
        self._made = {}

    def members(self, kind="logistic"):
        """Return a fresh copy of a good bundle."""
        if kind not in self._made:
            self._made[kind] = pack(self.content(kind))
        return dict(self._made[kind])

    def content(self, kind="logistic"):
        """Return what training would hand over."""
        rng = np.random.default_rng(0)
        columns = {"amount": rng.normal(size=N).tolist(), "city": rng.choice(["Lyon", "Paris"], N).tolist()}
        columns["amount"][3] = None
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        numbers = make_pipeline(SimpleImputer(), StandardScaler())
        prepare = ColumnTransformer([("numbers", numbers, ["amount"]), ("words", codes, ["city"])])
        model = Pipeline([("prepare", prepare), ("model", self.estimators[kind])])
        model.fit(model_frame(SCHEMA, columns), rng.integers(0, 3, N))
        return BundleContent(
            name="people",
            created_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
            schema=SCHEMA,
            model=model,
            profile=b'{"format": 1}',
            golden=golden_rows(model, SCHEMA, columns),
            metrics=[Measurement("accuracy", 0.81, "1", 16, interval=Interval(0.6, 0.95, 0.95))],
            data_digest="d" * 64,
            git_commit="abc123",
            params={"C": "1.0"},
            lineage={"run_id": "r1", "seed": 42},
        )

    def sealed(self, members, **changed):
        """Return ``members`` with other contents and a manifest that agrees: digests alone must not save us."""
        altered = members | {name.replace("__", "."): content for name, content in changed.items()}
        manifest = json.loads(altered[MANIFEST])
        described = {name: Member.of(data) for name, data in altered.items() if name != MANIFEST}
        manifest["members"] = {name: {"sha256": one.sha256, "size": one.size} for name, one in described.items()}
        return altered | {MANIFEST: json.dumps(manifest).encode()}

    def with_manifest(self, **changed):
        """Return a bundle whose manifest has other fields; None removes one."""
        members = self.members()
        manifest = json.loads(members[MANIFEST]) | changed
        kept = {name: value for name, value in manifest.items() if value != "(removed)"}
        return members | {MANIFEST: json.dumps(kept).encode()}

    def with_schema(self, edit):
        """Return a sealed bundle whose schema ``edit`` has altered in place."""
        members = self.members()
        schema = json.loads(members["schema.json"])
        edit(schema)
        return self.sealed(members, schema__json=json.dumps(schema).encode())

    def with_model(self, kind, edit):
        """Return a sealed bundle whose skops archive ``edit`` (files by name, in place) has altered."""
        members = self.members(kind)
        with zipfile.ZipFile(io.BytesIO(members["model.skops"])) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        edit(files)
        return self.sealed(members, model__skops=self.zipped(files))

    def with_arrays(self, kind, dtype, edit):
        """Return a sealed bundle in which ``edit`` has altered every array of ``dtype`` in place."""

        def alter(files):
            for name, content in files.items():
                if name.endswith(".npy"):
                    array = np.load(io.BytesIO(content))
                    if array.dtype == dtype:
                        edit(array)
                        buffer = io.BytesIO()
                        np.save(buffer, array)
                        files[name] = buffer.getvalue()

        return self.with_model(kind, alter)

    @staticmethod
    def zipped(files, compression=zipfile.ZIP_DEFLATED):
        """Return files as a zip archive."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()


@pytest.fixture(scope="session")
def maker():
    """Return what makes bundles and alters them."""
    return _Maker()
