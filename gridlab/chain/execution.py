"""Executing a block's transactions, one after another, each whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from gridlab.chain.arguments import require_text
from gridlab.chain.blocks import Receipt
from gridlab.chain.effects import Call, Effect
from gridlab.chain.exchange import Exchange
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.keys import verify_many
from gridlab.chain.ledger import ASSETS, CODES
from gridlab.chain.senders import FEE_SENDER
from gridlab.chain.state import State
from gridlab.chain.terms import FEE_ROLES
from gridlab.chain.trades import trades_root
from gridlab.chain.transactions import Transaction
from gridlab.errors import ChainError, GridlabError, LedgerError, nearest

__all__ = ["Context", "decode_payload", "effect_of", "encode_payload", "execute"]


class _RefusalError(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason


def effect_of(kind: str, effects: Mapping[str, Effect]) -> Effect:
    """Return the rule of `kind`, or raise ChainError naming the kinds there are (ArgumentTypeError for no text)."""
    if require_text("kind", kind) not in effects:
        raise ChainError(f"kind {kind!r} is not known; {nearest(kind, effects)}")
    return effects[kind]


def encode_payload(effect: Effect, frame: pl.DataFrame | pl.LazyFrame) -> bytes:
    """Check `frame` against the schema of a kind and write it as canonical bytes.

    Raises
    ------
    ArgumentTypeError, FrameError
        As `Schema.check` does.
    """
    checked = effect.schema.check(frame)
    return encode_frame(checked.select(c.name for c in effect.schema.columns if c.name in checked.columns))


def decode_payload(effect: Effect, payload: bytes) -> pl.DataFrame:
    """Read a payload, which must have exactly the columns and dtypes of its schema.

    Raises
    ------
    ChainError
        The bytes are not a canonical frame, or not one of this schema.
    """
    frame = decode_frame(payload, effect.schema.name)
    columns = [column for column in effect.schema.columns if column.required or column.name in frame.columns]
    if frame.columns != [column.name for column in columns]:
        names = [column.name for column in columns]
        raise ChainError(f"{effect.schema.name}: columns {frame.columns}, allowed: {names} in this order")
    for column, dtype in zip(columns, frame.dtypes, strict=True):
        fits = isinstance(dtype, pl.Enum) if column.dtype is None else dtype == column.dtype
        if not fits:
            raise ChainError(f"{effect.schema.name}: column {column.name!r} has dtype {dtype}, allowed: {column.dtype}")
    return frame


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


def execute(state: State, transactions: Sequence[Transaction], context: Context) -> tuple[Receipt, ...]:
    """Execute transactions in order and say what became of each.

    Parameters
    ----------
    state : State
        Changed in place by the transactions that are accepted; the others change nothing.
    transactions : sequence of Transaction
    context : Context

    Returns
    -------
    tuple of Receipt
        One per transaction, in the same order.
    """
    # One after another: what a transaction may do depends on all before it. Only the signatures do not.
    signed = verify_many([(each.sender, each.message, each.signature) for each in transactions])
    state.ledger.expire(context.timestamp)
    receipts = []
    for transaction, valid in zip(transactions, signed, strict=True):
        account = state.members.account_of.get(transaction.sender)
        try:
            trades = _execute_one(state, transaction, context, signed=valid)
        except _RefusalError as refusal:
            receipts.append(Receipt(transaction.id, refusal.code, refusal.reason, account))
        else:
            output = b"" if trades is None else trades_root(trades)
            receipts.append(Receipt(transaction.id, "accepted", "", account, output, trades))
    return tuple(receipts)


def _execute_one(
    state: State, transaction: Transaction, context: Context, *, signed: bool
) -> pl.DataFrame | None:
    effects = context.effects
    account = _member(state, transaction, signed=signed)
    if transaction.chain_id != context.chain_id:
        raise _RefusalError(
            "wrong_chain", f"it is for the chain {transaction.chain_id!r}, this is {context.chain_id!r}"
        )
    if transaction.kind not in effects:
        raise _RefusalError(
            "unknown_kind", f"kind {transaction.kind!r} is not known; {nearest(transaction.kind, effects)}"
        )
    effect = effects[transaction.kind]
    _check_licence(state, account, transaction.kind, effect)
    _check_validity(state, transaction, context.height, account)
    try:
        frame = decode_payload(effect, transaction.payload)
    except GridlabError as problem:
        raise _RefusalError("malformed_payload", str(problem)) from problem
    call = Call(account, frame, transaction.payload, context.height, context.timestamp, context.exchange)
    trades = _charged(state, transaction, effect, call)
    state.nonces[account] += 1
    return trades


def _charged(state: State, transaction: Transaction, effect: Effect, call: Call) -> pl.DataFrame | None:
    """Take the fee and give the effect: both, or neither."""
    fee = state.terms.fee(transaction.size) if state.members.roles[call.account] in FEE_ROLES else 0
    before, charged = (state.ledger.fork(), state.charged) if fee else (state.ledger, state.charged)
    try:
        if fee:
            _charge(state, call.account, fee)
        return effect.act(state, call)
    except _RefusalError:
        raise
    except GridlabError as problem:
        state.ledger, state.charged = before, charged
        code = "ledger_refused" if isinstance(problem, LedgerError) else "rule_broken"
        raise _RefusalError(code, str(problem)) from problem


def _charge(state: State, account: int, fee: int) -> None:
    held = state.ledger.available(account, "WATT")
    if held < fee:
        raise _RefusalError("fee_unpaid", f"the fee is {fee} micro-WATT, account {account} has {held} to spend")
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
        raise _RefusalError("not_a_member", f"no member has the key {hexadecimal(transaction.sender)}")
    if not signed:
        raise _RefusalError("bad_signature", f"the signature is not account {account}'s over this transaction")
    return account


def _check_licence(state: State, account: int, kind: str, effect: Effect) -> None:
    if not state.members.active[account]:
        raise _RefusalError("licence_withdrawn", f"the licence of account {account} is not in force")
    if not state.members.verified[account]:
        known = state.members.frame["kyc"][account]
        raise _RefusalError(
            "kyc_not_verified", f"the identity check of account {account} is {known!r}; a regulator can renew it"
        )
    role = state.members.roles[account]
    if role not in effect.roles:
        allowed = ", ".join(effect.roles)
        raise _RefusalError("not_permitted", f"account {account} is a {role}, {kind!r} is for: {allowed}")


def _check_validity(state: State, transaction: Transaction, height: int, account: int) -> None:
    if transaction.size > state.terms.transaction_bytes:
        raise _RefusalError(
            "too_large", f"it has {transaction.size} bytes, allowed: {state.terms.transaction_bytes}; split the frame"
        )
    if transaction.expiry < height:
        raise _RefusalError("expired", f"it was good until block {transaction.expiry}, this is block {height}")
    expected = int(state.nonces[account])
    if transaction.nonce != expected:
        raise _RefusalError("bad_nonce", f"nonce {transaction.nonce}, the sender's next one is {expected}")
