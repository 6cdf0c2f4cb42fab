from datetime import datetime

import polars as pl
import pytest

from gridlab.chain import keys
from gridlab.chain.snapshot import decode_state, encode_state


def test_watt_is_minted_by_its_issuer_alone_and_never_beyond_the_reserve(chain, pairs, pay, make):
    minted = {"debit": "issuer", "credit": "alice", "code": "mint"}
    assert make.sealed(chain, chain.sign(pairs["issuer"], "mint", pay(**minted))).code == "ledger_refused"
    reserve = pay(99, 5_000_000, "bank", "issuer", "THB", "reserve")
    assert make.sealed(chain, chain.sign(pairs["bank"], "mint", pay())).code == "not_permitted"
    assert make.sealed(chain, chain.sign(pairs["bank"], "reserve", reserve)).accepted
    assert make.sealed(chain, chain.sign(pairs["issuer"], "mint", pay(**minted))).accepted
    assert make.sealed(chain, chain.sign(pairs["issuer"], "mint", pay(101, **minted))).accepted
    assert make.sealed(chain, chain.sign(pairs["issuer"], "mint", pay(102, 3_000_001, **minted))).code == (
        "ledger_refused"
    )
    assert chain.ledger.circulation("WATT") == 152_000_000
    assert chain.ledger.circulation("THB") == 155_000_000


@pytest.mark.parametrize(("kind", "sender"), [("settlement", "operator"), ("transfer", "issuer")])
def test_no_other_kind_makes_money(chain, pairs, pay, make, kind, sender):
    receipt = make.sealed(chain, chain.sign(pairs[sender], kind, pay(debit="issuer")))
    assert receipt.code == "rule_broken"
    assert "new money" in receipt.reason


@pytest.mark.parametrize("changes", [{"debit": "alice"}, {"debit": "issuer", "asset": "THB"}])
def test_an_issuer_issues_its_own_asset_from_its_own_account(chain, pairs, pay, make, changes):
    assert make.sealed(chain, chain.sign(pairs["issuer"], "mint", pay(**changes))).code == "rule_broken"


def test_watt_is_redeemed_by_paying_it_back(chain, pairs, pay, make):
    redeem = pay(amount=40_000_000, credit="issuer", code="redeem")
    assert make.sealed(chain, chain.sign(pairs["alice"], "transfer", redeem)).accepted
    assert chain.ledger.circulation("WATT") == 110_000_000


def test_a_settlement_is_whole_or_nothing(chain, pairs, make, account):
    alice, bob, grid = account["alice"], account["bob"], account["grid"]
    good = [(200, bob, alice, "WATT", 50_000_000, "energy"), (201, alice, grid, "WATT", 1_000_000, "wheeling")]
    short = [*good, (202, bob, grid, "WATT", 1, "fee")]
    assert make.sealed(chain, chain.sign(pairs["operator"], "settlement", make.transfers(*short))).code == (
        "ledger_refused"
    )
    assert make.sealed(chain, chain.sign(pairs["operator"], "settlement", make.transfers(*good))).accepted
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
    receipt = make.sealed(chain, chain.sign(pairs["alice"], "order_batch", orders))
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason


def test_a_slot_that_cannot_be_printed_is_malformed_and_stops_nobody(chain, pairs, make, account):
    good = chain.sign(pairs["alice"], "order_batch", make.orders(account["alice"], rows=1))
    slot = int(make.orders(0, rows=1)["slot"].dt.timestamp("us")[0]).to_bytes(8, "little")
    payload = good.payload.replace(slot, (-(2**63)).to_bytes(8, "little", signed=True))
    assert payload != good.payload
    transaction = make.signed(chain, pairs["alice"], "order_batch", make.orders(account["alice"]), payload=payload)
    assert make.sealed(chain, transaction).code == "malformed_payload"


def test_only_traders_send_orders(chain, pairs, make, account):
    orders = make.orders(account["operator"])
    assert make.sealed(chain, chain.sign(pairs["operator"], "order_batch", orders)).code == "not_permitted"


def test_meter_readings_are_recorded(chain, pairs, make):
    assert make.sealed(chain, chain.sign(pairs["grid"], "meter_readings", make.readings())).accepted
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
    receipt = make.sealed(chain, chain.sign(pairs["grid"], "meter_readings", make.readings(**changes)))
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason


def test_a_licence_withdrawn_stops_its_holder_and_granted_again_lets_him_act(chain, pairs, pay, make):
    withdrawn = make.change(chain, "alice", active=pl.lit(False))
    assert make.sealed(chain, chain.sign(pairs["regulator"], "membership", withdrawn)).accepted
    assert make.sealed(chain, chain.sign(pairs["alice"], "transfer", pay())).code == "licence_withdrawn"
    granted = make.change(chain, "alice", active=pl.lit(True))
    assert make.sealed(chain, chain.sign(pairs["regulator"], "membership", granted)).accepted
    assert make.sealed(chain, chain.sign(pairs["alice"], "transfer", pay())).accepted


def test_a_new_member_gets_an_account_and_a_new_key_replaces_the_old(chain, pairs, pay, make, account):
    carol, renewed = keys.sandbox(7, "carol"), keys.sandbox(7, "alice, second key")
    new = make.change(
        chain, "bob", account=pl.lit(7, pl.UInt32), name=pl.lit("carol"), public_key=pl.lit(carol.public_key)
    )
    rotated = make.change(chain, "alice", public_key=pl.lit(renewed.public_key))
    chain.send(pairs["regulator"], "membership", pl.concat([new, rotated]))
    chain.submit(chain.sign(pairs["alice"], "transfer", pay()))
    assert [receipt.code for receipt in chain.seal(make.start).receipts] == ["accepted", "not_a_member"]
    to_carol = make.transfers((300, account["alice"], 7, "WATT", 10, "transfer"))
    assert make.sealed(chain, chain.sign(renewed, "transfer", to_carol)).accepted
    back = make.transfers((301, 7, account["alice"], "WATT", 10, "transfer"))
    assert make.sealed(chain, chain.sign(carol, "transfer", back)).accepted
    assert chain.replay().state_root == chain.state_root


def test_a_key_that_was_given_up_never_comes_back(chain, pairs, pay, make):
    spent = chain.sign(pairs["alice"], "transfer", pay().clear())
    assert make.sealed(chain, spent).accepted
    renewed = keys.sandbox(7, "alice, second key")
    rotated = make.change(chain, "alice", public_key=pl.lit(renewed.public_key))
    assert make.sealed(chain, chain.sign(pairs["regulator"], "membership", rotated)).accepted
    for name in ("alice", "bob"):  # on bob's account, whose nonce is lower, it could be sent once more
        again = make.change(chain, name, public_key=pl.lit(pairs["alice"].public_key))
        refused = make.sealed(chain, chain.sign(pairs["regulator"], "membership", again))
        assert (refused.code, "was given up" in refused.reason) == ("rule_broken", True)
    assert make.sealed(chain, spent).code == "not_a_member"
    state = decode_state(encode_state(chain._state), chain.head)
    assert state.retired == (pairs["alice"].public_key,)
    assert chain.replay().state_root == chain.state_root


def test_two_members_cannot_exchange_keys(chain, pairs, make):
    swapped = [
        make.change(chain, one, public_key=pl.lit(pairs[other].public_key))
        for one, other in (("alice", "bob"), ("bob", "alice"))
    ]
    refused = make.sealed(chain, chain.sign(pairs["regulator"], "membership", pl.concat(swapped)))
    assert (refused.code, "was given up" in refused.reason) == ("rule_broken", True)


def test_a_new_issuer_may_mint(chain, pairs, make, account):
    second = keys.sandbox(7, "second issuer")
    new = make.change(
        chain, "issuer", account=pl.lit(7, pl.UInt32), name=pl.lit("second"), public_key=pl.lit(second.public_key)
    )
    reserve = make.transfers((400, account["bank"], 7, "THB", 9, "reserve"))
    chain.send(pairs["regulator"], "membership", new)
    chain.send(pairs["bank"], "reserve", reserve)
    assert chain.seal(make.start).rejected == 0
    mint = make.transfers((401, 7, account["bob"], "WATT", 9, "mint"))
    assert make.sealed(chain, chain.sign(second, "mint", mint)).accepted


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("alice", {"role": pl.lit("watt_issuer")}, "role cannot change"),
        ("alice", {"name": pl.lit("bob")}, "name stands there twice"),
        ("alice", {"name": pl.lit("")}, "name is empty"),
        ("alice", {"name": pl.lit("x" * 201)}, "longer than 200 bytes"),
        ("alice", {"public_key": pl.lit(b"short")}, "32 bytes"),
        ("alice", {"account": pl.lit(9, pl.UInt32), "name": pl.lit("zoe"), "public_key": pl.lit(bytes(32))}, "number"),
        ("regulator", {"active": pl.lit(False)}, "no regulator who may act"),
    ],
)
def test_membership_changes_that_break_a_rule_are_rejected(chain, pairs, make, name, changes, reason):
    receipt = make.sealed(chain, chain.sign(pairs["regulator"], "membership", make.change(chain, name, **changes)))
    assert receipt.code == "rule_broken"
    assert reason in receipt.reason


def test_an_account_changes_once_in_a_payload(chain, pairs, make):
    twice = pl.concat([make.change(chain, "alice"), make.change(chain, "alice", active=pl.lit(False))])
    receipt = make.sealed(chain, chain.sign(pairs["regulator"], "membership", twice))
    assert (receipt.code, "stands there twice" in receipt.reason) == ("rule_broken", True)
