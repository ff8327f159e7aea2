"""The child's side of ``processes``: one JSON request in, one JSON answer out. Standard library only."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def answer_one(handle: Callable[[Any], Any]) -> None:
    """Read a request, handle it, answer.

    Libraries that print would break the answer: until it is written, standard output is standard error.
    """
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as channel:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        channel.write(json.dumps(handle(json.load(sys.stdin))))
