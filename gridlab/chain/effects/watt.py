"""What WATT's own kinds do: rules, attestations, minting, redeeming, payouts, releases, pauses.

Once a regulator has set rules, at every block: WATT in circulation <= THB booked (the ledger refuses anything else, row
by row), and no mint or release leaves more WATT than is attested, less what was paid out and released since. What the
bank books after an attestation counts for neither until somebody attests it, or bank and issuer could make WATT alone.
Only the world outside can open a gap: an attestation that finds baht missing. Then payouts follow the rule for a gap,
until baht that fill it are booked: a payout burns at least as many WATT as it takes baht, so it makes no WATT.

While WATT is paused nothing is minted, paid out or released. Holders may still pay with it, since the market settles in
it and a pause of the issuer must not stop that, and may still queue, so that who asks first stays first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.effects.effect import SLOT_MICROSECONDS, Call, forbid
from gridlab.chain.effects.money import issue
from gridlab.chain.ledger import Ledger
from gridlab.chain.ledger.schema import SINGLE
from gridlab.chain.senders import PAYOUT_SENDER, REDEMPTION_SENDER
from gridlab.chain.state import State
from gridlab.chain.swaps.postings import Posting, apply_postings, require_holder
from gridlab.chain.watt import ReserveAttestation, WattRegister, WattRules, share_of
from gridlab.chain.watt.queue import Front, Redemption
from gridlab.chain.watt.wire import ATTESTATIONS, WATT_RULES
from gridlab.errors import ChainError

__all__ = ["attest", "book", "mint", "pause", "pay_out", "redeem", "release", "resume", "set_rules"]

_LONGEST_REASON = 200
_issue = issue("WATT")
_book = issue("THB")


def book(state: State, call: Call) -> None:
    """Book baht as paid in; under rules note that nobody has attested them yet."""
    before = state.ledger.circulation("THB")
    _book(state, call)
    more = state.ledger.circulation("THB") - before
    if more and not state.watt.is_empty:
        state.watt = replace(state.watt, bookings=state.watt.bookings.add(call.timestamp, more))


def set_rules(state: State, call: Call) -> None:
    """Set the rules, from the next transaction on; what is queued and attested stays."""
    row = _only_row(call.frame, "watt_rules")
    rules = WattRules(**{column.name: row[column.name] for column in WATT_RULES.columns})
    _issuer_and_bank(state)
    state.watt = replace(state.watt, rules=rules)


def attest(state: State, call: Call) -> None:
    """Take a signed statement about the reserve, of a later moment than the one before."""
    row = _only_row(call.frame, "reserve_attestation")
    as_of = int(call.frame["as_of"].to_physical()[0])
    statement = ReserveAttestation(as_of, *(row[column.name] for column in ATTESTATIONS.columns[1:3]))
    register, newest = state.watt, state.watt.attestation
    if not statement.is_signed_by(register.in_force.attestor, row["signature"], state.chain_id):
        raise ChainError(
            "reserve_attestation: the signature is not the attestor's over this statement for this chain; the rules "
            f"name {register.in_force.attestor.hex()[:16]}…"
        )
    if as_of > call.timestamp:
        raise ChainError(f"reserve_attestation: it is as of {as_of} µs, after its block ({call.timestamp} µs)")
    if newest is not None and as_of <= newest.as_of:
        raise ChainError(
            f"reserve_attestation: it is as of {as_of} µs, allowed: later than the one before ({newest.as_of} µs)"
        )
    state.watt = replace(register, attestation=statement, bookings=register.bookings.after(as_of))


def mint(state: State, call: Call) -> None:
    """Issue WATT; under rules only against baht that are attested, lately enough, and still there."""
    if state.watt.is_empty:
        _issue(state, call)
        return
    state.watt.require_running("mint")
    state.watt.require_fresh(call.timestamp, "mint")
    if "phase" in call.frame.columns:
        later = pl.col("phase").to_physical() != SINGLE
        forbid(call.frame, later, "mint: a row moves later or in two phases, when the reserve may be another")
    before, ledger = state.ledger, state.ledger.fork()
    state.ledger = ledger
    try:
        _issue(state, call)
        _require_cover(state.watt, ledger)
    except Exception:
        state.ledger = before
        raise


def _require_cover(register: WattRegister, ledger: Ledger) -> None:
    cover, circulating = register.cover(ledger), ledger.circulation("WATT")
    if circulating > cover:
        attested = register.attestation.reserve if register.attestation else 0
        raise ChainError(
            f"mint: {circulating - cover} micro-THB would be missing in the attested reserve; attested: {attested}, of "
            f"which {cover} are left after what was paid out since; allowed: as much WATT as that. Baht booked after "
            "the attestation count when they are attested, so attest them first"
        )


def redeem(state: State, call: Call) -> None:
    """Put WATT of the sender into the queue; they are held until they are paid out."""
    amount, register = _amount(call, "redeem"), state.watt
    issuer, _ = _issuer_and_bank(state)
    require_holder(state.ledger, call.account, "WATT", "redeem")
    if amount < register.in_force.least:
        raise ChainError(f"redeem: {amount} micro-THB, allowed: {register.in_force.least} or more at a time")
    number = state.ledger.next_id(REDEMPTION_SENDER)
    held = Posting(number, call.account, issuer, "WATT", amount, "redeem", "pending")
    apply_postings(state.ledger, [held], sender=REDEMPTION_SENDER, now=call.timestamp)
    state.watt = replace(register, queue=register.queue.add(Redemption(call.account, amount, number)))


def pay_out(state: State, call: Call) -> None:
    """Redeem WATT from the front of the queue: burn them, and take the baht that were paid for them off the reserve."""
    amount, register = _amount(call, "redemption_payout"), state.watt
    rules, slot = register.in_force, call.timestamp // SLOT_MICROSECONDS * SLOT_MICROSECONDS
    register.require_running("redemption_payout")
    left = register.left_in_slot(slot)
    if left is not None and amount > left:
        raise ChainError(
            f"redemption_payout: {amount} micro-THB, allowed in this slot: {left} more (the gate is {rules.gate}); "
            "the rest waits for the next slot"
        )
    rate, front = register.rate(state.ledger), register.queue.front(amount)
    gross = share_of(front.paid, rate)
    wanted, reserve = int(gross.sum()), register.reserve(state.ledger)
    if wanted > reserve:
        raise ChainError(f"redemption_payout: {wanted} micro-THB, allowed: {reserve}, all there is in reserve")
    fees = share_of(gross, rules.fee_ppb)
    held = _pay_front(state, front, (gross - fees, int(fees.sum())), call.timestamp)
    burned = amount + (register.burned if slot == register.slot else 0)
    state.watt = replace(register, queue=register.queue.after(front, held), slot=slot, burned=burned)


def _pay_front(state: State, front: Front, baht: tuple[npt.NDArray[np.int64], int], now: int) -> int:
    """Burn what `front` pays and take net baht and fee off the reserve; return the id that holds the rest of the last.

    Baht have the id of the transfer that burned the WATT they were paid for. WATT are burned first, so that the ledger
    finds them backed after every row.
    """
    issuer, bank = _issuer_and_bank(state)
    first = max(state.ledger.next_id(sender) for sender in (REDEMPTION_SENDER, PAYOUT_SENDER))
    ids = range(first, first + len(front.paid) + 1)
    pairs = zip(ids, front.rows.tolist(), front.paid.tolist(), strict=False)
    burned = [Posting(id_, row[0], issuer, "WATT", paid, "redeem", "post", row[2]) for id_, row, paid in pairs]
    if front.rest:
        burned.append(Posting(ids[-1], int(front.rows[-1, 0]), issuer, "WATT", front.rest, "redeem", "pending"))
    net, fee = baht
    due = zip(ids, net.tolist(), strict=False)
    paid = [Posting(id_, issuer, bank, "THB", each, "redeem") for id_, each in due if each]
    if fee:
        paid.append(Posting(ids[-1], issuer, bank, "THB", fee, "fee"))
    ledger = state.ledger.fork()
    apply_postings(ledger, burned, sender=REDEMPTION_SENDER, now=now)
    if paid:
        apply_postings(ledger, paid, sender=PAYOUT_SENDER, now=now)
    state.ledger = ledger
    return ids[-1]


def release(state: State, call: Call) -> None:
    """Take baht off the reserve that back nothing."""
    amount, register = _amount(call, "reserve_release"), state.watt
    register.require_running("reserve_release")
    register.require_fresh(call.timestamp, "reserve_release")
    free = max(0, register.cover(state.ledger) - state.ledger.circulation("WATT"))
    if amount > free:
        raise ChainError(f"reserve_release: {amount} micro-THB, allowed: {free}, which are attested and back no WATT")
    issuer, bank = _issuer_and_bank(state)
    number = max(state.ledger.next_id(sender) for sender in (REDEMPTION_SENDER, PAYOUT_SENDER))
    posting = Posting(number, issuer, bank, "THB", amount, "withdrawal")
    apply_postings(state.ledger, [posting], sender=PAYOUT_SENDER, now=call.timestamp)


def pause(state: State, call: Call) -> None:
    """Stop minting, payouts and releases."""
    reason, register = _reason(call, "watt_pause"), state.watt
    _ = register.in_force
    register.require_running("watt_pause")
    state.watt = replace(register, pause=reason)


def resume(state: State, call: Call) -> None:
    """Let minting, payouts and releases go on."""
    _ = _reason(call, "watt_resume")
    if not state.watt.pause:
        raise ChainError("watt_resume: WATT is not paused")
    state.watt = replace(state.watt, pause="")


def _reason(call: Call, what: str) -> str:
    reason: str = _only_row(call.frame, what)["reason"]
    if not 1 <= len(reason.encode()) <= _LONGEST_REASON:
        raise ChainError(f"{what}: the reason has {len(reason.encode())} bytes, allowed: 1 to {_LONGEST_REASON}")
    return reason


def _amount(call: Call, what: str) -> int:
    amount: int = _only_row(call.frame, what)["amount"]
    if amount <= 0:
        raise ChainError(f"{what}: the amount is {amount} micro-THB, allowed: more than 0")
    return amount


def _only_row(frame: pl.DataFrame, what: str) -> dict[str, Any]:
    if frame.height != 1:
        raise ChainError(f"{what}: {frame.height} rows, allowed: one in a transaction, which stands or falls alone")
    return frame.row(0, named=True)


def _issuer_and_bank(state: State) -> tuple[int, int]:
    """Return the accounts through which WATT are burned and baht leave: of the first issuer and reserve bank."""
    issuers, banks = (state.members.with_role(role) for role in ("watt_issuer", "reserve_bank"))
    if not issuers or not banks:
        raise ChainError("watt: the chain has no watt_issuer or no reserve_bank; a regulator can license one")
    return issuers[0], banks[0]
