"""What machines see becomes proposals that people sign."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.emergency import Emergency
from gridlab.chain.emergency.breakers import PROPOSALS, approvals, from_halts, from_jumps, from_reserves, merged
from gridlab.errors import ArgumentTypeError, ChainError, FrameError

START = datetime(2026, 4, 1)
QUARTER = timedelta(minutes=15)


def halts(zones):
    rows = [(START + QUARTER * slot, zone) for zone, slots in zones.items() for slot in slots]
    return pl.DataFrame(rows, schema={"slot": pl.Datetime("us"), "zone": pl.String}, orient="row")


def by_hand(zones, needed, window):
    """The rule word by word: stretches of halted slots, and each that begins soon enough after an earlier one."""
    found = []
    for zone, slots in zones.items():
        begins = [slot for slot in sorted(slots) if slot - 1 not in slots]
        for place, slot in enumerate(begins):
            if place >= needed - 1 and slot - begins[place - needed + 1] < window:
                found.append((slot, zone))
    return sorted(found)


@given(
    st.dictionaries(st.sampled_from(["BKK", "NE", "S"]), st.sets(st.integers(0, 40), min_size=1), max_size=3),
    st.integers(1, 4),
    st.integers(1, 30),
)
def test_halts_are_counted_as_by_hand(zones, needed, window):
    found = from_halts(halts(zones), Emergency(breaker_halts=needed, breaker_window=window))
    first = pl.lit(START).dt.replace_time_zone("Asia/Bangkok")
    rows = found.select(((pl.col("slot") - first) / QUARTER).cast(pl.Int64), "target").sort("slot", "target").rows()
    assert rows == by_hand(zones, needed, window)


def test_a_proposal_says_all_that_is_signed():
    found = from_halts(halts({"BKK": (0, 1, 4, 9)}), Emergency(breaker_halts=3, breaker_window=12, proposed_stop=2.0))
    row = found.row(0, named=True)
    assert (row["action"], row["scope"], row["target"]) == ("stop", "zone", "BKK")
    assert row["reason"] == "circuit breaker: 3 halts within 12 slots"
    assert row["until"] - row["slot"] == timedelta(hours=2)
    (frame,) = approvals(found)
    assert frame.columns == ["action", "scope", "target", "reason", "until"]


def test_a_reserve_gap_proposes_once_while_it_lasts():
    reserves = pl.DataFrame(
        {
            "slot": [START + QUARTER * place for place in range(6)],
            "circulation": [9, 10, 11, 11, 10, 12],
            "reserve": [10, 10, 10, 10, 10, 10],
        }
    )
    found = from_reserves(reserves, Emergency())
    assert found.select("scope", "target", "reason").rows() == [
        ("asset", "WATT", "reserve gap: 1 micro-THB are missing"),
        ("asset", "WATT", "reserve gap: 2 micro-THB are missing"),
    ]
    assert from_reserves(reserves, Emergency(on_reserve_gap=False)).is_empty()


def test_a_jump_proposes_what_trades_on_its_feed():
    jumps = pl.DataFrame({"slot": [START, START], "feed": ["price/NE", "weather/10"]})
    found = from_jumps(jumps, {"price/NE": ("zone", "NE"), "price": ("market", "")}, Emergency())
    assert found.select("scope", "target", "reason").rows() == [("zone", "NE", "oracle: the feed price/NE jumped")]
    assert from_jumps(jumps, {"price/NE": ("zone", "NE")}, Emergency(on_jump=False)).is_empty()
    long = "ราคา" * 60
    cut = from_jumps(pl.DataFrame({"slot": [START], "feed": [long]}), {long: ("market", "")}, Emergency())
    assert len(cut["reason"][0].encode()) <= 200


def test_proposals_of_several_kinds_come_together():
    one = from_halts(halts({"BKK": (0,)}), Emergency(breaker_halts=1))
    assert merged(one, one).equals(one)
    assert merged().schema == pl.Schema(PROPOSALS)
    assert from_halts(halts({}), Emergency()).schema == pl.Schema(PROPOSALS)


def test_what_is_no_frame_lever_or_target_is_refused():
    with pytest.raises(FrameError, match="zone"):
        from_halts(pl.DataFrame({"slot": [START]}), Emergency())
    with pytest.raises(ArgumentTypeError, match="Emergency"):
        from_halts(halts({}), 3)
    with pytest.raises(ChainError, match="no asset"):
        from_jumps(pl.DataFrame({"slot": [START], "feed": ["a"]}), {"a": ("asset", "BAHT")}, Emergency())
