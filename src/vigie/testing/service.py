"""A server that says what a test wants it to."""

from vigie.domain.service import ServiceSample


class FixedService:
    """Implements ``ports.ServiceProbe``.

    Args:
        answer: what it says, until a test sets another.
    """

    def __init__(self, answer: ServiceSample) -> None:
        self.answer = answer

    def sample(self) -> ServiceSample:
        """Return what was set."""
        return self.answer
