"""A market day in which levers move: pieces with terms of their own, joined to one day.

A piece is computed for all slots that are left, under the levers in force, and cut where the next one begins. A daily
statement ends where its terms do, so that an account may get two on such a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from gridlab.day import MarketDay
from gridlab.errors import ArgumentError
from gridlab.market.clearing import Clearing

__all__ = ["JoinedDay", "cut", "joined", "numbered_from"]

_FRAMES = ("readings", "wished", "orders", "halts", "trades", "rest")
_IDS = {"wished": ("order_id",), "orders": ("order_id",), "trades": ("buy_order", "sell_order")}


@dataclass(frozen=True)
class JoinedDay(MarketDay):
    """Pieces of a day, one after the other; what its frames hold is what the pieces hold.

    Attributes
    ----------
    pieces : tuple of MarketDay
    """

    pieces: tuple[MarketDay, ...] = field(default=())

    @cached_property
    def statements(self) -> pl.DataFrame:
        """Statements with the utility for what was not traded, one per account, day and piece."""
        return pl.concat([piece.statements for piece in self.pieces])

    @cached_property
    def without_market(self) -> pl.DataFrame:
        """The statements as they would be if nobody traded."""
        return pl.concat([piece.without_market for piece in self.pieces])

    @cached_property
    def best_welfare_by_slot(self) -> pl.DataFrame:
        """``slot``, ``best_welfare`` (micro-THB), one row per book."""
        return pl.concat([piece.best_welfare_by_slot for piece in self.pieces])


def _within(frame: pl.DataFrame, slots: pl.Series) -> pl.DataFrame:
    return frame.filter(pl.col("slot").is_between(slots[0], slots[-1]))


def cut(day: MarketDay, slots: pl.Series) -> MarketDay:
    """Return the part of a day that lies in `slots`, which follow one another.

    Raises
    ------
    ArgumentError
        A slot is none of the day's, or the day is a sequence of markets, which cannot be cut.
    """
    if day.stages is not None:
        raise ArgumentError(
            "a day with trade on forecasts is one chain of markets from day-ahead to imbalance, and no lever moves "
            "within it; lab.set({'trade_on_forecasts': False}) first"
        )
    if slots.is_empty() or not slots.is_in(day.slots.implode()).all():
        raise ArgumentError(f"{slots.len()} slots, allowed: one or more of the day's own, {day.slots.len()} in all")
    clearing = day.clearing
    trades = _within(clearing.trades, slots)
    prices, fills = _within(clearing.prices, slots), _within(clearing.fills, slots)
    frames: dict[str, Any] = {name: _within(getattr(day, name), slots) for name in _FRAMES}
    part = replace(day, slots=slots, clearing=Clearing(clearing.rule, prices, fills, lambda: trades), **frames)
    # A cached property: what the whole clearing knew of its optimum, its cut frames no longer do.
    part.__dict__["best_welfare_by_slot"] = _within(day.best_welfare_by_slot, slots)
    return part


def numbered_from(day: MarketDay, first: int) -> MarketDay:
    """Return the day with `first` added to the numbers of its orders, for a chain that has taken so many already."""
    moved = {
        name: getattr(day, name).with_columns(pl.col(columns) + first) for name, columns in _IDS.items()
    }
    clearing = day.clearing
    trades = clearing.trades.with_columns(pl.col("buy_order", "sell_order") + first)
    fills = clearing.fills.with_columns(pl.col("order_id") + first)
    again = replace(day, clearing=Clearing(clearing.rule, clearing.prices, fills, lambda: trades), **moved)
    again.__dict__["best_welfare_by_slot"] = day.best_welfare_by_slot
    return again


def _fills(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the fills of all pieces; rules have reasons of their own, so the column takes those of all."""
    # In the order of the rules, so that the same pieces give the same column.
    known = pl.Enum(list(dict.fromkeys(name for part in parts for name in part["reason"].dtype.categories)))  # type: ignore[attr-defined]
    same = [part.with_columns(pl.col("reason").cast(pl.String).cast(known)) for part in parts]
    return pl.concat(same, how="diagonal")


def joined(pieces: Sequence[MarketDay]) -> MarketDay:
    """Return one day made of pieces that follow one another.

    Raises
    ------
    ArgumentError
        There is no piece.
    """
    if not pieces:
        raise ArgumentError("a day has one piece at least")
    if len(pieces) == 1:
        return pieces[0]
    last = pieces[-1]
    frames = {
        name: pl.concat([getattr(piece, name) for piece in pieces], how="diagonal")
        for name in _FRAMES
    }
    clearings = [piece.clearing for piece in pieces]
    trades = pl.concat([each.trades for each in clearings], how="diagonal")
    rules = list(dict.fromkeys(each.rule for each in clearings))
    clearing = Clearing(
        ", then ".join(rules),
        pl.concat([each.prices for each in clearings], how="diagonal"),
        _fills([each.fills for each in clearings]),
        lambda: trades,
    )
    return JoinedDay(
        slots=pl.concat([piece.slots for piece in pieces]),
        accounts=last.accounts,
        clearing=clearing,
        rates=last.rates,
        clearing_seconds=sum(piece.clearing_seconds for piece in pieces),
        pieces=tuple(pieces),
        **frames,
    )
