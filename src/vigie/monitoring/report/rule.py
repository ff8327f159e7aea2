"""When an alarm is raised, in words: what the budget promises, and what it does not."""

from vigie.monitoring.report.inputs import PageInputs
from vigie.reporting.parts import Section
from vigie.reporting.wording import count, number, percent


def rule(inputs: PageInputs) -> Section:
    """Return the rule that the verdicts come from."""
    found, report = inputs.rule, inputs.report
    budget = percent(found.false_alarm_budget)
    added_up = (
        "Windows are also judged added up, two, four, and so on up to 256, so that a change too small for one is seen "
        "over several."
        if report.baseline.window is None
        else "An earlier window stands for one window: none are added up."
    )
    twice = (
        " An alarm on inputs or predictions is told and retrained on once the next window alarms too."
        if found.in_a_row > 1
        else ""
    )
    return Section(
        anchor="rule",
        title="When does it alarm?",
        text=(
            (
                f"Drift has a budget of {budget}: the probability of ever raising a false alarm over this version's "
                f"whole life. It is shared by {count(len(report.features) + 1, 'column')}, by the tests of each, and "
                f"by all looks to come; this is look {report.look}. What a look has spent does not come back, so "
                f"judging more often does not alarm more often. {added_up}{twice}"
            ),
            (
                f"Beyond chance, a change must matter: by more than {number(found.psi_margin)} in PSI or "
                f"{number(found.distance_margin)} in distance. Nothing is said below {found.min_rows:,} predictions, "
                f"nor of performance below {inputs.min_labelled:,} outcomes; a loss of performance up to "
                f"{number(inputs.margin)} does not matter."
            ),
            (
                "The budget is a promise for rows that do not depend on each other. For rows that follow each other "
                "in time it is not one: there the documentation has a measured table."
            ),
        ),
    )
