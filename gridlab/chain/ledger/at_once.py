"""A whole batch at once, with numpy, where nothing in it is refused.

Entries are brought together by cell in the order of the rows, so that one cumulative sum gives every cell after each of
its entries. Where a bound would be broken, or an id needs a closer look, nothing is changed, and the caller walks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.chain.ledger.accounts import CIRCULATING, INCOMING, ISSUING, POSTED, REDEEMING, RESERVED, Accounts
from gridlab.chain.ledger.schema import PENDING, POST, SINGLE, VOID
from gridlab.chain.ledger.walk import CLOSED, FIELDS_OF_PENDING, MOVED, OPENED, Marks, Rows

__all__ = ["apply_at_once"]

Int64Array = npt.NDArray[np.int64]

_SAFE = 2**62


def apply_at_once(rows: Rows, marks: Marks, accounts: Accounts) -> bool:
    """Apply the rows if all of them may be; return whether they were, otherwise nothing has changed.

    Parameters
    ----------
    rows : Rows
    marks : Marks
        Is written to, where the rows have phases.
    accounts : Accounts
    """
    if marks.verdict.any() or len(rows.content):
        return False
    moved, held = rows.amount, np.zeros(len(rows.amount), np.int64)
    if len(rows.phase):
        resolved = _resolve(rows, marks)
        if resolved is None:
            return False
        moved, held = resolved
    change = _Change(rows, accounts, moved, held)
    if not change.fits():
        return False
    change.keep()
    if len(rows.phase):
        marks.moved[:], marks.held[:] = moved, held
        marks.state[rows.key] = np.where(rows.phase == PENDING, OPENED, MOVED)
        marks.state[rows.target[rows.phase >= POST]] = CLOSED
    return True


def _resolve(rows: Rows, marks: Marks) -> tuple[Int64Array, Int64Array] | None:
    """Return m and h of each row, or None where a post or void may not be, or names a row of this batch."""
    closing = np.flatnonzero(rows.phase >= POST)
    targets = rows.target[closing]
    if ((rows.phase == PENDING) & (rows.expires < 0)).any() or (marks.state[targets] != OPENED).any():
        return None
    if len(np.unique(targets)) != len(targets):
        return None
    debit, credit, asset, whole, expires = marks.pending.reshape(-1, FIELDS_OF_PENDING)[targets].T
    phase, amount = rows.phase[closing], rows.amount[closing]
    wrong = (expires <= rows.now) | (asset != rows.asset[closing]) | (amount > whole)
    wrong |= (debit != rows.debit[closing]) | (credit != rows.credit[closing])
    wrong |= (phase == VOID) & (amount != 0) & (amount != whole)
    if wrong.any():
        return None
    moved = np.where(rows.phase == SINGLE, rows.amount, 0)
    held = np.where(rows.phase == PENDING, rows.amount, 0)
    moved[closing] = np.where(phase == VOID, 0, np.where(amount == 0, whole, amount))
    held[closing] = -whole
    return moved, held


class _Change:
    """The entries of a batch by cell, debit first: two per row."""

    def __init__(self, rows: Rows, accounts: Accounts, moved: Int64Array, held: Int64Array) -> None:
        self.rows, self.accounts, self.moved, self.held = rows, accounts, moved, held
        cells = np.stack([rows.debit, rows.credit], axis=1).reshape(-1)
        self.order = np.argsort(cells, kind="stable")
        self.cells = cells[self.order]
        self.first = np.flatnonzero(np.diff(self.cells, prepend=-1))
        self.touched = self.cells[self.first]
        self.before = accounts.amounts.reshape(-1, 3)[self.touched]
        self.pays = self.order & 1 == 0

    def _by_cell(self, debit: Int64Array, credit: Int64Array) -> Int64Array:
        return np.stack([debit, credit], axis=1).reshape(-1)[self.order]

    def _running(self, start: Int64Array, changes: Int64Array) -> Int64Array:
        sums = np.cumsum(changes)
        before = sums[self.first] - changes[self.first]
        running: Int64Array = sums + np.repeat(start - before, np.diff(self.first, append=len(self.cells)))
        return running

    def fits(self) -> bool:
        if not len(self.rows.amount):
            return True
        largest = max(int(self.rows.amount.max()), int(np.abs(self.held).max()))
        standing = max(int(np.abs(self.before).max()), int(np.abs(self.accounts.totals).max()))
        if 4 * largest * len(self.rows.amount) + 4 * standing > _SAFE:
            return False  # close to what Int64 counts: the walk looks at each sum
        return self._payers_can_pay() and self._receivers_may_receive() and self._issuers_are_backed()

    def _payers_can_pay(self) -> bool:
        changes = self._by_cell(-self.moved - self.held, self.moved)
        available = self._running(self.before[:, POSTED] - self.before[:, RESERVED], changes)
        floor = self.accounts.floor.reshape(-1)[self.cells]
        return not (self.pays & (changes < 0) & (available < floor)).any()

    def _receivers_may_receive(self) -> bool:
        ceiling = self.accounts.ceiling.reshape(-1)[self.touched]
        if ceiling.min() > _SAFE:
            return True
        changes = self._by_cell(-self.moved, self.moved + self.held)
        exposed = self._running(self.before[:, POSTED] + self.before[:, INCOMING], changes)
        most = self.accounts.ceiling.reshape(-1)[self.cells]
        return not (~self.pays & (changes > 0) & (exposed > most)).any()

    def _issuers_are_backed(self) -> bool:
        floor, asset = self.accounts.floor.reshape(-1), self.rows.asset
        sense = (floor[self.rows.debit] < 0).astype(np.int64) - (floor[self.rows.credit] < 0)
        self.circulating = sense * self.moved
        self.sense = sense
        for token, reserve in self.accounts.backing.tolist():
            most, least = self.accounts.totals[token], self.accounts.totals[reserve]
            margin = least[CIRCULATING] - least[REDEEMING] - most[CIRCULATING] - most[ISSUING]
            issued = np.where(sense > 0, self.moved + self.held, np.where(sense < 0, -self.moved, 0))
            returned = np.where(sense > 0, self.moved, np.where(sense < 0, -self.moved - self.held, 0))
            change = np.where(asset == token, -issued, np.where(asset == reserve, returned, 0))
            if ((change < 0) & (margin + np.cumsum(change) < 0)).any():
                return False
        return True

    def keep(self) -> None:
        if not len(self.rows.amount):
            return
        after = self.before.copy()
        nothing = np.zeros_like(self.held)
        after[:, POSTED] += np.add.reduceat(self._by_cell(-self.moved, self.moved), self.first)
        if self.held.any():
            after[:, RESERVED] += np.add.reduceat(self._by_cell(self.held, nothing), self.first)
            after[:, INCOMING] += np.add.reduceat(self._by_cell(nothing, self.held), self.first)
        self.accounts.amounts.reshape(-1, 3)[self.touched] = after
        chosen = np.flatnonzero(self.sense)
        if len(chosen):
            totals, assets, sense = self.accounts.totals, self.rows.asset[chosen], self.sense[chosen]
            np.add.at(totals[:, CIRCULATING], assets, self.circulating[chosen])
            np.add.at(totals[:, ISSUING], assets, np.where(sense > 0, self.held[chosen], 0))
            np.add.at(totals[:, REDEEMING], assets, np.where(sense < 0, self.held[chosen], 0))
