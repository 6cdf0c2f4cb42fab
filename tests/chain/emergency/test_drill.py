"""The drill: a price spike halts a zone, the council stops the market and WATT, voters let it go on, nobody loses."""

from datetime import timedelta

import polars as pl
import pytest

from gridlab.chain.emergency import Emergency, approval_frame
from gridlab.chain.emergency.breakers import approvals, from_halts
from gridlab.errors import ArgumentTypeError
from gridlab.market.protection import Protection, not_stopped

SPIKE = (3_000, 3_050, 9_000, 9_000, 3_000, 3_100, 9_500, 9_500, 3_000, 3_000)


def prices_of(stage):
    slots = [stage.moment(15 * place) for place in range(len(SPIKE))]
    frame = pl.DataFrame({"slot": slots, "zone": ["BKK"] * len(SPIKE), "price": SPIKE})
    return frame.with_columns(pl.col("slot").cast(pl.Datetime("us", "Asia/Bangkok")))


def test_the_drill(stage):
    levers = Emergency(breaker_halts=2, breaker_window=8, monitor_alone=4)
    stage = stage(monitor_stop=levers.terms().monitor_stop)
    chain = stage.chain
    people = ("alice", "bob")
    paid_in = {name: stage.held(name) for name in people}
    # Order flow: two slots ahead in both zones, and one that will be delivered in the middle of it all.
    for zone in ("BKK", "NE"):
        for minutes in (45, 120, 300):
            stage.must("alice", "order_batch", stage.orders("alice", "buy", minutes, zone))
            stage.must("bob", "order_batch", stage.orders("bob", "sell", minutes, zone))
    # A swap's lock and a two-phase payment are under way, each with two hours to run.
    pending = stage.transfer("alice", "bob", 5_000_000, phase="pending", pending_id=0, timeout=120 * 60_000_000)
    stage.must("alice", "transfer", pending)

    # The price spikes twice; the breaker halts the zone twice; the monitor stops the zone for an hour by itself.
    halts = Protection(breaker_move=50.0, breaker_pause=2).halts(prices_of(stage))
    proposals = from_halts(halts, levers)
    assert proposals["slot"].dt.minute().to_list() == [30]
    stage.at(90).must("monitor", "emergency_approve", approvals(proposals)[0])
    assert [(stop.what, stop.alone) for stop in chain.emergency.standing] == [("the zone BKK", True)]
    stage.must("operator", "gate_closure", stage.gate(45))
    assert chain.trades["zone"].to_list() == ["NE"]

    # People look at it and stop the market, and WATT with it.
    for scope, target in (("market", ""), ("asset", "WATT")):
        stop = approval_frame(scope, target, reason="spike not understood", until=stage.moment(600))
        for name in ("regulator", "bank", "grid"):
            stage.must(name, "emergency_approve", stop)
    assert stage.do("operator", "gate_closure", stage.gate(120)).code == "stopped"
    assert stage.do("alice", "transfer", stage.transfer("alice", "bob", 1)).code == "stopped"

    # Three hours later voters let it go on. The payment has as long to run as it had before.
    stage.at(270).resume(referendum=7)
    assert not chain.emergency.standing
    assert (chain.ledger.pending["expires"].drop_nulls() - stage.start).to_list() == [(120 + 180) * 60_000_000]

    # What was to be delivered meanwhile is refunded, what comes later clears.
    assert [(stop.orders, stop.released) for stop in chain.emergency.stops] == [(0, 0), (0, 0), (4, 6_000_000)]
    stage.must("operator", "gate_closure", stage.gate(300))
    assert chain.trades["zone"].sort().to_list() == ["BKK", "NE", "NE"]
    stage.at(301).seal()

    # Nobody lost anything: each holds what it had, less what it bought, plus what it sold, and all of it is free.
    traded = chain.trades["amount"].sum()
    assert traded == 9_000_000
    assert {name: stage.held(name) for name in people} == {
        "alice": paid_in["alice"] - traded,
        "bob": paid_in["bob"] + traded,
    }
    assert all(stage.held(name) == stage.free(name) for name in people)
    assert chain.ledger.pending.is_empty()
    assert chain.ledger.balances.drop("account").sum().row(0) == (0,) * 5
    assert chain.emergency.frame["ended_by"].to_list() == ["expiry", "vote", "vote"]
    assert chain.emergency.frame["until"][0] - chain.emergency.frame["since"][0] == timedelta(hours=1)
    assert chain.replay().fingerprint == chain.fingerprint


def test_a_market_beside_the_chain_leaves_out_what_the_chain_does(stage):
    stage = stage()
    orders = pl.concat(
        [
            stage.orders(name, side, minutes, zone).with_columns(pl.col("zone").cast(pl.String))
            for name, side in (("alice", "buy"), ("bob", "sell"))
            for minutes in (15, 45)
            for zone in ("BKK", "NE")
        ]
    )
    stage.stop("market", minutes=30)
    stage.at(30).stop("zone", "NE", minutes=60)
    left = not_stopped(orders, stage.chain.emergency)
    assert left.select("zone", pl.col("slot").dt.minute()).unique().rows() == [("BKK", 45)]
    assert not_stopped(orders.clear(), stage.chain.emergency).is_empty()
    with pytest.raises(ArgumentTypeError):
        not_stopped(orders, None)
