"""Synthetic customers of a subscription service."""

import pyarrow as pa

from vigie.testing.tables import churn_table


def load() -> pa.Table:
    """Return 5,000 customers in calm times."""
    return churn_table(5_000, seed=42)


def load_drifted() -> pa.Table:
    """Return 5,000 other customers, after both the customers and what makes them leave have changed."""
    return churn_table(5_000, seed=43, drift=1.0, relation=1.0)
