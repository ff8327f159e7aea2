"""The channels that the settings name, with their secrets from the environment; and the server that is asked."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from vigie.adapters.clock import SystemClock
from vigie.adapters.notifiers.channels import AppriseChannel, Post, WebhookChannel
from vigie.adapters.notifiers.cloudevents import key_of
from vigie.adapters.notifiers.log import LogNotifier
from vigie.adapters.service_probe import HttpServiceProbe
from vigie.domain.alert import Alert, Severity
from vigie.errors import ConfigurationError, StorageError
from vigie.loop.context import Loop
from vigie.ports import Clock, Notifier
from vigie.settings import Settings

_NAMED: Final = re.compile(r"\$\{([^}]*)\}")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,19})://")


def speaking(loop: Loop, settings: Settings, environ: Mapping[str, str]) -> Loop:
    """Return a loop that tells every channel of the settings; raises what ``open_channels`` does."""
    return replace(loop, channels=open_channels(settings, environ))


def asking(loop: Loop, settings: Settings, environ: Mapping[str, str]) -> Loop:
    """Return a loop that asks the server how it does; raises what ``open_probe`` does."""
    return replace(loop, service=open_probe(settings, environ, loop.clock))


def open_channels(settings: Settings, environ: Mapping[str, str]) -> dict[str, Notifier]:
    """Return every channel by a label that tells no secret: its scheme, where it has one, and its place in the list.

    Args:
        settings: the project's.
        environ: where ``${NAME}`` is looked up.

    Raises:
        ConfigurationError: a name is not in the environment, a webhook has no secret, or goes without TLS.
    """
    alerting = settings.alerting
    post = Post(alerting.timeout, alerting.allow_private)
    channels: dict[str, Notifier] = {"log": LogNotifier()}
    for place, written in enumerate(alerting.channels, start=1):
        label = _label(written, place)
        channels[label] = AppriseChannel(label, filled(written, environ, "alerting.channels"), post)
    key = _webhook_key(settings, environ) if alerting.webhooks else b""
    for place, written in enumerate(alerting.webhooks, start=1):
        label, url = f"webhook {place}", filled(written, environ, "alerting.webhooks")
        if not url.startswith(("https://", "http://") if alerting.allow_private else "https://"):
            raise ConfigurationError(
                f"Webhook {place} does not begin with https://.",
                key="alerting.webhooks",
                remedy="Use https, or set alerting.allow_private for http on a network of your own.",
            )
        channels[label] = WebhookChannel(label, url, key, post, SystemClock())
    return channels


def _label(written: str, place: int) -> str:
    """Return what a channel is called. What does not begin as an address may be a secret from its first letter on."""
    scheme = _SCHEME.match(written)
    return f"{scheme[1]} (channel {place})" if scheme else f"channel {place}"


def try_channels(settings: Settings, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Send a message to every channel; return its label and what went wrong, empty where nothing did.

    Raises:
        ConfigurationError: as ``open_channels``.
    """
    now = SystemClock().now()
    message = Alert(
        model=settings.project.name,
        severity=Severity.NOTICE,
        title="a test of this channel",
        body=f"Sent by `vigie alerts test` at {now:%Y-%m-%d %H:%M:%S} UTC. Nothing is wrong.",
        id=f"msg_test_{int(now.timestamp())}",
    )
    found = []
    for label, channel in open_channels(settings, environ).items():
        try:
            channel.send(message)
            found.append((label, ""))
        except StorageError as error:
            found.append((label, str(error)))
    return found


def open_probe(settings: Settings, environ: Mapping[str, str], clock: Clock) -> HttpServiceProbe:
    """Return what asks the server how it does.

    Raises:
        ConfigurationError: the key's name is not in the environment.
    """
    serving, monitoring = settings.serving, settings.monitoring
    scheme = "https" if settings.access.tls_certificate else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(serving.host, serving.host)  # noqa: S104  compared, not bound
    here = f"{scheme}://{f'[{host}]' if ':' in host else host}:{serving.port}"
    key = monitoring.service_key
    return HttpServiceProbe(
        monitoring.service or here,
        key=filled(key, environ, "monitoring.service_key") if key else None,
        declared=monitoring.service is not None,
        clock=clock,
    )


def filled(written: str, environ: Mapping[str, str], key: str) -> str:
    """Return a setting with every ``${NAME}`` replaced by that variable of the environment.

    Raises:
        ConfigurationError: there is no such variable; its name is told, no value ever is.
    """

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if not environ.get(name):
            raise ConfigurationError(
                f"The environment variable {name!r} is not set.", key=key, remedy=f"Set it: export {name}=…"
            )
        return environ[name]

    return _NAMED.sub(value, written)


def _webhook_key(settings: Settings, environ: Mapping[str, str]) -> bytes:
    secret = settings.alerting.webhook_secret
    remedy = "Make one with `vigie alerts secret`, and name the variable that holds it."
    if not secret:
        raise ConfigurationError("A webhook needs a secret.", key="alerting.webhook_secret", remedy=remedy)
    try:
        return key_of(filled(secret, environ, "alerting.webhook_secret"))
    except ValueError as exc:
        raise ConfigurationError(
            f"The webhook's secret cannot be used: {exc}.", key="alerting.webhook_secret", remedy=remedy
        ) from None
