"""One turn of the loop: what each kind of window leads to."""

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from vigie.domain.event import EventKind
from vigie.domain.measurement import Verdict
from vigie.domain.model import CHALLENGER, CHAMPION
from vigie.errors import StorageError
from vigie.promotion.gate import GateRule
from vigie.retraining.policy import RetrainPolicy
from vigie.testing.tables import churn_table


def test_a_calm_window_closes_and_changes_nothing(world, calm):
    """It is looked at, recorded, and that is all."""
    world.ask(calm)
    turn = world.turn()
    assert (turn.closed, turn.alert, turn.promoted, turn.needs_attention) == (True, None, None, False)
    assert turn.report.n == 400
    assert turn.report.drifted == ()
    assert turn.decision.asked is False
    assert world.kinds == ["registered", "promoted", "monitored"]
    assert world.notifier.alerts == []


def test_too_few_rows_leave_the_window_open(world, calm):
    """Nothing is recorded, no look is spent, and the rows count at the next turn."""
    world.ask(calm.slice(0, 150))
    assert world.turn().closed is False
    assert world.kinds == ["registered", "promoted"]
    world.ask(calm.slice(150, 150))
    turn = world.turn()
    assert (turn.closed, turn.report.n, turn.report.look) == (True, 300, 1)


def test_an_empty_window_is_no_reason_to_fail(world):
    """A service that nobody asks stays as it is."""
    turn = world.turn()
    assert (turn.closed, turn.report.n, turn.needs_attention) == (False, 0, False)


def test_windows_follow_each_other_without_gap_or_overlap(world):
    """Every prediction is judged once; looks count up."""
    turns = []
    for seed in (11, 12, 13):
        world.ask(churn_table(250, seed=seed))
        turns.append(world.turn())
    assert [turn.report.n for turn in turns] == [250, 250, 250]
    assert [turn.report.look for turn in turns] == [1, 2, 3]
    windows = [turn.report.window for turn in turns]
    assert [later.start for later in windows[1:]] == [earlier.end for earlier in windows[:-1]]


def test_a_changed_world_is_answered_by_a_promotion(world, changed, evidence_is_json):
    """Alarm, alert, retraining, gate, promotion, in this order, each with its reasons."""
    world.ask(changed)
    turn = world.turn()
    assert {"montant_mensuel", "nb_reclamations"} <= set(turn.report.drifted)
    assert {"nb_produits", "satisfaction"}.isdisjoint(turn.report.drifted)
    assert turn.report.verdict is Verdict.ALARM
    assert turn.promoted.version == "2"
    assert turn.needs_attention is False
    assert (world.champion, world.registry.alias("churn", CHALLENGER)) == ("2", "2")
    assert world.kinds[2:] == ["alerted", "retrain_decided", "monitored", "trained", "gated", "promoted"]
    assert len(world.notifier.alerts) == 1
    for event in world.ledger.events("churn"):
        assert evidence_is_json(event) == event.evidence
    gated, promoted = world.last(EventKind.GATED), world.last(EventKind.PROMOTED)
    assert gated.evidence["interval"]["low"] > 0
    assert promoted.evidence["previous"] == "1"
    assert promoted.reasons == gated.reasons


def test_the_new_champion_finds_the_changed_world_normal(world, changed):
    """Its reference is the rows that raised the alarm: the next window like them is calm."""
    world.ask(changed)
    world.turn()
    world.ask(churn_table(400, seed=5, drift=1.0, relation=1.0))
    turn = world.turn()
    assert (turn.report.version, turn.report.look, turn.report.drifted) == ("2", 1, ())
    assert turn.alert.resolved


def test_the_challenger_is_judged_on_later_rows_than_it_learns_from(world, changed):
    """Seven tenths to learn from, three tenths for the gate."""
    world.ask(changed)
    challenge = world.turn().challenge
    assert challenge.decision.difference.n == 180
    assert max(challenge.trained.split.train) < min(challenge.trained.split.test)


def test_a_challenger_without_enough_evidence_is_held(world, changed):
    """The champion stays, and the alarm stays unanswered."""
    world.change(gate=GateRule(level=0.95, margin=5.0, min_rows=50))
    world.ask(changed)
    turn = world.turn()
    assert turn.challenge.decision.promote is False
    assert (world.champion, world.registry.alias("churn", CHALLENGER)) == ("1", "2")
    assert turn.needs_attention is True
    assert world.kinds[-1] == "gated"


def test_a_gate_with_too_few_rows_holds(world, changed):
    """It says how many it asked for."""
    world.change(gate=GateRule(level=0.95, margin=0.0, min_rows=1000))
    world.ask(changed)
    turn = world.turn()
    assert turn.promoted is None
    assert "1,000" in turn.challenge.decision.reasons[0]


def test_a_second_alarm_within_the_cool_down_does_not_retrain(world, changed):
    """It is alerted and recorded, with the time that is left."""
    world.change(gate=GateRule(level=0.95, margin=5.0, min_rows=50))
    world.ask(changed)
    world.turn()
    world.ask(churn_table(600, seed=4, drift=1.0, relation=1.0))
    turn = world.turn()
    assert turn.decision.retrain is False
    assert "Cooling down" in turn.decision.reasons[-1]
    assert turn.challenge is None
    assert turn.needs_attention is True


def test_after_the_cool_down_it_retrains_again(world, changed):
    """An hour later the same alarm leads to another challenger."""
    world.change(gate=GateRule(level=0.95, margin=5.0, min_rows=50))
    world.ask(changed)
    world.turn()
    world.clock.advance(3600)
    world.ask(churn_table(600, seed=4, drift=1.0, relation=1.0))
    assert world.turn().challenge.version.version == "3"


def test_late_outcomes_are_learnt_from_at_the_next_turn(world, changed):
    """The window to learn from reaches back to where the alarm began."""
    told = world.ask(changed, known=0.1)
    first = world.turn()
    assert first.decision.retrain is False
    assert "Too few outcomes" in first.decision.reasons[-1]
    world.tell(told[60:])
    world.ask(churn_table(200, seed=6, drift=1.0, relation=1.0), known=0.0)
    second = world.turn()
    assert (second.report.n, second.promoted.version) == (200, "2")
    assert len(second.challenge.trained.dataset) == 600


def test_outcomes_from_before_the_alarm_are_not_learnt_from(world, calm, changed):
    """A calm window ends the reach: its rows belong to the world that was."""
    world.ask(calm)
    world.turn()
    world.ask(changed)
    assert len(world.turn().challenge.trained.dataset) == 600


def test_a_champion_moved_by_hand_is_noticed(world, churn_trained, calm):
    """The ledger says so before anything is judged, and its window begins there."""
    world.register(churn_trained)
    world.ask(calm)
    world.registry.point("churn", CHAMPION, "2")
    turn = world.turn()
    assert (turn.report.version, turn.report.n, turn.closed) == ("2", 0, False)
    event = world.last(EventKind.ALIAS_MOVED)
    assert event.version == "2"
    assert "by hand" in event.summary
    world.turn()
    assert world.kinds.count("alias_moved") == 1


class _MovedMeanwhile:
    """A registry on which somebody promotes while the challenger is being registered."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def publish(self, name, members, **rest):
        version = self._inner.publish(name, members, **rest)
        self._inner.point(name, CHAMPION, "2")
        return version


def test_somebody_who_promotes_meanwhile_wins(world, churn_trained, changed):
    """The decision was made against another champion: it is not carried out, and turn and ledger say so."""
    world.register(churn_trained)
    world.ask(changed)
    world.loop = replace(world.loop, registry=_MovedMeanwhile(world.registry))
    turn = world.turn()
    assert (turn.challenge.decision.promote, turn.promoted, turn.needs_attention) == (True, None, True)
    assert "points to version 2, not to 1" in turn.trouble
    assert world.champion == "2"
    assert world.kinds.count("promoted") == 1
    told = world.last(EventKind.RETRAIN_DECIDED)
    assert (told.summary, told.reasons) == ("Version 3 was not promoted.", (turn.trouble,))


def test_a_race_that_was_lost_starts_no_cool_down(world, churn_trained, changed):
    """Whoever was put in place meanwhile is retrained as soon as it raises an alarm of its own."""
    world.change(retraining=RetrainPolicy(timedelta(days=1), min_labelled=100))
    world.register(churn_trained)
    world.ask(changed)
    world.loop = replace(world.loop, registry=_MovedMeanwhile(world.registry))
    assert world.turn().promoted is None
    world.loop = replace(world.loop, registry=world.registry)
    world.turn()
    world.ask(churn_table(600, seed=4, drift=1.0, relation=1.0))
    assert world.turn().promoted.version == "4"


def test_a_lease_in_other_hands_stops_the_promotion(world, changed):
    """The alias stays, the gate's decision is on record, and the turn says who is at work."""
    world.ask(changed)
    with world.ledger.lease("churn", owner="somebody", ttl_s=600):
        turn = world.turn()
    assert "somebody is changing 'churn'" in turn.trouble
    assert (world.champion, world.kinds[-2:]) == ("1", ["gated", "retrain_decided"])


def test_a_broken_channel_does_not_stop_the_loop(world, changed):
    """The loop goes on to the promotion, and the ledger says that nobody was told."""
    world.notifier.failure = StorageError("smtp", "it is down.", retryable=True)
    world.ask(changed)
    assert world.turn().promoted.version == "2"
    assert any("could not be delivered" in reason for reason in world.last(EventKind.ALERTED).reasons)


def test_outcomes_of_one_class_are_too_little_to_retrain(world, changed):
    """It is said, the champion stays, and the ledger keeps why."""
    world.change(retraining=RetrainPolicy(timedelta(hours=1), min_labelled=100))
    told = world.ask(changed, known=0.0)
    world.tell([(which, outcome) for which, outcome in told if outcome == "oui"])
    turn = world.turn()
    assert turn.decision.retrain is True
    assert "hold no 'non'" in turn.trouble
    assert (turn.challenge, world.champion, turn.needs_attention) == (None, "1", True)
    assert turn.trouble in world.ledger.events("churn")[-1].reasons


def test_a_retraining_that_could_not_be_done_starts_no_cool_down(world, changed):
    """As soon as the missing outcomes are there, the next alarm retrains."""
    world.change(retraining=RetrainPolicy(timedelta(days=1), min_labelled=100))
    told = world.ask(changed, known=0.0)
    world.tell([(which, outcome) for which, outcome in told if outcome == "oui"])
    assert world.turn().trouble
    world.tell([(which, outcome) for which, outcome in told if outcome == "non"])
    world.ask(churn_table(300, seed=4, drift=1.0, relation=1.0))
    assert world.turn().promoted.version == "2"


def test_a_regression_turns_once(new_world, house_prices):
    """Train, serve, drift, retrain, gate, promote on a number."""
    world = new_world(model="prices")
    rules = world.loop.rules
    world.change(data=replace(rules.data, target="price", positive=None, entity=None),
                 training=replace(rules.training, candidates=("ols",)))  # fmt: skip
    world.register(world.train(house_prices(500, 1)))
    world.ask(house_prices(300, 2))
    assert world.turn().report.verdict is not Verdict.ALARM
    world.ask(house_prices(500, 3, shift=1.0))
    turn = world.turn()
    assert "size" in turn.report.drifted
    assert turn.report.performance.verdict is Verdict.ALARM
    assert turn.alert.severity.value == "page"
    assert turn.promoted.version == world.champion == "2"


def test_a_choice_of_three_turns_once(new_world, species):
    """Train, serve, drift, retrain, gate, promote on integer classes."""
    world = new_world(model="species")
    world.change(data=replace(world.loop.rules.data, target="kind", positive=None, entity=None))
    world.register(world.train(species(500, 1)))
    assert world.opened().schema.target.classes == (1, 2, 3)
    world.ask(species(300, 2))
    assert world.turn().report.verdict is not Verdict.ALARM
    world.ask(species(500, 3, shift=1.0))
    turn = world.turn()
    assert turn.report.performance.verdict is Verdict.ALARM
    assert turn.promoted.version == world.champion == "2"


@pytest.mark.parametrize(
    "labels",
    [(False, True), (0, 1), ("0", "1"), ('say "no"', "dit « oui »"), ("[/]", "é\n"), (-1, 1), ("True", "False")],
    ids=repr,
)
def test_labels_of_any_kind_turn_once(new_world, labels):
    """Booleans, integers, texts that look like them, quotes: what was learnt is what is answered and learnt again."""
    world = new_world(model="labels")
    world.change(data=replace(world.loop.rules.data, positive=None))
    sides = {"oui": labels[1], "non": labels[0]}

    def relabelled(table):
        return table.set_column(
            table.num_columns - 1, "churn", pa.array([sides[value] for value in table.column("churn").to_pylist()])
        )

    world.register(world.train(relabelled(churn_table(900, seed=1))))
    classes = world.opened().schema.target.classes
    assert set(classes) == set(labels)
    assert {type(label) for label in classes} == {type(label) for label in labels}
    world.ask(relabelled(churn_table(600, seed=3, drift=1.0, relation=1.0)))
    turn = world.turn()
    assert turn.trouble == ""
    assert turn.promoted.version == "2"
    assert world.opened().schema.target.classes == classes


def test_traffic_without_an_entity_can_be_learnt_from(world, changed):
    """A client need not say whom a row is about."""
    nobody = changed.set_column(
        changed.column_names.index("client_id"), "client_id", pa.nulls(len(changed), pa.string())
    )
    world.ask(nobody)
    assert world.turn().promoted.version == "2"


def test_a_class_that_only_the_later_outcomes_hold_is_told(new_world, species):
    """The earlier rows cannot teach it: the champion stays, in words."""
    world = new_world(model="species")
    world.change(data=replace(world.loop.rules.data, target="kind", positive=None, entity=None))
    world.register(world.train(species(500, 1)))
    table = species(500, 3, shift=1.0)
    table = table.take(pc.sort_indices(table.column("kind")))
    world.ask(table)
    turn = world.turn()
    assert turn.trouble or turn.promoted is None
    assert world.champion == "1"


def test_outcomes_that_come_after_their_window_closed_are_judged_when_they_come(world, calm):
    """Nothing is known when the window closes; a later turn judges the outcomes that arrived since."""
    told = world.ask(calm, known=0.0)
    assert world.turn().report.performance.verdict is Verdict.UNKNOWN
    world.clock.advance(86_400)
    world.tell(told)
    world.ask(churn_table(300, seed=11), known=0.0)
    late = world.turn().report
    assert late.performance.verdict is Verdict.OK
    assert late.performance.metrics[0].current.n == 400
    assert late.performance.coverage.value == 0.0
    assert late.performance.delay.value > 86_400


def test_few_outcomes_a_window_add_up_until_they_suffice(world):
    """Sixty outcomes a window are too few; after two windows there are enough, and then the count begins anew."""
    counts, verdicts = [], []
    for seed in range(20, 24):
        world.ask(churn_table(240, seed=seed), known=0.25)
        performance = world.turn().report.performance
        counts.append(performance.metrics[0].current.n)
        verdicts.append(performance.verdict)
    assert counts == [60, 120, 60, 120]
    assert verdicts == [Verdict.UNKNOWN, Verdict.OK, Verdict.UNKNOWN, Verdict.OK]


def test_late_outcomes_of_a_changed_world_lead_to_a_new_champion(world):
    """The inputs are calm and the relation is turned round: late outcomes raise the alarm, and are learnt from."""
    other = {"oui": "non", "non": "oui"}
    told = world.ask(churn_table(600, seed=31), known=0.0)
    assert world.turn().report.drifted == ()
    world.clock.advance(86_400)
    world.tell([(prediction_id, other[outcome]) for prediction_id, outcome in told])
    world.ask(churn_table(240, seed=32), known=0.0)
    turn = world.turn()
    assert turn.report.performance.verdict is Verdict.ALARM
    assert turn.report.drifted == ()
    assert turn.challenge.trained.dataset.y.shape == (600,)
    assert world.champion == "2"
