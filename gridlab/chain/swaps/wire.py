"""Frames in which hash time locks and emergency stops go into transactions, and what they do to the books of a chain.

Every chain that has locks takes these frames, so that a swap looks the same on both sides.
"""

from __future__ import annotations

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.ledger import ASSETS, Ledger
from gridlab.chain.moments import LATEST
from gridlab.chain.swaps.hashlock import LockTerms
from gridlab.chain.swaps.lock_book import LockBook
from gridlab.chain.swaps.stops import Stops, require_stops
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.frames import SLOT, Column, Schema

__all__ = [
    "EMERGENCY_STOPS",
    "HASH_CLAIMS",
    "HASH_LOCKS",
    "HASH_REFUNDS",
    "claim_locks",
    "lock_frame",
    "make_locks",
    "note_stops",
    "refund_locks",
    "stop_news",
]

_LOCK = Column("lock", pl.Binary, "binary", "the lock's id, 32 bytes")

HASH_LOCKS = Schema(
    "hash_locks",
    (
        Column("payee", pl.UInt32, "integer", "account that is paid when somebody shows the preimage"),
        Column("asset", ASSETS, "category", "what is locked"),
        Column("amount", pl.Int64, "integer", "more than 0, in the asset's smallest unit"),
        Column("hash", pl.Binary, "binary", "SHA-256 of the preimage, 32 bytes"),
        Column("timeout", SLOT, "datetime", "claims before it, refunds from it on, by the clock of this chain"),
        Column(
            "watched",
            pl.String,
            "text",
            "other chains whose emergency stops freeze the lock, too: sorted, commas between them",
            required=False,
        ),
    ),
)
HASH_CLAIMS = Schema("hash_claims", (_LOCK, Column("preimage", pl.Binary, "binary", "32 bytes")))
HASH_REFUNDS = Schema("hash_refunds", (_LOCK,))
EMERGENCY_STOPS = Schema(
    "emergency_stops",
    (
        Column("chain", pl.String, "text", "id of this chain, or of another one that locks here watch"),
        Column("moment", SLOT, "datetime", "since when it stands, or when it went on; not later than the block"),
        Column("stands", pl.Boolean, "boolean", "true: a stop begins; false: it ends, on this chain with the block"),
    ),
)


def lock_frame(terms: LockTerms) -> pl.DataFrame:
    """Return the frame of a transaction of kind ``hash_lock``; its sender must be the payer.

    Returns
    -------
    polars.DataFrame
        One row, as `HASH_LOCKS`.

    Raises
    ------
    ArgumentTypeError
        `terms` is not `LockTerms`.
    """
    if not isinstance(terms, LockTerms):
        raise ArgumentTypeError(f"terms is a {type(terms).__name__}, allowed: LockTerms(payer, payee, …)")
    frame = pl.DataFrame(
        {
            "payee": [terms.payee],
            "asset": [terms.asset],
            "amount": [terms.amount],
            "hash": [terms.hash],
            "timeout": pl.Series([terms.timeout], dtype=pl.Int64).cast(SLOT),
        }
    )
    if terms.watched:
        frame = frame.with_columns(watched=pl.lit(",".join(terms.watched)))
    return HASH_LOCKS.check(frame)


def make_locks(  # noqa: PLR0917 - as the book's own steps: where, what, who, when
    book: LockBook, ledger: Ledger, frame: pl.DataFrame, payer: int, now: int, stops: Stops
) -> LockBook:
    """Lock what each row of `frame` (`HASH_LOCKS`) says, out of the payer's account.

    Raises
    ------
    ArgumentTypeError, ArgumentError, ChainError, LedgerError
        As of `LockBook.lock`. Rows before the bad one have changed the ledger, so give a fork of it.
    """
    whole = frame if "watched" in frame.columns else frame.with_columns(watched=pl.lit(""))
    names = ASSETS.categories.to_list()
    columns = [whole[column.name].to_physical().to_list() for column in HASH_LOCKS.columns]
    for payee, asset, amount, digest, timeout, watched in zip(*columns, strict=True):
        chains = tuple(filter(None, watched.split(",")))
        terms = LockTerms(payer, payee, names[asset], amount, digest, timeout, chains)
        book, _ = book.lock(ledger, terms, now, stops)
    return book


def claim_locks(book: LockBook, ledger: Ledger, frame: pl.DataFrame, now: int, stops: Stops) -> LockBook:
    """Pay each lock of `frame` (`HASH_CLAIMS`) to its payee; errors as of `LockBook.claim`, and see `make_locks`."""
    for lock, preimage in frame.select("lock", "preimage").rows():
        book, _ = book.claim(ledger, lock, preimage, now, stops)
    return book


def refund_locks(book: LockBook, ledger: Ledger, frame: pl.DataFrame, now: int, stops: Stops) -> LockBook:
    """Give each lock of `frame` (`HASH_REFUNDS`) back; errors as of `LockBook.refund`, and see `make_locks`."""
    for lock in frame["lock"].to_list():
        book, _ = book.refund(ledger, lock, now, stops)
    return book


def note_stops(stops: Stops, frame: pl.DataFrame, now: int, own: str) -> Stops:
    """Return the stops after what `frame` (`EMERGENCY_STOPS`) tells.

    A stop of the chain itself ends with the block that says so, and not before: until then it has refused every claim.

    Parameters
    ----------
    stops : Stops
    frame : polars.DataFrame
    now : int
        Of the block, microseconds since 1970.
    own : str
        Id of the chain itself.

    Raises
    ------
    ArgumentTypeError, ArgumentError, ChainError
        A chain stands already, does not stand, or a moment lies after the block.
    """
    require_int("now", now, 0, LATEST)
    columns = (frame[column.name].to_physical().to_list() for column in EMERGENCY_STOPS.columns)
    for chain, moment, stands in zip(*columns, strict=True):
        if moment > now:
            raise ChainError(f"stop: {moment} µs is after the block's own time, {now} µs; tell of it when it has come")
        end = now if chain == own else moment
        stops = stops.begin(chain, moment) if stands else stops.end(chain, end)
    return stops


def stop_news(stops: Stops, chain: str, told: Stops) -> pl.DataFrame:
    """Return what another chain must still hear of the stops of `chain`, for a transaction of kind ``emergency_stop``.

    Parameters
    ----------
    stops : Stops
        The chain's own log.
    chain : str
        Its id.
    told : Stops
        What the other chain knows.

    Returns
    -------
    polars.DataFrame
        As `EMERGENCY_STOPS`; no rows where it knows everything. A stop of one asset is told as one of the whole chain,
        so that what watches freezes too long rather than too short.
    """
    rows = require_stops(stops).news(chain, require_stops(told))
    columns = {
        "chain": pl.Series([chain] * len(rows), dtype=pl.String),
        "moment": pl.Series([moment for moment, _ in rows], dtype=pl.Int64).cast(SLOT),
        "stands": pl.Series([stands for _, stands in rows], dtype=pl.Boolean),
    }
    return EMERGENCY_STOPS.check(pl.DataFrame(columns))
