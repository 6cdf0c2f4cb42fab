"""The rule ``tiered``: local first. Each level of the grid clears by itself, wheeling inside the crossing test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError, MarketError, nearest
from gridlab.market.charges.landed import LandedTerms
from gridlab.market.charges.wheeling import Wheeling
from gridlab.market.core.books import Books
from gridlab.market.core.result import Clearing, fills_frame
from gridlab.market.local_first.landed_limits import LandedLimits
from gridlab.market.local_first.places import Level, check_accounts, grid_levels
from gridlab.market.local_first.tiered_fast import clear_levels_compiled
from gridlab.market.local_first.tiered_run import TieredRun

__all__ = ["TieredClearing", "clear_tiered", "tiered_options"]

Int64s = npt.NDArray[np.int64]

INT64_MAX = 2**63 - 1


@dataclass(frozen=True, repr=False, eq=False)
class TieredClearing(Clearing):
    """The outcome of a tiered clearing.

    Attributes
    ----------
    prices : polars.DataFrame
        As in `gridlab.market.core.result.Clearing`; ``price`` is the mean energy price, rounded down, ``price_low`` and
        ``price_high`` are the lowest and the highest price of a place. ``welfare`` is what buyers and sellers have to
        share once every charge is paid, counted at the seller's meter: the sum of (h - s) times energy, h being the
        highest energy price that the buyer's landed limit leaves on the path (see `local_first.landed_limits`).
        ``operator_surplus`` is 0: charges are costs here.
    fills : polars.DataFrame
        As there. ``price`` and ``amount`` are the energy's alone, ``price`` the order's mean, rounded down.
    trades : polars.DataFrame
        As there, and ``level``: where the pair met. By level, then book, then place, then from the best pair down.
    """

    _solve: Callable[[], Int64s] = field(repr=False)

    @cached_property
    def _best(self) -> Int64s:
        return self._solve()

    def optimum(self) -> pl.DataFrame:
        """Return the welfare of each book beside the best there is, by a transport linear program (HiGHS).

        Returns
        -------
        polars.DataFrame
            The `by` columns, ``welfare``, ``best_welfare`` (micro-THB) and ``welfare_share`` (Float64; null where there
            is no welfare to be had). Solved when first asked for; see `gridlab.market.local_first.transport`.
        """
        keys = self.prices.columns[: self.prices.columns.index("price")]
        best = pl.Series("best_welfare", self._best)
        share = pl.when(best != 0).then(pl.col("welfare") / best)
        return self.prices.select(*keys, "welfare", best, welfare_share=share)


def tiered_options(given: Mapping[str, object], *, pricing: str = "competitive") -> dict[str, Any]:
    """Return the checked options of the rule.

    Parameters
    ----------
    given : mapping of str to object
        ``tariff`` (required: `Wheeling` or `LandedTerms`), ``accounts`` (a polars DataFrame) and ``limits_with_vat``.
    pricing : str
        As given to `gridlab.market.clearing.clear`.

    Raises
    ------
    ArgumentTypeError
        A value is of a wrong type.
    MarketError
        An option is unknown, missing or has no effect.
    """
    if pricing != "competitive":
        raise MarketError(f"pricing {pricing!r} has no effect with rule 'tiered'; leave pricing out, and set k instead")
    options: dict[str, Any] = {"tariff": None, "accounts": None, "limits_with_vat": False}
    for name in given:
        if name not in options:
            hint = nearest(name, (*options, "by", "k", "rationing", "floor", "cap"))
            raise MarketError(f"option {name!r} is not one that rule 'tiered' reads; {hint}")
    options |= given
    tariff = options.pop("tariff")
    if tariff is None:
        raise MarketError(
            "rule 'tiered' needs tariff=: a Wheeling, or LandedTerms such as Market().landed_terms() returns"
        )
    if isinstance(tariff, Wheeling):
        tariff = LandedTerms(tariff, 0, 0)
    if not isinstance(tariff, LandedTerms):
        raise ArgumentTypeError(
            f"tariff: expected a Wheeling or LandedTerms, got {tariff!r}; Market().landed_terms() makes one"
        )
    if not isinstance(options["limits_with_vat"], bool):
        raise ArgumentTypeError(f"limits_with_vat: expected True or False, got {options['limits_with_vat']!r}")
    return {"terms": tariff, **options}


def clear_tiered(
    books: Books,
    *,
    k: Fraction,
    rationing: str,
    terms: LandedTerms,
    accounts: object = None,
    limits_with_vat: bool = False,
) -> TieredClearing:
    """Clear every book level by level: transformer, feeder, substation, area, and then the whole book.

    A buyer's limit is a limit on the **landed** price: energy, wheeling, losses and fee, before VAT (or with it, if
    `limits_with_vat`). A seller's limit is on the energy price. At each level every place clears like the rule
    ``uniform`` with the competitive pricing, with what is left of its orders and with the buyers' limits less the
    charges of that level's path; what does not trade goes up. So a pair trades only if its gain covers charge and
    losses, and no bill of `LandedTerms.bill` passes the buyer's limit.

    Local first is a rule of order, not of welfare: an order that trades near may be missed by a better partner farther
    away. `TieredClearing.optimum` shows what that costs.

    Parameters
    ----------
    books : Books
        Orders with any of the columns transformer, feeder, substation and area (numbers or names; null where unknown).
        Where ``zone`` does not tell books apart, zones are one more level, and the last is the nation.
    k : Fraction
        Where a place's price lies between the sellers' end and the buyers' end of its interval.
    rationing : str
        A key of `gridlab.market.core.rationing.RATIONINGS`.
    terms : LandedTerms
        The tariff that settlement bills by.
    accounts : polars.DataFrame, optional
        Accounts by row, for location columns that the orders lack.
    limits_with_vat : bool

    Returns
    -------
    TieredClearing

    Raises
    ------
    ArgumentTypeError
        `accounts` is not a polars DataFrame.
    MarketError
        No order has a location, an account is not in `accounts`, or money would not fit 64 bits.
    """
    levels = grid_levels(books.orders, check_accounts(accounts, books.orders), books.by)
    limits = LandedLimits.of(terms, with_vat=limits_with_vat)
    _check_room(books, limits)
    run = TieredRun(books, k, rationing)
    result = clear_levels_compiled(books, levels, limits, k, by_time=rationing == "time")
    if result is None:
        _clear_levels(run, levels, limits)
        result = run.result()
    pair, solve = partial(_pair, run, levels, limits), partial(_best_welfare, books, levels, limits)
    return TieredClearing("tiered", result.prices(books), fills_frame(books, result.fills), pair, solve)


def _clear_levels(run: TieredRun, levels: list[Level], limits: LandedLimits) -> None:
    for level in levels:
        run.clear_level(level, limits)


def _pair(run: TieredRun, levels: list[Level], limits: LandedLimits) -> pl.DataFrame:
    """Return the trades; the compiled walk keeps no record of the levels, so they are cleared once more for it."""
    if not run.rounds:
        run = TieredRun(run.books, run.k, run.rationing)
        _clear_levels(run, levels, limits)
    return run.trades()


def _best_welfare(books: Books, levels: list[Level], limits: LandedLimits) -> Int64s:
    from gridlab.market.local_first.transport import best_welfare

    return best_welfare(books, levels, limits)


def _check_room(books: Books, limits: LandedLimits) -> None:
    """Make sure that sums of limits less charges fit 64 bits, as the door does for the limits themselves."""
    if not books.count:
        return
    largest = int(np.abs(books.price).max()) + max(limits.besides.values())
    if largest * int(books.energy.max()) * len(books.book) <= INT64_MAX:
        return
    energy = np.zeros(books.count, dtype=np.int64)
    np.add.at(energy, books.book, books.energy)
    if largest * int(energy.max()) > INT64_MAX:
        raise MarketError(
            f"orders: largest price and charges ({largest} THB/MWh) times energy of a book passes 2**63 micro-THB; "
            "check the units (THB/MWh and Wh), or split the book"
        )
