"""What turns columns into predictions. The chain is ``compiled``, then ``sklearn_scorer``, chosen at training."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from vigie.domain.prediction import Prediction
from vigie.domain.schema import Value


class Scorer(Protocol):
    """A model that answers. Safe to call from several threads at once."""

    @property
    def kind(self) -> str:
        """Which link of the chain it is: ``compiled`` or ``sklearn``."""
        ...

    def score(self, columns: Mapping[str, Sequence[Value]]) -> list[Prediction]:
        """Return one prediction per row, in order.

        Args:
            columns: one sequence of equal length per feature of the schema.

        Raises:
            DataError: the model cannot take a number of this size, a missing value or an unseen category.
            BundleError: the model's answer is no finite number.
        """
        ...

    def score_rows(self, rows: Sequence[tuple[Value, ...]]) -> list[Prediction]:
        """Return one prediction per row, in order, as ``score`` would.

        Args:
            rows: values in the order of the schema's features.

        Raises:
            DataError: as ``score`` does.
            BundleError: as ``score`` does.
        """
        ...
