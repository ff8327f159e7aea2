"""The columns that monitoring's settings name, held against what the model takes."""

from collections.abc import Sequence

from vigie.domain.schema import Schema
from vigie.errors import ConfigurationError, listed, nearest


def misnamed(schema: Schema, *, calendar: Sequence[str], segments: Sequence[str]) -> list[ConfigurationError]:
    """Return an error, to be raised or told, for every named column that is no feature of the model.

    Args:
        schema: of the version that serves.
        calendar: ``monitoring.calendar``.
        segments: ``monitoring.segments``.
    """
    return [
        ConfigurationError(
            f"The model has no feature {name!r}.",
            remedy=nearest(name, schema.names).strip() or f"Use some of {listed(schema.names)}.",
            key=key,
        )
        for key, names in (("monitoring.calendar", calendar), ("monitoring.segments", segments))
        for name in names
        if name not in schema.names
    ]
