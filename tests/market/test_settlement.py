"""Settlement: conservation to the micro-baht, and daily statements against exact fractions."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import floor

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.agents.population import population
from gridlab.calendar import is_on_peak, slots
from gridlab.market.charges import settlement
from gridlab.market.charges.landed import LandedTerms
from gridlab.market.charges.settlement import (
    SETTLEMENT,
    Institutions,
    Rates,
    residuals,
    statement_transfers,
    statements,
    trade_transfers,
)
from gridlab.market.charges.wheeling import Wheeling
from gridlab.market.market import Market

N = 12
ACCOUNTS = population(N, seed=3, pv_share=0.5)
INSTITUTIONS = Institutions(
    market_operator=N, grid=N + 4, revenue_department=N + 1, utilities={"MEA": N + 2, "PEA": N + 3}
)
START = datetime(2026, 5, 6, 8, 30)

# One reading per account and slot; in each slot the trades sell part of what some export to some who import.
READING = st.tuples(st.integers(0, 5000), st.integers(0, 5000))


@st.composite
def days(draw):
    count = draw(st.integers(1, 6))
    rows, trades = [], []
    for t in range(count):
        slot = START + timedelta(minutes=15 * t)
        needs = []
        for account in range(N):
            load, generation = draw(READING)
            rows.append((slot, account, load, generation))
            needs.append(load - generation)
        buyers = [a for a in range(N) if needs[a] > 0]
        sellers = [a for a in range(N) if needs[a] < 0]
        for buyer, seller in zip(buyers, sellers, strict=False):
            energy = draw(st.integers(1, min(needs[buyer], -needs[seller])))
            trades.append((slot, buyer, seller, energy, draw(st.integers(-500, 4000))))
    return rows, trades


def frames(day):
    rows, trades = day
    zone = pl.Datetime("us")
    readings = pl.DataFrame(
        rows, schema={"slot": zone, "account": pl.UInt32, "load": pl.Int64, "generation": pl.Int64}, orient="row"
    ).with_columns(pl.col("slot").dt.replace_time_zone("Asia/Bangkok"))
    traded = pl.DataFrame(
        trades,
        schema={"slot": zone, "buyer": pl.UInt32, "seller": pl.UInt32, "energy": pl.Int64, "price": pl.Int64},
        orient="row",
    ).with_columns(pl.col("slot").dt.replace_time_zone("Asia/Bangkok"), amount=pl.col("energy") * pl.col("price"))
    return readings, traded


RATES = Rates(
    pl.DataFrame(
        {
            "account": pl.Series(range(N), dtype=pl.UInt32),
            "on_peak": [43_841 + 7 * i for i in range(N)],
            "off_peak": [27_660 + 3 * i for i in range(N)],
        }
    ),
    2200,
    70_000,
)


def net(transfers: pl.DataFrame) -> dict[int, int]:
    """Return account -> received less paid."""
    balance = dict.fromkeys(range(N + 5), 0)
    for row in transfers.iter_rows(named=True):
        balance[row["debit"]] -= row["amount"]
        balance[row["credit"]] += row["amount"]
    return balance


@settings(max_examples=60, deadline=None)
@given(days(), st.sampled_from(["postage_stamp", "distance_ladder"]))
def test_every_account_moves_by_exactly_its_bills(day, scheme):
    _, traded = frames(day)
    terms = LandedTerms(Wheeling(scheme=scheme), 20, 70_000)
    billed = terms.bill(traded, ACCOUNTS)
    paid = trade_transfers(billed, ACCOUNTS, INSTITUTIONS)
    assert paid.columns == [c.name for c in SETTLEMENT.columns]
    assert (paid["amount"] > 0).all()
    moved = net(paid)
    assert sum(moved.values()) == 0
    expected = dict.fromkeys(range(N + 5), 0)
    for row in billed.iter_rows(named=True):
        utility = N + 2 if ACCOUNTS["utility"][row["buyer"]] == "MEA" else N + 3
        expected[row["buyer"]] -= row["gross"]
        expected[row["seller"]] += row["amount"]
        expected[utility] += row["wheeling"] + row["losses"]
        expected[N] += row["fee"]
        expected[N + 1] += row["vat"]
    assert moved == expected


@settings(max_examples=60, deadline=None)
@given(days())
def test_statements_equal_exact_fractions_rounded_once(day):
    readings, traded = frames(day)
    rest = residuals(readings, traded)
    assert (rest["from_utility"] >= 0).all()
    assert (rest["to_utility"] >= 0).all()
    assert (rest["imported"] - rest["exported"] == readings["load"] - readings["generation"]).all()
    assert rest["bought"].sum() == rest["sold"].sum() == traded["energy"].sum()
    daily = statements(rest, RATES, is_on_peak(pl.col("slot")))
    assert daily["account"].to_list() == list(range(N))
    for row in daily.iter_rows(named=True):
        mine = rest.filter(account=row["account"]).with_columns(peak=is_on_peak(pl.col("slot")))
        rate = RATES.energy.row(row["account"], named=True)
        tenths = sum(
            r["from_utility"] * rate["on_peak" if r["peak"] else "off_peak"] for r in mine.iter_rows(named=True)
        )
        retail = floor(Fraction(tenths, 10) + Fraction(1, 2))
        assert row["retail"] == retail
        assert row["retail_vat"] == floor(Fraction(retail * 7, 100) + Fraction(1, 2))
        assert row["buy_back"] == mine["to_utility"].sum() * 2200
    transfers = statement_transfers(daily, ACCOUNTS, INSTITUTIONS)
    moved = net(transfers)
    assert sum(moved.values()) == 0
    due = daily["buy_back"] - daily["retail"] - daily["retail_vat"]
    assert [moved[a] for a in range(N)] == due.to_list()
    assert moved[N + 1] == daily["retail_vat"].sum()


def test_a_negative_amount_is_paid_the_other_way():
    traded = pl.DataFrame(
        {
            "slot": slots("2026-05-06", slots=1),
            "buyer": pl.Series([0], dtype=pl.UInt32),
            "seller": pl.Series([1], dtype=pl.UInt32),
            "energy": [1000],
            "price": [-300],
            "amount": [-300_000],
        }
    )
    billed = LandedTerms(Wheeling(postage_stamp=0), 0, 0).bill(traded, ACCOUNTS)
    paid = trade_transfers(billed, ACCOUNTS, INSTITUTIONS)
    energy = paid.filter(pl.col("kind").cast(pl.String) == "energy").row(0, named=True)
    assert (energy["debit"], energy["credit"], energy["amount"]) == (1, 0, 300_000)


def test_a_day_closes_with_one_statement_per_account_and_day():
    two_days = slots("2026-05-06 23:00", slots=8)
    readings = pl.DataFrame(
        {
            "slot": two_days,
            "account": pl.Series([0] * 8, dtype=pl.UInt32),
            "load": [1] * 8,
            "generation": [0] * 8,
        }
    )
    nothing = frames(([], []))[1]
    daily = statements(residuals(readings, nothing), RATES, is_on_peak(pl.col("slot")))
    assert daily["slot"].dt.strftime("%d %H:%M").to_list() == ["06 23:45", "07 00:45"]
    # 4 Wh at 27,660 tenths of THB/MWh are 11,064 micro-THB; summed first, then rounded.
    assert daily["retail"].to_list() == [11_064, 11_064]


@settings(max_examples=30, deadline=None)
@given(days(), st.integers(1, 5))
def test_paying_in_slices_changes_nothing(day, size):
    _, traded = frames(day)
    billed = LandedTerms(Wheeling(), 20, 70_000).bill(traded, ACCOUNTS)
    whole = trade_transfers(billed, ACCOUNTS, INSTITUTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settlement, "_SLICE", size)
        assert trade_transfers(billed, ACCOUNTS, INSTITUTIONS).equals(whole)
        assert trade_transfers(billed.reverse(), ACCOUNTS, INSTITUTIONS)["slot"].is_sorted()


def test_two_prices_go_through_the_operator_and_exports_through_the_grid():
    traded = pl.DataFrame(
        {
            "slot": slots("2026-05-06", slots=1).gather([0, 0, 0]),
            "buyer": pl.Series([0, None, 2], dtype=pl.UInt32),
            "seller": pl.Series([1, 1, None], dtype=pl.UInt32),
            "energy": [1000, 500, 500],
            "price": [2000, 2000, 3000],
            "amount": [2_000_000, 1_000_000, 1_500_000],
            "amount_buy": [2_400_000, 1_000_000, 1_500_000],
        }
    )
    billed = LandedTerms(Wheeling(), 20, 70_000).bill(traded, ACCOUNTS)
    assert billed["gross"][1] == 0  # what leaves the zone owes no charges here
    assert billed["path"].cast(pl.String).to_list()[1:] == ["other_area", "other_area"]
    moved = net(trade_transfers(billed, ACCOUNTS, INSTITUTIONS))
    assert moved[1] == 3_000_000
    assert moved[N] == 400_000 + billed["fee"].sum()
    assert moved[N + 4] == 500_000  # the congestion rent
    assert moved[0] == -billed["gross"][0]
    assert moved[2] == -billed["gross"][2]
    assert sum(moved.values()) == 0


def test_a_market_settles_an_order_frame_in_one_call():
    orders = pl.DataFrame(
        {
            "order_id": [1, 2],
            "slot": slots("2026-05-06", slots=1).gather([0, 0]),
            "zone": ["MAC"] * 2,
            "account": [0, 1],
            "side": ["buy", "sell"],
            "price": [3100, 2200],
            "energy": [1500, 1000],
        }
    )
    settled = Market().settle(orders, ACCOUNTS, INSTITUTIONS)
    assert settled.trades["energy"].to_list() == [1000]
    assert settled.transfers["amount"].sum() == settled.trades["gross"].sum()
    assert "1 trades" in repr(settled)
