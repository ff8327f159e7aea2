"""The gate decides by the lower bound of a paired difference, and says why."""

import numpy as np

from vigie.promotion.gate import GateRule, decide

RULE = GateRule(level=0.95, margin=0.0, min_rows=100)


def gate(incumbent, challenger, rule=RULE, seed=0):
    """Decide with a seeded bootstrap."""
    return decide(incumbent, challenger, rule, loss="log-loss (nats)", rng=np.random.default_rng(seed))


def test_a_clearly_better_challenger_is_promoted_with_its_interval() -> None:
    """A large paired difference passes and the reason holds the interval and the rows."""
    rng = np.random.default_rng(1)
    losses = rng.exponential(1.0, 500)
    decision = gate(losses, losses - 0.2 + rng.normal(0, 0.1, 500))
    assert decision.promote
    assert decision.difference is not None
    assert decision.difference.interval.low > 0.15
    assert "500 held-out rows" in decision.reasons[0]


def test_an_equal_challenger_is_promoted_about_one_time_in_twenty() -> None:
    """With no true difference the 5 % test promotes about 5 % of the time, not half of it."""
    rng = np.random.default_rng(2)
    promoted = 0
    for seed in range(200):
        truth = rng.exponential(1.0, 300)
        promoted += gate(truth + rng.normal(0, 0.3, 300), truth + rng.normal(0, 0.3, 300), seed=seed).promote
    assert promoted <= 22  # P(Binomial(200, 0.06) > 22) < 0.2 %


def test_a_worse_challenger_is_held() -> None:
    """The reason calls it worse, not unproven."""
    losses = np.random.default_rng(3).exponential(1.0, 500)
    decision = gate(losses, losses + 0.2)
    assert not decision.promote
    assert decision.reasons[0].startswith("Worse than the champion")


def test_too_little_evidence_says_how_many_rows_would_settle_it() -> None:
    """A small true difference on few rows is neither better nor worse."""
    rng = np.random.default_rng(4)
    differences = rng.normal(0.02, 0.3, 150)
    differences += 0.02 - differences.mean()
    losses = rng.exponential(1.0, 150)
    decision = gate(losses, losses - differences)
    assert not decision.promote
    assert "Not enough evidence" in decision.reasons[0]
    assert decision.difference is not None
    assert decision.difference.n_needed is not None
    assert decision.difference.n_needed > 150


def test_too_few_rows_decide_nothing() -> None:
    """Below the minimum nothing is compared."""
    decision = gate(np.ones(20), np.zeros(20))
    assert not decision.promote
    assert decision.difference is None
    assert "20 of the 100" in decision.reasons[0]


def test_a_margin_is_asked_for_in_the_unit_of_the_loss() -> None:
    """A challenger that is better by less than the margin is held."""
    losses = np.random.default_rng(5).exponential(1.0, 500)
    decision = gate(losses, losses - 0.05, GateRule(level=0.95, margin=0.1, min_rows=100))
    assert not decision.promote
