"""Community sharing: a slow reference with fractions, and that nothing is lost between members."""

from datetime import datetime, timedelta
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError
from gridlab.market.time_scales.community import share_community

MIDNIGHT = datetime(2026, 5, 6)
PPB = 10**9
ENERGY = st.integers(0, 30) | st.integers(0, 10**9) | st.integers(0, 10**13)
MADE = st.dictionaries(st.integers(0, 4), ENERGY, max_size=5)
USED = st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), ENERGY, min_size=1, max_size=15)


def generation(made):
    rows = [(MIDNIGHT + slot * timedelta(minutes=15), energy) for slot, energy in made.items()]
    return pl.DataFrame(rows, schema={"slot": pl.Datetime("us"), "energy": pl.Int64}, orient="row")


def consumption(used):
    rows = [(MIDNIGHT + slot * timedelta(minutes=15), who, energy) for (slot, who), energy in used.items()]
    types = {"slot": pl.Datetime("us"), "account": pl.UInt32, "energy": pl.Int64}
    return pl.DataFrame(rows, schema=types, orient="row")


def slow_split(amount, weights):
    weights = weights if any(weights) else [1] * len(weights)
    exact = [Fraction(amount * weight) / sum(weights) for weight in weights]
    parts = [int(part) for part in exact]
    for place in sorted(range(len(parts)), key=lambda each: (parts[each] - exact[each], each))[: amount - sum(parts)]:
        parts[place] += 1
    return parts


def slow_share(made, used, coefficients):
    members = sorted({who for _, who in used})
    result = {}
    for slot in sorted({*made, *(slot for slot, _ in used)}):
        wanted = [used.get((slot, who), 0) for who in members]
        shares = slow_split(PPB, wanted if coefficients is None else coefficients)
        for who, share, want, got in zip(members, shares, wanted, slow_split(made.get(slot, 0), shares), strict=True):
            result[slot, who] = (share, want, got, min(got, want), max(got - want, 0), max(want - got, 0))
    return result


@settings(max_examples=150, deadline=None)
@given(made=MADE, used=USED, data=st.data())
def test_equals_the_slow_reference(made, used, data):
    members = len({who for _, who in used})
    weights = st.lists(st.integers(0, 9), min_size=members, max_size=members).filter(any)
    coefficients = data.draw(st.none() | weights)
    method = "dynamic" if coefficients is None else "static"
    shares = share_community(generation(made), consumption(used), method=method, coefficients=coefficients).shares
    slot = (pl.col("slot").dt.replace_time_zone(None) - MIDNIGHT).dt.total_minutes() // 15
    got = {row[:2]: row[2:] for row in shares.with_columns(slot=slot).rows()}
    assert got == slow_share(made, used, coefficients)


@settings(max_examples=80, deadline=None)
@given(made=MADE, used=USED, method=st.sampled_from(["static", "dynamic"]))
def test_shares_sum_to_one_and_energy_is_conserved(made, used, method):
    sharing = share_community(generation(made), consumption(used), method=method)
    sums = sharing.shares.group_by("slot").agg(pl.col("share", "allocated").sum())
    assert set(sums["share"]) == {PPB}
    assert sharing.shares["allocated"].sum() == sum(made.values())
    assert sharing.shares["consumption"].sum() == sum(used.values())
    assert (sharing.shares["shared"] + sharing.shares["rest"]).equals(sharing.shares["consumption"], check_names=False)


@settings(max_examples=80, deadline=None)
@given(made=MADE, used=USED)
def test_dynamic_shares_use_at_least_as_much_inside_save_for_rounding(made, used):
    dynamic = share_community(generation(made), consumption(used)).shares
    static = share_community(generation(made), consumption(used), method="static").shares
    # Parts per billion and whole Wh: a member is at most 1 Wh and a billionth of the slot from its exact part.
    slack = static.height + 5 * sum(made.values()) // PPB
    assert dynamic["shared"].sum() >= static["shared"].sum() - slack


def test_a_worked_example_of_static_and_dynamic_shares():
    made, used = {0: 10_000}, {(0, 1): 1_000, (0, 2): 9_000}
    static = share_community(generation(made), consumption(used), method="static", coefficients=[0.5, 0.5])
    assert static.shares["shared"].to_list() == [1_000, 5_000]
    assert static.self_consumption == 0.6
    dynamic = share_community(generation(made), consumption(used))
    assert dynamic.shares["share"].to_list() == [PPB // 10, PPB * 9 // 10]
    assert dynamic.self_consumption == 1.0
    assert dynamic.members["self_sufficiency"].to_list() == [1.0, 1.0]
    assert "100.0 % used inside" in repr(dynamic)


def test_bad_input_is_named():
    made, used = generation({0: 5}), consumption({(0, 1): 5, (0, 2): 5})
    with pytest.raises(ArgumentError, match="did you mean 'dynamic'"):
        share_community(made, used, method="dinamic")
    with pytest.raises(ArgumentTypeError, match="method"):
        share_community(made, used, method=None)
    with pytest.raises(ArgumentError, match="follow consumption"):
        share_community(made, used, coefficients=[1, 1])
    with pytest.raises(ArgumentError, match="2 numbers"):
        share_community(made, used, method="static", coefficients=[1])
    with pytest.raises(ArgumentError, match="not all of them 0"):
        share_community(made, used, method="static", coefficients=[0, 0])
    with pytest.raises(ArgumentTypeError, match="coefficients"):
        share_community(made, used, method="static", coefficients=["half", "half"])
    with pytest.raises(MarketError, match="no member"):
        share_community(made, used.clear())
    with pytest.raises(MarketError, match="twice"):
        share_community(made, pl.concat([used, used]))
    with pytest.raises(MarketError, match="energy is not 0"):
        share_community(generation({0: -1}), used)


def test_nobody_and_nothing_is_a_valid_community():
    assert share_community(generation({}), consumption({(0, 1): 5}).clear()).shares.is_empty()
