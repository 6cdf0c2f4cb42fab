"""Energy communities: who gets which part of what the shared plants feed in, by static or dynamic coefficients.

In a slot with generation G (Wh) and members with shares s_i in parts per billion, ``sum s_i = 10^9`` exactly, ::

    allocated_i = G s_i / 10^9     whole Wh by largest remainders, summing to G exactly
    shared_i    = min(allocated_i, consumption_i)
    surplus_i   = allocated_i - shared_i          goes to the grid
    rest_i      = consumption_i - shared_i        comes from the grid

``static`` shares are agreed once; ``dynamic`` shares follow what each member uses in the slot, so that nothing is
surplus before everybody is served. A slot in which nobody uses anything is shared equally.

References
----------
R. Luthander, J. Widén, D. Nilsson and J. Palm, "Photovoltaic self-consumption in buildings: a review", Applied Energy
142, 2015 (self-consumption, self-sufficiency). Directive (EU) 2018/2001, articles 21 and 22 (sharing in communities).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab import units
from gridlab.chain.sharing import apportion, shares_of
from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError, nearest
from gridlab.frames import SLOT, Column, Schema, show_rows
from gridlab.market.agreements.contract_inputs import shares

__all__ = ["METHODS", "CommunitySharing", "share_community"]

Int64s = npt.NDArray[np.int64]

METHODS = ("static", "dynamic")
# A slot of all Thailand for a century: below it no sum of a community can leave Int64.
_MOST_ENERGY = 10**13

_SLOT = Column("slot", SLOT, "datetime", "start of the interval")
_ENERGY = Column("energy", pl.Int64, "integer", "Wh, 0 or more")
_GENERATION = Schema("generation", (_SLOT, _ENERGY))
_CONSUMPTION = Schema("consumption", (_SLOT, Column("account", pl.UInt32, "integer", "member"), _ENERGY))


@dataclass(frozen=True, repr=False, eq=False)
class CommunitySharing:
    """Who got what.

    Attributes
    ----------
    shares : polars.DataFrame
        Per slot and account: ``share`` (parts per billion), ``consumption``, ``allocated``, ``shared``, ``surplus``,
        ``rest`` (Wh).
    """

    shares: pl.DataFrame

    @property
    def members(self) -> pl.DataFrame:
        """Sums per account, with ``self_sufficiency`` (shared over consumption, 0..1; null where nothing was used)."""
        energies = ("consumption", "allocated", "shared", "surplus", "rest")
        sums = self.shares.group_by("account").agg(pl.col(energies).sum()).sort("account")
        used = pl.col("consumption")
        return sums.with_columns(self_sufficiency=pl.when(used > 0).then(pl.col("shared") / used))

    @property
    def self_consumption(self) -> float | None:
        """Part of the generation that members use, 0..1; None where nothing was generated."""
        allocated = int(self.shares["allocated"].sum())
        return int(self.shares["shared"].sum()) / allocated if allocated else None

    def __repr__(self) -> str:
        used = self.self_consumption
        shown = "nothing generated" if used is None else f"{100 * used:.1f} % used inside"
        return f"CommunitySharing({self.shares['account'].n_unique()} members, {shown})"


def share_community(
    generation: pl.DataFrame | pl.LazyFrame,
    consumption: pl.DataFrame | pl.LazyFrame,
    *,
    method: str = "dynamic",
    coefficients: Sequence[units.Number] | None = None,
) -> CommunitySharing:
    """Share what a community's plants feed in, all slots at once.

    Parameters
    ----------
    generation : polars.DataFrame or polars.LazyFrame
        ``slot``, ``energy`` (Wh); rows of one slot add up.
    consumption : polars.DataFrame or polars.LazyFrame
        ``slot``, ``account``, ``energy`` (Wh), each account at most once in a slot; a member without a row in a slot
        uses nothing.
    method : str
        ``static`` or ``dynamic``.
    coefficients : sequence of numbers, optional
        For ``static``: one per member in the order of accounts, at any scale; equal shares where not given.

    Returns
    -------
    CommunitySharing

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of a wrong type or unknown, or the coefficients do not fit the members.
    MarketError
        A frame does not fit, or there is generation and no member.
    """
    if not isinstance(method, str):
        raise ArgumentTypeError(f"method: expected one of {METHODS}, got {method!r}")
    if method not in METHODS:
        raise ArgumentError(f"method {method!r} is unknown; {nearest(method, METHODS)}")
    if method == "dynamic" and coefficients is not None:
        raise ArgumentError("coefficients: dynamic shares follow consumption; leave them out, or use method='static'")
    outside = {f"an energy is not 0 … {_MOST_ENERGY} Wh": ~pl.col("energy").is_between(0, _MOST_ENERGY)}
    twice = {"an account stands in a slot twice": pl.struct("slot", "account").is_duplicated()}
    made = _GENERATION.check(generation, rules=outside, error=MarketError)
    used = _CONSUMPTION.check(consumption, rules=outside | twice, error=MarketError)
    accounts = used["account"].unique().sort()
    if made.height and not len(accounts):
        raise MarketError(f"consumption: there is no member to share with\n{show_rows(made, pl.lit(True))}")
    slots = pl.concat([made["slot"], used["slot"]]).unique().sort()
    total, wanted = _dense(made, used, slots, accounts)
    if method == "static":
        fixed = shares([1] * len(accounts) if coefficients is None else coefficients, len(accounts))
        parts = np.broadcast_to(np.array(fixed, np.int64), wanted.shape)
    else:
        parts = shares_of(wanted) if len(accounts) else wanted
    return CommunitySharing(_frame(slots, accounts, parts, total, wanted))


def _dense(made: pl.DataFrame, used: pl.DataFrame, slots: pl.Series, accounts: pl.Series) -> tuple[Int64s, Int64s]:
    """Return generation, shape (slots,), and consumption, shape (slots, accounts)."""
    total = np.zeros(len(slots), np.int64)
    np.add.at(total, slots.search_sorted(made["slot"]).to_numpy(), made["energy"].to_numpy())
    wanted = np.zeros((len(slots), len(accounts)), np.int64)
    places = (slots.search_sorted(used["slot"]).to_numpy(), accounts.search_sorted(used["account"]).to_numpy())
    wanted[places] = used["energy"].to_numpy()
    return total, wanted


def _frame(slots: pl.Series, accounts: pl.Series, parts: Int64s, total: Int64s, wanted: Int64s) -> pl.DataFrame:
    allocated = apportion(total, parts) if len(accounts) else wanted
    shared = np.minimum(allocated, wanted)
    return pl.DataFrame(
        {
            "slot": slots.gather(np.repeat(np.arange(len(slots)), len(accounts))),
            "account": accounts.gather(np.tile(np.arange(len(accounts)), len(slots))),
            "share": np.ascontiguousarray(parts).reshape(-1),
            "consumption": wanted.reshape(-1),
            "allocated": allocated.reshape(-1),
            "shared": shared.reshape(-1),
            "surplus": (allocated - shared).reshape(-1),
            "rest": (wanted - shared).reshape(-1),
        }
    )
