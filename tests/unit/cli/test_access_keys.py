"""``vigie keys new``, ``list`` and ``revoke``: shown once, kept as a digest, told whole."""

import json

import pytest
from click.testing import CliRunner

from vigie.adapters.access_keys import AccessKeyFile
from vigie.adapters.clock import SystemClock
from vigie.cli.access_keys import SCOPES
from vigie.cli.main import cli
from vigie.domain.access import KeyRing, KeyScope
from vigie.errors import ConfigurationError


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return what calls ``vigie keys`` in a project's folder."""
    (tmp_path / "vigie.toml").write_text('[project]\nname = "p"\n[data]\nsource = "s.csv"\ntarget = "t"\n')
    monkeypatch.chdir(tmp_path)
    return lambda *line: CliRunner().invoke(cli, ["keys", *line])


def _ring(tmp_path):
    return KeyRing(AccessKeyFile(tmp_path / ".vigie").read())


def test_the_scopes_of_the_help_are_those_of_the_server():
    """The command does not import the server's words only to print its help."""
    assert list(SCOPES) == list(KeyScope)


def test_the_key_that_is_printed_opens(run, tmp_path):
    """Alone on standard output, so that a script may take it; nothing of it is kept."""
    said = run("new", "shop")
    (text,) = said.stdout.split()
    key = _ring(tmp_path).find(text, SystemClock().now())
    assert (key.name, key.scopes) == ("shop", {KeyScope.PREDICT, KeyScope.FEEDBACK})
    assert text not in said.stderr
    kept = b"".join(file.read_bytes() for file in (tmp_path / ".vigie").iterdir())
    assert text[12:].encode() not in kept


def test_scopes_expiry_and_rate_are_as_asked(run):
    """All scopes, for ever, slowly."""
    key = json.loads(run("new", "x", "--scope", "all", "--expires", "never", "--rate", "2.5", "--json").stdout)
    assert key["scopes"] == sorted(KeyScope)
    assert (key["expires_at"], key["rate_per_s"], key["state"]) == (None, 2.5, "valid")


def test_a_key_is_listed_and_revoked_by_its_id_or_by_itself(run, tmp_path):
    """Whoever finds a lost key can end it without knowing its id; the list never shows it."""
    texts = [run("new", name).stdout.strip() for name in ("one", "two", "three")]
    assert run("revoke", texts[0][3:11]).exit_code == 0
    assert run("revoke", texts[1]).exit_code == 0
    listed = run("list").stdout
    assert [listed.count(word) for word in ("revoked", "valid", "never")] == [2, 1, 3]
    assert max(map(len, listed.splitlines())) <= 80
    assert not [text for text in texts if text[12:] in listed]
    assert [key["state"] for key in json.loads(run("list", "--json").stdout)] == ["revoked", "revoked", "valid"]
    found = [_ring(tmp_path).find(text, SystemClock().now()) for text in texts]
    assert [key and key.name for key in found] == [None, None, "three"]


def test_no_key_is_told_as_such(run):
    """The list says what that means, and what to do."""
    assert "vigie keys new" in run("list").stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("revoke", "vg_unknown2_0000"), "no access key with that id"),
        (("new", "a\nb"), "printable"),
        (("new", "x", "--expires", "soon"), "'soon' is not a length of time above 0 and at most 36525d, such as"),
    ],
)
def test_what_cannot_be_done_says_why(run, line, said):
    """Errors are Vigie's own; a key that was typed is not repeated."""
    failed = run(*line)
    assert isinstance(failed.exception, ConfigurationError)
    assert said in str(failed.exception)
    assert "vg_unknown2" not in str(failed.exception)
