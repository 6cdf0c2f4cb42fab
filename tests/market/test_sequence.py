"""The market sequence: positions that add up, forecasts that get better, and a lab's agents as traders."""

import doctest
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab as gl
from gridlab.calendar import is_on_peak, slots
from gridlab.day import retail_rates
from gridlab.errors import ArgumentError, ArgumentTypeError, LeverError, MarketError
from gridlab.market.charges.settlement import statements
from gridlab.market.time_scales.sequence import MarketSequence, limit_orders
from gridlab.market.time_scales.sequence_forecasts import forecast_errors, forecasts
from gridlab.market.time_scales.sequence_result import SETTLEMENT_KINDS

TRADERS = limit_orders(bid=3_200, ask=2_400)
RESERVE, OPERATOR = 900, 901
LEVERS = st.fixed_dictionaries(
    {
        "intraday": st.booleans(),
        "gate_closure": st.sampled_from([0, 15, 60, 1440]),
        "forecast_error": st.sampled_from([0.0, 5.0, 40.0]),
        "rest": st.sampled_from(["utility", "imbalance"]),
        "balancing": st.booleans(),
        "balancing_pricing": st.sampled_from(["marginal", "pay_as_bid"]),
        "imbalance_method": st.sampled_from(["single", "dual"]),
        "imbalance_source": st.sampled_from(["balancing", "markup"]),
        "day_ahead_rule": st.sampled_from(["uniform", "pay_as_bid"]),
    }
)


@pytest.fixture(scope="module")
def agents():
    return gl.Agents(24, seed=3)


@pytest.fixture(scope="module")
def readings(agents):
    return agents.readings(slots("2026-05-06T10:00", hours=4))


@pytest.fixture(scope="module")
def result(agents, readings):
    return MarketSequence().run(readings, agents.accounts(), TRADERS, reserve=RESERVE)


@settings(max_examples=30, deadline=None)
@given(levers=LEVERS, seed=st.integers(0, 3))
def test_every_position_adds_up_whatever_the_levers(agents, readings, levers, seed):
    result = MarketSequence(**levers).run(readings, agents.accounts(), TRADERS, reserve=RESERVE, seed=seed)
    parts = pl.sum_horizontal("day_ahead", "intraday", "utility", "balancing")
    positions = result.positions
    assert positions.select((pl.col("metered") - parts == pl.col("imbalance")).all()).item()
    books = positions.group_by("slot", "zone").agg(pl.col("day_ahead", "intraday").sum())
    assert books["day_ahead"].abs().sum() == books["intraday"].abs().sum() == 0
    payments = result.transfers(OPERATOR)
    kept = payments.filter(pl.col("credit") == OPERATOR)["amount"].sum()
    kept -= payments.filter(pl.col("debit") == OPERATOR)["amount"].sum()
    cost = result.operator["balancing_cost"].sum()
    assert kept == result.operator["kept"].sum() == result.imbalance["payment"].sum() - cost
    if result.balancing is not None:
        left = positions.group_by("slot", "zone").agg(left=(pl.col("imbalance") + pl.col("balancing")).sum())
        both = left.join(result.balancing.summary, on=["slot", "zone"])
        assert both.height == left.height
        assert both.select((pl.col("left") == pl.col("uncovered")).all()).item()


def test_what_was_metered_without_balancing_is_the_reading(result, readings):
    metered = result.positions.filter(pl.col("account") != RESERVE).sort("slot", "account")
    expected = readings.sort("slot", "account").select(pl.col("load") - pl.col("generation")).to_series()
    assert (metered["metered"] - metered["balancing"]).equals(expected, check_names=False)


def test_with_a_perfect_forecast_nobody_is_in_imbalance(agents, readings):
    result = MarketSequence(forecast_error=0).run(readings, agents.accounts(), TRADERS, reserve=RESERVE)
    assert result.positions["imbalance"].abs().sum() == 0
    assert result.transfers(OPERATOR).is_empty()
    assert result.errors["mae"].sum() == 0


def test_equal_seeds_give_equal_results_and_others_do_not(agents, readings, result):
    again = MarketSequence().run(readings, agents.accounts(), TRADERS, reserve=RESERVE)
    other = MarketSequence().run(readings, agents.accounts(), TRADERS, reserve=RESERVE, seed=1)
    assert again.positions.equals(result.positions)
    assert not other.positions.equals(result.positions)


def test_intraday_trade_shrinks_imbalance_when_the_rest_is_imbalance_too(agents, readings):
    # With every forecast right, and a first market that saw only half, the second market has something to do.
    half = readings.with_columns(pl.col("load") // 2)
    known = {"day_ahead": half, "intraday": readings}
    open_ = {}
    for intraday in (True, False):
        sequence = MarketSequence(intraday=intraday, rest="imbalance", balancing=False)
        result = sequence.run(readings, agents.accounts(), TRADERS, forecasts=known)
        open_[intraday] = result.positions["imbalance"].abs().sum()
    assert open_[True] < open_[False]


def test_no_intraday_order_arrives_after_the_gate(agents, readings):
    result = MarketSequence(gate_closure=45).run(readings, agents.accounts(), TRADERS, reserve=RESERVE)
    ahead = result.intraday.fills.select((pl.col("slot") - pl.col("arrival")).dt.total_minutes().min()).item()
    assert ahead >= 45
    ids = pl.concat([result.day_ahead.fills["order_id"], result.intraday.fills["order_id"]])
    assert ids.is_unique().all()


def test_forecasts_get_better_as_delivery_comes_nearer(agents):
    readings = agents.readings(slots("2026-05-06", hours=24))
    shares = []
    for gate in (1440, 360, 60, 0):
        made = forecasts(readings, error=20, gate_closure=gate, seed=5)
        errors = forecast_errors(made, readings).filter(pl.col("quantity") == "load")
        shares.append(errors.filter(pl.col("stage") == "intraday")["share"].item())
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == 0
    # A log-normal error of 20 % has a mean absolute error of about sqrt(2 / pi) of that.
    assert shares[0] == pytest.approx(16, abs=2.5)


def test_errors_are_measured_not_assumed(readings):
    twice = readings.with_columns(pl.col("load") * 2)
    errors = forecast_errors({"day_ahead": twice}, readings)
    assert errors.filter(pl.col("quantity") == "load")["share"].item() == 100
    assert errors.filter(pl.col("quantity") == "generation")["rmse"].item() == 0


def test_the_labs_agents_trade_and_the_bills_cover_every_watt_hour(agents, readings):
    market, accounts = gl.Market(), agents.accounts()
    rates = retail_rates(market, accounts, "2026-05")
    terms = market.landed_terms()
    landed = pl.when(is_on_peak(pl.col("slot"))).then("on_peak").otherwise("off_peak")

    def traders(needs):
        priced = needs.join(rates.energy, on="account", maintain_order="left", how="left")
        # Worth the retail rate (0.1 THB/MWh) less 1.30 THB/kWh of charges on the way.
        priced = priced.with_columns(value=landed // 10 - 1_300).select(*needs.columns, "value")
        return agents.orders(priced, cost=rates.buy_back, limits=market.limits())

    floor, cap = market.limits()
    result = MarketSequence().run(readings, accounts, traders, reserve=RESERVE, floor=floor, cap=cap)
    assert set(result.trades["stage"]) <= {"day_ahead", "intraday"}
    billed = terms.bill(result.trades, accounts)
    assert billed["amount"].sum() == result.trades["amount"].sum() > 0
    daily = statements(result.rest(), rates, is_on_peak(pl.col("slot")))
    assert daily["account"].to_list() == accounts["account"].to_list()
    rest = result.rest()
    net = pl.col("imported") - pl.col("exported")
    booked = pl.col("bought") - pl.col("sold") + pl.col("from_utility") - pl.col("to_utility")
    missed = rest.select(net - booked).to_series().sum()
    assert missed == result.positions.filter(pl.col("account") != RESERVE)["imbalance"].sum()


@pytest.mark.parametrize("rule", ["uniform", "tiered", "mcafee", "zonal"])
def test_every_rule_of_a_market_can_be_the_day_ahead_auction(agents, readings, rule):
    accounts = agents.accounts()
    market = gl.Market(rule=rule)
    result = MarketSequence().run(
        readings, accounts, TRADERS, reserve=RESERVE, auction=lambda orders: market.clear(orders, accounts)
    )
    bought = result.trades.group_by("buyer").agg(pl.col("energy").sum()).drop_nulls()
    booked = result.positions.group_by("account").agg(pl.col("day_ahead", "intraday").sum())
    sold = result.trades.group_by("seller").agg(pl.col("energy").sum()).drop_nulls()
    both = booked.join(bought, left_on="account", right_on="buyer", how="left").join(
        sold, left_on="account", right_on="seller", how="left", suffix="_sold"
    )
    net = pl.col("energy").fill_null(0) - pl.col("energy_sold").fill_null(0)
    assert both.select((pl.col("day_ahead") + pl.col("intraday") == net).all()).item()
    assert result.orders["order_id"].is_unique().all()
    assert result.rest().select("slot", "account").equals(readings.select("slot", "account"))


def test_transfers_have_the_kinds_of_the_settlement_and_two_more(result):
    payments = result.transfers(OPERATOR)
    assert payments.columns == ["slot", "debit", "credit", "kind", "amount"]
    assert set(payments["kind"]) == {"imbalance", "balancing"}
    assert payments["kind"].dtype == pl.Enum(SETTLEMENT_KINDS)
    assert payments["amount"].min() > 0
    own = result.transfers(RESERVE)
    assert own.filter(pl.col("debit") == pl.col("credit")).is_empty()


def test_levers_refuse_what_is_out_of_bounds():
    with pytest.raises(LeverError, match="gate_closure"):
        MarketSequence(gate_closure=20)
    with pytest.raises(LeverError, match="imbalance_method"):
        MarketSequence(imbalance_method="triple")
    paths = set(MarketSequence().levers()["path"])
    assert {"gate_closure", "forecast_error", "imbalance_method", "balancing"} <= paths


def test_bad_input_is_named(agents, readings):
    accounts, sequence = agents.accounts(), MarketSequence()
    with pytest.raises(ArgumentError, match="nothing to activate"):
        sequence.run(readings, accounts, TRADERS)
    with pytest.raises(ArgumentTypeError, match="limit_orders"):
        sequence.run(readings, accounts, "everybody", reserve=RESERVE)
    with pytest.raises(MarketError, match="not in the accounts frame"):
        sequence.run(readings, accounts.head(3), TRADERS, reserve=RESERVE)
    with pytest.raises(MarketError, match="'zone' is missing"):
        sequence.run(readings, accounts.drop("zone"), TRADERS, reserve=RESERVE)
    with pytest.raises(MarketError, match="each account once"):
        sequence.run(readings.head(30), accounts, TRADERS, reserve=RESERVE)
    with pytest.raises(ArgumentError, match="forecasts"):
        sequence.run(readings, accounts, TRADERS, reserve=RESERVE, forecasts={"day_ahead": readings})
    with pytest.raises(MarketError, match="has two rows"):
        sequence.run(readings, pl.concat([accounts, accounts]), TRADERS, reserve=RESERVE)
    known = {"day_ahead": readings.head(30), "intraday": readings}
    with pytest.raises(MarketError, match="exactly the slots and accounts"):
        sequence.run(readings, accounts, TRADERS, reserve=RESERVE, forecasts=known)
    with pytest.raises(MarketError, match="was not asked"):
        sequence.run(readings, accounts, lambda needs: TRADERS(needs).with_columns(zone=pl.lit("X")), reserve=RESERVE)
    with pytest.raises(ArgumentTypeError, match="a function of an order frame"):
        sequence.run(readings, accounts, TRADERS, reserve=RESERVE, auction="uniform")
    with pytest.raises(ArgumentTypeError, match="returned a NoneType"):
        sequence.run(readings, accounts, TRADERS, reserve=RESERVE, auction=lambda orders: None)
    with pytest.raises(ArgumentTypeError, match="bid"):
        limit_orders(bid=3.2, ask=2_400)
    with pytest.raises(ArgumentError, match="error"):
        forecasts(readings, error=101, gate_closure=0)
    with pytest.raises(ArgumentError, match="gate_closure"):
        forecasts(readings, error=1, gate_closure=1441)
    with pytest.raises(ArgumentTypeError, match="gate_closure"):
        forecasts(readings, error=1, gate_closure=1.5)


def test_an_empty_frame_is_a_valid_sequence(agents, readings):
    result = MarketSequence().run(readings.clear(), agents.accounts(), TRADERS, reserve=RESERVE)
    assert result.positions.is_empty()
    assert result.transfers(OPERATOR).is_empty()


def test_the_result_shows_itself(result):
    assert "kept by the system operator" in result._repr_html_()
    assert repr(result).startswith("SequenceResult(day-ahead, intraday, balancing;")
    assert "gate_closure=60" in repr(MarketSequence())


def test_the_examples_of_the_page_are_true():
    page = Path(__file__).parents[2] / "docs" / "market" / "sequence.md"
    failed, attempted = doctest.testfile(str(page), module_relative=False)
    assert (failed, attempted > 10) == (0, True)
