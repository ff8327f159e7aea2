"""Which bundle formats this Vigie reads and writes.

A new format gets a new number, a line here, and a recipe that lifts the members of the older one before they are read.
"""

from typing import Any

from vigie.errors import BundleFormatError

FORMAT_VERSION = 1
"""The format this Vigie writes."""

SUPPORTED = (1,)
"""The formats this Vigie reads."""


def check_format(found: Any) -> int:
    """Return the format version, when it is one that this Vigie reads.

    Raises:
        BundleFormatError: it is another, or no integer at all.
    """
    if type(found) is not int or found not in SUPPORTED:  # True is an int too, and equal to 1
        shown = found if type(found) in {int, float, bool, type(None)} else type(found).__name__
        raise BundleFormatError(found_version=shown, supported=SUPPORTED)
    return found
