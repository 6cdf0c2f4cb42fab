"""One neighbourhood of Bangkok after the T77 pilot: four members with the roofs of the pilot, and homes around them.

The pilot let a mall, a school and apartments sell rooftop power to each other and to a dental hospital over MEA's grid
(2018; the sizes of the roofs are told, none is verified). Loads, tariff classes, feeders and every home are made up.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from gridlab import units
from gridlab.agents import Agents
from gridlab.agents.population import KINDS, ZONES, Kind
from gridlab.agents.profiles import readings
from gridlab.errors import StoreError
from gridlab.frames import ACCOUNTS
from gridlab.lab import Lab
from gridlab.run import Run
from gridlab.seeds import stream

__all__ = ["PILOT", "Neighbourhood", "NeighbourhoodLab"]

_BY_NAME = {kind.name: kind for kind in KINDS}
_ZONE = "MAC"
_HOURS_PER_MONTH = 730.0

# The hospital's rooms are lit and cooled like a mall's: no shape of a hospital is at hand.
PILOT = pl.DataFrame(
    [
        ("mall", "mall", 150.0, 54.0, "3.2", "<22 kV", 0),
        ("school", "school", 220.0, 413.0, "3.2", "22-33 kV", 0),
        ("apartments", "condominium", 400.0, 168.0, "1.2", "<22 kV", 1),
        ("hospital", "mall", 120.0, 0.0, "3.2", "<22 kV", 0),
    ],
    schema=["name", "kind", "peak_kw", "pv_kw", "tariff", "voltage", "feeder"],
    orient="row",
)

_CONDOMINIUMS = 0.25  # share of the homes that are condominium buildings, the rest are houses
_METERS_PER_TRANSFORMER = 5
_FEEDERS = 4


def _homes(count: int, *, seed: int, pv_share: float) -> pl.DataFrame:
    """Return houses and condominium buildings with the sizes of `gridlab.agents.population.KINDS`."""
    rng = stream(seed, "scenarios", "neighbourhood")
    kinds: tuple[Kind, Kind] = (_BY_NAME["household"], _BY_NAME["condominium"])
    which = (rng.random(count) < _CONDOMINIUMS).astype(np.int64)
    spread, peak, ratio, multiple = (
        np.array([getattr(kind, name) for kind in kinds])[which]
        for name in ("spread", "peak_kw", "pv_ratio", "pv_multiple")
    )
    size = np.round(peak * np.exp(rng.standard_normal(count) * spread), 2)
    roof = rng.random(count) < np.minimum(1.0, pv_share * multiple)
    texts = {
        column: pl.Series([getattr(kind, attribute) for kind in kinds], dtype=pl.String).gather(which)
        for column, attribute in (("kind", "name"), ("tariff", "tariff"), ("voltage", "voltage"))
    }
    return pl.DataFrame(
        {**texts, "peak_kw": size, "pv_kw": np.round(size * ratio * rng.uniform(0.6, 1.4, count), 1) * roof}
    ).with_columns(name=pl.col("kind"), feeder=pl.int_range(pl.len()) // _METERS_PER_TRANSFORMER % _FEEDERS)


@lru_cache(maxsize=16)
def _accounts(prosumers: int, seed: int, pv_share: float) -> pl.DataFrame:
    pilot = PILOT.head(prosumers).with_columns(transformer=pl.int_range(pl.len()))
    homes = _homes(prosumers - pilot.height, seed=seed, pv_share=pv_share).with_columns(
        transformer=PILOT.height + pl.int_range(pl.len()) // _METERS_PER_TRANSFORMER
    )
    frame = pl.concat([pilot, homes.select(pilot.columns)], how="vertical_relaxed").with_row_index("account")
    utility, area = ZONES[_ZONE][1:3]
    number = pl.col("account").cast(pl.String).str.zfill(len(str(prosumers - 1)))
    factors = pl.col("kind").replace_strict({kind.name: kind.load_factor for kind in KINDS}, return_dtype=pl.Float64)
    return ACCOUNTS.check(
        frame.with_columns(
            name=pl.format("{}-{}", "name", number),
            zone=pl.lit(_ZONE, dtype=pl.Enum(list(ZONES))),
            utility=pl.lit(utility),
            area=pl.lit(area),
            substation=pl.lit(0),
            monthly_kwh=(pl.col("peak_kw") * factors * _HOURS_PER_MONTH).round(),
        ).select([column.name for column in ACCOUNTS.columns])
    )


class Neighbourhood(Agents):
    """Four members of the pilot and their neighbours, all in one bidding zone, on four feeders of one substation.

    The lever ``pv_share`` counts roofs of homes; the pilot has its own. Parameters as of `gridlab.agents.Agents`.

    Examples
    --------
    >>> Neighbourhood(6).accounts()["name", "zone", "pv_kw"].head(4).rows()
    [('mall-0', 'MAC', 54.0), ('school-1', 'MAC', 413.0), ('apartments-2', 'MAC', 168.0), ('hospital-3', 'MAC', 0.0)]
    """

    def accounts(self) -> pl.DataFrame:
        """Return who they are, as `gridlab.frames.ACCOUNTS`; row i is account i."""
        return _accounts(self.prosumers, self.seed, float(units.exact(self.pv_share)) / 100)

    def readings(self, slots: pl.Series) -> pl.DataFrame:
        """Return what every meter reads in `slots`, as `gridlab.frames.READINGS`."""
        return readings(
            self.accounts(), slots, seed=self.seed, pv_scale=self.pv_size / 100, load_scale=self.load_level / 100
        )


class NeighbourhoodLab(Lab):
    """A lab whose people live in one neighbourhood.

    A store tells how many accounts a lab has and not who they are, so that `gl.open` could not make this lab again; it
    refuses one. ``run.save`` and ``gl.load`` keep a run.
    """

    @classmethod
    def thailand(cls, **how: Any) -> Self:
        """Return the lab; arguments are those of `gridlab.lab.Lab.thailand`."""
        lab = super().thailand(**how)
        lab.agents = Neighbourhood(lab.agents.prosumers, seed=lab.seed)
        return lab

    def stored_in(self, path: str | Path, *, slots: int) -> Self:  # noqa: ARG002 - the signature of `Lab`
        """Refuse: see `run`."""
        raise _no_store(path)

    def run(
        self,
        *,
        hours: float | None = None,
        slots: int | None = None,
        progress: bool = True,
        store: str | Path | None = None,
    ) -> Run:
        """Run the lab; see `gridlab.lab.Lab.run`.

        Raises
        ------
        StoreError
            A store is asked for.
        """
        if store is not None:
            raise _no_store(store)
        return super().run(hours=hours, slots=slots, progress=progress)


def _no_store(path: object) -> StoreError:
    return StoreError(
        f"store: {str(path)!r} cannot hold this scenario, whose people are its own, so that gl.open could not make it "
        "again; run without a store and keep the run with run.save(path)"
    )
