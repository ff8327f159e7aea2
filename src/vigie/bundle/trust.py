"""The types that a bundle's model may hold beyond the ones skops trusts by itself.

The list is data in our code; a server's owner may add to it in the server's own settings. A bundle never says what is
to be trusted: an artifact that widens its own trust protects nobody. Measured with skops 0.16 and scikit-learn 1.9 on
Pipeline, ColumnTransformer, SimpleImputer, StandardScaler, OneHotEncoder, OrdinalEncoder and TargetEncoder in front of
linear, dummy, forest, gradient-boosting and hist-gradient-boosting models: these names and no others are needed.
"""

TREE = "sklearn.tree._tree.Tree"
TREE_PREDICTOR = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"

FOLDS = frozenset({"sklearn.model_selection._split.KFold", "sklearn.model_selection._split.StratifiedKFold"})
"""How a TargetEncoder dealt its rows while it was fitted: a number, a flag and a seed, never looked at again."""

TRUSTED_TYPES = frozenset({"numpy.dtype", TREE, TREE_PREDICTOR}) | FOLDS
"""Exact names. The two tree types are safe only because ``trees`` checks their arrays before anything predicts."""
