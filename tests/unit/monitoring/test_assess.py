"""One window judged, hostile windows included."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from vigie.domain.frame import model_frame
from vigie.domain.measurement import Verdict
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.service import ServiceSample
from vigie.domain.task import Task
from vigie.domain.window import Window
from vigie.evaluation.intervals import measure
from vigie.evaluation.metrics import Scores
from vigie.monitoring.assess import Reference, WindowRows, assess, assess_service
from vigie.monitoring.blocks import SCALES
from vigie.monitoring.counts import count_window
from vigie.monitoring.performance import Outcomes, PerformanceRule, measure_performance
from vigie.monitoring.profile import ReferenceProfile, build_profile
from vigie.monitoring.technical import ServiceRule
from vigie.monitoring.thresholds import AlarmRule, Evidence, judge, spend

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
DRIFT = AlarmRule(false_alarm_budget=0.05, psi_margin=0.02, distance_margin=0.05, min_rows=100)
FEATURES = (
    Feature("amount", Kind.NUMBER, nullable=True),
    Feature("visits", Kind.INTEGER),
    Feature("member", Kind.BOOLEAN),
    Feature("city", Kind.CATEGORY, nullable=True),
)
TARGETS = {
    Task.REGRESSION: Target("t", Task.REGRESSION),
    Task.BINARY: Target("t", Task.BINARY, ("no", "yes")),
    Task.MULTICLASS: Target("t", Task.MULTICLASS, ("a", "b", "c")),
}
METRIC = {Task.REGRESSION: "rmse", Task.BINARY: "roc_auc", Task.MULTICLASS: "log_loss"}


def _schema(task=Task.BINARY):
    return Schema(FEATURES, TARGETS[task])


def _columns(rng, n, *, shift=0.0):
    return {
        "amount": rng.normal(50 + 20 * shift, 20, n),
        "visits": rng.poisson(2, n).astype(float),
        "member": (rng.random(n) < 0.3).astype(float),
        "city": np.array(["x", "y", "z"], dtype=object)[rng.integers(0, 3, n)],
    }


def _said(rng, n, task=Task.BINARY):
    return {
        Task.REGRESSION: rng.normal(size=n),
        Task.BINARY: rng.beta(2, 5, n),
        Task.MULTICLASS: rng.integers(0, 3, n).astype(float),
    }[task]


def _scores(rng, n, task=Task.BINARY, signal=2.0):
    if task is Task.REGRESSION:
        y = rng.normal(size=n)
        return Scores(y, y + rng.normal(0, 1 / signal, n))
    classes = len(TARGETS[task].classes)
    y = rng.integers(0, classes, n)
    raw = rng.normal(size=(n, classes)) + signal * (y[:, None] == np.arange(classes))
    proba = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    return Scores(y, proba.argmax(axis=1), proba)


def _reference(task=Task.BINARY, n=4000):
    rng = np.random.default_rng(0)
    profile = build_profile(_schema(task), model_frame(_schema(task), _columns(rng, n)), _said(rng, n, task))
    promised = {item.name: item for item in measure(_scores(rng, 1000, task), task)}
    return Reference("shop", "3", task, ReferenceProfile.from_bytes(profile.to_bytes()), promised)


@dataclass(frozen=True)
class _Traffic:
    """Rows before they are counted on a reference's grid."""

    frame: pd.DataFrame
    predicted: np.ndarray
    scores: Scores | None = None
    delays_s: np.ndarray = field(default_factory=lambda: np.empty(0))
    latency_us: np.ndarray | None = None

    def on(self, profile):
        """Return them as a window."""
        counts = count_window(profile, self.frame, self.predicted)
        return WindowRows(DAY, counts, self.scores, self.delays_s, self.latency_us)


def _window(seed, n, *, task=Task.BINARY, shift=0.0, signal=None):
    rng = np.random.default_rng(seed)
    scores = _scores(rng, n // 2, task, signal) if signal else None
    return _Traffic(
        frame=model_frame(_schema(task), _columns(rng, n, shift=shift)),
        predicted=_said(rng, n, task),
        scores=scores,
        delays_s=np.full(n // 2 if signal else 0, 3600.0),
        latency_us=rng.lognormal(7, 0.3, n),
    )


def _assess(rows, reference=None, task=Task.BINARY, look=1):
    rule = PerformanceRule((METRIC[task],), 0.02, 100, 0.05)
    reference = reference or _reference(task)
    report = assess(rows.on(reference.profile), reference, DRIFT, rule, look=look)
    json.dumps(report.to_dict(), allow_nan=False)
    return report


@pytest.mark.parametrize("task", list(Task))
def test_a_calm_window_is_ok(task):
    """Nothing changed, the model holds: ok, and it says so."""
    report = _assess(_window(1, 1000, task=task, signal=2.0), task=task)
    assert (report.verdict, report.drifted, report.prediction.verdict) == (Verdict.OK, (), Verdict.OK)
    assert report.headline[-1] == "Inputs look like the training data."


def test_a_shifted_feature_is_named_and_the_others_are_not():
    """Drift is told as changed inputs, never as a worse model."""
    report = _assess(_window(1, 1000, shift=1.0))
    assert (report.verdict, report.drifted) == (Verdict.ALARM, ("amount",))
    whole = "What changed carries 25 % of the features (their importance is not known)."
    assert report.headline == (
        "Performance is not known. Not enough outcomes yet: 0 known, 100 needed.",
        f"Inputs changed: amount. {whole}",
        "Not confirmed yet: amount. An alert or a retraining for it alone waits until the next window alarms too.",
    )


def test_a_server_that_answers_makes_no_window_ok():
    """Nothing of the model was judged, so nothing is said of it; a server that is not well is said at once."""
    few = _assess(_window(1, 99))
    sample = ServiceSample(requests=99, failures=0, started_at_s=1.0, uptime_s=9.0)
    answers = assess_service(few, sample, {}, ServiceRule())
    assert (answers.service.verdict, answers.verdict, answers.actionable) == (
        Verdict.OK, Verdict.UNKNOWN, Verdict.UNKNOWN,
    )  # fmt: skip
    silent = assess_service(few, ServiceSample(trouble="It is silent.", declared=True), {}, ServiceRule())
    assert (silent.verdict, silent.actionable) == (Verdict.ALARM, Verdict.ALARM)


def test_an_alarm_over_merged_windows_waits_for_as_many():
    """It is the block of the same length that confirms it, and the sentence says how long that is."""
    seen = Evidence("chi_square", 9.0, 3.0, 5.0, windows=4)
    report = _assess(_window(1, 1000))
    changed = replace(report.features[0], verdict=Verdict.ALARM, evidence=(replace(seen, value=1.0, windows=1), seen))
    told = replace(report, features=(changed, *report.features[1:])).headline[-1]
    assert told.endswith("waits until the 4 windows that follow alarm together too.")


def test_outcomes_in_a_window_without_predictions_are_told():
    """Traffic may stop while outcomes still come: no share of nothing is made up."""
    late = measure_performance(
        Outcomes(_scores(np.random.default_rng(1), 200), 0, np.full(200, 60.0), 0),
        Task.BINARY, {}, PerformanceRule((METRIC[Task.BINARY],), 0.02, 100, 0.05),
    )  # fmt: skip
    assert late.known == "200 outcomes, all of earlier predictions"


def test_a_worse_model_alarms_without_any_drift():
    """Only outcomes can tell that performance fell, and they do."""
    report = _assess(_window(1, 1000, signal=1.0))
    assert (report.verdict, report.performance.verdict, report.drifted) == (Verdict.ALARM, Verdict.ALARM, ())
    assert report.headline[0].startswith("Performance fell: roc_auc is 0.")


def test_changed_predictions_are_told():
    """Prediction drift has its own line, apart from the features."""
    rows = _window(1, 1000)
    report = _assess(replace(rows, predicted=np.clip(rows.predicted + 0.3, 0, 1)))
    assert report.prediction.verdict is Verdict.ALARM
    assert report.drifted == ()
    assert "Predictions changed." in report.headline


def test_small_windows_are_unknown_not_ok():
    """99 rows without outcomes say nothing at all."""
    report = _assess(_window(1, 99))
    assert report.verdict is Verdict.UNKNOWN
    assert report.headline[-1] == "Inputs: not known. Not enough data yet: 99 rows in this window, 100 needed."


def test_later_looks_ask_for_more():
    """The hundredth look spends less than the first: its thresholds are higher."""
    rows = _window(1, 1000)
    first, hundredth = _assess(rows), _assess(rows, look=100)
    assert hundredth.features[0].evidence[0].alarm_over > first.features[0].evidence[0].alarm_over


def test_features_and_prediction_share_the_budget():
    """Four features and the prediction: each is judged at a fifth of the look's budget."""
    rows, reference = _window(1, 1000), _reference()
    column = reference.profile.features[0]
    alone = judge(
        column, column.count(rows.frame["amount"].to_numpy()), DRIFT, alpha=spend(0.05, look=3, scales=SCALES) / 5
    )
    assert _assess(rows, reference, look=3).features[0].evidence == alone.evidence


def test_the_report_is_plain_json_with_the_window():
    """Every verdict is a word, the window is there, and what was stored is what is shown."""
    data = json.loads(json.dumps(_assess(_window(1, 1000, shift=1.0, signal=2.0)).to_dict(), allow_nan=False))
    assert data["window"] == {"start": "2026-01-01T00:00:00+00:00", "end": "2026-01-02T00:00:00+00:00"}
    assert (data["model"], data["version"], data["n"], data["look"]) == ("shop", "3", 1000, 1)
    assert [item["verdict"] for item in data["features"]] == ["alarm", "ok", "ok", "ok"]
    assert {item["name"] for item in data["features"][0]["statistics"]} == {
        "psi", "psi_corrected", "ks", "ks_p", "chi_square", "chi_square_p", "g", "jensen_shannon", "wasserstein",
        "mean", "mean_shift", "sd_ratio"}  # fmt: skip
    assert [item["unit"] for item in data["technical"]] == ["ms", "ms", "ms", "1/s"]


def test_the_mean_is_reported_beside_the_references():
    """A person sees where a feature went: its mean, the reference's, and the distance in standard deviations."""
    rows, reference = _window(1, 1000, shift=1.0), _reference()
    found = {item.name: item for item in _assess(rows, reference).features[0].statistics}
    column = reference.profile.features[0]
    assert found["mean"].value == pytest.approx(rows.frame["amount"].mean())
    assert found["mean"].reason == f"{column.mean:.6g} in the reference."
    assert found["mean_shift"].value == pytest.approx(
        (rows.frame["amount"].mean() - column.mean) / column.variance**0.5
    )


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_interval_of_the_index_holds_the_value_it_belongs_to(shift):
    """The corrected PSI estimates what the interval is of, calm or moved; the plain one is too large and has none."""
    for feature in _assess(_window(1, 300, shift=shift), _reference()).features:
        found = {item.name: item for item in feature.statistics}
        corrected = found["psi_corrected"]
        assert corrected.interval.low <= corrected.value <= corrected.interval.high
        assert found["psi"].interval is None


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("n", [0, 1, 2])
def test_the_smallest_windows_are_unknown(task, n):
    """No row, one row, two rows: a report without NaN for every task."""
    report = _assess(_window(1, n, task=task, signal=2.0), task=task)
    assert (report.verdict, report.n) == (Verdict.UNKNOWN, n)


HOSTILE = {
    "all missing": ("amount", np.full(500, np.nan)),
    "infinite": ("amount", np.full(500, np.inf)),
    "huge": ("amount", np.full(500, 1.7e308)),
    "constant": ("visits", np.zeros(500)),
    "unseen levels": ("city", np.array([f"new{k}" for k in range(500)], dtype=object)),
    "no level": ("city", np.full(500, np.nan, dtype=object)),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_broken_column_alarms_and_spares_the_others(case):
    """A column that turned into something else is the one that is named."""
    name, values = HOSTILE[case]
    rows = _window(1, 500)
    report = _assess(replace(rows, frame=rows.frame.assign(**{name: values})))
    assert report.drifted == (name,)


def test_a_reference_of_broken_columns_still_compares():
    """All-missing and constant reference columns: the same again is ok, values that appear alarm."""
    schema = Schema((Feature("void", Kind.NUMBER), Feature("same", Kind.CATEGORY)), TARGETS[Task.REGRESSION])
    frame = model_frame(schema, {"void": [None] * 400, "same": ["k"] * 400})
    reference = Reference("m", "1", Task.REGRESSION, build_profile(schema, frame, np.zeros(400)), {})
    rows = _Traffic(frame, np.zeros(400))
    assert _assess(rows, reference, Task.REGRESSION).verdict is Verdict.OK
    filled = replace(rows, frame=model_frame(schema, {"void": [1.0] * 400, "same": ["j"] * 400}))
    assert _assess(filled, reference, Task.REGRESSION).drifted == ("void", "same")


def test_an_empty_reference_is_unknown():
    """A profile of no row says nothing about any window."""
    schema = _schema()
    empty = build_profile(schema, model_frame(schema, {name: [] for name in schema.names}), np.empty(0))
    assert _assess(_window(1, 500), replace(_reference(), profile=empty)).verdict is Verdict.UNKNOWN


def test_windows_before_are_merged_and_confirm():
    """The same shift twice: the second report is confirmed, and tests single windows and the pair."""
    reference, rows = _reference(), _window(1, 1000, shift=1.0)
    before = count_window(reference.profile, rows.frame, rows.predicted)
    rule = PerformanceRule(("roc_auc",), 0.02, 100, 0.05)
    report = assess(_window(2, 1000, shift=1.0).on(reference.profile), reference, DRIFT, rule, look=2, past=[before])
    assert (report.drifted, report.confirmed) == (("amount",), ("amount",))
    assert {test.windows for test in report.features[0].evidence} == {1, 2}
    assert report.features[0].actionable is Verdict.ALARM


def test_a_first_alarm_may_only_be_noticed():
    """Until it is confirmed it is acted on as a notice."""
    report = _assess(_window(1, 1000, shift=1.0))
    assert (report.drifted, report.confirmed) == (("amount",), ())
    assert report.features[0].actionable is Verdict.WARN


def test_importances_weigh_the_whole():
    """A change of what hardly moves the answers is a notice for the data set, and still an alarm of its column."""
    reference = _reference()
    weighted = replace(reference, profile=replace(reference.profile, importance=(0.02, 0.3, 0.3, 0.38)))
    report = _assess(_window(1, 1000, shift=1.0), weighted)
    assert (report.drifted, report.dataset.verdict, report.dataset.changed.value) == (("amount",), Verdict.WARN, 0.02)
