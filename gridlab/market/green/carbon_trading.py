"""An emissions trading system settled for one period: allowances, who buys from whom, and what is left uncovered.

With the cap C = cap share x the sum of baselines and the free share F of it, account i gets free allowances in
proportion to its baseline, sum F C in whole grams, and ::

    surplus_i = max(free_i - emissions_i, 0)        shortage_i = max(emissions_i - free_i, 0)

Those who are short buy first what the others have left over, then what the state auctions, (1 - F) C, both at the price
of an allowance; what is then still uncovered pays the penalty. Every sharing out is in proportion, by largest
remainder. What buyers pay is what sellers and the state receive, to the micro-baht.

References
----------
Cap and trade: Tietenberg, "Emissions Trading: Principles and Practice", 2nd edition, 2006. Figures are teaching
choices; Thailand's Climate Change Bill (cabinet, 2 December 2025) sets none yet.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab import units
from gridlab.errors import ArgumentTypeError, CertificateError
from gridlab.frames import Column, Schema
from gridlab.market.green.carbon import Carbon
from gridlab.market.green.matching_shares import pro_rata

__all__ = ["EMITTERS", "settle_allowances"]

Int64s = npt.NDArray[np.int64]

_PPM = 1_000_000
_MOST = 10**14
_MOST_ROWS = 1000

EMITTERS = Schema(
    "emitters",
    (
        Column("account", pl.UInt32, "integer", "who emits; unique"),
        Column("emissions", pl.Int64, "integer", "emitted in the period (gCO2e)"),
        Column("baseline", pl.Int64, "integer", "what free allowances are measured by (gCO2e)"),
    ),
)


def settle_allowances(emitters: pl.DataFrame | pl.LazyFrame, carbon: Carbon) -> pl.DataFrame:
    """Settle one period of the emissions trading system under the levers of `carbon`.

    Parameters
    ----------
    emitters : polars.DataFrame or polars.LazyFrame
        As `EMITTERS`.
    carbon : Carbon

    Returns
    -------
    polars.DataFrame
        The columns of `emitters`, then ``free``, ``sold``, ``bought`` (from others), ``auctioned``, ``uncovered``
        (gCO2e) and ``cost`` (micro-THB; negative where selling earns more).

    Raises
    ------
    ArgumentTypeError, CertificateError
        `emitters` is not a frame, does not fit, or its sums cannot be counted.
    """
    if not isinstance(carbon, Carbon):
        raise ArgumentTypeError(f"carbon is a {type(carbon).__name__}, allowed: a Carbon; Carbon() has the defaults")
    rules: dict[str, pl.Expr] = {
        f"{name} are not 0 … {_MOST} g": ~pl.col(name).is_between(0, _MOST) for name in ("emissions", "baseline")
    }
    rules["an account stands there twice"] = pl.col("account").is_duplicated()
    frame = EMITTERS.check(emitters, rules=rules, error=CertificateError).sort("account")
    for name in ("emissions", "baseline"):
        if float(frame[name].cast(pl.Float64).sum()) > _MOST * _MOST_ROWS:
            raise CertificateError(f"emitters: {name} are over {_MOST * _MOST_ROWS} g in all; look for a wrong unit")
    emissions, baseline = frame["emissions"].to_numpy(), frame["baseline"].to_numpy()
    cap = _share(int(baseline.sum()), carbon.ets_cap)
    given = _share(cap, carbon.ets_free_allocation)
    free = _shared(baseline, given)
    surplus, shortage = np.maximum(free - emissions, 0), np.maximum(emissions - free, 0)
    traded = min(int(surplus.sum()), int(shortage.sum()))
    sold, bought = _shared(surplus, traded), _shared(shortage, traded)
    auctioned = _shared(shortage - bought, min(cap - given, int(shortage.sum()) - traded))
    uncovered = shortage - bought - auctioned
    price, penalty = int(carbon.ets_allowance_price), int(carbon.ets_penalty)
    parts = {"free": free, "sold": sold, "bought": bought, "auctioned": auctioned, "uncovered": uncovered}
    return frame.with_columns(
        **{name: pl.Series(values) for name, values in parts.items()},
        cost=pl.Series((bought + auctioned - sold) * price + uncovered * penalty),
    )


def _share(whole: int, percent: float) -> int:
    """Return `percent` of `whole`, rounded down: no allowance is given out beyond the cap."""
    return whole * units.share(percent) // _PPM


def _shared(weights: Int64s, total: int) -> Int64s:
    """Share `total` out in proportion to `weights`; all are weighed together, whatever they come to."""
    if not len(weights) or not weights.any():
        return np.zeros_like(weights)
    one = np.zeros(len(weights), np.int64)
    return pro_rata(one, weights, np.full(len(weights), total))
