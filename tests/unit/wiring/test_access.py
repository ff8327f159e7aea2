"""What is checked before a server listens, and how it follows its keys."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vigie.adapters.access_keys import AccessKeyFile
from vigie.api.door import ANYBODY
from vigie.domain.access import AccessKey, KeyScope, key_digest, key_text
from vigie.errors import ConfigurationError
from vigie.settings import load_settings
from vigie.wiring.access import KeyWatch, is_loopback, open_door, transport_of

TEXT = key_text("abcd2345", bytes(32))
BEARER = f"Bearer {TEXT}".encode()
CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def keys(tmp_path):
    """Return the keys of a project that has none."""
    return AccessKeyFile(tmp_path)


def _add(keys, **changed):
    keys.add(AccessKey("abcd2345", "shop", key_digest(TEXT), frozenset({KeyScope.PREDICT}), CREATED, **changed))


def _settings(tmp_path: Path, host="127.0.0.1", access=""):
    (tmp_path / "vigie.toml").write_text(
        f'[project]\nname = "p"\n[data]\nsource = "s.csv"\ntarget = "t"\n[serving]\nhost = "{host}"\n[access]\n{access}'
    )
    return load_settings(tmp_path, {})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),  # noqa: S104  the very thing
     ("192.168.1.2", False), ("localhost.example", False), ("", False), ("2130706433", False)],
)  # fmt: skip
def test_only_addresses_of_this_machine_are_loopback(host, loopback):
    """A name that might resolve to anything is not."""
    assert is_loopback(host) is loopback


def test_on_this_machine_nobody_is_asked_until_there_is_a_key(tmp_path, keys):
    """Without keys everybody passes; the first key closes the door, also when it is no longer valid."""
    settings = _settings(tmp_path)
    assert open_door(settings, keys).admit(None, "127.0.0.1", KeyScope.PREDICT) == ANYBODY
    _add(keys, revoked_at=CREATED)
    assert open_door(settings, keys).admit(None, "127.0.0.1", KeyScope.PREDICT) != ANYBODY


TLS = 'tls_certificate = "c.pem"\ntls_key = "k.pem"'


@pytest.mark.parametrize(
    ("key", "access", "problem"),
    [
        (None, "", "without an access key"),
        (None, TLS, "without an access key"),
        ({"revoked_at": CREATED}, TLS, "without an access key"),
        ({"expires_at": CREATED + timedelta(days=1)}, TLS, "without an access key"),
        ({}, "", "without TLS"),
    ],
)
def test_beyond_this_machine_a_server_without_key_or_tls_does_not_start(tmp_path, keys, key, access, problem):
    """The refusal names what is missing and the way to say that it is meant."""
    if key is not None:
        _add(keys, **key)
    with pytest.raises(ConfigurationError, match=f"{problem}.*--insecure"):
        open_door(_settings(tmp_path, "0.0.0.0", access), keys)  # noqa: S104  the very thing


@pytest.mark.parametrize("access", [TLS, 'behind_proxy = ["10.0.0.1"]', "insecure = true"])
def test_beyond_this_machine_a_server_with_key_and_tls_starts(tmp_path, keys, access):
    """A proxy that speaks TLS does as well; keys are asked for even when the rest is insecure."""
    _add(keys)
    door = open_door(_settings(tmp_path, "0.0.0.0", access), keys)  # noqa: S104  the very thing
    assert door.admit(BEARER, "1.2.3.4", KeyScope.PREDICT).key_id == "abcd2345"
    assert door.admit(None, "1.2.3.4", KeyScope.PREDICT) != ANYBODY


@pytest.mark.parametrize(
    ("access", "problem"),
    [
        ('tls_certificate = "c.pem"', "TLS takes a certificate and its key"),
        ('tls_key = "k.pem"', "TLS takes a certificate and its key"),
        (TLS, "cannot be used"),
        ('behind_proxy = ["*"]', "no address"),
        ('behind_proxy = ["0.0.0.0/0"]', "no address"),
        ('behind_proxy = ["proxy.example"]', "no address"),
        ('behind_proxy = ["10.0.0.5/24"]', "no address"),
    ],
)
def test_transport_that_cannot_work_is_refused_before_it_listens(tmp_path, access, problem):
    """Half a pair, files that are none, and proxies that are everybody."""
    with pytest.raises(ConfigurationError, match=problem):
        transport_of(_settings(tmp_path, access=access))


def test_a_new_key_opens_and_a_revoked_one_closes_at_the_next_look(tmp_path, keys):
    """A server follows its keys without a restart, from the first one on."""
    door = open_door(_settings(tmp_path), keys)
    watch = KeyWatch(keys, door)
    watch.look()
    assert door.admit(None, "a", KeyScope.PREDICT) == ANYBODY
    _add(keys)
    watch.look()
    assert door.admit(BEARER, "a", KeyScope.PREDICT).key_id == "abcd2345"
    assert door.admit(None, "a", KeyScope.PREDICT) != ANYBODY
    keys.revoke("abcd2345", CREATED)
    watch.look()
    assert door.admit(BEARER, "a", KeyScope.PREDICT).meaning.slug == "invalid-key"


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_text("{")])
def test_keys_that_are_lost_let_nobody_in_until_they_are_back(tmp_path, keys, harm, caplog):
    """A missing or broken file may hide a revocation: the door closes, says so once, and opens again by itself."""
    _add(keys)
    door = open_door(_settings(tmp_path), keys)
    watch, content = KeyWatch(keys, door), keys.path.read_bytes()
    watch.look()
    harm(keys.path)
    watch.look()
    watch.look()
    assert door.admit(BEARER, "a", KeyScope.PREDICT).meaning.slug == "invalid-key"
    assert caplog.text.count("nobody is let in") == 1
    keys.path.write_bytes(content)
    keys.path.chmod(0o600)
    watch.look()
    assert door.admit(BEARER, "a", KeyScope.PREDICT).key_id == "abcd2345"


def test_the_last_use_of_a_key_is_written(tmp_path, keys):
    """It stands in the file after a note, and only for keys that opened."""
    _add(keys)
    door = open_door(_settings(tmp_path), keys)
    watch = KeyWatch(keys, door)
    door.admit(b"Bearer vg_wrong", "a", KeyScope.PREDICT)
    watch.note()
    assert keys.last_uses() == {}
    door.admit(BEARER, "a", KeyScope.PREDICT)
    watch.note()
    assert list(keys.last_uses()) == ["abcd2345"]
