"""What chance does at most to a distance, for any distribution and any number of rows: the noise of the strict rule.

Nothing here is asymptotic. It costs power, and holds where an auditor asks for a theorem.
"""

from math import log, sqrt


def distribution_noise(n: int, level: float) -> float:
    """Return what a sample's distance from its own distribution exceeds with probability ``level`` at most.

    Args:
        n: rows, at least 1.
        level: in (0, 1).

    Source:
        Massart (1990), The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality. Holds with ties.
    """
    return sqrt(log(2 / level) / (2 * n))


def variation_noise(n: int, level: float, *, groups: int) -> float:
    """Return the same for the total variation between a sample's shares of fixed groups and the true ones.

    Args:
        n: rows, at least 1.
        level: in (0, 1).
        groups: how many, at least 1; chosen without looking at these rows.

    Source:
        The mean is at most half the square root of (groups - 1) / n by Jensen's inequality; McDiarmid (1989), On the
        method of bounded differences, for what lies above it.
    """
    return sqrt((groups - 1) / n) / 2 + sqrt(log(1 / level) / (2 * n))
