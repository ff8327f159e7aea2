"""Columns that monitoring's settings name wrongly."""

import logging
from dataclasses import replace

import pytest

from vigie.domain.model import CHAMPION
from vigie.loop.misnamed import misnamed
from vigie.settings import load_settings
from vigie.testing.tables import churn_table
from vigie.wiring.watch import one_turn


def test_a_name_that_is_no_feature_is_told_with_its_key(world):
    """A typo gets the nearest name; the target is no feature; right names are not mentioned."""
    schema = world.opened().schema
    typo, target = misnamed(schema, calendar=("nb_produit", "satisfaction"), segments=("churn", "nb_produits"))
    assert (typo.key, target.key) == ("monitoring.calendar", "monitoring.segments")
    assert "'nb_produit'. Did you mean 'nb_produits'?" in str(typo)
    assert "no feature 'churn'. Use some of 'anciennete_mois'," in str(target)


@pytest.fixture
def renamed(world):
    """Return a world whose settings name the first champion's columns, and a second version without one of them."""
    world.change(segments=("satisfaction",), alarm=replace(world.loop.rules.alarm, calendar=("nb_produits",)))
    world.register(world.train(churn_table(2000, seed=1).drop_columns(["nb_produits"])))
    return world


def test_a_champion_that_was_promoted_meanwhile_is_checked_at_the_next_turn(renamed):
    """Who trained it had other columns; the turn goes on, and says so as long as it is so."""
    renamed.ask(churn_table(400, seed=2))
    assert renamed.turn().misnamed == ()
    renamed.registry.point("churn", CHAMPION, "2")
    renamed.turn()
    renamed.ask(churn_table(400, seed=3).drop_columns(["nb_produits"]))
    told = renamed.turn()
    assert (told.report.version, told.closed) == ("2", True)
    assert [error.key for error in told.misnamed] == ["monitoring.calendar"]


def test_an_alert_says_so_too(renamed):
    """Who is told of changed inputs hears that the calendar column was passed over."""
    renamed.registry.point("churn", CHAMPION, "2")
    renamed.turn()
    renamed.ask(churn_table(600, seed=3, drift=1.0, relation=1.0).drop_columns(["nb_produits"]))
    assert "\nmonitoring.calendar: The model has no feature 'nb_produits'." in renamed.turn().alert.body


def test_the_watcher_logs_it_at_every_turn(renamed, tmp_path, caplog):
    """An error a column, of an open window too; none before such a champion was promoted."""
    (tmp_path / "vigie.toml").write_text('[project]\nname = "churn"\n[data]\nsource = "x.csv"\ntarget = "churn"\n')
    settings = load_settings(tmp_path, {})
    with caplog.at_level(logging.ERROR, logger="vigie.watch"):
        one_turn(renamed.loop, settings)
        assert caplog.messages == []
        renamed.registry.point("churn", CHAMPION, "2")
        for _ in range(2):
            one_turn(renamed.loop, settings)
    assert [message.split(":")[0] for message in caplog.messages] == ["monitoring.calendar"] * 2
