"""A process that logs predictions as fast as it can and says on stdout which ones were acknowledged.

Arguments: path, seed of its ids, how many batches (0: until it is killed), mode. Mode ``log`` acknowledges after
``append``; mode ``early`` is the control: it acknowledges first and appends every twentieth batch. Mode ``count``
appends, counts by hour, and acknowledges then.
"""

import sys
import time
from pathlib import Path

from vigie.adapters.prediction_log.sqlite import SqlitePredictionLog
from vigie.testing.conformance.samples import BINARY, DAY, IdTally, Records

_BATCH = 5
_HELD_BACK = 20


def main(path: str, seed: str, n_batches: str, mode: str) -> None:
    """Write until done or dead."""
    log = SqlitePredictionLog(Path(path), durable=True)
    records, waiting, done = Records(int(seed)), [], 0
    while done < int(n_batches) or n_batches == "0":
        done += 1
        batch = [records.one(float(done)) for _ in range(_BATCH)]
        waiting += batch
        if mode == "early":
            time.sleep(0.005)  # so that a kill comes between two appends, however slow the disk is
        if mode in {"log", "count"} or done % _HELD_BACK == 0:
            log.append("churn", BINARY, waiting)
            waiting = []
        if mode == "count":
            log.hours("churn", BINARY, DAY, IdTally(), version="1")
        lines = "".join(f"{record.id}\n" for record in batch)
        sys.stdout.write(lines)
        sys.stdout.flush()
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
