"""Vigie, asked as its server asks it: the bundle through the audited reader, rows through the schema, the scorer.

Training is the command ``vigie train``, see ``benchmarks.training.trial``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.training.engines.engine import BATCH, Score, run
from vigie.bundle.trust import Trust
from vigie.inference.payload import read_rows
from vigie.loop.open_bundle import open_bundle


def load(folder: Path) -> Score:
    """Open the bundle; its digests and golden rows are checked, as at every start of a server."""
    members = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    model = open_bundle(members, version="1", trust=Trust())

    def score(records: Sequence[dict[str, Any]]) -> list[Any]:
        rows = read_rows(list(records), model.schema, max_rows=BATCH)
        return [list(found.probabilities) or found.value for found in model.scorer.score_rows(rows.values)]

    return score


if __name__ == "__main__":
    run(None, load)
