"""Not one hostile or broken bundle gets in: each is refused with its own error, quickly, and leaves no trace."""

import hashlib
import json
import os
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from sklearn.tree._tree import NODE_DTYPE

DISK = ("cache", "mlflow")
ALL = (*DISK, "registry", "members")
SERVED = (*DISK, "members")
"""Routes by which a compiled scorer is read; training and the gate read the scikit-learn model beside it."""


def _calls(function):
    return skops.io.dumps(Pipeline([("own", FunctionTransformer(function)), ("model", LinearRegression())]))


def _put(field, value, place=0):
    def edit(array):
        array[field][place] = value

    return edit


def _spec(**changed):
    """Return an edit that puts a value at one place of an array of the spec."""

    def edit(spec):
        for name, (place, value) in changed.items():
            spec[name][place] = value

    return edit


def _in_tree(edit):
    """Return an edit of the arguments that a tree of scikit-learn is made with."""
    return lambda item: edit(item["__reduce__"]["args"]["content"]) if item.get("__loader__") == "TreeNode" else None


def _outputs(content):
    content[2] |= {"content": "1000000", "__id__": 7}


def _shadow(item):
    if item.get("__class__") == "DecisionTreeClassifier" and isinstance(item.get("content"), dict):
        state = item["content"]["content"]
        item["content"]["content"] = {
            "_validate_X_predict" if name == "ccp_alpha" else name: value for name, value in state.items()
        }


def _foreign_partial(item):
    if item.get("__loader__") == "PartialNode":
        item["content"]["func"] |= {"__class__": "positive", "__module__": "numpy"}


def _bomb(kit, content, name="schema.json", compression=zipfile.ZIP_DEFLATED):
    return kit.sealed(kit.good(), model__skops=kit.zipped({name: content}, compression))


def _named_often(kit):
    state = b"[" + b",".join([b'{"file":"x"}'] * 10_000) + b"]"
    return kit.sealed(
        kit.good(), model__skops=kit.zipped({"schema.json": state, "x": os.urandom(2**20)}, zipfile.ZIP_STORED)
    )


def _many_names(kit, content, n_names):
    """Return a model in whose archive many names lead to the same compressed bytes."""
    body = kit.zipped({"a": content})
    end = body.rindex(b"PK\x05\x06")
    start = struct.unpack("<I", body[end + 16 : end + 20])[0]
    entry = body[start:end]
    entries = b"".join(
        entry[:28] + struct.pack("<H", 5) + entry[30:46] + f"{n:05}".encode() + entry[47:] for n in range(n_names)
    )
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, n_names, n_names, len(entries), start, 0)
    return kit.sealed(kit.good(), model__skops=body[:start] + entries + tail)


def _lying_size(kit):
    """Return a model whose archive declares a tenth of what a file inflates to."""
    body = bytearray(kit.zipped({"schema.json": b" " * 100_000}))
    for at in (22, body.rindex(b"PK\x01\x02") + 24):
        body[at : at + 4] = struct.pack("<I", 10_000)
    return kit.sealed(kit.good(), model__skops=bytes(body))


def _vast_array(kit, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(118) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    return kit.with_files("logistic", lambda files: files.update({n: content for n in files if n.endswith(".npy")}))


def _many_lists(n_trees, n_classes):
    """Return an edit that makes a scorer of trees without a split, all of which lead to one long leaf."""

    def edit(spec):
        spec.update({name: [] for name in ("feat", "thr", "left", "right", "mleft", "cat", "cats", "out")})
        spec.update(root=[-1] * n_trees, leaf=[[0.001] * n_classes], base=[0.0] * n_classes, classes=n_classes)

    return edit


def _with_classes(kit, kind, n_classes, edit):
    """Return a bundle whose schema names other classes, and whose scorer says as many."""
    members = kit.with_scorer(kind, edit)
    schema, golden = json.loads(members["schema.json"]), json.loads(members["golden.json"])
    schema["target"]["classes"] = [str(n) for n in range(n_classes)]
    golden["columns"] = {name: values[:1] for name, values in golden["columns"].items()}
    golden["predictions"] = [{"value": "0", "probabilities": [1 / n_classes] * n_classes}]
    return kit.sealed(members, schema__json=json.dumps(schema).encode(), golden__json=json.dumps(golden).encode())


def _nested(n_levels, n_keys):
    """Return an edit that looks a column up in table behind table."""

    def edit(spec):
        cell = spec["cols"][0]
        for _ in range(n_levels):
            cell = ["tab", cell, [[float(n), float(n)] for n in range(n_keys)], 1.0, 1.0]
        spec["cols"][0] = cell

    return edit


def _long(n_columns):
    """Return an edit that adds columns of sixty operations each."""

    def edit(spec):
        for n in range(n_columns):
            cell = ["num", ["in", 0]]
            for step in range(60):
                cell = ["add", cell, 100 * n + step]
            spec["cols"].append(cell)

    return edit


def _fitted(make, **golden):
    """Return what makes a bundle of another model than the golden rows were made with, and of other golden rows."""

    def bundle(kit):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame({"amount": rng.normal(size=60), "city": rng.choice(list("abcdefgh"), 60)})
        model = make(frame, rng.integers(0, 3, 60))
        rows = json.loads(kit.good()["golden.json"])
        rows["columns"] |= {name: [value] * len(rows["predictions"]) for name, value in golden.items()}
        return kit.sealed(kit.good(), model__skops=skops.io.dumps(model), golden__json=json.dumps(rows).encode())

    return bundle


CODES = (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["city"])
WORDS = (CountVectorizer(analyzer="char"), "city")


def _prepared(words, last, **settings):
    prepare = ColumnTransformer([("numbers", SimpleImputer(), ["amount"]), ("words", *words)], **settings)
    return Pipeline([("prepare", prepare), ("model", last)])


def _opening_files(frame, y):
    model = _prepared(WORDS, LogisticRegression()).fit(frame, y)
    model.named_steps["prepare"].named_transformers_["words"].input = "filename"
    return model


def _with_processes(frame, y):
    return _prepared(CODES, LogisticRegression(), n_jobs=2).fit(frame, y)


def _with_more_processes(frame, y):
    return _prepared(CODES, BaggingClassifier(n_estimators=4, n_jobs=2)).fit(frame, y)


def _wide(frame, y):
    model = _prepared(CODES, LogisticRegression()).fit(frame, y)
    model.named_steps["model"].coef_ = np.zeros((250_000, 2), np.float32)
    model.named_steps["model"].intercept_ = np.zeros(250_000, np.float32)
    return model


FOREST = lambda edit: lambda kit: kit.with_arrays("forest", NODE_DTYPE, edit)  # noqa: E731 - a table's shorthand
BOOST = lambda edit: lambda kit: kit.with_arrays("boosting", NODE_DTYPE, edit)  # noqa: E731
HIST = lambda edit: lambda kit: kit.with_arrays("hist", PREDICTOR_RECORD_DTYPE, edit)  # noqa: E731
BITS = lambda edit: lambda kit: kit.with_arrays("hist", np.uint32, edit)  # noqa: E731
STATE = lambda kind, edit: lambda kit: kit.with_state(kind, edit)  # noqa: E731
SPEC = lambda kind, edit: lambda kit: kit.with_scorer(kind, edit)  # noqa: E731
MODEL = lambda make: lambda kit: kit.sealed(kit.good(), model__skops=make())  # noqa: E731
MORE = lambda name: lambda kit: kit.good() | {name: b"x"}  # noqa: E731
JSON = lambda name, content: lambda kit: kit.sealed(kit.good(compiled=True), **{name: content})  # noqa: E731

DAMAGED, BROKEN = "is damaged", "BundleError"
CASES = {
    # types and code
    "names os.system": (MODEL(lambda: _calls(os.system)), "UntrustedContentError", "system", ALL),
    "names eval": (MODEL(lambda: _calls(eval)), "UntrustedContentError", "builtins.eval", ALL),
    "a partial of another function": (STATE("hist", _foreign_partial), BROKEN, "partial function", ALL),
    "an attribute for a method": (STATE("forest", _shadow), BROKEN, "stands for the method", ALL),
    "its own list of trusted types": (lambda kit: kit.with_manifest(trusted_types=["builtins.eval"]), BROKEN,
                                      "does not know", ALL),
    "a pickle for a model": (MODEL(lambda: b"\x80\x05cos\nsystem\n(S'id'\ntR."), BROKEN, "model.skops cannot be", ALL),
    "an array of objects": (lambda kit: kit.with_files("logistic", lambda files: files.update({
        name: kit.npy(np.array([{}], dtype=object)) for name in files if name.endswith(".npy")})), BROKEN,
        "model.skops cannot be read", ALL),
    # members
    "code beside the members": (MORE("x.py"), BROKEN, "unknown member", ALL),
    "a member too many": (MORE("MLmodel"), BROKEN, "unknown member", ALL),
    "a member of another case": (MORE("Schema.json"), BROKEN, "unknown member", ALL),
    "a backslash in a name": (MORE("..\\x"), BROKEN, "unknown member", ALL),
    "a member renamed": (lambda kit: {n.replace("card", "read"): c for n, c in kit.good().items()}, BROKEN,
                         "unknown member", ALL),
    "a scorer that the manifest hides": (lambda kit: kit.good() | {"scorer.json": kit.good("hist", compiled=True)[
        "scorer.json"]}, BROKEN, "does not describe", ALL),
    "a scorer taken away": (lambda kit: {n: c for n, c in kit.good(compiled=True).items() if n != "scorer.json"},
                            BROKEN, "does not describe", ALL),
    "members of two bundles": (lambda kit: kit.good() | {"model.skops": kit.good("forest")["model.skops"]},
                               "BundleCorruptedError", "'model.skops' has SHA-256", ALL),
    "a manifest that lists its signature": (lambda kit: kit.signed(kit.with_manifest(members={})), BROKEN,
                                            "does not describe", ALL),
    "a path in the manifest": (lambda kit: kit.with_manifest(members={"../../etc/passwd": {"sha256": "", "size": 0}}),
                               BROKEN, "does not describe", ALL),
    "another size declared": (lambda kit: kit.with_manifest(members={
        n: {"sha256": hashlib.sha256(c).hexdigest(), "size": 1}
        for n, c in kit.good().items() if n != "manifest.json"}), "BundleCorruptedError", "SHA-256", ALL),
    # bombs
    "64 MiB of blanks": (lambda kit: _bomb(kit, b" " * 2**26), BROKEN, "decompression bomb", ALL),
    "4 MiB of brackets": (lambda kit: _bomb(kit, b"[" + b"[]," * 2**20 + b"1]", compression=zipfile.ZIP_STORED), BROKEN,
                          "in more parts than", ALL),
    "60,000 files": (lambda kit: _many_names(kit, b"", 60_000), BROKEN, "at most 50,000", ALL),
    "a thousand names for one file": (lambda kit: _many_names(kit, b"\0" * 2**20, 1000), BROKEN,
                                      "decompression bomb", ALL),
    "a file named ten thousand times": (_named_often, BROKEN, "again and again", ALL),
    "a size that lies": (_lying_size, BROKEN, "model.skops cannot be read", ALL),
    "packed with LZMA": (lambda kit: _bomb(kit, b"{}", compression=zipfile.ZIP_LZMA), BROKEN, "unusual way", ALL),
    "an array of 8 TB": (lambda kit: _vast_array(kit, "(1000000000000,)"), BROKEN, "model.skops cannot be read", ALL),
    "an array of 20 GB": (lambda kit: _vast_array(kit, "(2500000000,)"), BROKEN, "model.skops cannot be read", ALL),
    # JSON
    "nested 100,000 deep": (JSON("schema__json", b"[" * 100_000), BROKEN, "schema.json", ALL),
    "nested inside a row": (JSON("golden__json", b'{"columns":{"amount":' + b"[" * 50_000), BROKEN, "golden.json", ALL),
    "nested in the model": (lambda kit: _bomb(kit, b'{"a":' * 9_000 + b"1" + b"}" * 9_000), BROKEN,
                            "model.skops cannot be read", ALL),
    "an integer of 100,000 digits": (JSON("golden__json", b'{"columns":{"amount":[' + b"9" * 100_000 + b"]}}"), BROKEN,
                                     "golden.json", ALL),
    "a huge index in the scorer": (SPEC("hist", _spec(left=(0, 10**30))), BROKEN, "scorer.json cannot be read", SERVED),
    "a key twice in the manifest": (lambda kit: (m := kit.good()) | {"manifest.json": m["manifest.json"].replace(
        b'"name"', b'"name": "x", "name"', 1)}, BROKEN, "a key twice", ALL),
    "a key twice in the schema": (lambda kit: kit.sealed(m := kit.good(), schema__json=m["schema.json"].replace(
        b'"kind"', b'"kind": "boolean", "kind"', 1)), BROKEN, "a key twice", ALL),
    "a key twice in the scorer": (lambda kit: kit.sealed(m := kit.good(compiled=True), scorer__json=m[
        "scorer.json"].replace(b'"link"', b'"link":"exp","link"', 1)), BROKEN, "a field twice", SERVED),
    "a key twice in the model": (lambda kit: kit.with_files("logistic", lambda files: files.update({
        "schema.json": files["schema.json"].replace(b'"__class__"', b'"__class__": "x", "__class__"', 1)})), BROKEN,
        "a key twice", ALL),
    "NaN in the scorer": (JSON("scorer__json", b'{"family":"linear","b":[NaN]}'), BROKEN, "scorer.json", SERVED),
    # formats
    "format 2": (lambda kit: kit.with_manifest(format_version=2), "BundleFormatError", "format version 2", ALL),
    "format true": (lambda kit: kit.with_manifest(format_version=True), "BundleFormatError", "version True", ALL),
    "a layout of the future": (SPEC("hist", lambda spec: spec.update(format=9)), BROKEN, "has layout 9", SERVED),
    # trees of scikit-learn
    "child far outside": (FOREST(_put("left_child", 10**9)), BROKEN, "child index leaves", ALL),
    "child above its parent": (FOREST(_put("right_child", 0)), BROKEN, "child index leaves", ALL),
    "column outside": (FOREST(_put("feature", 9)), BROKEN, "reads a column it lacks", ALL),
    "threshold NaN": (FOREST(_put("threshold", np.nan)), BROKEN, "threshold is not a number", ALL),
    "nodes of another dtype": (FOREST(lambda nodes: nodes["feature"].copy()), BROKEN, "model.skops", ALL),
    "a million outputs": (STATE("forest", _in_tree(_outputs)), BROKEN, "more outputs", ALL),
    "class counts beyond reason": (lambda kit: kit.with_arrays("forest", np.intp, lambda a: np.full_like(a, 2**40)),
                                   BROKEN, "impossible class counts", ALL),
    "boosting: child outside": (BOOST(_put("left_child", 10**6)), BROKEN, "child index leaves", ALL),
    "hist: child outside": (HIST(_put("left", 2**32 - 1)), BROKEN, "child index leaves", ALL),
    "hist: column outside": (HIST(_put("feature_idx", 2)), BROKEN, "reads a column it lacks", ALL),
    "hist: categories of a number": (HIST(lambda nodes: nodes["feature_idx"].__setitem__(
        nodes["is_categorical"] == 1, 1)), BROKEN, "looks a number up", ALL),
    "hist: table of categories outside": (HIST(lambda nodes: nodes["bitset_idx"].__setitem__(
        nodes["is_categorical"] == 1, 10**6)), BROKEN, "leaves its table", ALL),
    "hist: narrow table of categories": (BITS(lambda bits: bits[..., :4].copy()), BROKEN, "misshapen", ALL),
    "hist: no table of categories": (BITS(lambda bits: bits[:0]), BROKEN, "leaves its table", ALL),
    # the compiled scorer
    "scorer: child outside": (SPEC("forest", _spec(left=(0, 10**6))), BROKEN, "child index that leaves", SERVED),
    "scorer: a cycle": (SPEC("forest", _spec(right=(3, 0))), BROKEN, "child stands before it", SERVED),
    "scorer: two ways to a node": (SPEC("forest", lambda spec: spec["right"].__setitem__(0, spec["left"][0])), BROKEN,
                                   "in two ways", SERVED),
    "scorer: leaf outside": (SPEC("hist", _spec(root=(0, -(10**6)))), BROKEN, "leaf index that leaves", SERVED),
    "scorer: column outside": (SPEC("hist", _spec(feat=(0, 99))), BROKEN, "a column that it lacks", SERVED),
    "scorer: text for a threshold": (SPEC("forest", _spec(thr=(0, "x"))), BROKEN, "scorer.json cannot be", SERVED),
    "scorer: arrays of two lengths": (SPEC("forest", lambda spec: spec["thr"].pop()), BROKEN, "different len", SERVED),
    "scorer: a code in an expression": (SPEC("logistic", lambda spec: spec["cols"].__setitem__(
        0, ["__import__('os')", 0])), BROKEN, "scorer.json", SERVED),
    "scorer: a column of another model": (SPEC("logistic", lambda spec: spec["cols"].__setitem__(0, ["in", 99])),
                                          BROKEN, "scorer.json", SERVED),
    "scorer: of another model": (lambda kit: kit.sealed(kit.good(compiled=True), scorer__json=kit.good(
        "hist", compiled=True)["scorer.json"]), BROKEN, "answered differently", SERVED),
    "scorer: one long leaf in every tree": (lambda kit: _with_classes(kit, "forest", 1000, _many_lists(3000, 1000)),
                                            BROKEN, "adds up 3,000,000 numbers", SERVED),
    "scorer: a long leaf, written often": (lambda kit: _with_classes(kit, "forest", 1000, _many_lists(300, 1000)),
                                           BROKEN, "answered differently", SERVED),
    "scorer: a sum for each of 20,000 classes": (lambda kit: _with_classes(kit, "logistic", 20_000, lambda spec: (
        spec.update(W=[[]] * 20_000, b=[0.0] * 20_000, cols=[], classes=20_000))), BROKEN, "has 20,000 scores", SERVED),
    "scorer: tables behind tables": (SPEC("forest", _nested(60, 3000)), BROKEN, "answered differently", SERVED),
    "scorer: 120,000 operations": (SPEC("forest", _long(2_000)), BROKEN, "more than 60,000 operations", SERVED),
    # what scikit-learn would do by itself
    "a row names a file": (_fitted(_opening_files, city="/etc/hostname"), BROKEN, "files that a row names", ALL),
    "processes for the columns": (_fitted(_with_processes), BROKEN, "answered differently", SERVED),
    "processes for an ensemble": (_fitted(_with_more_processes), BROKEN, "answered differently", SERVED),
    "250,000 answers a row": (_fitted(_wide), BROKEN, "shape (1, 250000)", SERVED),
    # golden rows
    "golden rows of another model": (lambda kit: kit.sealed(kit.good(), golden__json=kit.good("forest")[
        "golden.json"]), BROKEN, "answered differently", SERVED),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_bundle_is_refused_by_every_route(kit, reader, name):
    """By the server's cache, by MLflow's loader, in memory, with and without the scikit-learn model."""
    make, error, match, routes = CASES[name]
    case = reader.put(make(kit))
    for route in routes:
        reader.refuses(case, route, error, match)


def test_the_watch_sees_what_a_careless_reader_does(kit, reader):
    """The control: unpickling the same bytes shows up as a process that was asked for."""
    case = reader.put(kit.good() | {"model.skops": b"\x80\x04cposix\nsystem\nS':'\n\x85R."})
    found = reader.open(case, "careless")
    assert {"pickle.find_class", "os.system"} <= {name for name, _ in found["events"]}
    with pytest.raises(AssertionError):
        reader.check_harmless(found)
