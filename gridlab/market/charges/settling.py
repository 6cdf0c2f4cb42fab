"""From orders to payments in one call: clear, bill and settle every book of a frame."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from gridlab.market.clearing import Clearing

__all__ = ["Settled"]


@dataclass(frozen=True)
class Settled:
    """What became of an order frame.

    Attributes
    ----------
    clearing : Clearing
    trades : polars.DataFrame
        Trades with the parts of their landed bills (`gridlab.market.charges.landed.LandedTerms.bill`).
    transfers : polars.DataFrame
        The payments that settle them, as `gridlab.market.charges.settlement.SETTLEMENT`.
    """

    clearing: Clearing
    trades: pl.DataFrame
    transfers: pl.DataFrame

    def __repr__(self) -> str:
        return f"Settled({self.clearing!r}, {self.trades.height:,} trades, {self.transfers.height:,} payments)"
