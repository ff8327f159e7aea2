"""Channels as the settings name them, with secrets from the environment."""

import pytest

from vigie.adapters.clock import SystemClock
from vigie.adapters.notifiers.cloudevents import secret_of
from vigie.errors import ConfigurationError
from vigie.settings import load_settings
from vigie.wiring.alerting import open_channels, open_probe

PROJECT = '[project]\nname = "churn"\n[data]\nsource = "x.csv"\ntarget = "y"\n'
SECRET = secret_of(bytes(32))


@pytest.fixture
def settings(tmp_path):
    """Return what reads settings with further lines."""

    def read(lines):
        (tmp_path / "vigie.toml").write_text(PROJECT + lines, encoding="utf-8")
        return load_settings(tmp_path, {})

    return read


def test_the_log_is_always_told(settings):
    """Also when nothing is set."""
    assert list(open_channels(settings(""), {})) == ["log"]


def test_labels_tell_no_secret(settings):
    """A channel is known by its scheme and its place; its address is filled in and not shown."""
    found = settings(
        '[alerting]\nchannels = ["slack://${A}/${B}", "mailto://me:pw@x.org"]\nwebhooks = ["https://h.org/${A}"]\n'
        'webhook_secret = "${S}"'
    )
    channels = open_channels(found, {"A": "s3cret", "B": "t0ken", "S": SECRET})
    assert list(channels) == ["log", "slack (channel 1)", "mailto (channel 2)", "webhook 1"]
    assert channels["slack (channel 1)"].url == "slack://s3cret/t0ken"
    assert "s3cret" not in repr(channels)
    assert "pw" not in repr(channels)


def test_an_address_without_a_scheme_is_known_by_its_place_alone(settings):
    """Somebody pasted a token, or named a variable that holds the whole address: no letter of it is a label."""
    found = settings('[alerting]\nchannels = ["xoxb-1234:5678", "${WHOLE}", "a-token-of-more-than-20-letters://x"]')
    channels = open_channels(found, {"WHOLE": "slack://s3cret"})
    assert list(channels) == ["log", "channel 1", "channel 2", "channel 3"]


@pytest.mark.parametrize(
    ("lines", "environ", "problem"),
    [
        ('channels = ["slack://${MISSING}"]', {}, "'MISSING' is not set"),
        ('channels = ["slack://${EMPTY}"]', {"EMPTY": ""}, "'EMPTY' is not set"),
        ('webhooks = ["https://h.org"]', {}, "needs a secret"),
        ('webhooks = ["https://h.org"]\nwebhook_secret = "whsec_c2hvcnQ="', {}, "has 5 bytes"),
        ('webhooks = ["http://h.org"]\nwebhook_secret = "${S}"', {"S": SECRET}, "does not begin with https"),
        ('webhooks = ["file:///etc/passwd"]\nallow_private = true\nwebhook_secret = "${S}"', {"S": SECRET}, "https"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, lines, environ, problem):
    """Before anything is sent, in a sentence that names the setting and no value."""
    with pytest.raises(ConfigurationError, match=problem) as caught:
        open_channels(settings(f"[alerting]\n{lines}"), environ)
    assert "alerting." in str(caught.value)
    assert "c2hvcnQ" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "address", "declared"),
    [
        ("", "http://127.0.0.1:8000", False),
        ('[serving]\nhost = "0.0.0.0"\nport = 81', "http://127.0.0.1:81", False),
        ('[serving]\nhost = "::"', "http://[::1]:8000", False),
        ('[access]\ntls_certificate = "c.pem"\ntls_key = "k.pem"', "https://127.0.0.1:8000", False),
        ('[monitoring]\nservice = "https://x.org"', "https://x.org", True),
    ],
)
def test_the_server_is_asked_where_it_listens(settings, lines, address, declared):
    """By its settings, or by name; only a name makes its silence an alarm."""
    probe = open_probe(settings(lines), {}, SystemClock())
    assert (probe._address, probe._declared) == (address, declared)
