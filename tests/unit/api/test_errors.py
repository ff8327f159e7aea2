"""One table turns every error into a status; none is forgotten, none says too much."""

import json

import pytest

from vigie import errors
from vigie.api.access import host_name
from vigie.api.errors import MEANINGS, meaning_of, on_vigie_error


def _tree(cls):
    return {cls}.union(*(_tree(child) for child in cls.__subclasses__() if child.__module__ == errors.__name__))


def test_the_table_holds_every_class_of_the_tree():
    """A new error needs a decision about its status."""
    assert set(MEANINGS) == _tree(errors.VigieError)


@pytest.mark.parametrize("meaning", dict.fromkeys(MEANINGS.values()), ids=lambda meaning: meaning.slug)
def test_statuses_are_errors_and_slugs_are_stable_words(meaning):
    """Every line is a 4xx or 5xx with a lower-case slug; what is our fault is 5xx."""
    assert 400 <= meaning.status < 600
    assert meaning.slug.replace("-", "").isalpha()
    assert meaning.slug == meaning.slug.lower()
    assert not meaning.ours or meaning.status >= 500


def test_an_error_from_elsewhere_takes_its_ancestors_line():
    """A subclass that a plug-in adds is not a 500 by accident."""

    class OwnDataError(errors.DataError):
        pass

    assert meaning_of(OwnDataError("x", remedy="y")).status == 422


def test_our_own_failures_are_told_without_their_insides():
    """A path in a storage error stays in our log."""
    response = on_vigie_error(None, errors.StorageError("/var/lib/log.db", "is full.", retryable=True))
    body = json.loads(response.body)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "/var/lib" not in response.body.decode()
    assert body["instance"].startswith("urn:uuid:")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost:80", "localhost"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "[::1]"),
        ("[::1]", "[::1]"),
        ("localhost.", "localhost."),
        ("a@localhost:80", "a@localhost"),
        ("localhost:80:80", "localhost:80"),
        ("", ""),
    ],
)
def test_a_host_is_compared_without_its_port(header, name):
    """Case and port do not matter; a trailing dot and user info make another name."""
    assert host_name(header) == name
