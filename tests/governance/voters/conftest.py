"""A small population, a track, and a referendum counted voter by voter."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import polars as pl
import pytest

from gridlab.governance.actions import SetLevers
from gridlab.governance.ballots import Tally
from gridlab.governance.referenda import Referendum, begun, serviced
from gridlab.governance.tracks import Track
from gridlab.governance.voters import GROUPS, POPULATION, Voters
from gridlab.governance.voting import CONVICTIONS, Linear, conviction_votes

DAY = 86_400_000_000


def make_track(**changes):
    usual = {
        "name": "parameter", "capacity": 10, "decision_deposit": 0, "prepare": 0, "decision": 28 * DAY,
        "confirm": 7 * DAY, "enactment": DAY, "approval": Linear(1, Fraction(1, 2), 1),
        "support": Linear(1, 0, Fraction(1, 2)), "quorum": "",
    }  # fmt: skip
    return Track(**usual | changes)


def small_voters(**levers):
    """Some two hundred voters."""
    counts = dict(zip(GROUPS, (120, 40, 3, 8, 6, 3, 20), strict=True))
    return Voters().set({f"{name}.members": count for name, count in counts.items()} | levers)


def count_by_voter(cast, until):
    """Add up what arrived until then, voter by voter."""
    tally = Tally()
    for row in cast.to_dicts():
        if row["arrival"] <= until:
            votes = conviction_votes(row["balance"], CONVICTIONS[row["conviction"]])
            own = (votes, 0, row["balance"]) if row["aye"] else (0, votes, 0)
            tally += Tally(*own, row["balance"])
    return tally


def follow_referendum(track, cast, electorate, steps):
    """Let the chain's own referendum pass through the steps; return how it ended, at which step, and its tally."""
    action = SetLevers((("market.wheeling.postage_stamp", "0.8"),))
    referendum = begun(Referendum(0, 0, action, 0), track, 0, electorate)
    step = 0
    while referendum.end == "":
        step += 1
        now = track.decision * step // steps
        tally = count_by_voter(cast, step / steps)
        counted = replace(referendum, tally=tally)
        referendum = serviced(counted, track, now, electorate, room=True, timeout=10**18)
    return referendum.end, step, referendum.tally


@pytest.fixture(scope="session")
def track():
    return make_track


@pytest.fixture(scope="session")
def small():
    return small_voters


@pytest.fixture(scope="session")
def by_voter():
    return count_by_voter


@pytest.fixture(scope="session")
def followed():
    return follow_referendum


@pytest.fixture(scope="session")
def people():
    """Make a population of rows (group, balance, conviction, delegate, arrival)."""

    def make(rows):
        columns = ("group", "balance", "conviction", "delegate", "arrival")
        frame = pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)
        whole = frame.with_columns(pl.col("delegate").cast(pl.UInt32), exposure=pl.lit(1.0)).with_row_index("voter")
        return POPULATION.check(whole)

    return make
