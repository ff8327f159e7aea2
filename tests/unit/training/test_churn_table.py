"""The synthetic churn table is what it says, and its dials do what they promise."""

import numpy as np
import pytest

from vigie.testing.tables import CHURN_FEATURES, churn_table


def test_a_seed_gives_the_same_table():
    """Integers repeat themselves, a generator goes on."""
    rng = np.random.default_rng(1)
    first, second = churn_table(50, seed=rng), churn_table(50, seed=rng)
    assert first.equals(churn_table(50, seed=1))
    assert not first.equals(second)


def test_columns_and_bounds():
    """Names, types and ranges are those of the documentation."""
    found = churn_table(5_000, seed=2, drift=1.0, relation=1.0)
    assert tuple(found.column_names) == ("client_id", *CHURN_FEATURES, "churn")
    assert [str(kind) for kind in found.schema.types] == [
        "string", "int64", "double", "int64", "int64", "double", "string",
    ]  # fmt: skip
    bounds = {"anciennete_mois": (1, 120), "montant_mensuel": (10, 200), "nb_produits": (1, 4), "satisfaction": (1, 5)}
    for name, (low, high) in bounds.items():
        values = found.column(name).to_numpy()
        assert low <= values.min() < values.max() <= high
    assert len(set(found.column("client_id").to_pylist())) == 5_000
    assert set(found.column("churn").to_pylist()) == {"oui", "non"}


def test_drift_moves_three_features_and_leaves_two():
    """Tenure 24 to 18, amount 60 to 70, complaints 2 to 3, up to clipping; products and satisfaction stay."""
    means = {
        dial: {name: churn_table(40_000, seed=3, drift=dial).column(name).to_numpy().mean() for name in CHURN_FEATURES}
        for dial in (0.0, 1.0)
    }
    assert means[0.0] == pytest.approx(
        {"anciennete_mois": 24, "montant_mensuel": 60, "nb_reclamations": 2, "nb_produits": 2.5, "satisfaction": 3},
        rel=0.02,
    )
    assert means[1.0] == pytest.approx(
        {"anciennete_mois": 18, "montant_mensuel": 70, "nb_reclamations": 3, "nb_produits": 2.5, "satisfaction": 3},
        rel=0.02,
    )
