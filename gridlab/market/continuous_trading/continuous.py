"""The rule ``continuous``: a double auction in which orders meet as they arrive (price-time priority)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError, MarketError, nearest
from gridlab.market.continuous_trading.continuous_book import (
    CANCEL,
    EVENT_FIELDS,
    MARKET,
    OUTCOMES,
    SELF_TRADES,
    Lineup,
    Tape,
    arrival_order,
    line_up,
    run_books,
)
from gridlab.market.continuous_trading.continuous_door import check_arrivals, find_targets, kind_codes
from gridlab.market.core.books import Books, number_books
from gridlab.market.core.filling import Fills
from gridlab.market.core.kernels import NONE, Levels
from gridlab.market.core.pairing import Pairs
from gridlab.market.core.pricing import BookPrices
from gridlab.market.core.result import Clearing, fills_frame, prices_frame, trades_frame

__all__ = ["CONTINUOUS_REASON", "ContinuousClearing", "clear_continuous", "continuous_options"]

Int64s = npt.NDArray[np.int64]

# Outcomes that an order may meet after part of it has traded.
_PARTLY = ("resting", "cancelled", "expired", "self-trade")
CONTINUOUS_REASON = pl.Enum([*OUTCOMES, *(f"partly: {outcome}" for outcome in _PARTLY)])


@dataclass(frozen=True, repr=False, eq=False)
class ContinuousClearing(Clearing):
    """The outcome of a continuous auction: the frames of every clearing, and the book after each event.

    Attributes
    ----------
    prices : polars.DataFrame
        As in `gridlab.market.core.result.Clearing`; ``price`` is the volume-weighted mean of the trades, rounded down,
        ``price_low`` and ``price_high`` are the lowest and the highest price of a trade. A market order has no limit
        to measure a surplus by, so its own surplus counts as 0. ``demand`` and ``supply`` count all orders but cancels.
    fills : polars.DataFrame
        As there; ``price`` is the order's mean price, rounded down; ``amount`` is exact. ``limit`` is null for market
        orders and cancels, ``side`` is null and ``energy`` 0 for cancels. ``reason`` is one of `CONTINUOUS_REASON`.
    trades : polars.DataFrame
        As there, by book and then in the order of time, with two more columns: ``seq`` of the arriving order (its
        order_id where the frame has no seq) and ``aggressor``, that order's side.
    """

    _replay: Callable[[], pl.DataFrame] = field(repr=False)

    @cached_property
    def events(self) -> pl.DataFrame:
        """The book after each order's arrival, one row per order, by book and arrival (polars.DataFrame).

        The `by` columns, then ``seq``, ``order_id``, ``traded`` (Wh traded by this arrival), ``best_bid``, ``best_ask``
        (THB/MWh, null where a side is empty), ``bid_depth``, ``ask_depth`` (Wh at the best prices),
        ``total_bid_depth``, ``total_ask_depth`` (Wh), ``spread`` (best ask less best bid, THB/MWh), ``mid`` (half their
        sum, Float64, THB/MWh: for pictures, money is never computed from it), ``last_price`` (THB/MWh, null before the
        first trade). Recorded during the auction with ``events=True``; otherwise the auction is run once more when this
        is first asked for.
        """
        return self._replay()


def continuous_options(given: Mapping[str, Any], *, pricing: str = "competitive") -> dict[str, Any]:
    """Return the checked options of the rule.

    Parameters
    ----------
    given : mapping of str to object
        ``self_trade`` and ``events``, both optional.
    pricing : str
        A key of `gridlab.market.core.pricing.PRICINGS`; any but the default is an error, as it would have no effect.

    Raises
    ------
    ArgumentTypeError
        A value is of a wrong type.
    MarketError
        An option or a value is unknown.
    """
    if pricing != "competitive":
        raise MarketError(
            f"pricing {pricing!r} has no effect with rule 'continuous', where each trade has the resting order's "
            "price; leave pricing out, or use rule 'uniform'"
        )
    options: dict[str, Any] = {"self_trade": "cancel_newest", "events": False}
    for name in given:
        if name not in options:
            hint = nearest(name, (*options, "by", "floor", "cap"))
            raise MarketError(f"option {name!r} is not one that rule 'continuous' reads; {hint}")
    options |= given
    self_trade, events = options["self_trade"], options["events"]
    if not isinstance(self_trade, str):
        raise ArgumentTypeError(f"self_trade: expected one of {SELF_TRADES}, got {self_trade!r}")
    if self_trade not in SELF_TRADES:
        raise MarketError(f"self_trade {self_trade!r} is unknown; {nearest(self_trade, SELF_TRADES)}")
    if not isinstance(events, bool):
        raise ArgumentTypeError(f"events: expected True or False, got {events!r} ({type(events).__name__})")
    return options


def clear_continuous(
    orders: pl.DataFrame | pl.LazyFrame,
    by: Sequence[str],
    *,
    floor: int | None = None,
    cap: int | None = None,
    self_trade: str = "cancel_newest",
    events: bool = False,
) -> ContinuousClearing:
    """Let the orders of every book arrive in the order of seq, each trading at once with the best that rests there.

    An arriving order trades with the other side from its best price to the arriving order's limit, at each price with
    the order that has rested there longest, and always at the resting order's price. A resting order that is filled in
    part keeps its place. What is left of the arriving order depends on its ``kind``:

    - ``limit`` rests in the book; ``post_only`` too, but is refused whole if it would trade on arrival;
    - ``market`` (no limit) and ``ioc`` (immediate or cancel) expire;
    - ``fok`` (fill or kill) leaves nothing: it trades whole, or is killed and changes nothing;
    - ``cancel`` takes the order named in ``cancels`` out of the book.

    Parameters
    ----------
    orders : polars.DataFrame or polars.LazyFrame
        Columns as in `gridlab.frames.ORDERS`, optionally ``kind`` and ``cancels`` (see
        `gridlab.market.continuous_trading.continuous_door.CONTINUOUS`). Orders of equal seq arrive by order_id.
    by : sequence of str
        Columns that tell the books apart.
    floor, cap : int, optional
        Lowest and highest limit that the market accepts (THB/MWh).
    self_trade : str
        What happens where an arriving order meets one of its own account: ``cancel_newest`` cancels what is left of the
        arriving order, ``cancel_oldest`` what is left of the resting one, ``cancel_both`` both; ``allow`` lets them
        trade. A fill-or-kill order that this keeps from trading whole is killed and cancels nothing.
    events : bool
        Whether to record the book after each arrival.

    Returns
    -------
    ContinuousClearing

    Raises
    ------
    ArgumentTypeError
        `orders` is not a polars frame.
    MarketError
        See `check_arrivals` and `find_targets` in `gridlab.market.continuous_trading.continuous_door`.

    References
    ----------
    M. D. Gould, M. A. Porter, S. Williams, M. McDonald, D. J. Fenn and S. D. Howison, "Limit order books",
    Quantitative Finance 13(11), 2013, 1709-1742.
    """
    books = number_books(check_arrivals(orders, by, floor, cap), by)
    kind = kind_codes(books.orders)
    rows, firsts = arrival_order(books)
    lineup = line_up(books, kind, find_targets(books, kind, rows), rows, firsts)
    mode = SELF_TRADES.index(self_trade)
    tape = run_books(lineup, mode, events=events)
    trades = _trades(books, rows, tape)
    return ContinuousClearing(
        "continuous",
        _prices(books, lineup, tape, trades),
        _fills(books, kind, rows, tape),
        partial(_trades_frame, books, trades),
        partial(_events_frame, books, rows, tape.events) if events else partial(_replay, books, rows, lineup, mode),
    )


@dataclass(frozen=True, slots=True)
class _Trades:
    """Trades by book and time: rows of the arriving and of the resting order, energy (Wh), price (THB/MWh)."""

    taker: Int64s
    maker: Int64s
    energy: Int64s
    price: Int64s


def _trades(books: Books, rows: Int64s, tape: Tape) -> _Trades:
    taker, maker, energy = tape.trades[tape.trades[:, 2] > 0].T
    resting = rows[maker]
    return _Trades(rows[taker], resting, energy.copy(), books.price[resting])


def _trades_frame(books: Books, trades: _Trades) -> pl.DataFrame:
    buys = books.side[trades.taker] == 0
    buy, sell = (np.where(chosen, trades.taker, trades.maker) for chosen in (buys, ~buys))
    orders = books.orders
    seq = orders["seq" if "seq" in orders.columns else "order_id"]
    return trades_frame(books, Pairs(buy, sell, trades.energy), trades.price).with_columns(
        seq[trades.taker].alias("seq"), orders["side"][trades.taker].alias("aggressor")
    )


def _fills(books: Books, kind: npt.NDArray[np.uint8], rows: Int64s, tape: Tape) -> pl.DataFrame:
    count = len(rows)
    remaining, amount, paid = (np.zeros(count, dtype=np.int64) for _ in range(3))
    code = np.empty(count, dtype=np.uint8)
    remaining[rows], amount[rows], code[rows] = tape.remaining, tape.amount, tape.outcome
    filled = np.where(kind == CANCEL, 0, books.energy - remaining)
    np.floor_divide(amount, filled, out=paid, where=filled > 0)
    code[(filled > 0) & (remaining > 0)] += len(OUTCOMES) - OUTCOMES.index(_PARTLY[0])
    frame = fills_frame(books, Fills(filled, amount, paid, np.zeros(count, dtype=np.uint8)))
    reason = pl.Series("reason", code).cat.to(CONTINUOUS_REASON)
    if "kind" not in frame.columns:
        return frame.with_columns(reason)
    is_cancel, unlimited = pl.col("kind") == "cancel", pl.col("kind").is_in(["cancel", "market"])
    return frame.with_columns(
        reason,
        pl.when(~is_cancel).then(pl.col("side")),
        pl.when(~unlimited).then(pl.col("limit")),
        pl.when(is_cancel).then(0).otherwise(pl.col("energy")).alias("energy"),
    )


def _prices(books: Books, lineup: Lineup, tape: Tape, trades: _Trades) -> pl.DataFrame:
    arrivals, starts = lineup.arrivals, lineup.firsts[:-1]
    filled = arrivals.energy - tape.remaining
    # A market order has no limit to gain against: what it paid is its value.
    value = np.where(arrivals.kind == MARKET, tape.amount, arrivals.price * filled)
    offered = np.where(arrivals.kind == CANCEL, 0, arrivals.energy)
    buys, sells = arrivals.side == 0, arrivals.side == 1
    levels = Levels.of_books(books.count)
    turnover = np.zeros(books.count, dtype=np.int64)
    for total, values in (
        (levels.energy, filled * buys), (levels.demand, offered * buys), (levels.supply, offered * sells),
        (levels.bid_value, value * buys), (levels.ask_value, value * sells), (turnover, tape.amount * buys),
    ):  # fmt: skip
        if books.count:
            np.add.reduceat(values, starts, out=total)
    found = _book_prices(books, levels.energy, turnover, trades)
    return prices_frame(books, levels, found, levels.bid_value - turnover, turnover - levels.ask_value)


def _book_prices(books: Books, energy: Int64s, turnover: Int64s, trades: _Trades) -> BookPrices:
    found = BookPrices(*(np.full(books.count, NONE, dtype=np.int64) for _ in range(3)))
    book = books.book[trades.taker]
    firsts = np.flatnonzero(np.diff(book, prepend=-1))
    if len(firsts):
        trading = book[firsts]
        found.price[trading] = turnover[trading] // energy[trading]
        found.low[trading] = np.minimum.reduceat(trades.price, firsts)
        found.high[trading] = np.maximum.reduceat(trades.price, firsts)
    return found


def _replay(books: Books, rows: Int64s, lineup: Lineup, mode: int) -> pl.DataFrame:
    return _events_frame(books, rows, run_books(lineup, mode, events=True).events)


def _events_frame(books: Books, rows: Int64s, events: Int64s) -> pl.DataFrame:
    orders = books.orders
    seq = orders["seq" if "seq" in orders.columns else "order_id"]
    columns = [
        *(books.keys[books.book[rows]] if books.by else ()),
        seq[rows].alias("seq"),
        orders["order_id"][rows],
        *(pl.Series(name, values) for name, values in zip(EVENT_FIELDS, events.T, strict=True)),
    ]
    prices = pl.col("best_bid", "best_ask", "last_price")
    bid, ask = pl.col("best_bid"), pl.col("best_ask")
    return (
        pl.DataFrame(columns)
        .with_columns(pl.when(prices != NONE).then(prices))
        .with_columns(spread=ask - bid, mid=(bid + ask) / 2)
    )
