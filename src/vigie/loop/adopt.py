"""Make a version of a model that was fitted elsewhere: with schema, profile, golden rows, card; never refitted.

The table it comes with is the one that it learnt from, so every figure measured on it says how well the model
remembers, and is named so. Only rows that it never saw tell what it is worth.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from vigie.bundle.adapted import adapt
from vigie.bundle.archive import BundleContent, pack, unpack
from vigie.bundle.card import IN_SAMPLE
from vigie.bundle.members import signed
from vigie.domain.event import Event, EventKind
from vigie.domain.measurement import Measurement
from vigie.domain.model import CHAMPION, ModelVersion, RunRecord
from vigie.domain.schema import Schema
from vigie.errors import DataError, listed
from vigie.evaluation.intervals import measure
from vigie.evaluation.metrics import Scores, row_losses
from vigie.evaluation.value import value_per_thousand
from vigie.loop.compile import with_scorer
from vigie.loop.context import Loop
from vigie.loop.given import Given, check_same, frame_answers, last_step, own_answers, read_given, unwrapped
from vigie.loop.golden import golden_rows
from vigie.loop.importance import importance_of
from vigie.loop.judged import read_judged
from vigie.loop.open_bundle import open_bundle
from vigie.loop.origin import Origin
from vigie.loop.quantity import predicted_quantity
from vigie.loop.records import keep_card, origin_tags, with_interval
from vigie.loop.register import LOSS_NAMES, enter
from vigie.monitoring.estimation import fit_basis
from vigie.monitoring.profile import build_profile
from vigie.promotion.gate import GateDecision, decide
from vigie.training.dataset import Dataset
from vigie.training.digest import table_digest
from vigie.training.leakage import leakage_warnings
from vigie.training.scoring import joined, scores_of
from vigie.training.split import Split

NOT_JUDGED = "Not judged on held-out rows: nobody gave rows that the model had not learnt from."


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of a model that was brought.

    Attributes:
        name: the estimator's class.
        version: as registered; None when it did not beat the dummy on the test rows and was refused.
        champion: the version that serves now, None when there is none.
        decision: the model against the dummy; None without test rows.
        dataset: the table, read under the model's schema.
        metrics: held-out ones under their own names, those on its own training rows as ``in_sample_…``.
        scorer: ``compiled`` or ``sklearn``.
        notes: what a person should know.
    """

    name: str
    version: ModelVersion | None
    champion: str | None
    decision: GateDecision | None
    dataset: Dataset
    metrics: tuple[Measurement, ...]
    scorer: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Judged:
    """The model on the rows it learnt from and, where there are some, on rows it did not."""

    own: Scores
    test: Scores | None
    test_frame: pd.DataFrame | None


def adopt(loop: Loop, given: Given, *, declared: Schema | None, origin: Origin, owner: str) -> Adopted:
    """Register a fitted model; it becomes champion if there is none and never takes the place of one.

    Args:
        loop: ports and rules.
        given: the model and its tables.
        declared: the schema that a person wrote, None to infer it.
        origin: where the model and its table come from.
        owner: who does this, for the lease.

    Raises:
        DataError: the model is not fitted, answers another question, or does not fit the table.
        BundleError: it cannot be written without pickle, or a bundle would answer otherwise than it does.
        UntrustedContentError: it holds types that no server of this project would open.
        RegistryError: the tracker or the registry failed.
    """
    given = replace(given, estimator=unwrapped(given.estimator))
    dataset = read_given(given, loop.rules.data, declared)
    model = adapt(given.estimator, dataset.schema)
    expected = own_answers(given, dataset.schema)
    columns = {name: dataset.frame[name].tolist() for name in dataset.schema.names}
    check_same(expected, frame_answers(model, dataset))
    judged = _judge(given, dataset, model)
    content = with_scorer(_content(loop, given, dataset, judged, model, origin), columns)
    members = pack(content)
    trust = loop.rules.trust.before_signing()
    unpack(members, trust=trust)  # what no server could open must not become a version
    opened = open_bundle(members, version="new", trust=trust)
    check_same(expected, opened.scorer.score(columns))
    decision = _against_dummy(loop, dataset, judged)
    notes = _notes(loop, given, dataset, judged)
    found = Adopted(
        name=type(last_step(given.estimator)).__name__,
        version=None,
        champion=loop.registry.alias(loop.model, CHAMPION),
        decision=decision,
        dataset=dataset,
        metrics=tuple(content.metrics),
        scorer=opened.scorer_kind,
        notes=notes,
    )
    if decision is not None and not decision.promote:
        loop.ledger.append(_refusal(loop, found, decision))
        return found
    return _registered(loop, found, content, origin, owner=owner)


def _registered(loop: Loop, found: Adopted, content: BundleContent, origin: Origin, *, owner: str) -> Adopted:
    runs = loop.tracker.record(loop.model, _run(loop, found, content, origin), ())
    members = signed(pack(replace(content, lineage={**content.lineage, "run_id": runs.parent_id})), loop.signer)
    keep_card(loop, runs.parent_id, members)
    tags = {"vigie.data_digest": content.data_digest, "vigie.candidate": found.name}
    version = loop.registry.publish(loop.model, members, run_id=runs.parent_id, tags=tags)
    verdict = found.decision.reasons if found.decision else (NOT_JUDGED,)
    same = f"The bundle answers the {len(found.dataset):,} rows of the table as the model does."
    evidence = found.decision.to_dict() if found.decision else {}
    event = Event(
        kind=EventKind.REGISTERED,
        at=loop.clock.now(),
        model=loop.model,
        version=version.version,
        summary=f"Registered version {version.version}: {found.name}, fitted elsewhere.",
        reasons=(*verdict, same, *found.notes),
        evidence={**evidence, "run_id": runs.parent_id, "data_digest": content.data_digest, "source": origin.source},
    )
    champion, held = enter(loop, event, verdict, owner=owner)
    notes = (*found.notes, held) if held else found.notes
    return replace(found, version=version, champion=champion, notes=notes)


def _judge(given: Given, dataset: Dataset, model: Pipeline) -> _Judged:
    task = dataset.schema.target.task
    own = scores_of(model, task, dataset.frame, dataset.y)
    if given.test is None:
        return _Judged(own, None, None)
    if table_digest(given.test) == table_digest(given.table):
        raise DataError(
            "The test table is the training table.", remedy="Give rows that the model has not learnt from, or none."
        )
    frame, y = read_judged(given.test, dataset.schema)
    if not len(y):
        raise DataError("The test table has no row with an outcome.", remedy="Give rows whose outcome is known.")
    return _Judged(own, scores_of(model, task, frame, y), frame)


def _content(
    loop: Loop, given: Given, dataset: Dataset, judged: _Judged, model: Pipeline, origin: Origin
) -> BundleContent:
    n_test = 0 if judged.test is None else len(judged.test)
    how = f"{len(dataset):,} rows that the model was fitted on elsewhere, {n_test:,} others to judge it."
    columns = {name: dataset.frame[name].tolist() for name in dataset.schema.names}
    return BundleContent(
        name=loop.model,
        created_at=loop.clock.now(),
        schema=dataset.schema,
        model=model,
        profile=_profile(loop, dataset, judged, model),
        golden=golden_rows(model, dataset.schema, columns),
        metrics=_metrics(loop, dataset, judged),
        data_digest=table_digest(given.table),
        git_commit=origin.commit,
        params=_params(given.estimator),
        lineage={
            "candidate": type(last_step(given.estimator)).__name__,
            "fitted": "elsewhere",
            "split": how,
            "source": origin.source,
            "cause": origin.cause,
            "n_train": len(dataset),
            "n_test": n_test,
        },
        estimation=_estimation(loop, dataset, judged),
    )


def _metrics(loop: Loop, dataset: Dataset, judged: _Judged) -> tuple[Measurement, ...]:
    """Return held-out figures first, then those on the training rows, without intervals."""
    task, value = dataset.schema.target.task, loop.rules.value
    own = tuple(
        replace(item, name=IN_SAMPLE + item.name, interval=None, reason="on its own training rows")
        for item in measure(judged.own, task)
    )
    if judged.test is None:
        return own
    worth = () if value is None else (value_per_thousand(judged.test, value),)
    return (*measure(judged.test, task), *worth, *own)


def _profile(loop: Loop, dataset: Dataset, judged: _Judged, model: Pipeline) -> bytes:
    """Summarise the rows that the model has not learnt from where there are some, else those it has.

    In order of time where that is known, else shuffled.
    """
    frame, scores, times, seed = dataset.frame, judged.own, dataset.times, loop.rules.data.seed
    if judged.test is not None and judged.test_frame is not None:
        frame, scores, times = judged.test_frame, judged.test, None
    shuffled = np.random.default_rng(seed).permutation(len(scores))
    order = shuffled if times is None else np.argsort(times, kind="stable")
    task = dataset.schema.target.task
    predicted = predicted_quantity(scores, task)[order]
    profile = build_profile(dataset.schema, frame.iloc[order], predicted, in_time_order=times is not None)
    return replace(profile, importance=importance_of(model, task, frame, seed=seed)).to_bytes()


def _estimation(loop: Loop, dataset: Dataset, judged: _Judged) -> bytes | None:
    """Return what estimates need, shuffled; None where the model has learnt from every row there is."""
    if judged.test is None or judged.test_frame is None:
        return None
    order = np.random.default_rng(loop.rules.data.seed).permutation(len(judged.test))
    return fit_basis(dataset.schema, judged.test_frame.iloc[order], judged.test.take(order))


def _params(estimator: Any) -> dict[str, str]:
    """Return the settings of the last step that are plain values."""
    last = last_step(estimator)
    plain = {name: value for name, value in last.get_params(deep=False).items() if isinstance(value, (str, int, float))}
    return {"estimator": type(last).__name__, **{name: str(value) for name, value in plain.items()}}


def _dummy(y: np.ndarray, n_rows: int, n_classes: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return what a model that looks at no feature answers, having learnt from ``y``."""
    if not n_classes:
        return np.full(n_rows, y.mean()), None
    shares = np.bincount(y, minlength=n_classes) / len(y)
    return np.full(n_rows, int(shares.argmax())), np.tile(shares, (n_rows, 1))


def _dummy_scores(dataset: Dataset, y: np.ndarray) -> Scores:
    predicted, proba = _dummy(dataset.y, len(y), len(dataset.schema.target.classes))
    return Scores(y, predicted, proba)


def _against_dummy(loop: Loop, dataset: Dataset, judged: _Judged) -> GateDecision | None:
    if judged.test is None:
        return None
    task = dataset.schema.target.task
    return decide(
        row_losses(_dummy_scores(dataset, judged.test.y), task),
        row_losses(judged.test, task),
        loop.rules.gate.with_min_rows(2),
        loss=LOSS_NAMES[task],
        rng=np.random.default_rng(loop.rules.data.seed),
        incumbent_name="the dummy",
    )


def _notes(loop: Loop, given: Given, dataset: Dataset, judged: _Judged) -> tuple[str, ...]:
    names, notes = dataset.schema.names, list(dataset.warnings)
    if getattr(given.estimator, "feature_names_in_", None) is None:
        notes.append(
            f"The model was fitted without column names: they are taken to be {', '.join(names)}, in this order."
        )
    roles = {loop.rules.data.target, loop.rules.data.entity, loop.rules.data.time, *loop.rules.data.exclude}
    unused = [name for name in given.table.column_names if name not in names and name not in roles]
    if unused:
        notes.append(f"The model does not take {listed(unused)}: left out of the schema.")
    task = dataset.schema.target.task
    if row_losses(judged.own, task).mean() >= row_losses(_dummy_scores(dataset, dataset.y), task).mean():
        notes.append(
            "On its own training rows the model does no better than one that looks at no feature: are these the rows "
            "and the columns that it was fitted on?"
        )
    notes.extend(_leaks(dataset, judged))
    return tuple(notes)


def _leaks(dataset: Dataset, judged: _Judged) -> tuple[str, ...]:
    if judged.test is None or judged.test_frame is None:
        return ()
    both = replace(
        dataset,
        frame=pd.concat([dataset.frame, judged.test_frame], ignore_index=True),
        y=joined([judged.own, judged.test]).y,
        times=None,
        entities=None,
    )
    n, rows = len(dataset), np.arange(len(both))
    return leakage_warnings(both, Split(rows[:n], rows[n:], "", by_time=False))


def _run(loop: Loop, found: Adopted, content: BundleContent, origin: Origin) -> RunRecord:
    schema = found.dataset.schema
    prefixed = {item.name if item.name.startswith(IN_SAMPLE) else f"test_{item.name}": item for item in content.metrics}
    return RunRecord(
        name=f"{loop.model}: {found.name}, fitted elsewhere",
        params={
            "task": schema.target.task.value,
            "target": schema.target.name,
            "n_rows": str(len(found.dataset)),
            "n_features": str(len(schema.features)),
            **content.params,
        },
        metrics={
            metric: value
            for name, item in prefixed.items()
            for metric, value in with_interval(name, item).items()
            if value is not None
        },
        tags={**origin_tags(content.data_digest, origin), "vigie.kind": "fitted elsewhere"},
    )


def _refusal(loop: Loop, found: Adopted, decision: GateDecision) -> Event:
    return Event(
        kind=EventKind.REFUSED,
        at=loop.clock.now(),
        model=loop.model,
        summary=f"Refused {found.name}, fitted elsewhere: it does not beat the dummy.",
        reasons=(*decision.reasons, *found.notes),
        evidence=decision.to_dict(),
    )
