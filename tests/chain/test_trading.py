"""Orders that rest, funds that are reserved, gates that close: with an exchange simple enough to see through."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain, PbftOrdering, keys
from gridlab.chain.exchange import Outcome
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.resting import RestingOrders
from gridlab.chain.trades import NO_ACCOUNT, NO_ORDER, TRADES, canonical_trades, trade_leaves, trades_root
from gridlab.errors import ArgumentTypeError, ChainError, GridlabError
from gridlab.frames import ORDERS

QUARTER = timedelta(minutes=15)


class Pairs:
    """Pairs the i-th buy with the i-th sell of each slot at the buyer's limit, which he may pay and nothing more."""

    terms = b"pairs".ljust(32, b".")

    def reserve(self, orders):
        cost = pl.when(pl.col("side") == "buy").then(pl.col("price") * pl.col("energy")).otherwise(0)
        return orders.select(cost=cost)["cost"]

    def close(self, orders):
        assert orders["order_id"].is_unique().all()
        place = pl.int_range(pl.len()).over("slot", "side")
        sides = orders.with_columns(place=place, zone=pl.col("zone").cast(pl.String))
        buys, sells = (sides.filter(side=side) for side in ("buy", "sell"))
        met = buys.join(sells, on=["slot", "place"], suffix="_sell").select(
            "slot",
            "zone",
            buyer="account",
            seller="account_sell",
            buy_order="order_id",
            sell_order="order_id_sell",
            energy=pl.min_horizontal("energy", "energy_sell"),
            price="price",
        )
        amount = pl.col("energy") * pl.col("price")
        zeros = {name: pl.lit(0, dtype=pl.Int64) for name in ("wheeling", "losses", "fee", "vat")}
        sellers = {f"seller_{name}": pl.lit(0, dtype=pl.Int64) for name in ("wheeling", "losses", "vat")}
        trades = canonical_trades(met.with_columns(amount=amount, amount_buy=amount, gross=amount, **zeros, **sellers))
        paid = trades.filter(pl.col("amount") > 0).select(
            transfer_id=pl.int_range(pl.len(), dtype=pl.UInt64),
            debit_account="buyer",
            credit_account="seller",
            asset=pl.lit("WATT"),
            amount="amount",
            code=pl.lit("energy"),
        )
        return Outcome(trades, TRANSFERS.check(paid))


@pytest.fixture
def market(members, pairs, account, make):
    """A chain with that exchange; alice holds 100 WATT, bob none."""
    chain = ConsortiumChain(members, ordering=PbftOrdering.of(4), exchange=Pairs())
    chain.send(
        pairs["bank"], "reserve", make.transfers((1, account["bank"], account["issuer"], "THB", 10**8, "reserve"))
    )
    minted = (2, account["issuer"], account["alice"], "WATT", 10**8, "mint")
    chain.send(pairs["issuer"], "mint", make.transfers(minted))
    assert chain.seal(make.start).rejected == 0
    return chain


def slots(make, *places):
    return pl.DataFrame({"slot": [make.start + QUARTER * place for place in places]})


def test_an_accepted_order_reserves_what_it_may_cost(market, pairs, make, account):
    alice = account["alice"]
    orders = make.orders(alice)  # 1 kWh in each of four slots at 3000 … 3003 THB/MWh
    market.send(pairs["alice"], "order_batch", orders)
    assert market.seal(make.start).rejected == 0
    cost = (3000 + 3001 + 3002 + 3003) * 1000
    assert market.ledger.balance(alice, "WATT") == 10**8
    assert market.ledger.available(alice, "WATT") == 10**8 - cost
    assert market.ledger.pending["amount"].to_list() == [3_000_000, 3_001_000, 3_002_000, 3_003_000]


def test_reserved_funds_cannot_be_spent_twice(market, pairs, make, pay, account):
    orders = make.orders(account["alice"], price=pl.lit(24_000))
    market.send(pairs["alice"], "order_batch", orders)
    assert market.seal(make.start).rejected == 0
    assert make.sealed(market, market.sign(pairs["alice"], "transfer", pay(1, 4_000_001))).code == "ledger_refused"
    again = market.sign(pairs["alice"], "order_batch", make.orders(account["alice"], first_id=10))
    assert make.sealed(market, again).code == "ledger_refused"
    assert make.sealed(market, market.sign(pairs["alice"], "transfer", pay(1, 4_000_000))).accepted


def test_a_gate_closes_once_and_settles_to_the_micro_baht(market, pairs, make, account):
    alice, bob = account["alice"], account["bob"]
    market.send(pairs["alice"], "order_batch", make.orders(alice))
    market.send(pairs["bob"], "order_batch", make.orders(bob, side=pl.lit("sell"), energy=pl.lit(400)))
    market.send(pairs["operator"], "gate_closure", slots(make, 0, 2))
    assert market.seal(make.start).rejected == 0
    assert market.trades.select("slot", "buyer", "seller", "energy", "amount").rows() == [
        (make.start.replace(tzinfo=market.trades["slot"][0].tzinfo), alice, bob, 400, 1_200_000),
        ((make.start + 2 * QUARTER).replace(tzinfo=market.trades["slot"][0].tzinfo), alice, bob, 400, 1_200_800),
    ]
    assert market.ledger.balance(bob, "WATT") == 2_400_800
    assert market.ledger.pending["amount"].to_list() == [3_001_000, 3_003_000]
    again = market.sign(pairs["operator"], "gate_closure", slots(make, 1, 2))
    assert "1 of the slots are closed already" in make.sealed(market, again).reason
    late = market.sign(pairs["alice"], "order_batch", make.orders(alice, first_id=50))
    assert "the gate of a slot has closed" in make.sealed(market, late).reason
    assert make.sealed(market, market.sign(pairs["operator"], "gate_closure", slots(make, 1, 3))).accepted
    assert market.ledger.pending.is_empty()
    assert market.ledger.available(alice, "WATT") == market.ledger.balance(alice, "WATT")
    assert market.trades.height == 4
    assert market.replay().fingerprint == market.fingerprint


def test_a_receipt_commits_to_every_trade(market, pairs, make, account):
    market.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    market.send(pairs["bob"], "order_batch", make.orders(account["bob"], side=pl.lit("sell")))
    market.send(pairs["operator"], "gate_closure", slots(make, 0, 1, 2, 3))
    block = market.seal(make.start)
    assert [receipt.output for receipt in block.receipts[:2]] == [b"", b""]
    trades = block.receipts[2].trades
    assert block.receipts[2].output == trades_root(trades)
    changed = trades.with_columns(energy=pl.col("energy") + pl.when(pl.int_range(pl.len()) == 2).then(1).otherwise(0))
    assert trades_root(changed) != trades_root(trades)
    assert len(set(trade_leaves(trades))) == 4


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"slot": []}, "no slot is named"),
        ({"slot": [datetime(2026, 4, 1, 0, 7)]}, "quarter of an hour"),
        ({"slot": [datetime(2026, 4, 1)] * 2}, "stands there twice"),
    ],
)
def test_gate_closures_that_break_a_rule_are_refused(market, pairs, make, frame, reason):
    closure = pl.DataFrame(frame, schema={"slot": pl.Datetime("us")})
    receipt = make.sealed(market, market.sign(pairs["operator"], "gate_closure", closure))
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason


def test_without_an_exchange_nobody_can_clear_and_nothing_is_reserved(chain, pairs, make, account):
    receipt = make.sealed(chain, chain.sign(pairs["operator"], "gate_closure", slots(make, 0)))
    assert "has no exchange" in receipt.reason
    chain.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    assert chain.seal(make.start).rejected == 0
    assert chain.ledger.pending.is_empty()


def test_a_chain_is_read_with_the_exchange_that_genesis_names(market, pairs, make, account):
    market.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    market.seal(make.start)
    data = market.to_bytes()
    with pytest.raises(ChainError, match="genesis names an exchange"):
        ConsortiumChain.from_bytes(data)

    class Other(Pairs):
        terms = b"other".ljust(32, b".")

    with pytest.raises(ChainError, match="has other terms than genesis names"):
        ConsortiumChain.from_bytes(data, exchange=Other())
    with pytest.raises(ArgumentTypeError, match="allowed: an Exchange"):
        ConsortiumChain.from_bytes(data, exchange="uniform")
    assert ConsortiumChain.from_bytes(data, exchange=Pairs()).fingerprint == market.fingerprint


class Generous(Pairs):
    """Reserves nothing, so that a closure can find a buyer without funds."""

    def reserve(self, orders):
        return super().reserve(orders) * 0


def test_a_closure_that_cannot_be_paid_changes_nothing(members, pairs, make, account):
    chain = ConsortiumChain(members, ordering=PbftOrdering.of(4), exchange=Generous())
    chain.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    chain.send(pairs["bob"], "order_batch", make.orders(account["bob"], side=pl.lit("sell")))
    assert chain.seal(make.start).rejected == 0
    before = chain._state.resting.hash
    receipt = make.sealed(chain, chain.sign(pairs["operator"], "gate_closure", slots(make, 0, 1, 2, 3)))
    assert receipt.code == "ledger_refused"
    assert chain._state.resting.hash == before
    assert chain.trades.is_empty()


def test_trades_made_elsewhere_are_recorded_and_proved_alike(chain, pairs, make, account):
    made = pl.DataFrame(
        {
            "slot": [make.start] * 2,
            "zone": ["MAC", "NAC"],
            "buyer": [account["alice"], None],
            "seller": [account["bob"], account["bob"]],
            "buy_order": [1, None],
            "sell_order": [2, 3],
            "energy": [500, 700],
            "price": [3_000, 2_900],
            **{c.name: [0, 0] for c in TRADES.columns[8:]},
        }
    )
    trades = canonical_trades(made)
    assert trades.row(1)[2:5] == (NO_ACCOUNT, account["bob"], NO_ORDER)
    assert make.sealed(chain, chain.sign(pairs["operator"], "trade", trades)).accepted
    assert chain.trades.drop("height", "index", "place").equals(trades)
    assert chain.block(2).receipts[0].output == trades_root(trades)
    itself = trades.with_columns(buyer=pl.col("seller"))
    assert "trades with itself" in make.sealed(chain, chain.sign(pairs["operator"], "trade", itself)).reason
    nobody = trades.with_columns(seller=pl.lit(99, dtype=pl.UInt32))
    assert "does not exist" in make.sealed(chain, chain.sign(pairs["operator"], "trade", nobody)).reason
    assert make.sealed(chain, chain.sign(pairs["alice"], "trade", trades)).code == "not_permitted"


def order_rows(draw_slots):
    start = datetime(2026, 4, 1)
    return ORDERS.check(
        pl.DataFrame(
            {
                "order_id": range(len(draw_slots)),
                "slot": [start + QUARTER * place for place in draw_slots],
                "zone": ["MAC"] * len(draw_slots),
                "account": [5] * len(draw_slots),
                "side": ["buy"] * len(draw_slots),
                "price": [1_000] * len(draw_slots),
                "energy": [10] * len(draw_slots),
            }
        )
    )


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=8), min_size=1, max_size=5),
    st.lists(st.sets(st.integers(0, 5), min_size=1), max_size=6),
)
@settings(max_examples=60)
def test_every_order_comes_out_once_and_every_reservation_is_released_once(batches, closures):
    resting, placed, held = RestingOrders(), 0, {}
    for number, batch in enumerate(batches):
        orders = order_rows(batch)
        costs = np.arange(1, len(batch) + 1, dtype=np.int64)
        resting, added = resting.add(number, orders, costs, encode_frame(orders))
        placed += orders.height
        reserved = added.reservations()
        held |= dict(zip(reserved.ids.tolist(), reserved.amounts.tolist(), strict=True))
    assert len(held) == sum(len(set(batch)) for batch in batches)
    assert sum(held.values()) == sum(len(batch) * (len(batch) + 1) // 2 for batch in batches)
    assert RestingOrders.from_bytes(resting.to_bytes()).hash == resting.hash
    found, done = 0, set()
    for closure in [*closures, set(range(6)) - set().union(*closures)]:
        new = sorted(closure - done)
        if not new:
            continue
        moments = slots_of(new)
        before = resting.hash
        resting, orders, released = resting.close(moments)
        assert resting.hash != before
        assert set(orders["slot"].to_physical().to_list()) <= set(moments.tolist())
        found += orders.height
        for each in released:
            for id_, amount in zip(each.ids.tolist(), each.amounts.tolist(), strict=True):
                assert held.pop(id_) == amount
        done |= set(new)
        assert RestingOrders.from_bytes(resting.to_bytes()).hash == resting.hash
        with pytest.raises(ChainError, match="closed already"):
            resting.close(moments[:1])
    assert (found, held, resting.batches) == (placed, {}, ())


def slots_of(places):
    start = order_rows([0])["slot"].to_physical()[0]
    return np.array([start + 900_000_000 * place for place in places], np.int64)


def test_damaged_bytes_of_resting_orders_are_refused():
    orders = order_rows([0, 1])
    resting, _ = RestingOrders().add(0, orders, np.ones(2, np.int64), encode_frame(orders))
    data = resting.to_bytes()
    for end in range(len(data)):
        with pytest.raises(GridlabError):
            RestingOrders.from_bytes(data[:end])


def test_a_key_of_the_sandbox_is_no_exchange(members):
    with pytest.raises(ArgumentTypeError, match="exchange is a KeyPair"):
        ConsortiumChain(members, exchange=keys.sandbox(0, "x"))


@pytest.mark.parametrize("seq", [{}, {"seq": [7, 8, 9, 10]}])
def test_two_accounts_may_number_their_orders_alike(market, pairs, make, account, seq):
    buys = make.orders(account["alice"], **{name: pl.Series(values, dtype=pl.UInt64) for name, values in seq.items()})
    sells = make.orders(account["bob"], side=pl.lit("sell"))
    market.send(pairs["alice"], "order_batch", buys)
    market.send(pairs["bob"], "order_batch", sells)
    market.send(pairs["operator"], "gate_closure", slots(make, 0, 1, 2, 3))
    assert market.seal(make.start).rejected == 0
    assert market.trades.select("buy_order", "sell_order").rows() == [(place, place) for place in range(4)]


def test_a_batch_whose_costs_pass_64_bits_is_refused(market, pairs, make, account):
    orders = make.orders(account["alice"], slot=make.start, price=2**31, energy=2**30 + 2**29)
    market.send(pairs["alice"], "order_batch", orders)
    receipt = market.seal(make.start).receipts[0]
    assert (receipt.code, "the batch may cost 1.38e+19 micro-WATT" in receipt.reason) == ("rule_broken", True)


class Failing(Pairs):
    """A market with a defect."""

    def close(self, orders):
        return orders["no such column"]


def test_a_market_with_a_defect_does_not_stop_the_chain(members, pairs, make, account):
    chain = ConsortiumChain(members, ordering=PbftOrdering.of(4), exchange=Failing())
    receipt = make.sealed(chain, chain.sign(pairs["operator"], "gate_closure", slots(make, 0)))
    assert receipt.code == "rule_broken"
    assert "the exchange failed, ColumnNotFoundError" in receipt.reason
    assert chain.seal(make.start).height == 2
