"""Bundles on disk appear whole, are never overwritten, and never leave their folder."""

import resource

import pytest

from vigie.adapters.bundle_cache import BundleCache
from vigie.errors import BundleError, ConfigurationError, ModelNotFoundError, StorageError

MEMBERS = {"manifest.json": b"{}", "model.skops": b"\x00\x01"}


@pytest.fixture
def cache(tmp_path):
    """Return a cache in a folder that does not exist yet."""
    return BundleCache(tmp_path / "bundles")


def test_a_bundle_comes_back_as_it_was_stored(cache):
    """Bytes in, the same bytes out; versions are listed in the order of numbers."""
    for version in ("1", "10", "2"):
        cache.store("churn", version, MEMBERS)
    assert cache.load("churn", "10") == MEMBERS
    assert cache.versions("churn") == ["1", "2", "10"]


def test_a_version_is_never_overwritten(cache):
    """Storing the same again is fine; storing another bundle under its version is refused and changes nothing."""
    cache.store("churn", "1", MEMBERS)
    cache.store("churn", "1", MEMBERS)
    with pytest.raises(BundleError, match="already stored"):
        cache.store("churn", "1", MEMBERS | {"card.md": b"x"})
    assert cache.load("churn", "1") == MEMBERS


def test_the_pointer_says_which_version_serves(cache):
    """Nothing at first, then what was last named."""
    assert cache.pointer("churn") is None
    cache.store("churn", "1", MEMBERS)
    cache.store("churn", "2", MEMBERS)
    cache.point("churn", "2")
    cache.point("churn", "1")
    assert cache.pointer("churn") == "1"
    assert cache.versions("churn") == ["1", "2"]


def test_the_pointer_cannot_name_what_is_not_here(cache):
    """A server that follows the pointer must find its bundle."""
    cache.store("churn", "1", MEMBERS)
    with pytest.raises(ModelNotFoundError):
        cache.point("churn", "2")
    assert cache.pointer("churn") is None


def test_an_unknown_version_is_named_with_the_known_ones(cache):
    """The error tells what there is."""
    cache.store("churn", "1", MEMBERS)
    with pytest.raises(ModelNotFoundError, match="Known: 1"):
        cache.load("churn", "9")
    assert cache.versions("other") == []


def test_a_store_that_fails_leaves_nothing_behind(cache, tmp_path):
    """A member that the disk does not take takes the whole version with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        with pytest.raises(StorageError, match="too large"):
            cache.store("churn", "1", MEMBERS | {"profile.json": b"x" * 4096})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert cache.versions("churn") == []
    assert list((tmp_path / "bundles" / "churn").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["..", "../x", "/etc", "a/b", "a\\b", "", ".", ".hidden", "a\0", "a\n", "x" * 101, "é"]
)
def test_a_name_cannot_lead_out_of_the_folder(cache, name):
    """Model names and versions are folder names and nothing else; no file is touched."""
    for ask in (cache.load, cache.point):
        with pytest.raises(ConfigurationError):
            ask(name, "1")
    for ask in (cache.pointer, cache.versions):
        with pytest.raises(ConfigurationError):
            ask(name)
    with pytest.raises(ConfigurationError):
        cache.store("churn", name, MEMBERS)
    with pytest.raises(BundleError):
        cache.store("churn", "1", {name: b""})


def test_a_link_in_the_cache_is_not_followed(cache, tmp_path):
    """What is no plain file is no member."""
    cache.store("churn", "1", MEMBERS)
    (tmp_path / "secret").write_bytes(b"s")
    (tmp_path / "bundles/churn/1/card.md").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match="no plain file"):
        cache.load("churn", "1")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": 3}', b'{"version": "../x"}', b"\xff"])
def test_a_damaged_pointer_is_a_storage_error(cache, tmp_path, content):
    """The server stays with the model it has."""
    cache.store("churn", "1", MEMBERS)
    (tmp_path / "bundles/churn/champion.json").write_bytes(content)
    with pytest.raises(StorageError):
        cache.pointer("churn")
