"""A market on the chain: what is reserved is always enough, and the chain clears as the market does."""

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridlab as gl
from gridlab.chain.exchange import Exchange
from gridlab.errors import ArgumentTypeError, ChainError, MarketError
from gridlab.frames import ORDERS
from gridlab.institutions import institutions_of
from gridlab.market.exchange import MarketExchange, chain_transfers
from gridlab.market.market import RULES


def made(lab, hours=None, slots=None):
    day = lab.day(hours=hours, slots=slots)
    return day, MarketExchange(lab.market, day.accounts, institutions_of(day.accounts))


def orders_of(*rows, zone="MAC"):
    """Rows are order id, account, side, price and energy."""
    names = ("order_id", "account", "side", "price", "energy")
    frame = pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
    return ORDERS.check(frame.with_columns(slot=datetime(2026, 4, 1, 12), zone=pl.lit(zone)))


@given(st.sampled_from(RULES), st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_no_account_ever_pays_more_than_was_reserved(rule, seed):
    lab = gl.Lab.thailand(prosumers=14, seed=seed)
    choices = lab.levers().filter(path="market.wheeling.payer")["choices"][0].to_list()
    lab.set(
        {"market.rule": rule, "market.wheeling.payer": "buyer" if rule == "tiered" else choices[seed % len(choices)]}
    )
    day, exchange = made(lab, slots=56)
    outcome = exchange.close(day.orders)
    reserved = (
        day.orders.select("account", cost=exchange.reserve(day.orders)).group_by("account").agg(pl.col("cost").sum())
    )
    sides = {"debit_account": pl.col("amount"), "credit_account": -pl.col("amount")}
    moved = [outcome.transfers.select(account=name, net=amount) for name, amount in sides.items()]
    net = pl.concat(moved).group_by("account").agg(pl.col("net").sum())
    traders = net.filter(pl.col("account") < day.accounts.height).join(reserved, on="account", how="left")
    assert traders.filter(pl.col("net") > pl.col("cost").fill_null(0)).is_empty()


def test_the_chain_clears_what_the_market_clears_under_every_rule():
    for rule in RULES:
        run = gl.Lab.thailand(prosumers=20, seed=3).set({"market.rule": rule}).run(hours=15, progress=False)
        assert run.chain.trades.height == run.trades.height
        assert run.chain.trades["gross"].sum() == run.trades["gross"].sum(), rule


def test_two_days_with_a_circuit_breaker_clear_on_the_chain_as_off_it():
    lab = gl.Lab.thailand(prosumers=20, seed=3).set({"market.protection.breaker_move": 5.0})
    run = lab.run(hours=48, progress=False)
    assert run.chain.trades.height == run.trades.height > 0
    assert run.chain.payloads("gate_closure").height == 192


def test_terms_follow_levers_and_accounts_and_nothing_else():
    lab = gl.Lab.thailand(prosumers=10)
    day, exchange = made(lab, slots=1)
    assert isinstance(exchange, Exchange)
    assert exchange.terms == made(gl.Lab.thailand(prosumers=10), slots=1)[1].terms
    assert exchange.terms != made(gl.Lab.thailand(prosumers=11), slots=1)[1].terms
    lab.set({"market.fee": 0.3})
    assert MarketExchange(lab.market, day.accounts, institutions_of(day.accounts)).terms != exchange.terms


def test_levers_moved_later_do_not_reach_an_exchange():
    lab = gl.Lab.thailand(prosumers=20)
    day, exchange = made(lab, hours=12)
    before = exchange.close(day.orders).transfers
    lab.set({"market.fee": 1.0})
    assert exchange.close(day.orders).transfers.equals(before)


def test_no_orders_no_trades():
    day, exchange = made(gl.Lab.thailand(prosumers=10), slots=4)
    outcome = exchange.close(day.orders.clear())
    assert (outcome.trades.height, outcome.transfers.height) == (0, 0)


def test_arguments_are_checked():
    day, _ = made(gl.Lab.thailand(prosumers=10), slots=1)
    with pytest.raises(ArgumentTypeError, match=r"gl\.Market\(\) makes one"):
        MarketExchange("uniform", day.accounts, institutions_of(day.accounts))
    with pytest.raises(ArgumentTypeError, match="allowed: Institutions"):
        MarketExchange(gl.Market(), day.accounts, None)


def test_a_run_of_other_levers_does_not_open_a_chain():
    run = gl.Lab.thailand(prosumers=10).run(slots=4, progress=False)
    other = MarketExchange(gl.Market(fee=1.0), run.accounts, institutions_of(run.accounts))
    with pytest.raises(ChainError, match="other terms"):
        gl.ConsortiumChain.from_bytes(run.chain.to_bytes(), exchange=other)


def test_payments_become_transfers_with_ids_from_the_first_on():
    day, exchange = made(gl.Lab.thailand(prosumers=20), hours=12)
    settlement = day.transfers(institutions_of(day.accounts))
    frame = chain_transfers(settlement, first=7)
    assert frame["transfer_id"].to_list()[:2] == [7, 8]
    assert frame["amount"].sum() == settlement["amount"].sum()
    assert exchange.close(day.orders).transfers.height < frame.height


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-10_000, 20_000), st.integers(1, 10**10)), min_size=1, max_size=20),
    st.sampled_from(["buyer", "seller", "split"]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_what_is_reserved_is_the_formula_of_each_order_in_whole_numbers(rows, payer, percentage):
    lab = gl.Lab.thailand(prosumers=10)
    scheme = {"market.wheeling.scheme": "percentage"} if percentage else {}
    lab.set({"market.wheeling.payer": payer, "market.price_floor": -10.0, "market.price_cap": 20.0} | scheme)
    _, exchange = made(lab, slots=1)
    wheeling, vat, fee = lab.market.wheeling, lab.market.landed_terms().vat, lab.market.landed_terms().fee

    def share(amount, ppm):
        return (2 * amount * ppm + 10**6) // (2 * 10**6)

    expected = []
    for buys, price, energy in rows:
        paid, highest, part = max(price, 0) * energy, wheeling.highest(), wheeling.sellers_part()
        if buys:
            cost = paid + (highest + fee) * energy + share(paid, wheeling.loss_share())
            cost += share(paid, wheeling.price_share())
        else:
            cost = max(-price, 0) * energy + -(-highest * part.numerator // part.denominator) * energy
        due = cost + share(cost, vat)
        expected.append(due + 2 * energy if due > 0 else 0)
    sides = ["buy" if buys else "sell" for buys, _, _ in rows]
    placed = [(place, 0, side, *row[1:]) for place, (side, row) in enumerate(zip(sides, rows, strict=True))]
    assert exchange.reserve(orders_of(*placed)).to_list() == expected


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((1, 2, "buy", 6_001, 1_000), "outside the market's floor and cap, 0 … 6000"),
        ((1, 2, "sell", -(2**63), 1_000), "outside the market's floor and cap"),
        ((1, 2, "sell", 3_000, 10**10 + 1), "an energy is outside 1 … 10000000000 Wh"),
        ((1, 10, "buy", 3_000, 1_000), "no meter in this market, allowed: 0 … 9"),
    ],
)
def test_an_order_that_could_not_be_cleared_is_refused_when_it_comes(row, said):
    _, exchange = made(gl.Lab.thailand(prosumers=10), slots=1)
    with pytest.raises(MarketError, match=said):
        exchange.reserve(orders_of((0, 1, "buy", 3_000, 1_000), row))


def test_an_order_for_an_unknown_zone_is_refused_when_it_comes():
    _, exchange = made(gl.Lab.thailand(prosumers=10), slots=1)
    with pytest.raises(MarketError, match="a zone is not one of this market, allowed: "):
        exchange.reserve(orders_of((0, 1, "buy", 3_000, 1_000), zone="Mars"))


_ROWS = st.tuples(
    st.integers(0, 9), st.sampled_from(["buy", "sell"]), st.sampled_from([0, 1, 2_000, 3_000, 6_000]),
    st.sampled_from([1, 999, 10**10]), st.booleans(),
)  # fmt: skip


@given(st.sampled_from(RULES), st.lists(_ROWS, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_was_let_in_can_be_cleared_and_paid_under_every_rule(rule, rows):
    lab = gl.Lab.thailand(prosumers=10)
    day, exchange = made(lab.set({"market.rule": rule}), slots=1)
    zones = day.accounts["zone"].cast(pl.String).unique().sort().to_list()
    orders = pl.concat(
        [
            orders_of((place, account, side, price, energy)).with_columns(zone=pl.lit(zones[-other]))
            for place, (account, side, price, energy, other) in enumerate(rows)
        ]
    )
    orders = ORDERS.check(orders)
    assert exchange.reserve(orders).min() >= 0
    outcome = exchange.close(orders)
    assert outcome.transfers.filter(pl.col("amount") <= 0).is_empty()
    assert outcome.transfers.filter(pl.col("debit_account") == pl.col("credit_account")).is_empty()


def test_a_slot_whose_sums_do_not_fit_trades_nothing_and_the_next_one_does():
    day, exchange = made(gl.Lab.thailand(prosumers=10), slots=1)
    zone = day.accounts["zone"].cast(pl.String)[0]
    crowd = pl.concat([orders_of((0, 1, "sell", 1_000, 10**10), zone=zone)] * 20_000)
    crowd = crowd.with_columns(order_id=pl.int_range(pl.len(), dtype=pl.UInt64))
    pair = orders_of((20_000, 0, "buy", 3_000, 1_000), (20_001, 1, "sell", 2_000, 1_000), zone=zone)
    later = pair.with_columns(pl.col("slot").dt.offset_by("15m"), pl.col("order_id") + 2)
    outcome = exchange.close(pl.concat([crowd, pair, later]))
    assert outcome.trades["sell_order"].to_list() == [20_003]
