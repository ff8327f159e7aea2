"""What users ask for becomes candidates, or an error that names the key and the nearest valid name."""

import sys

import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import ElasticNet, ElasticNetCV, Lasso, LassoCV, Ridge

from vigie.domain.task import Task
from vigie.errors import ConfigurationError
from vigie.training.asked import candidates_for
from vigie.training.candidates import CANDIDATES, LARGE_MULTICLASS, Simplicity, default_candidates


def only(task, item):
    """Return the one candidate that stands before the dummy."""
    (candidate, dummy) = candidates_for(task, [item])
    assert dummy.name == "dummy"
    return candidate


def test_parameters_reach_the_estimator():
    """Those given replace Vigie's own; the others stay."""
    asked = {"name": "random_forest", "n_estimators": 7, "max_depth": 5}
    candidate = only(Task.BINARY, asked)
    estimator = candidate.estimator(Task.BINARY, 3, {})
    assert (estimator.n_estimators, estimator.max_depth, estimator.min_samples_leaf) == (7, 5, 5)
    assert estimator.random_state == 3
    assert candidate.name == "random_forest"


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"name": "ridge", "alpha": 1.0}, Ridge),
        ({"name": "lasso", "alpha": 0.1}, Lasso),
        ("lasso", LassoCV),
        ("elastic_net", ElasticNetCV),
        ({"name": "elastic_net", "l1_ratio": 0.5}, ElasticNetCV),
        ({"name": "elastic_net", "alpha": 0.1, "l1_ratio": 0.5}, ElasticNet),
    ],
)
def test_a_given_alpha_is_not_tuned(item, kind):
    """The exact path is for those who give none."""
    candidate = only(Task.REGRESSION, item)
    assert type(candidate.estimator(Task.REGRESSION, 0, {})) is kind
    assert not candidate.tunes({})
    assert only(Task.REGRESSION, "ridge").tunes({})


def test_an_alpha_to_search_is_not_tuned_either():
    """A grid of alphas is searched by Vigie, point by point."""
    candidate = only(Task.REGRESSION, {"name": "ridge", "grid": {"alpha": [0.1, 1.0]}})
    assert not candidate.tunes(candidate.points()[0])
    assert [type(candidate.estimator(Task.REGRESSION, 0, point)) for point in candidate.points()] == [Ridge, Ridge]


def test_a_grid_is_every_combination():
    """In the order written, the last list fastest."""
    grid = {"max_depth": [3, 5], "n_estimators": [10, 20]}
    points = only(Task.BINARY, {"name": "random_forest", "grid": grid}).points()
    assert [tuple(point.values()) for point in points] == [(3, 10), (3, 20), (5, 10), (5, 20)]


def test_an_import_path_is_any_estimator_of_scikit_learn():
    """With the seed, with the preprocessing that its kind needs, under its short name."""
    trees = only(Task.BINARY, {"name": "sklearn.ensemble.ExtraTreesClassifier", "n_estimators": 5})
    estimator = trees.estimator(Task.BINARY, 9, {})
    assert isinstance(estimator, ExtraTreesClassifier)
    assert (estimator.n_estimators, estimator.random_state) == (5, 9)
    assert (trees.name, trees.needs.scaled, trees.simplicity) == ("ExtraTreesClassifier", False, Simplicity.FLEXIBLE)
    line = only(Task.REGRESSION, "sklearn.linear_model.HuberRegressor")
    assert (line.needs.scaled, line.simplicity) == (True, Simplicity.LINEAR)


def test_names_that_occur_twice_are_told_apart():
    """The plain one keeps the plain name, and what is the same is tried once."""
    names = ["ridge", {"name": "ridge", "alpha": 1.0}, {"name": "ridge", "alpha": 1.0}, {"name": "ridge"}, "ols"]
    names.append({"name": "ridge", "grid": {"alpha": [1, 2]}})
    found = [candidate.name for candidate in candidates_for(Task.REGRESSION, names)]
    assert found == ["ridge", "ridge(alpha=1.0)", "ols", "ridge(alpha=1|2)", "dummy"]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"max_depth": 3}, ("training.candidates:", "has no name", "{ name =")),
        ({"name": "random_forst"}, ("Did you mean 'random_forest'",)),
        (
            {"name": "random_forest", "max_dept": 3},
            ("training.candidates.random_forest.max_dept", "Did you mean 'max_depth'"),
        ),
        ({"name": "random_forest", "grid": {"max_dept": [3]}}, ("random_forest.max_dept", "Did you mean 'max_depth'")),
        ({"name": "random_forest", "grid": {"max_depth": 3}}, ("random_forest.grid.max_depth", "list of values")),
        ({"name": "random_forest", "grid": {"max_depth": []}}, ("random_forest.grid.max_depth", "list of values")),
        ({"name": "random_forest", "grid": [1]}, ("random_forest.grid", "table of lists")),
        (
            {"name": "random_forest", "max_depth": 3, "grid": {"max_depth": [3]}},
            ("random_forest.grid.max_depth", "also given one value"),
        ),
        ("os.path.join", ("not an import path into scikit-learn",)),
        ("sklearn.nowhere.Model", ("cannot be imported",)),
        ("sklearn.ensemble.ExtraTreeClassifier", ("Did you mean 'ExtraTreesClassifier'",)),
        ("sklearn.ensemble.ExtraTreesRegressor", ("does not do binary",)),
        ("sklearn.svm.LinearSVC", ("no probabilities",)),
        ("sklearn.semi_supervised.SelfTrainingClassifier", ("no probabilities",)),
        ("sklearn.ensemble.StackingClassifier", ("cannot be built from plain values",)),
    ],
)
def test_mistakes_are_named(item, words):
    """Before anything is fitted: the key, what is wrong, the nearest valid name."""
    with pytest.raises(ConfigurationError) as caught:
        candidates_for(Task.BINARY, [item])
    for word in words:
        assert word in str(caught.value)


def test_a_lasso_knows_alpha_beside_the_parameters_of_its_path():
    """The nearest name comes from both."""
    with pytest.raises(ConfigurationError, match="Did you mean 'alpha'"):
        candidates_for(Task.REGRESSION, [{"name": "lasso", "alpha1": 1.0}])


def test_large_multiclass_tables_are_spared_the_patient_preset():
    """Every other table gets the whole default set."""
    small = default_candidates(Task.MULTICLASS, n_rows=LARGE_MULTICLASS // 5, n_classes=5)
    large = default_candidates(Task.MULTICLASS, n_rows=LARGE_MULTICLASS // 5 + 1, n_classes=5)
    assert small == ("logistic", "hist_gradient_boosting", "patient_boosting", "blended_boosting")
    assert large == ("logistic", "hist_gradient_boosting")
    assert "patient_boosting" in default_candidates(Task.BINARY, n_rows=10**7, n_classes=2)


@pytest.mark.parametrize("task", list(Task))
def test_every_name_is_read_for_its_tasks(task):
    """The table of candidates and the reader agree."""
    for name, candidate in CANDIDATES.items():
        if task in candidate.tasks and name != "dummy":
            assert candidates_for(task, [name])[-2:] == (candidate, CANDIDATES["dummy"])


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "catboost"])
def test_a_booster_that_is_not_installed_is_said_before_anything_is_fitted(monkeypatch, name):
    """With what to type."""
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError, match=rf"pip install 'vigie\[{name}\]'"):
        candidates_for(Task.BINARY, [name, "logistic"])


@pytest.mark.parametrize(
    ("name", "params"),
    [("lightgbm", {"num_leaves": 7}), ("xgboost", {"subsample": 0.5}), ("catboost", {"l2_leaf_reg": 5.0})],
)
def test_a_booster_takes_its_own_parameters_and_no_others(name, params):
    """Also those that it was not built with."""
    candidate = candidates_for(Task.REGRESSION, [{"name": name, **params}])[0]
    assert candidate.estimator(Task.REGRESSION, 0, {}).get_params().items() >= params.items()
    with pytest.raises(ConfigurationError, match="no such parameter"):
        candidates_for(Task.REGRESSION, [{"name": name, "max_leafs": 3}])


def test_a_candidate_with_a_parameter_of_the_users_is_fitted_once():
    """It is the model they have in mind; as it comes, the kept model is the mean of two fits."""
    named, written = candidates_for(
        Task.BINARY, ["hist_gradient_boosting", {"name": "hist_gradient_boosting", "max_features": 1.0}]
    )[:2]
    assert (named.members, written.members) == (2, 1)
