"""Matching clean generation to consumption hour by hour: how much of what is used was generated when it was used.

In each cell, an hour (or a slot, day, month, year) of one zone where zones count, with generation G and the
consumption c_i of account i, ``M = min(G, sum c_i)`` is matched and shared out in whole Wh::

    pro_rata      m_i = M c_i / sum c        largest remainder; equal remainders to the lower account
    equal_split   m_i = min(c_i, L)          one level L for all, sum m_i = M; the last Wh to the lower accounts

so nobody is matched beyond what he used, and the matched sum is M exactly. The score of an account is
``sum m_i / sum c_i`` over all cells. The longer the cell, the higher the score: that is why a year of certificates
says less than 24/7 matching.

References
----------
Google, "24/7 Carbon-Free Energy: Methodologies and Metrics", 2021 (hourly score); EnergyTag, "Granular Certificate
Scheme Standard", 2024 (certificates of an hour or less). The level of the equal split is progressive filling: Bertsekas
and Gallager, "Data Networks", 1992, section 6.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError, nearest
from gridlab.frames import SLOT, Column, Schema, show_rows
from gridlab.market.green.matching_shares import equal_split, pro_rata

__all__ = ["PERIODS", "RULES", "Matching", "match"]

RULES = ("pro_rata", "equal_split")
PERIODS = ("15m", "1h", "1d", "1mo", "1y")

# A cell of all Thailand's energy of a century still counts below this; beyond it a sum could leave Int64.
_MOST_ENERGY = 2**62

_GENERATION = Schema(
    "generation",
    (
        Column("slot", SLOT, "datetime", "start of the interval in which it was generated"),
        Column("zone", pl.String, "text", "province or bidding zone", required=False),
        Column("energy", pl.Int64, "integer", "clean energy generated (Wh)"),
    ),
)
_CONSUMPTION = Schema(
    "consumption",
    (
        Column("slot", SLOT, "datetime", "start of the interval in which it was used"),
        Column("zone", pl.String, "text", "province or bidding zone", required=False),
        Column("account", pl.UInt32, "integer", "who used it"),
        Column("energy", pl.Int64, "integer", "energy used (Wh)"),
    ),
)


@dataclass(frozen=True)
class Matching:
    """The result of `match`.

    Attributes
    ----------
    matches : polars.DataFrame
        The cell's columns (``slot``, and ``zone`` where zones count), ``account``, ``consumption``, ``matched`` (Wh).
    cells : polars.DataFrame
        The cell's columns, ``generation``, ``consumption``, ``matched``, ``surplus`` (Wh), ``score`` (0..1; null where
        nothing was used).
    """

    matches: pl.DataFrame
    cells: pl.DataFrame

    @property
    def scores(self) -> pl.DataFrame:
        """Per account: ``account``, ``consumption``, ``matched`` (Wh), ``score`` (0..1; null where none is used)."""
        sums = self.matches.group_by("account").agg(pl.col("consumption", "matched").sum()).sort("account")
        return sums.with_columns(score=_score())

    @property
    def score(self) -> float | None:
        """Share of all consumption that is matched, 0..1; None where nothing was used."""
        matched, used = (int(self.cells[name].sum()) for name in ("matched", "consumption"))
        return matched / used if used else None

    def __repr__(self) -> str:
        score = "nothing used" if self.score is None else f"score {self.score:.3f}"
        return f"Matching({self.cells.height} cells, {self.matches['account'].n_unique()} accounts, {score})"


def _score() -> pl.Expr:
    return pl.when(pl.col("consumption") > 0).then(pl.col("matched") / pl.col("consumption"))


def match(
    generation: pl.DataFrame | pl.LazyFrame,
    consumption: pl.DataFrame | pl.LazyFrame,
    *,
    rule: str = "pro_rata",
    every: str = "1h",
    zones: bool = False,
) -> Matching:
    """Match clean generation to consumption, all cells at once.

    Parameters
    ----------
    generation : polars.DataFrame or polars.LazyFrame
        ``slot``, ``energy`` (Wh), and ``zone`` where zones count. Certificates fit as ``slot="vintage_start"`` where
        `every` is "1mo" or longer.
    consumption : polars.DataFrame or polars.LazyFrame
        ``slot``, ``account``, ``energy`` (Wh), and ``zone`` where zones count. Several rows of an account in a cell add
        up.
    rule : str
        "pro_rata" or "equal_split".
    every : str
        Length of a cell: one of `PERIODS`.
    zones : bool
        Whether energy is matched inside its zone only.

    Returns
    -------
    Matching
        Its frames are in the order of slot, zone and account.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        Not a frame, or an unknown rule or period.
    CertificateError
        A column is missing, an energy is below 0 Wh, or the sum of all is beyond what can be counted.
    """
    _require("rule", rule, RULES)
    _require("every", every, PERIODS)
    if not isinstance(zones, bool):
        raise ArgumentTypeError(f"zones is {zones!r}, allowed: True or False")
    by = ["slot", "zone"] if zones else ["slot"]
    supply = _summed(_checked(generation, _GENERATION, zones=zones), by, every, "generation")
    used = _summed(_checked(consumption, _CONSUMPTION, zones=zones), [*by, "account"], every, "consumption")
    demand = used.group_by(by).agg(pl.col("consumption").sum())
    cells = (
        supply.join(demand, on=by, how="full", coalesce=True)
        .with_columns(pl.col("generation", "consumption").fill_null(0))
        .with_columns(matched=pl.min_horizontal("generation", "consumption"))
        .with_columns(surplus=pl.col("generation") - pl.col("matched"), score=_score())
        .sort(by)
    )
    rows = used.join(cells.select(*by, "matched"), on=by, how="left", maintain_order="left")
    group = rows.select(pl.struct(by).rle_id())[by[0]].to_numpy()
    share = pro_rata if rule == "pro_rata" else equal_split
    matched = share(group, rows["consumption"].to_numpy(), rows["matched"].to_numpy())
    return Matching(rows.with_columns(matched=pl.Series(matched)), cells)


def _require(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} is {value!r} ({type(value).__name__}), allowed: {', '.join(allowed)}")
    if value not in allowed:
        raise ArgumentError(f"{name} {value!r} is not known; {nearest(value, allowed)}")


def _checked(frame: pl.DataFrame | pl.LazyFrame, schema: Schema, *, zones: bool) -> pl.DataFrame:
    checked = schema.check(frame, rules={"an energy is below 0 Wh": pl.col("energy") < 0}, error=CertificateError)
    if zones and "zone" not in checked.columns:
        raise CertificateError(f"{schema.name}: column 'zone' is missing, and zones=True matches inside zones only")
    # Summed in coarse steps, which cannot wrap before the error is raised.
    if int((checked["energy"] // 2**20).sum()) + checked.height > _MOST_ENERGY >> 20:
        raise CertificateError(
            f"{schema.name}: more than {_MOST_ENERGY} Wh in all; look for a wrong unit\n"
            f"{show_rows(checked, pl.col('energy') == pl.col('energy').max())}"
        )
    return checked


def _summed(frame: pl.DataFrame, by: list[str], every: str, name: str) -> pl.DataFrame:
    """Return one row per combination of `by`, in that order, its energy summed."""
    keys: list[Any] = [pl.col("slot").dt.truncate(every), *by[1:]]
    return frame.lazy().group_by(keys).agg(pl.col("energy").sum().alias(name)).sort(by).collect()
