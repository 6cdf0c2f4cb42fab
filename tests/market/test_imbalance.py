"""Imbalance: a slow reference, what is conserved, and that it is never for free."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError
from gridlab.market.time_scales.imbalance import (
    METHODS,
    SOURCES,
    imbalance_prices,
    imbalance_transfers,
    operator_account,
    settle_imbalance,
)
from gridlab.market.time_scales.sequence_balancing import PRICINGS, activate

MIDNIGHT = datetime(2026, 5, 6)
SLOT = timedelta(minutes=15)
ENERGY = st.integers(-50, 50) | st.integers(-(10**7), 10**7)
PRICE = st.integers(-5, 5) | st.integers(-2_000, 9_000)
WHERE = st.tuples(st.integers(0, 2), st.sampled_from("AB"))
POSITIONS = st.dictionaries(st.tuples(WHERE, st.integers(0, 4)), st.tuples(ENERGY, ENERGY), max_size=14)
REFERENCES = st.dictionaries(WHERE, PRICE | st.none(), max_size=6)
OFFERS = st.lists(st.tuples(WHERE, st.sampled_from(["buy", "sell"]), PRICE, st.integers(1, 10**6)), max_size=14)


def positions_frame(positions):
    rows = [(MIDNIGHT + slot * SLOT, zone, who, *pair) for ((slot, zone), who), pair in positions.items()]
    names = ["slot", "zone", "account", "contracted", "metered"]
    types = [pl.Datetime("us"), pl.String, pl.UInt32, pl.Int64, pl.Int64]
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")


def references_frame(references):
    rows = [(MIDNIGHT + slot * SLOT, zone, price) for (slot, zone), price in references.items()]
    return pl.DataFrame(rows, schema={"slot": pl.Datetime("us"), "zone": pl.String, "price": pl.Int64}, orient="row")


def offers_frame(offers):
    rows = [
        (number, MIDNIGHT + slot * SLOT, zone, 10 + number, side, price, energy)
        for number, ((slot, zone), side, price, energy) in enumerate(offers)
    ]
    names = ["order_id", "slot", "zone", "account", "side", "price", "energy"]
    types = [pl.UInt64, pl.Datetime("us"), pl.String, pl.UInt32, pl.String, pl.Int64, pl.Int64]
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")


def needs_frame(positions):
    imbalance = pl.col("metered") - pl.col("contracted")
    return positions_frame(positions).group_by("slot", "zone").agg(need=imbalance.sum())


def slow_activate(offers, needs):
    """Walk through each book's merit order; returns order number -> (Wh, marginal price)."""
    activated = {}
    for where, need in needs.items():
        side, sign = ("sell", 1) if need > 0 else ("buy", -1)
        book = [
            (sign * price, number, energy)
            for number, (at, s, price, energy) in enumerate(offers)
            if (at, s) == (where, side)
        ]
        left, taken = abs(need), {}
        for key, number, energy in sorted(book):
            if left:
                taken[number] = (min(left, energy), sign * key)
                left -= taken[number][0]
        if taken:
            marginal = list(taken.values())[-1][1]
            activated |= {number: (energy, marginal) for number, (energy, _) in taken.items()}
    return activated


def slow_prices(system, reference, marginal, terms):
    """`marginal` is the price of the last activated order, or None."""
    method, source, markup, markdown, least = terms
    up = reference + -(-abs(reference) * markup // 1_000_000)
    down = reference - -(-abs(reference) * markdown // 1_000_000)
    if source == "balancing" and marginal is not None and system > 0:
        up = max(marginal, reference)
    if source == "balancing" and marginal is not None and system < 0:
        down = min(marginal, reference)
    if method == "single":
        one = up if system > 0 else down if system < 0 else reference
        return max(one, least), max(one, least)
    short = up if source == "markup" or system > 0 else reference
    long = down if source == "markup" or system < 0 else reference
    return max(short, least), long


def run(positions, references, offers, *, pricing="marginal", **terms):
    frame = positions_frame(positions)
    balancing = activate(offers_frame(offers), needs_frame(positions), pricing=pricing)
    prices = imbalance_prices(frame, references_frame(references), balancing.activations, **terms)
    return balancing, prices, settle_imbalance(frame, prices)


@settings(max_examples=150, deadline=None)
@given(
    positions=POSITIONS,
    references=REFERENCES,
    offers=OFFERS,
    method=st.sampled_from(METHODS),
    source=st.sampled_from(SOURCES),
    marks=st.tuples(st.integers(0, 400_000), st.integers(0, 400_000)),
    least=st.integers(1, 50),
)
def test_equals_the_slow_reference(positions, references, offers, method, source, marks, least):
    terms = {"method": method, "source": source, "markup": marks[0], "markdown": marks[1], "least": least}
    balancing, _, settled = run(positions, references, offers, **terms, fallback=77)
    needs = {}
    for (where, _), (contracted, metered) in positions.items():
        needs[where] = needs.get(where, 0) + metered - contracted
    activated = slow_activate(offers, needs)
    got = dict(balancing.activations.select("order_id", "activated").rows())
    assert got == {number: energy for number, (energy, _) in activated.items()}
    marginal = {offers[number][0]: price for number, (_, price) in activated.items()}
    expected = {}
    for (where, who), (contracted, metered) in positions.items():
        reference = references.get(where)
        prices = slow_prices(
            needs[where], 77 if reference is None else reference, marginal.get(where), (method, source, *marks, least)
        )
        missed = metered - contracted
        expected[MIDNIGHT + where[0] * SLOT, where[1], who] = (missed, missed * prices[missed <= 0])
    columns = ["slot", "zone", "account", "imbalance", "payment"]
    naive = settled.with_columns(pl.col("slot").dt.replace_time_zone(None)).select(columns)
    assert {row[:3]: row[3:] for row in naive.rows()} == expected


@settings(max_examples=100, deadline=None)
@given(
    positions=POSITIONS,
    references=REFERENCES,
    offers=OFFERS,
    method=st.sampled_from(METHODS),
    source=st.sampled_from(SOURCES),
    pricing=st.sampled_from(PRICINGS),
)
def test_what_accounts_pay_less_what_balancing_costs_is_what_the_operator_keeps(
    positions, references, offers, method, source, pricing
):
    balancing, _, settled = run(positions, references, offers, pricing=pricing, method=method, source=source)
    account = operator_account(settled, balancing.activations)
    signed = pl.when(pl.col("side") == "sell").then("amount").otherwise(-pl.col("amount"))
    cost = balancing.activations.select(signed.sum()).item()
    assert account["kept"].sum() == settled["payment"].sum() - cost
    paid = imbalance_transfers(settled, 99)
    into = paid.filter(pl.col("credit") == 99)["amount"].sum() - paid.filter(pl.col("debit") == 99)["amount"].sum()
    assert into == account["imbalance_income"].sum()
    assert paid.height == 0 or paid["amount"].min() > 0


@settings(max_examples=100, deadline=None)
@given(positions=POSITIONS, references=REFERENCES, offers=OFFERS, source=st.sampled_from(SOURCES))
def test_short_always_pays_and_under_dual_prices_nobody_gains_over_the_day_ahead_price(
    positions, references, offers, source
):
    for method in METHODS:
        _, prices, settled = run(positions, references, offers, method=method, source=source)
        assert settled.filter(pl.col("imbalance") > 0).select((pl.col("payment") > 0).all()).item()
    joined = settled.join(prices, on=["slot", "zone"])
    gain = pl.col("imbalance") * pl.col("reference") - pl.col("payment")
    assert joined.select((gain <= 0).all()).item()


@settings(max_examples=100, deadline=None)
@given(positions=POSITIONS, offers=OFFERS)
def test_no_more_is_activated_than_the_zone_lacks_or_an_order_offers(positions, offers):
    balancing = activate(offers_frame(offers), needs_frame(positions))
    summary = balancing.summary
    assert (summary["covered"] + summary["uncovered"]).equals(summary["need"], check_names=False)
    assert summary.select((pl.col("covered").abs() <= pl.col("need").abs()).all()).item()
    assert balancing.activations.select((pl.col("activated") <= pl.col("energy")).all()).item()


def test_a_worked_example_of_single_and_dual_prices():
    positions = {((0, "A"), 1): (1_000, 1_600), ((0, "A"), 2): (0, -200)}  # 600 Wh short, 200 Wh long
    offers = [((0, "A"), "sell", 4_000, 300), ((0, "A"), "sell", 3_500, 300)]
    _, _, single = run(positions, {(0, "A"): 3_000}, offers, method="single")
    assert single["payment"].to_list() == [600 * 4_000, -200 * 4_000]
    balancing, _, dual = run(positions, {(0, "A"): 3_000}, offers, method="dual")
    assert dual["payment"].to_list() == [600 * 4_000, -200 * 3_000]
    assert operator_account(dual, balancing.activations)["kept"].to_list() == [200 * 1_000]


def test_pay_as_bid_pays_each_activated_order_its_own_price():
    offers = [((0, "A"), "sell", 4_000, 300), ((0, "A"), "sell", 3_500, 300)]
    balancing = activate(offers_frame(offers), needs_frame({((0, "A"), 1): (0, 400)}), pricing="pay_as_bid")
    assert balancing.activations["amount"].to_list() == [300 * 3_500, 100 * 4_000]


def test_bad_input_is_named():
    frame, index = positions_frame({((0, "A"), 1): (0, 5)}), references_frame({(0, "A"): 3_000})
    with pytest.raises(ArgumentError, match="did you mean 'single'"):
        imbalance_prices(frame, index, method="singel")
    with pytest.raises(ArgumentTypeError, match="method"):
        imbalance_prices(frame, index, method=1)
    with pytest.raises(ArgumentError, match="least is 0"):
        imbalance_prices(frame, index, least=0)
    with pytest.raises(MarketError, match="two positions"):
        imbalance_prices(pl.concat([frame, frame]), index)
    with pytest.raises(MarketError, match="two reference prices"):
        imbalance_prices(frame, pl.concat([index, index]))
    with pytest.raises(MarketError, match="wrong unit"):
        imbalance_prices(positions_frame({((0, "A"), 1): (0, 10**13)}), index)
    with pytest.raises(MarketError, match="has none"):
        settle_imbalance(positions_frame({((1, "A"), 1): (0, 5)}), imbalance_prices(frame, index))
    with pytest.raises(ArgumentTypeError, match="imbalance prices"):
        settle_imbalance(frame, None)
    with pytest.raises(MarketError, match="price_short"):
        settle_imbalance(frame, index)
    with pytest.raises(MarketError, match="account"):
        operator_account(index)
    with pytest.raises(MarketError, match="payment"):
        imbalance_transfers(frame, 9)
    dear = activate(offers_frame([((0, "A"), "sell", 10**7, 9)]), needs_frame({((0, "A"), 1): (0, 5)}))
    with pytest.raises(MarketError, match="beyond"):
        imbalance_prices(frame, index, dear.activations)
    with pytest.raises(ArgumentError, match="pay_as_bid"):
        activate(offers_frame([]), needs_frame({}), pricing="pay_as_bit")
    with pytest.raises(ArgumentTypeError, match="pricing"):
        activate(offers_frame([]), needs_frame({}), pricing=None)
