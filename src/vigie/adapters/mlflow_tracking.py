"""MLflow Tracking: runs under one parent, written in batches, with the rows they used and the files they made.

This file also opens the client that ``mlflow_registry`` uses; MLflow is imported in these two files and nowhere else.
Its own telemetry is switched off before it is imported: Vigie never phones home, nor does what it brings along.
"""

import getpass
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

# MLflow's own settings; what the user set wins. Its seven tries with doubling pauses would keep a person, or a server's
# follower, waiting for minutes before they hear that the server is down.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from vigie.adapters.mlflow_store import damage_told, follow_move, full_told, sqlite_file
from vigie.adapters.process_name import has_ended, process_name
from vigie.domain.model import RunRecord, TrackedRuns, UsedRows
from vigie.errors import RegistryError, first_line

# A new SQLite store tells of each of its migrations; a user did not ask.
for _name in ("mlflow", "alembic"):
    logging.getLogger(_name).setLevel(logging.WARNING)
# This one logs a traceback of whatever it then raises; ``translated`` tells it in a sentence.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
logger = logging.getLogger(__name__)

_PARENT = "mlflow.parentRunId"
_RECORDER = "vigie.recorder"
"""Which process writes a run; one that is killed meanwhile cannot say that it ended."""
_NOTE = "mlflow.note.content"
_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""MLflow's pages then open on runs and models, not on what language models need."""

_MEND = (
    "Stop what uses it, move it away and bring back a backup. Without one, `vigie train` begins a new one: versions, "
    "runs and aliases are lost, versions count from 1 again, and `vigie doctor` says which of the server's copies must "
    "go. Prediction log, ledger and bundle cache are files of their own, untouched; a running server goes on."
)

# The longest that MLflow's database takes.
_PARAM_CHARACTERS, _NOTE_CHARACTERS, _DIGEST_CHARACTERS = 6_000, 8_000, 36


def open_client(uri: str) -> MlflowClient:
    """Open tracking and registry at one address; a new SQLite store is made at first use, one that was moved mended.

    Raises:
        RegistryError: MLflow cannot use the address.
    """
    with translated(f"open {_without_password(uri)}"):
        if database := sqlite_file(uri):
            database.parent.mkdir(parents=True, exist_ok=True)
            follow_move(database)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn whatever MLflow raises into a RegistryError that says what was being done."""
    try:
        yield
    except (MlflowException, SQLAlchemyError) as exc:
        raise _told(doing, exc) from exc
    except OSError as exc:
        raise RegistryError(f"MLflow could not {doing}: {exc}.", remedy="Check the disk and the permissions.") from exc


def _told(doing: str, exc: MlflowException | SQLAlchemyError) -> RegistryError:
    if damage := damage_told(exc):
        return RegistryError(f"MLflow could not {doing}: its SQLite file is {damage}.", remedy=_MEND)
    if full := full_told(exc):
        problem = f"MLflow could not {doing}: its SQLite file was {full}."
        return RegistryError(problem, remedy="Free some space, or check the disk, and try again.")
    said = first_line(exc, nothing=type(exc).__name__)
    if isinstance(exc, MlflowException):
        return RegistryError(
            f"MLflow could not {doing}: {said}.",
            remedy="Check stores.tracking_uri and that its server runs.",
        )
    # MLflow lets its driver's own errors through while it opens a store
    return RegistryError(
        f"MLflow could not {doing}: {said}.",
        remedy="Check that stores.tracking_uri names an MLflow store.",
    )


def cut(text: str, characters: int) -> str:
    """Return Markdown no longer than a database column, ended after a whole line."""
    if len(text) <= characters:
        return text
    more = "\n…"
    return text[: characters - len(more)].rpartition("\n")[0] + more


class MlflowTracker:
    """Keeps runs in MLflow."""

    def __init__(self, client: MlflowClient, *, artifacts: str | None, under: str | None = None) -> None:
        """Take an open client.

        Args:
            client: see ``open_client``.
            artifacts: where new experiments keep their artifacts; None lets the server decide.
            under: id of a run that MLflow itself started (``mlflow run``); ours go below it, in its experiment.
        """
        self._client = client
        self._artifacts = artifacts
        self._under = under

    def record(self, experiment: str, parent: RunRecord, children: Sequence[RunRecord]) -> TrackedRuns:
        """Keep one parent run with its children, each in one batch.

        Raises:
            RegistryError: the tracking store refused or cannot be reached.
        """
        with translated(f"record the runs of {experiment!r}"):
            around = self._around()
            experiment_id = around.info.experiment_id if around else self._experiment_id(experiment)
            self._end_killed(experiment_id)
            parent_id = self._write(experiment_id, parent, {_PARENT: around.info.run_id} if around else {})
            child_ids = {child.name: self._write(experiment_id, child, {_PARENT: parent_id}) for child in children}
        return TrackedRuns(parent_id, child_ids)

    def attach(self, run_id: str, files: Mapping[str, bytes], *, note: str = "") -> None:
        """Keep files with a run, and show a note in Markdown on its page.

        Raises:
            RegistryError: the tracking or the artifact store refused or cannot be reached.
        """
        with translated(f"keep {', '.join(files) or 'a note'} with run {run_id}"):
            if files:
                with tempfile.TemporaryDirectory(prefix="vigie-") as folder:
                    for name, content in files.items():
                        path = Path(folder, name)
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(content)
                    self._client.log_artifacts(run_id, folder)
            if note:
                self._client.set_tag(run_id, _NOTE, cut(note, _NOTE_CHARACTERS))

    def _around(self) -> Run | None:
        if self._under is None:
            return None
        try:
            return self._client.get_run(self._under)
        except MlflowException as exc:
            if exc.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            logger.warning("run %s is not in this MLflow store, so ours stand by themselves", self._under)
            return None

    def _experiment_id(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(name, artifact_location=self._artifacts, tags=_KIND))

    def _end_killed(self, experiment_id: str) -> None:
        """Mark runs that a killed process of this machine left as running; whoever opens MLflow would wait for them."""
        for run in self._client.search_runs([experiment_id], filter_string="attributes.status = 'RUNNING'"):
            if has_ended(run.data.tags.get(_RECORDER, "")):
                logger.info(
                    "run %s was being written by a process that is gone; it is marked as killed", run.info.run_id
                )
                self._client.set_terminated(run.info.run_id, status="KILLED")

    def _write(self, experiment_id: str, record: RunRecord, links: Mapping[str, str]) -> str:
        end_ms = int(time.time() * 1000)
        began_ms = end_ms - round(record.seconds * 1000)
        recorder = {_RECORDER: process_name()}
        run = self._client.create_run(experiment_id, start_time=began_ms, tags=recorder, run_name=record.name)
        run_id = str(run.info.run_id)
        tags = {**record.tags, **links, "mlflow.user": _user()}
        self._client.log_batch(
            run_id,
            metrics=_metrics(record, end_ms),
            params=[Param(name, value[:_PARAM_CHARACTERS]) for name, value in record.params.items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
        if record.rows:
            self._client.log_inputs(run_id, [_dataset(rows) for rows in record.rows])
        self._client.set_terminated(run_id, end_time=end_ms)
        return run_id


def _metrics(record: RunRecord, at_ms: int) -> list[Metric]:
    single = ((name, 0, value) for name, value in record.metrics.items())
    steps = ((name, step, value) for name, values in record.series.items() for step, value in enumerate(values))
    return [Metric(name, value, at_ms, step) for name, step, value in chain(single, steps)]


def _dataset(rows: UsedRows) -> DatasetInput:
    """Return rows as MLflow describes a dataset. Its digests are shorter than ours: the whole one is a tag."""
    types = {"number": "double", "integer": "long", "boolean": "boolean"}
    columns = [{"name": name, "type": types.get(kind, "string")} for name, kind in rows.columns.items()]
    described = Dataset(
        # the two parts share a digest, and MLflow takes datasets of one name and one digest for the same
        name=f"{rows.name} ({rows.role})",
        digest=rows.digest[:_DIGEST_CHARACTERS],
        source_type="code",
        source=json.dumps({"tags": {"vigie.source": rows.source}}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps({"num_rows": rows.n_rows}),
    )
    return DatasetInput(described, [InputTag("mlflow.data.context", rows.role)])


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return str(os.getuid())


def _without_password(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
