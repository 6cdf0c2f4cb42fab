"""The door for block orders: a frame of blocks is taken whole or rejected whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError, MarketError, nearest
from gridlab.frames import SIDE, SLOT, Column, Schema, show_rows

__all__ = ["BLOCKS", "BlockTable", "block_table", "check_blocks", "check_order_fills"]

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BLOCKS = Schema(
    "blocks",
    (
        Column("block_id", pl.String, "text", "name of the block; one row per slot it spans"),
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        Column("zone", pl.String, "text", "bidding zone"),
        Column("side", SIDE, "category", "'buy' or 'sell', the same in all rows of a block"),
        Column("price", pl.Int64, "integer", "limit in THB/MWh over the whole block, the same in all its rows"),
        Column("energy", pl.Int64, "integer", "Wh in this slot, more than 0"),
        Column("min_fill", pl.Float64, "float", "least share accepted, 0 to 1; 1 (all or nothing) where absent", False),
        Column("parent", pl.String, "text", "block that must be accepted at least as much", False, True),
        Column("exclusive_group", pl.String, "text", "shares accepted in a group sum to 1 at most", False, True),
    ),
)
_OF_A_BLOCK = ("side", "price", "min_fill", "parent", "exclusive_group")


@dataclass(frozen=True, slots=True)
class BlockTable:
    """Blocks by number, and their rows.

    Attributes
    ----------
    names : polars.Series of String, shape (blocks,)
        block_id; sorted.
    price, sign : ndarray of int64, shape (blocks,)
        Limit (THB/MWh); 1 sells, -1 buys.
    min_fill : ndarray of float64, shape (blocks,)
    parent, group : ndarray of int64, shape (blocks,)
        Number of the parent and of the exclusive group; -1 where there is none.
    block, book, energy : ndarray of int64, shape (rows,)
        Block, book and energy (Wh) of each row.
    """

    names: pl.Series
    price: Int64s
    sign: Int64s
    min_fill: Floats
    parent: Int64s
    group: Int64s
    block: Int64s
    book: Int64s
    energy: Int64s

    @property
    def total(self) -> Int64s:
        """Energy of each block (Wh)."""
        sums = np.zeros(len(self.price), dtype=np.int64)
        np.add.at(sums, self.block, self.energy)
        return sums

    def families(self) -> npt.NDArray[np.int64]:
        """Return pairs (block, descendant), each block being its own descendant: shape (pairs, 2)."""
        found = [np.stack([np.arange(len(self.parent))] * 2, axis=1)]
        ancestor, member = self.parent, np.arange(len(self.parent))
        while (ancestor >= 0).any():
            member, ancestor = member[ancestor >= 0], ancestor[ancestor >= 0]
            found.append(np.stack((ancestor, member), axis=1))
            ancestor = self.parent[ancestor]
        return np.concatenate(found)


def check_blocks(blocks: pl.DataFrame | pl.LazyFrame, floor: int | None, cap: int | None) -> pl.DataFrame:
    """Return the frame of blocks in its stored dtypes, with every optional column, or say why it is rejected.

    Parameters
    ----------
    blocks : polars.DataFrame or polars.LazyFrame
        Columns as in `BLOCKS`.
    floor, cap : int or None
        Lowest and highest limit that the market accepts (THB/MWh).

    Raises
    ------
    ArgumentTypeError
        `blocks` is not a polars frame.
    MarketError
        A column is missing or of a wrong dtype; a value is null; an energy or a limit is out of range; min_fill is not
        from 0 to 1; a block has two sides, prices, least shares, parents or groups, or two rows for one slot and zone;
        a parent is missing; links go round in a circle.
    """
    if isinstance(blocks, pl.LazyFrame):
        blocks = blocks.collect()
    if not isinstance(blocks, pl.DataFrame):
        raise ArgumentTypeError(f"blocks: expected a polars DataFrame or LazyFrame, got {type(blocks).__name__}")
    # A column of nothing but None has no dtype yet.
    blocks = blocks.with_columns(
        pl.col(column.name).cast(column.dtype)
        for column in BLOCKS.columns
        if not column.required and blocks.schema.get(column.name) == pl.Null
    )
    if "min_fill" in blocks.columns:
        blocks = blocks.with_columns(pl.col("min_fill").fill_null(1))
    frame = BLOCKS.check(blocks, rules=_rules(blocks.columns, floor, cap), error=MarketError)
    absent = {"min_fill": pl.lit(1.0), "parent": pl.lit(None, pl.String), "exclusive_group": pl.lit(None, pl.String)}
    frame = frame.with_columns(value.alias(name) for name, value in absent.items() if name not in frame.columns)
    _check_unity(frame)
    _check_links(frame)
    return frame


def _rules(columns: Sequence[str], floor: int | None, cap: int | None) -> dict[str, pl.Expr]:
    price = pl.col("price")
    rules = {"energy must be more than 0 Wh; drop empty rows": pl.col("energy") <= 0}
    if floor is not None:
        rules[f"price is below the market's floor of {floor} THB/MWh; raise the limit or the floor"] = price < floor
    if cap is not None:
        rules[f"price is above the market's cap of {cap} THB/MWh; lower the limit or raise the cap"] = price > cap
    if "min_fill" in columns:
        rules["min_fill must be a share from 0 to 1 (1 is all or nothing)"] = ~pl.col("min_fill").is_between(0, 1)
    return rules


def _check_unity(frame: pl.DataFrame) -> None:
    for column in _OF_A_BLOCK:
        torn = pl.col(column).n_unique().over("block_id") > 1
        if frame.select(torn.any()).item():
            name = frame.filter(torn)["block_id"][0]
            raise MarketError(
                f"blocks: block {name!r} has more than one {column}; all its rows must agree, or be two blocks\n"
                f"{show_rows(frame.with_columns(torn=torn), pl.col('torn'))}"
            )
    twice = pl.struct("block_id", "slot", "zone").is_duplicated()
    if frame.select(twice.any()).item():
        name = frame.filter(twice)["block_id"][0]
        raise MarketError(
            f"blocks: block {name!r} has two rows for one slot and zone; add their energies\n{show_rows(frame, twice)}"
        )


def _check_links(frame: pl.DataFrame) -> None:
    known = frame["block_id"].unique().sort()
    missing = pl.col("parent").is_not_null() & ~pl.col("parent").is_in(known.implode())
    for name, parent in frame.filter(missing).select("block_id", "parent").head(1).rows():
        raise MarketError(
            f"blocks: block {name!r} has the parent {parent!r}, which is no block of this frame; "
            f"{nearest(parent, known.to_list())}\n{show_rows(frame, missing)}"
        )
    links = frame.select("block_id", "parent").unique().sort("block_id")
    parent = _numbers(links["parent"], links["block_id"])
    # Each pass doubles the length of the jump: whoever has not passed the root after this many is in a circle.
    jump = parent
    for _ in range(max(1, int(links.height).bit_length())):
        jump = np.where(jump >= 0, jump[jump], -1)
    if (jump >= 0).any():
        start = int(np.flatnonzero(jump >= 0)[0])
        circle, member = [], int(jump[start])
        while member not in circle:
            circle.append(member)
            member = int(parent[member])
        path = " -> ".join(repr(links["block_id"][i]) for i in (*circle, circle[0]))
        raise MarketError(f"blocks: parents go round in a circle, {path}; take one of these links away")


def _numbers(values: pl.Series, known: pl.Series) -> Int64s:
    """Return the position of each value among the known ones; -1 for null."""
    numbers = values.to_frame("name").join(
        known.to_frame("name").with_row_index("number"), on="name", how="left", maintain_order="left"
    )["number"]
    return numbers.cast(pl.Int64).fill_null(-1).to_numpy()


def block_table(rows: pl.DataFrame, book: Int64s) -> BlockTable:
    """Return checked blocks by number.

    Parameters
    ----------
    rows : polars.DataFrame
        As `check_blocks` returns it.
    book : ndarray of int64, shape (rows,)
        Book of each row.
    """
    blocks = rows.select("block_id", *_OF_A_BLOCK).unique().sort("block_id")
    groups = blocks["exclusive_group"].drop_nulls().unique().sort()
    return BlockTable(
        names=blocks["block_id"],
        price=blocks["price"].to_numpy(),
        sign=np.where((blocks["side"] == "sell").to_numpy(), 1, -1),
        min_fill=blocks["min_fill"].to_numpy(),
        parent=_numbers(blocks["parent"], blocks["block_id"]),
        group=_numbers(blocks["exclusive_group"], groups),
        block=_numbers(rows["block_id"], blocks["block_id"]),
        book=book,
        energy=rows["energy"].to_numpy(),
    )


def check_order_fills(orders: pl.DataFrame) -> Floats:
    """Return the least share of each order, 0 where there is no column ``min_fill`` or no value.

    Raises
    ------
    MarketError
        A share is not a number from 0 to 1.
    """
    if "min_fill" not in orders.columns:
        return np.zeros(orders.height)
    dtype = orders.schema["min_fill"]
    if not (dtype.is_numeric() or dtype == pl.Null):
        raise MarketError(f"orders: column 'min_fill' has dtype {dtype}; allowed: any number from 0 to 1, or null")
    share = pl.col("min_fill").cast(pl.Float64)
    broken = share.is_not_null() & ~share.is_between(0, 1)
    if orders.select(broken.any()).item():
        raise MarketError(f"orders: min_fill must be a share from 0 to 1\n{show_rows(orders, broken)}")
    return orders.select(share.fill_null(0.0)).to_series().to_numpy()
