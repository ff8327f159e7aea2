"""Prediction ids."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from vigie.domain.prediction import uuid7


def test_example_of_the_standard():
    """The bits stand where RFC 9562, appendix A.6, puts them."""
    at = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    random = bytes.fromhex("0cc318c4dc0c0c07398f")
    assert uuid7(at, random) == UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")


@pytest.mark.parametrize("n_bytes", [0, 9, 11])
def test_ten_bytes_are_needed(n_bytes):
    """Too little or too much randomness is a mistake."""
    with pytest.raises(ValueError, match="ten random bytes"):
        uuid7(datetime(2026, 1, 1, tzinfo=UTC), bytes(n_bytes))
