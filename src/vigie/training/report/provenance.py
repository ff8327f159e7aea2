"""The data that was learnt from, and what it takes to do it again."""

import numpy as np
import pandas as pd

from vigie.domain.schema import Feature, Kind
from vigie.reporting.parts import Section, Table
from vigie.reporting.wording import NOTHING, count, number, percent
from vigie.training.report.inputs import ReportInputs


def data(inputs: ReportInputs) -> Section:
    """Return rows, split, warnings and features."""
    dataset, target = inputs.dataset, inputs.dataset.schema.target
    return Section(
        anchor="data",
        title="What was it made from?",
        text=(
            (
                f"{count(len(dataset), 'row')}, {count(len(dataset.schema.features), 'feature')}, target {target.name} "
                f"({inputs.task.value}), from {inputs.provenance.source}."
            ),
            inputs.split.how,
            _outcome(inputs),
        ),
        tables=(
            Table(
                caption=f"Features over all {len(dataset):,} rows",
                columns=("feature", "kind", "missing", "range or levels"),
                rows=tuple(_feature(feature, dataset.frame[feature.name]) for feature in dataset.schema.features),
                n_text=4,
            ),
        ),
        notes=dataset.warnings,
    )


def again(inputs: ReportInputs) -> Section:
    """Return what is needed to get the same figures."""
    told, winner = inputs.provenance, inputs.leaderboard.winner
    facts = {
        "model": inputs.model,
        "winner": winner.name,
        **{f"{winner.name}: {name}": text for name, text in winner.params.items()},
        "seed": str(inputs.seed),
        "folds": str(inputs.n_folds),
        "data digest (SHA-256)": inputs.dataset.digest,
        "git commit": told.commit or "not a repository",
        "trained at": f"{told.created_at:%Y-%m-%d %H:%M:%S} UTC",
        **told.params,
        **told.versions,
    }
    return Section(
        anchor="reproduce",
        title="How to do it again?",
        text=("The same table, commit, seed and library versions give the same figures.",),
        tables=(
            Table(caption="Parameters and versions", columns=("what", "value"), rows=tuple(facts.items()), n_text=2),
        ),
    )


def _outcome(inputs: ReportInputs) -> str:
    y, target = inputs.dataset.y, inputs.dataset.schema.target
    if not inputs.task.is_classification:
        low, middle, high = (number(float(value)) for value in np.quantile(y, [0, 0.5, 1]))
        return (
            f"{target.name} lies between {low} and {high}, median {middle}, standard deviation "
            f"{number(float(y.std(ddof=1)))}."
        )
    counts = np.bincount(y, minlength=len(target.classes))
    shares = ", ".join(
        f"{label} {n:,} ({percent(n / len(y), 1)})" for label, n in zip(target.classes, counts, strict=True)
    )
    return f"Outcomes: {shares}."


def _feature(feature: Feature, column: pd.Series) -> tuple[str, str, str, str]:
    missing = int(column.isna().sum())
    share = f"{missing:,} ({percent(missing / len(column), 1)})" if missing else "none"
    if feature.kind is Kind.CATEGORY:
        levels = ", ".join(feature.categories[:6]) + (", …" if len(feature.categories) > 6 else "")
        text = f"{count(len(feature.categories), 'level')}: {levels}"
    elif feature.range is None:
        text = NOTHING
    else:
        text = f"{number(feature.range[0])} to {number(feature.range[1])}"
    return feature.name, feature.kind.value, share, text
