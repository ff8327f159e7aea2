"""``vigie.toml`` and ``VIGIE_*`` become one frozen Settings; every default of Vigie lives here.

An environment variable ``VIGIE_SECTION__KEY`` wins over the file, the file wins over the default. An unknown name is an
error that says the nearest valid one: a setting that is silently ignored is worse than none.
"""

import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from vigie.errors import ConfigurationError, nearest
from vigie.settings.sections import (
    AccessSettings,
    AlertingSettings,
    BundleSettings,
    DataSettings,
    GateSettings,
    MonitoringSettings,
    ProjectSettings,
    RetrainingSettings,
    ServingSettings,
    StoresSettings,
    TrainingSettings,
    ValueSettings,
)

PREFIX = "VIGIE_"
FILE_NAME = "vigie.toml"

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_LONGEST = timedelta(days=36_525)  # a century: further back than that, dates end
_A_LENGTH = f"a length of time above 0 and at most {_LONGEST.days}d, such as 30s, 5m, 6h or 7d"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one project; ``file`` is its ``vigie.toml``, however it is called."""

    project: ProjectSettings
    data: DataSettings
    file: Path
    training: TrainingSettings = field(default_factory=TrainingSettings)
    serving: ServingSettings = field(default_factory=ServingSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    monitoring: MonitoringSettings = field(default_factory=MonitoringSettings)
    alerting: AlertingSettings = field(default_factory=AlertingSettings)
    retraining: RetrainingSettings = field(default_factory=RetrainingSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    bundle: BundleSettings = field(default_factory=BundleSettings)
    stores: StoresSettings = field(default_factory=StoresSettings)
    value: ValueSettings | None = None

    @property
    def folder(self) -> Path:
        """Absolute folder of the project: where relative paths start."""
        return self.file.parent

    @property
    def tracking_uri(self) -> str:
        """Address of MLflow's store; a relative SQLite file starts at the project's folder, like every path.

        Raises:
            ConfigurationError: the path of the embedded store holds what an address cannot.
        """
        uri = self.stores.tracking_uri
        if uri is None:
            if found := set("?%'\"") & set(str(self.root)):
                raise ConfigurationError(
                    f"the path {self.root} holds {' and '.join(sorted(found))}, which the address of MLflow's store "
                    "cannot hold.",
                    remedy="Move the project to a folder without it, or set stores.root to one.",
                    key="stores.root",
                )
            return f"sqlite:///{self.root / 'mlflow.db'}"
        path = uri.removeprefix("sqlite:///")
        return uri if path == uri or path.startswith("/") else f"sqlite:///{self.folder / path}"

    @property
    def root(self) -> Path:
        """Absolute folder of all local state."""
        return self.folder / self.stores.root


SECTIONS: dict[str, Any] = {
    "project": ProjectSettings,
    "data": DataSettings,
    "training": TrainingSettings,
    "value": ValueSettings,
    "serving": ServingSettings,
    "access": AccessSettings,
    "monitoring": MonitoringSettings,
    "alerting": AlertingSettings,
    "retraining": RetrainingSettings,
    "gate": GateSettings,
    "bundle": BundleSettings,
    "stores": StoresSettings,
}
"""Every section of the file, in the order the documentation prints them."""


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read a project's settings.

    Args:
        path: a ``vigie.toml`` or the folder that holds one.
        environ: the environment; ``VIGIE_SECTION__KEY`` and ``MLFLOW_TRACKING_URI`` are read.

    Raises:
        ConfigurationError: no such file, broken TOML, an unknown name, a value of the wrong type or range.
    """
    file = _settings_file(path)
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))  # editors on Windows write the signature
    except OSError as exc:
        raise ConfigurationError(
            f"It cannot be read: {exc.strerror}.", where=str(file), remedy="Check its permissions."
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"This is not TOML: {exc}.", where=str(file), remedy="Mend the line.") from exc
    values = {section: _section(raw.pop(section, {}), section, file.name) for section in SECTIONS}
    for unknown in raw:
        raise ConfigurationError(
            f"There is no section [{unknown}].{nearest(unknown, list(SECTIONS))}",
            where=file.name,
            key=unknown,
            remedy=f"Sections: {', '.join(SECTIONS)}.",
        )
    sources = {section: dict.fromkeys(found, file.name) for section, found in values.items()}
    _apply_environment(values, sources, environ)
    built: dict[str, Any] = {
        section: _build(SECTIONS[section], section, found, sources[section], file.name)
        for section, found in values.items()
        if found or section != "value"
    }
    _check_keys(built["bundle"], file.name)
    _check_service(built["monitoring"].service, sources["monitoring"].get("service", file.name))
    _check_season(built["monitoring"], sources["monitoring"].get("season", file.name))
    return Settings(file=file.resolve(), **built)


def _check_keys(bundle: BundleSettings, where: str) -> None:
    if bundle.require_signature and not bundle.trusted_keys:
        raise ConfigurationError(
            "Signatures are required, but nobody's key is trusted: every bundle would be refused.",
            where=where,
            key="bundle.trusted_keys",
            remedy="Make a key with `vigie keys pair`, and write its public half here.",
        )


def _check_service(address: str | None, where: str) -> None:
    try:
        parts = urlsplit(address or "http://localhost")
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is none
        fits = False
    if not fits:
        raise ConfigurationError(
            f"{address!r} is not the address of a server.",
            where=where,
            key="monitoring.service",
            remedy="Write http:// or https:// and a host, such as https://churn.example.org.",
        )


def _check_season(monitoring: MonitoringSettings, where: str) -> None:
    if monitoring.baseline == "season" and monitoring.season < monitoring.every:
        season, window = duration_text(monitoring.season), duration_text(monitoring.every)
        raise ConfigurationError(
            f"A season of {season} is shorter than a window, {window} by monitoring.every, which would be compared "
            "with a part of itself.",
            where=where,
            key="monitoring.season",
            remedy="Make it as long as the rhythm of the traffic, such as 1d or 7d, or look more often.",
        )


def _settings_file(path: Path) -> Path:
    try:
        file = path / FILE_NAME if path.is_dir() else path
        if file.is_file():
            return file
        problem = f"There is no {FILE_NAME} in {path.resolve()}." if path.is_dir() else f"There is no project {path}."
    except OSError as exc:
        problem = f"{str(path)[:80]} cannot be a project: {exc.strerror}."
    raise ConfigurationError(
        problem,
        remedy="Go to a project's folder, or name one with --project FOLDER; `vigie init NAME` makes one.",
    )


def parse_duration(text: str) -> timedelta:
    """Return the length that ``30s``, ``500ms``, ``5m``, ``1h``, ``7d`` or ``2w`` says.

    Raises:
        ValueError: the text says none, or none above zero and up to a century; it says so, with examples.
    """
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz").strip()
    unit = text[len(text.rstrip("abcdefghijklmnopqrstuvwxyz")) :]
    try:
        length = timedelta(seconds=float(number) * _UNITS_S[unit])
    except (KeyError, ValueError, OverflowError):
        length = timedelta(0)
    if not timedelta(0) < length <= _LONGEST:
        raise ValueError(f"{text!r} is not {_A_LENGTH}")
    return length


def duration_text(length: timedelta) -> str:
    """Return a length as ``parse_duration`` reads it, in the longest unit that it is a whole number of."""
    seconds = length.total_seconds()
    unit = next((unit for unit in ("d", "h", "m", "s") if seconds % _UNITS_S[unit] == 0), "ms")
    return f"{seconds / _UNITS_S[unit]:.12g}{unit}"


def _section(found: Any, section: str, where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ConfigurationError("A section was expected here.", where=where, key=section, remedy=f"Write [{section}].")
    names = [f.name for f in fields(SECTIONS[section])]
    for unknown in found.keys() - set(names):
        raise ConfigurationError(
            f"There is no such setting.{nearest(unknown, names)}",
            where=where,
            key=f"{section}.{unknown}",
            remedy=f"[{section}] knows: {', '.join(names)}.",
        )
    return dict(found)


def _apply_environment(
    values: dict[str, dict[str, Any]], sources: dict[str, dict[str, str]], environ: Mapping[str, str]
) -> None:
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        section, _, name = variable[len(PREFIX) :].lower().partition("__")
        names = [f.name for f in fields(SECTIONS[section])] if section in SECTIONS else []
        if name not in names:
            known = [f"{PREFIX}{s}__{f.name}".upper() for s, kind in SECTIONS.items() for f in fields(kind)]
            raise ConfigurationError(
                f"There is no such setting.{nearest(variable, known)}",
                where="environment",
                key=variable,
                remedy="Unset it or correct it.",
            )
        values[section][name] = text
        sources[section][name] = variable
    if "tracking_uri" not in values["stores"] and (uri := environ.get("MLFLOW_TRACKING_URI")):
        values["stores"]["tracking_uri"] = uri
        sources["stores"]["tracking_uri"] = "MLFLOW_TRACKING_URI"


T = TypeVar("T")


def _build(kind: type[T], section: str, found: dict[str, Any], sources: dict[str, str], where: str) -> T:
    assert is_dataclass(kind)  # noqa: S101  tells the type checker what SECTIONS holds
    hints = typing.get_type_hints(kind, include_extras=True)
    built = {}
    for item in fields(kind):
        if item.name in found:
            origin = sources[item.name]
            built[item.name] = _convert(found[item.name], hints[item.name], f"{section}.{item.name}", origin)
        elif item.default is MISSING:
            raise ConfigurationError(
                "This setting is missing.",
                where=where,
                key=f"{section}.{item.name}",
                remedy=f"Write it: {item.metadata['doc']}",
            )
    return kind(**built)


def _convert(value: Any, hint: Any, name: str, where: str) -> Any:
    from_environment = isinstance(value, str) and where.isupper()
    is_duration = hint is timedelta or timedelta in typing.get_args(hint)
    try:
        if from_environment and typing.get_origin(hint) is tuple:
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if from_environment and _is_optional(hint) and value == "":
            return None
        if is_duration:
            return parse_duration(value)
        return msgspec.convert(value, hint, strict=not from_environment)
    except (msgspec.ValidationError, ValueError, AttributeError, TypeError) as exc:
        wanted = f"it is not {_A_LENGTH}" if is_duration else str(exc)
        raise ConfigurationError(
            f"The value {value!r} does not fit: {wanted}.",
            where=where,
            key=name,
            remedy="See `vigie` reference, settings, for what it takes.",
        ) from exc


def _is_optional(hint: Any) -> bool:
    return isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)
