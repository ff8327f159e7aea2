"""Columns that monitoring's settings name wrongly."""

import logging
from dataclasses import replace

from vigie.loop.misnamed import misnamed
from vigie.wiring.watch import tell_misnamed


def test_a_name_that_is_no_feature_is_told_with_its_key(world):
    """A typo gets the nearest name; the target is no feature; right names are not mentioned."""
    schema = world.opened().schema
    typo, target = misnamed(schema, calendar=("nb_produit", "satisfaction"), segments=("churn", "nb_produits"))
    assert (typo.key, target.key) == ("monitoring.calendar", "monitoring.segments")
    assert "'nb_produit'. Did you mean 'nb_produits'?" in str(typo)
    assert "no feature 'churn'. Use some of 'anciennete_mois'," in str(target)


def test_the_watcher_tells_a_wrong_name_and_goes_on(world, calm, caplog):
    """An error at the start, and the turn judges the window all the same."""
    world.change(segments=("churn",), alarm=replace(world.loop.rules.alarm, calendar=("nb_produit",)))
    with caplog.at_level(logging.ERROR):
        tell_misnamed(world.loop)
    assert [message.split(":")[0] for message in caplog.messages] == ["monitoring.calendar", "monitoring.segments"]
    world.ask(calm)
    assert world.turn().closed
