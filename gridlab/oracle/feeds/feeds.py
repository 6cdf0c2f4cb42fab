"""What the world is, before the oracle reports it, and what can be known of it beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.doors import through
from gridlab.errors import ArgumentError, nearest
from gridlab.oracle.feeds.demand import KINDS
from gridlab.oracle.feeds.forecaster import FORECAST_FAMILIES, Forecaster, members_of, score, seasons
from gridlab.oracle.feeds.forecasts import LEADS, check_lead
from gridlab.oracle.feeds.ordered import OrderedWeather
from gridlab.oracle.feeds.places import REGIONS, chosen, places, positions
from gridlab.oracle.feeds.replacement import Replacement, read_replacement
from gridlab.oracle.feeds.table import FEED_VALUES, counted, family_of, feed_frame
from gridlab.oracle.feeds.window import Window, window_of
from gridlab.oracle.feeds.world import MEMBERS, Setting, World
from gridlab.seeds import check_seed

__all__ = ["Feeds"]

Floats = npt.NDArray[np.float64]

_WEATHER = ("weather/ghi", "weather/pv", "weather/temperature")
_SCORED = ("Bangkok", "Phra Nakhon Si Ayutthaya", "Khon Kaen", "Surat Thani", "Chiang Mai")


def _names() -> list[str]:
    about = dict.fromkeys(_WEATHER, places().names) | {"load": REGIONS} | MEMBERS
    return [f"{prefix}/{name}" for prefix, members in about.items() for name in members]


class Feeds(OrderedWeather):
    """Sun, air, load, prices and reserve as they are, slot by slot: synthetic, seeded, replaceable by a user's data.

    The same seed and levers give the same world, whichever slots, provinces or feeds are asked for.

    Parameters
    ----------
    seed : int
        >= 0.
    levers : object
        As `gridlab.oracle.feeds.settings.WorldLevers` declares them; ``Feeds().levers()`` lists them.

    Examples
    --------
    >>> from gridlab.calendar import slots
    >>> feeds = Feeds(seed=1)
    >>> feeds.truth(slots("2026-04-20T12:00", slots=1), ["fx/USDTHB"])["unit"].to_list()
    ['0.0001 THB/USD']
    """

    def __init__(self, seed: int = 0, **levers: Any) -> None:
        self.seed = check_seed(seed)
        self._replaced: dict[str, Replacement] = {}
        super().__init__(**levers)

    def __repr__(self) -> str:
        return f"Feeds(seed={self.seed}, {len(_names())} feeds, {len(self._replaced)} replaced)"

    def _repr_html_(self) -> str:
        html: str = through("feeds_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``feeds.plot.sky("Khon Kaen", day)``, ``.clouds(moment)``, ``.load(day)`` (HoloViews)."""
        return through("feeds_plot", self)

    def with_seed(self, seed: int) -> Self:
        """Return feeds with the same levers, ordered weather and replaced series, and another seed."""
        twin = deepcopy(self)
        twin.seed = check_seed(seed)
        return twin

    @property
    def replaced(self) -> tuple[str, ...]:
        """The feeds in whose place a user's own series stands."""
        return tuple(sorted(self._replaced))

    def names(self) -> list[str]:
        """Return the names of all feeds."""
        return _names()

    def _setting(self) -> Setting:
        return Setting(self.seed, self.values(), self.fronts, self.heat_waves, dict(self._replaced))

    def world(self, slots: pl.Series, provinces: Sequence[str] | None = None) -> World:
        """Return the world over the whole days around `slots`, for whoever wants arrays.

        Raises
        ------
        ArgumentTypeError, ArgumentError, CalendarError
            As `solar`.
        """
        return World(self._setting(), window_of(slots), positions(provinces))

    def truth(self, slots: pl.Series, feeds: Sequence[str] | None = None) -> pl.DataFrame:
        """Return what each feed is in every slot.

        Parameters
        ----------
        slots : polars.Series
            Consecutive slots (`gridlab.calendar.slots`).
        feeds : sequence of str, optional
            Which of `names`; all of them by default.

        Returns
        -------
        polars.DataFrame
            As `gridlab.oracle.feeds.table.FEED_VALUES`: feed, observed, value (counted units), unit; families in the
            order in which they are first asked for, feeds of a family as asked, then by time.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A feed does not exist.
        CalendarError
            `slots` are not consecutive slots of the calendar.
        FrameError
            A replaced feed does not cover the slots.
        """
        window = window_of(slots)
        grouped = self._grouped(feeds)
        for prefix, members in grouped.items():
            self._require(prefix, members, window)
        world = World(self._setting(), window, self._rows(grouped))
        parts = [
            feed_frame([f"{prefix}/{name}" for name in members], slots.alias("observed"), whole, family)
            for prefix, members in grouped.items()
            for family in [family_of(f"{prefix}/{members[0]}")]
            for whole in [counted(self._columns(world, prefix, members)[window.inside], family)]
        ]
        return FEED_VALUES.check(pl.concat(parts))

    def solar(self, slots: pl.Series, provinces: Sequence[str] | None = None) -> pl.DataFrame:
        """Return PV output as one column per province.

        Parameters
        ----------
        slots : polars.Series
            Consecutive slots.
        provinces : sequence of str, optional
            English names as in the table ``provinces``; all 77 by default.

        Returns
        -------
        polars.DataFrame
            slot, then one Float64 column per province (kW per kWp, mean of the slot).

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A province does not exist.
        CalendarError
            `slots` are not consecutive slots of the calendar.
        FrameError
            A replaced feed does not cover the slots.
        """
        world = self.world(slots, provinces)
        names = [places().names[row] for row in world.rows]
        self._require("weather/pv", names, world.window)
        return pl.DataFrame({"slot": slots} | dict(zip(names, world.pv[world.window.inside].T, strict=True)))

    def weather(self, slots: pl.Series, provinces: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the weather as a long frame; arguments and errors as of `solar`.

        Returns
        -------
        polars.DataFrame
            slot, province, clear (W/m², of a cloudless sky), ghi (W/m²), temperature (°C), pv (kW/kWp); ordered by
            province, then slot.
        """
        world = self.world(slots, provinces)
        window, names = world.window, [places().names[row] for row in world.rows]
        for prefix in _WEATHER:
            self._require(prefix, names, window)
        columns = {"clear": world.clear, "ghi": world.ghi, "temperature": world.temperature, "pv": world.pv}
        index = np.repeat(np.arange(len(names)), slots.len())
        return pl.DataFrame(
            {
                "slot": slots.gather(np.tile(np.arange(slots.len()), len(names))),
                "province": pl.Series(names).gather(index),
            }
            | {name: values[window.inside].T.reshape(-1) for name, values in columns.items()}
        )

    def load(self, slots: pl.Series, regions: Sequence[str] | None = None) -> pl.DataFrame:
        """Return load by region and kind of customer.

        Parameters
        ----------
        slots : polars.Series
            Consecutive slots.
        regions : sequence of str, optional
            EGAT's codes: MAC, CAC, NEC, SAC, NAC; all five by default.

        Returns
        -------
        polars.DataFrame
            slot, region, kind, load_mw (Float64); ordered by region, kind, slot.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A region does not exist.
        CalendarError
            `slots` are not consecutive slots of the calendar.
        FrameError
            A replaced feed does not cover the slots.
        """
        asked = [REGIONS[row] for row in chosen("regions", REGIONS if regions is None else regions, REGIONS)]
        window = window_of(slots)
        self._require("load", asked, window)
        values = World(self._setting(), window, positions(None)).load_by_kind[window.inside]
        wanted = values[:, [REGIONS.index(region) for region in asked]]
        count, kinds = slots.len(), len(KINDS)
        return pl.DataFrame(
            {
                "slot": slots.gather(np.tile(np.arange(count), len(asked) * kinds)),
                "region": pl.Series(asked).gather(np.repeat(np.arange(len(asked)), kinds * count)),
                "kind": pl.Series(KINDS).gather(np.tile(np.repeat(np.arange(kinds), count), len(asked))),
                "load_mw": wanted.transpose(1, 2, 0).reshape(-1),
            }
        )

    def forecast(
        self, slots: pl.Series, feeds: Sequence[str] | None = None, *, lead: str = "day_ahead"
    ) -> pl.DataFrame:
        """Return what was forecast for each slot, `lead` before it.

        Parameters
        ----------
        slots : polars.Series
            Consecutive slots.
        feeds : sequence of str, optional
            Feeds of sun, air or load; by default the loads and the weather of five towns.
        lead : str
            ``day_ahead`` (made at noon of the day before), ``4h``, ``1h`` or ``15min``.

        Returns
        -------
        polars.DataFrame
            feed, observed (the slot forecast for), value (counted units), unit, issued.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A feed does not exist or is not forecast, or `lead` is none of these.
        CalendarError
            `slots` are not consecutive slots of the calendar.
        """
        lead = check_lead(lead)
        forecaster, grouped = self._forecaster(slots, feeds)
        issued = forecaster.issued(lead)
        parts = []
        for prefix, members in grouped.items():
            family = family_of(f"{prefix}/{members[0]}")
            values = forecaster.guess(prefix, lead).forecast[:, self._places_of(prefix, members, forecaster.world)]
            names = [f"{prefix}/{name}" for name in members]
            part = feed_frame(names, slots.alias("observed"), counted(values, family), family)
            parts.append(part.with_columns(issued=issued.gather(np.tile(np.arange(slots.len()), len(members)))))
        return pl.concat(parts)

    def scores(self, slots: pl.Series, feeds: Sequence[str] | None = None) -> pl.DataFrame:
        """Return how wrong the forecasts for `slots` were, by family, lead and season.

        Returns
        -------
        polars.DataFrame
            family, lead, season (Thai Meteorological Department: summer, rainy, winter), cells, mae, rmse, bias
            (forecast minus truth), persistence_rmse (all in `unit`), skill (1 - rmse / persistence_rmse), unit. The
            sun is scored by day alone.

        Raises
        ------
        ArgumentTypeError, ArgumentError, CalendarError
            As `forecast`.
        """
        forecaster, grouped = self._forecaster(slots, feeds)
        season = seasons(slots)
        parts = [
            score(forecaster.guess(prefix, lead), self._places_of(prefix, members, forecaster.world), season)
            .select(pl.lit(prefix).alias("family"), pl.lit(lead).alias("lead"), pl.all())
            .with_columns(unit=pl.lit(family_of(f"{prefix}/{members[0]}").unit))
            for prefix, members in grouped.items()
            for lead in LEADS
        ]
        return pl.concat(parts)

    def replace(self, feed: str, source: object) -> Self:
        """Put a user's own series in place of a feed, and return this object.

        Parameters
        ----------
        feed : str
            One of `names`.
        source : str, Path, polars.DataFrame or polars.LazyFrame
            A ``.csv`` or ``.parquet`` file or a frame with the columns ``slot`` and ``value``, in the unit that
            `gridlab.oracle.feeds.table.feed_table` names; as `gridlab.oracle.feeds.replacement.read_replacement` reads
            them. Times without a zone are Bangkok time.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            There is no such feed, or `source` is nothing readable.
        DatasetError
            There is no such file.
        FrameError
            Columns, times or values are not as they must be; the rows are shown and nothing was replaced.
        """
        self._known(feed)
        self._replaced[feed] = read_replacement(feed, source, family_of(feed))
        return self

    def restore(self, feed: str) -> Self:
        """Take a user's series away again, and return this object.

        Raises
        ------
        ArgumentError
            `feed` does not exist or was not replaced.
        """
        self._known(feed)
        if feed not in self._replaced:
            raise ArgumentError(f"{feed!r} was not replaced; replaced: {sorted(self._replaced) or 'none'}")
        del self._replaced[feed]
        return self

    def _known(self, feed: object) -> None:
        family_of(feed)  # type: ignore[arg-type]  # refuses what is not text
        if feed not in _names():
            raise ArgumentError(f"there is no feed {feed!r}; {nearest(feed, _names())}")

    def _grouped(self, feeds: Sequence[str] | None) -> dict[str, list[str]]:
        names = _names()
        asked = names if feeds is None else [names[row] for row in chosen("feeds", feeds, names)]
        grouped: dict[str, list[str]] = {}
        for name in asked:
            prefix, _, about = name.rpartition("/")
            grouped.setdefault(prefix, []).append(about)
        return grouped

    def _require(self, prefix: str, members: Sequence[str], window: Window) -> None:
        for name in members:
            replaced = self._replaced.get(f"{prefix}/{name}")
            if replaced is not None:
                replaced.require(window)

    @staticmethod
    def _rows(grouped: dict[str, list[str]]) -> npt.NDArray[np.intp]:
        wanted = {name for prefix in _WEATHER for name in grouped.get(prefix, [])}
        return np.flatnonzero([name in wanted for name in places().names])

    def _places_of(self, prefix: str, members: list[str], world: World) -> list[int]:
        there = members_of(prefix, [places().names[row] for row in world.rows])
        return [there.index(name) for name in members]

    def _columns(self, world: World, prefix: str, members: list[str]) -> Floats:
        return world.series(prefix)[:, self._places_of(prefix, members, world)]

    def _forecaster(self, slots: pl.Series, feeds: Sequence[str] | None) -> tuple[Forecaster, dict[str, list[str]]]:
        usual = [f"{prefix}/{town}" for prefix in _WEATHER for town in _SCORED] + [f"load/{name}" for name in REGIONS]
        grouped = self._grouped(usual if feeds is None else feeds)
        for prefix, members in grouped.items():
            if prefix not in FORECAST_FAMILIES:
                raise ArgumentError(f"feed {prefix}/{members[0]} is not forecast; forecast are {FORECAST_FAMILIES}")
        window = window_of(slots)
        for prefix, members in grouped.items():
            self._require(prefix, members, window)
        return Forecaster(self._setting(), window, self._rows(grouped)), grouped
