"""Power purchase agreements: a slow reference, who bears which risk, and the direct-PPA pilot's known figures."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError
from gridlab.market.time_scales.ppa import KINDS, ppa_summary, settle_ppa
from gridlab.market.time_scales.ppa_pilot import PILOT_FIGURES, guarantee_refund, pilot

MIDNIGHT = datetime(2026, 5, 6)
PRICE = st.integers(-500, 6_000)
ENERGY = st.integers(0, 10**8)
ROWS = st.lists(st.tuples(ENERGY, ENERGY, PRICE), min_size=1, max_size=6)


def agreement(kind, price=2_600, energy=0, contract=0):
    return pl.DataFrame(
        {"contract": [contract], "kind": [kind], "price": [price], "energy": [energy]},
        schema_overrides={"contract": pl.UInt32},
    )


def production(rows, contract=0):
    return pl.DataFrame(
        {
            "contract": [contract] * len(rows),
            "slot": [MIDNIGHT + place * timedelta(minutes=15) for place in range(len(rows))],
            "produced": [row[0] for row in rows],
            "consumed": [row[1] for row in rows],
            "reference": [row[2] for row in rows],
        }
    )


def slow(kind, price, energy, row):
    produced, consumed, reference = row
    volume = energy if kind.startswith("baseload") else produced
    if kind.endswith("cfd"):
        payment = (price - reference) * volume
        return payment, payment + reference * produced, payment + reference * consumed
    payment = price * volume
    return payment, payment + reference * (produced - volume), payment + reference * (consumed - volume)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, kind=st.sampled_from(KINDS), price=PRICE, energy=st.integers(1, 10**8))
def test_equals_the_slow_reference(rows, kind, price, energy):
    energy = energy if kind.startswith("baseload") else 0
    settled = settle_ppa(agreement(kind, price, energy), production(rows))
    got = settled.select("payment", "seller_revenue", "buyer_cost").rows()
    assert got == [slow(kind, price, energy, row) for row in rows]


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, kind=st.sampled_from(KINDS), price=PRICE)
def test_what_the_two_pay_beyond_the_market_cancels(rows, kind, price):
    energy = 1_000_000 if kind.startswith("baseload") else 0
    settled = settle_ppa(agreement(kind, price, energy), production(rows))
    market = pl.col("reference") * (pl.col("consumed") - pl.col("produced"))
    assert settled.select((pl.col("buyer_cost") - pl.col("seller_revenue") == market).all()).item()


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, price=PRICE)
def test_physical_and_financial_agreements_give_the_same_revenue(rows, price):
    for physical, financial, energy in (("pay_as_produced", "cfd", 0), ("baseload", "baseload_cfd", 500)):
        one, other = (settle_ppa(agreement(kind, price, energy), production(rows)) for kind in (physical, financial))
        assert one["seller_revenue"].equals(other["seller_revenue"])


def test_a_worked_example_of_shape_risk():
    # A plant that makes 4 MWh at noon, when power is cheap, and owes 1 MWh in each of four slots.
    rows = [(0, 0, 4_000), (4_000_000, 0, 1_500), (0, 0, 3_500), (0, 0, 4_500)]
    flat = ppa_summary(settle_ppa(agreement("baseload", 2_600, 1_000_000), production(rows))).row(0, named=True)
    own = ppa_summary(settle_ppa(agreement("pay_as_produced"), production(rows))).row(0, named=True)
    assert own["seller_revenue"] == 2_600 * 4_000_000
    assert flat["shape_cost"] == (4_000 + 1_500 + 3_500 + 4_500) * 1_000_000 - 1_500 * 4_000_000
    assert flat["seller_revenue"] == 2_600 * 4_000_000 - flat["shape_cost"]
    assert flat["capture_rate"] == pytest.approx(1_500 / 3_375)


def test_many_agreements_settle_in_one_call():
    terms = pl.concat([agreement("pay_as_produced", 2_600), agreement("cfd", 3_000, contract=1)])
    rows = pl.concat([production([(10, 0, 2_000)]), production([(20, 0, 2_000)], contract=1)])
    assert settle_ppa(terms, rows)["payment"].to_list() == [26_000, 20_000]


def test_bad_input_is_named():
    rows = production([(1, 1, 1)])
    with pytest.raises(MarketError, match="baseload's energy"):
        settle_ppa(agreement("baseload"), rows)
    with pytest.raises(MarketError, match="write 0"):
        settle_ppa(agreement("cfd", energy=5), rows)
    with pytest.raises(MarketError, match="not among the agreements"):
        settle_ppa(agreement("cfd", contract=3), rows)
    with pytest.raises(MarketError, match="in a slot twice"):
        settle_ppa(agreement("cfd"), pl.concat([rows, rows]))
    with pytest.raises(MarketError, match="energy is not 0"):
        settle_ppa(agreement("cfd"), production([(-1, 1, 1)]))
    with pytest.raises(ArgumentTypeError, match="agreements"):
        settle_ppa({}, rows)
    with pytest.raises(MarketError, match="volume"):
        ppa_summary(rows)


# The pilot


def test_fact_sheet_direct_ppa_pilot_2024_to_2026():
    figures = {figure: (value, unit, mark) for figure, value, unit, _, _, mark in PILOT_FIGURES.rows()}
    assert figures["most power of the pilot"] == (2_000.0, "MW", "V")
    assert figures["least plant"] == (1_000.0, "kVA", "V")
    assert figures["guarantee"] == (4.5, "million THB/MW", "V")
    assert figures["use within a year for half of it back"] == (50.0, "%", "V")
    assert figures["use within a year for all of it back"] == (70.0, "%", "V")
    assert figures["wheeling"] == (1.07, "THB/kWh", "V2")
    assert figures["PPA price"][2] == "S"
    assert PILOT_FIGURES.filter(pl.col("confidence") != "S").select((pl.col("as_of") != "").all()).item()


def test_bangkok_post_2026_04_29_guarantee_comes_back_by_half_from_50_and_whole_from_70_per_cent():
    used = [0, 499_999, 500_000, 699_999, 700_000, 1_000_000]
    refunds = guarantee_refund(pl.DataFrame({"contracted_mw": [2] * 6, "used_share": used}))
    assert refunds["guarantee"].to_list() == [9_000_000_000_000] * 6
    halves = [0, 0, 4_500_000_000_000, 4_500_000_000_000, 9_000_000_000_000, 9_000_000_000_000]
    assert refunds["refund"].to_list() == halves


@settings(max_examples=15, deadline=None)
@given(buyers=st.integers(1, 20), power=st.integers(20, 2_000), seed=st.integers(0, 5))
def test_the_pilot_contracts_exactly_its_power_and_marks_what_is_synthetic(buyers, power, seed):
    made = pilot(buyers=buyers, power_mw=power, hours=1, seed=seed)
    assert made.buyers["contracted_mw"].sum() == made.plants["contracted_mw"].sum() == power
    assert made.plants["kva"].min() >= 1_000
    for frame in (made.buyers, made.plants, made.agreements, made.production):
        assert set(frame["confidence"]) == {"S"}


def test_the_pilot_settles_and_its_parts_add_up():
    made = pilot(hours=24)
    settled = made.settle()
    assert settled.height == 8 * 96
    carried = settled.select(pl.min_horizontal("produced", "consumed").sum()).item()
    assert settled["wheeling"].sum() == 1_070 * carried
    assert (settled["landed"] - settled["wheeling"]).equals(settled["buyer_cost"], check_names=False)
    assert settled["payment"].sum() == 2_600 * made.production["produced"].sum() > 0
    guarantees = made.guarantees
    assert guarantees["guarantee"].sum() == 2_000 * 4_500_000 * 1_000_000
    assert guarantees["used_share"].is_between(800_000, 900_000).all()
    assert pilot(price=3, wheeling=0.5).settle()["payment"].sum() == 3_000 * made.production["produced"].sum()
    assert made.production.equals(pilot(hours=24).production)
    assert not made.production.equals(pilot(hours=24, seed=1).production)


def test_the_pilot_has_bounds():
    with pytest.raises(ArgumentError, match="power_mw is 2001"):
        pilot(power_mw=2_001)
    with pytest.raises(ArgumentError, match="power_mw"):
        pilot(buyers=8, power_mw=7)
    with pytest.raises(ArgumentTypeError, match="buyers"):
        pilot(buyers=2.0)
    with pytest.raises(ArgumentTypeError, match="buyers"):
        guarantee_refund({"contracted_mw": [1]})
    with pytest.raises(MarketError, match="used_share"):
        guarantee_refund(pl.DataFrame({"contracted_mw": [1]}))
    with pytest.raises(MarketError, match="1 … 2000 MW"):
        guarantee_refund(pl.DataFrame({"contracted_mw": [0], "used_share": [1]}))
