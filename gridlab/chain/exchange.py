"""The seam between the chain and a market: what the chain must know of whoever clears its orders.

The chain takes orders, reserves what they may cost and moves the money; it knows no market rule. An `Exchange` says
what an order may cost at most, and what comes of the orders when the gate closes. It must be a pure function of the
orders and of the terms that genesis commits to: every replica clears for itself and must get the same to the byte.
`gridlab.market.exchange.MarketExchange` is one over a `gl.Market`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import polars as pl

from gridlab.errors import ArgumentTypeError

__all__ = ["Exchange", "Outcome", "require_exchange"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the orders of closed slots.

    Attributes
    ----------
    trades : polars.DataFrame
        As `gridlab.chain.trades.TRADES`.
    transfers : polars.DataFrame
        The payments that settle them, as `gridlab.chain.ledger.TRANSFERS`; ids are given by the chain.
    """

    trades: pl.DataFrame
    transfers: pl.DataFrame


@runtime_checkable
class Exchange(Protocol):
    """What the chain needs of a market."""

    @property
    def terms(self) -> bytes:
        """All that decides what comes of an order, 32 bytes; genesis commits to it."""

    def reserve(self, orders: pl.DataFrame) -> pl.Series:
        """Return for each order the most that it may cost its account, Int64, micro-WATT.

        Raises
        ------
        GridlabError
            An order is one that `close` could not clear. Whatever was let in here, `close` must be able to clear, in
            any company: an order that made it fail would keep everybody's reservations for ever.
        """

    def close(self, orders: pl.DataFrame) -> Outcome:
        """Clear `orders` (as `gridlab.frames.ORDERS`, no `order_id` twice) and settle what trades."""


def require_exchange(value: object) -> Exchange:
    """Return `value` if it is an `Exchange`, or raise ArgumentTypeError."""
    if not isinstance(value, Exchange):
        raise ArgumentTypeError(
            f"exchange is a {type(value).__name__}, allowed: an Exchange such as "
            "gridlab.market.exchange.MarketExchange(market, accounts, institutions)"
        )
    return value
