"""Which layouts of the reference profile this Vigie reads, and how an older one is lifted to the present one.

1. Counts and totals of every column.
2. Sums cell by cell (without them no Wasserstein distance), how much each column wanders in time, and importances.
"""

from typing import Any

from vigie.errors import BundleFormatError

FORMAT = 2
"""The layout this Vigie writes."""

SUPPORTED = (1, 2)
"""The layouts this Vigie reads."""


def lifted(data: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a profile in the present layout; what an older one does not hold is None.

    Raises:
        BundleFormatError: the layout is none of ``SUPPORTED``.
        KeyError: it does not say which it is, or lacks what it should hold.
    """
    version = data["format"]
    if type(version) is not int or version not in SUPPORTED:
        raise BundleFormatError(found_version=version, supported=SUPPORTED)
    if version == FORMAT:
        return data
    columns = [_lifted_column(column) for column in data["features"]]
    prediction = _lifted_column(data["prediction"])
    return {**data, "features": columns, "prediction": prediction, "wander": None, "importance": None}


def _lifted_column(column: dict[str, Any]) -> dict[str, Any]:
    return {**column, "cell_sums": [None] * len(column["cells"])} if column["kind"] == "numeric" else column
