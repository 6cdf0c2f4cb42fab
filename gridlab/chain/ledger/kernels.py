"""Which way a batch is applied: at once, by the compiled walk, or by the walk as plain Python. The result is the same.

A batch in which nothing is refused is applied at once by numpy. From some size on the compiled walk is faster, and it
needs no second way where something is refused. Without numba, a batch with a refusal is walked in Python.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from gridlab.chain.ledger import walk as interpreted
from gridlab.chain.ledger.accounts import Accounts
from gridlab.chain.ledger.at_once import apply_at_once
from gridlab.chain.ledger.results import EXISTS, OK
from gridlab.chain.ledger.walk import Book, Marks, Rows

__all__ = ["COMPILED_FROM", "COMPILED_FROM_ONCE_LOADED", "apply_rows", "pays_to_compile"]

# Rows. The first batch that is compiled pays for loading numba, about a second: one that is large enough alone, or the
# one before which the walks in Python have together cost as much.
COMPILED_FROM = 400_000
COMPILED_FROM_ONCE_LOADED = 500
WALKED_BEFORE_LOADING = 200_000
_MODULE = "gridlab.chain.ledger.compiled"


def pays_to_compile(rows: int) -> bool:
    """Tell whether the compiled walk is to be had and pays for a batch of so many rows."""
    if sys.modules.get(_MODULE) is not None:
        return rows >= COMPILED_FROM_ONCE_LOADED
    tired = _walked.rows >= WALKED_BEFORE_LOADING and rows >= COMPILED_FROM_ONCE_LOADED
    return (tired or rows >= COMPILED_FROM) and _can_compile()


class _Walked:
    """How many rows this process has walked in Python: it decides how fast a batch is, never what comes of it."""

    rows = 0


_walked = _Walked()


@cache
def _can_compile() -> bool:
    try:
        import_module(_MODULE)
    except ImportError:  # the extra gridlab[fast] is not installed
        return False
    return True


def apply_rows(rows: Rows, marks: Marks, accounts: Accounts, *, whole: bool) -> int:
    """Apply a batch row by row.

    Parameters
    ----------
    rows : Rows
    marks : Marks
        Written to.
    accounts : Accounts
        Changed in place.
    whole : bool
        Whether nothing is to change where any row is refused.

    Returns
    -------
    int
        How many rows were refused.
    """
    if pays_to_compile(len(marks.verdict)):
        return _walk_compiled(rows, marks, accounts, whole=whole)
    if apply_at_once(rows, marks, accounts):
        return 0
    _walked.rows += len(marks.verdict)
    return _walk_in_python(rows, marks, accounts, whole=whole)


def _walk_compiled(rows: Rows, marks: Marks, accounts: Accounts, *, whole: bool) -> int:
    compiled: Any = import_module(_MODULE)
    flat = Book(
        accounts.amounts.reshape(-1),
        accounts.floor.reshape(-1),
        accounts.ceiling.reshape(-1),
        accounts.totals.reshape(-1),
        accounts.backing.reshape(-1),
    )
    compiled.walk(rows, marks, flat)
    refused = _refused(marks)
    if refused and whole:
        compiled.rewind(rows, marks, flat, 0, len(marks.verdict))
    return refused


def _walk_in_python(rows: Rows, marks: Marks, accounts: Accounts, *, whole: bool) -> int:
    """Walk over lists, and dicts of the cells that the batch touches, both of which Python reads faster than arrays."""
    lists, notes = Rows(*map(_listed, rows)), Marks(*map(_listed, marks))
    alive = marks.verdict == OK
    cells = np.unique(np.concatenate([rows.debit[alive], rows.credit[alive]]))
    amounts = accounts.amounts.reshape(-1, 3)
    places = (3 * cells[:, None] + np.arange(3)).reshape(-1)
    book = Book(
        dict(zip(places.tolist(), amounts[cells].reshape(-1).tolist(), strict=True)),
        dict(zip(cells.tolist(), accounts.floor.reshape(-1)[cells].tolist(), strict=True)),
        dict(zip(cells.tolist(), accounts.ceiling.reshape(-1)[cells].tolist(), strict=True)),
        accounts.totals.reshape(-1).tolist(),
        accounts.backing.reshape(-1).tolist(),
    )
    interpreted.walk(lists, notes, book)
    for values, written in zip(marks, notes, strict=True):
        values[:] = written
    refused = _refused(marks)
    if not (refused and whole):
        accounts.amounts.reshape(-1)[places] = list(book.amounts.values())
        accounts.totals.reshape(-1)[:] = book.totals
    return refused


def _refused(marks: Marks) -> int:
    return int((marks.verdict > EXISTS).sum())


def _listed(values: Any) -> Any:
    return values.tolist() if isinstance(values, np.ndarray) else values
