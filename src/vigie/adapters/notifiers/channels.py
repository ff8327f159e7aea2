"""Channels beyond the log: anything that Apprise reaches, and a webhook of our own that is signed."""

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vigie.adapters.notifiers.cloudevents import cloud_event
from vigie.adapters.notifiers.log import one_line
from vigie.domain.alert import Alert
from vigie.errors import StorageError
from vigie.ports import Clock


@dataclass(frozen=True, slots=True)
class Post:
    """How messages leave the machine.

    Attributes:
        timeout: how long one message may take on one channel, all tries together.
        allow_private: whether this machine and private networks may be reached.
    """

    timeout: timedelta
    allow_private: bool

    def send(self, label: str, job: dict[str, Any]) -> None:
        """Do a job in a process of its own.

        Raises:
            StorageError: it was not delivered.
        """
        seconds = self.timeout.total_seconds()
        line = [sys.executable, "-m", "vigie.adapters.notifiers.delivery"]
        given = json.dumps({**job, "allow_private": self.allow_private, "seconds": seconds})
        try:
            done = subprocess.run(  # noqa: S603  our own module; the secret goes by its standard input
                line, input=given, capture_output=True, text=True, timeout=seconds + _START_S, check=False
            )
            trouble = json.loads(done.stdout)["trouble"]
        except subprocess.TimeoutExpired:
            trouble = f"It took longer than {seconds:g} s."
        except (OSError, ValueError, KeyError):
            trouble = "The process that sends ended without an answer."
        if trouble:
            raise StorageError(label, trouble, retryable=True, remedy="Try it with `vigie alerts test`.")


_START_S = 10.0
"""What a process may take to start and import, beside the message's own time."""


@dataclass(frozen=True, slots=True, repr=False)
class AppriseChannel:
    """Implements ``ports.Notifier`` by one of Apprise's addresses, which holds its secrets and is never shown."""

    label: str
    url: str
    post: Post

    def send(self, alert: Alert) -> None:
        """Deliver the alert.

        Raises:
            StorageError: the channel failed, or is not allowed.
        """
        title = one_line(f"[{alert.word}] {alert.model}: {alert.title}")
        self.post.send(self.label, {"kind": "apprise", "url": self.url, "word": alert.word, "title": title,
                                    "body": alert.body})  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class WebhookChannel:
    """Implements ``ports.Notifier`` by a signed CloudEvent; its id is the same at every try."""

    label: str
    url: str
    key: bytes
    post: Post
    clock: Clock

    def send(self, alert: Alert) -> None:
        """Deliver the alert.

        Raises:
            StorageError: the receiver failed, or is not allowed.
        """
        body = cloud_event(alert, self.clock.now())
        self.post.send(self.label, {
            "kind": "webhook", "url": self.url, "id": alert.id,
            "key": base64.b64encode(self.key).decode(), "body": base64.b64encode(body).decode(),
        })  # fmt: skip
