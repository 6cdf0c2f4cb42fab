"""Executing one transaction: everything that it must satisfy, in order, and then its effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from gridlab.chain.effects import Call, Effect
from gridlab.chain.effects.stopping import StoppedError, act_under_stops
from gridlab.chain.exchange import Exchange
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.ledger import ASSETS, CODES
from gridlab.chain.payloads import decode_payload
from gridlab.chain.senders import FEE_SENDER
from gridlab.chain.state import State
from gridlab.chain.terms import FEE_ASSET, FEE_ROLES
from gridlab.chain.transactions import Transaction
from gridlab.errors import GridlabError, LedgerError, nearest

__all__ = ["Context", "RefusalError", "bad_nonce", "execute_one"]


class RefusalError(Exception):
    """Why a transaction changes nothing; becomes its receipt and reaches no user.

    Parameters
    ----------
    code, reason : str
        As in `gridlab.chain.receipts.Receipt`.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True)
class Context:
    """The block in which transactions are executed.

    Attributes
    ----------
    chain_id : str
        The chain on which a transaction must count.
    height : int
        Height of the block.
    timestamp : int
        Of the block, microseconds since 1970-01-01 UTC.
    effects : mapping of str to Effect
        The rules in force.
    exchange : Exchange or None
        Who clears orders.
    """

    chain_id: str
    height: int
    timestamp: int
    effects: Mapping[str, Effect]
    exchange: Exchange | None = None


def execute_one(state: State, transaction: Transaction, context: Context, *, signed: bool) -> pl.DataFrame | None:
    """Execute one transaction, whole or not at all.

    Parameters
    ----------
    state : State
        Changed in place.
    transaction : Transaction
    context : Context
    signed : bool
        Whether its signature is its sender's.

    Returns
    -------
    polars.DataFrame or None
        The trades that came of it, where any can.

    Raises
    ------
    RefusalError
        The transaction is refused and has changed nothing.
    """
    effects = context.effects
    account = _member(state, transaction, signed=signed)
    if transaction.chain_id != context.chain_id:
        raise RefusalError("wrong_chain", f"it is for the chain {transaction.chain_id!r}, this is {context.chain_id!r}")
    if transaction.kind not in effects:
        raise RefusalError(
            "unknown_kind", f"kind {transaction.kind!r} is not known; {nearest(transaction.kind, effects)}"
        )
    effect = effects[transaction.kind]
    _check_licence(state, account, transaction.kind, effect)
    _check_validity(state, transaction, context.height, account)
    try:
        frame = decode_payload(effect, transaction.payload)
    except GridlabError as problem:
        raise RefusalError("malformed_payload", str(problem)) from problem
    why_not = state.emergency.why_not(transaction.kind, frame)
    if why_not is not None:
        raise RefusalError("stopped", why_not)
    call = Call(account, frame, transaction.payload, context.height, context.timestamp, context.exchange)
    trades = _charged(state, transaction, effect, call)
    state.nonces[account] += 1
    return trades


def _charged(state: State, transaction: Transaction, effect: Effect, call: Call) -> pl.DataFrame | None:
    """Take the fee and give the effect: both, or neither.

    No fee is due while the asset that it is paid in stands: who could not pay it could not claim a lock of another
    asset in time.
    """
    pays = state.members.roles[call.account] in FEE_ROLES and FEE_ASSET not in state.emergency.frozen
    fee = state.terms.fee(transaction.size) if pays else 0
    before, charged = (state.ledger.fork(), state.charged) if fee else (state.ledger, state.charged)
    try:
        if fee:
            _charge(state, call.account, fee)
        return act_under_stops(state, transaction.kind, effect, call)
    except RefusalError:
        raise
    except StoppedError as stopped:
        state.ledger, state.charged = before, charged
        raise RefusalError("stopped", str(stopped)) from stopped
    except GridlabError as problem:
        state.ledger, state.charged = before, charged
        code = "ledger_refused" if isinstance(problem, LedgerError) else "rule_broken"
        # Of several rows the error shows those at fault; a single one is the transaction's own.
        alone = code == "ledger_refused" and call.frame.height == 1
        raise RefusalError(code, str(problem).partition("\n")[0] if alone else str(problem)) from problem


def _charge(state: State, account: int, fee: int) -> None:
    held = state.ledger.available(account, "WATT")
    if held < fee:
        raise RefusalError("fee_unpaid", f"the fee is {fee} micro-WATT, account {account} has {held} to spend")
    frame = pl.DataFrame(
        {
            "transfer_id": [state.charged],
            "debit_account": [account],
            "credit_account": [state.operator_account],
            "asset": ["WATT"],
            "amount": [fee],
            "code": ["chain_fee"],
        },
        schema_overrides={"asset": ASSETS, "code": CODES},
    )
    state.ledger.apply(frame, sender=FEE_SENDER)
    state.charged += 1


def _member(state: State, transaction: Transaction, *, signed: bool) -> int:
    """Return the sender's account: membership comes before anything else."""
    account = state.members.account_of.get(transaction.sender)
    if account is None:
        raise RefusalError("not_a_member", f"no member has the key {hexadecimal(transaction.sender)}")
    if not signed:
        raise RefusalError("bad_signature", f"the signature is not account {account}'s over this transaction")
    return account


def _check_licence(state: State, account: int, kind: str, effect: Effect) -> None:
    if not state.members.active[account]:
        raise RefusalError("licence_withdrawn", f"the licence of account {account} is not in force")
    if not state.members.verified[account]:
        known = state.members.frame["kyc"][account]
        raise RefusalError(
            "kyc_not_verified", f"the identity check of account {account} is {known!r}; a regulator can renew it"
        )
    role = state.members.roles[account]
    if role not in effect.roles:
        allowed = ", ".join(effect.roles)
        raise RefusalError("not_permitted", f"account {account} is a {role}, {kind!r} is for: {allowed}")


def _check_validity(state: State, transaction: Transaction, height: int, account: int) -> None:
    if transaction.size > state.terms.transaction_bytes:
        raise RefusalError(
            "too_large", f"it has {transaction.size} bytes, allowed: {state.terms.transaction_bytes}; split the frame"
        )
    if transaction.expiry < height:
        raise RefusalError("expired", f"it was good until block {transaction.expiry}, this is block {height}")
    expected = int(state.nonces[account])
    if transaction.nonce != expected:
        raise bad_nonce(transaction.nonce, expected)


def bad_nonce(nonce: int, expected: int) -> RefusalError:
    """Make the refusal of a transaction whose nonce is not its sender's next one."""
    return RefusalError("bad_nonce", f"nonce {nonce}, the sender's next one is {expected}")
