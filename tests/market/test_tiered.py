"""Local first: level by level against a reference, limits on the landed price, and the loss against the optimum."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from gridlab.agents.population import population
from gridlab.errors import ArgumentTypeError, MarketError
from gridlab.market.charges.landed import LandedTerms
from gridlab.market.charges.wheeling import LADDER, PATHS, Wheeling
from gridlab.market.clearing import clear
from gridlab.market.market import Market
from tests.market.both_kernels import clear_both
from tests.market.orders import book
from tests.market.reference import Order, clear_book, frame, pairs

QUICK = settings(max_examples=50, deadline=None)
COLUMNS = [column for _, column in LADDER]


@dataclass(frozen=True)
class Meter:
    """Where an account stands."""

    transformer: int
    feeder: int
    substation: int
    area: int


# Twelve meters in a small country: two to a transformer, then a tree of two.
METERS = [Meter(i // 2, i // 4, i // 6, i // 9) for i in range(12)]
ACCOUNTS = pl.DataFrame({name: [getattr(m, name) for m in METERS] for name in COLUMNS}).with_row_index("account")


@st.composite
def tariffs(draw):
    """Draw landed terms of a few THB/MWh: a ladder, a stamp, or charges in any order, with losses, fee and VAT."""
    rungs = draw(st.lists(st.integers(0, 4), min_size=5, max_size=5))
    if draw(st.booleans()):
        rungs.sort()
    wheeling = Wheeling(
        scheme=draw(st.sampled_from(["postage_stamp", "distance_ladder"])),
        postage_stamp=draw(st.integers(0, 3)) / 1000,
        losses=draw(st.sampled_from([0, 5.35, 30])),
        **{path: rung / 1000 for path, rung in zip(PATHS, rungs, strict=True)},
    )
    return LandedTerms(wheeling, draw(st.integers(0, 2)), draw(st.sampled_from([0, 70_000])))


@st.composite
def order_lists(draw, books=2, size=14, largest=6):
    count = draw(st.integers(0, size))
    return [
        Order(
            order_id=i,
            book=draw(st.integers(0, books - 1)),
            side=draw(st.sampled_from(["buy", "sell"])),
            price=draw(st.integers(-4, 14)),
            energy=draw(st.integers(1, largest)),
            seq=draw(st.integers(0, 3)),
            account=draw(st.integers(0, len(METERS) - 1)),
        )
        for i in draw(st.permutations(range(count)))
    ]


def energy_limit(order, path, terms, *, with_vat=False):
    """Return the limit on the energy price: a seller's own, or what a buyer's landed limit leaves."""
    if order.side == "sell":
        return order.price
    charges = terms.wheeling.charges()
    dearest = max(charges[name] for name in PATHS[: PATHS.index(path) + 1])
    landed = order.price
    if with_vat:
        landed = Fraction(landed) * 10**6 // (10**6 + terms.vat)
    return int(Fraction(landed - dearest - terms.fee) * 10**6 // (10**6 + terms.wheeling.loss_share()))


def tiered_reference(orders, terms, **options):
    """Clear one book place by place; return {order_id: (filled, amount)} and the trades by level."""
    left = {o.order_id: o.energy for o in orders}
    filled, amount, trades = Counter(), Counter(), Counter()
    for path, column in [*LADDER, ("other_area", None)]:
        places = {getattr(METERS[o.account], column) if column else 0 for o in orders}
        for place in sorted(places):
            here = [
                Order(o.order_id, o.book, o.side, energy_limit(o, path, terms), left[o.order_id], o.seq, o.account)
                for o in orders
                if left[o.order_id] and (not column or getattr(METERS[o.account], column) == place)
            ]
            result = clear_book(here, **options)
            for o in here:
                filled[o.order_id] += result.filled[o.order_id]
                amount[o.order_id] += result.filled[o.order_id] * (result.price or 0)
                left[o.order_id] -= result.filled[o.order_id]
            for buy, sell, energy in pairs(here, result.filled):
                trades[column or "zone", buy, sell, result.price] += energy
    return {o.order_id: (filled[o.order_id], amount[o.order_id]) for o in orders}, trades


def tiered(orders, terms, **options):
    return clear_both(frame(orders), "tiered", tariff=terms, accounts=ACCOUNTS, **options)


@QUICK
@given(
    orders=order_lists(),
    terms=tariffs(),
    rationing=st.sampled_from(["pro_rata", "time"]),
    k=st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(2, 3)]),
)
def test_tiered_equals_the_reference(orders, terms, rationing, k):
    clearing = tiered(orders, terms, rationing=rationing, k=k)
    expected, trades = {}, Counter()
    for number in sorted({o.book for o in orders}):
        found, pairs_found = tiered_reference([o for o in orders if o.book == number], terms, rationing=rationing, k=k)
        expected |= found
        trades += pairs_found
    fills = clearing.fills.select("order_id", "filled", "amount").rows()
    assert fills == [(o.order_id, *expected[o.order_id]) for o in orders]
    columns = ["level", "buy_order", "sell_order", "price", "energy"]
    assert Counter({row[:-1]: row[-1] for row in clearing.trades.select(columns).rows()}) == trades


@QUICK
@given(orders=order_lists(), terms=tariffs(), with_vat=st.booleans())
def test_no_bill_passes_the_buyers_limit(orders, terms, with_vat):
    clearing = tiered(orders, terms, limits_with_vat=with_vat)
    billed = terms.bill(clearing.trades, ACCOUNTS)
    limits = {o.order_id: o.price for o in orders}
    for trade in billed.iter_rows(named=True):
        landed = trade["gross"] if with_vat else trade["gross"] - trade["vat"]
        assert landed <= limits[trade["buy_order"]] * trade["energy"]
        assert trade["amount"] >= limits[trade["sell_order"]] * trade["energy"]


@QUICK
@given(orders=order_lists(), terms=tariffs(), k=st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]))
def test_tiered_keeps_the_promises_of_every_market(orders, terms, k):
    clearing = tiered(orders, terms, k=k)
    fills, prices = clearing.fills, clearing.prices
    sums = fills.group_by("side").agg(pl.col("filled", "amount").sum()).sort("side").rows()
    assert len({row[1:] for row in sums} | {(0, 0)}) <= 2
    assert len(sums) == 2 or all(row[1:] == (0, 0) for row in sums)
    assert fills.filter((pl.col("filled") < 0) | (pl.col("filled") > pl.col("energy"))).is_empty()
    assert fills.filter((pl.col("filled") == 0) != pl.col("price").is_null()).is_empty()
    assert fills.filter((pl.col("filled") == pl.col("energy")) != (pl.col("reason") == "filled")).is_empty()
    assert int(prices["energy"].sum()) == int(clearing.trades["energy"].sum())
    surplus = pl.col("buyer_surplus") + pl.col("seller_surplus")
    assert prices.filter((surplus != pl.col("welfare")) | (pl.col("operator_surplus") != 0)).is_empty()
    assert prices.filter((pl.col("buyer_surplus") < 0) | (pl.col("seller_surplus") < 0)).is_empty()
    inside = pl.col("price").is_between(pl.col("price_low"), pl.col("price_high"))
    assert prices.filter((pl.col("energy") > 0) & ~inside).is_empty()


@QUICK
@given(orders=order_lists(), terms=tariffs())
def test_pairs_that_meet_share_the_place_of_their_level(orders, terms):
    accounts = {o.order_id: METERS[o.account] for o in orders}
    ladder_rises = list(terms.wheeling.charges().values()) == sorted(terms.wheeling.charges().values())
    for trade in tiered(orders, terms).trades.iter_rows(named=True):
        buyer, seller = accounts[trade["buy_order"]], accounts[trade["sell_order"]]
        shared = [column for column in COLUMNS if getattr(buyer, column) == getattr(seller, column)]
        if trade["level"] != "zone":
            assert trade["level"] in shared
        if ladder_rises:
            # Neighbours who leave a level without trading have nothing to gain at a dearer one.
            assert trade["level"] == (shared[0] if shared else "zone")


def best_by_assignment(orders, terms):
    """Return the best welfare of one book, each Wh assigned apart."""
    buys = [o for o in orders if o.side == "buy" for _ in range(o.energy)]
    sells = [o for o in orders if o.side == "sell" for _ in range(o.energy)]
    if not buys or not sells:
        return 0
    gains = np.array([[max(0, best_gain(b, s, terms)) for s in sells] for b in buys])
    return int(gains[linear_sum_assignment(gains, maximize=True)].sum())


def best_gain(buy, sell, terms):
    one, other = METERS[buy.account], METERS[sell.account]
    path = next((p for p, column in LADDER if getattr(one, column) == getattr(other, column)), "other_area")
    return energy_limit(buy, path, terms) - sell.price


@QUICK
@given(orders=order_lists(largest=3), terms=tariffs())
def test_the_optimum_equals_the_best_assignment_and_bounds_the_welfare(orders, terms):
    clearing = tiered(orders, terms)
    optimum = clearing.optimum()
    numbers = sorted({o.book for o in orders})
    expected = [best_by_assignment([o for o in orders if o.book == number], terms) for number in numbers]
    assert optimum["best_welfare"].to_list() == expected
    assert optimum["welfare"].to_list() == clearing.prices["welfare"].to_list()
    assert optimum.filter(pl.col("welfare") > pl.col("best_welfare")).is_empty()
    assert optimum.filter(pl.col("welfare_share").is_null() != (pl.col("best_welfare") == 0)).is_empty()


def test_one_place_is_the_uniform_market():
    orders = book([(9, 4), (7, 3), (5, 5)], [(2, 4), (4, 4), (8, 3)], transformer=[1] * 6)
    free = Wheeling(postage_stamp=0, losses=0)
    tiered_one, uniform = clear_both(orders, "tiered", tariff=free), clear_both(orders)
    columns = ["price", "energy", "welfare", "buyer_surplus", "seller_surplus", "demand", "supply"]
    assert tiered_one.prices.select(columns).rows() == uniform.prices.select(columns).rows()
    assert tiered_one.fills["filled"].to_list() == uniform.fills["filled"].to_list()
    assert tiered_one.optimum()["welfare_share"].to_list() == [1.0]


def test_worked_example_of_the_documentation():
    # Two feeders. On the first, a buy at 3000 meets a sell at 2000; the better buy stands on the second.
    orders = book([(3000, 1000), (5000, 1000)], [(2000, 1000)], feeder=[1, 2, 1])
    tariff = Wheeling(scheme="distance_ladder", losses=0)
    clearing = clear_both(orders, "tiered", tariff=tariff)
    assert clearing.trades.select("buy_order", "sell_order", "energy", "price", "level").rows() == [
        (0, 2, 1000, 2325, "feeder")
    ]
    # 3000 - 350 - 2000 and 5000 - 1070 - 2000, for 1 kWh.
    assert clearing.optimum().select("welfare", "best_welfare").row(0) == (650_000, 1_930_000)


def test_without_zone_in_by_zones_meet_in_the_nation():
    orders = book([(5000, 1000)], [(2000, 1000)], feeder=[1, 2]).with_columns(zone=pl.Series(["A", "B"]))
    assert clear_both(orders, "tiered", tariff=Wheeling()).trades.is_empty()
    assert clear_both(orders, "tiered", by="slot", tariff=Wheeling()).trades["level"].to_list() == ["nation"]


def test_an_unknown_place_is_nobodys_neighbour():
    orders = book([(5000, 1000)], [(2000, 1000)], feeder=[None, None]).cast({"feeder": pl.UInt32})
    assert clear_both(orders, "tiered", tariff=Wheeling()).trades["level"].to_list() == ["zone"]


def test_places_may_have_names():
    orders = book([(5000, 1000)], [(2000, 1000)], feeder=["On Nut 3", "On Nut 3"], area=["MEA", "MEA"])
    assert clear_both(orders, "tiered", tariff=Wheeling()).trades["level"].to_list() == ["feeder"]


def test_the_terms_of_a_market_and_its_accounts_fit():
    accounts = population(60, seed=1, pv_share=0.5)
    orders = book([(6000, 1000)] * 30, [(2000, 900)] * 30).with_columns(account=pl.Series(range(60)))
    clearing = clear(orders, "tiered", tariff=Market().landed_terms(), accounts=accounts)
    assert clearing.trades["level"].n_unique() > 1
    assert int(clearing.prices["energy"].sum()) == 27_000


ORDERS = book([(9, 2)], [(3, 2)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs tariff=: a Wheeling, or LandedTerms"),
        ({"tarif": Wheeling()}, "option 'tarif' .* did you mean 'tariff'"),
        ({"tariff": Wheeling()}, "at least one of the columns transformer, feeder, substation, area"),
        ({"tariff": Wheeling(), "pricing": "last_ask"}, "pricing 'last_ask' has no effect with rule 'tiered'"),
        ({"tariff": Wheeling(), "accounts": ACCOUNTS}, "account 101 is not in the accounts frame; allowed: 0 to 11"),
        ({"tariff": Wheeling(), "accounts": ACCOUNTS[::-1]}, "row i must be account i"),
    ],
)
def test_what_tiered_needs_and_does_not_get_is_an_error(options, message):
    with pytest.raises(MarketError, match=message):
        clear(ORDERS, "tiered", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tariff": 1.07}, "tariff: expected a Wheeling or LandedTerms, got 1.07"),
        ({"tariff": Wheeling(), "accounts": {"feeder": [1]}}, "accounts: expected a polars DataFrame"),
        ({"tariff": Wheeling(), "limits_with_vat": 1}, "limits_with_vat: expected True or False"),
    ],
)
def test_an_option_of_a_wrong_type_is_an_error(options, message):
    with pytest.raises(ArgumentTypeError, match=message):
        clear(ORDERS, "tiered", **options)


def test_a_place_that_is_no_name_is_an_error():
    with pytest.raises(MarketError, match="column 'feeder' has dtype Float64, which names no places"):
        clear(ORDERS.with_columns(feeder=pl.Series([0.5, 0.5])), "tiered", tariff=Wheeling())


def test_money_that_would_not_fit_is_an_error():
    orders = book([(2**30, 2**33 - 2)], [(0, 1)], feeder=[1, 1])
    with pytest.raises(MarketError, match="largest price and charges"):
        clear(orders, "tiered", tariff=Wheeling(postage_stamp=5))


def test_an_empty_frame_is_a_market_in_which_nothing_trades():
    clearing = clear(ORDERS.with_columns(feeder=pl.lit(1)).clear(), "tiered", tariff=Wheeling())
    assert clearing.prices.is_empty()
    assert clearing.trades.is_empty()
    assert clearing.optimum().is_empty()
