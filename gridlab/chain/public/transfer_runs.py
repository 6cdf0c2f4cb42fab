"""Executing many single transfers at once, with the result of executing them one after another.

Whoever is in a block pays its fee and uses up its nonce, whatever comes of the transfer. So whose turn it is does not
depend on what the ledger says of the transfers before, only on whether their senders could pay the fee. All are tried
on a copy of the ledger, each fee right before its transfer. Where all fees were paid, that is the outcome. Otherwise it
is so up to the first fee that was not: that transaction is invalid, and the next run goes on after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger import ASSETS, CODES, TRANSFERS
from gridlab.chain.public.accounts import FEE_POT
from gridlab.chain.public.batch import Batch
from gridlab.chain.public.fees import ONE
from gridlab.chain.public.state import PublicState
from gridlab.chain.senders import FEE_SENDER

if TYPE_CHECKING:
    from gridlab.chain.ledger import Ledger, Results
    from gridlab.chain.public.execution import PublicContext

__all__ = ["Settled", "TransferRun"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
Int64Array = npt.NDArray[np.int64]

_GRID = ASSETS.categories.to_list().index("GRID")
_CHAIN_FEE = CODES.categories.to_list().index("chain_fee")


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a run; places count in the batch.

    Attributes
    ----------
    stop : int
        The place after the last that is decided.
    paid : array of int64
        Valid transactions: fee taken, nonce used.
    failed : dict of int to (str, str)
        Of those, the ones whose transfer was refused: code and reason.
    invalid : dict of int to str
        Why the others must not stand in a block.
    """

    stop: int
    paid: Int64Array
    failed: dict[int, tuple[str, str]]
    invalid: dict[int, str] = field(default_factory=dict)


class TransferRun:
    """A stretch of single transfers.

    Parameters
    ----------
    state : PublicState
        Before the run; `settle` changes it.
    batch : Batch
    span : tuple of (int, int)
        From where to before where; all places between are single transfers.
    context : PublicContext
    weight : int
        Of each, microseconds.

    Attributes
    ----------
    accounts : array of int64
        Per row of the run, -1 where the key has no account.
    fees : array of int64
        micro-GRID, tips left out.
    """

    __slots__ = ("_batch", "_context", "_own", "_start", "_state", "_stop", "accounts", "fees")

    def __init__(
        self, state: PublicState, batch: Batch, span: tuple[int, int], context: PublicContext, weight: int
    ) -> None:
        start, stop = span
        self._state, self._batch, self._start, self._stop, self._context = state, batch, start, stop, context
        account_of = state.accounts.account_of
        senders = batch.transactions.senders[start:stop]
        self.accounts: Int64Array = np.array([account_of.get(sender, -1) for sender in senders], np.int64)
        rules = context.rules.fees
        fixed = rules.base_fee + rules.weight_fee * weight * state.multiplier // ONE
        self.fees: Int64Array = fixed + rules.byte_fee * batch.size[start:stop]
        self._own = batch.moved["debit_account"][start:stop].astype(np.int64) == self.accounts

    def settle(self) -> Settled:
        """Execute as many rows as one try decides."""
        invalid = self._unsound()
        sound = np.ones(len(self.accounts), np.bool_)
        sound[[place - self._start for place in invalid]] = False
        turn, late = self._in_turn(np.flatnonzero(sound))
        trial = self._tried(turn)
        stop = self._stop
        if not trial.paid.all():
            broke = int(turn[np.argmin(trial.paid)])
            stop = self._start + broke + 1
            turn = turn[turn < broke]
            trial = self._tried(turn)
            late[broke] = "its sender cannot pay fee and tip"
        self._state.ledger = trial.ledger
        self._state.charged += len(turn)
        np.add.at(self._state.nonces, self.accounts[turn], np.uint64(1))
        invalid |= {self._start + row: reason for row, reason in late.items()}
        decided = {place: reason for place, reason in invalid.items() if place < stop}
        return Settled(stop, turn + self._start, self._failures(turn, trial), decided)

    def _unsound(self) -> dict[int, str]:
        """Return the places that are invalid whatever the state of nonces and balances is, and why."""
        batch, start, stop, context = self._batch, self._start, self._stop, self._context
        height, lifetime = context.height, context.rules.fees.lifetime
        expiry = batch.expiry[start:stop]
        known = np.append(self._state.accounts.verified, np.False_)
        faults = {
            "its signature is not its sender's": ~np.array(batch.transactions.signed[start:stop], np.bool_),
            "its sender has no account": self.accounts < 0,
            "the identity of its sender is not attested": ~known[self.accounts],
            f"it is not good for block {height}": (expiry < height) | (expiry > height + lifetime),
        }
        found: dict[int, str] = {}
        for reason, broken in faults.items():
            for row in np.flatnonzero(broken).tolist():
                found.setdefault(start + row, reason)
        return found

    def _in_turn(self, rows: Int64Array) -> tuple[Int64Array, dict[int, str]]:
        """Return the rows whose nonce is their sender's next one if all of those pay, and why the others are not."""
        expected: dict[int, int] = {}
        turn, late = [], {}
        known, nonces = self._state.nonces.tolist(), self._batch.nonce[self._start : self._stop].tolist()
        for row, account in zip(rows.tolist(), self.accounts[rows].tolist(), strict=True):
            due = expected.get(account, known[account])
            if nonces[row] == due:
                turn.append(row)
                expected[account] = due + 1
            else:
                late[row] = f"nonce {nonces[row]}, the sender's next one is {due}"
        return np.array(turn, np.int64), late

    def _tried(self, turn: Int64Array) -> _Trial:
        """Take fees and apply transfers on a copy of the ledger: per row its fee, then its transfer if it is own."""
        places, own = turn + self._start, self._own[turn]
        count = 1 + own
        fee_rows = np.cumsum(count) - count
        columns = {name: np.repeat(values[places], count) for name, values in self._batch.moved.items()}
        senders = np.repeat(self.accounts[turn], count)
        columns["debit_account"][fee_rows] = self.accounts[turn]
        senders[fee_rows] = FEE_SENDER
        columns["transfer_id"][fee_rows] = self._state.charged + np.arange(len(turn), dtype=np.uint64)
        columns["credit_account"][fee_rows] = FEE_POT
        columns["asset"][fee_rows], columns["code"][fee_rows] = _GRID, _CHAIN_FEE
        columns["amount"][fee_rows] = self.fees[turn] + self._batch.tip[places]
        frame, ledger = _frame(columns), self._state.ledger.fork()
        results = ledger.apply_each(frame, senders.astype(np.uint32), now=self._context.timestamp)
        return _Trial(ledger, frame, results, fee_rows, results.accepted[fee_rows])

    def _failures(self, turn: Int64Array, trial: _Trial) -> dict[int, tuple[str, str]]:
        own = self._own[turn]
        foreign = {
            self._start + row: ("rule_broken", f"account {self.accounts[row]} pays from its own account only")
            for row in turn[~own].tolist()
        }
        moves = trial.fee_rows[own] + 1
        refused = ~trial.results.accepted[moves]
        reasons = trial.ledger.refusals(trial.frame, trial.results, moves[refused].tolist())
        rows = turn[own][refused].tolist()
        return foreign | {
            self._start + row: ("ledger_refused", reason) for row, reason in zip(rows, reasons, strict=True)
        }


@dataclass(frozen=True, slots=True)
class _Trial:
    ledger: Ledger
    frame: pl.DataFrame
    results: Results
    fee_rows: Int64Array
    paid: BoolArray


def _frame(columns: dict[str, Array]) -> pl.DataFrame:
    made = {}
    for column in TRANSFERS.columns:
        if column.required:
            values = pl.Series(columns[column.name])
            made[column.name] = values.cat.to(column.dtype) if isinstance(column.dtype, pl.Enum) else values
    return pl.DataFrame(made)
