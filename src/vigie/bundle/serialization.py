"""A fitted pipeline as bytes and back, through skops, with the checks that skops leaves to its caller.

skops audits types, yet it reads the archive's members before it audits them, with no limit on their size, and it lets a
tree's constructor read past the end of an array. Both are looked at here, before skops sees a byte.
"""

import io
import json
import math
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import skops.io
from numpy.lib import format as npy
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from vigie.bundle.audit import check_model, use_one_job
from vigie.bundle.manifest import unique
from vigie.bundle.trust import NATIVE_PACKAGES, TRUSTED_TYPES
from vigie.errors import BundleError, UntrustedContentError

MAX_FILES = 50_000
"""Files in the archive: one array per tree and more, so a forest of ten thousand trees still fits."""

MAX_FILE_BYTES = 512 * 2**20
"""Uncompressed size of one file."""

MAX_TOTAL_BYTES = 2 * 2**30
"""Uncompressed size of everything that is read, counted as often as it is read."""

MAX_RATIO = 200
"""Uncompressed over compressed size; real pipelines reach 53."""

RATIO_FREE_BYTES = 4 * 2**20
"""Below this uncompressed size, no ratio is a bomb."""

STATE_FREE_BYTES = 2**20
MAX_STATE_RATIO = 150
"""The description of the model grows again when it is parsed; that of real forests packs to a fifty-second."""

STATE_FREE_MARKS = 20_000
STATE_BYTES_PER_MARK = 16
"""Real descriptions have a comma or a bracket every 40 to 60 bytes."""


def dump_model(model: Pipeline) -> bytes:
    """Return the pipeline as a deflated skops archive.

    Raises:
        BundleError: the model holds something that skops cannot write.
    """
    if type(model) is not Pipeline:
        raise BundleError(f"A bundle holds a scikit-learn Pipeline, not a {type(model).__name__}.")
    try:
        return bytes(skops.io.dumps(model, compression=zipfile.ZIP_DEFLATED))
    except (TypeError, ValueError, NotImplementedError) as exc:
        raise BundleError(
            f"The model cannot be written without pickle: {exc}.",
            remedy="Use estimators and functions of scikit-learn, numpy and scipy; no lambdas.",
        ) from exc


def load_model(content: bytes, *, trusted: frozenset[str]) -> Pipeline:
    """Return the pipeline that ``dump_model`` wrote, or refuse.

    Args:
        content: a skops archive from anywhere.
        trusted: type names that the owner of this process adds to ours.

    Raises:
        UntrustedContentError: it holds other types than skops, ``trust`` and the owner trust.
        BundleError: it is too large, malformed, no Pipeline, or its trees point outside themselves.
    """
    model = load_estimator(content, trusted=trusted)
    if type(model) is not Pipeline:
        raise BundleError(f"The model is a {type(model).__name__}, not a scikit-learn Pipeline.")
    return model


def load_estimator(content: bytes, *, trusted: frozenset[str]) -> Any:
    """Return whatever a skops archive holds, or refuse.

    Args:
        content: a skops archive from anywhere.
        trusted: type names that the owner of this process adds to ours.

    Raises:
        UntrustedContentError: it holds other types than skops, ``trust`` and the owner trust.
        BundleError: it is too large, malformed, or its trees point outside themselves.
    """
    named = TRUSTED_TYPES | trusted
    allowed = sorted(name for name in named if name.partition(".")[0] not in NATIVE_PACKAGES)  # whoever names them
    try:
        return _load_checked(content, allowed, trusted)
    except BundleError:
        raise
    except UntrustedTypesFoundException as exc:
        found = set(skops.io.get_untrusted_types(data=content)) - set(allowed)
        raise UntrustedContentError(sorted(found)) from exc
    except Exception as exc:  # the promise: whatever a hostile file makes a parser raise is a refusal, never a crash
        raise BundleError(f"model.skops cannot be read ({type(exc).__name__}).") from exc


def _load_checked(content: bytes, allowed: list[str], trusted: frozenset[str]) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_archive(archive, len(content))
        _check_arrays(archive)
        _check_state(archive)
    with warnings.catch_warnings():
        # The golden rows answer what this warning asks: whether another version computes the same.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = skops.io.loads(content, trusted=allowed)
    check_model(model, any_partial="functools.partial" in trusted)
    use_one_job(model)
    return model


def _check_archive(archive: zipfile.ZipFile, size: int) -> None:
    files = archive.infolist()
    if len(files) > MAX_FILES:
        raise BundleError(f"model.skops holds {len(files):,} files; at most {MAX_FILES:,} are read.")
    if len({file.filename for file in files}) < len(files):
        raise BundleError("model.skops holds two files of one name.")
    for file in files:
        if file.flag_bits & 0x1 or file.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise BundleError("model.skops holds a file that is encrypted or packed in an unusual way.")
        if file.file_size > MAX_FILE_BYTES:
            raise BundleError(f"model.skops holds a file of {file.file_size:,} bytes; at most {MAX_FILE_BYTES:,}.")
    total = sum(file.file_size for file in files)
    if total > MAX_TOTAL_BYTES or (total > RATIO_FREE_BYTES and total > MAX_RATIO * size):
        raise BundleError(f"model.skops would grow from {size:,} to {total:,} bytes: a decompression bomb.")


def _check_arrays(archive: zipfile.ZipFile) -> None:
    """Check that each array is as long as its file, which numpy would find out after it has made room for it."""
    for entry in archive.infolist():
        if not entry.filename.endswith(".npy"):
            continue
        with archive.open(entry) as file:
            version = npy.read_magic(file)
            read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read_header(file)
            size = file.tell() + math.prod(shape) * dtype.itemsize
        if dtype.hasobject or size != entry.file_size:
            raise BundleError(f"model.skops cannot be read: it holds an array of {dtype} that its file does not hold.")


def _check_state(archive: zipfile.ZipFile) -> None:
    """Check what skops will read and construct, before it does.

    A member may be named many times and is then read as often: the sum counts. ``Tree(n_features, n_classes,
    n_outputs)`` copies ``n_outputs`` numbers out of ``n_classes`` without looking how many there are.
    """
    nodes = list(_nodes(_read_state(archive)))
    reads = Counter(node["file"] for node in nodes if isinstance(node.get("file"), str))
    total = sum(archive.getinfo(name).file_size * times for name, times in reads.items())
    if total > MAX_TOTAL_BYTES:
        raise BundleError(f"model.skops would read {total:,} bytes by naming its files again and again.")
    arguments = [node["__reduce__"]["args"] for node in nodes if node.get("__loader__") == "TreeNode"]
    for args in arguments:
        _check_tree_arguments(args, archive)
    # skops takes a node with a known id for the one it saw before: an id of ours must not stand for two things.
    ours = {part["__id__"]: part for args in arguments for part in (args, *args["content"])}
    if any(ours.get(node["__id__"], node) != node for node in nodes if "__id__" in node):
        raise BundleError("model.skops describes the arguments of a tree in two ways.")


def _read_state(archive: zipfile.ZipFile) -> Any:
    """Return the description of the model, unless it would take many times its size in memory."""
    entry = archive.getinfo("schema.json")
    if entry.file_size > STATE_FREE_BYTES and entry.file_size > MAX_STATE_RATIO * entry.compress_size:
        raise BundleError("model.skops describes its model at a length that packs too well: a decompression bomb.")
    content = archive.read(entry)
    if (
        sum(content.count(mark) for mark in (b",", b"[", b"{"))
        > STATE_FREE_MARKS + len(content) // STATE_BYTES_PER_MARK
    ):
        raise BundleError("model.skops describes its model in more parts than a model has.")
    return json.loads(content, object_pairs_hook=unique)


def _check_tree_arguments(args: dict[str, Any], archive: zipfile.ZipFile) -> None:
    _n_features, classes, outputs = args["content"]
    plain = args["__loader__"] == "TupleNode" and classes["__loader__"] == "NdArrayNode"
    if not plain or classes["type"] != "numpy" or outputs["__loader__"] != "JsonNode":
        raise BundleError("model.skops holds a tree with unusual arguments.")
    n_classes = np.load(io.BytesIO(archive.read(classes["file"])), allow_pickle=False)
    n_outputs = json.loads(outputs["content"])
    if type(n_outputs) is not int or n_classes.ndim != 1 or not 1 <= n_outputs <= len(n_classes):
        raise BundleError("model.skops holds a tree with more outputs than it has class counts for.")
    if n_classes.dtype != np.intp or n_classes.min() < 1 or n_classes.max() > 10_000:
        raise BundleError("model.skops holds a tree with impossible class counts.")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object inside ``value``, without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
