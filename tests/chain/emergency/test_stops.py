"""What a stop refuses and freezes, scope by scope, and that nobody loses by it."""

import hashlib

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, keys
from gridlab.chain.channels import Opening, opening_message
from gridlab.chain.effects import RULES
from gridlab.chain.emergency import approval_frame
from gridlab.chain.emergency.scopes import GOES_ON
from gridlab.chain.snapshot import decode_state, encode_state
from gridlab.chain.swaps import LockTerms, Stops, lock_frame, stop_news
from gridlab.chain.trades import TRADES
from gridlab.frames import SLOT

SECRET = bytes(range(32))


def lock(stage, minutes, amount=40_000_000, asset="WATT", payer="alice", payee="bob"):
    digest = hashlib.sha256(SECRET).digest()
    ends = stage.start + minutes * 60_000_000
    terms = LockTerms(stage.account[payer], stage.account[payee], asset, amount, digest, ends)
    stage.must(payer, "hash_lock", lock_frame(terms))
    return list(stage.chain.lock_book.locks)[-1]


def refund(lock_id):
    return pl.DataFrame({"lock": [lock_id]})


def claim(lock_id):
    return pl.DataFrame({"lock": [lock_id], "preimage": [SECRET]})


def made_elsewhere(stage, zone="BKK"):
    row = dict.fromkeys([column.name for column in TRADES.columns], 0)
    row |= {"slot": stage.moment(15), "zone": zone, "buyer": stage.account["alice"], "seller": stage.account["bob"]}
    return TRADES.check(pl.DataFrame([row | {"energy": 5}]))


def test_a_stop_of_the_market_refuses_orders_gates_and_trades_and_nothing_else(stage):
    stage = stage()
    stage.must("alice", "order_batch", stage.orders("alice", "buy", 30))
    stage.stop("market")
    refused = {
        "alice": ("order_batch", stage.orders("alice", "buy", 45)),
        "operator": ("gate_closure", stage.gate(30)),
        "operator ": ("trade", made_elsewhere(stage)),
    }
    for name, (kind, frame) in refused.items():
        assert stage.do(name.strip(), kind, frame).code == "stopped"
    stage.must("alice", "transfer", stage.transfer("alice", "bob", 5))
    stage.must("operator", "settlement", stage.transfer("alice", "bob", 5, code="energy"))
    # Kept, with what is reserved for them.
    assert stage.free("alice") == stage.held("alice") - 3_000_000
    stage.resume()
    stage.must("bob", "order_batch", stage.orders("bob", "sell", 30))
    stage.must("operator", "gate_closure", stage.gate(30))
    assert stage.chain.trades["amount"].to_list() == [3_000_000]


def test_under_a_stop_of_the_chain_only_what_leads_out_of_it_goes_on(stage):
    stage = stage()
    stage.stop("chain")
    refused = [kind for kind in RULES[1] if stage.chain.emergency.why_not(kind, pl.DataFrame())]
    assert set(RULES[1]) - set(refused) == GOES_ON & set(RULES[1])
    assert set(RULES[1]) >= GOES_ON
    assert stage.do("alice", "transfer", stage.transfer("alice", "bob", 5)).code == "stopped"
    assert stage.do("regulator", "terms", pl.DataFrame({"term": ["stop_threshold"], "value": [1]})).code == "stopped"
    stage.must("bank", "reserve", stage.transfer("bank", "issuer", 5, asset="THB", code="reserve"))
    newcomer = stage.chain.members.filter(pl.col("name") == "bob").with_columns(
        account=pl.lit(9, dtype=pl.UInt32),
        name=pl.lit("carol"),
        public_key=pl.lit(keys.sandbox(7, "carol").public_key),
    )
    stage.must("regulator", "membership", newcomer)
    stage.resume()
    stage.must("alice", "transfer", stage.transfer("alice", "bob", 5))


def test_a_stopped_asset_moves_in_no_way_and_others_do(stage):
    stage = stage()
    stage.must("alice", "order_batch", stage.orders("alice", "buy", 30))
    held = lock(stage, 60)
    stage.stop("asset", "WATT", minutes=600)
    pending = {"phase": "pending", "pending_id": 0, "timeout": 0}
    moves = [
        ("alice", "transfer", stage.transfer("alice", "bob", 5)),
        ("alice", "transfer", stage.transfer("alice", "bob", 5, **pending)),
        ("operator", "settlement", stage.transfer("alice", "bob", 5)),
        ("issuer", "mint", stage.transfer("issuer", "alice", 5, code="mint")),
        ("alice", "order_batch", stage.orders("alice", "buy", 45)),
        ("bob", "order_batch", stage.orders("bob", "sell", 45)),  # reserves nothing, and is settled in WATT
        ("operator", "gate_closure", stage.gate(30)),
        ("operator", "trade", made_elsewhere(stage)),
    ]
    for name, kind, frame in moves:
        receipt = stage.do(name, kind, frame)
        assert (receipt.code, "the asset WATT stands" in receipt.reason) == ("stopped", True)
    assert "stands" in stage.do("bob", "hash_claim", claim(held)).reason
    stage.must("bank", "reserve", stage.transfer("bank", "issuer", 5, asset="THB", code="reserve"))
    before = stage.chain.ledger
    stage.resume()
    assert stage.chain.ledger.balances.equals(before.balances)


def test_a_fee_in_the_stopped_asset_is_not_due(stage):
    stage = stage(fee_per_transaction=1_000)
    reading = pl.DataFrame({"stop": [0], "referendum": [1], "reference": ["x"]})
    stage.stop("asset", "WATT")
    before = stage.held("alice")
    # A trader's transaction that moves nothing goes through; one that is refused costs nothing either.
    assert "has no seat" in stage.do("alice", "emergency_resume", reading).reason
    stage.must("regulator", "membership", stage.chain.members.filter(pl.col("name") == "bob"))
    assert stage.held("alice") == before
    stage.resume()
    stage.must("alice", "transfer", stage.transfer("alice", "bob", 5))
    assert stage.held("alice") == before - 1_005


def test_a_stop_of_another_asset_charges_a_refused_transaction_nothing(stage):
    stage = stage(fee_per_transaction=1_000)
    stage.stop("asset", "THB")
    before = stage.held("alice")
    receipt = stage.do("alice", "transfer", stage.transfer("alice", "bob", 5, asset="THB"))
    assert receipt.code in {"stopped", "ledger_refused"}
    assert stage.do("bank", "reserve", stage.transfer("bank", "issuer", 5, asset="THB")).code == "stopped"
    assert stage.held("alice") == before
    stage.must("alice", "transfer", stage.transfer("alice", "bob", 5))


def test_a_stopped_zone_takes_no_orders_and_does_not_meet_while_the_others_do(stage):
    stage = stage()
    for zone in ("BKK", "NE"):
        stage.must("alice", "order_batch", stage.orders("alice", "buy", 30, zone))
        stage.must("bob", "order_batch", stage.orders("bob", "sell", 30, zone))
    stage.stop("zone", "BKK")
    assert stage.do("alice", "order_batch", stage.orders("alice", "buy", 45)).code == "stopped"
    assert stage.do("operator", "trade", made_elsewhere(stage)).code == "stopped"
    stage.must("operator", "trade", made_elsewhere(stage, "NE"))
    stage.must("alice", "order_batch", stage.orders("alice", "buy", 45, "NE"))
    stage.must("operator", "gate_closure", stage.gate(30))
    assert stage.chain.trades.filter(pl.col("amount") > 0)["zone"].to_list() == ["NE"]
    # Only the order for 45 minutes is still reserved for.
    assert stage.free("alice") == stage.held("alice") - 3_000_000 == 94_000_000


def test_what_began_to_be_delivered_while_its_zone_stood_is_never_traded(stage):
    stage = stage()
    for minutes in (15, 60):
        stage.must("alice", "order_batch", stage.orders("alice", "buy", minutes))
        stage.must("bob", "order_batch", stage.orders("bob", "sell", minutes))
    stage.stop("zone", "BKK", minutes=30)
    stage.at(30).must("operator", "gate_closure", stage.gate(15, 60))
    assert stage.chain.trades["slot"].dt.minute().to_list() == [0]
    assert stage.free("alice") == stage.held("alice") == 97_000_000


def test_orders_whose_delivery_began_while_no_gate_could_close_are_let_go(stage):
    stage = stage()
    for minutes in (15, 30, 45):
        stage.must("alice", "order_batch", stage.orders("alice", "buy", minutes))
        stage.must("bob", "order_batch", stage.orders("bob", "sell", minutes))
    stage.at(5).stop("market", minutes=120)
    stage.at(31).resume()
    assert stage.free("alice") == 97_000_000
    assert stage.chain.emergency.frame.select("orders", "released").rows() == [(4, 6_000_000)]
    assert "closed already" in stage.do("operator", "gate_closure", stage.gate(15)).reason
    stage.must("operator", "gate_closure", stage.gate(45))
    assert stage.chain.trades["amount"].to_list() == [3_000_000]
    assert stage.held("alice") + stage.held("bob") == 200_000_000


def test_orders_wait_for_the_last_of_several_stops(stage):
    stage = stage()
    for minutes in (15, 30):
        stage.must("alice", "order_batch", stage.orders("alice", "buy", minutes))
    stage.at(5).stop("market", minutes=20)
    stage.at(18).stop("asset", "WATT", minutes=40)
    stage.at(25).seal()
    assert stage.free("alice") == 94_000_000
    stage.at(40).seal()
    assert stage.free("alice") == stage.held("alice") == 100_000_000
    assert stage.chain.emergency.frame["orders"].to_list() == [0, 2]


@pytest.mark.parametrize(("scope", "target", "frozen"), [
    ("chain", "", 20), ("asset", "WATT", 20), ("market", "", 0), ("zone", "BKK", 0), ("asset", "REC", 0),
])  # fmt: skip
def test_timeouts_of_locks_and_pending_transfers_stand_with_the_chain_and_the_asset(stage, scope, target, frozen):
    stage = stage()
    held = lock(stage, 30)
    pending = stage.transfer("alice", "bob", 10_000_000, phase="pending", pending_id=0, timeout=30 * 60_000_000)
    stage.must("alice", "transfer", pending)
    stage.at(10).stop(scope, target, minutes=120)
    stage.at(30).resume()
    if frozen:
        stage.at(29 + frozen).seal()
        assert stage.free("alice") == 50_000_000
        assert "may be claimed for another" in stage.do("alice", "hash_refund", refund(held)).reason
    stage.at(30 + frozen).must("alice", "hash_refund", refund(held))
    assert stage.free("alice") == stage.held("alice") == 100_000_000


def test_stops_that_overlap_freeze_once(stage):
    stage = stage()
    pending = stage.transfer("alice", "bob", 10_000_000, phase="pending", pending_id=0, timeout=60 * 60_000_000)
    stage.must("alice", "transfer", pending)
    held = lock(stage, 60)
    stage.at(10).stop("asset", "WATT", minutes=30)
    stage.at(20).stop("chain", minutes=40)
    stage.at(30).seal()
    stage.at(40).seal()
    assert stage.chain.ledger.pending["expires"].drop_nulls().to_list() == [stage.start + 90 * 60_000_000]
    stage.at(89)
    assert "may be claimed for another" in stage.do("alice", "hash_refund", refund(held)).reason
    stage.at(90).must("alice", "hash_refund", refund(held))
    assert stage.free("alice") == 100_000_000


def test_the_window_of_a_channel_stands_with_its_asset(stage):
    stage = stage()
    sides, book = ("alice", "bob"), stage.chain.channel_book
    accounts = tuple(stage.account[name] for name in sides)
    opening = Opening(accounts, tuple(stage.pairs[name].public_key for name in sides), "WATT", (10, 10), 600_000_000, 0)
    message = opening_message(book.chain, 0, opening)
    row = {f"account_{side}": accounts[side] for side in (0, 1)} | {f"deposit_{side}": 10 for side in (0, 1)}
    row |= {f"signature_{side}": stage.pairs[name].sign(message) for side, name in enumerate(sides)}
    row |= {"asset": "WATT", "window": opening.window, "longest_lock": opening.longest_lock}
    stage.must("alice", "channel_open", pl.DataFrame([row]))
    channel = opening.id(book.chain, 0)
    stage.must("alice", "channel_close", pl.DataFrame({"channel": [channel], "signed": [b""]}))
    stage.at(5).stop("asset", "WATT", minutes=600)
    settle = pl.DataFrame({"channel": [channel]})
    assert "no window runs meanwhile" in stage.at(60).do("bob", "channel_settle", settle).reason
    stage.resume()
    assert "may be disputed" in stage.at(64).do("bob", "channel_settle", settle).reason
    stage.at(65).must("bob", "channel_settle", settle)
    assert stage.held("alice") + stage.held("bob") == 200_000_000


def test_runs_of_transfers_stop_where_the_last_signature_falls(stage):
    stage = stage()
    for name in ("regulator", "bank"):
        stage.must(name, "emergency_approve", approval(stage))
    for number in range(12):
        stage.send("alice", "transfer", stage.transfer("alice", "bob", 1 + number))
    stage.send("grid", "emergency_approve", approval(stage))
    for number in range(12):
        stage.send("alice", "transfer", stage.transfer("alice", "bob", 1 + number))
    receipts = stage.seal().receipts
    assert [receipt.code for receipt in receipts] == [*["accepted"] * 13, "stopped", *["bad_nonce"] * 11]
    assert stage.held("bob") == 100_000_000 + 78


def approval(stage):
    return approval_frame("asset", "WATT", reason="fault", until=stage.moment(60))


def test_other_chains_are_told_of_every_stop_of_an_asset_as_of_the_chain(stage):
    stage = stage()
    own, told = stage.chain.chain_id, Stops()
    heard = []

    def tell():
        nonlocal told
        for chain, moment, stands in stop_news(stage.chain.stops, own, told).rows():
            heard.append((round((moment.timestamp() - stage.moment(0).timestamp()) / 60) % 1440, stands))
            micro = int(pl.Series([moment]).cast(SLOT).to_physical()[0])
            told = told.begin(chain, micro) if stands else told.end(chain, micro)

    tell()
    stage.at(10).stop("asset", "WATT", minutes=30)
    tell()
    stage.at(20).stop("chain", minutes=40)
    tell()
    stage.at(30).seal()
    tell()
    assert told.standing(own)
    stage.at(40).seal()
    tell()
    stage.at(50).stop("asset", "THB", minutes=60)
    tell()
    assert [stands for _, stands in heard] == [True, False, True]
    assert told.standstill([own], stage.start, stage.start + 45 * 60_000_000) == 30 * 60_000_000
    assert stop_news(stage.chain.stops, own, told).is_empty()


def test_stops_are_replayed_stored_and_come_back_from_a_snapshot(stage, tmp_path):
    stage = stage()
    lock(stage, 60)
    stage.must("alice", "order_batch", stage.orders("alice", "buy", 15))
    stage.stop("asset", "WATT", minutes=600)
    stage.at(20).stop("chain", minutes=60)
    chain = stage.chain
    state = decode_state(encode_state(chain._state), chain.head)
    assert state.emergency == chain.emergency
    assert chain.replay().state_root == chain.state_root
    chain.store_in(tmp_path / "run.db", snapshot_every=1)
    stage.resume()
    stage.seal()
    chain.close()
    opened = ConsortiumChain.open(tmp_path / "run.db", exchange=chain.exchange)
    assert (opened.state_root, opened.emergency) == (chain.state_root, chain.emergency)
    assert opened.replay().fingerprint == chain.fingerprint
    opened.close()
