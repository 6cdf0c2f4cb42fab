"""Channels as frames: one row per channel, and one per event on the chain."""

from __future__ import annotations

from typing import Any

import polars as pl

from gridlab.chain.channels.book import ChannelBook
from gridlab.chain.channels.record import EVENTS, PHASES
from gridlab.chain.ledger import ASSETS
from gridlab.errors import ArgumentTypeError

__all__ = ["channels_frame", "events_frame"]


def channels_frame(book: ChannelBook) -> pl.DataFrame:
    """Return one row per channel.

    Returns
    -------
    polars.DataFrame
        number, channel (Binary), phase, asset, account_0, account_1 (UInt32), deposit_0, deposit_1, balance_0,
        balance_1 (Int64, smallest unit; by the state that the chain knows, locks that are not resolved with their
        payers), version.
    """
    records = list(_require_book(book).channels.items())
    outcomes = [record.outcome() for _, record in records]
    pairs = {
        "account": [record.opening.accounts for _, record in records],
        "deposit": [record.deposited for _, record in records],
        "balance": outcomes,
    }
    columns = {
        "number": pl.Series([record.number for _, record in records], dtype=pl.UInt64),
        "channel": pl.Series([channel for channel, _ in records], dtype=pl.Binary),
        "phase": pl.Series([record.phase for _, record in records], dtype=pl.Enum(PHASES)),
        "asset": pl.Series([record.opening.asset for _, record in records], dtype=ASSETS),
    }
    for name, values in pairs.items():
        for side in (0, 1):
            dtype = pl.UInt32 if name == "account" else pl.Int64
            columns[f"{name}_{side}"] = pl.Series([pair[side] for pair in values], dtype=dtype)
    columns["version"] = pl.Series([record.version for _, record in records], dtype=pl.UInt64)
    return pl.DataFrame(columns)


def events_frame(book: ChannelBook) -> pl.DataFrame:
    """Return what happened to channels on the chain: number, moment (Int64, µs since 1970), event, version.

    Disputes are the rows whose event is "dispute"; the version is that of the state which stood after it.
    """
    rows = [
        (record.number, event.moment, event.kind, event.version)
        for record in _require_book(book).channels.values()
        for event in record.events
    ]
    schema: dict[str, Any] = {"number": pl.UInt64, "moment": pl.Int64, "event": pl.Enum(EVENTS), "version": pl.UInt64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _require_book(value: object) -> ChannelBook:
    if not isinstance(value, ChannelBook):
        raise ArgumentTypeError(f"book is a {type(value).__name__}, allowed: a ChannelBook")
    return value
