"""Prices at which no accepted block loses money, if there are any: whole numbers inside the intervals of the books."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.errors import MarketError
from gridlab.market.block_orders.block_door import BlockTable
from gridlab.market.zones.coupling_solver import Programme, solve_programme

__all__ = ["family_surplus", "supporting_prices", "surplus"]

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# The solver keeps a condition within 1e-6 THB/MWh; asked for this much more, it keeps it for certain.
_MARGIN = 1e-5


def surplus(table: BlockTable, filled: Int64s, price: Int64s) -> Int64s:
    """Return what each block gains at prices (micro-THB).

    Parameters
    ----------
    table : BlockTable
    filled : ndarray of int64, shape (rows,)
        Energy of each row (Wh).
    price : ndarray of int64, shape (books,)
        THB/MWh.
    """
    gain = table.sign[table.block] * (price[table.book] - table.price[table.block]) * filled
    sums = np.zeros(len(table.price), dtype=np.int64)
    np.add.at(sums, table.block, gain)
    return sums


def family_surplus(table: BlockTable, own: Int64s) -> Int64s:
    """Return what each block and all its descendants gain together."""
    pairs = table.families()
    sums = np.zeros_like(own)
    np.add.at(sums, pairs[:, 0], own[pairs[:, 1]])
    return sums


def supporting_prices(
    table: BlockTable, chosen: Bools, filled: Int64s, bounds: tuple[Int64s, Int64s], wanted: Int64s
) -> Int64s | None:
    """Return whole prices at which no accepted block loses money with its family; None where there are none.

    Of all such prices, the nearest to `wanted` in the sum of absolute differences.

    Parameters
    ----------
    table : BlockTable
    chosen : ndarray of bool, shape (blocks,)
    filled : ndarray of int64, shape (rows,)
    bounds : tuple of ndarray of int64, shape (books,)
        Lowest and highest price that clear the other orders of each book.
    wanted : ndarray of int64, shape (books,)
        Prices to take if they will do.
    """
    if _supports(table, chosen, filled, wanted):
        return wanted
    for margin in (0.0, _MARGIN):
        price = _search(table, chosen, filled, bounds, wanted, margin=margin)
        if price is None:
            return None
        if _supports(table, chosen, filled, price):
            return price
    return None


def _supports(table: BlockTable, chosen: Bools, filled: Int64s, price: Int64s) -> bool:
    return bool((family_surplus(table, surplus(table, filled, price))[chosen] >= 0).all())


def _search(
    table: BlockTable,
    chosen: Bools,
    filled: Int64s,
    bounds: tuple[Int64s, Int64s],
    wanted: Int64s,
    *,
    margin: float,
) -> Int64s | None:
    """Look for supporting prices with a programme of whole numbers; None where it has no solution."""
    low, high = bounds
    programme = Programme()
    price = programme.variables(0.0, low, high, len(low), whole=True)
    # |price - wanted|, as a way up and a way down.
    up, down = (programme.variables(1.0, 0.0, way, len(low)) for way in (high - wanted, wanted - low))
    row = programme.rows(wanted, wanted, len(low))
    for columns, value in ((price, 1.0), (up, -1.0), (down, 1.0)):
        programme.add(row, columns, value)
    pairs = table.families()
    pairs = pairs[chosen[pairs[:, 0]]]
    # A family's condition, divided by its energy: THB/MWh.
    head, of_row = _rows_of(pairs, table.block)
    energy = np.zeros(len(chosen))
    np.add.at(energy, head, filled[of_row].astype(np.float64))
    sign = table.sign[table.block[of_row]]
    weight = sign * filled[of_row] / np.maximum(energy[head], 1.0)
    least = np.zeros(len(chosen))
    np.add.at(least, head, weight * table.price[table.block[of_row]])
    row = np.full(len(chosen), -1)
    heads = np.unique(pairs[:, 0])
    row[heads] = programme.rows(least[heads] + margin, np.inf, len(heads))
    programme.add(row[head], price[table.book[of_row]], weight)
    try:
        found = solve_programme(programme, "blocks, prices", presolve=False)
    except MarketError:
        return None
    return np.clip(np.rint(found[price]).astype(np.int64), low, high)


def _rows_of(pairs: Int64s, block: Int64s) -> tuple[Int64s, Int64s]:
    """Return (head, row) for every row of every member of the families in `pairs` (head, member)."""
    order = np.argsort(block, kind="stable")
    first = np.searchsorted(block[order], pairs[:, 1], side="left")
    count = np.searchsorted(block[order], pairs[:, 1], side="right") - first
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(pairs[:, 0], count), order[np.repeat(first, count) + step]
