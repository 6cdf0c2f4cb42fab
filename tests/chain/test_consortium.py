from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain import Block, ConsortiumChain, Header, Ordering, SingleSequencer, Transaction, keys, merkle
from gridlab.chain.effects import RULES
from gridlab.chain.execution import encode_payload
from gridlab.chain.frame_encoding import encode_frame
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, FrameError, GridlabError


def signed(chain, pair, kind, frame, /, **changes):
    """A transaction as the chain would sign it, save for what a test changes."""
    good = chain.sign(pair, kind, frame)
    fields = {"chain_id": good.chain_id, "kind": kind, "nonce": good.nonce, "expiry": good.expiry}
    return Transaction.sign(pair, **(fields | {"payload": good.payload} | changes))


def seal_one(chain, transaction, make):
    """Seal one transaction and return its receipt, having checked that a rejected one changed nothing."""
    before, nonces = chain.ledger.balances, chain._state.nonces.copy()
    root, members = chain.state_root, chain.members
    chain.submit(transaction)
    block = chain.seal(make.start)
    receipt = block.receipts[0]
    if not receipt.accepted:
        assert receipt.reason
        assert (block.rejected, chain.state_root) == (1, root)
        assert chain.ledger.balances.equals(before)
        assert chain.members.equals(members)
        assert (chain._state.nonces == nonces).all()
    return receipt


@pytest.fixture
def pay(make, account):
    """One transfer of micro-THB from alice to bob, unless told otherwise."""

    def pay(number=100, amount=1_000_000, debit="alice", credit="bob", asset="WATT", code="transfer"):
        return make.transfers((number, account[debit], account[credit], asset, amount, code))

    return pay


def test_a_transfer_moves_money_and_counts_the_nonce(chain, pairs, pay, make, account):
    transaction = chain.sign(pairs["alice"], "transfer", pay())
    assert seal_one(chain, transaction, make).accepted
    assert chain.ledger.balance(account["alice"], "WATT") == 99_000_000
    assert chain.ledger.balance(account["bob"], "WATT") == 51_000_000
    assert chain.sign(pairs["alice"], "transfer", pay()).nonce == 1


def test_a_replayed_transaction_is_refused(chain, pairs, pay, make):
    transaction = chain.sign(pairs["alice"], "transfer", pay())
    assert seal_one(chain, transaction, make).accepted
    receipt = seal_one(chain, transaction, make)
    assert (receipt.code, receipt.reason) == ("bad_nonce", "nonce 0, the sender's next one is 1")


def test_the_same_transaction_twice_in_one_block_counts_once(chain, pairs, pay, make):
    transaction = chain.sign(pairs["alice"], "transfer", pay())
    chain.submit(transaction)
    chain.submit(transaction)
    assert [receipt.code for receipt in chain.seal(make.start).receipts] == ["accepted", "bad_nonce"]
    assert chain.pending == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"chain_id": "another chain"}, "wrong_chain"),
        ({"kind": "transfers"}, "unknown_kind"),
        ({"kind": "settlement"}, "not_permitted"),
        ({"kind": "mint"}, "not_permitted"),
        ({"kind": "membership"}, "not_permitted"),
        ({"nonce": 1}, "bad_nonce"),
        ({"nonce": 2**64 - 1}, "bad_nonce"),
        ({"expiry": 1}, "expired"),
        ({"payload": b""}, "malformed_payload"),
        ({"payload": b"\xff" * 40}, "malformed_payload"),
    ],
)
def test_a_transaction_that_breaks_a_rule_is_rejected_with_its_reason(chain, pairs, pay, make, changes, code):
    assert seal_one(chain, signed(chain, pairs["alice"], "transfer", pay(), **changes), make).code == code


def test_expiry_is_the_last_block_that_accepts(chain, pairs, pay, make):
    assert seal_one(chain, signed(chain, pairs["alice"], "transfer", pay(), expiry=2), make).accepted


def test_a_bad_signature_is_rejected(chain, pairs, pay, make):
    good = chain.sign(pairs["alice"], "transfer", pay())
    parts = (good.chain_id, good.kind, good.sender, good.nonce, good.expiry)
    other = chain.sign(pairs["alice"], "transfer", pay(amount=2))
    for payload, signature in ((good.payload, bytes(64)), (good.payload, other.signature), (other.payload, good.signature)):
        assert seal_one(chain, Transaction(*parts, payload, signature), make).code == "bad_signature"


def test_nobody_signs_for_another(chain, pairs, pay, make):
    good = chain.sign(pairs["alice"], "transfer", pay())
    stolen = pairs["bob"].sign(good.message)
    forged = Transaction(good.chain_id, good.kind, good.sender, good.nonce, good.expiry, good.payload, stolen)
    assert seal_one(chain, forged, make).code == "bad_signature"
    assert seal_one(chain, chain.sign(pairs["bob"], "transfer", pay()), make).code == "rule_broken"


def test_who_is_no_member_is_rejected(chain, pay, make):
    stranger = keys.sandbox(7, "mallory")
    payload = encode_payload(RULES[1]["transfer"], pay())
    transaction = Transaction.sign(
        stranger, chain_id=chain.chain_id, kind="transfer", nonce=0, expiry=9, payload=payload
    )
    assert seal_one(chain, transaction, make).code == "not_a_member"
    with pytest.raises(ChainError, match="not a member"):
        chain.sign(stranger, "transfer", pay())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 100_000_001}, "ledger_refused"),
        ({"asset": "THB"}, "ledger_refused"),
        ({"credit": "alice"}, "ledger_refused"),
        ({"amount": 0}, "ledger_refused"),
        ({"number": 2}, "ledger_refused"),
        ({"debit": "bob", "credit": "alice"}, "rule_broken"),
        ({"debit": "issuer"}, "rule_broken"),
    ],
)
def test_a_payment_that_breaks_a_rule_is_rejected(chain, pairs, pay, make, changes, code):
    assert seal_one(chain, chain.sign(pairs["alice"], "transfer", pay(**changes)), make).code == code


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.with_columns(asset=pl.Series(["GOLD"], dtype=pl.Enum(["WATT", "GOLD"]))),
        lambda frame: frame.with_columns(asset=pl.lit("WATT")),
        lambda frame: frame.with_columns(pl.col("amount").cast(pl.UInt64)),
        lambda frame: frame.drop("code"),
        lambda frame: frame.with_columns(extra=pl.lit(1, dtype=pl.Int64)),
        lambda frame: frame.select(reversed(frame.columns)),
    ],
)
def test_a_payload_of_another_form_is_malformed(chain, pairs, pay, make, change):
    payload = encode_frame(change(RULES[1]["transfer"].schema.check(pay())))
    transaction = signed(chain, pairs["alice"], "transfer", pay(), payload=payload)
    assert seal_one(chain, transaction, make).code == "malformed_payload"


@pytest.mark.parametrize("cut", [1, 7, 50])
def test_a_payload_cut_short_is_malformed(chain, pairs, pay, make, cut):
    payload = encode_payload(RULES[1]["transfer"], pay())[:-cut]
    transaction = signed(chain, pairs["alice"], "transfer", pay(), payload=payload)
    assert seal_one(chain, transaction, make).code == "malformed_payload"


# What each kind may do.


def test_watt_is_minted_by_its_issuer_alone_and_never_beyond_the_reserve(chain, pairs, pay, make):
    minted = {"debit": "issuer", "credit": "alice", "code": "mint"}
    assert seal_one(chain, chain.sign(pairs["issuer"], "mint", pay(**minted)), make).code == "ledger_refused"
    reserve = pay(99, 5_000_000, "bank", "issuer", "THB", "reserve")
    assert seal_one(chain, chain.sign(pairs["bank"], "mint", pay()), make).code == "not_permitted"
    assert seal_one(chain, chain.sign(pairs["bank"], "reserve", reserve), make).accepted
    assert seal_one(chain, chain.sign(pairs["issuer"], "mint", pay(**minted)), make).accepted
    assert seal_one(chain, chain.sign(pairs["issuer"], "mint", pay(101, **minted)), make).accepted
    assert seal_one(chain, chain.sign(pairs["issuer"], "mint", pay(102, 3_000_001, **minted)), make).code == (
        "ledger_refused"
    )
    assert chain.ledger.circulation("WATT") == 152_000_000
    assert chain.ledger.circulation("THB") == 155_000_000


@pytest.mark.parametrize(("kind", "sender"), [("settlement", "operator"), ("transfer", "issuer")])
def test_no_other_kind_makes_money(chain, pairs, pay, make, kind, sender):
    receipt = seal_one(chain, chain.sign(pairs[sender], kind, pay(debit="issuer")), make)
    assert receipt.code == "rule_broken"
    assert "new money" in receipt.reason


@pytest.mark.parametrize("changes", [{"debit": "alice"}, {"debit": "issuer", "asset": "THB"}])
def test_an_issuer_issues_its_own_asset_from_its_own_account(chain, pairs, pay, make, changes):
    assert seal_one(chain, chain.sign(pairs["issuer"], "mint", pay(**changes)), make).code == "rule_broken"


def test_watt_is_redeemed_by_paying_it_back(chain, pairs, pay, make):
    redeem = pay(amount=40_000_000, credit="issuer", code="redeem")
    assert seal_one(chain, chain.sign(pairs["alice"], "transfer", redeem), make).accepted
    assert chain.ledger.circulation("WATT") == 110_000_000


def test_a_settlement_is_whole_or_nothing(chain, pairs, make, account):
    alice, bob, grid = account["alice"], account["bob"], account["grid"]
    good = [(200, bob, alice, "WATT", 50_000_000, "energy"), (201, alice, grid, "WATT", 1_000_000, "wheeling")]
    short = [*good, (202, bob, grid, "WATT", 1, "fee")]
    assert seal_one(chain, chain.sign(pairs["operator"], "settlement", make.transfers(*short)), make).code == (
        "ledger_refused"
    )
    assert seal_one(chain, chain.sign(pairs["operator"], "settlement", make.transfers(*good)), make).accepted
    assert chain.ledger.balance(grid, "WATT") == 1_000_000


def test_orders_are_signed_once_for_many_and_read_again_from_the_chain(chain, pairs, make, account):
    for name, zone in (("alice", "BKK"), ("bob", "N1")):
        orders = make.orders(account[name], first_id=10 * account[name], zone=pl.lit(zone))
        chain.send(pairs[name], "order_batch", orders)
    assert chain.seal(make.start).rejected == 0
    orders = chain.payloads("order_batch", chain.height)
    assert orders["zone"].to_list() == ["BKK"] * 4 + ["N1"] * 4
    assert orders["account"].to_list() == [account["alice"]] * 4 + [account["bob"]] * 4
    assert orders.drop("zone")[4:].equals(make.orders(account["bob"], first_id=60).drop("zone"))
    assert chain.payloads("order_batch").equals(orders)
    assert chain.payloads("meter_readings").height == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"account": pl.lit(6, dtype=pl.UInt32)}, "another account"),
        ({"energy": pl.lit(0, dtype=pl.Int64)}, "not more than 0 Wh"),
        ({"energy": pl.lit(-1, dtype=pl.Int64)}, "not more than 0 Wh"),
        ({"order_id": pl.lit(1, dtype=pl.UInt64)}, "stands there twice"),
        ({"slot": pl.col("slot").dt.offset_by("1m")}, "quarter of an hour"),
    ],
)
def test_order_batches_that_break_a_rule_are_rejected(chain, pairs, make, account, changes, reason):
    orders = make.orders(account["alice"], **changes)
    receipt = seal_one(chain, chain.sign(pairs["alice"], "order_batch", orders), make)
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason


def test_only_traders_send_orders(chain, pairs, make, account):
    orders = make.orders(account["operator"])
    assert seal_one(chain, chain.sign(pairs["operator"], "order_batch", orders), make).code == "not_permitted"


def readings(**changes):
    frame = pl.DataFrame(
        {"slot": [datetime(2026, 4, 1)] * 2, "account": [5, 6], "load": [400, 300], "generation": [0, 900]}
    )
    return frame.with_columns(**changes)


def test_meter_readings_are_recorded(chain, pairs, make):
    assert seal_one(chain, chain.sign(pairs["grid"], "meter_readings", readings()), make).accepted
    assert chain.payloads("meter_readings")["generation"].to_list() == [0, 900]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"account": pl.lit(7)}, "does not exist"),
        ({"account": pl.lit(5)}, "read twice"),
        ({"load": pl.lit(-1)}, "below 0 Wh"),
        ({"generation": pl.lit(-1)}, "below 0 Wh"),
        ({"slot": pl.lit(datetime(2026, 4, 1, 0, 1))}, "quarter of an hour"),
    ],
)
def test_meter_readings_that_break_a_rule_are_rejected(chain, pairs, make, changes, reason):
    receipt = seal_one(chain, chain.sign(pairs["grid"], "meter_readings", readings(**changes)), make)
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason


# Membership.


def change(chain, name, /, **changes):
    return chain.members.filter(pl.col("name") == name).with_columns(**changes)


def test_a_licence_withdrawn_stops_its_holder_and_granted_again_lets_him_act(chain, pairs, pay, make):
    withdrawn = change(chain, "alice", active=pl.lit(False))
    assert seal_one(chain, chain.sign(pairs["regulator"], "membership", withdrawn), make).accepted
    assert seal_one(chain, chain.sign(pairs["alice"], "transfer", pay()), make).code == "licence_withdrawn"
    granted = change(chain, "alice", active=pl.lit(True))
    assert seal_one(chain, chain.sign(pairs["regulator"], "membership", granted), make).accepted
    assert seal_one(chain, chain.sign(pairs["alice"], "transfer", pay()), make).accepted


def test_a_new_member_gets_an_account_and_a_new_key_replaces_the_old(chain, pairs, pay, make, account):
    carol, renewed = keys.sandbox(7, "carol"), keys.sandbox(7, "alice, second key")
    new = change(chain, "bob", account=pl.lit(7, pl.UInt32), name=pl.lit("carol"), public_key=pl.lit(carol.public_key))
    rotated = change(chain, "alice", public_key=pl.lit(renewed.public_key))
    chain.send(pairs["regulator"], "membership", pl.concat([new, rotated]))
    chain.submit(chain.sign(pairs["alice"], "transfer", pay()))
    assert [receipt.code for receipt in chain.seal(make.start).receipts] == ["accepted", "not_a_member"]
    to_carol = make.transfers((300, account["alice"], 7, "WATT", 10, "transfer"))
    assert seal_one(chain, chain.sign(renewed, "transfer", to_carol), make).accepted
    back = make.transfers((301, 7, account["alice"], "WATT", 10, "transfer"))
    assert seal_one(chain, chain.sign(carol, "transfer", back), make).accepted
    assert chain.replay().state_root == chain.state_root


def test_a_new_issuer_may_mint(chain, pairs, make, account):
    second = keys.sandbox(7, "second issuer")
    new = change(
        chain, "issuer", account=pl.lit(7, pl.UInt32), name=pl.lit("second"), public_key=pl.lit(second.public_key)
    )
    reserve = make.transfers((400, account["bank"], 7, "THB", 9, "reserve"))
    chain.send(pairs["regulator"], "membership", new)
    chain.send(pairs["bank"], "reserve", reserve)
    assert chain.seal(make.start).rejected == 0
    mint = make.transfers((401, 7, account["bob"], "WATT", 9, "mint"))
    assert seal_one(chain, chain.sign(second, "mint", mint), make).accepted


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("alice", {"role": pl.lit("watt_issuer")}, "role cannot change"),
        ("alice", {"name": pl.lit("bob")}, "name stands there twice"),
        ("alice", {"name": pl.lit("")}, "name is empty"),
        ("alice", {"public_key": pl.lit(b"short")}, "32 bytes"),
        ("alice", {"account": pl.lit(9, pl.UInt32), "name": pl.lit("zoe"), "public_key": pl.lit(bytes(32))}, "number"),
        ("regulator", {"active": pl.lit(False)}, "no active regulator"),
    ],
)
def test_membership_changes_that_break_a_rule_are_rejected(chain, pairs, make, name, changes, reason):
    receipt = seal_one(chain, chain.sign(pairs["regulator"], "membership", change(chain, name, **changes)), make)
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason


def test_an_account_changes_once_in_a_payload(chain, pairs, make):
    twice = pl.concat([change(chain, "alice"), change(chain, "alice", active=pl.lit(False))])
    receipt = seal_one(chain, chain.sign(pairs["regulator"], "membership", twice), make)
    assert (receipt.code, "stands there twice" in receipt.reason) == ("rule_broken", True)


# Blocks.


def test_blocks_link_and_commit_to_what_they_hold(chain, pairs, pay, make):
    chain.send(pairs["alice"], "transfer", pay())
    chain.submit(chain.sign(pairs["bob"], "transfer", pay(debit="alice")))
    block = chain.seal(make.start + timedelta(minutes=15))
    ids = [transaction.id for transaction in block.transactions]
    receipts = [
        ids[0] + b"\x20accepted",
        ids[1] + b"\x2crule_broken",
    ]
    assert block.header.parent == chain.block(1).hash
    assert block.header.transactions_root == merkle.root(ids, hash="blake2b-256")
    assert block.header.receipts_root == merkle.root(receipts, hash="blake2b-256")
    assert block.header.state_root == chain.state_root
    proof = block.prove_transaction(1)
    assert merkle.verify_inclusion(block.header.transactions_root, ids[1], 1, 2, proof, hash="blake2b-256")
    assert Block.from_bytes(block.to_bytes()) == block
    assert Header.from_bytes(block.header.to_bytes()) == block.header
    assert Transaction.from_bytes(block.transactions[0].to_bytes()) == block.transactions[0]


def test_the_frames_say_what_the_blocks_hold(chain, pairs, pay, make, account):
    chain.send(pairs["alice"], "transfer", pay())
    chain.submit(chain.sign(pairs["bob"], "transfer", pay(debit="alice")))
    chain.seal(make.start + timedelta(minutes=15))
    blocks, transactions = chain.blocks, chain.transactions
    assert blocks["height"].to_list() == [0, 1, 2]
    assert blocks["parent"][1:].to_list() == blocks["hash"][:-1].to_list()
    assert blocks["hash"].to_list() == ["0x" + chain.block(height).hash.hex() for height in range(3)]
    assert blocks.select("transactions", "rejected").rows() == [(0, 0), (2, 0), (2, 1)]
    assert blocks["bytes"].to_list() == [
        len(chain.genesis.to_bytes()), *(len(chain.block(height).to_bytes()) for height in (1, 2))
    ]
    assert blocks["slot"].dt.strftime("%Y-%m-%d %H:%M %z").to_list()[1:] == [
        "2026-04-01 00:00 +0700", "2026-04-01 00:15 +0700"
    ]
    assert transactions.select("height", "index", "kind", "account", "accepted", "code").rows()[2:] == [
        (2, 0, "transfer", account["alice"], True, "accepted"),
        (2, 1, "transfer", account["bob"], False, "rule_broken"),
    ]
    assert transactions["id"].to_list()[2] == "0x" + chain.block(2).transactions[0].id.hex()


def test_time_never_runs_backwards(chain, pairs, pay, make):
    chain.send(pairs["alice"], "transfer", pay())
    with pytest.raises(ChainError, match="never older than its parent"):
        chain.seal(make.start - timedelta(microseconds=1))
    assert (chain.height, len(chain.pending)) == (1, 1)
    assert chain.seal(make.start).rejected == 0


def test_a_moment_may_be_bangkok_time_any_zone_or_microseconds(chain):
    moments = [datetime(2026, 4, 1), datetime(2026, 3, 31, 17, tzinfo=UTC), 1_774_976_400_000_000]
    assert {chain.seal(moment).header.timestamp for moment in moments} == {1_774_976_400_000_000}
    assert chain.head.time == moments[1]


def test_two_chains_of_the_same_transactions_are_the_same_to_the_byte(members, pairs, pay, make, account):
    def build():
        chain = ConsortiumChain(members)
        chain.send(pairs["bank"], "reserve", pay(1, 9, "bank", "issuer", "THB", "reserve"))
        chain.send(pairs["issuer"], "mint", pay(2, 9, "issuer", "alice", code="mint"))
        chain.seal(make.start)
        return chain

    one, two = build(), build()
    assert one.to_bytes() == two.to_bytes()
    assert one.fingerprint == two.fingerprint
    other = ConsortiumChain(members, chain_id="other")
    assert other.genesis.header.hash != one.genesis.header.hash
    assert other.fingerprint != ConsortiumChain(members).fingerprint


class NewestFirst(SingleSequencer):
    """Takes the newest transaction alone and leaves the others waiting."""

    def arrange(self, pending):
        return tuple(pending[-1:])


def test_another_ordering_may_arrange_and_leave_transactions(members, pairs, make, account, pay):
    chain = ConsortiumChain(members, ordering=NewestFirst(keys.sandbox(0, "sequencer")))
    assert isinstance(chain.ordering, Ordering)
    chain.send(pairs["grid"], "meter_readings", readings())
    chain.send(pairs["alice"], "order_batch", make.orders(account["alice"]))
    kinds = []
    for _ in range(3):
        kinds += [transaction.kind for transaction in chain.seal(make.start).transactions]
    assert kinds == ["order_batch", "meter_readings"]
    assert chain.blocks["rejected"].sum() == 0


def test_a_sequencer_without_its_secret_checks_and_does_not_seal(chain, make):
    reader = ConsortiumChain.from_bytes(chain.to_bytes(), ordering=SingleSequencer(chain.ordering.authority))
    with pytest.raises(ChainError, match="cannot|secret key is not here"):
        reader.seal(make.start)
    assert reader.height == chain.height


def test_how_things_show_themselves(chain, pairs, make):
    assert repr(chain) == "ConsortiumChain('gridlab-consortium', height 1, 7 members, 0 transactions pending)"
    assert "150.000000" in chain._repr_html_()
    block = chain.block(1)
    assert repr(block).startswith("Block(height 1, 2 transactions, 0x")
    assert "2 transactions" not in block._repr_html_()
    assert "2, of which 0 rejected" in block._repr_html_()
    assert "<script" not in ConsortiumChain(chain.members, chain_id="<script>")._repr_html_()
    assert len(repr(block.transactions[0])) < 60
    assert len(repr(block.header)) < 60


@given(
    payments=st.lists(
        st.tuples(st.sampled_from(["alice", "bob"]), st.integers(-1, 60_000_000), st.integers(0, 12)), max_size=12
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_replays_and_keeps_the_promises(members, pairs, account, make, payments):
    chain = ConsortiumChain(members)
    reserve = (1, account["bank"], account["issuer"], "THB", 100_000_000, "reserve")
    mints = [(2 + n, account["issuer"], account[who], "WATT", 50_000_000, "mint") for n, who in enumerate(("alice", "bob"))]
    chain.send(pairs["bank"], "reserve", make.transfers(reserve))
    chain.send(pairs["issuer"], "mint", make.transfers(*mints))
    for sender, amount, number in payments:
        receiver = "bob" if sender == "alice" else "alice"
        row = (10 + number, account[sender], account[receiver], "WATT", amount, "transfer")
        chain.send(pairs[sender], "transfer", make.transfers(row))
        if number % 3 == 0:
            chain.seal(make.start)
    chain.seal(make.start)
    balances = chain.ledger.balances
    assert balances.select("WATT", "THB").sum().row(0) == (0, 0)
    assert balances.filter(~pl.col("account").is_in([account["bank"], account["issuer"]]))["WATT"].min() >= 0
    assert chain.ledger.circulation("WATT") == 100_000_000 <= chain.ledger.circulation("THB")
    again = chain.replay()
    assert again.fingerprint == chain.fingerprint
    assert again.blocks.equals(chain.blocks)
    assert again.transactions.equals(chain.transactions)
    assert ConsortiumChain.from_bytes(chain.to_bytes()).to_bytes() == chain.to_bytes()


# Calls that make no sense.


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda chain, pair: chain.submit(b"transaction"), ArgumentTypeError),
        (lambda chain, pair: chain.seal("2026-04-01"), ArgumentTypeError),
        (lambda chain, pair: chain.seal(-1), ArgumentError),
        (lambda chain, pair: chain.seal(2**62), ArgumentError),
        (lambda chain, pair: chain.block(2), ArgumentError),
        (lambda chain, pair: chain.block("1"), ArgumentTypeError),
        (lambda chain, pair: chain.payloads("orders"), ChainError),
        (lambda chain, pair: chain.payloads("order_batch", 9), ArgumentError),
        (lambda chain, pair: chain.send(pair.public_key, "transfer", pl.DataFrame()), ArgumentTypeError),
        (lambda chain, pair: chain.send(pair, "transfers", pl.DataFrame()), ChainError),
        (lambda chain, pair: chain.send(pair, "transfer", {"amount": 1}), ArgumentTypeError),
        (lambda chain, pair: chain.send(pair, "transfer", pl.DataFrame({"amount": [1]})), FrameError),
        (lambda chain, pair: chain.append_block(b"block"), ArgumentTypeError),
        (lambda chain, pair: ConsortiumChain([1]), ArgumentTypeError),
        (lambda chain, pair: ConsortiumChain(chain.members, chain_id=""), ArgumentError),
        (lambda chain, pair: ConsortiumChain(chain.members, chain_id="x" * 65), ArgumentError),
        (lambda chain, pair: ConsortiumChain(chain.members, chain_id=b"x"), ArgumentTypeError),
        (lambda chain, pair: ConsortiumChain(chain.members, ordering="first come"), ArgumentTypeError),
        (lambda chain, pair: ConsortiumChain(chain.members, genesis_time="today"), ArgumentTypeError),
        (lambda chain, pair: ConsortiumChain(chain.members.drop("role")), FrameError),
        (lambda chain, pair: ConsortiumChain(chain.members[1:]), FrameError),
        (lambda chain, pair: ConsortiumChain(chain.members.with_columns(name=pl.lit("x"))), FrameError),
        (lambda chain, pair: ConsortiumChain(chain.members.with_columns(public_key=pl.lit(bytes(32)))), FrameError),
        (lambda chain, pair: ConsortiumChain(chain.members.with_columns(public_key=pl.lit(b""))), FrameError),
        (lambda chain, pair: ConsortiumChain(chain.members.with_columns(role=pl.lit("king"))), FrameError),
        (lambda chain, pair: SingleSequencer("key"), ArgumentTypeError),
        (lambda chain, pair: SingleSequencer(b"short"), ArgumentError),
    ],
)
def test_calls_that_make_no_sense_are_errors_and_change_nothing(chain, pairs, call, error):
    before = chain.to_bytes()
    with pytest.raises(error) as caught:
        call(chain, pairs["alice"])
    assert isinstance(caught.value, GridlabError)
    assert len(str(caught.value)) > 20
    assert (chain.to_bytes(), chain.pending) == (before, ())


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("chain_id", 5, ArgumentTypeError),
        ("kind", "x" * 65, ArgumentError),
        ("sender", b"short", ArgumentError),
        ("nonce", -1, ArgumentError),
        ("nonce", "0", ArgumentTypeError),
        ("expiry", 2**64, ArgumentError),
        ("payload", "text", ArgumentTypeError),
        ("signature", bytes(63), ArgumentError),
    ],
)
def test_fields_that_no_transaction_has_are_errors(field, value, error):
    fields = {
        "chain_id": "c", "kind": "transfer", "sender": bytes(32), "nonce": 0, "expiry": 0, "payload": b"",
        "signature": bytes(64),
    }  # fmt: skip
    with pytest.raises(error, match=field):
        Transaction(**(fields | {field: value}))
