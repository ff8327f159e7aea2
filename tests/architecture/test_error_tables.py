"""Every error has an exit code and an HTTP status."""

import vigie.errors
from vigie.api.errors import MEANINGS as HTTP_MEANINGS
from vigie.cli.exits import EXIT_CODES, MEANINGS, exit_code
from vigie.errors import VigieError


def branch(kind: type[VigieError]) -> list[type[VigieError]]:
    """Return an error class and all below it."""
    return [kind, *(below for child in kind.__subclasses__() for below in branch(child))]


def test_every_error_has_its_branchs_exit_code() -> None:
    """Each class below the root is covered by the exit-code table."""
    for kind in branch(VigieError)[1:]:
        code = next(EXIT_CODES[above] for above in kind.__mro__ if above in EXIT_CODES)
        assert code in MEANINGS
        assert exit_code(kind.__new__(kind)) == code


def test_every_error_has_an_http_status() -> None:
    """Each class below the root is covered by the status table."""
    for kind in branch(VigieError)[1:]:
        assert any(above in HTTP_MEANINGS for above in kind.__mro__)


def test_the_docstring_draws_every_error() -> None:
    """The tree at the top of errors.py is the tree of the classes."""
    drawing = vigie.errors.__doc__ or ""
    for kind in branch(VigieError):
        assert kind.__name__ in drawing
