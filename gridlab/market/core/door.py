"""The door of the market: an order frame is taken whole or rejected whole.

Every check is one cheap pass over one column; the rows are only looked at again to show the offending ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError, MarketError, nearest
from gridlab.frames import ORDERS, show_rows

__all__ = ["book_columns", "check_orders", "price_bound"]

INT64_MAX = 2**63 - 1
PRICE_LIMIT = 2**62

# Columns that the fills add to those of the orders, and that a book's key would meet in prices and trades.
FILL_COLUMNS = frozenset({"limit", "filled", "amount", "reason"})
KEY_COLUMNS = FILL_COLUMNS | {
    "price", "price_low", "price_high", "energy", "demand", "supply", "welfare",
    "buyer_surplus", "seller_surplus", "operator_surplus", "buyer", "seller", "buy_order", "sell_order",
    "price_buy", "price_sell", "best_welfare", "welfare_share", "amount_buy", "level",
}  # fmt: skip


def check_orders(
    orders: pl.DataFrame | pl.LazyFrame, by: Sequence[str], floor: int | None, cap: int | None
) -> pl.DataFrame:
    """Return the order frame in its stored dtypes and one chunk per column, or say why it is rejected.

    Parameters
    ----------
    orders : polars.DataFrame or polars.LazyFrame
        Columns as in `gridlab.frames.ORDERS`; others pass through.
    by : sequence of str
        Columns that tell the books apart, as `book_columns` returns them.
    floor, cap : int or None
        Lowest and highest price that the market accepts (THB/MWh).

    Returns
    -------
    polars.DataFrame
        Same rows, same order.

    Raises
    ------
    ArgumentTypeError
        `orders` is not a polars frame.
    MarketError
        A column is missing, misnamed or of a wrong dtype; a value is null; energy is not above 0; a price is outside
        floor and cap or beyond 2**62; an `order_id` repeats; or the sums of a book pass what 64 bits hold.
    """
    frame = ORDERS.check(orders, rules=_rules(floor, cap), error=MarketError).rechunk()
    _check_columns(frame, by)
    _check_unique(frame)
    _check_sums(frame, by)
    return frame


def book_columns(by: str | Sequence[str]) -> tuple[str, ...]:
    """Return the `by` argument as a tuple of column names.

    Raises
    ------
    ArgumentTypeError
        `by` is not a name or a sequence of names.
    MarketError
        A name repeats, or is one that the result frames use for something else.
    """
    names = (by,) if isinstance(by, str) else by
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise ArgumentTypeError(
            f"by: expected a column name or a sequence of names, got {by!r}; the default is ('slot', 'zone')"
        )
    for position, name in enumerate(names):
        if name in names[:position]:
            raise MarketError(f"by: column {name!r} is named twice in {tuple(names)}; name each column once")
        if name in KEY_COLUMNS:
            raise MarketError(
                f"by: column {name!r} holds a result of the clearing, so it cannot tell books apart; "
                "give the frame a column of another name"
            )
    return tuple(names)


def price_bound(value: object, name: str) -> int | None:
    """Return a floor or a cap as an int, or None where there is none.

    Raises
    ------
    ArgumentTypeError
        It is neither None nor a whole number.
    """
    if value is None:
        return None
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    raise ArgumentTypeError(f"{name}: expected a whole number of THB/MWh or None, got {value!r}; 1 THB/kWh is 1000")


def _rules(floor: int | None, cap: int | None) -> dict[str, pl.Expr]:
    if floor is not None and cap is not None and floor > cap:
        raise MarketError(f"floor {floor} is above cap {cap} (THB/MWh); allowed: floor <= cap, or None for none")
    price = pl.col("price")
    rules = {"energy must be more than 0 Wh; drop empty orders before clearing": pl.col("energy") <= 0}
    # A bound outside the price range of the market can never be passed, and would not fit the column's dtype.
    if floor is not None and floor > -PRICE_LIMIT:
        rules[f"price is below the market's floor of {floor} THB/MWh; raise the limit or the floor"] = price < floor
    if cap is not None and cap < PRICE_LIMIT:
        rules[f"price is above the market's cap of {cap} THB/MWh; lower the limit or raise the cap"] = price > cap
    outside = (price < -PRICE_LIMIT) | (price > PRICE_LIMIT)
    rules[f"price is outside -2**62 to 2**62 ({PRICE_LIMIT}) THB/MWh, so money would not fit 64 bits"] = outside
    return rules


def _check_columns(frame: pl.DataFrame, by: Sequence[str]) -> None:
    for name in by:
        if name not in frame.columns:
            raise MarketError(f"by: the orders have no column {name!r}; {nearest(name, frame.columns)}")
        if frame[name].dtype == pl.Object:
            raise MarketError(
                f"by: column {name!r} holds Python objects, which have no order; "
                "allowed: numbers, text, times, Enum, Categorical, Boolean"
            )
        if frame[name].null_count():
            broken = show_rows(frame, pl.col(name).is_null())
            raise MarketError(f"orders: column {name!r} tells books apart and must hold no nulls; fill them\n{broken}")
    for name in frame.columns:
        if name in FILL_COLUMNS:
            raise MarketError(
                f"orders: column {name!r} would clash with the column of that name in the fills; rename or drop it"
            )


def _check_unique(frame: pl.DataFrame) -> None:
    if not _repeats(frame["order_id"].to_numpy()):
        return
    broken = show_rows(frame, pl.col("order_id").is_duplicated())
    raise MarketError(f"orders: order_id must be unique in the frame; number the orders anew\n{broken}")


def _repeats(ids: npt.NDArray[np.uint64]) -> bool:
    """Tell whether an id stands twice, by the cheapest test that can: increasing, a bitmap, a sort."""
    if len(ids) < 2 or bool((ids[1:] > ids[:-1]).all()):
        return False
    low = ids.min()
    span = int(ids.max()) - int(low) + 1
    if span <= 8 * len(ids):
        seen = np.zeros(span, dtype=np.bool_)
        seen[(ids - low).view(np.int64)] = True
        return int(np.count_nonzero(seen)) < len(ids)
    ordered = np.sort(ids)
    return bool((ordered[1:] == ordered[:-1]).any())


def _check_sums(frame: pl.DataFrame, by: Sequence[str]) -> None:
    """Make sure that every sum of energy or money, within a book and over all, fits an Int64."""
    if frame.is_empty():
        return
    prices, energies = frame["price"], frame["energy"]
    largest = max(1, -int(prices.min()), int(prices.max()))  # type: ignore[arg-type]
    if largest * int(energies.max()) * frame.height <= INT64_MAX:  # type: ignore[arg-type]
        return
    total = int(energies.cast(pl.Int128).sum())
    if total > INT64_MAX:
        raise MarketError(
            f"orders: energies sum to {total} Wh, more than 64 bits hold ({INT64_MAX}); "
            "check that energy is in Wh, or clear the books in several calls"
        )
    if largest * total > INT64_MAX:
        _check_book_sums(frame, by)


def _check_book_sums(frame: pl.DataFrame, by: Sequence[str]) -> None:
    sums = [
        pl.col("energy").cast(pl.Int128).sum().alias("book_energy"),
        pl.col("price").cast(pl.Int128).abs().max().alias("largest_price"),
    ]
    books = frame.group_by(list(by), maintain_order=True).agg(sums) if by else frame.select(sums)
    broken = pl.col("book_energy") * pl.col("largest_price") > INT64_MAX
    if books.select(broken.any()).item():
        raise MarketError(
            "orders: largest price times energy of a book passes 2**63 micro-THB, more than 64 bits hold; "
            f"check the units (THB/MWh and Wh), or split the book\n{show_rows(books, broken)}"
        )
