"""Before a batch is applied: what is wrong with each row by itself, and what its ids refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.ledger.accounts import Accounts
from gridlab.chain.ledger.columns import FIELDS, Array, Columns
from gridlab.chain.ledger.history import TransferHistory
from gridlab.chain.ledger.pairs import Keys, numbered, pack
from gridlab.chain.ledger.pending import OpenTransfers, expiry
from gridlab.chain.ledger.results import EXISTS, OK, code_of
from gridlab.chain.ledger.schema import ASSET_NAMES, PENDING, POST
from gridlab.chain.ledger.walk import CLOSED, FIELDS_OF_PENDING, MOVED, OPENED, UNKNOWN, Marks, Rows

__all__ = ["Plan", "Past", "different", "plan"]

_NOTHING: Any = np.empty(0, np.int64)
_FALSE = np.empty(0, np.bool_)
_BYTES = np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Past:
    """What was before the batch.

    Attributes
    ----------
    history : TransferHistory
    pending : OpenTransfers
    senders : int or array of uint32
        Of the batch's rows.
    now : int
        Microseconds since 1970.
    """

    history: TransferHistory
    pending: OpenTransfers
    senders: Array | int
    now: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch ready to be applied.

    Attributes
    ----------
    rows : Rows
    marks : Marks
    places : array of int64
        Per key its place among the open pending transfers before the batch, -1 where it is not there; empty without
        phases.
    """

    rows: Rows
    marks: Marks
    places: npt.NDArray[np.int64]


def plan(columns: Columns, accounts: Accounts, past: Past) -> Plan:
    """Check the rows one by one and number what their ids refer to.

    Parameters
    ----------
    columns : Columns
    accounts : Accounts
    past : Past

    Returns
    -------
    Plan
    """
    expires = expiry(columns, past.now) if columns.two_phase else _NOTHING
    verdict = _own_faults(columns, len(accounts))
    _mark_known(verdict, columns, past)
    debit, credit = _cells(columns.debit_account, columns, verdict), _cells(columns.credit_account, columns, verdict)
    key, target, distinct, repeated = _references(columns, past)
    content = _contents(columns, repeated) if repeated is not None else _NOTHING
    state, pending, places = _what_is_pending(distinct, columns, past)
    rows = Rows(
        debit,
        credit,
        columns.asset,
        columns.amount,
        _BYTES if columns.phase is None else columns.phase,
        expires,
        _FALSE if columns.linked is None else columns.linked,
        key,
        content,
        target,
        past.now,
    )
    count = len(columns) if columns.two_phase else 0
    against = np.full(len(columns) if len(content) else 0, -1, np.int64)
    marks = Marks(
        verdict,
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        against,
        np.full(len(distinct) if len(key) else 0, -1, np.int64),
        state,
        pending,
    )
    return Plan(rows, marks, places)


def _cells(accounts: Array, columns: Columns, verdict: Array) -> npt.NDArray[np.int64]:
    cells = accounts.astype(np.int64)
    cells *= len(ASSET_NAMES)
    cells += columns.asset
    if verdict.any():
        cells[verdict != OK] = 0  # an account may not exist, and nobody will look
    return cells


def _own_faults(columns: Columns, accounts: int) -> npt.NDArray[np.uint8]:
    verdict = np.zeros(len(columns), np.uint8)
    if columns.linked is not None and columns.linked[-1]:
        verdict[-1] = code_of("linked_open")
    if columns.phase is None:
        _mark(verdict, columns.amount <= 0, "amount_not_positive")
    else:
        closes = columns.phase >= POST
        _mark(verdict, (columns.amount <= 0) & ~closes, "amount_not_positive")
        _mark(verdict, (columns.amount < 0) & closes, "amount_negative")
    _mark(verdict, columns.debit_account == columns.credit_account, "same_accounts")
    if len(columns) and max(columns.debit_account.max(), columns.credit_account.max()) >= accounts:
        unknown = (columns.debit_account >= accounts) | (columns.credit_account >= accounts)
        _mark(verdict, unknown, "unknown_account")
    phase = columns.field("phase") if columns.pending_id is not None or columns.timeout is not None else _BYTES
    if columns.pending_id is not None:
        _mark(verdict, (columns.pending_id != 0) & (phase < POST), "pending_id_unexpected")
    if columns.timeout is not None:
        _mark(verdict, (columns.timeout != 0) & (phase != PENDING), "timeout_unexpected")
    return verdict


def _mark(verdict: Array, broken: Array, name: str) -> None:
    if broken.any():
        verdict[broken & (verdict == OK)] = code_of(name)


def _mark_known(verdict: Array, columns: Columns, past: Past) -> None:
    """Mark the rows whose transfer was applied before this batch, the same or another."""
    maybe = past.history.may_know(past.senders, columns.transfer_id)
    if not maybe.any():
        return
    rows = np.flatnonzero(maybe & (verdict == OK))
    positions = past.history.find(_keys(past.senders, columns.transfer_id, rows))
    rows, positions = rows[positions >= 0], positions[positions >= 0]
    if len(rows):
        verdict[rows] = different(columns.rows(rows), past.history.rows(positions))


def _keys(senders: Array | int, ids: Array, rows: Array) -> Keys:
    return pack(senders if isinstance(senders, int) else senders[rows], ids[rows])


def different(columns: Columns, earlier: Columns) -> npt.NDArray[np.uint8]:
    """Return "exists" for each row that equals its earlier one, else the result that names the first other field."""
    codes = np.full(len(columns), EXISTS, np.uint8)
    for name in reversed(FIELDS[1:]):
        codes[columns.field(name) != earlier.field(name)] = code_of(f"exists_with_different_{name}")
    return codes


def _references(columns: Columns, past: Past) -> tuple[Array, Array, Keys, Array | None]:
    """Number senders and ids: key per row, key of what it posts or voids, the distinct keys, and which rows share one.

    The last is None where no two rows can share a key.
    """
    ids = columns.transfer_id
    growing = bool((ids[1:] > ids[:-1]).all())
    if not columns.two_phase:
        if growing:
            return _NOTHING, _NOTHING, np.empty(0, "S12"), None
        distinct, key = numbered(pack(past.senders, ids))
        repeated = np.bincount(key)[key] > 1
        if not repeated.any():
            return _NOTHING, _NOTHING, np.empty(0, "S12"), None
        return key, _NOTHING, distinct, repeated
    targets = columns.field("pending_id")
    distinct, numbers = numbered(np.concatenate([pack(past.senders, ids), pack(past.senders, targets)]))
    key, target = numbers[: len(ids)].copy(), numbers[len(ids) :].copy()
    repeated = np.bincount(key, minlength=len(distinct))[key] > 1
    return key, target, distinct, repeated if repeated.any() else None


def _contents(columns: Columns, repeated: Array) -> npt.NDArray[np.int64]:
    """Number the rows that share a key by what they say; two have one number where all their fields are the same."""
    fields = [columns.field(name)[repeated].astype(np.int64) for name in FIELDS[1:]]
    _, numbers = np.unique(np.stack(fields, axis=1), axis=0, return_inverse=True)
    contents = np.zeros(len(columns), np.int64)
    contents[repeated] = numbers.reshape(-1)
    return contents


def _what_is_pending(distinct: Keys, columns: Columns, past: Past) -> tuple[Array, Array, Array]:
    """Return per key its state, the fields of the open pending transfer that it names, and that one's place."""
    if columns.phase is None:
        return np.empty(0, np.uint8), _NOTHING, _NOTHING
    pending = np.zeros((len(distinct), FIELDS_OF_PENDING), np.int64)
    state = np.full(len(distinct), UNKNOWN, np.uint8)
    places = past.pending.find(distinct)
    found = places >= 0
    rows = past.pending.rows[places[found]]
    state[found] = OPENED
    for place, name in enumerate(("debit", "credit")):
        pending[found, place] = rows[name].astype(np.int64) * len(ASSET_NAMES) + rows["asset"]
    for place, name in enumerate(("asset", "amount", "expires"), start=2):
        pending[found, place] = rows[name]
    if (columns.phase >= POST).any() and not found.all():
        _look_further(state, distinct, np.flatnonzero(~found), past)
    return state, pending.reshape(-1), places


def _look_further(state: Array, distinct: Keys, missing: Array, past: Past) -> None:
    """Tell transfers that moved at once from pending ones that are closed, among those that are not open."""
    pairs = distinct[missing].view([("sender", ">u4"), ("transfer_id", ">u8")])
    senders, ids = pairs["sender"].astype(np.uint32), pairs["transfer_id"].astype(np.uint64)
    missing = missing[past.history.may_know(senders, ids)]
    positions = past.history.find(distinct[missing])
    missing, positions = missing[positions >= 0], positions[positions >= 0]
    if len(missing):
        was_pending = past.history.rows(positions).field("phase") == PENDING
        state[missing] = np.where(was_pending, CLOSED, MOVED)
