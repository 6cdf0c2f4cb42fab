"""Auctions with block orders: all or nothing over several slots, linked, exclusive, or with a least share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError, MarketError, nearest
from gridlab.market.block_orders.block_door import BlockTable, block_table, check_blocks, check_order_fills
from gridlab.market.block_orders.block_prices import family_surplus, supporting_prices, surplus
from gridlab.market.block_orders.block_result import (
    ORDER_REASON,
    BlockClearing,
    block_reasons,
    blocks_frame,
    rows_frame,
)
from gridlab.market.block_orders.block_solver import Acceptance, BlockProgramme
from gridlab.market.clearing import Share
from gridlab.market.core.books import Books, number_books
from gridlab.market.core.door import INT64_MAX, check_orders, price_bound
from gridlab.market.core.filling import Fills, fill_orders
from gridlab.market.core.kernels import FILLED, NONE, PARTLY, PRICED_OUT, REASONS
from gridlab.market.core.pairing import pair_orders
from gridlab.market.core.pricing import BookPrices, exact_share, point_between
from gridlab.market.core.rationing import RATIONINGS
from gridlab.market.core.result import fills_frame, trades_frame
from gridlab.market.zones.coupling_curve import NetCurve, net_curve
from gridlab.market.zones.coupling_result import book_frame
from gridlab.market.zones.coupling_sharing import cell_sums, pool_levels
from gridlab.market.zones.coupling_solver import check_digits

__all__ = ["clear_blocks"]

Int64s = npt.NDArray[np.int64]

_BY = ("slot", "zone")
# Prefix of the blocks that orders with a least share become; no text that a user writes holds this character.
_ORDER = "\x00order "


@dataclass(frozen=True, slots=True)
class _Auction:
    """An auction, numbered: the books of all orders and block rows, the rows of blocks, and who is what.

    Attributes
    ----------
    books : Books
        Orders, then the rows of the blocks that the user gave.
    rows : polars.DataFrame
        Rows of these blocks, then one for each order with a least share.
    table : BlockTable
        Of `rows`.
    simple, tied : ndarray of int64
        Rows in `books` of the orders without and with a least share.
    given : int
        Rows of blocks that the user gave.
    """

    books: Books
    rows: pl.DataFrame
    table: BlockTable
    simple: Int64s
    tied: Int64s
    given: int


def clear_blocks(
    orders: pl.DataFrame | pl.LazyFrame,
    blocks: pl.DataFrame | pl.LazyFrame,
    *,
    k: Share = 0,
    rationing: str = "pro_rata",
    floor: int | None = None,
    cap: int | None = None,
    exact_cuts: int = 20,
) -> BlockClearing:
    """Clear orders and blocks together, one price per slot and zone.

    Parameters
    ----------
    orders : polars.DataFrame or polars.LazyFrame
        One row per order; columns as in ``gridlab.frames.ORDERS.describe()``, optionally ``min_fill``: the least share
        of the order that may trade, 0 (or null) for any part, 1 for all or nothing.
    blocks : polars.DataFrame or polars.LazyFrame
        One row per block and slot; columns as in ``gridlab.market.block_orders.block_door.BLOCKS.describe()``.
    k : int, float, Fraction or Decimal
        Where in the interval of possible prices the price lies, 0 to 1, as in `gridlab.clear`. Default 0, the lowest
        price, which is the rule behind the published examples of block auctions.
    rationing : str
        Who gets the energy of a limit that is cut: ``pro_rata`` or ``time``.
    floor, cap : int, optional
        Lowest and highest limit the market accepts (THB/MWh), and lowest and highest price there can be; by default the
        lowest and highest limit of all orders and blocks.
    exact_cuts : int
        How many sets of blocks may be tried and ruled out for want of prices before blocks that lose are left out for
        good. The result's `proven` is False where that happened.

    Returns
    -------
    BlockClearing
        No block, and no order with a least share, is accepted at a loss, except a parent whose family gains as much;
        in every book bought = sold to the Wh and paid = received to the micro-THB. Of all such outcomes, where every
        block is all or nothing, one of the highest welfare (if `proven`).

    Raises
    ------
    ArgumentTypeError
        An argument is of a wrong type.
    MarketError
        An argument is out of range, or a frame is rejected (see `gridlab.market.block_orders.block_door.check_blocks`).

    Notes
    -----
    A block gains by its limit over all its slots together: sum of (price - limit) * energy for a sell. Rejecting a
    block that would gain is allowed (its reason is ``paradoxically rejected``), since uniform prices cannot always be
    had without; see ``docs/market/blocks.md``.

    Examples
    --------
    >>> from datetime import datetime
    >>> import gridlab as gl
    >>> import polars as pl
    >>> slots = [datetime(2026, 4, 1, 12), datetime(2026, 4, 1, 12, 15)]
    >>> orders = pl.DataFrame({
    ...     "order_id": [1, 2, 3, 4], "account": [0, 0, 1, 1], "side": ["buy", "buy", "sell", "sell"],
    ...     "slot": slots * 2, "zone": ["BKK"] * 4, "price": [5000, 5000, 4000, 3000], "energy": [9000] * 4,
    ... })
    >>> blocks = pl.DataFrame({
    ...     "block_id": ["plant", "plant"], "slot": slots, "zone": ["BKK"] * 2, "side": ["sell"] * 2,
    ...     "price": [3200] * 2, "energy": [6000, 6000],
    ... })
    >>> auction = gl.market.clear_blocks(orders, blocks)
    >>> auction.prices["price"].to_list()
    [4000, 3000]
    >>> auction.blocks.select("block_id", "accepted", "reason", "surplus").row(0)
    ('plant', 1.0, 'accepted', 3600000)
    """
    share = exact_share(k, "k")
    if not isinstance(rationing, str):
        raise ArgumentTypeError(f"rationing: expected one of {tuple(RATIONINGS)}, got {rationing!r}")
    if rationing not in RATIONINGS:
        raise MarketError(f"rationing {rationing!r} is unknown; {nearest(rationing, RATIONINGS)}")
    bounds = price_bound(floor, "floor"), price_bound(cap, "cap")
    checked = check_orders(orders, _BY, *bounds)
    auction = _number(checked, check_order_fills(checked), check_blocks(blocks, *bounds))
    books, simple = auction.books, auction.simple
    curve = net_curve(books.take(simple))
    programme = BlockProgramme(curve, auction.table)
    accepted, price, interval = _settle(auction, programme, share, bounds, _cut_count(exact_cuts))
    fills = _fill(auction, curve, accepted, price, rationing)
    return _result(auction, accepted, fills, price, interval, proven=programme.proven)


def _number(orders: pl.DataFrame, least: npt.NDArray[np.float64], blocks: pl.DataFrame) -> _Auction:
    """Give the books of orders and blocks numbers."""
    zones = pl.concat([orders["zone"].cast(pl.String), blocks["zone"]]).unique().sort()
    zone = pl.col("zone").cast(pl.String).cast(pl.Enum(zones))
    columns = ("slot", "zone", "side", "price", "energy")
    own = orders.with_columns(zone)
    everything = pl.concat([own.select(columns), blocks.with_columns(zone).select(columns)]).rechunk()
    check_digits(everything)
    _check_money(everything)
    books = number_books(everything, _BY)
    tied, given = np.flatnonzero(least > 0), blocks.height
    as_blocks = own[tied].select(
        (pl.lit(_ORDER) + pl.col("order_id").cast(pl.String)).alias("block_id"),
        "slot", pl.col("zone").cast(pl.String), "side", "price", "energy",
        pl.Series("min_fill", least[tied]),
        pl.lit(None, pl.String).alias("parent"), pl.lit(None, pl.String).alias("exclusive_group"),
    )  # fmt: skip
    rows = pl.concat([blocks.select(as_blocks.columns), as_blocks])
    book = np.concatenate((books.book[orders.height :], books.book[tied])).astype(np.int64)
    books = replace(books, orders=own)
    return _Auction(books, rows, block_table(rows, book), np.flatnonzero(least == 0), tied, given)


def _check_money(everything: pl.DataFrame) -> None:
    worth = everything.select((pl.col("price").cast(pl.Float64).abs() * pl.col("energy")).sum()).item()
    if worth > INT64_MAX / 4:
        raise MarketError(
            f"orders and blocks: limits times energies sum to {worth:.3g} micro-THB, more than 64 bits hold; check the "
            "units (THB/MWh and Wh), or clear fewer slots in one call"
        )


def _cut_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ArgumentTypeError(f"exact_cuts: expected a whole number, got {value!r}; the default is 20")
    if value < 0:
        raise MarketError(f"exact_cuts = {value} is out of range; allowed: 0 or more")
    return int(value)


def _settle(
    auction: _Auction,
    programme: BlockProgramme,
    k: Fraction,
    bounds: tuple[int | None, int | None],
    exact_cuts: int,
) -> tuple[Acceptance, Int64s, tuple[Int64s, Int64s]]:
    """Find the best set of blocks that prices support, these prices, and the interval they were taken from."""
    books, table, curve = auction.books, auction.table, programme.curve
    bottom, top = (
        int(end) if bound is None else bound
        for bound, end in zip(bounds, (books.price.min(initial=0), books.price.max(initial=0)), strict=True)
    )
    highest, lowest = np.full(books.count, NONE), np.full(books.count, INT64_MAX)
    np.maximum.at(highest, books.book, books.price)
    np.minimum.at(lowest, books.book, books.price)
    while True:
        accepted = programme.best()
        export = np.clip(accepted.export, -curve.demand, curve.supply)
        low, high = curve.bounds(export, NONE, INT64_MAX)
        free = np.where(low == NONE, bottom, low), np.where(high == INT64_MAX, top, high)
        # Where no other order bounds the price, it stays within the limits in the book unless a block needs it not.
        low, high = np.where(low == NONE, lowest, low), np.where(high == INT64_MAX, highest, high)
        wanted = point_between(low, high, k)
        if np.array_equal(export, accepted.export):
            price = supporting_prices(table, accepted.chosen, accepted.filled, free, wanted)
            if price is not None:
                return accepted, price, (np.minimum(low, price), np.maximum(high, price))
        gain = family_surplus(table, surplus(table, accepted.filled, wanted))
        programme.reject(accepted.chosen, gain, exact_cuts)


def _fill(auction: _Auction, curve: NetCurve, accepted: Acceptance, price: Int64s, rationing: str) -> Fills:
    """Fill the orders and, behind them, the rows of the blocks."""
    books, simple, tied, given = auction.books, auction.simple, auction.tied, auction.given
    count = books.orders.height
    carried = cell_sums(books.count, auction.table.book, accepted.filled)
    levels = pool_levels(curve, accepted.export, price, np.arange(books.count), carried)
    for total, side in ((levels.demand, 0), (levels.supply, 1)):
        rows = books.side == side
        total[:] = cell_sums(books.count, books.book[rows], books.energy[rows])
    trading = np.where(levels.energy > 0, price, NONE)
    plain = replace(books.take(simple), orders=books.orders[simple])
    found = fill_orders(plain, levels, trading, rationing)
    filled, reason = np.zeros(len(books.book), dtype=np.int64), np.full(len(books.book), PRICED_OUT, dtype=np.uint8)
    filled[simple], reason[simple] = found.filled, found.reason
    filled[count:], filled[tied] = accepted.filled[:given], accepted.filled[given:]
    part = np.where(filled[tied] == books.energy[tied], FILLED, PARTLY)
    reason[tied] = np.where(filled[tied] > 0, part, PRICED_OUT)
    paid = price[books.book]
    return Fills(filled, np.where(filled > 0, filled * paid, 0), paid, reason)


def _result(
    auction: _Auction,
    accepted: Acceptance,
    fills: Fills,
    price: Int64s,
    interval: tuple[Int64s, Int64s],
    *,
    proven: bool,
) -> BlockClearing:
    books, table, given = auction.books, auction.table, auction.given
    count = books.orders.height
    trades = cell_sums(books.count, books.book, fills.filled) > 0
    buys = books.side == 0
    totals = tuple(cell_sums(books.count, books.book[rows], books.energy[rows]) for rows in (buys, ~buys))
    found = BookPrices(*(np.where(trades, part, NONE) for part in (price, *interval)))
    prices = book_frame(books, fills, found, *totals).drop("sold", "net_export")
    own = Fills(*(getattr(fills, name)[:count] for name in ("filled", "amount", "paid", "reason")))
    frame = fills_frame(replace(books, orders=books.orders), own)
    frame = frame.with_columns(_order_reasons(auction, frame["reason"], accepted, price))
    verdicts = blocks_frame(table, accepted.filled, price).filter(~pl.col("block_id").str.starts_with(_ORDER))
    rows = rows_frame(auction.rows[:given], fills.filled[count:], fills.paid[count:])
    pair = partial(_trades, auction, fills, price)
    return BlockClearing("blocks", prices, frame, pair, verdicts, rows, proven)


def _order_reasons(auction: _Auction, reasons: pl.Series, accepted: Acceptance, price: Int64s) -> pl.Series:
    """Return the reasons of the orders, with the paradoxes among those with a least share named."""
    verdicts = block_reasons(auction.table, accepted.filled, price)[auction.table.block[auction.given :]]
    paradox = auction.tied[(verdicts == "paradoxically rejected").to_numpy()]
    codes = reasons.to_physical().to_numpy().copy()
    codes[paradox] = len(REASONS)
    return pl.Series("reason", codes.astype(np.uint8)).cat.to(ORDER_REASON)


def _trades(auction: _Auction, fills: Fills, price: Int64s) -> pl.DataFrame:
    """Pair all fills in merit order; the order columns are null, and the block columns not, where a block trades."""
    orders, given = auction.books.orders, auction.given
    numbers = [name for name in ("order_id", "account", "seq") if name in orders.columns]
    missing = orders.clear(given).with_columns(pl.lit(0).cast(orders.schema[name]).alias(name) for name in numbers)
    books = replace(auction.books, orders=pl.concat([orders, missing]))
    pairs = pair_orders(books, fills.filled)
    trades = trades_frame(books, pairs, price[books.book[pairs.buy]])
    names = pl.concat([pl.Series([None] * orders.height, dtype=pl.String), auction.rows["block_id"][:given]])
    for rows, account, side in ((pairs.buy, "buyer", "buy"), (pairs.sell, "seller", "sell")):
        block = names[rows]
        of_order = pl.when(block.is_null()).then(pl.col(account, f"{side}_order"))
        trades = trades.with_columns(of_order, block.alias(f"{side}_block"))
    return trades
