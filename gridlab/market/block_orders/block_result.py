"""What an auction with blocks returns: a `Clearing` with the verdict on every block."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.block_orders.block_door import BlockTable
from gridlab.market.block_orders.block_prices import surplus
from gridlab.market.core.result import REASON, Clearing

__all__ = ["BLOCK_REASON", "ORDER_REASON", "BlockClearing", "block_reasons", "blocks_frame", "rows_frame"]

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BLOCK_REASON = pl.Enum(
    [
        "accepted",
        "partly accepted",
        "accepted for its family",
        "out of the money",
        "at the money",
        "parent rejected",
        "exclusive group",
        "paradoxically rejected",
    ]
)
# Orders with a least share may be rejected at a price that is better than their limit, as blocks may.
ORDER_REASON = pl.Enum([*REASON.categories, "paradoxically rejected"])


@dataclass(frozen=True, repr=False, eq=False)
class BlockClearing(Clearing):
    """The outcome of an auction with blocks.

    Attributes
    ----------
    prices, fills : polars.DataFrame
        As in `Clearing`; the sums in `prices` count the blocks too. `fills` has the orders alone.
    blocks : polars.DataFrame
        One row per block, sorted: ``block_id``, ``accepted`` (Float64, share 0 to 1), ``reason``, ``side``, ``price``
        (limit, THB/MWh), ``energy``, ``filled`` (Wh over all slots), ``amount``, ``surplus`` (micro-THB; of rejected
        blocks, what the whole block would have gained at these prices).
    block_fills : polars.DataFrame
        One row per row of the blocks given: ``block_id``, ``slot``, ``zone``, ``side``, ``energy``, ``filled`` (Wh),
        ``price`` (THB/MWh, null where unfilled), ``amount`` (micro-THB).
    proven : bool
        Whether the auction ruled out sets of blocks by exact cuts alone; if not, a higher welfare may exist.
    """

    blocks: pl.DataFrame = field(default_factory=pl.DataFrame)
    block_fills: pl.DataFrame = field(default_factory=pl.DataFrame)
    proven: bool = True

    def summary(self) -> pl.DataFrame:
        """Return the key figures: figure, value, unit."""
        accepted = self.blocks.filter(pl.col("filled") > 0).height
        paradoxes = self.blocks.filter(pl.col("reason") == "paradoxically rejected").height
        figures = ["blocks accepted", "paradoxically rejected"]
        values = [f"{accepted:,} of {self.blocks.height:,}", f"{paradoxes:,}"]
        return pl.concat([super().summary(), pl.DataFrame({"figure": figures, "value": values, "unit": ["", ""]})])

    def __repr__(self) -> str:
        accepted = self.blocks.filter(pl.col("filled") > 0).height
        return f"{super().__repr__()[:-1]}, blocks={accepted:,} of {self.blocks.height:,})"


def block_reasons(table: BlockTable, filled: Int64s, price: Int64s) -> pl.Series:
    """Return why each block is accepted or not.

    Parameters
    ----------
    table : BlockTable
    filled : ndarray of int64, shape (rows,)
    price : ndarray of int64, shape (books,)
    """
    traded = np.zeros(len(table.price), dtype=np.int64)
    np.add.at(traded, table.block, filled)
    accepted, whole = traded > 0, traded == table.total
    own, would = surplus(table, filled, price), surplus(table, table.energy, price)
    orphan = np.zeros(len(accepted), dtype=np.bool_)
    child = table.parent >= 0
    orphan[child] = ~accepted[table.parent[child]]
    taken = np.zeros(int(table.group.max(initial=-1)) + 1, dtype=np.bool_)
    taken[table.group[accepted & (table.group >= 0)]] = True
    excluded = np.zeros(len(accepted), dtype=np.bool_)
    excluded[table.group >= 0] = taken[table.group[table.group >= 0]]
    verdicts = [
        (accepted & (own < 0), "accepted for its family"),
        (accepted & whole, "accepted"),
        (accepted, "partly accepted"),
        (would < 0, "out of the money"),
        (orphan, "parent rejected"),
        (excluded, "exclusive group"),
        (would == 0, "at the money"),
    ]
    names = np.select([holds for holds, _ in verdicts], [name for _, name in verdicts], "paradoxically rejected")
    return pl.Series("reason", names.astype(object), dtype=pl.String).cast(BLOCK_REASON)


def blocks_frame(table: BlockTable, filled: Int64s, price: Int64s) -> pl.DataFrame:
    """Return one row per block."""
    traded, amount = (np.zeros(len(table.price), dtype=np.int64) for _ in range(2))
    np.add.at(traded, table.block, filled)
    np.add.at(amount, table.block, filled * price[table.book])
    own, would = surplus(table, filled, price), surplus(table, table.energy, price)
    return pl.DataFrame(
        [
            table.names,
            pl.Series("accepted", traded / np.maximum(table.total, 1)),
            block_reasons(table, filled, price),
            pl.Series("side", (table.sign > 0).astype(np.uint8)).cat.to(pl.Enum(["buy", "sell"])),
            pl.Series("price", table.price),
            pl.Series("energy", table.total),
            pl.Series("filled", traded),
            pl.Series("amount", amount),
            pl.Series("surplus", np.where(traded > 0, own, would)),
        ]
    )


def rows_frame(rows: pl.DataFrame, filled: Int64s, paid: Int64s) -> pl.DataFrame:
    """Return one row per row of the blocks, in the order given."""
    return rows.select(
        "block_id",
        "slot",
        "zone",
        "side",
        "energy",
        pl.Series("filled", filled),
        pl.Series("price", paid),
        pl.Series("amount", filled * paid),
    ).with_columns(pl.when(pl.col("filled") > 0).then(pl.col("price")))
