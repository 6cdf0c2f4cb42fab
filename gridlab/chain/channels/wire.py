"""Frames in which the steps of a channel go into transactions; every chain that has channels takes the same ones."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from gridlab.chain.arguments import require_bytes, require_sequence
from gridlab.chain.channels.book import ChannelBook, opening_message
from gridlab.chain.channels.record import Opening
from gridlab.chain.channels.signed import SignedState, require_signed
from gridlab.chain.channels.states import Pair
from gridlab.chain.channels.terms import ChannelTerms
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.keys import KeyPair
from gridlab.chain.ledger import ASSETS
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.frames import Column, Schema

__all__ = [
    "CHANNEL_OPENINGS",
    "CHANNEL_PREIMAGES",
    "CHANNEL_SETTLEMENTS",
    "CHANNEL_STATES",
    "CHANNEL_TOP_UPS",
    "opening_frame",
    "state_frame",
]

_CHANNEL = Column("channel", pl.Binary, "binary", "the channel's id, 32 bytes")

CHANNEL_OPENINGS = Schema(
    "channel_openings",
    (
        Column("account_0", pl.UInt32, "integer", "one side"),
        Column("account_1", pl.UInt32, "integer", "the other side"),
        Column("asset", ASSETS, "category", "what is deposited"),
        Column("deposit_0", pl.Int64, "integer", "of account_0, in the asset's smallest unit; 0 or more"),
        Column("deposit_1", pl.Int64, "integer", "of account_1; one of the two is more than 0"),
        Column("window", pl.UInt64, "integer", "for disputes (µs)"),
        Column("longest_lock", pl.UInt64, "integer", "how long a close waits for conditional payments (µs)"),
        Column("signature_0", pl.Binary, "binary", "of account_0's key over the opening, 64 bytes"),
        Column("signature_1", pl.Binary, "binary", "of account_1's key over the opening, 64 bytes"),
    ),
)
CHANNEL_TOP_UPS = Schema(
    "channel_top_ups",
    (_CHANNEL, Column("amount", pl.Int64, "integer", "that the sender deposits, more than 0, smallest unit")),
)
CHANNEL_STATES = Schema(
    "channel_states",
    (
        _CHANNEL,
        Column("signed", pl.Binary, "binary", "a state that both have signed; empty closes by the deposits alone"),
    ),
)
CHANNEL_PREIMAGES = Schema("channel_preimages", (_CHANNEL, Column("preimage", pl.Binary, "binary", "32 bytes")))
CHANNEL_SETTLEMENTS = Schema("channel_settlements", (_CHANNEL,))


def opening_frame(
    book: ChannelBook,
    pairs: Sequence[KeyPair],
    accounts: Pair,
    deposits: Pair,
    *,
    asset: str = "WATT",
    terms: ChannelTerms | None = None,
) -> pl.DataFrame:
    """Let both sides sign the next channel of a chain; return the frame of a transaction of kind ``channel_open``.

    Parameters
    ----------
    book : ChannelBook
        Of the chain as it is now. A channel that somebody else opens first takes the number; then sign again.
    pairs : sequence of KeyPair
        Two, by side: the keys of the accounts.
    accounts, deposits : tuple of (int, int)
        By side; deposits in the asset's smallest unit.
    asset : str
    terms : ChannelTerms, optional

    Returns
    -------
    polars.DataFrame
        One row, as `CHANNEL_OPENINGS`.

    Raises
    ------
    ArgumentTypeError, ArgumentError, ChainError
        An argument does not fit.
    """
    if not isinstance(book, ChannelBook):
        raise ArgumentTypeError(f"book is a {type(book).__name__}, allowed: a ChannelBook, as chain.channel_book gives")
    if len(require_sequence("pairs", pairs, KeyPair)) != 2:
        raise ArgumentError(f"pairs has {len(pairs)} key pairs, allowed: 2, one per side")
    chosen = ChannelTerms() if terms is None else terms
    keys = (pairs[0].public_key, pairs[1].public_key)
    opening = Opening(accounts, keys, asset, deposits, chosen.window_microseconds, chosen.lock_microseconds)
    message = opening_message(book.chain, len(book.channels), opening)
    row = {"asset": asset, "window": opening.window, "longest_lock": opening.longest_lock}
    for side in (0, 1):
        row |= {f"account_{side}": accounts[side], f"deposit_{side}": deposits[side]}
        row[f"signature_{side}"] = pairs[side].sign(message)
    return CHANNEL_OPENINGS.check(pl.DataFrame([row])).select(column.name for column in CHANNEL_OPENINGS.columns)


def state_frame(channel: bytes, signed: SignedState | None = None) -> pl.DataFrame:
    """Return the frame of ``channel_close``, ``channel_close_together`` or ``channel_dispute``.

    Parameters
    ----------
    channel : bytes
        The channel's id, 32 bytes.
    signed : SignedState, optional
        A state that both have signed; without one, a close by the deposits alone.

    Returns
    -------
    polars.DataFrame
        One row, as `CHANNEL_STATES`.
    """
    require_bytes("channel", channel, HASH_BYTES)
    data = b"" if signed is None else require_signed(signed).to_bytes()
    return pl.DataFrame({"channel": [channel], "signed": [data]})
