"""The prediction log's file and its statements, shared by what writes it and what reads it. No Arrow here."""

from pathlib import Path
from typing import Final

from vigie.adapters.sqlite.file import SqliteFile
from vigie.adapters.sqlite.statements import migrations, named_statements, sql_folder

APPLICATION_ID: Final = 0x5647504C  # "VGPL"
STORE: Final = "prediction log"

_FOLDER = sql_folder("vigie.adapters.prediction_log")
SQL: Final = named_statements(_FOLDER)
TABLE_SQL: Final = named_statements(_FOLDER, "table.sql")
_MIGRATIONS: Final = migrations(_FOLDER)


def open_file(path: Path, *, durable: bool) -> SqliteFile:
    """Open the log's file, or start one; its structure is brought up to date.

    Args:
        path: the database file; ``.lock``, ``-wal`` and ``-shm`` live beside it.
        durable: True keeps what was acknowledged through a power cut, False through a crash of the process only.

    Raises:
        StorageError: the file cannot be used; the message says why.
    """
    return SqliteFile(path, store=STORE, application_id=APPLICATION_ID, migrations=_MIGRATIONS, durable=durable)
