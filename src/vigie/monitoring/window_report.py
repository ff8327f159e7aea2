"""What is found of one window: every verdict with its evidence, and the sentences that a person reads first."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vigie.domain.measurement import Measurement, Verdict
from vigie.domain.window import Window
from vigie.monitoring.baseline import Baseline
from vigie.monitoring.estimation import NOT_ESTIMATED, EstimateReport
from vigie.monitoring.performance import PerformanceReport
from vigie.monitoring.technical import UNASKED, ServiceReport
from vigie.monitoring.thresholds import Evidence
from vigie.monitoring.weak_spots import NO_SEGMENTS, SegmentReport
from vigie.monitoring.weighing import DatasetReport


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """One column: has it changed, by how much, and is it whole.

    An alarm is ``confirmed`` when it is as many in a row as the rule asks for: only then is it mailed and retrained on.
    ``is_calendar`` says that the column was declared to tell the time, or wanders by itself as if it did.
    """

    name: str
    kind: str
    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...]
    statistics: tuple[Measurement, ...]
    quality: tuple[Measurement, ...]
    confirmed: bool = False
    is_calendar: bool = False

    @property
    def actionable(self) -> Verdict:
        """The verdict as far as it may be acted on: an alarm that nothing confirmed yet is a notice."""
        return Verdict.WARN if self.verdict is Verdict.ALARM and not self.confirmed else self.verdict

    @property
    def alarm_windows(self) -> int:
        """Over how many windows added up it alarms, the fewest; 1 where no test does."""
        return min((test.windows for test in self.evidence if test.verdict is Verdict.ALARM), default=1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "name": self.name,
            "kind": self.kind,
            "verdict": self.verdict.value,
            "confirmed": self.confirmed,
            "calendar": self.is_calendar,
            "reason": self.reason,
            "evidence": [test.to_dict() for test in self.evidence],
            "statistics": [measurement.to_dict() for measurement in self.statistics],
            "quality": [measurement.to_dict() for measurement in self.quality],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """One window of one model version, judged.

    Attributes:
        model: registered name.
        version: the version judged.
        window: when.
        n: predictions in it.
        look: which look of the false-alarm budget this one spent.
        features: one report per feature, in the schema's order.
        prediction: the same for what the model said.
        performance: what is known of the outcomes.
        technical: latency and throughput; errors, processor, memory and the log's queue where a server was asked.
        dataset: the features together, weighted by what they mean to the model.
        baseline: what inputs and predictions were compared with.
        estimate: performance as it is expected to be, before outcomes come.
        segments: performance by segment.
        service: what that says of the service.
    """

    model: str
    version: str
    window: Window
    n: int
    look: int
    features: tuple[FeatureReport, ...]
    prediction: FeatureReport
    performance: PerformanceReport
    technical: tuple[Measurement, ...]
    dataset: DatasetReport
    baseline: Baseline
    estimate: EstimateReport = NOT_ESTIMATED
    segments: SegmentReport = NO_SEGMENTS
    service: ServiceReport = UNASKED

    @property
    def when(self) -> str:
        """Which window was judged, in words; a live one without length is none that was ever begun."""
        if self.window.end > self.window.start:
            return f"window {self.window.told}"
        return "a table without times" if self.n else "no window yet"

    @property
    def nothing(self) -> str:
        """Why there is no prediction to judge and what to do; empty where there is one."""
        if self.n:
            return ""
        if self.window.end > self.window.start:
            return (
                f"No prediction of version {self.version} was logged in this window. Ask a server that `vigie serve` "
                "started, or look further back: `vigie monitor --last 7d`."
            )
        return (
            f"The ledger does not say since when version {self.version} is the champion, so no window is open. "
            "`vigie watch` opens one; `vigie monitor --last 7d` judges what was logged before."
        )

    @property
    def verdict(self) -> Verdict:
        """The gravest of what is known; ``unknown`` when nothing is. What is not known keeps saying so in its part.

        A server that answers, or a calm estimate, is no reason to call a window ``ok`` of which nothing was judged.
        """
        parts = [*(report.verdict for report in self.features), self.prediction.verdict, self.performance.verdict]
        return _together(parts, beside=[self.estimate.verdict, self.service.verdict])

    @property
    def actionable(self) -> Verdict:
        """The same as far as it may be acted on: drift that nothing confirmed yet is a notice."""
        parts = [*(report.actionable for report in self.features), self.prediction.actionable, self.performance.verdict]
        return _together(parts, beside=[self.service.verdict])

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the features whose distribution changed beyond the margin."""
        return self._with(Verdict.ALARM)

    @property
    def confirmed(self) -> tuple[str, ...]:
        """Names of the features whose change is confirmed: a person is told, and a retraining may be asked for."""
        return tuple(report.name for report in self.features if report.confirmed)

    @property
    def _as_it_seems(self) -> str:
        return "may have fallen, too few outcomes to tell" if self.performance.is_doubtful else "holds"

    @property
    def noticed(self) -> tuple[str, ...]:
        """Names of the features that seem to change."""
        return self._with(Verdict.WARN)

    @property
    def headline(self) -> tuple[str, ...]:
        """What a person should read first, one sentence each, the strongest evidence first.

        Drift is told as changed inputs; only outcomes can tell that a model got worse.
        """
        predictions = {
            Verdict.ALARM: "Predictions changed.",
            Verdict.WARN: "Predictions seem to change.",
        }.get(self.prediction.verdict)
        noticed = f"Inputs seem to change: {', '.join(self.noticed)}." if self.noticed else None
        inputs = (self._changed(self.drifted), noticed, *self._about_inputs())
        return self._sentences(predictions, *inputs, self.baseline.sentence, self._unconfirmed())

    @property
    def told(self) -> tuple[str, ...]:
        """The headline as a message says it: of what changes, only what is confirmed. The rest is the report's."""
        predictions = "Predictions changed." if self.prediction.confirmed else None
        changed = self._changed(self.confirmed)
        baseline = self.baseline.sentence if predictions or changed else None
        return self._sentences(predictions, changed, *self._about_inputs(), baseline)

    def _sentences(self, *drift: str | None) -> tuple[str, ...]:
        """Return the sentences on service and performance, then those on what changed."""
        performance = {
            Verdict.ALARM: f"Performance fell: {self.performance.reason}",
            Verdict.OK: f"Performance {self._as_it_seems}: {self.performance.reason}",
        }.get(self.performance.verdict, f"Performance is not known. {self.performance.reason}")
        estimated = {
            Verdict.WARN: f"Performance is estimated to be worse: {self.estimate.reason}",
        }.get(self.estimate.verdict, self.estimate.failed)
        service = f"The service is not well: {self.service.reason}" if self.service.verdict is Verdict.ALARM else None
        return tuple(sentence for sentence in (service, self.nothing, performance, estimated, *drift) if sentence)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; never NaN."""
        return {
            "model": self.model,
            "version": self.version,
            "window": self.window.to_dict(),
            "n": self.n,
            "look": self.look,
            "verdict": self.verdict.value,
            "headline": list(self.headline),
            "drifted": list(self.drifted),
            "confirmed": list(self.confirmed),
            "noticed": list(self.noticed),
            "dataset": self.dataset.to_dict(),
            "baseline": self.baseline.to_dict(),
            "features": [report.to_dict() for report in self.features],
            "prediction": self.prediction.to_dict(),
            "performance": self.performance.to_dict(),
            "technical": [measurement.to_dict() for measurement in self.technical],
            "estimate": self.estimate.to_dict(),
            "segments": self.segments.to_dict(),
            "service": self.service.to_dict(),
        }

    def _with(self, verdict: Verdict) -> tuple[str, ...]:
        return tuple(report.name for report in self.features if report.verdict is verdict)

    def _changed(self, names: tuple[str, ...]) -> str | None:
        """Name features that changed; what they carry is known of all that did, together."""
        if not names:
            return None
        carried = f" {self.dataset.reason}" if names == self.drifted else ""
        return f"Inputs changed: {', '.join(names)}.{carried}"

    def _about_inputs(self) -> tuple[str, ...]:
        """Say what is not known of the inputs, or, where nothing seems to change, that all is as it was."""
        unknown = [report for report in self.features if report.verdict is Verdict.UNKNOWN]
        if unknown:
            which = "Inputs" if len(unknown) == len(self.features) else ", ".join(report.name for report in unknown)
            return (f"{which}: not known. {unknown[0].reason}",)
        compared = "the training data" if self.baseline.kind == "training" else f"those of {self.baseline.name}"
        return () if self.drifted or self.noticed else (f"Inputs look like {compared}.",)

    def _unconfirmed(self) -> str | None:
        """Say which alarms nobody is told of yet, and what they wait for."""
        waiting = [
            report
            for report in (*self.features, self.prediction)
            if report.verdict is Verdict.ALARM and not report.confirmed
        ]
        if not waiting:
            return None
        names = ", ".join(report.name for report in waiting)
        longest = max(report.alarm_windows for report in waiting)
        following = "the next window alarms" if longest == 1 else f"the {longest} windows that follow alarm together"
        return f"Not confirmed yet: {names}. An alert or a retraining for it alone waits until {following} too."


def _together(judged: Iterable[Verdict], *, beside: Iterable[Verdict]) -> Verdict:
    """Return the gravest of what was judged; what stands beside counts only where it is not well."""
    known = [verdict for verdict in judged if verdict is not Verdict.UNKNOWN]
    return Verdict.worst([*known, *(verdict for verdict in beside if verdict in {Verdict.WARN, Verdict.ALARM})])
