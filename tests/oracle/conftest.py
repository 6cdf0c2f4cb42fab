"""A small world to observe."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest

START = datetime(2026, 4, 1)


def world_of(feeds=("price/MAC", "weather/Khon Kaen"), rounds=40, every="15m", level=3_000, swing=200):
    """Feeds that go up and down, one row per round."""
    times = pl.datetime_range(START, interval=every, end=datetime(2027, 1, 1), eager=True).head(rounds)
    values = [
        np.rint(level + swing * np.sin(np.arange(rounds) / 8 + place)).astype(np.int64) for place in range(len(feeds))
    ]
    return pl.concat(
        [
            pl.DataFrame({"feed": [feed] * rounds, "time": times, "value": each})
            for feed, each in zip(feeds, values, strict=True)
        ]
    )


@pytest.fixture(scope="session")
def world():
    return world_of


@pytest.fixture(scope="session")
def start():
    return START
