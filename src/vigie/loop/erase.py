"""Forget one entity: in the log, in its copies, and leave a proof that does not name it."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vigie.domain.event import Event, EventKind
from vigie.loop.memory import Memory
from vigie.ports import Exports, Held

_SCRYPT_N = 2**14  # 16 MB and some 40 ms a guess: ids are short, and whoever has the ledger may try them all


@dataclass(frozen=True, slots=True)
class Copies:
    """Where the log was copied to, by folder; None where the folder is not there any more."""

    exports: Mapping[str, Exports | None]

    @property
    def missing(self) -> tuple[str, ...]:
        """Folders that cannot be looked into."""
        return tuple(folder for folder, found in self.exports.items() if found is None)

    def files_of(self, entity: str) -> tuple[str, ...]:
        """Return the files that hold rows of an entity, or may."""
        return tuple(file for found in self.exports.values() if found for file in found.files_of(entity))


@dataclass(frozen=True, slots=True)
class Traces:
    """What there is, or was, of an entity.

    Attributes:
        held: in the log.
        files: copies that hold it, or held it.
        missing: folders of copies that are not where they were.
    """

    held: Held
    files: tuple[str, ...]
    missing: tuple[str, ...]


def traces(memory: Memory, copies: Copies, entity: str) -> Traces:
    """Return what there is of an entity; nothing is changed."""
    return Traces(memory.log.held(entity), copies.files_of(entity), copies.missing)


def erase(memory: Memory, copies: Copies, entity: str, salt: bytes) -> Traces:
    """Delete an entity from the log, with its outcomes and kept answers, and from every copy; return what there was.

    The ledger is told twice: before anything goes, what is there, and after everything was looked at again, that
    nothing is. An interrupted erasure is begun anew, finds what is left, and the ledger shows both beginnings.

    Args:
        memory: ports.
        copies: every place that copies were written to.
        entity: whom.
        salt: 16 random bytes; the ledger keeps a salted, slow hash, never the entity itself.

    Raises:
        StorageError: not everything is gone; try again.
    """
    before = traces(memory, copies, entity)
    proof = {"entity_hash": entity_hash(entity, salt), "salt": salt.hex(), "hash": f"scrypt n={_SCRYPT_N} r=8 p=1"}
    counts = {**asdict(before.held), "files": len(before.files)}
    _record(memory, EventKind.ERASURE_BEGAN, f"Erasing one entity: {_told(counts)}.", {**proof, **counts})
    memory.log.erase(entity)
    for found in copies.exports.values():
        if found:
            found.erase(entity)
    evidence = {**proof, **counts, "changed_files": list(before.files), "missing_folders": list(before.missing)}
    _record(memory, EventKind.ERASED, f"Erased one entity: {_told(counts)}; no byte of it is left.", evidence)
    return before


def entity_hash(entity: str, salt: bytes) -> str:
    """Return what the ledger keeps of an erased entity: who knows it can check it, who does not must guess slowly.

    Source:
        RFC 7914.
    """
    return hashlib.scrypt(entity.encode(), salt=salt, n=_SCRYPT_N, r=8, p=1, dklen=32).hex()


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _record(memory: Memory, kind: EventKind, summary: str, evidence: Mapping[str, Any]) -> None:
    memory.ledger.append(
        Event(kind=kind, at=memory.clock.now(), model=memory.model, summary=summary, evidence=evidence)
    )
