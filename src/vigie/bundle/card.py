"""The model card: what a person should know before trusting the model, in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from vigie.bundle.manifest import Manifest
from vigie.domain.schema import Feature, Schema
from vigie.reporting.wording import percent

MAX_CATEGORIES = 10
"""Levels named in a table cell; the schema has them all."""


IN_SAMPLE = "in_sample_"
"""Begins the name of a figure that was measured on the rows the model learnt from."""


def model_card(manifest: Manifest, schema: Schema) -> str:
    """Return the card of a bundle.

    Args:
        manifest: everything but its own entry for the card is read.
        schema: what goes in and what comes out.
    """
    return (
        "\n\n".join(
            [
                f"# {_text(manifest.name)}",
                _summary(manifest, schema),
                "## Measured on held-out rows\n\n" + _metrics(manifest),
                "## What goes in\n\n" + _features(schema),
                "## Limits\n\n" + _limits(manifest, schema),
                "## Where it comes from\n\n" + _lineage(manifest),
            ]
        )
        + "\n"
    )


def _summary(manifest: Manifest, schema: Schema) -> str:
    target = schema.target
    classes = f" among {', '.join(_text(label) for label in target.classes)}" if target.classes else ""
    positive = f"; the positive class is {_text(target.positive)}" if target.task == "binary" else ""
    date = f"{manifest.created_at:%Y-%m-%d %H:%M} UTC"
    made = (
        f"Fitted elsewhere, registered {date}" if manifest.lineage.get("fitted") == "elsewhere" else f"Trained {date}"
    )
    return f"Predicts `{_text(target.name)}` ({target.task}{classes}{positive}). {made}."


def _metrics(manifest: Manifest) -> str:
    own = [metric for metric in manifest.metrics if _is_in_sample(metric)]
    held_out = [metric for metric in manifest.metrics if not _is_in_sample(metric)]
    told = _table(held_out) if held_out else "Not judged on held-out rows: do not rely on this model before it is."
    if not own:
        return told
    return (
        f"{told}\n\n## Measured on the rows it learnt from\n\nThese figures tell how well the model remembers, not how "
        f"well it predicts.\n\n{_table(own)}"
    )


def _is_in_sample(metric: Mapping[str, Any]) -> bool:
    return str(metric.get("name", "")).startswith(IN_SAMPLE)


def _table(metrics: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| metric | value | interval | rows |", "|---|--:|---|--:|"]
    for metric in metrics:
        name = _text(metric.get("name", ""))
        subject = f" ({_text(metric['subject'])})" if metric.get("subject") else ""
        lines.append(f"| {name}{subject} | {_number(metric.get('value'))} | {_interval(metric)} | {metric.get('n')} |")
    return "\n".join(lines)


def _interval(metric: Mapping[str, Any]) -> str:
    interval = metric.get("interval")
    if not interval:
        return _text(metric.get("reason") or "-")
    return f"{_number(interval['low'])} to {_number(interval['high'])} ({percent(interval['level'])})"


def _features(schema: Schema) -> str:
    lines = ["| feature | kind | seen at training | may be missing |", "|---|---|---|---|"]
    lines += [
        f"| {_text(feature.name)} | {feature.kind} | {_seen(feature)} | {'yes' if feature.nullable else 'no'} |"
        for feature in schema.features
    ]
    return "\n".join(lines)


def _seen(feature: Feature) -> str:
    if feature.categories:
        more = len(feature.categories) - MAX_CATEGORIES
        shown = ", ".join(_text(level) for level in feature.categories[:MAX_CATEGORIES])
        return f"{shown} and {more} more" if more > 0 else shown
    return f"{_number(feature.range[0])} to {_number(feature.range[1])}" if feature.range else "-"


def _limits(manifest: Manifest, schema: Schema) -> str:
    held_out = any(not _is_in_sample(metric) for metric in manifest.metrics)
    lines = [
        "- The figures above hold for rows like the held-out ones. They say nothing about a world that has changed."
        if held_out
        else "- The reference profile holds the model's answers on the rows it learnt from, surer than its answers to "
        "others: a change of its predictions in the first windows may be no more than that.",
        "- A value outside the range or the categories seen at training is answered, with a warning: an extrapolation.",
        "- Errors per group of people were not examined here.",
    ]
    if schema.target.task.is_classification:
        lines.append("- Whether a probability of 0.8 comes true eight times in ten was not examined here.")
    return "\n".join(lines)


def _lineage(manifest: Manifest) -> str:
    facts: dict[str, Any] = {
        "training data (SHA-256)": manifest.data_digest,
        "git commit": manifest.git_commit or "none",
        **manifest.params,
        **manifest.lineage,
        **manifest.libraries,
    }
    return "\n".join(f"- {_text(name)}: {_text(value)}" for name, value in facts.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _text(value: object) -> str:
    """Return words from data so that Markdown takes them as words, on one line."""
    line = " ".join(str(value).split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in line)
