"""What a person is told when something is wrong."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """A notice waits for office hours; a page does not. Changed inputs alone are a notice."""

    NOTICE = "notice"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Alert:
    """A title, sentences, and how grave it is."""

    model: str
    severity: Severity
    title: str
    body: str
