import polars as pl
import pytest

from gridlab.chain import Transaction, keys
from gridlab.chain.effects import RULES
from gridlab.chain.execution import encode_payload
from gridlab.chain.frame_encoding import encode_frame
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError


def test_a_transfer_moves_money_and_counts_the_nonce(chain, pairs, pay, make, account):
    transaction = chain.sign(pairs["alice"], "transfer", pay())
    assert make.sealed(chain, transaction).accepted
    assert chain.ledger.balance(account["alice"], "WATT") == 99_000_000
    assert chain.ledger.balance(account["bob"], "WATT") == 51_000_000
    assert chain.sign(pairs["alice"], "transfer", pay()).nonce == 1


def test_a_replayed_transaction_is_refused(chain, pairs, pay, make):
    transaction = chain.sign(pairs["alice"], "transfer", pay())
    assert make.sealed(chain, transaction).accepted
    receipt = make.sealed(chain, transaction)
    assert (receipt.code, receipt.reason) == ("bad_nonce", "nonce 0, the sender's next one is 1")


def test_the_same_transaction_twice_in_one_block_counts_once(chain, pairs, pay, make):
    transaction = chain.sign(pairs["alice"], "transfer", pay())
    chain.submit(transaction)
    chain.submit(transaction)
    assert chain.pending == (transaction,)
    assert [receipt.code for receipt in chain.seal(make.start).receipts] == ["accepted"]
    chain.submit(transaction)
    assert [receipt.code for receipt in chain.seal(make.start).receipts] == ["bad_nonce"]
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
    assert make.sealed(chain, make.signed(chain, pairs["alice"], "transfer", pay(), **changes)).code == code


def test_expiry_is_the_last_block_that_accepts(chain, pairs, pay, make):
    assert make.sealed(chain, make.signed(chain, pairs["alice"], "transfer", pay(), expiry=2)).accepted


def test_a_bad_signature_is_rejected(chain, pairs, pay, make):
    good = chain.sign(pairs["alice"], "transfer", pay())
    parts = (good.chain_id, good.kind, good.sender, good.nonce, good.expiry)
    other = chain.sign(pairs["alice"], "transfer", pay(amount=2))
    mixed = [(good.payload, bytes(64)), (good.payload, other.signature), (other.payload, good.signature)]
    for payload, signature in mixed:
        assert make.sealed(chain, Transaction(*parts, payload, signature)).code == "bad_signature"


def test_nobody_signs_for_another(chain, pairs, pay, make):
    good = chain.sign(pairs["alice"], "transfer", pay())
    stolen = pairs["bob"].sign(good.message)
    forged = Transaction(good.chain_id, good.kind, good.sender, good.nonce, good.expiry, good.payload, stolen)
    assert make.sealed(chain, forged).code == "bad_signature"
    assert make.sealed(chain, chain.sign(pairs["bob"], "transfer", pay())).code == "rule_broken"


def test_who_is_no_member_is_rejected(chain, pay, make):
    stranger = keys.sandbox(7, "mallory")
    payload = encode_payload(RULES[1]["transfer"], pay())
    transaction = Transaction.sign(
        stranger, chain_id=chain.chain_id, kind="transfer", nonce=0, expiry=9, payload=payload
    )
    assert make.sealed(chain, transaction).code == "not_a_member"
    with pytest.raises(ChainError, match="not a member"):
        chain.sign(stranger, "transfer", pay())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 100_000_001}, "ledger_refused"),
        ({"asset": "THB"}, "ledger_refused"),
        ({"credit": "alice"}, "ledger_refused"),
        ({"amount": 0}, "ledger_refused"),
        ({"debit": "bob", "credit": "alice"}, "rule_broken"),
        ({"debit": "issuer"}, "rule_broken"),
    ],
)
def test_a_payment_that_breaks_a_rule_is_rejected(chain, pairs, pay, make, changes, code):
    assert make.sealed(chain, chain.sign(pairs["alice"], "transfer", pay(**changes))).code == code


def test_a_payment_sent_again_under_a_new_nonce_moves_nothing_and_changed_it_is_refused(
    chain, pairs, pay, make, account
):
    for _ in range(2):
        assert make.sealed(chain, chain.sign(pairs["alice"], "transfer", pay())).accepted
    assert chain.ledger.balance(account["bob"], "WATT") == 51_000_000
    assert make.sealed(chain, chain.sign(pairs["alice"], "transfer", pay(amount=7))).code == "ledger_refused"


def test_nobody_uses_up_the_ids_of_the_market_operator(chain, pairs, pay, make):
    assert make.sealed(chain, chain.sign(pairs["alice"], "transfer", pay(number=500, amount=1))).accepted
    settlement = pay(number=500, debit="bob", credit="grid", code="energy")
    assert make.sealed(chain, chain.sign(pairs["operator"], "settlement", settlement)).accepted


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
    transaction = make.signed(chain, pairs["alice"], "transfer", pay(), payload=payload)
    assert make.sealed(chain, transaction).code == "malformed_payload"


@pytest.mark.parametrize("cut", [1, 7, 50])
def test_a_payload_cut_short_is_malformed(chain, pairs, pay, make, cut):
    payload = encode_payload(RULES[1]["transfer"], pay())[:-cut]
    transaction = make.signed(chain, pairs["alice"], "transfer", pay(), payload=payload)
    assert make.sealed(chain, transaction).code == "malformed_payload"


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
