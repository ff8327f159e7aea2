"""What kind of question a model answers."""

from enum import StrEnum


class Task(StrEnum):
    """Regression predicts a number; binary and multiclass predict a class."""

    REGRESSION = "regression"
    BINARY = "binary"
    MULTICLASS = "multiclass"

    @property
    def is_classification(self) -> bool:
        """Whether answers are classes with probabilities."""
        return self is not Task.REGRESSION
