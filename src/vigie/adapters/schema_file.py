"""``schema.toml``: the schema where a person can read and edit it."""

import json
import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import ConfigurationError, StorageError, nearest

FILE_NAME = "schema.toml"

_HEADER = """\
# What the model takes, written by `vigie train` and kept by you.
#
# Yours to edit: `kind` (integer, number, boolean, category), `nullable`, and `limits = [low, high]` (values outside
# are refused with 422; leave it out for none). `range` and `categories` are measured anew at each training: what lies
# outside is answered with a warning. Delete the file to have it all inferred again.
"""
_KEYS = ("kind", "nullable", "range", "limits", "categories")


def write_schema(path: Path, schema: Schema) -> None:
    """Write a schema for a person to read; whoever reads meanwhile finds the old file or the new one.

    Raises:
        StorageError: the folder cannot be written.
    """
    target = schema.target
    lines = [_HEADER, "[target]", f"name = {_text(target.name)}", f'task = "{target.task.value}"']
    if target.classes:
        lines.append(f"classes = {_text(list(target.classes))}")
    if schema.entity:
        lines.append(f"entity = {_text(schema.entity)}")
    for feature in schema.features:
        lines += ["", f"[features.{_text(feature.name)}]", f'kind = "{feature.kind.value}"']
        lines.append(f"nullable = {str(feature.nullable).lower()}")
        if feature.range:
            lines.append(f"range = {_text([_tidy(value, feature.kind) for value in feature.range])}")
        if feature.limits:
            low, high = feature.limits
            lines.append(f"limits = [{'-inf' if low is None else low}, {'inf' if high is None else high}]")
        if feature.categories:
            lines.append(f"categories = {_text(list(feature.categories))}")
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        staged.write_text("\n".join(lines) + "\n", encoding="utf-8")
        staged.replace(path)
    except OSError as exc:
        with suppress(OSError):
            staged.unlink(missing_ok=True)
        raise StorageError(str(path), f"it cannot be written: {exc.strerror}.", retryable=False) from exc


def read_schema(path: Path) -> Schema | None:
    """Return the schema a person may have edited, None when there is no file.

    Raises:
        ConfigurationError: the file is not TOML, or a key or a value is not one of a schema.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ConfigurationError(
            f"It cannot be read: {exc.strerror}.", where=path.name, remedy="Check its permissions."
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(
            f"This is not TOML: {exc}.", where=path.name, remedy="Mend the line or delete the file."
        ) from exc
    try:
        target = raw["target"]
        features = tuple(_feature(name, item, path.name) for name, item in raw["features"].items())
        return Schema(
            features=features,
            target=Target(
                _typed(target["name"], str, "target.name", path.name),
                Task(target["task"]),
                tuple(_typed(target.get("classes", []), list, "target.classes", path.name)),
            ),
            entity=_typed(target["entity"], str, "target.entity", path.name) if "entity" in target else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ConfigurationError(
            f"This is not a schema ({exc}).", where=path.name, remedy="Mend it, or delete it to have it inferred again."
        ) from exc


def _feature(name: str, item: dict[str, Any], where: str) -> Feature:
    for key in item.keys() - set(_KEYS):
        raise ConfigurationError(
            f"There is no such key.{nearest(key, _KEYS)}",
            where=where,
            key=f"features.{name}.{key}",
            remedy=f"A feature knows: {', '.join(_KEYS)}.",
        )
    kinds = [kind.value for kind in Kind]
    if item.get("kind") not in kinds:
        raise ConfigurationError(
            f"{item.get('kind')!r} is not a kind.{nearest(str(item.get('kind')), kinds)}",
            where=where,
            key=f"features.{name}.kind",
            remedy=f"Kinds: {', '.join(kinds)}.",
        )
    return Feature(
        name=name,
        kind=Kind(item["kind"]),
        nullable=_typed(item.get("nullable", False), bool, f"features.{name}.nullable", where),
        range=_pair(item.get("range"), f"features.{name}.range", where),
        limits=_limits(item.get("limits"), f"features.{name}.limits", where),
        categories=_words(item.get("categories", []), f"features.{name}.categories", where),
    )


T = TypeVar("T")


def _typed(found: Any, kind: type[T], key: str, where: str) -> T:
    if isinstance(found, kind):
        return found
    wanted = {bool: "true or false", str: "a text", list: "a list"}[kind]
    raise ConfigurationError(f"{found!r} is not {wanted}.", where=where, key=key, remedy=f"Write {wanted}.")


def _words(found: Any, key: str, where: str) -> tuple[str, ...]:
    return tuple(_typed(word, str, key, where) for word in _typed(found, list, key, where))


def _pair(found: Any, key: str, where: str) -> tuple[float, float] | None:
    if found is None:
        return None
    if not (isinstance(found, list) and len(found) == 2 and all(map(_is_bound, found))):
        raise ConfigurationError("Two numbers were expected.", where=where, key=key, remedy="Write [low, high].")
    if found[0] > found[1]:
        raise ConfigurationError("The first number is above the second.", where=where, key=key, remedy="Swap them.")
    return float(found[0]), float(found[1])


def _is_bound(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124  NaN


def _limits(found: Any, key: str, where: str) -> tuple[float | None, float | None] | None:
    pair = _pair(found, key, where)
    if pair is None:
        return None
    low, high = pair
    return (None if low == float("-inf") else low, None if high == float("inf") else high)


def _tidy(value: float, kind: Kind) -> float | int:
    return value if kind is Kind.NUMBER else int(value)


def _text(value: Any) -> str:
    """JSON is TOML for strings and flat lists, but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
