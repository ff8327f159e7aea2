"""The sections of ``vigie.toml``: every setting with its type, its default and the line that documents it."""

from dataclasses import MISSING, dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta

from vigie.bundle.signature import PUBLIC_KEY
from vigie.domain.task import Task

Share = Annotated[float, Meta(gt=0, lt=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[float, Meta(ge=0)]
PublicKey = Annotated[str, Meta(pattern=f"^{PUBLIC_KEY}$")]
Name = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$")]


def key(doc: str, default: Any = MISSING, **rest: Any) -> Any:
    """Declare one setting: its default and the line that the reference documentation prints."""
    return field(default=default, metadata={"doc": doc}, **rest)


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What the project is."""

    name: Name = key("Name of the project and of its registered model.")
    task: Task | None = key("`regression`, `binary` or `multiclass`; left out: inferred from the target.", None)


@dataclass(frozen=True, slots=True)
class DataSettings:
    """Where the table is and what its columns mean."""

    source: str = key("CSV, Parquet, folder of Parquet, database URL, or `package.module:function`.")
    target: str = key("Column to predict; never a feature.")
    query: str | None = key("SQL to run when `source` is a database URL.", None)
    positive: str | None = key("Class whose probability a binary answer reports; left out: the last in order.", None)
    entity: str | None = key("Column that names whom a row is about; never a feature.", None)
    time: str | None = key("Column of times; given: the split is by time. Never a feature.", None)
    exclude: tuple[str, ...] = key("Columns to leave out.", ())
    test_fraction: Share = key("Share of rows held out to judge the candidates.", 0.2)
    seed: int = key("Seed of every random choice.", 42)
    split: Literal["auto", "random", "stratified", "time", "grouped"] = key(
        "`auto` (time, else grouped where entities repeat, else stratified, else random), or one of `random`, "
        "`stratified`, `time`, `grouped`.",
        "auto",
    )


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What is tried, and how it is compared."""

    candidates: tuple[str | dict[str, Any], ...] = key(
        "Models to compare: names, scikit-learn import paths, or tables with `name`, parameters and `grid`; "
        "left out: a good default set for the task.",
        (),
    )
    metric: str | None = key("Metric that ranks them; left out: rmse, roc_auc or log_loss by task.", None)
    folds: Annotated[int, Meta(ge=2, le=50)] | None = key(
        "Folds of the cross-validation, on the training part only; left out: 5, or 3 above 20,000 rows.", None
    )
    repeats: Annotated[int, Meta(ge=1, le=100)] = key(
        "How often the training part is dealt into folds anew; not for folds in order of time.", 1
    )
    budget: timedelta | None = key("Time after which no further grid points are tried; left out: all are.", None)
    report: bool = key(
        "Whether `vigie train` keeps the training report, a page and its pictures, with the run in MLflow.",
        default=True,
    )


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """The HTTP service."""

    host: str = key("Address to listen on.", "127.0.0.1")
    port: Port = key("Port to listen on; 0 takes a free one.", 8000)
    hosts: tuple[str, ...] = key(
        "Names that requests may be addressed to; left out: this machine's when listening on loopback, else any.", ()
    )
    max_body_bytes: Positive = key("Larger bodies are refused with 413.", 1_048_576)
    max_rows: Positive = key("Larger arrays are refused with 413.", 1_000)
    heavy_rows: Positive = key(
        "Larger arrays are read and scored beside the others, in a thread; fewer where a row takes long.", 256
    )
    max_bulk_bytes: Positive = key("The largest body of an Arrow stream.", 67_108_864)
    max_bulk_rows: Positive = key("The longest Arrow stream.", 100_000)
    workers: Positive = key("Processes that answer; limits count for each of them.", 1)
    max_connections: Positive = key("Open connections; more are refused at once, with 503.", 2_000)
    max_under_way: Positive = key("Predictions under way at a time; more are refused at once, with 503.", 1_024)
    keep_alive: timedelta = key("How long an idle connection is kept.", timedelta(seconds=75))
    fast_path: bool = key("Whether plain predictions are answered without the framework.", default=True)
    max_waiting_rows: Positive = key(
        "Predictions and outcomes that may wait for the log at once; beyond that, requests get 503.", 20_000
    )
    follow_every: timedelta = key("How often the server looks whether the champion moved.", timedelta(seconds=1))
    log_format: Literal["text", "json"] = key(
        "How the server logs: `text` to standard error, or `json` to standard output, one object a line.", "text"
    )
    log_requests: bool = key("Whether every request is a line in the server's log.", default=False)


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who may reach the HTTP service, how, and how often; `vigie keys` makes the keys."""

    insecure: bool = key(
        "Whether to listen beyond this machine without access keys, or without TLS, all the same.", default=False
    )
    tls_certificate: str | None = key("PEM file of the server's certificate and its chain.", None)
    tls_key: str | None = key("PEM file of the certificate's private key.", None)
    behind_proxy: tuple[str, ...] = key(
        "Addresses or networks of the proxies that speak TLS for the server; only they may say who asks, in "
        "X-Forwarded-For.",
        (),
    )
    rate_per_s: Annotated[float, Meta(gt=0)] | None = key(
        "Requests a second by key, or by address where no keys are asked for; left out: any number.", None
    )


@dataclass(frozen=True, slots=True)
class MonitoringSettings:
    """When a window is judged, and how much it takes to raise an alarm."""

    every: timedelta = key("How often `vigie watch` looks.", timedelta(hours=1))
    min_rows: Positive = key("Predictions a window needs before its inputs are judged.", 200)
    min_labelled: Positive = key("Outcomes needed before performance is judged.", 200)
    false_alarm_budget: Share = key("Probability of any false drift alarm over a version's whole life.", 0.05)
    psi_margin: NotNegative = key("Shift, in PSI, that is too small to matter.", 0.02)
    distance_margin: NotNegative = key("Distance between distributions (0 to 1) that is too small to matter.", 0.05)
    calendar: tuple[str, ...] = key(
        "Features that tell the time (hour, weekday, month): their drift gives notices, never alarms.", ()
    )
    in_a_row: Literal[1, 2] = key(
        "Drift alarms of a column that it takes, one window after the other, to be mailed and retrained on.", 2
    )
    baseline: Literal["training", "season", "accepted"] = key(
        "What windows are compared with: the training data, the same period one `season` ago, or the last window whose "
        "inputs were judged and raised no alarm.",
        "training",
    )
    season: timedelta = key("Length of a season, for that baseline; no shorter than `every`.", timedelta(days=7))
    strict: bool = key(
        "Whether drift alarms keep a bound that holds for any number of rows, at a cost in power.", default=False
    )
    performance_margin: NotNegative = key(
        "Loss of performance too small to matter: absolute for scores, relative for losses.", 0.02
    )
    segments: tuple[str, ...] = key("Features whose every level, or quarter, gets its own metrics.", ())
    service: str | None = key(
        "Address of the server whose metrics are read; its silence is an alarm. Left out: the one of `serving` is "
        "asked, and its silence is none.",
        None,
    )
    service_key: str | None = key("Access key with the scope `metrics`, as `${NAME}` of the environment.", None)
    max_error_rate: Annotated[float, Meta(ge=0, lt=1)] | None = key(
        "Share of requests that may fail by the server's fault before it is an alarm; left out: any.", None
    )
    max_latency_p99_ms: Annotated[float, Meta(gt=0)] | None = key(
        "Milliseconds that 99 of 100 answers must not take longer than, an alarm from 368 answers in a window on; left "
        "out: any.",
        None,
    )


@dataclass(frozen=True, slots=True)
class AlertingSettings:
    """Who hears of an alarm, and how often; `vigie alerts test` tries every channel."""

    channels: tuple[str, ...] = key(
        "Apprise addresses (`mailto://…`, `slack://…`); `${NAME}` is taken from the environment.", ()
    )
    webhooks: tuple[str, ...] = key("Addresses that get a signed CloudEvent; `${NAME}` as above.", ())
    webhook_secret: str | None = key(
        "What signs them: `whsec_` and 24 to 64 bytes in base64, as `${NAME}` of the environment.", None
    )
    cooldown: timedelta = key("Least time between two messages about one version and subject.", timedelta(hours=4))
    timeout: timedelta = key("How long a message may take on one channel, all tries together.", timedelta(seconds=15))
    allow_private: bool = key(
        "Whether this machine and private networks may be reached, and webhooks without TLS.", default=False
    )


@dataclass(frozen=True, slots=True)
class RetrainingSettings:
    """When an alarm leads to a new model, and what it learns from."""

    min_labelled: Positive = key("Outcomes needed before retraining on logged predictions.", 500)
    cooldown: timedelta = key("Least time between two retrainings.", timedelta(days=1))
    held_out: Share = key("Share of the recent outcomes kept aside for the gate.", 0.3)
    report: bool = key("Whether a retraining keeps its training report with the run in MLflow.", default=False)


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What a challenger must show."""

    level: Annotated[float, Meta(gt=0.5, lt=1)] = key("Confidence that the challenger is better.", 0.95)
    margin: NotNegative = key("Mean loss by which it must be better (nats, or the target's unit squared).", 0.0)
    min_rows: Positive = key("Held-out rows the comparison needs.", 100)


@dataclass(frozen=True, slots=True)
class ValueSettings:
    """What each kind of decision is worth; binary tasks only."""

    true_positive: float = key("Value of acting on a true positive.", 0.0)
    false_positive: float = key("Value of acting in vain.", 0.0)
    false_negative: float = key("Value of a missed positive.", 0.0)
    true_negative: float = key("Value of rightly leaving alone.", 0.0)
    unit: str = key("Unit of the four values.", "EUR")


@dataclass(frozen=True, slots=True)
class BundleSettings:
    """What a bundle may hold, and who must have signed it."""

    trusted_types: tuple[str, ...] = key("Full names of your own types to accept in models, beyond Vigie's list.", ())
    require_signature: bool = key(
        "Whether a bundle without a signature by one of `trusted_keys` is refused.", default=False
    )
    trusted_keys: tuple[PublicKey, ...] = key("Public keys, as `vigie keys pair` prints them.", ())
    signing_key: str | None = key(
        "File of the private key that signs what this project registers; left out: `vigie keys sign` does.", None
    )


@dataclass(frozen=True, slots=True)
class StoresSettings:
    """Where state lives; relative paths start at the folder of `vigie.toml`."""

    root: str = key("Folder of all local state.", ".vigie")
    bundles: str | None = key("Folder of the bundles that a server opens; left out: `bundles` in `root`.", None)
    tracking_uri: str | None = key(
        "MLflow server or database; left out: `MLFLOW_TRACKING_URI`, else SQLite in `root`.", None
    )
    durable: bool = key("Whether an answered prediction survives a power cut, not only a crash.", default=True)
    keep: timedelta | None = key("How long predictions and outcomes are kept, in whole days; left out: for ever.", None)
