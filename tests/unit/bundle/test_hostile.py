"""Bundles that must not load: each is refused, with its own reason, before it can do harm."""

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree._tree import NODE_DTYPE

from vigie.bundle.archive import unpack
from vigie.bundle.members import MAX_BYTES, MODEL, OPTIONAL
from vigie.bundle.trust import Trust
from vigie.errors import BundleCorruptedError, BundleError, BundleFormatError, UntrustedContentError


def _refused(members, error, match):
    with pytest.raises(error, match=match):
        unpack(members, trust=Trust())


@pytest.mark.parametrize("name", sorted((set(MAX_BYTES) - OPTIONAL | {MODEL}) - {"manifest.json"}))
def test_a_flipped_bit_is_found_before_parsing(maker, name):
    """One bit in the middle of any member is enough."""
    members = maker.members()
    content = bytearray(members[name])
    content[len(content) // 2] ^= 1
    _refused(members | {name: bytes(content)}, BundleCorruptedError, name)


@pytest.mark.parametrize("name", sorted((set(MAX_BYTES) - OPTIONAL | {MODEL}) - {"manifest.json"}))
def test_a_truncated_member_is_found(maker, name):
    """A partly written member never loads."""
    members = maker.members()
    _refused(members | {name: members[name][:-1]}, BundleCorruptedError, name)


@pytest.mark.parametrize("name", sorted(set(MAX_BYTES) - OPTIONAL | {MODEL}))
def test_a_missing_member_is_named(maker, name):
    """Every member is needed."""
    members = maker.members()
    del members[name]
    _refused(members, BundleError, f"(lacks|holds neither) {name}")


@pytest.mark.parametrize(
    "name", ["code/x.py", "MLmodel", "__init__.py", "../x", "/etc/passwd", "C:\\x", "a\\b", "x\0", "MANIFEST.json", ""]
)
def test_an_unknown_member_is_refused(maker, name):
    """No name outside the format's six, wherever it would lead."""
    _refused(maker.members() | {name: b""}, BundleError, "unknown member")


@pytest.mark.parametrize("version", [0, 2, True, 1.0, "1", None, "(removed)"])
def test_another_format_version_is_refused(maker, version):
    """Only the integer 1 is format 1."""
    _refused(maker.with_manifest(format_version=version), BundleFormatError, "format version")


MANIFESTS = {
    "not JSON": (b"hello", "not readable JSON"),
    "empty": (b"", "not readable JSON"),
    "truncated": (b'{"format_version": 1', "not readable JSON"),
    "NaN": (b'{"format_version": NaN}', "not readable JSON"),
    "deep": (b"[" * 100_000, "cannot be read"),
    "not UTF-8": (b'{"format_version": 1, "name": "\xff"}', "not readable JSON"),
    "an array": (b"[]", "cannot be read"),
    "too large": (b" " * (2**20 + 1), "at most"),
}


@pytest.mark.parametrize(("content", "match"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_cannot_be_read_is_refused(maker, content, match):
    """Garbage of any kind is a refusal with a reason."""
    _refused(maker.members() | {"manifest.json": content}, BundleError, match)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": 3},
        {"created_at": "yesterday"},
        {"created_at": "2026-01-01T00:00:00"},
        {"members": []},
        {"params": None},
    ],
)
def test_a_manifest_with_a_field_of_another_type_is_refused(maker, changed):
    """Types are checked, and times need a zone."""
    _refused(maker.with_manifest(**changed), BundleError, "cannot be read")


def test_a_bundle_cannot_widen_its_own_trust(maker):
    """A list of trusted types in the manifest is an unknown field."""
    _refused(maker.with_manifest(trusted_types=["builtins.eval"]), BundleError, "does not know")


def test_a_manifest_must_describe_every_member(maker):
    """A member without a digest is not skipped."""
    _refused(maker.with_manifest(members={}), BundleError, "does not describe")


SCHEMAS = {
    "unknown kind": lambda schema: schema["features"][0].update(kind="image"),
    "no features": lambda schema: schema.update(features=[]),
    "a feature twice": lambda schema: schema["features"].append(schema["features"][0]),
    "target as a feature": lambda schema: schema["features"][0].update(name="stays"),
    "entity as a feature": lambda schema: schema["features"][0].update(name="client"),
    "two classes for three": lambda schema: schema["target"].update(classes=["a", "b"]),
    "a class twice": lambda schema: schema["target"].update(classes=["a", "b", "b"]),
    "range of text": lambda schema: schema["features"][0].update(range=["a", "b"]),
    "unknown field": lambda schema: schema.update(code="x"),
    "missing field": lambda schema: schema.pop("entity"),
    "another order": lambda schema: schema["features"].reverse(),
    "more than are served": lambda schema: schema.update(
        features=[schema["features"][0] | {"name": f"c{place}"} for place in range(1501)]
    ),
    "another feature": lambda schema: schema["features"][0].update(name="other"),
}


@pytest.mark.parametrize("edit", SCHEMAS.values(), ids=SCHEMAS)
def test_a_schema_that_makes_no_sense_is_refused(maker, edit):
    """A damaged schema fails once, here, instead of at every request."""
    _refused(maker.with_schema(edit), BundleError, r"schema\.json|golden\.json")


def _bomb():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("schema.json", b" " * (64 * 2**20))
    return buffer.getvalue()


def _twice():
    once = _zip({"schema.json": b"{}", "scheme.json": b"{}"})
    return once.replace(b"scheme.json", b"schema.json")


def _zip(files, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


MODELS = {
    "a pickle": (lambda: pickle.dumps({"a": 1}), "cannot be read"),
    "not a zip": (lambda: b"hello", "cannot be read"),
    "a bomb": (_bomb, "decompression bomb"),
    "two files of one name": (_twice, "two files of one name"),
    "50,001 files": (lambda: _zip({str(i): b"" for i in range(50_001)}, zipfile.ZIP_STORED), "at most 50,000"),
    "LZMA": (lambda: _zip({"schema.json": b"{}"}, zipfile.ZIP_LZMA), "unusual way"),
    "no schema": (lambda: _zip({"x": b""}), "cannot be read"),
    "deep schema": (lambda: _zip({"schema.json": b'{"a":' * 50_000 + b"1" + b"}" * 50_000}), "more parts"),
    "unknown protocol": (lambda: _zip({"schema.json": b'{"protocol": 99}'}), "cannot be read"),
    "no pipeline": (lambda: skops.io.dumps(LinearRegression()), "not a scikit-learn Pipeline"),
    "a file read ten thousand times": (
        lambda: _zip(
            {"schema.json": json.dumps([{"file": "x"}] * 10_000).encode(), "x": os.urandom(2**20)}, zipfile.ZIP_STORED
        ),
        "again and again",
    ),
}


@pytest.mark.parametrize(("make", "match"), MODELS.values(), ids=MODELS)
def test_an_archive_that_is_no_model_is_refused(maker, make, match):
    """Sizes and shapes are looked at before skops reads a byte."""
    _refused(maker.sealed(maker.members(), model__skops=make()), BundleError, match)


@pytest.mark.parametrize("function", [os.getcwd, eval, pickle.loads])
def test_a_model_that_names_a_function_is_refused_and_the_type_named(maker, function):
    """Nothing outside the allow-list is constructed, let alone called."""
    pipeline = Pipeline([("own", FunctionTransformer(function)), ("model", LinearRegression())])
    members = maker.sealed(maker.members(), model__skops=skops.io.dumps(pipeline))
    with pytest.raises(UntrustedContentError) as caught:
        unpack(members, trust=Trust())
    assert function.__name__ in caught.value.types[0]


def test_an_owner_may_trust_more_in_the_servers_own_settings(maker):
    """The same bundle passes the type check when the reader, not the bundle, trusts the type."""
    pipeline = Pipeline([("own", FunctionTransformer(np.unwrap)), ("model", LinearRegression())])
    members = maker.sealed(maker.members(), model__skops=skops.io.dumps(pipeline))
    with pytest.raises(UntrustedContentError) as caught:
        unpack(members, trust=Trust())
    assert unpack(members, trust=Trust(types=frozenset(caught.value.types))).model.named_steps.keys() == {
        "own",
        "model",
    }


def _put(field, value):
    def edit(nodes):
        nodes[field][0] = value

    return edit


TREES = {
    "child far outside": ("forest", NODE_DTYPE, _put("left_child", 10**9)),
    "negative child": ("forest", NODE_DTYPE, _put("right_child", -7)),
    "child above its parent": ("forest", NODE_DTYPE, _put("left_child", 0)),
    "leaf with a child": ("forest", NODE_DTYPE, lambda nodes: nodes["right_child"].__setitem__(-1, 0)),
    "feature outside": ("forest", NODE_DTYPE, _put("feature", 2)),
    "negative feature": ("forest", NODE_DTYPE, _put("feature", -5)),
    "threshold NaN": ("forest", NODE_DTYPE, _put("threshold", np.nan)),
    "boosting: child outside": ("boosting", NODE_DTYPE, _put("left_child", 10**6)),
    "hist: child outside": ("hist", PREDICTOR_RECORD_DTYPE, _put("left", 2**32 - 1)),
    "hist: child above": ("hist", PREDICTOR_RECORD_DTYPE, _put("right", 0)),
    "hist: feature outside": ("hist", PREDICTOR_RECORD_DTYPE, _put("feature_idx", 9)),
    "hist: negative feature": ("hist", PREDICTOR_RECORD_DTYPE, _put("feature_idx", -1)),
    "hist: category split": ("hist", PREDICTOR_RECORD_DTYPE, _put("is_categorical", 1)),
    "hist: leaf NaN": ("hist", PREDICTOR_RECORD_DTYPE, lambda nodes: nodes["value"].__setitem__(-1, np.nan)),
}


@pytest.mark.parametrize(("kind", "dtype", "edit"), TREES.values(), ids=TREES)
def test_a_tree_that_points_outside_itself_is_refused(maker, kind, dtype, edit):
    """scikit-learn would follow it into foreign memory and end the process."""
    _refused(maker.with_arrays(kind, dtype, edit), BundleError, "is damaged")


def _state(files, edit):
    state = json.loads(files["schema.json"])
    waiting = [state]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            edit(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    files["schema.json"] = json.dumps(state).encode()


def _set(key, content):
    """Return an edit that gives every ``key`` of a dictionary node another JSON number, under an id of its own."""

    def edit(item):
        node = item.get(key)
        if isinstance(node, dict) and node.get("__loader__") == "JsonNode":
            item[key] = node | {"content": content, "__id__": 7}

    return edit


def _lie_about_outputs(item):
    if item.get("__loader__") == "TreeNode":
        outputs = item["__reduce__"]["args"]["content"][2]
        outputs |= {"content": "1000000", "__id__": 7}


def _one_id_two_things(item):
    if item.get("__loader__") == "TreeNode":
        arguments = item["__reduce__"]["args"]["content"]
        item["content"]["content"]["max_depth"] |= {"__id__": arguments[2]["__id__"], "content": "1000000"}


STATES = {
    "fewer nodes than there are": ("forest", _set("node_count", "1"), "other nodes than it holds"),
    "a negative count of nodes": ("forest", _set("node_count", "-5"), "other nodes than it holds"),
    "fewer features than columns": ("forest", _set("n_features_in_", "99"), "is damaged|cannot be read"),
    "more outputs than class counts": ("forest", _lie_about_outputs, "more outputs"),
    "an id that stands for two things": ("forest", _one_id_two_things, "in two ways"),
    "another loss than columns of trees": (
        "boosting",
        lambda item: item.update(__class__="HalfBinomialLoss") if item.get("__class__") == "HalfMultinomialLoss" else 0,
        "is damaged|cannot be read",
    ),
}


@pytest.mark.parametrize(("kind", "edit", "match"), STATES.values(), ids=STATES)
def test_a_tree_that_lies_about_itself_is_refused(maker, kind, edit, match):
    """Counts decide how far compiled code reads: they are compared with what is there."""
    _refused(maker.with_model(kind, lambda files: _state(files, edit)), BundleError, match)


GOLDEN = {
    "not JSON": b"hello",
    "no rows": json.dumps({"columns": {"amount": [], "city": []}, "predictions": []}).encode(),
    "other columns": json.dumps({"columns": {"x": [1]}, "predictions": [{"value": 1, "probabilities": []}]}).encode(),
    "text for a number": json.dumps(
        {"columns": {"amount": ["x"], "city": ["Lyon"]}, "predictions": [{"value": 1, "probabilities": []}]}
    ).encode(),
}


@pytest.mark.parametrize("content", GOLDEN.values(), ids=GOLDEN)
def test_golden_rows_that_fit_no_schema_are_refused(maker, content):
    """They are asked of the model at every start, so they must be rows."""
    _refused(maker.sealed(maker.members(), golden__json=content), BundleError, r"golden\.json")
