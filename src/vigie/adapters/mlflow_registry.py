"""MLflow Model Registry: versions, aliases, and the bundle as a run's artifact.

Vigie never asks MLflow to load a model: it takes the bundle's bytes and reads them itself. For those who come from
MLflow's side, a version is an MLflow model too: its MLmodel file names ``mlflow_pyfunc`` of the installed Vigie as the
loader, so that ``mlflow.pyfunc.load_model`` and ``mlflow models serve`` go through the same reader.
"""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from mlflow.entities import FileInfo
from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.pyfunc import save_model
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec
from mlflow.types import Schema as MlflowSchema

from vigie.adapters.bundle_folder import read_bundle, read_member
from vigie.adapters.mlflow_tracking import translated
from vigie.bundle.members import MAX_BYTES, SCHEMA
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


class MlflowRegistry:
    """Keeps versions and aliases in MLflow."""

    def __init__(self, client: MlflowClient) -> None:
        """Take an open client, see ``mlflow_tracking.open_client``."""
        self._client = client

    def publish(self, name: str, members: Members, *, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
        """Store a bundle with a run and register it as the next version of ``name``.

        Raises:
            RegistryError: MLflow refused or cannot be reached.
        """
        with translated(f"register a version of {name!r}"):
            with tempfile.TemporaryDirectory(prefix="vigie-") as folder:
                _write_model(Path(folder), members)
                self._client.log_artifacts(run_id, str(Path(folder, _FOLDER)), _FOLDER)
            self._ensure_model(name)
            source = f"{self._client.get_run(run_id).info.artifact_uri}/{_FOLDER}"
            made = self._client.create_model_version(name, source=source, run_id=run_id, tags=dict(tags))
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


def _write_model(folder: Path, members: Members) -> None:
    """Write members as an MLflow model: MLmodel, requirements, and the bundle untouched below ``data``."""
    for member, content in members.items():
        path = folder / _BUNDLE / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with warnings.catch_warnings():
        # MLflow asks for an input example, and would then run the model on it: the bundle has its own golden rows.
        warnings.simplefilter("ignore", UserWarning)
        save_model(
            path=str(folder / _FOLDER),
            loader_module=_LOADER,
            data_path=str(folder / _BUNDLE),
            signature=_signature(read_schema(members[SCHEMA])) if SCHEMA in members else None,
            pip_requirements=["vigie"],
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
