"""How long-running commands log."""

import logging


def log_to_stderr() -> None:
    """Log Vigie's own words at INFO and those of libraries at WARNING, one line each."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("vigie").setLevel(logging.INFO)
