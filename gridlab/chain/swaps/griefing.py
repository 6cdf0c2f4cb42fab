"""What a swap costs those who wait: locked capital times time.

A hash time lock gives two free options. The responder may look at the first lock and not answer; the initiator may look
at the second one and not claim. Nobody loses what he locked, but he cannot use it meanwhile::

    cost = amount · seconds · rate / (365 · 86,400 s)

References
----------
Han, Lin and Yu, "On the optionality and fairness of atomic swaps", AFT 2019 (the initiator's option and a premium).
"""

from __future__ import annotations

import polars as pl

from gridlab.chain.swaps.deal import World
from gridlab.chain.swaps.lock_book import LockBook
from gridlab.chain.swaps.terms import SECOND, SwapTerms
from gridlab.errors import ArgumentTypeError

__all__ = ["capital_time", "worst_case"]

_YEAR_S = 365 * 86_400
_SCHEMA = {
    "chain": pl.String,
    "payer": pl.String,
    "asset": pl.String,
    "amount": pl.Int64,
    "seconds": pl.Float64,
    "cost": pl.Float64,
}
_NAMES = ("issuer", "initiator", "responder")


def _cost(amount: int, seconds: float, percent: float) -> float:
    return amount * seconds * percent / 100 / _YEAR_S


def _is_closed(book: LockBook, lock_id: bytes) -> bool:
    return lock_id in book.locks and book.locks[lock_id].status != "locked"


def capital_time(world: World) -> pl.DataFrame:
    """Return what was locked in a drill, for how long, and what that cost.

    Returns
    -------
    polars.DataFrame
        One row per lock: chain, payer, asset, amount (smallest unit), seconds (Float64, on the chain's clock, from the
        lock to its claim or refund or till now), cost (Float64, the asset's smallest unit).
    """
    rows = []
    for chain in (world.first, world.second):
        for lock in chain.head.book.locks.values():
            closed = (block.moment for block in chain.blocks if _is_closed(block.book, lock.id))
            seconds = (next(closed, chain.clock) - lock.locked_at) / SECOND
            terms = lock.terms
            cost = _cost(terms.amount, seconds, world.terms.capital_cost)
            rows.append((chain.name, _NAMES[terms.payer], terms.asset, terms.amount, seconds, cost))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def worst_case(terms: SwapTerms, amount_given: int, amount_got: int) -> pl.DataFrame:
    """Return what griefing costs at worst under these timeouts, without any stop.

    The victim waits until its lock runs out, reacts, and its refund becomes final.

    Returns
    -------
    polars.DataFrame
        One row per kind of griefing: grief, victim, amount (smallest unit of what the victim locked), seconds (Int64),
        cost (Float64, smallest unit).

    Raises
    ------
    ArgumentTypeError
        `terms` is not `SwapTerms`.
    """
    if not isinstance(terms, SwapTerms):
        raise ArgumentTypeError(f"terms is a {type(terms).__name__}, allowed: SwapTerms(…)")
    refund = terms.reaction + terms.finality + terms.drift
    cases = (
        ("the responder never answers", "initiator", amount_given, terms.first_timeout + refund),
        ("the initiator never claims", "responder", amount_got, terms.answer + refund),
    )
    rows = [(*case, _cost(case[2], case[3], terms.capital_cost)) for case in cases]
    schema = {"grief": pl.String, "victim": pl.String, "amount": pl.Int64, "seconds": pl.Int64, "cost": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
