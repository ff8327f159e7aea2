"""The parity gate: a compiled scorer goes into the bundle if it answers as the fitted model does, row by row."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sklearn.pipeline import Pipeline

from vigie.bundle.archive import BundleContent
from vigie.bundle.compiler.edges import edges
from vigie.bundle.compiler.export import export
from vigie.bundle.compiler.expression import NotCompiled
from vigie.bundle.compiler.reference import raw_scores, single_job
from vigie.bundle.golden import MAX_ROWS, UNSEEN, GoldenRows, choose_rows
from vigie.bundle.trust import native_package
from vigie.domain.frame import model_frame
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Kind, Schema, Value
from vigie.errors import VigieError
from vigie.inference.compiled.layout import Trees
from vigie.inference.compiled.parity import agree
from vigie.inference.compiled.scorer import CompiledScorer
from vigie.inference.sklearn_scorer import SklearnScorer

Row = tuple[Value, ...]
Columns = Mapping[str, Sequence[Value]]

MAX_REFERENCE_ROWS = 150
"""Real rows that the gate asks both scorers about."""

MAX_EDGE_ROWS = 120
"""Rows on a split, or one step beside it."""

MAX_GOLDEN_EDGES = 24
"""How many of those the bundle remembers."""

MAX_EXTREME_FEATURES = 20
"""Features that are asked about with numbers no table holds."""

EXTREMES = (0.0, -0.0, 5e-324, 2.0**53 + 2.0, 1e30, -1e30, 3.4e38, -3.5e38, 1e300, -1e300)


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """A compiled scorer that passed the gate: its bytes, and golden rows with what the model says of them."""

    content: bytes
    golden: GoldenRows


def with_scorer(content: BundleContent, columns: Columns) -> BundleContent:
    """Return the content with a compiled scorer, or with the reason why there is none, in its lineage.

    Args:
        content: what is about to be packed.
        columns: training rows, one sequence per feature, at least one row; NaN and None are missing.
    """
    made = compile_model(content.model, content.schema, columns)
    if isinstance(made, NotCompiled):
        reason = f"The model stays with scikit-learn: {made.reason}."
        return replace(content, lineage={**content.lineage, "scorer": "sklearn", "scorer_reason": reason})
    lineage = {**content.lineage, "scorer": "compiled"}
    package = native_package(content.model)
    if package is not None:
        lineage["pipeline"] = f"left out: a model of {package} is never opened by {package}; retraining fits a new one"
    return replace(content, scorer=made.content, golden=made.golden, lineage=lineage)


def unservable(model: Pipeline, schema: Schema, columns: Columns) -> str | None:
    """Return why no bundle could hold this model, None when one can.

    A model of LightGBM, XGBoost or CatBoost is served by its compiled form or not at all, see ``bundle.trust``.

    Args:
        model: a fitted pipeline.
        schema: what it takes.
        columns: training rows, as for ``compile_model``.
    """
    package = native_package(model)
    if package is None:
        return None
    made = compile_model(model, schema, columns)
    if not isinstance(made, NotCompiled):
        return None
    return f"it cannot be served, because a model of {package} travels in compiled form only: {made.reason}."


def compile_model(model: Pipeline, schema: Schema, columns: Columns) -> CompiledModel | NotCompiled:
    """Return the model's compiled twin if every reference row is answered, or refused, as the model does.

    The rows are real ones, missing where that is allowed, with unseen categories, on splits and beside them, and with
    numbers that no table holds; the model is asked with one job.

    Args:
        model: the fitted pipeline, as it will be packed.
        schema: what it takes.
        columns: real rows to choose from.
    """
    content = export(model, schema)
    if isinstance(content, NotCompiled):
        return content
    try:
        scorer = CompiledScorer(content, schema)
    except VigieError as exc:
        return NotCompiled(f"its compiled form is refused ({exc.args[0].rstrip('.')})")
    chosen = choose_rows(schema, columns)
    borders = list(_edge_rows(scorer, schema, chosen))
    rows = [*_real_rows(schema, columns), *_hostile_rows(schema, chosen), *borders]
    reference = single_job(model)
    answers = _ask(SklearnScorer(reference, schema), schema, rows)
    trouble = _compare(scorer, schema, rows, answers) or _compare_raw(scorer, reference, schema, rows, answers)
    if trouble:
        return NotCompiled(f"its compiled form {trouble}")
    return CompiledModel(content, _golden(schema, chosen, borders, SklearnScorer(reference, schema)))


def _ask(scorer: SklearnScorer, schema: Schema, rows: Sequence[Row]) -> list[Prediction | None]:
    """Return the answer to each row, None for a refusal.

    Rows are asked together, and halved until the refused ones stand alone: a call costs milliseconds, a row
    microseconds. Trees do not notice; in weighted sums and links the order of a batch stays within the bounds.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unseen categories are what we ask about
        return _halved(scorer, schema, rows)


def _halved(scorer: SklearnScorer, schema: Schema, rows: Sequence[Row]) -> list[Prediction | None]:
    if not rows:
        return []
    try:
        return list(scorer.score(_columns(schema, rows)))
    except (VigieError, ValueError):
        if len(rows) == 1:
            return [None]
    half = len(rows) // 2
    return _halved(scorer, schema, rows[:half]) + _halved(scorer, schema, rows[half:])


def _compare(scorer: CompiledScorer, schema: Schema, rows: Sequence[Row], answers: Sequence[Prediction | None]) -> str:
    """Return what the compiled scorer does otherwise, empty when nothing."""
    for row, expected in zip(rows, answers, strict=True):
        try:
            found = scorer.score({name: [value] for name, value in zip(schema.names, row, strict=True)})[0]
        except VigieError:
            if expected is not None:
                return "refuses a row that the fitted model answers"
            continue
        if expected is None:
            return "answers a row that the fitted model refuses"
        if not agree(expected, found, ulps=scorer.ulps, noise=scorer.noise(row)):
            return "answers a row otherwise than the fitted model"
    return ""


def _compare_raw(
    scorer: CompiledScorer, model: Pipeline, schema: Schema, rows: Sequence[Row], answers: Sequence[Prediction | None]
) -> str:
    answered = [row for row, answer in zip(rows, answers, strict=True) if answer is not None]
    if not isinstance(scorer.spec, Trees) or not answered:
        return ""
    frame = model_frame(schema, _columns(schema, answered))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = raw_scores(model, frame)
    if expected is None or [list(scorer.raw(row)) for row in answered] == expected.tolist():
        return ""
    return "gives raw scores that are not the fitted model's to the last bit"


def _real_rows(schema: Schema, columns: Columns) -> list[Row]:
    n_rows = len(columns[schema.names[0]])
    step = max(1, n_rows // MAX_REFERENCE_ROWS)
    kept = {name: [_plain(columns[name][i]) for i in range(0, n_rows, step)] for name in schema.names}
    return _rows(schema, kept)[:MAX_REFERENCE_ROWS]


def _hostile_rows(schema: Schema, chosen: Columns) -> Iterator[Row]:
    first = _rows(schema, chosen)[0]
    nullable = {i: None for i, feature in enumerate(schema.features) if feature.nullable}
    strange = {i: UNSEEN for i, feature in enumerate(schema.features) if feature.kind is Kind.CATEGORY}
    for changed in (nullable, strange, {**strange, **nullable}):
        yield _changed(first, changed)
        for place, value in changed.items():
            yield _changed(first, {place: value})
    plain = (Kind.NUMBER, Kind.INTEGER)
    numeric = [place for place, feature in enumerate(schema.features) if feature.kind in plain]
    for place in numeric[:MAX_EXTREME_FEATURES]:
        for extreme in EXTREMES:
            yield _changed(first, {place: extreme})


def _edge_rows(scorer: CompiledScorer, schema: Schema, chosen: Columns) -> Iterator[Row]:
    spec = scorer.spec
    if not isinstance(spec, Trees):
        return
    rows = _rows(schema, chosen)
    numeric = [
        (column, threshold)
        for column, threshold, cat in zip(spec.feat, spec.thr, spec.cat, strict=True)
        if cat < 0 and threshold is not None
    ]
    for n, (place, value) in enumerate(edges(spec.cols, numeric, most=MAX_EDGE_ROWS)):
        if schema.features[place].kind is not Kind.BOOLEAN:
            yield _changed(rows[n % len(rows)], {place: value})


def _golden(schema: Schema, chosen: Columns, borders: Sequence[Row], scorer: SklearnScorer) -> GoldenRows:
    """Return at most 64 rows: edges, real ones, and the made-up ones that ``choose_rows`` puts last."""
    kept = [row for row, answer in zip(borders, _ask(scorer, schema, borders), strict=True) if answer is not None]
    step = max(1, len(kept) // MAX_GOLDEN_EDGES)
    marked = kept[::step][:MAX_GOLDEN_EDGES]
    plain = _rows(schema, chosen)[-(MAX_ROWS - len(marked)) :]
    rows = [*marked, *plain]
    answers = _ask(scorer, schema, rows)
    pairs = [(row, answer) for row, answer in zip(rows, answers, strict=True) if answer is not None]
    return GoldenRows(_columns(schema, [row for row, _ in pairs]), tuple(answer for _, answer in pairs))


def _rows(schema: Schema, columns: Columns) -> list[Row]:
    return list(zip(*(columns[name] for name in schema.names), strict=True))


def _columns(schema: Schema, rows: Sequence[Row]) -> dict[str, tuple[Value, ...]]:
    return {name: tuple(row[place] for row in rows) for place, name in enumerate(schema.names)}


def _changed(row: Row, changed: Mapping[int, Value]) -> Row:
    return tuple(changed.get(place, value) for place, value in enumerate(row))


def _plain(value: Value) -> Value:
    return None if value != value else value  # noqa: PLR0124 - NaN is the only value unlike itself
