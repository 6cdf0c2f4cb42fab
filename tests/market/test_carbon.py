"""Carbon: factors and bills exact to the gram and the micro-baht, and emissions trading that balances."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError, LeverError, UnknownLeverError
from gridlab.market.green.carbon import Carbon, grid_factor_on
from gridlab.market.green.carbon_trading import settle_allowances

FACTORS = st.integers(0, 20_000).map(lambda steps: steps / 10_000)
GRAMS = st.integers(0, 50) | st.integers(0, 10**14)
EMITTERS = st.lists(st.tuples(GRAMS, GRAMS), max_size=6)


def use(*rows):
    return pl.DataFrame(rows, schema={"account": pl.UInt32, "energy": pl.Int64, "green": pl.Int64}, orient="row")


def emitters(rows):
    frame = pl.DataFrame(rows, schema={"emissions": pl.Int64, "baseline": pl.Int64}, orient="row")
    return frame.with_row_index("account")


def slow_shares(weights, total):
    """Largest remainder in exact fractions, one unit at a time."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    exact = [Fraction(weight * total, whole) for weight in weights]
    shares = [int(value) for value in exact]
    for place in sorted(range(len(weights)), key=lambda each: (shares[each] - exact[each], each))[
        : total - sum(shares)
    ]:
        shares[place] += 1
    return shares


def slow_settlement(rows, cap_share, free_share, price, penalty):
    cap = int(sum(baseline for _, baseline in rows) * Fraction(str(cap_share)) / 100)
    given_free = int(cap * Fraction(str(free_share)) / 100)
    free = slow_shares([baseline for _, baseline in rows], given_free)
    surplus = [max(each - row[0], 0) for each, row in zip(free, rows, strict=True)]
    short = [max(row[0] - each, 0) for each, row in zip(free, rows, strict=True)]
    traded = min(sum(surplus), sum(short))
    sold, bought = slow_shares(surplus, traded), slow_shares(short, traded)
    wanted = [need - got for need, got in zip(short, bought, strict=True)]
    auctioned = slow_shares(wanted, min(cap - given_free, sum(wanted)))
    left = [need - got for need, got in zip(wanted, auctioned, strict=True)]
    parts = zip(free, sold, bought, auctioned, left, strict=True)
    return [(f, s, b, a, u, (b + a - s) * price + u * penalty) for f, s, b, a, u in parts]


@settings(max_examples=150, deadline=None)
@given(rows=EMITTERS, cap=st.integers(0, 2000), free=st.integers(0, 1000), price=st.integers(0, 10_000))
def test_emissions_trading_equals_the_slow_reference_and_balances(rows, cap, free, price):
    terms = {"ets_cap": cap / 10, "ets_free_allocation": free / 10, "ets_allowance_price": price}
    got = settle_allowances(emitters(rows), Carbon(**terms))
    parts = ("free", "sold", "bought", "auctioned", "uncovered", "cost")
    assert got.select(parts).rows() == slow_settlement(rows, cap / 10, free / 10, price, 1000)
    assert got["sold"].sum() == got["bought"].sum()
    allowed = got["free"] - got["sold"] + got["bought"] + got["auctioned"]
    assert (allowed + got["uncovered"] >= got["emissions"]).all()
    assert sum(got["free"]) + sum(got["auctioned"]) <= int(sum(b for _, b in rows) * Fraction(cap, 1000))
    state = price * sum(got["auctioned"]) + 1000 * sum(got["uncovered"])
    assert sum(got["cost"]) == state


@settings(max_examples=150, deadline=None)
@given(factor=FACTORS, energy=st.integers(0, 10**14), green=st.integers(0, 10**14))
def test_emissions_are_rounded_once_halves_upward(factor, energy, green):
    carbon = Carbon(grid_factor=factor, tax_on_electricity=True)
    row = carbon.statement(use((1, energy, green))).row(0, named=True)

    def rounded(wh):
        return int(wh * Fraction(str(factor)) + Fraction(1, 2))

    assert row["location_based"] == rounded(energy)
    assert row["market_based"] == rounded(max(energy - green, 0))
    assert row["green"] == min(green, energy)
    assert (row["tax"], row["offset_cost"]) == (200 * row["location_based"], 190 * row["market_based"])


@given(factor=st.integers(1, 10_000).map(lambda steps: steps / 10_000))
def test_a_credit_is_backed_by_a_whole_tonne_and_by_no_watt_hour_more(factor):
    energy = Carbon(grid_factor=factor).credit_energy()
    assert (energy - 1) * Fraction(str(factor)) < 1_000_000 <= energy * Fraction(str(factor))


def test_grid_factors_fact_sheet_section_6_2():
    assert grid_factor_on(date(2025, 12, 31)) == Decimal("0.4999")
    assert grid_factor_on(date(2026, 1, 1)) == Decimal("0.4750")
    assert grid_factor_on(datetime(2026, 5, 6, 12)) == Decimal("0.4750")
    assert Carbon().grid_factor == 0.475
    with pytest.raises(ArgumentError, match="2018"):
        grid_factor_on(date(1999, 1, 1))
    with pytest.raises(ArgumentTypeError, match="a date"):
        grid_factor_on("2026-01-01")


def test_tax_of_200_baht_a_tonne_fact_sheet_section_6_2_is_not_on_electricity_by_default():
    assert Carbon().statement(use((1, 1_000_000, 0)))["tax"].to_list() == [0]
    taxed = Carbon(tax_on_electricity=True).statement(use((1, 1_000_000, 0)).drop("green"))
    assert taxed["tax"].to_list() == [95_000_000]


def test_every_lever_has_words_in_both_languages_a_source_and_a_governor():
    levers = Carbon().levers()
    assert {"grid_factor", "tax_rate", "ets_cap", "cbam.certificate_price"} <= set(levers["path"])
    for column in ("label", "label_th", "source", "governed_by"):
        assert (levers[column].str.len_chars() > 0).all()
    assert levers["path"].n_unique() == levers.height
    assert "grid_factor=0.475" in repr(Carbon())


def test_levers_are_moved_through_one_door():
    carbon = Carbon()
    assert carbon.set({"cbam.certificate_price": 80.5, "tax_rate": 400}).get("cbam.certificate_price") == 80.5
    with pytest.raises(LeverError):
        carbon.set({"tax_rate": -1})
    with pytest.raises(UnknownLeverError, match="tax_rate"):
        carbon.set({"tax_rat": 1})


@pytest.mark.parametrize("factor", [0.0, 1.0001])
def test_a_factor_at_which_no_credit_can_be_made_is_refused(factor):
    with pytest.raises(CertificateError, match=r"carbon\.grid_factor"):
        Carbon(grid_factor=factor).credit_energy()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Carbon().statement([1]), ArgumentTypeError, "polars"),
        (lambda: Carbon().statement(use((1, -1, 0))), CertificateError, "energy"),
        (lambda: Carbon().statement(use((1, 1, -1))), CertificateError, "green"),
        (lambda: Carbon().statement(use((1, 10**14 + 1, 0)).lazy()), CertificateError, "energy"),
        (lambda: Carbon().statement(use((1, 1, 1)).drop("energy")), CertificateError, "'energy' is missing"),
        (lambda: settle_allowances(3, Carbon()), ArgumentTypeError, "polars"),
        (lambda: settle_allowances(emitters([(1, 1)]), 3), ArgumentTypeError, "Carbon"),
        (lambda: settle_allowances(emitters([(-1, 1)]), Carbon()), CertificateError, "emissions"),
        (lambda: settle_allowances(pl.concat([emitters([(1, 1)])] * 2), Carbon()), CertificateError, "twice"),
        (lambda: settle_allowances(emitters([(10**14, 1)] * 1001), Carbon()), CertificateError, "wrong unit"),
    ],
)
def test_bad_input_is_refused_with_what_is_allowed(call, error, words):
    with pytest.raises(error, match=words):
        call()
