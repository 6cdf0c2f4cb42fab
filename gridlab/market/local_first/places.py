"""Where orders stand in the grid: for each level from transformer to nation, which orders are neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError, MarketError
from gridlab.market.charges.wheeling import LADDER

__all__ = ["LEVELS", "Level", "check_accounts", "grid_levels"]

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEVELS = ("transformer", "feeder", "substation", "area", "zone", "nation")


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the grid.

    Attributes
    ----------
    name : str
        One of `LEVELS`.
    path : str
        The path of a trade within it, a name of `gridlab.market.charges.wheeling.PATHS`.
    place : ndarray of int64, shape (n,), or None
        Number of each order's place; None where the whole book is one place.
    known : ndarray of bool, shape (n,), or None
        Whether the order has a place; None where all have.
    """

    name: str
    path: str
    place: Int64s | None
    known: Flags | None


def check_accounts(accounts: object, orders: pl.DataFrame) -> pl.DataFrame | None:
    """Return the accounts frame that an order's account is looked up in, or None where none is given.

    Raises
    ------
    ArgumentTypeError
        `accounts` is not a polars DataFrame.
    MarketError
        Row i is not account i, or an order's account is not in it.
    """
    if accounts is None:
        return None
    if not isinstance(accounts, pl.DataFrame):
        raise ArgumentTypeError(
            f"accounts: expected a polars DataFrame such as gridlab.frames.ACCOUNTS describes, got "
            f"{type(accounts).__name__}"
        )
    if "account" in accounts.columns:
        column = accounts["account"]
        if not column.dtype.is_integer() or not (column == pl.int_range(accounts.height, eager=True)).all():
            raise MarketError("accounts: row i must be account i, 0 upwards without gaps; sort the frame by account")
    highest = orders["account"].max()
    if isinstance(highest, int) and highest >= accounts.height:
        raise MarketError(
            f"orders: account {highest} is not in the accounts frame; allowed: 0 to {accounts.height - 1}"
        )
    return accounts


def grid_levels(orders: pl.DataFrame, accounts: pl.DataFrame | None, by: Sequence[str]) -> list[Level]:
    """Return the levels from the nearest to the widest, the last being the whole book.

    Parameters
    ----------
    orders : polars.DataFrame
        Checked orders. Its own location columns come first; a null there means an unknown place.
    accounts : polars.DataFrame or None
        Where to look for a location column that the orders lack.
    by : sequence of str
        Columns that tell the books apart. Without ``zone`` among them a zone is one more level.

    Raises
    ------
    MarketError
        No location column is to be had, or one is of a dtype that does not name places.
    """
    found = {column: _location(orders, accounts, column) for _, column in LADDER}
    if all(series is None for series in found.values()):
        names = ", ".join(column for _, column in LADDER)
        raise MarketError(
            f"rule 'tiered' needs to know where orders stand; allowed: at least one of the columns {names} in the "
            "orders, or an accounts frame that has them (accounts=)"
        )
    levels = [_level(column, path, found[column]) for path, column in LADDER if found[column] is not None]
    if "zone" in by:
        return [*levels, Level("zone", "other_area", None, None)]
    return [*levels, _level("zone", "other_area", orders["zone"]), Level("nation", "other_area", None, None)]


def _location(orders: pl.DataFrame, accounts: pl.DataFrame | None, column: str) -> pl.Series | None:
    if column in orders.columns:
        return orders[column]
    if accounts is not None and column in accounts.columns:
        return accounts[column].gather(orders["account"])
    return None


def _level(name: str, path: str, series: pl.Series | None) -> Level:
    if series is None:
        raise AssertionError("a level is made of a column that exists")
    known = None if not series.null_count() else series.is_not_null().to_numpy()
    return Level(name, path, _numbers(name, series), known)


def _numbers(name: str, series: pl.Series) -> Int64s:
    """Return a number for each value, 0 upwards (with gaps); any number for nulls."""
    if series.dtype.is_integer():
        low, high = series.min() or 0, series.max() or 0
        if not series.null_count() and low >= 0 and high < 2**31:  # type: ignore[operator]
            return series.to_numpy()
        shifted = pl.col(name).fill_null(low).cast(pl.Int128) - pl.lit(low, dtype=pl.Int128)
        return series.rename(name).to_frame().select(shifted.cast(pl.Int64)).to_series().to_numpy()
    if isinstance(series.dtype, pl.Enum):
        return series.to_physical().fill_null(0).cast(pl.Int64).to_numpy()
    if isinstance(series.dtype, (pl.String, pl.Categorical)):
        names = series.cast(pl.String)
        numbers = names.cast(pl.Enum(names.drop_nulls().unique().sort())).to_physical()
        return numbers.fill_null(0).cast(pl.Int64).to_numpy()
    raise MarketError(
        f"orders: column {name!r} has dtype {series.dtype}, which names no places; allowed: integers, String, Enum, "
        "Categorical"
    )
