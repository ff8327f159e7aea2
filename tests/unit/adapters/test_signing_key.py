"""Private keys lie in files of their own, for their owner alone."""

import logging
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vigie.adapters.signing_key import read_signing_key, write_key_pair
from vigie.errors import ConfigurationError, StorageError


def test_a_pair_is_written_for_its_owner_alone(tmp_path):
    """Mode 0600 from the first byte on, in a folder made for it; what is read back is the same key."""
    path = tmp_path / "new" / "key.pem"
    made = write_key_pair(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_signing_key(path).public == made.public


def test_a_private_key_is_never_overwritten(tmp_path):
    """The one that is there stays, to the byte."""
    path = tmp_path / "key.pem"
    write_key_pair(path)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="exists already"):
        write_key_pair(path)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_a_storage_error(tmp_path):
    """A file where a folder should be is told in words."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_key_pair(tmp_path / "file" / "key.pem")


def test_a_key_that_others_may_read_is_warned_of(tmp_path, caplog):
    """It signs all the same: a secret mounted into a container often is."""
    path = tmp_path / "key.pem"
    write_key_pair(path)
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        read_signing_key(path)
    assert "chmod 600" in caplog.text


def test_a_file_that_holds_no_ed25519_key_is_refused(tmp_path):
    """Missing, empty, or a key of another kind: the setting is named."""
    rsa = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (None, b"", rsa):
        path = tmp_path / "key.pem"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"bundle\.signing_key"):
            read_signing_key(path)
