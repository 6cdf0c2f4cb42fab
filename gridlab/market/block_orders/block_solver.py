"""Which blocks are accepted: a mixed-integer programme solved again, with cuts, until prices support its answer.

::

    maximise    value of the buys - cost of the sells
    where       bought = sold in every book
                min_fill * y <= share <= y,  y 0 or 1           (per block)
                share of a child <= share of its parent,  shares of an exclusive group sum to 1 at most

An answer that no prices support is cut off. Where all blocks are all-or-nothing, the cut asks that at least one of the
accepted blocks goes: any larger set of blocks that prices supported would have a welfare no higher than this answer,
and its prices would support this answer too, by duality, which they do not (Madani and Van Vyve 2015 cut in the same
way within a branch). Otherwise the cut asks only for another set. An auction in which blocks outweigh the other orders
may need more cuts than anyone will wait for; after a given number, the blocks that lose most are left out for good, and
the result says that a better one may exist.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.market.block_orders.block_door import BlockTable
from gridlab.market.zones.coupling_curve import NetCurve
from gridlab.market.zones.coupling_rounding import near_whole
from gridlab.market.zones.coupling_solver import Programme, energy_unit, solve_programme

__all__ = ["Acceptance", "BlockProgramme"]

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Of the blocks that lose, one in so many is left out at a time, the largest losses first.
_PART_LEFT_OUT = 4
# Below this many variables HiGHS solves as fast without its presolve, which may write to the terminal.
_PRESOLVE_FROM = 2_000


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A set of accepted blocks.

    Attributes
    ----------
    chosen : ndarray of bool, shape (blocks,)
        Whether the block is in the set.
    filled : ndarray of int64, shape (rows,)
        Energy accepted of each row of the blocks (Wh).
    export : ndarray of int64, shape (books,)
        What the other orders of each book sell less what they buy (Wh).
    """

    chosen: Bools
    filled: Int64s
    export: Int64s


class BlockProgramme:
    """The programme of one auction, which learns from answers that no prices support."""

    def __init__(self, curve: NetCurve, table: BlockTable) -> None:
        self.curve, self.table = curve, table
        self.unit = energy_unit(int(max(curve.width.max(initial=1), table.energy.max(initial=1))))
        self.cuts: list[Bools] = []
        self.left_out: Bools = np.zeros(len(table.price), dtype=np.bool_)

    def best(self) -> Acceptance:
        """Return the answer of the highest welfare that is not cut off.

        Raises
        ------
        MarketError
            HiGHS finds none.
        """
        chosen = self._solve(None)[0] > 0.5
        # With the choice fixed, a linear programme finds the shares free of the tolerances of a mixed-integer one.
        _, share, export = self._solve(chosen)
        return Acceptance(chosen, *self._whole(np.where(chosen, share, 0.0), export))

    @property
    def proven(self) -> bool:
        """Whether no set of blocks was ruled out but by a cut that keeps the best one."""
        return not self.left_out.any()

    def reject(self, chosen: Bools, gain: Int64s, exact_cuts: int) -> None:
        """Rule out an answer that no prices support.

        Parameters
        ----------
        chosen : ndarray of bool, shape (blocks,)
            The set of blocks.
        gain : ndarray of int64, shape (blocks,)
            What each block gains with its family at the prices that the other orders ask for (micro-THB).
        exact_cuts : int
            How many sets to rule out one by one; then the blocks that lose most are left out for good.
        """
        if len(self.cuts) < exact_cuts:
            self.cuts.append(chosen)
            return
        losers = np.flatnonzero(chosen & (gain < 0))
        if not len(losers):
            losers = np.flatnonzero(chosen)
        worst = losers[np.argsort(gain[losers], kind="stable")]
        self.left_out[worst[: -(-len(worst) // _PART_LEFT_OUT)]] = True

    def _solve(self, fixed: Bools | None) -> tuple[Floats, Floats, Floats]:
        """Return the choices, the shares and the exports of the other orders (Wh)."""
        curve, table, programme = self.curve, self.table, Programme()
        blocks, books = len(table.price), len(curve.first) - 1
        level = programme.variables(curve.price, 0, curve.width / self.unit, len(curve.price))
        worth = table.sign * table.price * (table.total / self.unit)
        share = programme.variables(worth, 0, 1, blocks)
        low, high = (0, ~self.left_out) if fixed is None else (fixed, fixed)
        choice = programme.variables(0, low, high, blocks, whole=fixed is None)
        balance = programme.rows(curve.demand / self.unit, curve.demand / self.unit, books)
        programme.add(balance[curve.book], level, 1.0)
        programme.add(balance[table.book], share[table.block], table.sign[table.block] * table.energy / self.unit)
        self._add_shares(programme, share, choice)
        if fixed is None:
            self._add_cuts(programme, choice)
        found = solve_programme(programme, "blocks", presolve=programme.size > _PRESOLVE_FROM)
        used = np.bincount(curve.book, weights=found[level], minlength=books).astype(np.float64) * self.unit
        return found[choice], found[share], used - curve.demand

    def _add_shares(self, programme: Programme, share: Int64s, choice: Int64s) -> None:
        """Tie shares to choices, children to parents, and the members of a group together."""
        table = self.table
        largest = np.zeros(len(table.price))
        np.maximum.at(largest, table.block, table.energy.astype(np.float64))
        # A chosen block trades at least one Wh, so that choice and trade are the same.
        least = np.maximum(table.min_fill, 1 / largest)
        for low, high, value in ((-np.inf, 0.0, np.ones_like(least)), (0.0, np.inf, least)):
            row = programme.rows(low, high, len(share))
            programme.add(row, share, 1.0)
            programme.add(row, choice, -value)
        child = np.flatnonzero(table.parent >= 0)
        for kind in (share, choice):
            row = programme.rows(-np.inf, 0, len(child))
            programme.add(row, kind[child], 1.0)
            programme.add(row, kind[table.parent[child]], -1.0)
        grouped = np.flatnonzero(table.group >= 0)
        row = programme.rows(-np.inf, 1, int(table.group.max(initial=-1)) + 1)
        programme.add(row[table.group[grouped]], share[grouped], 1.0)

    def _add_cuts(self, programme: Programme, choice: Int64s) -> None:
        supersets_too = bool((self.table.min_fill == 1).all())
        for chosen in self.cuts:
            inside, outside = choice[chosen], choice[~chosen]
            row = programme.rows(-np.inf, len(inside) - 1, 1)
            programme.add(np.repeat(row, len(inside)), inside, 1.0)
            if not supersets_too:
                programme.add(np.repeat(row, len(outside)), outside, -1.0)

    def _whole(self, share: Floats, export: Floats) -> tuple[Int64s, Int64s]:
        """Return whole Wh: the other orders stay at the edges of their steps, cut blocks share what rounding leaves."""
        table = self.table
        exact = near_whole(table.energy * share[table.block])
        filled = np.floor(exact).astype(np.int64)
        rest, sign = exact - filled, table.sign[table.block]
        target = np.rint(export).astype(np.int64)
        missing = -target - self._net(filled)
        # A row of the side that is short gets one Wh more, largest remainder first.
        helps = (rest > 0) & (sign == np.sign(missing[table.book]))
        order = np.lexsort((-rest, ~helps, table.book))
        first = np.searchsorted(table.book[order], table.book[order])
        rank = np.arange(len(order)) - first
        filled[order] += (rank < np.abs(missing[table.book[order]])) & helps[order]
        return filled, -self._net(filled)

    def _net(self, filled: Int64s) -> Int64s:
        """Return what the blocks sell less what they buy in each book (Wh)."""
        net = np.zeros(len(self.curve.first) - 1, dtype=np.int64)
        np.add.at(net, self.table.book, self.table.sign[self.table.block] * filled)
        return net
