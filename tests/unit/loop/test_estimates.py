"""Estimates in the loop: from the bundle to the report, and what the ledger remembers of a failed trial."""

from dataclasses import replace

from vigie.domain.event import EventKind
from vigie.domain.measurement import Verdict
from vigie.domain.window import Window
from vigie.loop.monitor import monitor, next_look, open_outcomes, open_window
from vigie.monitoring.estimation import NO_BASIS
from vigie.testing.tables import churn_table


def look(world, opened=None):
    """Judge the open window as ``vigie monitor`` does."""
    opened = opened or world.opened()
    window = open_window(world.loop, opened.version)
    outcomes = open_outcomes(world.loop, opened.version, window)
    return monitor(world.loop, opened, window, look=next_look(world.loop, opened.version), outcomes=outcomes)


def test_a_window_without_outcomes_is_estimated(world, calm):
    """Performance is not known; its estimate is near what was promised."""
    world.ask(calm, known=0.0)
    report = look(world)
    assert report.performance.verdict is Verdict.UNKNOWN
    estimates = {item.name: (item.value, promised.value) for item, promised in report.estimate.metrics}
    assert abs(estimates["roc_auc"][0] - estimates["roc_auc"][1]) < 0.08
    assert abs(estimates["accuracy"][0] - estimates["accuracy"][1]) < 0.08
    assert report.estimate.trials == ()


def test_a_changed_relation_fails_the_trial_and_the_next_window_remembers(world):
    """Inputs as ever, another meaning: the estimate is tried on the outcomes, fails, and stays off without any."""
    world.change(retraining=replace(world.loop.rules.retraining, min_labelled=100_000))
    world.ask(churn_table(600, seed=5, relation=1.0))
    first = world.turn().report
    assert first.estimate.failed.startswith("Estimates are switched off: ")
    assert any("Estimates are switched off" in sentence for sentence in first.headline)
    world.ask(churn_table(400, seed=6, relation=1.0), known=0.0)
    second = look(world)
    assert second.estimate.failed == first.estimate.failed
    assert second.estimate.metrics == ()


def test_a_passed_trial_switches_estimates_on_again(world, calm):
    """The world comes back: its outcomes are as estimated."""
    world.change(retraining=replace(world.loop.rules.retraining, min_labelled=100_000))
    world.ask(churn_table(600, seed=5, relation=1.0))
    assert world.turn().report.estimate.failed
    world.ask(calm)
    report = look(world)
    assert report.estimate.failed == ""
    assert report.estimate.metrics


def test_looks_add_up_in_the_ledger(world):
    """A closed look's figures are the next look's past, as the ledger wrote them."""
    world.ask(churn_table(400, seed=2))
    world.turn()
    world.ask(churn_table(400, seed=7))
    declines = {decline.metric: decline for decline in look(world).performance.declines}
    assert set(declines) == {"roc_auc", "log_loss"}
    assert {decline.n for decline in declines.values()} <= {400, 800}
    assert len(world.ledger.events("churn", kinds=(EventKind.MONITORED,))) == 1


def test_no_outcome_counts_twice(world):
    """Looking back over a window that was closed already leaves its look aside."""
    began = world.clock.now()
    world.ask(churn_table(400, seed=2))
    world.turn()
    again = monitor(world.loop, world.opened(), Window(began, world.clock.now()), look=2)
    assert {(decline.looks, decline.n) for decline in again.performance.declines} == {(1, 400)}


def test_a_version_of_an_older_vigie_cannot_be_estimated(world, calm):
    """Its bundle has no such member: one sentence, and everything else as ever."""
    world.ask(calm)
    report = look(world, replace(world.opened(), basis=None))
    assert report.estimate.reason == NO_BASIS
    assert report.performance.verdict is Verdict.OK


def test_a_regression_is_estimated_from_its_logged_features(price_world, house_prices):
    """The tree looks at what the log holds; the estimate is tried on the outcomes."""
    world = price_world("ridge", 600)
    world.ask(house_prices(400, 2))
    report = look(world)
    assert {item.name for item, _ in report.estimate.metrics} == {"rmse", "mae"}
    assert [trial.passed for trial in report.estimate.trials] == [True]


def test_three_classes_are_estimated(new_world, species):
    """One map a class."""
    world = new_world(model="species")
    world.change(data=replace(world.loop.rules.data, target="kind", positive=None, entity=None))
    world.register(world.train(species(600, 1)))
    world.ask(species(400, 2), known=0.0)
    assert {item.name for item, _ in look(world).estimate.metrics} == {"log_loss", "accuracy", "f1_macro"}


def test_declared_segments_come_from_the_rules(world, calm):
    """Each level with its metrics, from the outcomes that are judged."""
    world.change(segments=("nb_produits",))
    world.ask(calm)
    report = look(world)
    assert {segment.feature for segment in report.segments.declared} == {"nb_produits"}
    assert sum(segment.metrics[0].n for segment in report.segments.declared) == 400
