"""Ten years of GRID in thousands of paths: bands, key figures, and the paths themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.public import PublicTerms
from gridlab.chain.staking import StakingTerms
from gridlab.chain.staking.curve import JULIAN_YEAR_MILLISECONDS
from gridlab.doors import through
from gridlab.governance.economics.exact import FIGURES
from gridlab.governance.economics.model import Model
from gridlab.governance.economics.paths import follow
from gridlab.governance.economics.shocks import CHUNK, draw
from gridlab.governance.economics.terms import GridEconomics
from gridlab.seeds import check_seed
from gridlab.units import MICRO

__all__ = ["QUANTILES", "EconomicsRun", "simulate"]

QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
MOST_PATHS = 100_000
# A figure is kept this often by default: about once a month with eras of a day.
_SAMPLES_A_YEAR = 12
# Samples x paths that a run may keep: 10 years, monthly, of the most paths.
_MOST_KEPT = 1_300 * 10_000

Floats = npt.NDArray[np.float64]


def simulate(
    years: float = 10,
    paths: int = 1000,
    seed: int = 0,
    *,
    terms: GridEconomics | None = None,
    staking: StakingTerms | None = None,
    public: PublicTerms | None = None,
    samples: int | None = None,
) -> EconomicsRun:
    """Let the GRID economy run for some years, in many paths that differ by chance.

    Parameters
    ----------
    years : float
        Julian years of 365.25 days.
    paths : int
        1 … 100,000.
    seed : int
        The same seed gives the same paths, however many there are.
    terms, staking, public : GridEconomics, StakingTerms, PublicTerms, optional
        The levers.
    samples : int, optional
        How many times, evenly over the eras and at the end, figures are kept; twelve a year unless given.

    Returns
    -------
    EconomicsRun

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.

    Examples
    --------
    >>> run = simulate(years=1, paths=20, seed=1)
    >>> run.bands().filter(pl.col("figure") == "issuance").height
    12
    """
    require_int("paths", paths, 1, MOST_PATHS)
    model = Model.of(years, terms, staking, public)
    wanted = max(round(model.years * _SAMPLES_A_YEAR), 1) if samples is None else samples
    require_int("samples", wanted, 1, _MOST_KEPT // paths)
    count = min(wanted, model.eras)
    kept = model.eras * np.arange(1, count + 1, dtype=np.int64) // count - 1
    check_seed(seed)
    parts = [
        follow(model, draw(model, seed, first // CHUNK, min(CHUNK, paths - first)), kept)
        for first in range(0, paths, CHUNK)
    ]
    return EconomicsRun(model=model, seed=seed, eras=kept, figures=np.concatenate(parts, axis=2))


@dataclass(frozen=True, slots=True, eq=False)
class EconomicsRun:
    """What came out of `simulate`.

    Attributes
    ----------
    model : Model
        The numbers that it ran on, in the chain's units.
    seed : int
    eras : array of int, shape (samples,)
        Eras at whose end figures were kept.
    figures : array of float, shape (figures, samples, paths)
        `FIGURES` in micro-GRID.
    """

    model: Model
    seed: int
    eras: npt.NDArray[np.int64]
    figures: Floats

    def __repr__(self) -> str:
        count = self.figures.shape[2]
        return f"EconomicsRun({self.model.years:.3g} years, {count} path{'s' * (count != 1)}, seed {self.seed})"

    def _repr_html_(self) -> str:
        html: str = through("economics_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``run.plot.supply()``, ``.staked_share()``, ``.treasury()``, ``.bands("burnt")`` (HoloViews)."""
        return through("economics_plot", self)

    @property
    def years(self) -> Floats:
        """When figures were kept (Julian years since the start)."""
        return (self.eras + 1).astype(np.float64) * (self.model.milliseconds / JULIAN_YEAR_MILLISECONDS)

    def _shown(self) -> dict[str, tuple[str, Floats]]:
        """Return figure -> unit and values of shape (samples, paths)."""
        found: dict[str, tuple[str, Floats]] = {
            name: ("GRID", self.figures[place] / MICRO) for place, name in enumerate(FIGURES)
        }
        issuance, staked, rewards = (found[name][1] for name in ("issuance", "staked", "rewards"))
        opening = self.model.opening
        supply = np.vstack([np.full((1, issuance.shape[1]), opening.issuance / MICRO), issuance])
        held = np.vstack([np.full((1, issuance.shape[1]), opening.bonded / MICRO), staked])
        span = np.diff(self.years, prepend=0.0)[:, None]
        earned = np.diff(rewards, axis=0, prepend=0.0)
        found["staked_share"] = ("%", 100 * staked / issuance)
        found["supply_growth"] = ("%/year", 100 * (np.exp(np.diff(np.log(supply), axis=0) / span) - 1))
        found["staking_yield"] = ("%/year", 100 * earned / span / np.maximum((held[1:] + held[:-1]) / 2, 1 / MICRO))
        return found

    def bands(self) -> pl.DataFrame:
        """Return how far paths lie apart, for each figure and time.

        Returns
        -------
        polars.DataFrame
            ``year`` (since the start), ``era``, ``figure``, ``unit``, and the quantiles ``p5``, ``p25``, ``p50``,
            ``p75``, ``p95`` over the paths. Growth and yield are those since the time kept before, as rates per year;
            rewards, fees, spent, burnt and slashed are summed since the start.
        """
        return pl.concat(
            [
                pl.DataFrame(
                    {"year": self.years, "era": self.eras}
                    | dict(zip(QUANTILES, np.quantile(values, list(QUANTILES.values()), axis=1), strict=True))
                ).select("year", "era", pl.lit(name).alias("figure"), pl.lit(unit).alias("unit"), *QUANTILES)
                for name, (unit, values) in self._shown().items()
            ]
        )

    @property
    def paths(self) -> pl.DataFrame:
        """One row per path: ``path`` and every figure at the end; growth and yield over the whole run, per year."""
        shown = {name: values[-1] for name, (_, values) in self._shown().items()}
        years, opening = self.model.years, self.model.opening
        shown["supply_growth"] = 100 * ((self.figures[0, -1] / opening.issuance) ** (1 / years) - 1)
        held = np.vstack([np.full((1, self.figures.shape[2]), float(opening.bonded)), self.figures[1]])
        # Trapezoids over the times kept.
        mean = ((held[1:] + held[:-1]) / 2 * np.diff(self.years, prepend=0.0)[:, None]).sum(axis=0) / years
        shown["staking_yield"] = 100 * self.figures[5, -1] / years / np.maximum(mean, 1.0)
        return pl.DataFrame({"path": np.arange(self.figures.shape[2], dtype=np.uint32)} | shown)

    def kpis(self) -> pl.DataFrame:
        """Return key figures at the end of the run.

        Returns
        -------
        polars.DataFrame
            ``kpi``, ``value`` (median over the paths), ``unit``, ``low`` and ``high`` (5 % and 95 % of the paths).
        """
        units = {name: unit for name, (unit, _) in self._shown().items()}
        ends = self.paths.drop("path")
        each = {name: [ends[name].quantile(q, "linear") for q in (0.5, 0.05, 0.95)] for name in ends.columns}
        return pl.DataFrame(
            {
                "kpi": list(each),
                "value": [found[0] for found in each.values()],
                "unit": [units[name] for name in each],
                "low": [found[1] for found in each.values()],
                "high": [found[2] for found in each.values()],
            }
        )
