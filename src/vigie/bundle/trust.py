"""What a process trusts: types that a bundle's model may hold beyond the ones skops trusts by itself, and who signs.

The list is data in our code; a server's owner may add to it in the server's own settings. A bundle never says what is
to be trusted: an artifact that widens its own trust protects nobody. Measured with skops 0.16 and scikit-learn 1.9 on
Pipeline, ColumnTransformer, SimpleImputer, StandardScaler, OneHotEncoder and OrdinalEncoder in front of linear, dummy,
forest, gradient-boosting and hist-gradient-boosting models, native categories included: these names and no
others are needed.
"""

from dataclasses import dataclass, field, replace

TREE = "sklearn.tree._tree.Tree"
TREE_PREDICTOR = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"

CATEGORY_CHECK = frozenset({"functools.partial", "sklearn.utils.validation.check_array"})
"""How hist gradient boosting with native categories checks the columns that are none."""

TRUSTED_TYPES = frozenset({"numpy.dtype", TREE, TREE_PREDICTOR}) | CATEGORY_CHECK
"""Exact names. The two tree types are safe only because ``audit`` checks their arrays before anything predicts, and a
partial function because ``audit`` allows it to call ``check_array`` and nothing else."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What the owner of a process trusts, from their own settings; never from a bundle.

    Attributes:
        types: type names beyond ``TRUSTED_TYPES``.
        signed_only: whether a bundle must be signed by one of ``keys``; if not, signatures are not looked at.
        keys: public keys as ``vigie keys pair`` prints them.
    """

    types: frozenset[str] = field(default_factory=frozenset)
    signed_only: bool = False
    keys: frozenset[str] = field(default_factory=frozenset)

    def before_signing(self) -> "Trust":
        """Return the same trust for a bundle that is not signed yet."""
        return replace(self, signed_only=False)
