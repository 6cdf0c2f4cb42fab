"""The door of the continuous auction: order kinds and cancels, on top of what every order frame must fulfil."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import MarketError
from gridlab.frames import SIDE, Column, Schema, show_rows
from gridlab.market.continuous_trading.continuous_book import CANCEL, KINDS
from gridlab.market.core.books import Books
from gridlab.market.core.door import PRICE_LIMIT, check_orders

__all__ = ["CONTINUOUS", "KIND", "check_arrivals", "find_targets", "kind_codes"]

Int64s = npt.NDArray[np.int64]
Uint8s = npt.NDArray[np.uint8]

KIND = pl.Enum(list(KINDS))
IS_CANCEL, UNPRICED = pl.col("kind") == "cancel", pl.col("kind").is_in(["cancel", "market"])

CONTINUOUS = Schema(
    "orders",
    (
        Column("kind", KIND, "category", f"order kind, one of {', '.join(KINDS)}; limit where absent", required=False),
        Column("cancels", pl.UInt64, "integer", "order_id that a cancel is about", required=False, nullable=True),
    ),
)

# Columns that trades and events add to the `by` columns, and those that a cancel need not fill in.
OWN_COLUMNS = frozenset({
    "seq", "order_id", "kind", "cancels", "side", "aggressor", "traded", "best_bid", "best_ask", "bid_depth",
    "ask_depth", "total_bid_depth", "total_ask_depth", "spread", "mid", "last_price",
})  # fmt: skip

# Look-up tables of up to this many entries per order are quicker than a search.
TABLE_PER_ORDER = 8


def check_arrivals(
    orders: pl.DataFrame | pl.LazyFrame, by: Sequence[str], floor: int | None, cap: int | None
) -> pl.DataFrame:
    """Return the order frame in its stored dtypes, or say why it is rejected.

    What a kind does not read may be null or anything, and is replaced by a value that fits: the price of a market
    order; price, side and energy of a cancel.

    Parameters
    ----------
    orders : polars.DataFrame or polars.LazyFrame
        Columns as in `gridlab.frames.ORDERS`, and optionally those of `CONTINUOUS`.
    by : sequence of str
        Columns that tell the books apart.
    floor, cap : int or None
        Lowest and highest limit that the market accepts (THB/MWh).

    Returns
    -------
    polars.DataFrame
        Same rows, same order.

    Raises
    ------
    ArgumentTypeError
        `orders` is not a polars frame.
    MarketError
        A kind is unknown, a cancel names no order or another kind names one, or what
        `gridlab.market.core.door.check_orders` rejects.
    """
    for name in by:
        if name in OWN_COLUMNS:
            raise MarketError(
                f"by: column {name!r} is one of the continuous auction's own, so it cannot tell books apart; "
                "give the frame a column of another name"
            )
    frame = CONTINUOUS.check(_typed(orders), error=MarketError)
    frame = CONTINUOUS.check(frame, rules=_cancel_rules(frame.columns), error=MarketError)
    if "kind" in frame.columns and frame.select(UNPRICED.any()).item():
        frame = frame.with_columns(_stand_ins(frame, floor, cap))
    return check_orders(frame, by, floor, cap)


def _typed(orders: Any) -> Any:
    """Give a dtype to each column of nothing but untyped nulls that some kind may leave open."""
    if not isinstance(orders, (pl.DataFrame, pl.LazyFrame)):
        return orders  # the check says what is wrong with it
    dtypes: dict[str, pl.DataType] = {"cancels": pl.UInt64(), "price": pl.Int64(), "energy": pl.Int64(), "side": SIDE}
    schema = orders.collect_schema()
    untyped = [name for name in dtypes if schema.get(name) == pl.Null]
    return orders.with_columns(pl.col(name).cast(dtypes[name]) for name in untyped)


def _cancel_rules(columns: Sequence[str]) -> dict[str, pl.Expr]:
    """Return the rules on the columns kind and cancels, as far as a frame has them."""
    is_cancel = pl.col("kind") == "cancel" if "kind" in columns else pl.lit(value=False)
    target = pl.col("cancels") if "cancels" in columns else pl.lit(None)
    return {
        "a cancel must name the order_id to cancel in the column cancels; fill it": is_cancel & target.is_null(),
        "only an order whose kind is 'cancel' may name one; leave cancels null": ~is_cancel & target.is_not_null(),
    }


def _stand_ins(frame: pl.DataFrame, floor: int | None, cap: int | None) -> list[pl.Expr]:
    """Return the columns with what a kind does not read replaced by a value that the market accepts.

    Columns that are missing or of a wrong dtype are left for the check of the order frame to find.
    """
    price, energy, side = (frame.schema.get(name) for name in ("price", "energy", "side"))
    found = []
    if price is not None and price.is_integer():
        found.append(_instead("price", UNPRICED, _any_price(frame, price, floor, cap)))
    if energy is not None and energy.is_integer():
        found.append(_instead("energy", IS_CANCEL, pl.lit(1, dtype=energy)))
    if side == SIDE:
        found.append(_instead("side", IS_CANCEL, pl.lit("buy", dtype=SIDE)))
    elif isinstance(side, (pl.String, pl.Enum, pl.Categorical)):
        found.append(_instead("side", IS_CANCEL, pl.lit("buy"), pl.col("side").cast(pl.String)))
    return found


def _any_price(frame: pl.DataFrame, dtype: pl.DataType, floor: int | None, cap: int | None) -> pl.Expr:
    """Return some limit of the frame that the market accepts; some other price that it accepts where there is none."""
    limit = pl.col("price").filter(~UNPRICED)
    low, high = (-PRICE_LIMIT if floor is None else floor), (PRICE_LIMIT if cap is None else cap)
    accepted, lowest = frame.select(
        limit.filter(limit.cast(pl.Int128).is_between(low, high)).min().alias("accepted"), limit.min().alias("lowest")
    ).row(0)
    if accepted is not None or lowest is not None:
        return pl.lit(lowest if accepted is None else accepted, dtype=dtype)
    return pl.lit(min(max(0, low), high), dtype=pl.Int64)


def _instead(name: str, unread: pl.Expr, value: pl.Expr, given: pl.Expr | None = None) -> pl.Expr:
    return pl.when(~unread).then(pl.col(name) if given is None else given).otherwise(value).alias(name)


def kind_codes(orders: pl.DataFrame) -> Uint8s:
    """Return the kind of each order as a position in `KINDS`."""
    if "kind" not in orders.columns:
        return np.zeros(orders.height, dtype=np.uint8)
    return orders["kind"].to_physical().to_numpy()


def find_targets(books: Books, kind: Uint8s, rows: Int64s) -> Int64s:
    """Find the order that each cancel is about.

    Parameters
    ----------
    books : Books
    kind : ndarray of uint8, shape (n,)
        By row of the frame: position in `KINDS`.
    rows : ndarray of int64, shape (n,)
        Row at each position, as `gridlab.market.continuous_trading.continuous_book.arrival_order` returns it.

    Returns
    -------
    ndarray of int64, shape (n,)
        By row of the frame: position of the order to cancel; -1 where the order is no cancel.

    Raises
    ------
    MarketError
        A cancel is about an order that is not in the frame, not in its book, not of its account, not an earlier one, or
        itself a cancel. Nothing has traded then.
    """
    targets = np.full(len(kind), -1, dtype=np.int64)
    cancels = np.flatnonzero(kind == CANCEL)
    if not len(cancels):
        return targets
    orders = books.orders
    found = _rows_of(orders["order_id"].to_numpy(), orders["cancels"][cancels].to_numpy())
    _refuse(books, cancels, found < 0, "a cancel is about an order_id not in the frame; check the column cancels")
    position = np.empty(len(rows), dtype=np.int64)
    position[rows] = np.arange(len(rows))
    account = orders["account"].to_numpy()
    for broken, sentence in (
        (books.book[found] != books.book[cancels], "an order of another book; give the cancel that book's keys"),
        (account[found] != account[cancels], "a stranger's order; only the account that sent an order may cancel it"),
        (kind[found] == CANCEL, "another cancel; name the order itself"),
        (position[found] >= position[cancels], "an order that arrives later; give the cancel a higher seq"),
    ):
        _refuse(books, cancels, broken, f"a cancel is about {sentence}")
    targets[cancels] = position[found]
    return targets


def _refuse(books: Books, cancels: Int64s, broken: npt.NDArray[np.bool_], sentence: str) -> None:
    if broken.any():
        shown = np.zeros(len(books.book), dtype=np.bool_)
        shown[cancels[broken]] = True
        raise MarketError(f"orders: {sentence}\n{show_rows(books.orders, pl.lit(pl.Series(shown)))}")


def _rows_of(ids: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> Int64s:
    """Return the row of each wanted id, -1 where there is none."""
    low, high = ids.min(), ids.max()
    inside = (wanted >= low) & (wanted <= high)
    if int(high - low) < TABLE_PER_ORDER * len(ids):
        table = np.full(int(high - low) + 1, -1, dtype=np.int64)
        table[(ids - low).view(np.int64)] = np.arange(len(ids))
        return np.where(inside, table[(np.where(inside, wanted, low) - low).view(np.int64)], -1)
    order = np.argsort(ids)
    place = np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)
    return np.where(ids[order[place]] == wanted, order[place], -1)
