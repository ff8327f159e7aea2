"""The file of access keys: private, whole at every moment, and honest about what it cannot read."""

import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest

from vigie.adapters.access_keys import AccessKeyFile
from vigie.domain.access import AccessKey, KeyScope, key_digest, key_text
from vigie.errors import ConfigurationError, StorageError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _key(key_id="abcd2345", **changed):
    text = key_text(key_id, bytes(32))
    return AccessKey(key_id, "shop «é»", key_digest(text), frozenset(KeyScope), NOW, **changed)


@pytest.fixture
def keys(tmp_path):
    """Return the keys of a project that has none."""
    return AccessKeyFile(tmp_path)


def test_what_is_added_is_read_again(keys):
    """Every field survives, in the order in which keys were made."""
    made = [_key(), _key("wxyz2345", expires_at=NOW + timedelta(days=1), rate_per_s=2.5)]
    for key in made:
        keys.add(key)
    assert list(keys.read()) == made


def test_the_file_is_its_owners_and_holds_no_key(keys):
    """Mode 0600; the secret part stands nowhere in it."""
    keys.add(_key())
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    assert bytes(32).hex() not in keys.path.read_text()


def test_the_stamp_changes_with_the_keys_and_only_then(keys):
    """A server that looks at it misses neither a new key nor a revocation."""
    seen = [keys.stamp()]
    keys.add(_key())
    seen.append(keys.stamp())
    keys.revoke("abcd2345", NOW)
    seen.append(keys.stamp())
    keys.note_uses({"abcd2345": NOW})
    assert seen[0] is None
    assert len(set(seen)) == 3
    assert keys.stamp() == seen[-1]


def test_a_revocation_is_kept_and_not_moved(keys):
    """Revoking twice leaves the first time; an unknown id changes nothing."""
    keys.add(_key())
    assert keys.revoke("abcd2345", NOW).revoked_at == NOW
    assert keys.revoke("abcd2345", NOW + timedelta(days=1)).revoked_at == NOW
    assert keys.revoke("unknown2", NOW) is None
    assert [key.revoked_at for key in keys.read()] == [NOW]


def test_keys_made_at_once_are_all_kept(keys):
    """Eight writers of five keys leave forty."""

    def add(writer):
        for number in range(5):
            AccessKeyFile(keys.path.parent).add(_key(f"writer{writer}{number}"))

    threads = [threading.Thread(target=add, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key.id for key in keys.read()}) == 40


def test_the_latest_use_wins_whoever_tells_it(keys):
    """Two servers note uses; an older one told later changes nothing."""
    keys.note_uses({"a": NOW, "b": NOW})
    keys.note_uses({"a": NOW - timedelta(hours=1), "b": NOW + timedelta(hours=1)})
    assert keys.last_uses() == {"a": NOW, "b": NOW + timedelta(hours=1)}


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"version": 2, "keys": []}', b'{"version": 1, "keys": [{"id": "x"}]}', b"\xff", b"[" * 9999,
     b'{"version":1,"keys":[{"id":"a","name":"","digest":"","scopes":[],"created_at":"2026-01-01T00:00:00Z"}]}',
     b'{"version":1,"keys":[{"id":"a","name":"","digest":"","scopes":["root"],"created_at":"2026-01-01T00:00:00Z"}]}'],
)  # fmt: skip
def test_a_file_that_is_none_of_ours_is_refused(keys, content):
    """Nothing is guessed about who may come in, and nothing is overwritten."""
    keys.path.write_bytes(content)
    keys.path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="no file of access keys"):
        keys.read()
    with pytest.raises(ConfigurationError, match="no file of access keys"):
        keys.add(_key())
    assert keys.path.read_bytes() == content


def test_a_file_that_others_may_write_is_refused(keys):
    """Whoever may write it may let themselves in."""
    keys.add(_key())
    keys.path.chmod(0o620)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        keys.read()


def test_a_folder_that_is_gone_is_a_storage_error(tmp_path):
    """The message names the file."""
    with pytest.raises(StorageError, match=r"access_keys\.json"):
        AccessKeyFile(tmp_path / "gone").add(_key())
