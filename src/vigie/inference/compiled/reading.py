"""``scorer.json`` from bytes: read, and refused as a whole when anything is out of place.

A spec is data from anywhere. Every array is checked before a line of code is made of it, so that a tampered tree is a
refusal with a sentence and never a crash, an endless walk or an answer from beside the array.
"""

from collections.abc import Sequence

import msgspec

from vigie.domain.schema import Schema
from vigie.domain.task import Task
from vigie.errors import BundleError
from vigie.inference.compiled.arrays import MAX_SCORES, check_trees, finite
from vigie.inference.compiled.expressions import NUMBER, Kind, check_columns
from vigie.inference.compiled.layout import FORMAT, Linear, Spec, Trees, require


def read_spec(content: bytes, schema: Schema) -> Spec:
    """Return the spec that ``content`` is, if a model of ``schema`` can be made of it.

    Raises:
        BundleError: with the first thing found wrong.
    """
    try:
        spec: Spec = msgspec.json.decode(content, type=Spec)
        fields = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BundleError(f"scorer.json cannot be read: {exc}.") from exc
    # Quotes, colons and commas, and the two braces: what is longer holds a field twice, and another reader might take
    # the other one.
    length = sum(len(name) + len(value) + 4 for name, value in fields.items()) + 1
    require(length == len(content), "has a field twice, or blanks between its fields")
    require(spec.format == FORMAT, f"has layout {spec.format}, this Vigie reads {FORMAT}")
    require(spec.inputs == len(schema.features), "was made for another number of features than schema.json has")
    kinds = check_columns(spec.cols, schema)
    if isinstance(spec, Linear):
        _check_linear(spec, kinds)
        n_scores = len(spec.b)
    else:
        check_trees(spec, kinds)
        n_scores = len(spec.base)
    _check_task(spec, n_scores, schema)
    return spec


def _check_linear(spec: Linear, kinds: Sequence[Kind]) -> None:
    require(all(kind == NUMBER for kind in kinds), "weighs a column that is no number")
    require(len(spec.W) == len(spec.b) >= 1, "has other rows of weights than intercepts")
    require(len(spec.b) <= MAX_SCORES, f"has {len(spec.b):,} scores; 1 to {MAX_SCORES:,} are read")
    require(all(len(row) == len(kinds) for row in spec.W), "has other weights than columns")
    require(all(finite(row) for row in spec.W) and finite(spec.b), "weighs by something not finite")


def _check_task(spec: Spec, n_scores: int, schema: Schema) -> None:
    task, n_classes = schema.target.task, len(schema.target.classes)
    require(spec.classes == n_classes, "tells apart another number of classes than schema.json names")
    if task is Task.REGRESSION:
        fits = n_scores == 1 and spec.link in {"identity", "exp", "exp32"}
    elif spec.link in {"expit", "expit2", "expit32"}:
        fits = n_scores == 1 and n_classes == 2
    else:
        fits = n_scores == n_classes and spec.link in {"softmax", "softmax32", "none"}
    require(fits, f"ends in a link that gives no {task.value} answer")
    require(isinstance(spec, Trees) or spec.link != "none", "takes a weighted sum for a probability")
