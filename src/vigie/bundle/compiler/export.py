"""From a fitted pipeline to the bytes of ``scorer.json``, or to the reason why scikit-learn must answer.

The compiler reads private fields of fitted objects. It therefore works with the scikit-learn versions that it was
measured with, and says so with any other.
"""

from typing import Any

import msgspec
import sklearn
from sklearn.pipeline import Pipeline

from vigie.bundle.compiler.columns import transform
from vigie.bundle.compiler.expression import Block, Column, NotCompiled, UnsupportedError
from vigie.bundle.compiler.models import export_model
from vigie.domain.schema import Schema

FORMAT = 1
"""The layout that is written; ``inference.compiled`` reads it."""

KNOWN_VERSIONS = ("1.9",)
"""Minor versions of scikit-learn whose fitted objects were compared with their compiled twins."""

MAX_BYTES = 64 * 2**20
"""A larger spec would cost every worker more than scikit-learn does."""


def export(model: Pipeline, schema: Schema) -> bytes | NotCompiled:
    """Return the spec of a fitted pipeline.

    Args:
        model: fitted on the frame of ``schema``.
        schema: features in the model's order.

    Returns:
        ``scorer.json``, or why there is none.
    """
    version = ".".join(sklearn.__version__.split(".")[:2])
    if version not in KNOWN_VERSIONS:
        return NotCompiled(f"the compiler does not know scikit-learn {version}, only {', '.join(KNOWN_VERSIONS)}")
    try:
        content = msgspec.json.encode(_spec(model, schema))
    except UnsupportedError as exc:
        return NotCompiled(exc.reason)
    except (AttributeError, TypeError, ValueError, LookupError) as exc:
        return NotCompiled(f"its fitted state is unusual ({type(exc).__name__})")
    if len(content) > MAX_BYTES:
        return NotCompiled(f"its arrays take more than {MAX_BYTES // 2**20} MiB")
    return content


def _spec(model: Pipeline, schema: Schema) -> dict[str, Any]:
    block = Block(tuple(_input(place, schema) for place in range(len(schema.features))))
    estimator: Any = model
    while type(estimator) is Pipeline:
        *steps, (_, last) = estimator.steps
        for _, step in steps:
            block = transform(step, block)
        estimator = last
    classes = len(schema.target.classes)
    if bool(len(getattr(estimator, "classes_", ()))) != bool(classes):  # CatBoost's regressors know an empty list
        raise UnsupportedError("it answers another kind of question than the schema asks")
    return {"format": FORMAT, "inputs": len(schema.features), "classes": classes} | export_model(estimator, block)


def _input(place: int, schema: Schema) -> Column:
    numeric = schema.features[place].kind.is_numeric
    return Column(["num", ["in", place]]) if numeric else Column(["in", place], text=True)
