"""Lab and run: the contract's names, conservation through to the ledger, and one fingerprint everywhere."""

import os
import subprocess
import sys
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab as gl
from gridlab.chain.senders import CLEARING_SENDER
from gridlab.errors import (
    ArgumentError,
    ArgumentTypeError,
    CalendarError,
    GridlabError,
    LeverError,
    ScenarioError,
)
from gridlab.institutions import INSTITUTIONS
from gridlab.kpis import gini
from gridlab.market.market import RULES


def paid_on(chain):
    """What the chain paid when gates closed, and what the market operator settled beside."""
    return chain.ledger.transfers.filter(sender=CLEARING_SENDER), chain.payloads("settlement")


@pytest.fixture(scope="module")
def lab():
    return gl.Lab.thailand(prosumers=40)


@pytest.fixture(scope="module")
def run(lab):
    return lab.run(hours=24, progress=False)


def test_the_frames_of_the_contract_are_polars_frames(run):
    for name in ("prices", "trades", "settlement", "readings", "blocks", "certificates", "alerts"):
        assert isinstance(getattr(run, name), pl.DataFrame), name
    wanted = {"slot", "zone", "buyer", "seller", "buy_order", "sell_order", "energy", "price", "amount"}
    assert wanted | {"wheeling", "losses", "fee", "vat", "gross"} <= set(run.trades.columns)
    assert run.trades.height > 0


def test_a_day_has_96_slots_and_starts_at_midnight_in_bangkok(run):
    slots = run.readings["slot"].unique().sort()
    assert slots.len() == 96
    assert slots[0].isoformat() == "2026-05-06T00:00:00+07:00"


def test_at_least_fifteen_key_figures_with_units(run):
    kpis = run.kpis()
    assert kpis.columns == ["kpi", "value", "unit"]
    assert kpis.height >= 15
    assert kpis["kpi"].is_unique().all()
    assert (kpis["unit"].str.len_chars() > 0).all()
    assert kpis["value"].is_finite().all()


def test_energy_bought_is_energy_sold_in_every_book(run):
    books = run.fills.group_by("slot", "zone", "side").agg(pl.col("filled").sum())
    sides = books.pivot("side", index=["slot", "zone"], values="filled").fill_null(0)
    assert (sides["buy"] == sides["sell"]).all()
    assert (run.fills["filled"] <= run.fills["energy"]).all()


def test_meters_are_explained_by_trades_and_utility(run):
    explained = run.readings.select(
        (pl.col("load") - pl.col("generation"))
        == pl.col("bought") + pl.col("from_utility") - pl.col("sold") - pl.col("to_utility")
    )
    assert explained.to_series().all()
    assert (run.readings["from_utility"] >= 0).all()
    assert (run.readings["to_utility"] >= 0).all()


def test_the_settlement_is_the_ledgers_movement_to_the_micro_baht(run):
    ledger = run.chain.ledger
    deposits = run.chain.payloads("mint")
    moved = dict.fromkeys(range(run.accounts.height + len(INSTITUTIONS)), 0)
    for row in deposits.iter_rows(named=True):
        moved[row["debit_account"]] -= row["amount"]
        moved[row["credit_account"]] += row["amount"]
    for row in run.settlement.iter_rows(named=True):
        moved[row["debit"]] -= row["amount"]
        moved[row["credit"]] += row["amount"]
    assert [ledger.balance(account, "WATT") for account in moved] == list(moved.values())
    assert sum(moved.values()) == 0
    issuer = run.institutions.filter(name="WATT issuer")["account"][0]
    assert all(balance >= 0 for account, balance in moved.items() if account != issuer)
    assert ledger.circulation("WATT") <= ledger.circulation("THB")


def test_bills_are_the_ledgers_movement_too(run):
    paid = run.settlement.group_by(account="debit").agg(out=pl.col("amount").sum())
    got = run.settlement.group_by(account="credit").agg(into=pl.col("amount").sum())
    joined = run.balances.join(paid, on="account", how="left").join(got, on="account", how="left").fill_null(0)
    assert (joined["with_market"] == joined["out"] - joined["into"]).all()


def test_what_the_accounts_save_the_others_forgo(run):
    total = sum(run.kpi(name) for name in ("savings", "utilities_gain", "state_gain", "operator_gain"))
    assert abs(total) < 1e-6


def test_nobody_loses_by_trading(run):
    # Two roundings per trade row are all that a buyer can pay above the retail tariff.
    assert run.balances["saving"].min() >= -2 * run.trades.height


def test_surpluses_add_up_to_welfare(run):
    parts = run.prices.select(pl.sum_horizontal("buyer_surplus", "seller_surplus", "operator_surplus"))
    assert (parts.to_series() == run.prices["welfare"]).all()


def test_every_transaction_of_the_day_was_accepted_and_signed(run):
    transactions = run.chain.transactions
    assert transactions["accepted"].all()
    kinds = dict(transactions["kind"].value_counts().iter_rows())
    assert kinds["order_batch"] == run.orders["account"].n_unique()
    assert run.chain.payloads("order_batch").height == run.orders.height
    cleared, settled = paid_on(run.chain)
    assert cleared.height + settled.height == run.settlement.height
    assert cleared["amount"].sum() > 0


def test_replay_from_genesis_gives_the_same_state_root(run):
    assert run.chain.replay().state_root == run.chain.state_root


def test_a_fingerprint_is_the_same_for_equal_seed_and_levers(lab, run):
    again = gl.Lab.thailand(prosumers=40).run(hours=24, progress=False)
    assert again.fingerprint == run.fingerprint
    assert len(run.fingerprint) == 66
    assert run.fingerprint.startswith("0x")


@pytest.mark.parametrize(
    "change",
    [
        {"market.wheeling.postage_stamp": 1.0},
        {"market.rule": "pay_as_bid"},
        {"agents.pv_share": 90},
        {"market.retail.ft": 0.1},
    ],
)
def test_another_lever_another_fingerprint(run, change):
    other = gl.Lab.thailand(prosumers=40).set(change).run(hours=24, progress=False)
    assert other.fingerprint != run.fingerprint


def test_another_seed_another_fingerprint(run):
    assert gl.Lab.thailand(prosumers=40, seed=1).run(hours=24, progress=False).fingerprint != run.fingerprint


PRINT = "import gridlab as gl; print(gl.Lab.thailand(prosumers=25).run(hours=24, progress=False).fingerprint)"


def test_the_fingerprint_does_not_depend_on_the_hash_seed_or_the_time_zone():
    prints = [
        subprocess.run(
            [sys.executable, "-c", PRINT],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed, zone in (("1", "Asia/Bangkok"), ("2", "America/New_York"))
    ]
    assert prints[0] == prints[1]
    assert prints[0].startswith("0x")


LEVERS = st.fixed_dictionaries(
    {},
    optional={
        "market.rule": st.sampled_from(RULES),
        "market.pricing": st.sampled_from(
            ["competitive", "marginal_accepted", "last_ask", "last_bid", "first_rejected", "seller_share"]
        ),
        "market.rationing": st.sampled_from(["pro_rata", "time"]),
        "market.k": st.integers(0, 100).map(lambda x: x / 100),
        "market.fee": st.integers(0, 500).map(lambda x: x / 1000),
        "market.wheeling.scheme": st.sampled_from(["postage_stamp", "distance_ladder", "per_voltage", "percentage"]),
        "market.wheeling.payer": st.sampled_from(["buyer", "seller", "split"]),
        "market.wheeling.percentage": st.sampled_from([0, 10, 40, 100]),
        "market.wheeling.postage_stamp": st.integers(0, 2500).map(lambda x: x / 1000),
        "market.wheeling.losses": st.integers(0, 3000).map(lambda x: x / 100),
        "market.retail.ft": st.integers(-2000, 20_000).map(lambda x: x / 10_000),
        "market.retail.vat": st.integers(0, 100).map(lambda x: x / 10),
        "market.retail.buy_back": st.integers(0, 5000).map(lambda x: x / 1000),
        "market.zonal.corridor_size": st.integers(0, 100).map(lambda x: x / 1000),
        "market.protection.position_limit": st.integers(0, 20).map(float),
        "market.protection.breaker_move": st.sampled_from([0, 5, 50]),
        "trade_on_forecasts": st.booleans(),
        "market.price_cap": st.integers(0, 8000).map(lambda x: x / 1000),
        "market.deposit_margin": st.integers(0, 20),
        "agents.strategy": st.sampled_from(["truthful", "zero_intelligence"]),
        "agents.pv_share": st.integers(0, 100),
        "agents.pv_size": st.integers(0, 300),
    },
)


# Who agrees on the blocks is not what is asked here, so few do.
FEW = {"consensus.protocol": "single_sequencer", "public.validators": 4, "bridge.anchor_every": 100}


@settings(max_examples=40, deadline=None)
@given(LEVERS, st.integers(0, 1000))
def test_whatever_the_levers_every_satang_is_accounted_for(levers, seed):
    if levers.get("market.rule") == "tiered":
        levers.pop("market.wheeling.payer", None)
    lab = gl.Lab.thailand(prosumers=12, seed=seed).set(FEW | levers)
    run = lab.run(slots=56, progress=False)
    total = sum(run.kpi(name) for name in ("savings", "utilities_gain", "state_gain", "operator_gain"))
    assert abs(total) < 1e-6
    moved = run.settlement["amount"].sum()
    assert sum(paid["amount"].sum() for paid in paid_on(run.chain)) == moved
    if not levers.get("trade_on_forecasts"):
        assert run.balances["saving"].min() >= -4 * max(run.trades.height, 1)
    assert run.kpis()["value"].is_finite().all()


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_a_lever_of_the_lab_and_pays_to_the_micro_baht(rule):
    lab = gl.Lab.thailand(prosumers=60).set({"market.rule": rule})
    run = lab.run(slots=60, progress=False)
    assert run.trades.height > 0
    assert run.chain.transactions["accepted"].all()
    assert abs(sum(run.kpi(n) for n in ("savings", "utilities_gain", "state_gain", "operator_gain"))) < 1e-6
    assert 0 < run.kpi("welfare_share") <= 100 + 1e-9
    bought, sold = run.readings["bought"], run.readings["sold"]
    assert (bought <= run.readings["imported"]).all()
    assert (sold <= run.readings["exported"]).all()
    assert bought.sum() == sold.sum()


@pytest.mark.parametrize("rule", ["uniform", "zonal", "tiered", "vcg"])
def test_a_lab_that_trades_on_forecasts_settles_what_was_missed(rule):
    lab = gl.Lab.thailand(prosumers=40).set({"trade_on_forecasts": True, "market.rule": rule})
    run = lab.run(slots=60, progress=False)
    kinds = set(run.settlement["kind"].cast(pl.String))
    assert {"imbalance", "balancing", "retail"} <= kinds
    assert run.chain.transactions["accepted"].all()
    assert abs(sum(run.kpi(n) for n in ("savings", "utilities_gain", "state_gain", "operator_gain"))) < 1e-6
    paid = run.settlement.group_by(account="debit").agg(out=pl.col("amount").sum())
    got = run.settlement.group_by(account="credit").agg(into=pl.col("amount").sum())
    joined = run.balances.join(paid, on="account", how="left").join(got, on="account", how="left").fill_null(0)
    assert (joined["with_market"] == joined["out"] - joined["into"]).all()
    assert lab.day(slots=60).stages.errors.height > 0


def test_a_better_forecast_leaves_less_imbalance():
    lab = gl.Lab.thailand(prosumers=40).set({"trade_on_forecasts": True})
    missed = []
    for error in (0, 10, 40):
        positions = lab.set({"sequence.forecast_error": error}).day(slots=60).stages.positions
        missed.append(positions["imbalance"].abs().sum())
    assert missed[0] == 0
    assert missed[0] < missed[1] < missed[2]


@pytest.mark.parametrize("length", [{"hours": 1}, {"hours": 0.25}, {"slots": 1}, {"hours": 30}])
def test_lengths(lab, length):
    run = lab.run(progress=False, **length)
    expected = length.get("slots") or int(length["hours"] * 4)
    assert run.readings["slot"].n_unique() == expected
    assert run.kpis()["value"].is_finite().all()


@pytest.mark.parametrize(
    "length",
    [{"hours": 0}, {"hours": 0.1}, {"slots": -1}, {"slots": 1.5}, {"hours": "24"}, {"hours": 1, "slots": 4}],
)
def test_impossible_lengths_are_refused(lab, length):
    with pytest.raises(GridlabError):
        lab.run(progress=False, **length)


@pytest.mark.parametrize("start", ["2026-05-06", date(2026, 5, 6), datetime(2026, 5, 6, 15, 30)])
def test_a_lab_starts_at_midnight(start):
    lab = gl.Lab.thailand(prosumers=3, start=start)
    assert lab.start.isoformat() == "2026-05-06T00:00:00+07:00"


@pytest.mark.parametrize("start", ["yesterday", 5, None, "1800-01-01"])
def test_an_impossible_start_is_refused(start):
    with pytest.raises((CalendarError, ArgumentError, ArgumentTypeError)):
        gl.Lab.thailand(prosumers=3, start=start).run(slots=1, progress=False)


def test_parts_must_be_parts():
    with pytest.raises(ArgumentTypeError, match="market: expected a part of type Market"):
        gl.Lab(market="uniform")
    with pytest.raises(ArgumentTypeError, match="agents: expected a part of type Agents"):
        gl.Lab(agents=200)


def test_a_lab_composes_the_parts_it_is_given():
    market, agents = gl.Market(rule="pay_as_bid"), gl.Agents(7, seed=3)
    lab = gl.Lab(market=market, agents=agents)
    assert lab.market is market
    assert lab.agents is agents
    assert lab.seed == 3
    assert lab.run(slots=48, progress=False).accounts.height == 7


def test_a_lab_has_one_seed_so_that_a_sweep_begins_with_the_lab_itself():
    lab = gl.Lab(agents=gl.Agents(7, seed=3))
    swept = gl.what_if(lab, {"market.k": [0.5]}, slots=50).filter(pl.col("kpi") != "orders_per_second")
    own = lab.preview(slots=50).filter(pl.col("kpi") != "orders_per_second")
    assert swept["value"].to_list() == own["value"].to_list()
    with pytest.raises(ArgumentError, match="a lab has one seed"):
        gl.Lab(agents=gl.Agents(7, seed=3), seed=4)


def test_a_preview_gives_the_figures_of_the_run(lab, run):
    preview = lab.preview(hours=24).filter(pl.col("kpi") != "orders_per_second")
    of_the_chain = [
        *("finality_median", "finality_p99", "consensus_messages", "view_changes", "chain_fees"),
        *("public_finality_p99", "public_transactions", "public_fees", "anchors"),
    ]
    beside = run.kpis().filter(pl.col("kpi") != "orders_per_second", ~pl.col("kpi").is_in(of_the_chain))
    assert preview.equals(beside)
    assert set(of_the_chain) <= set(run.kpis()["kpi"])


def test_alerts_tell_where_the_price_met_the_cap():
    lab = gl.Lab.thailand(prosumers=40).set({"market.price_cap": 3.0})
    run = lab.run(hours=24, progress=False)
    at_cap = run.prices.filter(pl.col("price") == 3000)
    assert run.alerts.height == at_cap.height > 0
    assert set(run.alerts["alert"]) == {"price at cap"}


def test_scenarios_list_and_make_labs():
    frame = gl.scenarios()
    assert {"name", "title", "title_th"} <= set(frame.columns)
    for name in frame["name"]:
        lab = gl.scenario(name, prosumers=10, seed=4)
        assert lab.seed == 4
        assert lab.run(slots=3, progress=False).kpis().height >= 15
    ladder = gl.scenario("distance_wheeling", prosumers=5)
    assert ladder.get("market.wheeling.scheme") == "distance_ladder"
    assert gl.scenario("thai_day", prosumers=5, **{"market.k": 0.25}).get("market.k") == 0.25


def test_an_unknown_scenario_is_named():
    with pytest.raises(ScenarioError, match="did you mean 'thai_day'") as caught:
        gl.scenario("thai_dya")
    assert isinstance(caught.value, KeyError)
    with pytest.raises(ArgumentTypeError, match="expected text"):
        gl.scenario(7)
    with pytest.raises(LeverError):
        gl.scenario("thai_day", **{"market.k": 3})


@pytest.mark.parametrize(
    ("start", "ft"), [("2026-05-06", 0.1623), ("2026-04-13", 0.0972), ("2024-02-01", 0.3972), ("2027-05-06", 0.1623)]
)
def test_ft_is_that_of_the_billing_month_where_it_is_published(start, ft):
    assert gl.Lab.thailand(prosumers=1, start=start).get("market.retail.ft") == ft


def test_songkran_has_no_on_peak_hour():
    lab = gl.scenario("songkran", prosumers=10)
    day = lab.day()
    assert not gl.calendar.is_on_peak(day.slots).any()


def test_compare_shows_differences(lab, run):
    other = gl.Lab.thailand(prosumers=40).set({"market.wheeling.postage_stamp": 0.5}).run(progress=False)
    frame = gl.compare(run, other)
    assert frame.columns == ["kpi", "a", "b", "difference", "unit"]
    assert frame.filter(kpi="savings")["difference"][0] > 0
    same = gl.compare(run, run)
    assert (same["difference"] == 0).all()
    with pytest.raises(ArgumentTypeError, match="b is int"):
        gl.compare(run, 3)


def test_gini_of_known_distributions():
    assert gini(np.array([1.0, 1.0, 1.0])) == pytest.approx(0)
    assert gini(np.array([0.0, 0.0, 1.0])) == pytest.approx(2 / 3)
    assert gini(np.array([0.0])) == 0
    assert gini(np.array([1.0, 3.0])) == pytest.approx(0.25)
    values = np.array([1.0, 2.0, 4.0, 9.0])
    mean_difference = np.abs(values[:, None] - values).mean() / (2 * values.mean())
    assert gini(values) == pytest.approx(mean_difference)


def test_an_unknown_key_figure_is_named(run):
    with pytest.raises(ArgumentError, match="did you mean 'savings'"):
        run.kpi("saving")


def test_short_reprs(lab, run):
    assert repr(lab) == "Lab('A Thai day', 40 prosumers, seed=0, start=2026-05-06)"
    assert repr(run).startswith("Run('A Thai day', 96 slots, ")


def test_a_carbon_tax_on_grid_energy_goes_to_the_state_and_makes_neighbours_power_worth_more():
    lab = gl.Lab.thailand(prosumers=40)
    usual = lab.run(slots=96, progress=False)
    taxed = lab.set({"carbon.tax_on_electricity": True, "carbon.tax_rate": 1000.0}).run(slots=96, progress=False)
    # 1,000 THB/t at 0.475 kg/kWh is 0.475 THB/kWh of what comes from the grid, and is paid to the micro-baht.
    rate = 4_750
    owed = (
        taxed.readings.group_by("account")
        .agg(tax=((pl.col("from_utility") * rate).sum() + 5) // 10)
        .filter(pl.col("tax") > 0)
        .sort("account")
    )
    paid = taxed.settlement.filter(pl.col("kind") == "carbon_tax").sort("debit")
    assert paid["amount"].to_list() == owed["tax"].to_list()
    assert taxed.kpi("carbon_tax_paid") == paid["amount"].sum() / 1e6
    assert taxed.kpi("average_price") > usual.kpi("average_price")
    assert taxed.kpi("carbon_tax_paid") > 0 == usual.kpi("carbon_tax_paid")
    total = sum(taxed.kpi(name) for name in ("savings", "utilities_gain", "state_gain", "operator_gain"))
    assert abs(total) < 1e-6
