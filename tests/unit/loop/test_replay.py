"""The alarm rule tried on the training table, and what training keeps of it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from vigie.errors import InsufficientDataError
from vigie.loop.importance import importance_of
from vigie.loop.replay import replay_table
from vigie.testing.tables import CHURN_FEATURES, churn_table


def test_independent_rows_replay_without_an_alarm(world):
    """Twelve windows of one half against the other, nine long enough to be judged: the budget is kept."""
    found = replay_table(world.loop, world.opened(), churn_table(6_000, seed=61), rows=250)
    assert (found.n_windows, found.n_reference, found.alarmed, found.in_time_order) == (12, 3_000, 0, False)
    assert found.sentence.startswith(
        "0 of 9 windows of 250 rows that could be judged (of 12) raised a drift alarm (0 confirmed), replayed at random"
    )


def test_a_world_that_changed_half_way_alarms_in_order_of_time(world):
    """The later half is not the earlier one: the replay says what production would have said."""
    halves = [churn_table(3_000, seed=62), churn_table(3_000, seed=63, drift=1.0)]
    table = pa.concat_tables(halves)
    days = np.datetime64("2026-01-01") + np.arange(len(table)).astype("timedelta64[s]")
    order = np.random.default_rng(0).permutation(len(table))
    table = table.append_column("seen_at", pa.array(days)).take(pa.array(order))
    world.change(data=replace(world.loop.rules.data, time="seen_at"))
    found = replay_table(world.loop, world.opened(), table, rows=250)
    assert found.in_time_order
    assert found.alarmed == 12
    assert found.confirmed >= 11
    assert "nb_reclamations" in found.columns


def test_windows_of_a_row_show_nothing(world):
    """None can be judged, and the sentence says how many rows a window would need."""
    found = replay_table(world.loop, world.opened(), churn_table(6_000, seed=61), rows=1)
    assert (found.judged, found.n_windows) == (0, 52)
    assert found.sentence.startswith("None of 52 windows of 1 row could be judged, replayed at random")
    assert found.sentence.endswith("Not enough data yet: 1 row in this window, 200 needed.")


def test_too_short_a_table_is_told(world):
    """Half of it must hold a window."""
    with pytest.raises(InsufficientDataError, match="replay"):
        replay_table(world.loop, world.opened(), churn_table(400, seed=64), rows=250)


def test_training_keeps_what_the_replay_said(churn_trained, world):
    """One line of the lineage, and so of the card."""
    manifest = world.opened().bundle.manifest
    assert "of 200 rows that could be judged (of 2) raised a drift alarm" in manifest.lineage["drift_replay"]
    assert "raised a drift alarm" in churn_trained.members["card.md"].decode()


def test_training_weighs_the_features(world):
    """Shares that add up to one, and the tenure weighs more than the number of products, as it was made."""
    importance = dict(zip(world.opened().schema.names, world.opened().profile.importance, strict=True))
    assert sum(importance.values()) == pytest.approx(1.0)
    assert importance["nb_reclamations"] > importance["nb_produits"]
    assert set(importance) == set(CHURN_FEATURES)


def test_a_model_that_looks_at_nothing_has_no_importances(churn_trained):
    """A dummy's answers never move."""
    dummy = next(entry.model for entry in churn_trained.leaderboard.entries if entry.name == "dummy")
    dataset = churn_trained.dataset
    assert importance_of(dummy, dataset.schema.target.task, dataset.frame, seed=0) is None


def test_a_time_column_lets_columns_wander(new_world):
    """With data.time the profile knows how much each column, and the prediction, does by itself."""
    world = new_world()
    table = churn_table(900, seed=65)
    days = np.datetime64("2026-01-01") + np.arange(900).astype("timedelta64[s]")
    world.change(data=replace(world.loop.rules.data, time="seen_at", split="time"))
    world.register(world.train(table.append_column("seen_at", pa.array(days))))
    profile = world.opened().profile
    assert len(profile.wander) == len(profile.columns)
    assert profile.wander[0].lengths == (100,)
