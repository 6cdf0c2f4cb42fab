"""Before a batch is applied: what is wrong with each row by itself, and what its ids refer to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.ledger.accounts import Accounts
from gridlab.chain.ledger.columns import FIELDS, Array, Columns
from gridlab.chain.ledger.history import TransferHistory
from gridlab.chain.ledger.pairs import Keys, numbered, pack, places_in
from gridlab.chain.ledger.pending import OpenTransfers, expiry
from gridlab.chain.ledger.results import EXISTS, OK, code_of
from gridlab.chain.ledger.schema import ASSET_NAMES, PENDING, POST
from gridlab.chain.ledger.walk import CLOSED, FIELDS_OF_PENDING, MOVED, OPENED, UNKNOWN, Marks, Rows

__all__ = ["Past", "Plan", "different", "plan"]

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
    references = _references(columns, past)
    content = _NOTHING if references.repeated is None else _contents(columns, references.repeated)
    rows = Rows(
        debit,
        credit,
        columns.asset,
        columns.amount,
        _BYTES if columns.phase is None else columns.phase,
        expires,
        _FALSE if columns.linked is None else columns.linked,
        references.key,
        content,
        references.target,
        past.now,
    )
    state, pending, places = _BYTES, _NOTHING, _NOTHING
    if columns.two_phase:
        state, pending, places = _what_is_pending(references, past)
    phased = len(columns) if columns.two_phase else 0
    marks = Marks(
        verdict,
        np.zeros(phased, np.int64),
        np.zeros(phased, np.int64),
        np.full(len(content), -1, np.int64),
        np.full(references.keys if len(references.key) else 0, -1, np.int64),
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


@dataclass(frozen=True, slots=True)
class _References:
    """Numbers for senders and ids: the rows' own, and those of the pending transfers that they name."""

    key: Array = field(default_factory=lambda: _NOTHING)
    target: Array = field(default_factory=lambda: _NOTHING)
    keys: int = 0
    repeated: Array | None = None  # which rows share a key; None where none do
    named: Array = field(default_factory=lambda: _NOTHING)  # the distinct keys among the targets
    names: Keys = field(default_factory=lambda: np.empty(0, "S12"))  # and their senders and ids


def _references(columns: Columns, past: Past) -> _References:
    ids = columns.transfer_id
    if (ids[1:] > ids[:-1]).all():
        if columns.phase is None:
            return _References()
        own, key, repeated = _names(past.senders, ids), np.arange(len(ids)), None
        if not isinstance(past.senders, int):
            own, key = numbered(own)
    else:
        own, key = numbered(_names(past.senders, ids))
        repeated = np.bincount(key)[key] > 1
        if not repeated.any():
            repeated = None
            if columns.phase is None:
                return _References()
        elif columns.phase is None:
            return _References(key, _NOTHING, len(own), repeated)
    return _with_targets(columns, past, _References(key, _NOTHING, len(own), repeated), own)


def _names(senders: Array | int, ids: Array) -> Array:
    """Return what names a transfer within the batch: its id, and with it its sender where there are several."""
    return ids if isinstance(senders, int) else pack(senders, ids)


def _with_targets(columns: Columns, past: Past, own: _References, names: Array) -> _References:
    """Add numbers for what posts and voids name: rows of the batch by their key, anything else behind those."""
    closing = np.flatnonzero(columns.field("phase") >= POST)
    senders = past.senders if isinstance(past.senders, int) else past.senders[closing]
    wanted, numbers = numbered(_names(senders, columns.field("pending_id")[closing]))
    places = places_in(names, wanted)
    elsewhere = np.flatnonzero(places < 0)
    places[elsewhere] = own.keys + np.arange(len(elsewhere))
    target = np.zeros(len(columns), np.int64)
    target[closing] = places[numbers]
    packed = pack(senders, wanted) if isinstance(senders, int) else wanted
    return _References(own.key, target, own.keys + len(elsewhere), own.repeated, places, packed)


def _contents(columns: Columns, repeated: Array) -> npt.NDArray[np.int64]:
    """Return numbers for what rows that share a key say: the same number where all their fields are the same."""
    fields = [columns.field(name)[repeated].astype(np.int64) for name in FIELDS[1:]]
    _, numbers = np.unique(np.stack(fields, axis=1), axis=0, return_inverse=True)
    contents = np.zeros(len(columns), np.int64)
    contents[repeated] = numbers.reshape(-1)
    return contents


def _what_is_pending(references: _References, past: Past) -> tuple[Array, Array, Array]:
    """Return per key its state, the fields of the open pending transfer that it names, and that one's place."""
    pending = np.zeros((references.keys, FIELDS_OF_PENDING), np.int64)
    state, places = np.full(references.keys, UNKNOWN, np.uint8), np.full(references.keys, -1, np.int64)
    places[references.named] = past.pending.find(references.names)
    found = np.flatnonzero(places >= 0)
    rows = past.pending.rows[places[found]]
    state[found] = OPENED
    for place, name in enumerate(("debit", "credit")):
        pending[found, place] = rows[name].astype(np.int64) * len(ASSET_NAMES) + rows["asset"]
    for place, name in enumerate(("asset", "amount", "expires"), start=2):
        pending[found, place] = rows[name]
    missing = np.flatnonzero(places[references.named] < 0)
    if len(missing):
        _look_further(state, references.names[missing], references.named[missing], past)
    return state, pending.reshape(-1), places


def _look_further(state: Array, names: Keys, keys: Array, past: Past) -> None:
    """Tell transfers that moved at once from pending ones that are closed, among those that are not open."""
    pairs = names.view([("sender", ">u4"), ("transfer_id", ">u8")])
    known = past.history.may_know(pairs["sender"].astype(np.uint32), pairs["transfer_id"].astype(np.uint64))
    names, keys = names[known], keys[known]
    if not len(keys):
        return
    positions = past.history.find(names)
    keys, positions = keys[positions >= 0], positions[positions >= 0]
    if len(keys):
        was_pending = past.history.rows(positions).field("phase") == PENDING
        state[keys] = np.where(was_pending, CLOSED, MOVED)
