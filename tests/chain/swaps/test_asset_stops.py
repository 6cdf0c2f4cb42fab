"""Stops of one asset beside stops of the whole chain: whose time stands still, and what other chains hear of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.swaps import Stop, Stops, stop_news
from gridlab.errors import ArgumentTypeError, ChainError

spans = st.lists(st.tuples(st.sampled_from(["", "WATT", "GRID"]), st.integers(0, 60), st.integers(1, 25)), max_size=8)


def log_of(chosen, until=None):
    """Stops of 'here' that do not overlap one of the same asset, those from `until` on left out."""
    stops, reached = Stops(), {}
    for asset, since, length in sorted(chosen, key=lambda span: span[1]):
        begin = max(since, reached.get(asset, 0))
        reached[asset] = begin + length
        if until is not None and begin >= until:
            continue
        stops = stops.begin("here", begin, asset)
        if until is None or begin + length < until:
            stops = stops.end("here", begin + length, asset)
    return stops


def standing_at(stops, moment, asset):
    return any(
        stop.chain == "here" and stop.asset in {"", asset} and stop.since <= moment < (stop.until or 10**9)
        for stop in stops.log
    )


@given(spans, st.sampled_from(["", "WATT", "GRID"]), st.integers(0, 40), st.integers(0, 80))
def test_the_standstill_is_counted_moment_by_moment(chosen, asset, since, length):
    stops, now = log_of(chosen), since + length
    by_hand = sum(standing_at(stops, moment, asset) for moment in range(since, now))
    assert stops.standstill(["here"], since, now, asset=asset) == by_hand
    assert stops.running(now, since=since, chains=["here"], asset=asset) == now - by_hand


@given(spans, st.sampled_from(["WATT", "GRID"]), st.integers(1, 90))
def test_a_stretch_without_a_break_begins_where_it_does(chosen, asset, now):
    stops = log_of(chosen, until=now)
    begun = now
    while begun > 0 and standing_at(stops, begun - 1, asset):
        begun -= 1
    assert stops.since("here", asset, now) == begun


@given(spans, st.lists(st.integers(0, 90), min_size=1, max_size=6))
def test_news_told_at_any_times_freezes_at_least_as_long_as_any_asset(chosen, times):
    told = Stops().begin("elsewhere", 0)
    for now in sorted(times):
        stops = log_of(chosen, until=now)
        for moment, stands in stops.news("here", told):
            told = told.begin("here", moment) if stands else told.end("here", moment)
        for moment in range(now):
            stood = any(standing_at(stops, moment, asset) for asset in ("", "WATT", "GRID"))
            assert standing_at(told, moment, "") == stood
        assert stops.news("here", told) == []


def test_one_asset_stands_and_the_chain_does_not():
    stops = Stops().begin("here", 10, "WATT")
    assert (stops.standing("here", "WATT"), stops.standing("here", "GRID"), stops.standing("here")) == (
        True,
        False,
        False,
    )
    assert Stops().begin("here", 10).standing("here", "GRID")
    with pytest.raises(ChainError, match="WATT on 'here' stands from 10 until now"):
        stops.begin("here", 12, "WATT")
    with pytest.raises(ChainError, match="GRID on 'here' does not stand"):
        stops.end("here", 12, "GRID")
    both = stops.begin("here", 12).end("here", 20, "WATT")
    assert both.log == (Stop("here", 10, 20, "WATT"), Stop("here", 12))
    assert Stops.from_bytes(both.to_bytes()) == both
    assert both.hash != stops.hash
    with pytest.raises(ArgumentTypeError):
        stop_news(both, "here", None)
