"""The agents as a part: a seeded population, its physics, and the orders it sends."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab import units
from gridlab.agents import strategies
from gridlab.agents.population import check_prosumers, population
from gridlab.agents.profiles import generation, readings
from gridlab.levers import Levers, choice, number
from gridlab.seeds import check_seed

__all__ = ["Agents"]

_TEACHER = "teacher (scenario)"


class Agents(Levers):
    """The prosumers of a lab.

    Parameters
    ----------
    prosumers : int
        How many accounts, 1 to 1,000,000.
    seed : int
        Forked by name into independent streams for who they are, what they use, their sky and their bids.
    """

    strategy = choice(
        "truthful",
        list(strategies.STRATEGIES),
        label="Trading strategy",
        label_th="กลยุทธ์การเสนอราคา",
        source="truthful: value less a least gain; zero_intelligence: Gode and Sunder 1993 (ZI-C)",
        governed_by=_TEACHER,
    )
    least_gain = number(
        0.30,
        0.0,
        2.0,
        0.001,
        unit="THB/kWh",
        label="Largest least gain of a truthful trader",
        label_th="กำไรขั้นต่ำสูงสุดที่ผู้ซื้อขายต้องการ",
        source="teaching choice (S)",
        governed_by=_TEACHER,
    )
    pv_share = number(
        35.0,
        0.0,
        100.0,
        1.0,
        unit="%",
        label="Households with rooftop PV",
        label_th="สัดส่วนบ้านที่ติดตั้งโซลาร์รูฟท็อป",
        source="teaching choice (S)",
        governed_by=_TEACHER,
    )
    pv_size = number(
        100.0,
        0.0,
        300.0,
        1.0,
        unit="%",
        label="Size of PV systems",
        label_th="ขนาดระบบโซลาร์",
        source="teaching choice (S)",
        governed_by=_TEACHER,
    )
    load_level = number(
        100.0,
        10.0,
        300.0,
        1.0,
        unit="%",
        label="Level of demand",
        label_th="ระดับความต้องการไฟฟ้า",
        source="teaching choice (S)",
        governed_by=_TEACHER,
    )

    def __init__(self, prosumers: int = 200, *, seed: int = 0, **levers: Any) -> None:
        self.seed = check_seed(seed)
        self.prosumers = check_prosumers(prosumers)
        super().__init__(**levers)

    def accounts(self) -> pl.DataFrame:
        """Return who they are, as `gridlab.frames.ACCOUNTS`; row i is account i."""
        return _population(self.prosumers, self.seed, self.pv_share)

    def readings(self, slots: pl.Series) -> pl.DataFrame:
        """Return what every meter reads in `slots` (`gridlab.calendar.slots`), as `gridlab.frames.READINGS`.

        The agents of this version know their readings when they bid: their forecast is the reading.
        """
        return _readings(
            self.prosumers,
            self.seed,
            _Slots(slots),
            pv_share=self.pv_share,
            pv_size=self.pv_size,
            load_level=self.load_level,
        )

    def generation(self, sun: npt.NDArray[np.float64]) -> pl.Series:
        """Return what every roof generates under `sun`, kW per kWp of shape (slots, zones), as Int64 Wh by slot."""
        return generation(self.accounts(), sun, seed=self.seed, pv_scale=self.pv_size / 100)

    def orders(self, needs: pl.DataFrame, *, cost: int, limits: tuple[int, int]) -> pl.DataFrame:
        """Return the orders for `needs` under the strategy in force (see `gridlab.agents.strategies.orders`)."""
        return strategies.orders(
            needs,
            strategy=self.strategy,
            cost=cost,
            limits=limits,
            least_gain=units.price(self.least_gain),
            seed=self.seed,
        )

    def __repr__(self) -> str:
        return f"Agents(prosumers={self.prosumers}, seed={self.seed}, strategy={self.strategy!r})"


class _Slots:
    """A run of slots as a cache key: equal when first slot and length are."""

    def __init__(self, slots: pl.Series) -> None:
        self.series = slots
        self.key = (slots.dt.timestamp("us").first(), slots.len())

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Slots) and self.key == other.key


# A slider that moves a market lever must not redraw the population or its weather: both depend on these levers alone.
@lru_cache(maxsize=16)
def _population(prosumers: int, seed: int, pv_share: float) -> pl.DataFrame:
    return population(prosumers, seed=seed, pv_share=float(units.exact(pv_share)) / 100)


@lru_cache(maxsize=8)
def _readings(
    prosumers: int, seed: int, slots: _Slots, *, pv_share: float, pv_size: float, load_level: float
) -> pl.DataFrame:
    accounts = _population(prosumers, seed, pv_share)
    return readings(accounts, slots.series, seed=seed, pv_scale=pv_size / 100, load_scale=load_level / 100)
