"""What every tracker keeps of a training."""
# ruff: noqa: S101 -- assert is how pytest works

from collections.abc import Callable

import pytest

from vigie.domain.model import RunRecord, UsedRows
from vigie.errors import RegistryError
from vigie.ports import Tracker

PARENT = RunRecord("train", {"seed": "42"}, {"roc_auc": 0.81}, {"git": "abc123"})
CHILDREN = (
    RunRecord("logistic", {"C": "1.0"}, {"roc_auc": 0.8, "log_loss": 0.45}, {"kind": "linear"}),
    RunRecord("forêt", {"n_estimators": "100"}, {"roc_auc": 0.81, "log_loss": 0.5}),
)


class TrackerSuite:
    """Subclass it and give ``tracker`` and ``kept``: a function from a run's id to the record kept under it.

    Give ``attached`` as well: a function from a run's id to its files, by name, and its note. A real store may add tags
    of its own: ``kept`` may return more tags than were given, not fewer.
    """

    @pytest.fixture
    def tracker(self) -> Tracker:
        """Return the tracker under test."""
        raise NotImplementedError("Give a fixture `tracker` in your subclass.")

    @pytest.fixture
    def kept(self) -> Callable[[str], RunRecord]:
        """Return a function that reads a run back by its id."""
        raise NotImplementedError("Give a fixture `kept` in your subclass.")

    @pytest.fixture
    def attached(self) -> Callable[[str], tuple[dict[str, bytes], str]]:
        """Return a function that reads files and note of a run back."""
        raise NotImplementedError("Give a fixture `attached` in your subclass.")

    def test_every_run_is_kept(self, tracker: Tracker, kept: Callable[[str], RunRecord]) -> None:
        """Params, metrics and tags of the parent and of each child can be read back under the ids given."""
        tracked = tracker.record("churn", PARENT, CHILDREN)
        assert set(tracked.child_ids) == {"logistic", "forêt"}
        for wanted, run_id in [(PARENT, tracked.parent_id), *((run, tracked.child_ids[run.name]) for run in CHILDREN)]:
            found = kept(run_id)
            assert found.name == wanted.name
            assert dict(found.params) == dict(wanted.params)
            assert dict(found.metrics) == dict(wanted.metrics)
            assert dict(wanted.tags).items() <= dict(found.tags).items()

    def test_recording_again_gives_new_runs(self, tracker: Tracker) -> None:
        """Two trainings of one experiment share no run."""
        first, second = (tracker.record("churn", PARENT, CHILDREN) for _ in range(2))
        ids = [tracked.parent_id for tracked in (first, second)]
        ids += [run_id for tracked in (first, second) for run_id in tracked.child_ids.values()]
        assert len(set(ids)) == 6

    def test_parent_may_stand_alone(self, tracker: Tracker) -> None:
        """A run without children is fine."""
        assert dict(tracker.record("churn", PARENT, []).child_ids) == {}

    def test_files_and_note_stand_with_their_run(
        self, tracker: Tracker, attached: Callable[[str], tuple[dict[str, bytes], str]]
    ) -> None:
        """Files come back to the byte, folders included, beside those attached before; an empty note changes none."""
        tracked = tracker.record("churn", PARENT, CHILDREN)
        tracker.attach(tracked.parent_id, {"card.md": b"# Card\n"}, note="# Card\n")
        tracker.attach(tracked.parent_id, {"charts/roc.png": bytes(range(256))})
        assert attached(tracked.parent_id) == (
            {"card.md": b"# Card\n", "charts/roc.png": bytes(range(256))},
            "# Card\n",
        )
        assert attached(tracked.child_ids["logistic"]) == ({}, "")

    def test_nothing_is_attached_to_no_run(self, tracker: Tracker) -> None:
        """A run that was never recorded is an error."""
        with pytest.raises(RegistryError):
            tracker.attach("nosuchrun", {"card.md": b""}, note="x")

    def test_series_and_rows_cost_nothing_else(self, tracker: Tracker, kept: Callable[[str], RunRecord]) -> None:
        """A run with values by fold and with the rows it used keeps its single metrics as they were given."""
        rows = tuple(
            UsedRows("churn", role, "ab" * 32, "data:load", n, {"tenure": "number", "churn": "category"})
            for role, n in (("training", 80), ("test", 20))
        )
        record = RunRecord(
            "logistic", metrics={"cv_f1_mean": 0.7}, series={"folds/f1": (0.6, 0.8)}, rows=rows, seconds=2.5
        )
        tracked = tracker.record("churn", PARENT, [record])
        found = dict(kept(tracked.child_ids["logistic"]).metrics)
        assert found["cv_f1_mean"] == 0.7
