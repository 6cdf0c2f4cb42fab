"""Opening a channel in one call: both sides sign, the chain reserves their deposits."""

from __future__ import annotations

from collections.abc import Sequence

from gridlab.chain.arguments import require_sequence
from gridlab.chain.channels.book import ChannelBook, opening_message
from gridlab.chain.channels.record import Opening
from gridlab.chain.channels.states import Pair
from gridlab.chain.channels.terms import ChannelTerms
from gridlab.chain.keys import KeyPair
from gridlab.chain.ledger import Ledger
from gridlab.chain.swaps.stops import Stops
from gridlab.errors import ArgumentError

__all__ = ["open_channel"]


def open_channel(
    book: ChannelBook,
    ledger: Ledger,
    pairs: Sequence[KeyPair],
    accounts: Pair,
    deposits: Pair,
    *,
    asset: str = "WATT",
    terms: ChannelTerms | None = None,
    now: int = 0,
    stops: Stops | None = None,
) -> tuple[ChannelBook, bytes]:
    """Let both sides sign an opening and the chain take it; return the book and the channel's id.

    Parameters
    ----------
    book : ChannelBook
    ledger : Ledger
        Is changed, unless an error is raised.
    pairs : sequence of KeyPair
        Two, by side.
    accounts, deposits : tuple of (int, int)
        By side; deposits in the asset's smallest unit.
    asset : str
    terms : ChannelTerms, optional
    now : int
        Microseconds since 1970.
    stops : Stops, optional

    Raises
    ------
    ArgumentTypeError, ArgumentError, ChainError, LedgerError
        As of `ChannelBook.open`.

    Examples
    --------
    >>> import polars as pl
    >>> from gridlab.chain import keys
    >>> ledger = Ledger(3, issuers={"WATT": [0]})
    >>> mint = {"transfer_id": [1], "debit_account": [0], "credit_account": [1], "asset": ["WATT"], "amount": [1_000]}
    >>> _ = ledger.apply(pl.DataFrame(mint | {"code": ["mint"]}))
    >>> pairs = [keys.sandbox(0, "meter"), keys.sandbox(0, "seller")]
    >>> book, channel = open_channel(ChannelBook("demo"), ledger, pairs, (1, 2), (800, 0))
    >>> book[channel].phase, ledger.available(1, "WATT")
    ('open', 200)
    """
    if len(require_sequence("pairs", pairs, KeyPair)) != 2:
        raise ArgumentError(f"pairs has {len(pairs)} key pairs, allowed: 2, one per side")
    chosen = ChannelTerms() if terms is None else terms
    keys = (pairs[0].public_key, pairs[1].public_key)
    opening = Opening(accounts, keys, asset, deposits, chosen.window_microseconds, chosen.lock_microseconds)
    message = opening_message(book.chain, len(book.channels), opening)
    return book.open(ledger, opening, [pair.sign(message) for pair in pairs], now, Stops() if stops is None else stops)
