"""Executing many single transfers at once, with the result of executing them one after another.

A run is a stretch of a block in which every transaction is a single transfer (`gridlab.chain.single_transfers`). Who
may act, and what a transaction costs, do not change within it, so that is settled by the column. What one transfer does
to the next is settled by guessing and checking: guess which transfers the ledger refuses (at first none), work out from
that whose turn it is by nonce, and let the ledger apply all that are in turn, each standing or falling alone. A row
depends only on those before it. So if the refusals that come out leave everybody's turn as it was guessed, the outcome
is that of going row by row; otherwise it is so up to the first row whose turn was guessed wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger import ASSETS, CODES, RESULTS, TRANSFERS, Ledger, Results
from gridlab.chain.members import ROLES
from gridlab.chain.senders import FEE_SENDER
from gridlab.chain.single_transfers import SingleTransfers
from gridlab.chain.state import State
from gridlab.chain.terms import FEE_ROLES
from gridlab.chain.transaction_list import TransactionList

__all__ = ["Settled", "TransferRun"]

Array = npt.NDArray[Any]
Int64Array = npt.NDArray[np.int64]

# After so many guesses the part that is certain is taken, and the caller goes on from there.
_GUESSES = 4
_WATT = ASSETS.categories.to_list().index("WATT")
_CHAIN_FEE = CODES.categories.to_list().index("chain_fee")
_UNBACKED = RESULTS.categories.to_list().index("exceeds_backing")


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the sound rows of a stretch.

    Attributes
    ----------
    stop : int
        The row after the last that is decided.
    accepted : array of int64
        Rows that took effect.
    out_of_turn : dict of int to int
        Row -> the nonce that its sender's next transaction had to have.
    refused : dict of int to str
        Row -> why the ledger refused it.
    """

    stop: int
    accepted: Int64Array
    out_of_turn: dict[int, int]
    refused: dict[int, str]


class TransferRun:
    """A stretch of single transfers, and what can be said of each without regard to the others.

    Parameters
    ----------
    state : State
        Before the run.
    transactions : TransactionList
        All of them single transfers of the chain.
    roles : tuple of str
        Who may send a transfer.
    height : int
        Of the block.
    timestamp : int
        Of the block, microseconds since 1970-01-01 UTC.

    Attributes
    ----------
    accounts : array of int64
        The sender's account, -1 where the key is no member's.
    nonces : list of int
    sound : array of bool
        Rows that nothing but nonce, fee and ledger can refuse. All others are refused whatever the state is, or are not
        `plain`.
    plain : array of bool
        Rows that `settle` can decide, or that are not sound. Another row must be executed alone, in its place.
    """

    __slots__ = ("_columns", "_fees", "_timestamp", "accounts", "nonces", "plain", "sound")

    def __init__(
        self, state: State, transactions: TransactionList, *, roles: tuple[str, ...], height: int, timestamp: int
    ) -> None:
        members, terms = state.members, state.terms
        columns = SingleTransfers.of(transactions.encoded, transactions.chain_id)
        account_of = members.account_of
        self.accounts = np.array([account_of.get(sender, -1) for sender in transactions.senders], np.int64)
        role = members.frame["role"].to_physical().to_numpy()
        allowed = _by_account(members.active & members.verified & _has_role(role, roles), self.accounts)
        size = max(map(len, transactions.encoded), default=0)
        self.sound = np.array(transactions.signed, np.bool_) & allowed
        self.sound &= (columns.column("expiry") >= np.uint64(height)) & (size <= terms.transaction_bytes)
        self._columns = {column.name: columns.column(column.name) for column in TRANSFERS.columns if column.required}
        debit, asset = (self._columns[name].astype(np.int64) for name in ("debit_account", "asset"))
        special = state.ledger.issues(debit, asset)
        if not state.watt.is_empty:
            # May be refused by WATT's rules.
            special |= state.ledger.issues(self._columns["credit_account"].astype(np.int64), asset)
        self.plain = ~self.sound | ((debit == self.accounts) & ~special)
        self._fees = np.where(_by_account(_has_role(role, FEE_ROLES), self.accounts), terms.fee(size), 0)
        self.nonces: list[int] = columns.column("nonce").tolist()
        self._timestamp = timestamp

    def __len__(self) -> int:
        return len(self.accounts)

    def settle(self, state: State, start: int, stop: int) -> Settled:
        """Execute the sound rows from `start` on, at most up to `stop`, in place.

        Parameters
        ----------
        state : State
            As it is before row `start`.
        start, stop : int
            All rows between are plain.

        Returns
        -------
        Settled
            Where its `stop` comes early, that row must be executed alone before the next call.
        """
        rows = np.flatnonzero(self.sound[start:stop]) + start
        refused: frozenset[int] = frozenset()
        for guess in range(_GUESSES + 1):
            turn, _ = self._in_turn(state, rows, refused)
            trial = self._tried(state, turn)
            refused = frozenset(turn[~trial.accepted].tolist())
            certain, late = self._in_turn(state, rows, refused)
            wrong = _first_difference(turn, certain) if trial.spoilt is None else trial.spoilt
            if wrong is None:
                break
            if trial.spoilt is not None or guess >= _GUESSES - 1:
                stop, rows = wrong, rows[rows < wrong]
        reasons = dict(zip(turn[~trial.accepted].tolist(), trial.reasons(), strict=True))
        accepted = turn[trial.accepted]
        state.ledger = trial.ledger
        np.add.at(state.nonces, self.accounts[accepted], np.uint64(1))
        state.charged += int((self._fees[accepted] > 0).sum())
        return Settled(stop, accepted, late, reasons)

    def _in_turn(self, state: State, rows: Int64Array, refused: frozenset[int]) -> tuple[Int64Array, dict[int, int]]:
        """Return the rows with the right nonce if the ledger refuses these, and the right nonce of all others."""
        expected: dict[int, int] = {}
        turn, late = [], {}
        known, nonces = state.nonces.tolist(), self.nonces
        for row, account in zip(rows.tolist(), self.accounts[rows].tolist(), strict=True):
            due = expected.get(account, known[account])
            if nonces[row] != due:
                late[row] = due
                continue
            turn.append(row)
            if row not in refused:
                expected[account] = due + 1
        return np.array(turn, np.int64), late

    def _tried(self, state: State, rows: Int64Array) -> _Trial:
        """Take the fees and apply the transfers of these rows on a copy of the ledger."""
        charged = self._fees[rows] > 0
        # Each fee comes right before the transfer that it is paid for.
        own = np.cumsum(1 + charged) - 1
        fees = own[charged] - 1
        columns = {name: np.repeat(values[rows], 1 + charged) for name, values in self._columns.items()}
        senders = np.repeat(self.accounts[rows], 1 + charged)
        senders[fees] = FEE_SENDER
        columns["transfer_id"][fees] = state.charged + np.arange(len(fees), dtype=np.uint64)
        columns["credit_account"][fees] = state.operator_account or 0
        columns["asset"][fees], columns["code"][fees] = _WATT, _CHAIN_FEE
        columns["amount"][fees] = self._fees[rows][charged]
        frame, ledger = _frame(columns), state.ledger.fork()
        results = ledger.apply_each(frame, senders.astype(np.uint32), now=self._timestamp)
        accepted = results.accepted[own].copy()
        accepted[charged] &= results.accepted[fees]
        # A fee whose transfer is then refused was missing to the rows after it; and what a refusal for want of backing
        # says depends on all rows before it.
        lost = ~accepted & (charged | (results.codes[own] == _UNBACKED))
        spoilt = int(rows[np.argmax(lost)]) if lost.any() else None
        return _Trial(ledger, frame, results, own, accepted, spoilt)


@dataclass(frozen=True, slots=True)
class _Trial:
    ledger: Ledger
    frame: pl.DataFrame
    results: Results
    own: Int64Array  # per row of the run, its transfer's row of the frame
    accepted: npt.NDArray[np.bool_]
    spoilt: int | None  # the first row from which on the trial is not what going row by row would give

    def reasons(self) -> list[str]:
        return self.ledger.refusals(self.frame, self.results, self.own[~self.accepted].tolist())


def _has_role(role: Array, allowed: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    table = np.array([name in allowed for name in ROLES.categories], np.bool_)
    return table[role]


def _by_account(values: npt.NDArray[np.bool_], accounts: Int64Array) -> npt.NDArray[np.bool_]:
    """Return the value of each account, False for -1."""
    return np.append(values, np.False_)[accounts]


def _first_difference(first: Int64Array, second: Int64Array) -> int | None:
    """Return the lowest row that is in one of two rising sequences only, or None where they are the same."""
    shorter = min(len(first), len(second))
    differs = np.flatnonzero(first[:shorter] != second[:shorter])
    if len(differs):
        return int(min(first[differs[0]], second[differs[0]]))
    rest = first[shorter:] if len(first) > shorter else second[shorter:]
    return int(rest[0]) if len(rest) else None


def _frame(columns: dict[str, Array]) -> pl.DataFrame:
    made = {}
    for column in TRANSFERS.columns:
        if column.required:
            values = pl.Series(columns[column.name])
            made[column.name] = values.cat.to(column.dtype) if isinstance(column.dtype, pl.Enum) else values
    return pl.DataFrame(made)
