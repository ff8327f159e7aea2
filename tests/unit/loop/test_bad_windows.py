"""Windows as production has them at its worst: a verdict or "not known", never a crash, never NaN in the JSON."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from vigie.domain.measurement import Verdict
from vigie.domain.schema import LARGEST_OUTCOME
from vigie.domain.window import Window
from vigie.errors import DataError
from vigie.loop.monitor import backtest, monitor, open_window
from vigie.loop.replay import replay_table
from vigie.testing.tables import churn_table

YEARS_S = 10 * 365 * 86_400
FEATURES = ("anciennete_mois", "montant_mensuel", "nb_reclamations", "nb_produits", "satisfaction")


def judged(world):
    """Judge the open window as ``vigie monitor`` does; the report must be writable as JSON."""
    report = monitor(world.loop, world.opened(), open_window(world.loop, world.champion), look=1)
    json.dumps(report.to_dict(), allow_nan=False)
    return report


def backtested(world, table):
    """Judge a table; the report must be writable as JSON."""
    now = world.clock.now()
    report = backtest(world.loop, world.opened(), table, Window(now, now), look=1)
    json.dumps(report.to_dict(), allow_nan=False)
    return report


def with_columns(table, **columns):
    """Return a table with some columns replaced."""
    for name, values in columns.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(values, table.schema.field(name).type))
    return table


def test_an_empty_window_is_not_known(world):
    """Nothing was asked: nothing is said of any level."""
    report = judged(world)
    assert (report.n, report.verdict) == (0, Verdict.UNKNOWN)
    assert report.estimate.verdict is Verdict.UNKNOWN
    assert report.segments.looked_at == 0


@pytest.mark.parametrize("n", [1, 2, 31])
def test_a_handful_of_rows_is_not_known(world, n):
    """One row with its outcome: its numbers are shown, nothing is concluded."""
    world.ask(churn_table(400, seed=2).slice(0, n))
    report = judged(world)
    assert (report.n, report.verdict) == (n, Verdict.UNKNOWN)
    assert report.performance.coverage.value == 1.0


@pytest.fixture
def trains(new_world):
    """Return a world whose model takes a town and a size, either of which may be missing, and its table."""
    rng = np.random.default_rng(5)
    town, size = rng.choice(["Lyon", "Lille", "Brest"], 600), rng.normal(0, 1, 600)
    late = np.where(size + rng.normal(0, 1, 600) > 0, "yes", "no")
    gaps = rng.uniform(size=(2, 600)) < 0.05
    table = pa.table({"town": pa.array(town, mask=gaps[0]), "size": pa.array(size, mask=gaps[1]), "late": late})
    world = new_world(model="trains")
    world.change(data=replace(world.loop.rules.data, target="late", positive="yes", entity=None))
    world.register(world.train(table))
    return world, table


def test_a_window_of_missing_values_is_measured(trains):
    """Every feature of every row is missing: the inputs changed, and performance is that of the answers given."""
    world, table = trains
    report = backtested(world, with_columns(table, town=[None] * 600, size=[None] * 600))
    assert set(report.drifted) == {"town", "size"}
    assert report.performance.metrics[0].current.n == 600


def test_one_class_has_no_ranking(world):
    """Nobody left: ROC-AUC is not defined and says so, accuracy is."""
    table = churn_table(600, seed=23)
    world.ask(table.filter([value == "non" for value in table.column("churn").to_pylist()]))
    metrics = {pair.current.name: pair.current for pair in judged(world).performance.metrics}
    assert metrics["roc_auc"].value is None
    assert metrics["pr_auc"].value is None
    assert metrics["roc_auc"].reason
    assert 0 <= metrics["accuracy"].value <= 1


def test_one_and_the_same_row_again_and_again_is_measured(world, calm):
    """A constant window: the inputs changed; estimates and segments do not stumble over it."""
    world.ask(pa.concat_tables([calm.slice(0, 1)] * 300))
    report = judged(world)
    assert report.verdict is Verdict.ALARM
    assert report.segments.worst == ()


def test_one_and_the_same_answer_has_no_ranking_but_calibration(world, calm):
    """All probabilities alike: one bin, and no metric fails."""
    same = with_columns(
        calm, **{name: [calm.column(name)[0].as_py()] * calm.num_rows for name in FEATURES if name in calm.column_names}
    )
    report = backtested(world, same)
    assert len(report.performance.calibration.bins) == 1


def test_levels_that_training_never_saw_are_measured(trains):
    """A category that is new in every row: the input changed, and nothing else breaks."""
    world, table = trains
    assert "town" in backtested(world, with_columns(table, town=["Nantes"] * 600)).drifted


def test_a_clock_that_jumped_back_gives_an_empty_window(world, calm):
    """Predictions dated after now are not in a window that ends now."""
    world.ask(calm)
    world.clock.advance(-86_400)
    report = judged(world)
    assert (report.n, report.verdict) == (0, Verdict.UNKNOWN)


def test_a_clock_that_jumped_ahead_is_a_long_window(world, calm):
    """Ten years later the same rows are judged."""
    world.ask(calm)
    world.clock.advance(10 * 365 * 86_400)
    assert judged(world).n == calm.num_rows


def test_outcomes_before_their_predictions_are_judged(world, calm):
    """The clock was set back between predictions and outcomes: a delay below zero says so, and no number breaks."""
    world.clock.advance(3600)
    told = world.ask(calm, known=0.0)
    world.clock.advance(-300)
    world.tell(told)
    world.clock.advance(600)
    report = judged(world)
    assert report.performance.coverage.value == 1.0
    assert report.performance.delay.value == pytest.approx(-180.0)


def test_a_clock_that_ran_ahead_does_not_blind_the_watch(world, calm, changed):
    """Looks dated years ahead close nothing of what comes once the clock is right; the second one even begins there."""
    world.ask(calm, known=0.0)
    world.clock.advance(YEARS_S)
    for _ in range(2):
        world.ask(changed, known=0.0)
        assert world.turn().closed
    world.clock.advance(-YEARS_S)
    told = world.ask(changed, known=0.0)
    turn = world.turn()
    assert turn.closed
    assert turn.report.n == calm.num_rows + len(told)  # those of before the clock ran ahead are looked at once more
    assert turn.report.drifted
    world.ask(changed, known=0.0)
    turn = world.turn()
    assert turn.report.n == len(told)
    assert turn.alert is None  # told a minute ago


def test_a_clock_set_right_by_minutes_judges_nothing_twice(world, calm):
    """The window waits until the clock has caught up with the last look."""
    world.ask(calm)
    assert world.turn().report.n == calm.num_rows
    world.clock.advance(-600)
    assert world.turn().report.n == 0


@pytest.fixture
def prices(price_world, house_prices):
    """Return a world whose model predicts prices, and what asks it about rows whose first outcomes are replaced."""
    world = price_world("ols", 500)

    def ask(outcomes, **table):
        rows = house_prices(**table)
        truth = rows.column("price").to_pylist()
        world.ask(with_columns(rows, price=[*outcomes, *truth[len(outcomes) :]]))

    return world, ask


def test_outcomes_too_large_to_be_measured_are_left_out(prices):
    """A log may hold them from before they were refused: performance is that of the others, and the reason says so."""
    world, ask = prices
    ask([1e308, -1e200], n=400, seed=2)
    performance = judged(world).performance
    assert (performance.verdict, performance.metrics[0].current.n) == (Verdict.OK, 398)
    assert performance.reason.endswith(" 2 outcomes are too large to be measured and were left out.")
    assert performance.coverage.value == 398 / 400


@pytest.mark.parametrize("judge", ["backtest", "replay"])
def test_a_table_with_outcomes_too_large_to_be_measured_is_refused(prices, house_prices, judge):
    """As feedback and training refuse them, with their number; the largest that are taken are judged."""
    world, _ = prices
    rows = house_prices(n=400, seed=2)
    truth = rows.column("price").to_pylist()
    taken = with_columns(rows, price=[LARGEST_OUTCOME, *truth[1:]])
    refused = with_columns(rows, price=[2 * LARGEST_OUTCOME, None, -np.inf, *truth[3:]])
    how = {
        "backtest": lambda table: backtested(world, table).n,
        "replay": lambda table: replay_table(world.loop, world.opened(), table, rows=50).rows,
    }[judge]
    assert how(taken)
    with pytest.raises(DataError, match="Target 'price' holds 2 numbers beyond 1e\\+37 in size, whose errors"):
        how(refused)


def test_numbers_that_a_model_cannot_take_are_refused_as_a_server_does(prices, house_prices):
    """The scaler overflows, or the model behind it: the column is named, whatever scikit-learn says."""
    world, _ = prices
    rows = house_prices(n=400, seed=2)
    for largest in (1.7e308, 1e308):
        with pytest.raises(DataError, match="cannot take a number as large as the one sent for 'size'"):
            backtested(world, with_columns(rows, size=[largest, -largest] * 200))


@pytest.mark.parametrize("way", ["table", "traffic"])
def test_answers_whose_errors_have_no_square_leave_no_number(prices, house_prices, way):
    """Drift is judged, performance is not known and says why, and nothing is warned of on the way."""
    world, _ = prices
    world.change(segments=("age",))
    rows = house_prices(n=400, seed=2)
    sizes = [1e200, -1e300, *rows.column("size").to_pylist()[2:]]
    if way == "table":
        report = backtested(world, with_columns(rows, size=sizes))
    else:
        world.ask(with_columns(rows, size=sizes))
        report = judged(world)
    assert (report.n, report.features[0].verdict) == (400, Verdict.OK)
    performance = report.performance
    assert (performance.verdict, performance.metrics[0].current.value) == (Verdict.UNKNOWN, None)
    assert performance.reason == "rmse is not defined on these rows: an error is too large to be squared."


def test_a_retraining_leaves_outcomes_out_that_are_too_large(prices):
    """The others are learnt from, and the challenger takes the champion's place."""
    world, ask = prices
    ask([1e308, -1e308, 1e200], n=500, seed=3, shift=1.0)
    turn = world.turn()
    assert (turn.trouble, turn.challenge.trained.dataset.y.size) == ("", 497)
    assert turn.promoted.version == "2"


def test_the_largest_outcomes_that_are_taken_stop_nothing(prices):
    """They are judged and learnt from, however little sense they make."""
    world, ask = prices
    ask([LARGEST_OUTCOME, -LARGEST_OUTCOME], n=500, seed=3, shift=1.0)
    turn = world.turn()
    assert turn.report.performance.verdict is not Verdict.UNKNOWN
    assert (turn.trouble, turn.challenge.trained.dataset.y.size) == ("", 500)


def test_an_empty_window_does_not_tell_the_last_alarm_again(world, changed):
    """Nothing is known of it, though the block of two that it ends holds the rows of the one before."""
    world.ask(changed, known=0.0)
    assert world.turn().report.verdict is Verdict.ALARM
    report = world.turn().report
    assert (report.n, report.look, report.verdict, report.drifted) == (0, 2, Verdict.UNKNOWN, ())
