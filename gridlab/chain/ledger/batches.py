"""The parts of a ledger, and what a batch of transfers changes in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.chain.ledger.accounts import Accounts
from gridlab.chain.ledger.columns import Array, Columns
from gridlab.chain.ledger.failures import raise_refused
from gridlab.chain.ledger.history import TransferHistory
from gridlab.chain.ledger.kernels import apply_rows
from gridlab.chain.ledger.pending import OpenTransfers, opened_rows
from gridlab.chain.ledger.plan import Past, Plan, different, plan
from gridlab.chain.ledger.results import OK, code_of
from gridlab.chain.ledger.walk import CLOSED, OPENED

__all__ = ["Parts", "apply_columns"]

_DIFFERENT = code_of("exists_with_different_debit_account")


@dataclass(slots=True)
class Parts:
    """What a ledger is made of.

    Attributes
    ----------
    accounts : Accounts
    history : TransferHistory
    pending : OpenTransfers
    """

    accounts: Accounts
    history: TransferHistory
    pending: OpenTransfers

    def fork(self) -> Parts:
        """Return an independent copy."""
        return Parts(self.accounts.fork(), self.history.fork(), self.pending)

    def expire(self, now: int, frozen: Sequence[int] = ()) -> int:
        """Release the pending transfers whose time is over at `now`, save in frozen assets; return how many."""
        due = self.pending.due(now)
        due = due[~np.isin(self.pending.rows["asset"][due], list(frozen))]
        if len(due):
            self.accounts.hold(self.pending.rows[due], -1)
            self.pending = self.pending.changed(due, self.pending.rows[:0])
        return len(due)

    def postpone(self, asset: int, by: int) -> int:
        """Let the open pending transfers of an asset expire later; return how many have a timeout."""
        self.pending, count = self.pending.postponed(asset, by)
        return count


def apply_columns(
    parts: Parts, columns: Columns, senders: Array | int, now: int, *, whole: bool
) -> npt.NDArray[np.uint8]:
    """Apply a batch to `parts` and return what became of each row, a place in `RESULTS`.

    Parameters
    ----------
    parts : Parts
    columns : Columns
        Belongs to the ledger from now on.
    senders : int or array of uint32
    now : int
        Microseconds since 1970.
    whole : bool
        Whether the batch is taken whole or not at all.

    Raises
    ------
    LedgerError
        `whole`, and a row was refused; nothing has changed.
    """
    if not len(columns):
        return np.zeros(0, np.uint8)
    planned = plan(columns, parts.accounts, Past(parts.history, parts.pending, senders, now))
    verdict: npt.NDArray[np.uint8] = planned.marks.verdict
    refused = apply_rows(planned.rows, planned.marks, parts.accounts, whole=whole)
    if refused:
        _name_differences(planned, columns)
        if whole:
            raise_refused(columns, verdict, parts.accounts)
    _remember(parts, planned, columns, senders)
    return verdict


def _name_differences(planned: Plan, columns: Columns) -> None:
    """Give the rows that contradict an earlier row of the batch the result that names the first other field."""
    marks = planned.marks
    if len(marks.against):
        rows = np.flatnonzero((marks.against >= 0) & (marks.verdict == _DIFFERENT))
        marks.verdict[rows] = different(columns.rows(rows), columns.rows(marks.against[rows]))


def _remember(parts: Parts, planned: Plan, columns: Columns, senders: Array | int) -> None:
    marks = planned.marks
    done = np.flatnonzero(marks.verdict == OK)
    if not len(done):
        return
    everything = len(done) == len(columns)
    if columns.phase is not None:
        _change_pending(parts, planned, columns, senders, done)
    moved = marks.moved if len(marks.moved) else None
    if everything:
        parts.history.append(columns, senders, moved)
    else:
        own = senders if isinstance(senders, int) else senders[done]
        parts.history.append(columns.rows(done), own, None if moved is None else moved[done])


def _change_pending(parts: Parts, planned: Plan, columns: Columns, senders: Array | int, done: Array) -> None:
    marks, rows, places = planned.marks, planned.rows, planned.places
    closed = places[(marks.state == CLOSED) & (places >= 0)]
    still_open = done[marks.state[rows.key[done]] == OPENED]
    opened = opened_rows(columns, senders, rows.expires, still_open)
    if len(closed) or len(opened):
        parts.pending = parts.pending.changed(closed, opened)
