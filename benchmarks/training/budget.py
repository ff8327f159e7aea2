"""How long a search may take by the clock so that its CPU time comes out as Vigie's."""

from benchmarks.processes import Failure
from benchmarks.training.trial import Trial

SHORTEST_S = 5.0
FURTHEST = 2.0
"""Factor by which one round may change the budget: one odd round must not spoil the next."""


def next_budget(vigie: Trial | Failure | None, before_s: float | None, last: Trial | Failure | None) -> float:
    """Return the seconds that a search is given.

    The first time it is what ``vigie train`` took by the clock, which on a busy machine is more than its CPU time, for
    the search too. Later the budget before is corrected by what it led to.

    Args:
        vigie: the trial of this round that is to be matched.
        before_s: the budget of the round before, if there was one.
        last: what came of it.
    """
    if not isinstance(vigie, Trial):
        return before_s or SHORTEST_S  # nothing to match: the search is measured all the same
    if before_s is None or not isinstance(last, Trial):
        return max(SHORTEST_S, vigie.train_wall_s)
    factor = vigie.train_cpu_s / last.train_cpu_s
    return max(SHORTEST_S, before_s * min(max(factor, 1 / FURTHEST), FURTHEST))
