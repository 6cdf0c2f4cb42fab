"""The world over one window: every series of it, computed when it is first wanted and kept.

What a user put in place of a feed also moves what hangs on it: a province's own irradiance moves its PV, a province's
own temperature moves its PV and its region's load, a region's own load moves the wholesale price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gridlab.oracle.feeds import demand, plant, prices, sun, weather
from gridlab.oracle.feeds.events import (
    Front,
    HeatWave,
    front_field,
    fronts_of,
    heat_field,
    heat_waves_of,
    years_of,
)
from gridlab.oracle.feeds.places import REGIONS, places
from gridlab.oracle.feeds.replacement import Replacement
from gridlab.oracle.feeds.window import SLOTS_PER_DAY, Window

__all__ = ["MEMBERS", "Setting", "World"]

Floats = npt.NDArray[np.float64]

# What the families of prices and money are about; the weather's are the provinces, the load's the regions.
MEMBERS = {
    "price": ("wholesale",),
    "price/neighbour": prices.NEIGHBOURS,
    "carbon": ("T-VER",),
    "fx": ("USDTHB",),
    "reserve": ("WATT",),
}


@dataclass(frozen=True)
class Setting:
    """What makes one world differ from another.

    Attributes
    ----------
    seed : int
    levers : mapping of str to float
        The levers of `Feeds`, in their units.
    fronts, heat_waves : tuple
        Those that were ordered, beside the seeded ones.
    replaced : mapping of str to Replacement
    """

    seed: int
    levers: Mapping[str, float]
    fronts: tuple[Front, ...]
    heat_waves: tuple[HeatWave, ...]
    replaced: Mapping[str, Replacement]


class World:
    """Series over the whole days of a window, as float64 in the units of `gridlab.oracle.feeds.table`.

    Parameters
    ----------
    setting : Setting
    window : Window
    rows : ndarray of int
        Provinces wanted of everything that needs the sun.
    """

    def __init__(self, setting: Setting, window: Window, rows: npt.NDArray[np.intp]) -> None:
        self.setting = setting
        self.window = window
        self.rows = rows

    def _lever(self, name: str) -> float:
        return float(self.setting.levers[name])

    def _over(self, prefix: str, names: tuple[str, ...], values: Floats, window: Window) -> Floats:
        """Put the user's series over the columns of `values`, shape (days * 96, names)."""
        found = [(column, f"{prefix}/{name}") for column, name in enumerate(names)]
        for column, feed in found:
            if feed in self.setting.replaced:
                values[:, column] = self.setting.replaced[feed].over(window, values[:, column])
        return values

    @cached_property
    def _long(self) -> Window:
        return self.window.back(1)

    @cached_property
    def _index_long(self) -> Floats:
        window, seed = self._long, self.setting.seed
        seeded = [front for year in years_of(window) for front in fronts_of(seed, year)]
        fronts = front_field(window, seeded, self._lever("front_strength") / 100.0)
        fronts += front_field(window, self.setting.fronts, 1.0)
        return weather.clear_sky_index(seed, window, fronts, cloudiness=self._lever("cloudiness") / 100.0)

    @cached_property
    def air_with_eve(self) -> Floats:
        """Air temperature (degrees Celsius) from the day before the window, shape ((days + 1) * 96, 77)."""
        window, seed = self._long, self.setting.seed
        waves = [wave for year in years_of(window) for wave in heat_waves_of(seed, year)]
        heat = heat_field(window, waves, self._lever("heat_wave")) + heat_field(window, self.setting.heat_waves, 1.0)
        cloudiness = self._lever("cloudiness") / 100.0
        air = weather.temperature(seed, window, self._index_long, heat, cloudiness=cloudiness)
        return self._over("weather/temperature", places().names, air, window)

    @cached_property
    def index(self) -> Floats:
        """Clear-sky index before any replacement, shape (days * 96, rows)."""
        return self._index_long[SLOTS_PER_DAY:][:, self.rows]

    @cached_property
    def temperature(self) -> Floats:
        """Air temperature (degrees Celsius), shape (days * 96, rows)."""
        return self.air_with_eve[SLOTS_PER_DAY:][:, self.rows]

    @cached_property
    def sky(self) -> sun.Sky:
        """The cloudless sky over the rows."""
        here, rows, window = places(), self.rows, self.window
        turbidity = np.repeat(window.by_day(here.turbidity)[:, rows], SLOTS_PER_DAY, axis=0)
        site = (here.latitude[rows], here.longitude[rows], here.altitude[rows])
        return sun.clear_sky(window.unix_time, window.solar_day, site, turbidity)

    @cached_property
    def clear(self) -> Floats:
        """Irradiance of the cloudless sky (W/m²), shape (days * 96, rows)."""
        return self.sky.spread(self.sky.clear)

    @cached_property
    def ghi(self) -> Floats:
        """Global horizontal irradiance (W/m²), shape (days * 96, rows)."""
        names = tuple(places().names[row] for row in self.rows)
        return self._over("weather/ghi", names, self.clear * self.index, self.window)

    def power(self, ghi: Floats, air: Floats) -> Floats:
        """Return PV output (kW/kWp) under `ghi` (W/m²) and `air` (degrees Celsius), shape (days * 96, rows)."""
        sky, loss = self.sky, self._lever("system_loss") / 100.0
        bright, warm = ghi[sky.up], air[sky.up]
        return sky.spread(plant.power(sky, bright, warm, tilt=self._lever("tilt"), loss=loss))

    @cached_property
    def pv(self) -> Floats:
        """PV output (kW/kWp), shape (days * 96, rows)."""
        names = tuple(places().names[row] for row in self.rows)
        return self._over("weather/pv", names, self.power(self.ghi, self.temperature), self.window)

    def expected(self, air: Floats) -> Floats:
        """Return the load of calendar and air alone (MW), shape (days * 96, regions, kinds); `air` as in `demand`."""
        load = demand.expected_load(
            self.window,
            air,
            comfort=self._lever("comfort_temperature"),
            response=self._lever("temperature_response") / 100.0,
            festival=self._lever("festival_load") / 100.0,
        )
        return load * (self._lever("load_level") / 100.0)

    @cached_property
    def load_by_kind(self) -> Floats:
        """Load (MW), shape (days * 96, regions, kinds)."""
        expected = self.expected(demand.by_region(self.air_with_eve))
        load = expected * demand.load_noise(self.setting.seed, self.window)[:, :, None]
        total = load.sum(axis=2)
        replaced = self._over("load", REGIONS, total.copy(), self.window)
        changed = replaced != total
        # Kinds keep their proportions where a user's own total stands.
        factor = np.divide(replaced, total, out=np.ones_like(total), where=changed)
        scaled: Floats = load * factor[:, :, None]
        return scaled

    @cached_property
    def load(self) -> Floats:
        """Load (MW), shape (days * 96, regions)."""
        return self._over("load", REGIONS, self.load_by_kind.sum(axis=2), self.window)

    @cached_property
    def wholesale(self) -> Floats:
        """Wholesale price (THB/MWh), shape (days * 96, 1)."""
        level = self._reverting("wholesale", self._lever("wholesale_price") * 1000.0)
        usual = demand.usual_national_load() * self._lever("load_level") / 100.0
        slope = self._lever("price_slope") / 100.0
        return prices.wholesale(level, self.load.sum(axis=1), usual, slope)[:, None]

    def _reverting(self, name: str, mean: float) -> Floats:
        spread = self._lever("price_spread") / 100.0
        return prices.reverting(self.setting.seed, name, self.window, mean, spread)

    @cached_property
    def neighbours(self) -> Floats:
        """Prices next door (THB/MWh), shape (days * 96, 3)."""
        levels = [self._lever(name) * 1000.0 for name in ("lao_price", "malaysian_price", "singapore_price")]
        columns = [self._reverting(name, level) for name, level in zip(prices.NEIGHBOURS, levels, strict=True)]
        columns[0] = columns[0] * prices.two_part(self.window)
        return np.stack(columns, axis=1)

    @cached_property
    def carbon(self) -> Floats:
        """Price of a T-VER credit (THB/tCO2e), shape (days * 96, 1)."""
        return self._reverting("T-VER", self._lever("carbon_price"))[:, None]

    @cached_property
    def exchange(self) -> Floats:
        """Baht for one US dollar, shape (days * 96, 1)."""
        spread = self._lever("exchange_spread") / 100.0
        mean = self._lever("exchange_rate")
        return prices.reverting(self.setting.seed, "USDTHB", self.window, mean, spread)[:, None]

    @cached_property
    def reserve(self) -> Floats:
        """Baht held against WATT, shape (days * 96, 1)."""
        return np.full((self.window.unix_time.size, 1), self._lever("reserve") * 1e6)

    def series(self, prefix: str) -> Floats:
        """Return the whole family, shape (days * 96, members): of the weather, the rows alone."""
        if prefix in MEMBERS:
            values = {
                "price": lambda: self.wholesale,
                "price/neighbour": lambda: self.neighbours,
                "carbon": lambda: self.carbon,
                "fx": lambda: self.exchange,
                "reserve": lambda: self.reserve,
            }[prefix]()
            return self._over(prefix, MEMBERS[prefix], values.copy(), self.window)
        if prefix == "load":
            return self.load
        return {
            "weather/ghi": lambda: self.ghi,
            "weather/pv": lambda: self.pv,
            "weather/temperature": lambda: self.temperature,
        }[prefix]()
