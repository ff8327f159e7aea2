"""Models fitted elsewhere become versions: as they are, or not at all."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from vigie.bundle.trust import Trust
from vigie.domain.event import EventKind
from vigie.domain.prediction import Prediction
from vigie.domain.schema import Feature, Kind, Schema, Target
from vigie.domain.task import Task
from vigie.errors import BundleError, DataError, UntrustedContentError
from vigie.inference.payload import read_rows
from vigie.loop.adopt import NOT_JUDGED, adopt
from vigie.loop.given import Given, check_same
from vigie.loop.monitor import backtest
from vigie.loop.open_bundle import open_bundle
from vigie.loop.origin import Origin
from vigie.testing.tables import CHURN_FEATURES, churn_table

NAMES = list(CHURN_FEATURES)
ORIGIN = Origin("train.parquet", commit="abc123", cause="vigie register")


def customers(n=300, seed=1):
    """Return churn rows with a category, a column that may be missing, and text labels."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(["basic", "gold", "pro"], n)
    tenure = rng.integers(0, 60, n).astype(np.float64)
    score = 0.08 * (30 - tenure) + np.where(plan == "gold", 1.5, -0.5)
    label = np.where(rng.random(n) < 1 / (1 + np.exp(-score)), "churned", "stayed")
    tenure[::7] = np.nan
    return pa.table({"plan": plan, "tenure": pa.array(tenure, from_pandas=True), "state": label})


def fitted(estimator, table, target="churn", *, names=NAMES, as_array=False):
    """Fit as a notebook would: on a pandas frame, or on an array."""
    frame = table.to_pandas()
    columns = frame[list(names)]
    return estimator.fit(columns.to_numpy() if as_array else columns, frame[target])


def take(world, given, declared=None):
    """Register what is given."""
    return adopt(world.loop, given, declared=declared, origin=ORIGIN, owner="test")


def served(world, version):
    """Open a version as a server does."""
    return open_bundle(world.registry.members(world.loop.model, version), version=version, trust=Trust())


@pytest.fixture(scope="module")
def learnt():
    """Return the rows that models are fitted on."""
    return churn_table(300, seed=1)


@pytest.mark.parametrize("as_array", [False, True])
@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        LogisticRegression(max_iter=5_000),
        RandomForestClassifier(10, random_state=0),
        GradientBoostingClassifier(n_estimators=10, random_state=0),
    ],
)
def test_the_server_answers_as_the_model_does(new_world, learnt, estimator, as_array):
    """Labels and probabilities of the version, row by row, are the estimator's, pipeline or not, named or not."""
    world = new_world()
    model = fitted(estimator, learnt, as_array=as_array)
    found = take(world, Given(model, learnt))
    assert found.scorer == "compiled"
    scorer = served(world, "1").scorer
    columns = {name: learnt.column(name).to_pylist() for name in NAMES}
    answers = scorer.score(columns)
    frame = learnt.to_pandas()[NAMES]
    cells = frame.to_numpy() if as_array else frame
    assert [answer.value for answer in answers] == model.predict(cells).tolist()
    expected = model.predict_proba(cells)
    np.testing.assert_allclose([answer.probabilities for answer in answers], expected, rtol=0, atol=1e-12)


def test_the_positive_class_is_reported_whatever_its_place(new_world):
    """scikit-learn sorts labels: where the positive one comes first, probabilities change places and stay true."""
    world, table = new_world(), customers()
    data = replace(world.loop.rules.data, target="state", positive="churned", entity=None)
    world.change(data=data)
    encode = make_column_transformer((OneHotEncoder(), ["plan"]), (StandardScaler(), ["tenure"]))
    whole = table.filter(table.column("tenure").is_valid())
    model = fitted(make_pipeline(encode, LogisticRegression()), whole, "state", names=["plan", "tenure"])
    found = take(world, Given(model, whole))
    assert found.dataset.schema.target.classes == ("stayed", "churned")
    assert found.scorer == "sklearn"
    assert "another order" in world.opened().bundle.manifest.lineage["scorer_reason"]
    answer = served(world, "1").scorer.score({"plan": ["gold"], "tenure": [2.0]})[0]
    expected = model.predict_proba(pd.DataFrame({"plan": ["gold"], "tenure": [2.0]}))[0]
    assert answer.value == "churned"
    assert answer.probabilities == pytest.approx(tuple(expected[::-1]), abs=1e-15)


@pytest.mark.parametrize("positive", ["0", "1"])
def test_classes_zero_and_one_are_not_taken_for_places(new_world, learnt, positive):
    """Labels 0 and 1 look like indices; with 0 as the positive class they are not."""
    world = new_world()
    labels = [int(label == "oui") for label in learnt.column("churn").to_pylist()]
    table = learnt.drop(["churn"]).append_column("churn", pa.array(labels))
    world.change(data=replace(world.loop.rules.data, positive=positive))
    model = fitted(LogisticRegression(max_iter=5_000), table)
    take(world, Given(model, table))
    row = {name: learnt.column(name)[:1].to_pylist() for name in NAMES}
    answer = served(world, "1").scorer.score(row)[0]
    expected = model.predict_proba(pd.DataFrame(row))[0]
    assert answer.probabilities[-1] == pytest.approx(expected[int(positive)], abs=1e-12)
    assert answer.value == model.predict(pd.DataFrame(row))[0]


def test_labels_that_are_not_the_tables_are_refused(new_world, learnt):
    """A model fitted on 0 and 1 does not say which of the table's words is which: nobody guesses."""
    coded = learnt.drop(["churn"]).append_column("churn", pa.array([i % 2 for i in range(len(learnt))]))
    model = fitted(LogisticRegression(max_iter=5_000), coded)
    with pytest.raises(DataError, match="knows the classes 0, 1; in the table, 'churn' is 'non', 'oui'"):
        take(new_world(), Given(model, learnt))


def test_a_regressor_keeps_its_numbers(new_world, house_prices):
    """And its task is taken from it when nobody says otherwise."""
    world, table = new_world(model="prices"), house_prices(100, 0)
    world.change(data=replace(world.loop.rules.data, target="price", positive=None, entity=None))
    model = fitted(LinearRegression(), table, "price", names=["age", "size"])
    found = take(world, Given(model, table, house_prices(50, 1)))
    assert found.dataset.schema.names == ("age", "size")  # the model's order, not the table's
    assert found.decision.promote
    answer = served(world, "1").scorer.score({"age": [10], "size": [80.0]})[0].value
    assert answer == pytest.approx(float(model.predict(pd.DataFrame({"age": [10], "size": [80.0]}))[0]), rel=1e-12)


def test_figures_on_its_own_rows_are_never_sold_as_held_out(new_world, learnt):
    """Named in_sample, without interval; the card says that the model was not judged, and nothing refers to them."""
    world = new_world()
    model = fitted(RandomForestClassifier(20, random_state=0), learnt)
    found = take(world, Given(model, learnt))
    assert {item.name[:10] for item in found.metrics} == {"in_sample_"}
    assert all(item.interval is None for item in found.metrics)
    card = world.opened().bundle.card
    held_out = card[card.index("## Measured on held-out rows") : card.index("## Measured on the rows it learnt from")]
    assert "Not judged on held-out rows" in held_out
    assert "|" not in held_out
    assert world.last(EventKind.REGISTERED).reasons[0] == NOT_JUDGED
    report = backtest(world.loop, world.opened(), churn_table(300, seed=9), _window(world), look=1)
    assert all(pair.reference is None for pair in report.performance.metrics)


def _window(world):
    from vigie.domain.window import Window  # noqa: PLC0415 - one test needs it

    return Window(world.clock.now(), world.clock.now())


def test_test_rows_give_the_figures_that_count(new_world, learnt):
    """They are scikit-learn's own on those rows; the gate and the profile rest on them too."""
    from sklearn.metrics import log_loss, roc_auc_score  # noqa: PLC0415 - the independent source of one test

    world, test = new_world(), churn_table(200, seed=5)
    model = fitted(make_pipeline(StandardScaler(), LogisticRegression()), learnt)
    found = take(world, Given(model, learnt, test))
    frame = test.to_pandas()
    proba = model.predict_proba(frame[NAMES])
    named = {item.name: item for item in found.metrics}
    assert named["roc_auc"].value == pytest.approx(roc_auc_score(frame["churn"] == "oui", proba[:, 1]), abs=1e-12)
    assert named["log_loss"].value == pytest.approx(log_loss(frame["churn"], proba), abs=1e-12)
    assert named["roc_auc"].n == 200
    assert named["roc_auc"].interval is not None
    assert found.decision.reasons[0].startswith("Better than the dummy")
    assert world.opened().profile.rows == 200
    assert (found.version.version, found.champion, world.champion) == ("1", "1", "1")


def test_a_model_that_does_not_beat_the_dummy_is_refused(new_world, learnt):
    """With test rows there is a gate; it leaves no version and a reason."""
    world = new_world()
    rng = np.random.default_rng(0)
    shuffled = learnt.drop(["churn"]).append_column("churn", pa.array(rng.permutation(learnt.column("churn"))))
    model = fitted(RandomForestClassifier(10, random_state=0), shuffled)
    found = take(world, Given(model, shuffled, churn_table(200, seed=5)))
    assert (found.version, world.champion) == (None, None)
    assert world.kinds == ["refused"]
    assert world.registry.versions("churn") == []
    assert world.tracker.runs == {}


def test_it_never_takes_the_champions_place(world, learnt):
    """The second version waits, whatever its figures."""
    found = take(world, Given(fitted(LogisticRegression(max_iter=5_000), learnt), learnt))
    assert (found.version.version, found.champion, world.champion) == ("2", "1", "1")
    assert world.kinds[-1] == "registered"


def test_columns_that_it_does_not_take_are_left_out(new_world, learnt):
    """The schema holds what the model was fitted on, and the note names the rest."""
    world = new_world()
    model = fitted(LogisticRegression(max_iter=5_000), learnt, names=NAMES[:3])
    found = take(world, Given(model, learnt))
    assert world.opened().schema.names == tuple(NAMES[:3])
    assert world.opened().schema.entity == "client_id"
    assert any(all(repr(name) in note for name in NAMES[3:]) for note in found.notes)


def test_a_column_without_names_is_told(new_world, learnt):
    """An array has no names: the note says which ones were taken, and another width is refused."""
    world = new_world()
    model = fitted(LogisticRegression(max_iter=5_000), learnt, as_array=True)
    found = take(world, Given(model, learnt))
    assert f"taken to be {', '.join(NAMES)}" in found.notes[0]
    narrow = fitted(LogisticRegression(max_iter=5_000), learnt, names=NAMES[:2], as_array=True)
    with pytest.raises(DataError, match="fitted on 2 columns without names, and the table leaves 5"):
        take(world, Given(narrow, learnt))


def test_a_written_schema_holds(new_world, learnt):
    """Kinds and limits that a person wrote go into the bundle; the order of an unnamed model is theirs."""
    world = new_world()
    reverse = list(reversed(NAMES))
    features = tuple(Feature(name, Kind.NUMBER, limits=(-5.0, None)) for name in reverse)
    declared = Schema(features, Target("churn", Task.BINARY, ("non", "oui")), "client_id")
    model = fitted(LogisticRegression(max_iter=5_000), learnt, names=reverse, as_array=True)
    take(world, Given(model, learnt), declared)
    assert world.opened().schema.names == tuple(reverse)
    assert world.opened().schema.features[0].limits == (-5.0, None)


def test_a_model_that_takes_neither_missing_nor_unseen_keeps_real_golden_rows(new_world):
    """Its bundle remembers what it answers, and a request that it cannot take is refused, not crashed on."""
    world, table = new_world(), customers()
    world.change(data=replace(world.loop.rules.data, target="state", positive="stayed", entity=None))
    encode = make_column_transformer((OneHotEncoder(handle_unknown="error"), ["plan"]))
    model = fitted(make_pipeline(encode, RandomForestClassifier(5, random_state=0)), table, "state", names=["plan"])
    take(world, Given(model, table))
    opened = served(world, "1")
    assert opened.scorer.score({"plan": ["gold"]})[0].value in {"churned", "stayed"}
    rows = read_rows({"plan": "platinum"}, opened.schema, max_rows=1)
    with pytest.raises(DataError, match="not seen in training"):
        opened.scorer.score_rows(rows.values)


def test_a_search_hands_over_its_best_estimator(new_world, learnt):
    """What it answers is what its best estimator answers; the other hundred stay behind."""
    world = new_world()
    found = take(world, Given(fitted(GridSearchCV(LogisticRegression(max_iter=5_000), {"C": [0.1, 1.0]}, cv=2), learnt),
                              learnt))  # fmt: skip
    assert (found.name, found.scorer) == ("LogisticRegression", "compiled")
    assert world.tracker.runs[found.version.run_id].record.params["C"] in {"0.1", "1.0"}


def test_the_lineage_says_where_it_comes_from(new_world, learnt):
    """Run, commit, data, settings of the estimator, and that it was fitted elsewhere."""
    world = new_world()
    found = take(world, Given(fitted(LogisticRegression(C=0.5, max_iter=5_000), learnt), learnt))
    manifest = world.opened().bundle.manifest
    assert manifest.lineage["run_id"] == found.version.run_id
    assert (manifest.git_commit, manifest.lineage["fitted"], manifest.params["C"]) == ("abc123", "elsewhere", "0.5")
    assert manifest.data_digest == world.registry.tags("churn", "1")["vigie.data_digest"]
    record = world.tracker.runs[found.version.run_id].record
    assert record.metrics["in_sample_accuracy"] == next(m.value for m in found.metrics if m.name.endswith("accuracy"))


def test_wrong_columns_are_noticed_when_they_show(new_world, learnt):
    """An unnamed model asked with columns in another order answers nonsense about its own rows: that is said."""
    world = new_world()
    model = fitted(LogisticRegression(max_iter=5_000), learnt, names=list(reversed(NAMES)), as_array=True)
    found = take(world, Given(model, learnt))
    assert any("no better than one that looks at no feature" in note for note in found.notes)


def test_test_rows_that_were_learnt_from_are_said(new_world, learnt):
    """Half of them copied: a note. The same table: refused."""
    world = new_world()
    model = fitted(LogisticRegression(max_iter=5_000), learnt)
    found = take(world, Given(model, learnt, pa.concat_tables([learnt[:100], churn_table(100, seed=5)])))
    assert any("have the same features and the same 'churn'" in note for note in found.notes)
    with pytest.raises(DataError, match="is the training table"):
        take(world, Given(model, learnt, learnt))


def refused(world, given, kind, message):
    """Check that a model is refused, with nothing left behind."""
    with pytest.raises(kind, match=message):
        take(world, given)
    assert world.kinds == []
    assert world.registry.versions("churn") == []
    assert world.tracker.runs == {}


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LogisticRegression(), r"LogisticRegression\) is not fitted"),
        ("a text", "is a str, which is no scikit-learn estimator"),
        (StandardScaler().fit([[1.0], [2.0]]), "is a StandardScaler, which is no scikit-learn estimator with predict"),
    ],
)
def test_what_is_no_fitted_model_is_refused(new_world, learnt, estimator, message):
    """In words about what was given."""
    refused(new_world(), Given(estimator, learnt), DataError, message)


def test_a_classifier_without_probabilities_is_refused(new_world, learnt):
    """And the way out is named."""
    refused(new_world(), Given(fitted(RidgeClassifier(), learnt), learnt), DataError, "CalibratedClassifierCV")


def test_another_task_is_refused(new_world, learnt):
    """A regressor for a project that asks for a class."""
    world = new_world()
    world.change(data=replace(world.loop.rules.data, task=Task.BINARY))
    coded = learnt.append_column("n", pa.array(np.arange(len(learnt)) * 1.5))
    refused(world, Given(fitted(LinearRegression(), coded, "n"), learnt), DataError, "regression task, and the project")


def test_missing_columns_and_targets_are_named(new_world, learnt):
    """The table is not the one that the model was fitted on."""
    model = fitted(LogisticRegression(max_iter=5_000), learnt)
    lacking = learnt.rename_columns(
        ["Satisfaction" if name == "satisfaction" else name for name in learnt.column_names]
    )
    refused(new_world(), Given(model, lacking), DataError, "'satisfaction', which the table lacks. Did you mean")
    refused(new_world(), Given(model, learnt.drop(["churn"])), DataError, "no column 'churn', which data.target names")
    whole = learnt.append_column("oui", pa.array([int(label == "oui") for label in learnt.column("churn").to_pylist()]))
    leaky = fitted(LogisticRegression(max_iter=5_000), whole, names=[*NAMES, "oui"])
    refused(new_world(), Given(leaky, whole), DataError, "tells the answer")


def test_a_decision_threshold_is_not_dropped_in_silence(new_world, learnt):
    """A bundle answers the most probable class: a model that answers otherwise is refused, with how often."""
    model = fitted(FixedThresholdClassifier(LogisticRegression(max_iter=5_000), threshold=0.3, pos_label="oui"), learnt)
    refused(new_world(), Given(model, learnt), BundleError, "predicts another class than the most probable one")


def test_types_that_no_server_would_open_are_refused(new_world, learnt):
    """Before anything is registered."""
    from sklearn.neighbors import KNeighborsClassifier  # noqa: PLC0415 - one test needs it

    refused(new_world(), Given(fitted(KNeighborsClassifier(), learnt), learnt), UntrustedContentError, "KDTree")


def test_a_model_that_goes_by_the_frames_own_types_is_refused(new_world):
    """A bundle's model is asked with float64 and text under the schema: an encoder of text takes no numbers."""
    world = new_world()
    world.change(data=replace(world.loop.rules.data, target="state", positive="stayed", entity=None))
    codes = pa.array([str(10 + i % 3) for i in range(100)])
    label = pa.array(["stayed" if i % 3 == 1 or i % 7 == 0 else "churned" for i in range(100)])
    table = pa.table({"code": codes, "state": label})
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["code"]))
    model = fitted(make_pipeline(encode, LogisticRegression()), table, "state", names=["code"])
    declared = Schema((Feature("code", Kind.INTEGER),), Target("state", Task.BINARY, ("churned", "stayed")))
    with pytest.raises(BundleError, match=r"does not take a bundle's frame: .* an encoder inside the pipeline"):
        take(world, Given(model, table), declared)
    assert world.kinds == []


def test_a_difference_is_told_with_its_size():
    """How many rows and by how much; the last bit is no difference."""
    numbers = [Prediction(100.0), Prediction(-3.0)]
    check_same(numbers, [Prediction(100.0 + 1e-10), Prediction(-3.0)])
    with pytest.raises(BundleError, match=r"answer 1 of 2 rows otherwise than the model that was given, by up to 0\.5"):
        check_same(numbers, [Prediction(100.0), Prediction(-3.5)])
    shares = [Prediction("a", (0.6, 0.4))]
    with pytest.raises(BundleError, match="answer 1 of 1 rows otherwise"):
        check_same(shares, [Prediction("a", (0.6 + 1e-6, 0.4 - 1e-6))])
    check_same([Prediction("b", (0.5, 0.5))], [Prediction("a", (0.5, 0.5))])  # of equals, either
