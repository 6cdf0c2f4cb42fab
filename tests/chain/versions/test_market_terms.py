"""The market's terms by height: orders clear under those of their block, and what rests is carried over to others."""

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering
from gridlab.chain.encoding import Reader
from gridlab.chain.resting import Lapse, RestingOrders
from gridlab.chain.versions import MARKET_TERMS, Versions
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, StoreError
from tests.chain.versions.fee_exchange import QUARTER, Fee, fund, slots

REFERENCE = "public block 812, referendum 3"


def order(market, pairs, make, account, who="alice", /, **changes):
    market.send(pairs[who], "order_batch", make.orders(account[who], **changes))


def test_other_terms_clear_from_the_next_block_on(market, pairs, make, account):
    alice, bob = account["alice"], account["bob"]
    for who, side in (("alice", "buy"), ("bob", "sell")):
        order(market, pairs, make, account, who, side=pl.lit(side))
    market.change_market(pairs["regulator"], Fee(500), REFERENCE)
    # The same block still clears under the old terms, whatever the order of its transactions.
    market.send(pairs["operator"], "gate_closure", slots(make, 0))
    assert market.seal(make.start).rejected == 0
    assert market.ledger.balance(bob, "WATT") == 10**7 + 3_000_000
    assert market.exchange.fee == 500
    market.send(pairs["operator"], "gate_closure", slots(make, 1))
    assert market.seal(make.start).rejected == 0
    assert market.ledger.balance(bob, "WATT") == 10**7 + 3_000_000 + 3_501_000
    assert market.market_changes.rows() == [(2, 3, "0x" + Fee(500).terms.hex(), REFERENCE)]
    assert market.lapsed_orders.is_empty()
    # What rests in the two open slots is reserved at its cost under the new terms.
    assert market.ledger.pending["amount"].to_list() == [3_502_000, 3_503_000]
    assert market.ledger.available(alice, "WATT") == 10**8 - 3_000_000 - 3_501_000 - 3_502_000 - 3_503_000


def test_the_terms_in_force_are_under_the_state_root(market, pairs, make):
    twin = ConsortiumChain.from_bytes(market.to_bytes(), ordering=market.ordering.twin(), exchange=Fee())
    market.change_market(pairs["regulator"], Fee(500))
    twin.change_market(pairs["regulator"], Fee(501))
    roots = {chain.seal(make.start).header.state_root for chain in (market, twin)}
    assert len(roots) == 2
    assert market._state.versions == Versions(exchange=Fee().terms, following=Fee(500).terms)
    market.seal(make.start)
    assert market._state.versions == Versions(exchange=Fee(500).terms)


def test_cheaper_terms_give_back_what_they_no_longer_need(members, pairs, account, make):
    market = ConsortiumChain(members, ordering=PbftOrdering.of(4), exchange=Fee(2_000))
    fund(market, pairs, make, account, alice=10**8)
    order(market, pairs, make, account)
    market.change_market(pairs["regulator"], Fee())
    market.seal(make.start)
    assert market.ledger.available(account["alice"], "WATT") == 10**8 - (20_006_000)
    market.seal(make.start)
    assert market.ledger.available(account["alice"], "WATT") == 10**8 - 12_006_000
    assert market.lapsed_orders.is_empty()


def test_orders_that_cannot_be_paid_for_under_dearer_terms_lapse_from_the_latest_slot_on(market, pairs, make, account):
    bob = account["bob"]
    order(market, pairs, make, account, "bob", rows=3)  # 3000 + 3001 + 3002 of his 10,000
    market.change_market(pairs["regulator"], Fee(1_500))
    assert market.seal(make.start).rejected == 0
    assert market.seal(make.start).rejected == 0
    # 4500 + 4501 are 9001, and the third slot would take 4502 more.
    moment = (make.start + 2 * QUARTER).replace(tzinfo=market.lapsed_orders["slot"][0].tzinfo)
    assert market.lapsed_orders.rows() == [(3, bob, moment, 1, 3_002_000, "unfunded")]
    assert market.ledger.available(bob, "WATT") == 10**7 - 9_001_000
    market.send(pairs["operator"], "gate_closure", slots(make, 0, 1, 2))
    assert market.seal(make.start).rejected == 0
    assert market.ledger.available(bob, "WATT") == 10**7


def test_orders_that_other_terms_do_not_take_lapse_and_the_gate_still_closes(market, pairs, make, account):
    """Prices 3000 … 3003 under a cap of 3001: two slots stay, two lapse, each by itself."""
    order(market, pairs, make, account)
    order(market, pairs, make, account, "bob", side=pl.lit("sell"), price=pl.lit(2_000))
    market.change_market(pairs["regulator"], Fee(0, 3_001))
    market.seal(make.start)
    market.send(pairs["operator"], "gate_closure", slots(make, 0, 1, 2, 3))
    assert market.seal(make.start).rejected == 0
    assert market.lapsed_orders.select("account", "released", "reason").rows() == [
        (account["alice"], 3_002_000, "refused"),
        (account["alice"], 3_003_000, "refused"),
    ]
    assert market.trades["price"].to_list() == [3_000, 3_001]
    assert market.ledger.pending.is_empty()
    assert market.ledger.available(account["alice"], "WATT") == 10**8 - 6_001_000


def test_what_was_closed_before_stays_closed_and_is_not_carried(market, pairs, make, account):
    order(market, pairs, make, account)
    market.send(pairs["operator"], "gate_closure", slots(make, 0, 1))
    market.seal(make.start)
    market.change_market(pairs["regulator"], Fee(7))
    market.seal(make.start)
    market.seal(make.start)
    (batch,) = market._state.resting.batches
    assert (batch.number, batch.orders["order_id"].to_list()) == (1, [2, 3])
    assert market.ledger.pending["amount"].to_list() == [3_009_000, 3_010_000]
    late = market.sign(pairs["alice"], "order_batch", make.orders(account["alice"], rows=1, first_id=9))
    assert "the gate of a slot has closed" in make.sealed(market, late).reason


def test_a_batch_of_many_slots_is_carried_in_one_piece_or_lapses_in_one(market, pairs, make, account):
    """Two thousand slots: asked for once and not slot by slot, and what is in order is the order of arrival."""
    rows = 2_000
    frame = make.orders(account["alice"], rows=1).select(
        pl.int_range(rows, dtype=pl.UInt64).alias("order_id"),
        slot=pl.datetime_range(make.start, interval="15m", end=make.start + QUARTER * (rows - 1), eager=False)
        .reverse().dt.cast_time_unit("us").dt.replace_time_zone("Asia/Bangkok"),
        zone=pl.lit("BKK", dtype=pl.Enum(["BKK"])), account=pl.lit(account["alice"], dtype=pl.UInt32),
        side=pl.lit("buy"), price=pl.lit(3), energy=pl.lit(1_000),
    )  # fmt: skip
    market.send(pairs["alice"], "order_batch", frame)
    market.change_market(pairs["regulator"], Fee(1))
    for _ in range(2):
        assert market.seal(make.start).rejected == 0
    (batch,) = market._state.resting.batches
    assert batch.orders["order_id"].to_list() == list(range(rows))
    assert market.ledger.reserved(account["alice"], "WATT") == rows * 4_000
    market.change_market(pairs["regulator"], Fee(1, 2))
    for _ in range(2):
        assert market.seal(make.start).rejected == 0
    assert market.lapsed_orders.select(pl.len(), pl.col("orders").sum(), pl.col("released").sum()).row(0) == (
        rows, rows, rows * 4_000,
    )  # fmt: skip
    assert market.ledger.pending.is_empty()


class Broken(Fee):
    """A market whose code is wrong."""

    def reserve(self, orders):
        return orders["no such column"]


def test_a_market_that_fails_lets_orders_lapse_and_cannot_stop_the_chain(market, pairs, make, account):
    order(market, pairs, make, account)
    market.change_market(pairs["regulator"], Broken(1))
    market.seal(make.start)
    assert market.seal(make.start).rejected == 0
    assert market.lapsed_orders["reason"].unique().to_list() == ["refused"]
    assert market.ledger.pending.is_empty()
    assert market._state.resting.batches == ()


class Careless(Fee):
    """Gives fractions of micro-WATT, one cost too few, or costs below nothing."""

    def __init__(self, answer):
        super().__init__(77)
        self.answer = answer

    def reserve(self, orders):
        return self.answer(orders.height)


@pytest.mark.parametrize(
    "answer",
    [
        lambda rows: pl.Series([0.5] * rows),
        lambda rows: pl.Series([1] * (rows - 1), dtype=pl.Int64),
        lambda rows: pl.Series([-1] * rows),
        lambda rows: None,
    ],
)
def test_answers_that_are_none_let_orders_lapse_as_well(market, pairs, make, account, answer):
    order(market, pairs, make, account)
    market.change_market(pairs["regulator"], Careless(answer))
    market.seal(make.start)
    assert market.seal(make.start).rejected == 0
    assert market.lapsed_orders["reason"].to_list() == ["refused"] * 4
    assert market.ledger.pending.is_empty()


class Huge(Fee):
    """Reserves more than 64 bits can add up."""

    def reserve(self, orders):
        return pl.Series("cost", [2**62 + 2**61] * orders.height)


def test_costs_beyond_64_bits_lapse(market, pairs, make, account):
    order(market, pairs, make, account, slot=pl.lit(make.start).dt.replace_time_zone("Asia/Bangkok"))
    market.change_market(pairs["regulator"], Huge(1))
    market.seal(make.start)
    assert market.seal(make.start).rejected == 0
    assert market.lapsed_orders.select("orders", "reason").rows() == [(4, "unfunded")]


@pytest.fixture
def changed(market, pairs, make, account):
    """Three terms in turn, with trades under each."""
    for place, fee in enumerate((0, 40, 7)):
        order(market, pairs, make, account, rows=4, first_id=10 * place)
        order(market, pairs, make, account, "bob", side=pl.lit("sell"), first_id=10 * place)
        market.send(pairs["operator"], "gate_closure", slots(make, place))
        assert market.seal(make.start).rejected <= 2  # the orders for slots that are closed
        if fee != 7:
            market.change_market(pairs["regulator"], Fee((40, 7)[place]), f"motion {place}")
    market.seal(make.start)
    return market


def test_replay_uses_the_terms_of_each_blocks_day(changed):
    again = changed.replay()
    assert again.fingerprint == changed.fingerprint
    assert again.trades.equals(changed.trades)
    assert again.market_changes.equals(changed.market_changes)
    read = ConsortiumChain.from_bytes(changed.to_bytes(), exchange=Fee(), exchanges=[Fee(40), Fee(7)])
    assert read.fingerprint == changed.fingerprint
    # All of them together will do as well; genesis says which is the first.
    read = ConsortiumChain.from_bytes(changed.to_bytes(), exchanges=[Fee(7), Fee(40), Fee()])
    assert read.exchange.fee == 7


def test_a_node_without_the_terms_stops_at_their_height_and_goes_on_once_it_has_them(changed):
    node = ConsortiumChain(
        changed.members, ordering=PbftOrdering.checking(changed.genesis.ordering_authority), exchange=Fee()
    )
    since = changed.market_changes["since"][0]
    stop = f"block {since} is under the market's terms 0x{Fee(40).terms.hex()}, and 1 others are known here; .*release"
    for height in range(1, since):
        node.append_block(changed.block(height))
    with pytest.raises(ChainError, match=stop):
        node.append_block(changed.block(since))
    with pytest.raises(ChainError, match=stop):
        _ = node.exchange
    assert node.height == since - 1
    node.release(Fee(40), Fee(7))
    for height in range(since, changed.height + 1):
        node.append_block(changed.block(height))
    assert node.fingerprint == changed.fingerprint


@pytest.mark.parametrize("checkpoint", [None, 3, 4])
def test_a_store_is_opened_across_changes_of_terms(changed, pairs, make, tmp_path, checkpoint):
    changed.store_in(tmp_path / "run.db", snapshot_every=1).close()
    trusted = None if checkpoint is None else changed.block(checkpoint).hash
    open_ = ConsortiumChain.open
    with pytest.raises(StoreError, match=r"block \d is under the market's terms"):
        open_(tmp_path / "run.db", exchange=Fee())
    with pytest.raises(StoreError, match="genesis names an exchange"):
        open_(tmp_path / "run.db", exchanges=[Fee(40)])
    again = open_(
        tmp_path / "run.db",
        ordering=PbftOrdering.of(4),
        exchange=Fee(),
        exchanges=[Fee(40), Fee(7)],
        checkpoint=trusted,
    )
    assert again.fingerprint == changed.fingerprint
    again.send(pairs["operator"], "gate_closure", slots(make, 3))
    assert again.seal(make.start).rejected == 0
    assert again.ledger.pending.is_empty()
    again.close()


def payload(terms, reference=""):
    return MARKET_TERMS.check(pl.DataFrame({"terms": [terms], "reference": [reference]}))


@pytest.mark.parametrize(
    ("who", "frame", "code", "reason"),
    [
        ("operator", payload(bytes(32)), "not_permitted", "is for: regulator"),
        ("alice", payload(bytes(32)), "not_permitted", "is for: regulator"),
        ("regulator", payload(bytes(31)), "rule_broken", "have 31 bytes, allowed: 32"),
        ("regulator", payload(Fee().terms), "rule_broken", "are the terms already"),
        ("regulator", payload(bytes(32), "ก" * 67), "rule_broken", "has 201 bytes in UTF-8, allowed: 200"),
        ("regulator", MARKET_TERMS.empty(), "rule_broken", "0 rows, allowed: one"),
    ],
)
def test_bad_changes_of_terms_are_refused_and_change_nothing(market, pairs, make, who, frame, code, reason):
    # Past the door, as a node with another program would send it.
    market._require_known = lambda transactions: None
    receipt = make.sealed(market, market.sign(pairs[who], "market_terms", frame))
    assert receipt.code == code
    assert reason in receipt.reason
    assert market._state.versions == Versions(exchange=Fee().terms)


def test_a_chain_without_an_exchange_has_no_terms_to_change(chain, pairs, make):
    chain.release(Fee())
    receipt = make.sealed(chain, chain.sign(pairs["regulator"], "market_terms", payload(Fee().terms)))
    assert "this chain has no exchange" in receipt.reason
    assert chain.exchange is None


def test_of_two_changes_in_a_block_the_later_stands_and_the_old_terms_take_back(market, pairs, make):
    for fee in (3, 4, 0):
        market.change_market(pairs["regulator"], Fee(fee))
    assert market.seal(make.start).rejected == 0
    assert market._state.versions == Versions(exchange=Fee().terms)
    for fee in (3, 4):
        market.change_market(pairs["regulator"], Fee(fee))
    market.seal(make.start)
    market.seal(make.start)
    assert market.exchange.fee == 4
    assert market.market_changes["height"].to_list() == [2, 2, 2, 3, 3]


def test_terms_that_this_node_does_not_know_are_refused_at_the_door(market, pairs):
    unknown = market.sign(pairs["regulator"], "market_terms", payload(Fee(9).terms))
    for submit in (lambda: market.submit(unknown), lambda: market.submit_many([unknown])):
        with pytest.raises(ChainError, match=r"no exchange is known with the terms .* every node without it stops"):
            submit()
    market.release(Fee(9))
    market.submit(unknown)
    assert len(market.pending) == 1


class Short(Fee):
    terms = b"short"


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda m, p: m.change_market(p, "market"), ArgumentTypeError, "allowed: an Exchange"),
        (lambda m, p: m.change_market(p, Fee(1), 5), ArgumentTypeError, "reference is a int"),
        (lambda m, p: m.change_market(p, Fee(1), "x" * 201), ArgumentError, "at most 200"),
        (lambda m, p: m.release(Short()), ArgumentError, "has 5 bytes, allowed: exactly 32"),
        (lambda m, p: ConsortiumChain(m.members, exchange=Short()), ArgumentError, "allowed: exactly 32"),
        (lambda m, p: ConsortiumChain(m.members, exchanges=Fee()), ArgumentTypeError, "exchanges is a Fee"),
        (lambda m, p: ConsortiumChain(m.members, exchanges=[1]), ArgumentTypeError, "a release is a int"),
    ],
)
def test_calls_that_make_no_sense(market, pairs, call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(market, pairs["regulator"])
    assert len(market.pending) == 0


def test_lapses_come_back_from_their_bytes():
    lapse = Lapse(7, 3, 1_775_000_000_000_000, 12, 99, "unfunded")
    other = Lapse(8, 3, 1_775_000_000_000_000, 1, 0, "refused")
    resting = RestingOrders().with_lapses([lapse]).with_lapses([other])
    again = RestingOrders.from_bytes(resting.to_bytes())
    assert (again.lapsed, again.hash) == ((lapse, other), resting.hash)
    hashes = {each.hash for each in (RestingOrders(), RestingOrders().with_lapses([other, lapse]), resting)}
    assert len(hashes) == 3
    with pytest.raises(ChainError, match="reason 9, allowed: 0 …"):
        Lapse.read(Reader(lapse.to_bytes()[:-1] + b"\x09", "lapse"))
