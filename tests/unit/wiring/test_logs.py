"""Log lines: one a record, whatever is in it, and no value of a row."""

import io
import json
import logging

import pytest

from vigie.api import exchange
from vigie.errors import StorageError
from vigie.wiring.logs import TEXT, JsonLines, Lines

INJECTED = ["a\nb", "a\r\n2026 INFO x: y", "\x1b[2J", "\u2028", "\u202e", "\x00", "\x7f", "\x85"]


@pytest.fixture
def logged():
    """Return what a logger writes in a format."""
    logger = logging.Logger("vigie.test")  # noqa: LOG001 - one that no other test configures

    def write(formatter, *line, **rest):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        logger.handlers = [handler]
        logger.error(*line, **rest)
        return stream.getvalue()

    return write


@pytest.mark.parametrize("text", INJECTED)
def test_json_lines_hold_any_text_in_one_line_of_ascii(logged, text):
    """It comes back as it was, from a single line."""
    written = logged(JsonLines(), "model %s", text)
    assert written.isascii()
    assert len(written.splitlines()) == 1
    assert json.loads(written)["message"] == f"model {text}"


@pytest.mark.parametrize("text", INJECTED)
def test_text_lines_show_control_characters_and_obey_none(logged, text):
    """No line is forged and no cursor moved."""
    written = logged(Lines(TEXT), "model %s", text)
    assert len(written.splitlines()) == 1
    assert written[:-1].isprintable()


@pytest.mark.parametrize("formatter", [Lines(TEXT), JsonLines()])
def test_an_error_of_a_library_is_placed_but_not_quoted(logged, formatter):
    """Libraries quote the values they choke on; Vigie's own errors never do and are told in full."""
    try:
        try:
            float("canary-4711")
        except ValueError as exc:
            raise StorageError("log.db", "the disk is full.", retryable=True) from exc
    except StorageError:
        written = logged(formatter, "failed", exc_info=True)
    assert "canary" not in written.replace('float("canary-4711")', "").replace('float(\\"canary-4711\\")', "")
    assert "ValueError" in written
    assert "the disk is full" in written
    assert "test_logs.py" in written


def test_a_line_says_during_which_request_it_was_written(logged):
    """The id is the one that the answer carries; without a request there is none."""
    assert "request_id" not in json.loads(logged(JsonLines(), "idle"))
    token = exchange.REQUEST_ID.set("")
    try:
        named = exchange.begin(b"trace-1")
        assert json.loads(logged(JsonLines(), "busy"))["request_id"] == named.decode() == "trace-1"
    finally:
        exchange.REQUEST_ID.reset(token)


@pytest.mark.parametrize("given", [None, b"", b"a b", b"a\nb", b"x" * 129, "é".encode(), b'"', b"\x1b"])
def test_an_id_that_a_log_should_not_hold_is_replaced(given):
    """Made ids differ."""
    token = exchange.REQUEST_ID.set("")
    try:
        made = {exchange.begin(given) for _ in range(3)}
    finally:
        exchange.REQUEST_ID.reset(token)
    assert len(made) == 3
    assert given not in made
