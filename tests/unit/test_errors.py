"""The error tree: drawn as it is, told in sentences, carrying data."""

import re

import pytest

from vigie import errors
from vigie.errors import (
    AliasMovedError,
    BundleCorruptedError,
    BundleFormatError,
    ConfigurationError,
    InsufficientDataError,
    LeaseHeldError,
    ModelNotFoundError,
    NoChampionError,
    SchemaMismatchError,
    StorageError,
    UnknownPredictionError,
    UnknownSignerError,
    UnsignedBundleError,
    UntrustedContentError,
    VigieError,
    Violation,
    WrongSignatureError,
    listed,
    nearest,
)

VIOLATIONS = [Violation(row, "age", "type", "an integer", "text") for row in range(5)]
SAMPLES = [
    ConfigurationError(
        "There is no key 'prot'.", remedy="Did you mean 'port'?", key="serving.prot", where="vigie.toml"
    ),
    SchemaMismatchError(VIOLATIONS),
    InsufficientDataError("The gate", needed=1000, found=12),
    UnknownPredictionError("0190"),
    BundleCorruptedError("schema.json", expected_digest="aa", found_digest=""),
    BundleFormatError(found_version=9, supported=(1, 2)),
    UntrustedContentError(["b.B", "a.A"]),
    UnsignedBundleError(),
    UnknownSignerError("ed25519:abc="),
    WrongSignatureError("ed25519:abc="),
    ModelNotFoundError("churn", wanted="campion", available=("champion", "challenger")),
    NoChampionError("churn"),
    AliasMovedError("champion", expected="1", found="2"),
    LeaseHeldError("churn", owner="watch"),
    StorageError("prediction log", "no room is left.", retryable=True),
]


def tree(root, depth=0):
    """Yield (depth, name) of a class and what derives from it."""
    yield depth, root.__name__
    for child in root.__subclasses__():
        yield from tree(child, depth + 1)


def test_drawing_is_the_tree():
    """The tree in the docstring is the tree of classes."""
    drawn = re.findall(r"^([│├└─ ]*)(\w+Error)\b", errors.__doc__, re.MULTILINE)
    assert {(len(lead) // 4, name) for lead, name in drawn} == set(tree(VigieError))


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_message_is_sentences(error):
    """Every message begins with what was found and ends with what to do, as sentences."""
    text = str(error)
    assert text.strip() == text
    assert text[-1] in ".?"
    assert len(re.findall(r"[.?:](?: |$)", text)) >= 2
    assert "None" not in text


def test_every_leaf_has_a_sample():
    """No leaf of the tree escapes the check of its message."""
    names = {type(error).__name__ for error in SAMPLES}
    leaves = {cls.__name__ for cls in _all(VigieError) if not cls.__subclasses__()}
    assert leaves <= names


def _all(root):
    yield root
    for child in root.__subclasses__():
        yield from _all(child)


def test_many_violations_are_counted():
    """Three faults are shown, the others counted, all kept."""
    error = SchemaMismatchError(VIOLATIONS)
    assert "(and 2 more)" in str(error)
    assert error.violations == tuple(VIOLATIONS)


@pytest.mark.parametrize(("name", "said"), [("campion", " Did you mean 'champion'?"), ("zzz", "")])
def test_nearest_name(name, said):
    """A close name is proposed; a far one is not guessed."""
    assert nearest(name, ["champion", "challenger"]) == said


@pytest.mark.parametrize(("retryable", "said"), [(True, "Try again"), (False, "Check the disk")])
def test_storage_error_says_whether_to_try_again(retryable, said):
    """Without a remedy of its own, the advice follows ``retryable``."""
    assert said in str(StorageError("ledger", "it failed.", retryable=retryable))


def test_of_many_names_the_first_are_listed():
    """A table of a thousand columns does not fill the screen."""
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed([f"c{i}" for i in range(1000)]).endswith("'c8', 'c9' and 990 more")
