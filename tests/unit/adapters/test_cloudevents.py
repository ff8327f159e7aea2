"""The event that a webhook gets, and its signature."""

import json
from datetime import UTC, datetime

import pytest

from vigie.adapters.notifiers.cloudevents import cloud_event, key_of, secret_of, signed_headers
from vigie.domain.alert import Alert, Change, Severity, Step, Subject

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _alert(step):
    change = Change("churn.1.inputs.1", step, Subject.INPUTS, "inputs changed: a", "1", ("a",), told=True)
    return Alert("churn", Severity.NOTICE, "inputs changed: a", "One.\nTwo.", "msg_1", "1", (change,))


def test_the_signature_is_that_of_the_published_example():
    """Source: the reference vector of the Standard Webhooks libraries, which receivers verify with."""
    headers = signed_headers(
        key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("step", list(Step))
def test_an_event_has_what_the_format_asks_for(step):
    """CloudEvents 1.0: the four required attributes are text, and the type says which step of an alert it is."""
    event = json.loads(cloud_event(_alert(step), NOON))
    assert [event[name] for name in ("specversion", "id", "source", "type", "time")] == [
        "1.0", "msg_1", "/vigie/churn", f"vigie.alert.{step}", "2026-01-01T12:00:00Z",
    ]  # fmt: skip
    assert event["subject"] == event["data"]["alerts"][0]["alert"] == "churn.1.inputs.1"
    assert event["data"]["body"] == "One.\nTwo."


@pytest.mark.parametrize("secret", ["", "abc", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", "whsec_" + "A" * 200])
def test_a_weak_secret_is_refused(secret):
    """Too short, too long, not base64, or without its prefix; the message does not repeat it."""
    with pytest.raises(ValueError, match=r"^its? ") as caught:
        key_of(secret)
    assert not secret or secret not in str(caught.value)


def test_a_secret_comes_back():
    """What ``vigie alerts secret`` prints can be used."""
    key = bytes(range(32))
    assert key_of(secret_of(key)) == key
