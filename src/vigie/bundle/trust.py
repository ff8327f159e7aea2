"""The types that a bundle's model may hold beyond the ones skops trusts by itself.

The list is data in our code; a server's owner may add to it in the server's own settings. A bundle never says what is
to be trusted: an artifact that widens its own trust protects nobody. Measured with skops 0.16 and scikit-learn 1.9 on
Pipeline, ColumnTransformer, SimpleImputer, StandardScaler, OneHotEncoder and OrdinalEncoder in front of linear, dummy,
forest, gradient-boosting and hist-gradient-boosting models: the first three names and no others are needed.
"""

TREE = "sklearn.tree._tree.Tree"
TREE_PREDICTOR = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"

ADAPTED = "vigie.bundle.adapted.Adapted"
"""Our own wrapper of a model fitted elsewhere: it holds an estimator, which is audited like any other, and an order."""

TRUSTED_TYPES = frozenset({"numpy.dtype", TREE, TREE_PREDICTOR, ADAPTED})
"""Exact names. The two tree types are safe only because ``trees`` checks their arrays before anything predicts."""
