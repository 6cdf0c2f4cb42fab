"""Staking and the ledger in step: an operation counts only if the ledger pays for it."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from gridlab.chain.ledger import Ledger
from gridlab.chain.staking.staking import Staking
from gridlab.errors import ArgumentTypeError

__all__ = ["carry_out"]


def carry_out(
    staking: Staking, ledger: Ledger, operation: Callable[[Staking], pl.DataFrame | None], *, now: int = 0
) -> tuple[Staking, Ledger]:
    """Do something with copies of both, and return the copies; the originals stay as they are.

    Parameters
    ----------
    staking : Staking
    ledger : Ledger
        Knows the accounts that staking names, and its issuer of GRID.
    operation : callable
        Takes a `Staking` and calls one of its methods: ``lambda staking: staking.bond(7, 1_000_000)``.
    now : int
        Microseconds since 1970-01-01 UTC.

    Returns
    -------
    (Staking, Ledger)

    Raises
    ------
    GridlabError
        Staking or the ledger refuses; then neither has changed.
    """
    for name, value, kind in (("staking", staking, Staking), ("ledger", ledger, Ledger)):
        if not isinstance(value, kind):
            raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: a {kind.__name__}")
    after, book = staking.fork(), ledger.fork()
    moved = operation(after)
    if moved is not None and moved.height:
        book.apply(moved, sender=after.accounts.pot, now=now)
    return after, book
