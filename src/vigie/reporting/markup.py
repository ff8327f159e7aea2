"""HTML in which text is always text: whatever is not made by this module is escaped."""

from html import escape
from typing import Final

_VOID: Final = frozenset({"meta", "br", "hr"})


class Markup(str):
    """A piece of HTML that was built here, or was drawn by us; every other string is text."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str) -> Markup:
    """Return one element.

    Args:
        name: of the element; written by us, never by data.
        children: Markup stands as it is, other strings are escaped.
        attributes: a trailing underscore is dropped and others become hyphens; values are escaped.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"' for key, value in attributes.items()
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Return pieces one after the other, text escaped."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child, quote=False) for child in children))
