"""Whatever terms come when: gates close, reservations fit, nothing is left behind, and replay equals."""

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain, SingleSequencer, keys
from tests.chain.versions.fee_exchange import QUARTER, Fee, fund, slots

HOMES = {"alice": "MEA", "bob": "N1"}
# Slot, price, energy.
ROWS = st.tuples(st.integers(0, 5), st.integers(1, 6_000), st.integers(1, 2_000))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.sampled_from(["alice", "bob"]), st.sampled_from(["buy", "sell"]),
                  st.lists(ROWS, min_size=1, max_size=4)),
        st.tuples(st.just("terms"), st.integers(0, 3)),
        st.tuples(st.just("close"), st.integers(0, 5)),
        st.tuples(st.just("seal")),
    ),
    max_size=14,
)  # fmt: skip
MARKETS = (Fee(), Fee(3_000), Fee(10, 2_000), Fee(9_000, 4_000))


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_changes_when_the_chain_goes_on_and_replay_equals(members, pairs, account, make, steps):
    """Every gate closes, reservations are exactly the costs under the terms in force, and nothing is left behind."""
    chain = ConsortiumChain(
        members,
        ordering=SingleSequencer(keys.sandbox(0, "sequencer")),
        exchange=MARKETS[0],
        exchanges=MARKETS[1:],
        shards=pl.DataFrame({"account": [account[name] for name in HOMES], "shard": list(HOMES.values())}),
    )
    fund(chain, pairs, make, account, alice=20_000_000, bob=9_000_000)
    closed, number = set(), 0
    for step in [*steps, ("seal",), *(("close", slot) for slot in range(6)), ("seal",)]:
        if step[0] == "order":
            _, who, side, rows = step
            frame = make.orders(account[who], rows=1).clear(len(rows)).with_columns(
                order_id=pl.int_range(number, number + len(rows), dtype=pl.UInt64),
                slot=pl.Series([make.start + QUARTER * row[0] for row in rows]).dt.replace_time_zone("Asia/Bangkok"),
                zone=pl.lit("BKK", dtype=pl.Enum(["BKK"])), account=pl.lit(account[who], dtype=pl.UInt32),
                side=pl.lit(side), price=pl.Series([row[1] for row in rows]),
                energy=pl.Series([row[2] for row in rows]),
            )  # fmt: skip
            chain.send(pairs[who], "order_batch", frame)
            number += len(rows)
        elif step[0] == "terms":
            chain.change_market(pairs["regulator"], MARKETS[step[1]])
        elif step[0] == "close":
            if step[1] not in closed:
                closed.add(step[1])
                chain.send(pairs["operator"], "gate_closure", slots(make, step[1]))
        else:
            chain.seal(make.start)
            _check_reservations(chain)
            gates = chain.transactions.filter(kind="gate_closure")
            assert gates["accepted"].all(), gates["reason"].to_list()
    assert chain.ledger.pending.is_empty()
    balances = chain.ledger.balances
    assert balances["WATT"].sum() == 0
    assert chain.shards.balances.equals(balances)
    assert balances.filter(pl.col("account") >= account["alice"])["WATT"].min() >= 0
    assert chain.replay().fingerprint == chain.fingerprint
    read = ConsortiumChain.from_bytes(chain.to_bytes(), exchange=MARKETS[0], exchanges=MARKETS[1:])
    assert read.fingerprint == chain.fingerprint
    assert read.lapsed_orders.equals(chain.lapsed_orders)


def _check_reservations(chain):
    resting = chain._state.resting
    in_force = next(each for each in MARKETS if each.terms == chain._state.versions.exchange)
    due = {}
    for batch in resting.batches:
        left = batch.orders.filter(~pl.col("slot").to_physical().is_in(resting.closed.tolist()))
        if left.height:
            due[batch.account] = due.get(batch.account, 0) + int(in_force.reserve(left).sum())
    held = dict(chain.ledger.pending.group_by("debit_account").agg(pl.col("amount").sum()).rows())
    assert held == {account: amount for account, amount in due.items() if amount}
