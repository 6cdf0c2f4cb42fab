"""Headers that lying validators have certified: what they hold must fit together all the same."""

import json
from dataclasses import replace

import pytest

from gridlab.chain import Block, Receipt, SingleSequencer, Transaction, keys, merkle
from gridlab.chain.blocks import receipts_root
from gridlab.compliance import Audit, prove_transaction
from gridlab.compliance.proof_reading import header_json
from gridlab.compliance.verifying import check_bytes


def check(content):
    return check_bytes(json.dumps(content).encode())


@pytest.fixture(scope="module")
def proof(town):
    return Audit(town).prove_trade(1)


@pytest.fixture(scope="module")
def payment(town):
    return prove_transaction(town, town.height - 1, 2)


SEQUENCER = keys.sandbox(3, "sequencer")


def certified(town, content, **changes):
    """The proof with another header, which the sequencer has signed; without the headers below it."""
    header = replace(town.block(content["header"]["height"]).header, **changes)
    _, certificate = SingleSequencer(SEQUENCER).decide(Block(header, (), b""), lambda _: None, SEQUENCER.public_key)
    shown = {"header": header_json(header), "certificate": "0x" + certificate.hex()}
    return {**content, **shown, "ancestry": "none", "ancestors": []}


def test_a_certified_header_must_fit_all_the_same(town, proof):
    content = json.loads(proof.to_json())
    assert check(certified(town, content))
    assert "rules version 2" in check(certified(town, content, rules_version=2)).reason
    assert "on the same chain" in check(certified(town, content, chain_id="gridlab")).reason
    assert "does not come after" in check(certified(town, content, timestamp=0)).reason
    assert "does not come after" in check(certified(town, content, height=0)).reason
    assert "receipt_path" in check(certified(town, content, receipts_root=bytes(32))).reason


def test_a_receipt_of_a_refusal_or_of_another_transaction_proves_nothing(town, proof, payment):
    for code, output, words in (
        ("rule_broken", bytes(32), "not one of an accepted transaction"),
        ("accepted", b"", "not one of an accepted transaction"),
        ("accepted", bytes(32), "trade_path"),
        ("accepted", bytes(31), "receipt.output has 31 bytes"),
    ):
        content = json.loads(proof.to_json())
        receipt = Receipt(bytes(32), code, output=output)
        forged = certified(town, content, receipts_root=receipts_root([receipt]))
        shown = {"transaction_id": "0x" + bytes(32).hex(), "code": code, "output": "0x" + output.hex()}
        assert words in check({**forged, "receipt": shown, "receipt_path": []}).reason
    content = json.loads(payment.to_json())
    forged = certified(town, content, receipts_root=receipts_root([Receipt(bytes(32), "accepted")]))
    shown = {"transaction_id": "0x" + bytes(32).hex(), "code": "accepted", "output": "0x"}
    assert "not of this one" in check({**forged, "receipt": shown, "receipt_path": []}).reason


def test_an_accepted_transaction_must_be_signed_and_a_refused_one_need_not(town, payment):
    content = json.loads(payment.to_json())
    content["transaction"]["signature"] = "0x" + bytes(64).hex()
    own = content["transaction"]
    unsigned = Transaction(
        town.chain_id,
        own["kind"],
        *(bytes.fromhex(own["sender"][2:]), own["nonce"], own["expiry"]),
        *(bytes.fromhex(own["payload"][2:]), bytes(64)),
    )
    for code, holds in (("accepted", False), ("bad_signature", True)):
        receipt = Receipt(unsigned.id, code)
        roots = {
            "receipts_root": receipts_root([receipt]),
            "transactions_root": merkle.root([unsigned.id], hash="blake2b-256"),
        }
        shown = {"transaction_id": "0x" + unsigned.id.hex(), "code": code, "output": "0x"}
        forged = {**certified(town, content, **roots), "receipt": shown, "receipt_path": [], "transaction_path": []}
        verdict = check(forged)
        assert bool(verdict) is holds
        if holds:
            assert verdict.transaction["signed_by_sender"] is False
        else:
            assert "not signed by its sender" in verdict.reason


def test_a_payload_that_is_no_frame_is_proved_without_being_shown(make):
    chain = make.chain()
    stranger = keys.sandbox(9, "stranger")
    chain.submit(Transaction.sign(stranger, chain_id="x", kind="riot", nonce=0, expiry=9, payload=b"\xff"))
    chain.submit(Transaction.sign(stranger, chain_id=chain.chain_id, kind="riot", nonce=0, expiry=9, payload=b"\xff"))
    chain.seal(make.start)
    assert prove_transaction(chain, 1, 0).verdict.transaction["chain_id"] == "x"
    verdict = prove_transaction(chain, 1, 1).verdict
    assert verdict.payload is None
    assert verdict.transaction["code"] == "not_a_member"
