"""Landed bills: the parts, their roundings, and the buyer's limit, against plain fractions."""

from datetime import datetime
from fractions import Fraction
from math import floor

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.agents.population import population
from gridlab.errors import LeverError
from gridlab.market.charges.landed import BILL_PARTS, LandedTerms, share_of
from gridlab.market.charges.wheeling import LADDER, PATHS, Wheeling
from gridlab.market.market import Market

ACCOUNTS = population(60, seed=1, pv_share=0.5)


def half_up(x: Fraction) -> int:
    return floor(x + Fraction(1, 2))


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**6))
def test_share_of_rounds_halves_upward_exactly(amount, ppm):
    got = pl.select(share_of(pl.lit(amount, dtype=pl.Int64), ppm)).item()
    assert got == half_up(Fraction(amount) * ppm / 10**6)


def test_narrow_integers_do_not_wrap_in_a_bill():
    trades = trades_of([(0, 1, 1000, 2200)])
    narrow = trades.with_columns(pl.col("energy", "price", "amount").cast(pl.Int32))
    terms = LandedTerms(Wheeling(), 20, 70_000)
    assert terms.bill(narrow, ACCOUNTS)["gross"].to_list() == terms.bill(trades, ACCOUNTS)["gross"].to_list()


def test_share_of_does_not_wrap_where_the_result_fits():
    largest = 2**63 - 1
    assert pl.select(share_of(pl.lit(largest, dtype=pl.Int64), 10**6)).item() == largest


def trades_of(rows):
    return pl.DataFrame(
        {
            "slot": [datetime(2026, 5, 6, 12)] * len(rows),
            "buyer": pl.Series([r[0] for r in rows], dtype=pl.UInt32),
            "seller": pl.Series([r[1] for r in rows], dtype=pl.UInt32),
            "energy": [r[2] for r in rows],
            "price": [r[3] for r in rows],
            "amount": [r[2] * r[3] for r in rows],
        }
    )


def path_between(a: int, b: int) -> str:
    one, other = ACCOUNTS.row(a, named=True), ACCOUNTS.row(b, named=True)
    return next((path for path, column in LADDER if one[column] == other[column]), "other_area")


ROW = st.tuples(st.integers(0, 59), st.integers(0, 59), st.integers(1, 10**6), st.integers(-2000, 9000))


@given(
    st.lists(ROW, min_size=1, max_size=20),
    st.sampled_from(["postage_stamp", "distance_ladder", "per_voltage", "percentage"]),
    st.sampled_from(["buyer", "split", "seller"]),
    st.integers(0, 3000),
    st.integers(0, 500),
    st.sampled_from([0, 7, 10]),
)
def test_the_bill_equals_a_plain_reference(rows, scheme, payer, loss_hundredths, fee, vat):
    wheeling = Wheeling(scheme=scheme, payer=payer, losses=loss_hundredths / 100)
    billed = LandedTerms(wheeling, fee, vat * 10_000).bill(trades_of(rows), ACCOUNTS)
    charges = wheeling.charges()
    for (buyer, seller, energy, price), row in zip(rows, billed.iter_rows(named=True), strict=True):
        path = path_between(buyer, seller)
        amount = price * energy
        losses = half_up(Fraction(amount) * loss_hundredths / 10_000)
        charge = (
            {"22-33 kV": 706, "<22 kV": 1070}[ACCOUNTS["voltage"][buyer]] if scheme == "per_voltage" else charges[path]
        )
        carried = charge * energy + (half_up(Fraction(amount) * 3 / 10) if scheme == "percentage" else 0)
        of_seller = {"buyer": lambda x: 0, "split": lambda x: x // 2, "seller": lambda x: x}[payer]
        sellers = of_seller(carried) + of_seller(losses)
        before_vat = amount + carried + losses - sellers + fee * energy
        buyer_vat, seller_vat = (half_up(Fraction(part) * vat / 100) for part in (before_vat, sellers))
        assert row["path"] == path
        assert row["wheeling"] == carried
        assert row["losses"] == losses
        assert row["fee"] == fee * energy
        assert row["vat"] == buyer_vat + seller_vat
        assert row["gross"] == before_vat + buyer_vat
        kept = row["amount"] - row["seller_wheeling"] - row["seller_losses"] - row["seller_vat"]
        assert kept == amount - sellers - seller_vat
        assert row["gross"] - row["amount"] + (row["amount"] - kept) == sum(row[part] for part in BILL_PARTS[1:])


def test_the_postage_stamp_knows_no_distance_and_the_ladder_grows_with_it():
    stamp, ladder = Wheeling(), Wheeling(scheme="distance_ladder")
    assert set(stamp.charges().values()) == {1070}
    charges = [ladder.charges()[path] for path in PATHS]
    assert charges == sorted(charges) == [200, 350, 450, 750, 1070]
    assert ladder.highest() == 1070


@given(st.integers(20_000, 70_000), st.integers(0, 3000), st.integers(0, 500))
def test_a_buyer_at_his_limit_never_pays_more_than_retail(landed, loss_hundredths, fee):
    terms = LandedTerms(Wheeling(losses=loss_hundredths / 100), fee, 70_000)
    limit = pl.select(terms.highest_energy_price(pl.lit(landed, dtype=pl.Int64))).item()

    def per_mwh(price: int) -> Fraction:
        return price * (1 + Fraction(loss_hundredths, 10_000)) + terms.wheeling.highest() + fee

    assert per_mwh(limit) <= Fraction(landed, 10) < per_mwh(limit + 1)


@given(
    st.integers(0, 5000),
    st.sampled_from(["buyer", "split", "seller"]),
    st.sampled_from(["postage_stamp", "per_voltage", "percentage"]),
    st.integers(0, 3000),
    st.integers(0, 100),
)
def test_a_seller_at_his_lowest_ask_is_left_with_what_he_could_get_elsewhere(net, payer, scheme, loss, percent):
    wheeling = Wheeling(payer=payer, scheme=scheme, losses=loss / 100, percentage=percent)
    terms = LandedTerms(wheeling, 20, 70_000)
    part = {"buyer": Fraction(0), "split": Fraction(1, 2), "seller": Fraction(1)}[payer] * Fraction(107, 100)
    share = Fraction(loss, 10_000) + (Fraction(percent, 100) if scheme == "percentage" else 0)
    ask = terms.lowest_ask(net)

    def left(price: int) -> Fraction:
        return price - part * (wheeling.highest() + share * price)

    if ask is None:
        assert part * share >= 1
    else:
        assert left(ask) >= net > left(ask - 1)


def test_a_buyer_allows_for_the_charge_of_his_own_voltage():
    terms = LandedTerms(Wheeling(scheme="per_voltage", losses=0), 0, 0)
    frame = pl.DataFrame({"landed": [43_000, 43_000], "voltage": ["<22 kV", "22-33 kV"]})
    limits = frame.select(terms.highest_energy_price(pl.col("landed"), pl.col("voltage"))).to_series()
    assert limits.to_list() == [4300 - 1070, 4300 - 706]
    assert frame.select(terms.highest_energy_price(pl.col("landed"))).to_series().to_list() == [3230, 3230]


def test_tiered_counts_charges_with_the_buyer_alone():
    with pytest.raises(LeverError, match=r"wheeling\.payer must be 'buyer'"):
        Market(rule="tiered").set({"wheeling.payer": "split"})


@pytest.mark.parametrize("rule", ["uniform", "pay_as_bid"])
def test_a_market_alone_clears_any_order_frame(rule):
    orders = pl.DataFrame(
        {
            "order_id": [1, 2, 3],
            "slot": [datetime(2026, 5, 6, 12)] * 3,
            "zone": ["MAC"] * 3,
            "account": [0, 1, 2],
            "side": ["buy", "sell", "sell"],
            "price": [3100, 2200, 2400],
            "energy": [1500, 1000, 1000],
        }
    )
    clearing = Market(rule=rule).clear(orders)
    assert clearing.prices["energy"].to_list() == [1500]
    billed = Market(rule=rule).landed_terms().bill(clearing.trades, ACCOUNTS)
    assert billed["gross"].sum() == sum(billed[part].sum() for part in BILL_PARTS)


def test_the_market_passes_every_lever_on():
    orders = pl.DataFrame(
        {
            "order_id": [1, 2],
            "slot": [datetime(2026, 5, 6, 12)] * 2,
            "zone": ["MAC"] * 2,
            "account": [0, 1],
            "side": ["buy", "sell"],
            "price": [3000, 2000],
            "energy": [1000, 1000],
        }
    )
    prices = {
        (pricing, k): Market(pricing=pricing, k=k, seller_share=0.25).clear(orders).prices["price"][0]
        for pricing in ("competitive", "last_ask", "last_bid", "seller_share")
        for k in (0.0, 0.3, 1.0)
    }
    assert [prices["competitive", k] for k in (0.0, 0.3, 1.0)] == [2000, 2300, 3000]
    assert {prices["last_ask", k] for k in (0.0, 0.3, 1.0)} == {2000}
    assert {prices["last_bid", k] for k in (0.0, 0.3, 1.0)} == {3000}
    assert {prices["seller_share", k] for k in (0.0, 0.3, 1.0)} == {2250}
    with pytest.raises(ValueError, match="cap"):
        Market(price_cap=2.5).clear(orders)
