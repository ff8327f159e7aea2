"""MLflow Model Registry: versions, aliases, and the bundle as a run's artifact.

Vigie never asks MLflow to load a model: it takes the bundle's bytes and reads them itself. For those who come from
MLflow's side, a version is an MLflow model too: its MLmodel file names ``mlflow_pyfunc`` of the installed Vigie as the
loader, so that ``mlflow.pyfunc.load_model`` and ``mlflow models serve`` go through the same reader.
"""

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from mlflow.entities import FileInfo, LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric, Run
from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import save_model
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec
from mlflow.types import Schema as MlflowSchema

from vigie.adapters.bundle_folder import read_bundle, read_member
from vigie.adapters.mlflow_tracking import cut, translated
from vigie.bundle.manifest import library_versions
from vigie.bundle.members import CARD, MAX_BYTES, SCHEMA
from vigie.bundle.schema_member import read_schema
from vigie.bundle.signature import SIGNATURE
from vigie.domain.model import ModelVersion
from vigie.domain.schema import Feature, Kind, Schema
from vigie.domain.task import Task
from vigie.errors import BundleError, ModelNotFoundError
from vigie.ports import Members

_FOLDER = "model"
_BUNDLE = "bundle"
_DATA = f"data/{_BUNDLE}"
"""Where MLflow puts the folder that a loader is handed."""

_LOADER = "vigie.adapters.mlflow_pyfunc"
# MLflow says "no such alias" with the code of a bad parameter.
_ABSENT = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})
_DESCRIPTION_CHARACTERS = 5_000
"""The longest description of a version that MLflow's database takes."""

logger = logging.getLogger(__name__)


class MlflowRegistry:
    """Keeps versions and aliases in MLflow."""

    def __init__(self, client: MlflowClient) -> None:
        """Take an open client, see ``mlflow_tracking.open_client``."""
        self._client = client

    def publish(self, name: str, members: Members, *, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
        """Store a bundle as a model that a run made, and register it as the next version of ``name``.

        All of it or nothing: an upload that fails leaves neither a version nor a model that is never ready.

        Raises:
            RegistryError: MLflow or its artifact store refused or cannot be reached.
        """
        with translated(f"register a version of {name!r}"):
            run = self._client.get_run(run_id)
            with self._logged_model(name, run, tags) as model:
                with tempfile.TemporaryDirectory(prefix="vigie-") as folder:
                    _write_model(Path(folder), members, Model(_FOLDER, run_id, model_id=model.model_id))
                    self._client.log_model_artifacts(model.model_id, str(Path(folder, _FOLDER)))
                self._client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
                self._show_with_run(run, model.model_id)
                self._ensure_model(name)
                made = self._client.create_model_version(
                    name,
                    source=model.artifact_location,  # MLflow would look up models:/… at its global address
                    run_id=run_id,
                    tags=dict(tags),
                    description=cut(members.get(CARD, b"").decode(), _DESCRIPTION_CHARACTERS),
                    model_id=model.model_id,
                )
            with suppress(MlflowException):  # a link on MLflow's page of the model; its own server sets it by itself
                link = json.dumps([{"name": name, "version": made.version}])
                self._client.set_logged_model_tags(model.model_id, {"mlflow.modelVersions": link})
        return self._version(made)

    def version(self, name: str, wanted: str) -> ModelVersion:
        """Return one version by number or alias.

        Raises:
            ModelNotFoundError: no such model, version or alias.
        """
        number = wanted if wanted.isdecimal() else self.alias(name, wanted)
        for version in self.versions(name):
            if version.version == number:
                return version
        raise self._not_found(name, wanted)

    def versions(self, name: str) -> list[ModelVersion]:
        """Return every version, oldest first; empty when the model is unknown."""
        with translated(f"list the versions of {name!r}"):
            aliases = self._aliases(name)
            found = self._client.search_model_versions(f"name='{name}'")
        return sorted((self._version(item, aliases) for item in found), key=lambda version: int(version.version))

    def members(self, name: str, version: str) -> dict[str, bytes]:
        """Return the bundle of a version as it was published.

        Raises:
            ModelNotFoundError: no such version.
            RegistryError: the artifact store failed.
        """
        with translated(f"fetch version {version} of {name!r}"), tempfile.TemporaryDirectory(prefix="vigie-") as folder:
            files = self._files(name, version)
            _check_before_fetching(files.list_artifacts(_DATA))
            return read_bundle(Path(files.download_artifacts(_DATA, dst_path=folder)))

    def signature(self, name: str, version: str) -> bytes | None:
        """Return the signature beside the manifest of a version, None when it has none.

        Raises:
            ModelNotFoundError: no such version.
            RegistryError: the artifact store failed.
        """
        with translated(f"ask who signed version {version} of {name!r}"), tempfile.TemporaryDirectory() as folder:
            files = self._files(name, version)
            held = files.list_artifacts(_DATA)
            _check_before_fetching(held)
            if SIGNATURE not in {PurePosixPath(file.path).name for file in held}:
                return None
            return read_member(
                Path(files.download_artifacts(f"{_DATA}/{SIGNATURE}", dst_path=folder)).parent, SIGNATURE
            )

    def sign(self, name: str, version: str, signature: bytes) -> None:
        """Put a signature beside the manifest of a version, in place of an older one.

        Raises:
            ModelNotFoundError: no such version.
            RegistryError: the artifact store failed.
        """
        with translated(f"sign version {version} of {name!r}"), tempfile.TemporaryDirectory() as folder:
            file = Path(folder, SIGNATURE)
            file.write_bytes(signature)
            self._files(name, version).log_artifact(str(file), _DATA)

    def _files(self, name: str, version: str) -> ArtifactRepository:
        """Return the store of a version's artifacts."""
        try:
            source = self._client.get_model_version_download_uri(name, version)
        except MlflowException as exc:
            raise self._not_found(name, version) from exc
        return get_artifact_repository(source, tracking_uri=self._client.tracking_uri)

    def alias(self, name: str, alias: str) -> str | None:
        """Return the version number an alias points to, None when it points nowhere."""
        with translated(f"read alias {alias!r} of {name!r}"):
            try:
                return str(self._client.get_model_version_by_alias(name, alias).version)
            except MlflowException as exc:
                if exc.error_code in _ABSENT:
                    return None
                raise

    def point(self, name: str, alias: str, version: str) -> None:
        """Make an alias point to a version. Last writer wins here: callers hold the ledger's lease."""
        self.version(name, version)
        with translated(f"move alias {alias!r} of {name!r}"):
            self._client.set_registered_model_alias(name, alias, version)

    @contextmanager
    def _logged_model(self, name: str, run: Run, tags: Mapping[str, str]) -> Iterator[LoggedModel]:
        """Yield a new model of MLflow's, which is deleted again if the block fails."""
        model = self._client.create_logged_model(
            run.info.experiment_id,
            name=name.replace(".", "-"),  # MLflow takes no dot here, though it does in a registered model's name
            source_run_id=run.info.run_id,
            tags=dict(tags),
            params=run.data.params,
            model_type="vigie",
        )
        try:
            yield model
        except BaseException:
            try:
                self._client.delete_logged_model(model.model_id)
            except MlflowException as exc:  # the first error is the one to tell
                logger.warning("model %s of MLflow stays behind unfinished: %s", model.model_id, exc)
            raise

    def _show_with_run(self, run: Run, model_id: str) -> None:
        """Let MLflow's pages show the model among its run's outputs, and the run's metrics beside the model."""
        self._client.log_outputs(run.info.run_id, [LoggedModelOutput(model_id, 0)])
        # With the time they were recorded at they are the run's own metrics, not a second value of each. Those of
        # single folds have a slash in their names and stay with the run.
        metrics = [
            Metric(metric, value, run.info.end_time or run.info.start_time, 0, model_id=model_id)
            for metric, value in run.data.metrics.items()
            if "/" not in metric
        ]
        self._client.log_batch(run.info.run_id, metrics=metrics)

    def _ensure_model(self, name: str) -> None:
        try:
            self._client.create_registered_model(name)
        except MlflowException as exc:
            if exc.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _aliases(self, name: str) -> dict[str, tuple[str, ...]]:
        try:
            pairs = self._client.get_registered_model(name).aliases
        except MlflowException as exc:
            if exc.error_code in _ABSENT:
                return {}
            raise
        found: dict[str, tuple[str, ...]] = {}
        for alias, version in sorted(pairs.items()):
            found[str(version)] = (*found.get(str(version), ()), alias)
        return found

    def _not_found(self, name: str, wanted: str) -> ModelNotFoundError:
        known = self.versions(name)
        available = [version.version for version in known] + [alias for version in known for alias in version.aliases]
        return ModelNotFoundError(name, wanted=wanted if known else "", available=available)

    @staticmethod
    def _version(found: MlflowVersion, aliases: Mapping[str, tuple[str, ...]] | None = None) -> ModelVersion:
        return ModelVersion(
            name=found.name,
            version=str(found.version),
            run_id=found.run_id,
            created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
            aliases=(aliases or {}).get(str(found.version), ()),
        )


def _check_before_fetching(files: Sequence[FileInfo]) -> None:
    """Refuse what is too large or unknown while it is still the store's, not this disk's."""
    for file in files:
        name = PurePosixPath(file.path).name
        if file.is_dir or name not in MAX_BYTES:
            raise BundleError(f"The registry holds an unknown member in this bundle, {name[:80]!a}.")
        if file.file_size is not None and file.file_size > MAX_BYTES[name]:
            raise BundleError(f"{name} has {file.file_size:,} bytes; at most {MAX_BYTES[name]:,} are read.")


def _write_model(folder: Path, members: Members, model: Model) -> None:
    """Write members as an MLflow model: MLmodel, requirements, and the bundle untouched below ``data``."""
    for member, content in members.items():
        path = folder / _BUNDLE / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    needed = (f"{library}=={release}" for library, release in library_versions().items() if library != "python")
    with warnings.catch_warnings():
        # MLflow asks for an input example, and would then run the model on it: the bundle has its own golden rows.
        warnings.simplefilter("ignore", UserWarning)
        save_model(
            path=str(folder / _FOLDER),
            loader_module=_LOADER,
            data_path=str(folder / _BUNDLE),
            mlflow_model=model,
            signature=_signature(read_schema(members[SCHEMA])) if SCHEMA in members else None,
            pip_requirements=list(needed),
        )


def _signature(schema: Schema) -> ModelSignature:
    inputs = [
        ColSpec(_mlflow_type(feature), feature.name, required=not feature.nullable) for feature in schema.features
    ]
    target = schema.target
    answer = "double" if target.task is Task.REGRESSION else "string"
    probabilities = [ColSpec("double", f"probability_{label}") for label in target.classes]
    return ModelSignature(
        inputs=MlflowSchema(inputs), outputs=MlflowSchema([ColSpec(answer, "prediction"), *probabilities])
    )


def _mlflow_type(feature: Feature) -> str:
    if feature.kind is Kind.INTEGER:
        # pandas has no integer that may be missing, so MLflow would refuse a frame with one
        return "double" if feature.nullable else "long"
    return {Kind.NUMBER: "double", Kind.BOOLEAN: "boolean", Kind.CATEGORY: "string"}[feature.kind]
