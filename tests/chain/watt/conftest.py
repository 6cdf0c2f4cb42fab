"""A chain on which WATT's rules are in force, and short ways to move on it."""

from types import SimpleNamespace

import pytest

from gridlab.chain import keys
from gridlab.chain.moments import require_microseconds
from gridlab.chain.watt import ReserveAttestation, WattRules
from gridlab.chain.watt.wire import amount_frame, attestation_frame, pause_frame, rules_frame

SLOT = 900_000_000


@pytest.fixture
def auditor():
    return keys.sandbox(7, "auditor")


@pytest.fixture
def watt(chain, pairs, account, make, auditor):
    """Drives the chain on which alice holds 100 WATT and bob 50, all of it in reserve."""
    start = require_microseconds("start", make.start)

    def send(name, kind, frame, slot=1):
        """Seal one transaction `slot` slots after the start and return its receipt."""
        before = chain.state_root
        chain.send(pairs[name], kind, frame)
        receipt = chain.seal(start + slot * SLOT).receipts[0]
        assert receipt.accepted or (receipt.reason and chain.state_root == before)
        return receipt

    def rules(slot=1, **changes):
        return send("regulator", "watt_rules", rules_frame(WattRules(auditor.public_key, 4 * SLOT, **changes)), slot)

    def attest(reserve, slot=1, *, seal=None, booked=None, signer=auditor, chain_id=None, sender="bank"):
        booked = chain.ledger.circulation("THB") if booked is None else booked
        statement = ReserveAttestation(start + slot * SLOT, reserve, booked)
        signature = statement.sign(signer, chain_id or chain.chain_id)
        return send(sender, "reserve_attestation", attestation_frame(statement, signature), seal or slot)

    def deposit(number, amount, slot=1):
        row = (number, account["bank"], account["issuer"], "THB", amount, "reserve")
        return send("bank", "reserve", make.transfers(row), slot)

    def mint(number, amount, slot=1, to="alice"):
        row = (number, account["issuer"], account[to], "WATT", amount, "mint")
        return send("issuer", "mint", make.transfers(row), slot)

    return SimpleNamespace(
        chain=chain,
        send=send,
        rules=rules,
        attest=attest,
        deposit=deposit,
        mint=mint,
        redeem=lambda name, amount, slot=1: send(name, "redeem", amount_frame(amount), slot),
        pay=lambda amount, slot=1, by="bank": send(by, "redemption_payout", amount_frame(amount), slot),
        release=lambda amount, slot=1: send("bank", "reserve_release", amount_frame(amount), slot),
        pause=lambda by, slot=1, why="drill": send(by, "watt_pause", pause_frame(why), slot),
        resume=lambda by, slot=1: send(by, "watt_resume", pause_frame("over"), slot),
    )
