"""CSV and Parquet files and folders of them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from vigie.errors import DataError, first_line, listed, nearest

_CSV = frozenset({".csv", ".tsv", ".txt"})
_PARQUET = frozenset({".parquet", ".pq"})
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive, as Excel (.xlsx) writes it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x80\x05\x95", "a Python pickle"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)
_WIDEST_BLOCK = 2**31 - 2


def read_path(path: Path) -> pa.Table:
    """Return the table in a file or folder.

    Raises:
        DataError: nothing is there, or it is not a table this function reads.
    """
    try:
        if path.is_dir():
            return _read_folder(path)
        if not path.exists():
            raise DataError(f"There is no file {path}.", remedy=_what_is_there(path))
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty (0 bytes).", remedy="Check that whatever writes it had finished.")
        return _read_file(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}.", remedy="Check the disk and the file's permissions."
        ) from error


def _what_is_there(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"The folder {folder} does not exist either; relative paths start at the folder of vigie.toml."
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    close = nearest(path.name, names).strip()
    if close:
        return close
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f"{folder} holds: {shown or 'nothing'}."


def _read_file(path: Path) -> pa.Table:
    suffix = path.suffix.lower()
    with path.open("rb") as stream:
        head = stream.read(512)
    if suffix in _PARQUET or (suffix not in _CSV and head.startswith(b"PAR1")):
        return _read_parquet(path, head)
    if suffix in _CSV:
        return _read_csv(path, head)
    kind = _kind_of(head)
    raise DataError(
        f"{path} is not a table Vigie reads{f': it is {kind}' if kind else ''}.",
        remedy="Save it as .csv or .parquet, or load it in a function: source = 'data:load'.",
    )


def _kind_of(head: bytes) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")):
        return "JSON"
    if text[:1] == b"<":
        return "HTML or XML"
    return "a binary file" if b"\x00" in head else ""


def refuse_repeated(names: Sequence[str], what: str) -> None:
    """Do nothing when no two columns have one name.

    Raises:
        DataError: two have.
    """
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    if repeated:
        raise DataError(
            f"There is more than one column called {listed(repeated)} in {what}.",
            remedy="Rename or remove the duplicates.",
        )


def _read_parquet(path: Path, head: bytes) -> pa.Table:
    if not head.startswith(b"PAR1"):
        kind = _kind_of(head) or "text, perhaps CSV"
        raise DataError(
            f"{path} is not a Parquet file: it looks like {kind}.",
            remedy="Export it as Parquet, or give it the name of what it is (.csv).",
        )
    try:
        refuse_repeated(pa.parquet.read_schema(path).names, str(path))  # read_table cannot tell them apart
        return pa.parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} is a damaged or unfinished Parquet file: {first_line(error)}",
            remedy="Write it again.",
        ) from error


def _read_folder(folder: Path) -> pa.Table:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PARQUET and path.is_file())
    if not files:
        names = sorted(entry.name for entry in folder.iterdir())
        shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        raise DataError(
            f"The folder {folder} holds no Parquet file; it holds: {shown or 'nothing'}.",
            remedy="Name one file, e.g. data/customers.csv, or a folder of .parquet files.",
        )
    tables = [_read_file(path) for path in files]
    names = tables[0].column_names
    for path, table in zip(files, tables, strict=True):
        if sorted(table.column_names) != sorted(names):
            differing = ", ".join(sorted(set(names) ^ set(table.column_names))) or "repeated names"
            raise DataError(
                f"{path} does not have the columns of {files[0].name}; they differ in: {differing}.",
                remedy="Move the file away, or write the folder again with one set of columns.",
            )
    tables = [table.select(names) for table in tables]
    for name, values in _partitions(folder, files).items():
        tables = [
            table.append_column(name, pa.repeat(value, len(table))) for table, value in zip(tables, values, strict=True)
        ]
    try:
        # permissive: one part may hold whole numbers where another holds decimals, or nothing but nulls
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(
            f"The Parquet files in {folder} disagree about a column's type: {first_line(error)}",
            remedy="Write the folder again with one type per column.",
        ) from error


def _partitions(folder: Path, files: list[Path]) -> dict[str, list[pa.Scalar]]:
    """Return the columns that folders called key=value stand for, one value per file."""
    paths = [path.relative_to(folder).parent.parts for path in files]
    pairs = [dict(part.split("=", 1) for part in parts if "=" in part) for parts in paths]
    found = {}
    for name in dict.fromkeys(name for pair in pairs for name in pair):
        texts = [pair.get(name) for pair in pairs]
        is_whole = all(text is None or text.isdecimal() for text in texts)
        kind = pa.int64() if is_whole else pa.string()
        found[name] = [pa.scalar(int(text) if text is not None and is_whole else text, kind) for text in texts]
    return found


def _read_csv(path: Path, head: bytes) -> pa.Table:
    kind = _kind_of(head)
    if kind:
        raise DataError(
            f"{path} is not a CSV file: it is {kind}.",
            remedy="Export the table as CSV in UTF-8, or load it in a function: source = 'data:load'.",
        )
    # One block, so that a column's type rests on all of its values and not on those of the first megabyte.
    read = pa.csv.ReadOptions(use_threads=False, block_size=min(path.stat().st_size + 1, _WIDEST_BLOCK))
    parse = pa.csv.ParseOptions(delimiter=_delimiter(head), newlines_in_values=True)
    convert = pa.csv.ConvertOptions(strings_can_be_null=True)
    try:
        table = pa.csv.read_csv(path, read_options=read, parse_options=parse, convert_options=convert)
        _ = table.column_names  # decoded only when asked for
    except UnicodeDecodeError as error:
        raise _encoding_error(path) from error
    except (pa.ArrowException, OSError) as error:
        raise _csv_error(path, error) from error
    if any(pa.types.is_binary(kind) for kind in table.schema.types):
        raise _encoding_error(path)
    return table


def _delimiter(head: bytes) -> str:
    """Return the separator that occurs most often in the header line; a comma when none does."""
    header = head.splitlines()[0].decode("utf-8", errors="replace")
    return max(",;\t|", key=header.count)


def _csv_error(path: Path, error: Exception) -> DataError:
    message = first_line(error)
    if "UTF8" in message or "UTF-8" in message:
        return _encoding_error(path)
    ragged = message.removeprefix("CSV parse error: ")
    if ragged.startswith("Row #"):
        row, _, rest = ragged.removeprefix("Row #").partition(":")
        counts = rest.split(":")[0].strip().lower()
        return DataError(
            f"Row {row} of {path} (the header is row 1) does not fit: {counts}.",
            remedy="Mend that row; a value that holds the separator must stand in double quotes.",
        )
    return DataError(f"{path} cannot be read as CSV: {message}", remedy="Check the file, or export it again.")


def _encoding_error(path: Path) -> DataError:
    content, line = path.read_bytes(), 0
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    where = f" (line {line})" if line else ""
    return DataError(
        f"{path} holds bytes that are not UTF-8{where}; it was probably saved in another encoding.",
        remedy="Save it again as UTF-8; Excel calls it 'CSV UTF-8'.",
    )
