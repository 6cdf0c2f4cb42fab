"""HoloViews pictures of feeds: the sky over a province, clouds over the country, and load by region."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import holoviews as hv
import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.calendar import slots
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.feeds.forecaster import FORECAST_FAMILIES
from gridlab.oracle.feeds.places import REGIONS, places
from gridlab.ui.consensus_plots import framed, thousands, value_axis
from gridlab.ui.convert import columns
from gridlab.ui.figures import clock, day_of, number
from gridlab.ui.oracle_words import FAMILY_WORDS, feed_scale, feed_words, member_words
from gridlab.ui.palette import SKY, ZONES, Ink
from gridlab.ui.word import Word
from gridlab.ui.words import ZONES as ZONE_WORDS

__all__ = ["FeedsPlots"]

_DRAWN = {"backend": "bokeh"}
_DAY = "2026-04-20"
_LEADS = {
    "day_ahead": Word("forecast of the day before", "พยากรณ์ล่วงหน้าหนึ่งวัน"),
    "1h": Word("forecast 1 h before", "พยากรณ์ล่วงหน้า 1 ชม."),
}
# Shares of what a cloudless sky would give, from which on a sky is called so.
_CLOUDS = (
    (0.75, Word("clear", "ท้องฟ้าแจ่มใส"), "circle"),
    (0.4, Word("cloudy", "มีเมฆบางส่วน"), "triangle"),
    (-1.0, Word("overcast", "เมฆเต็มท้องฟ้า"), "square"),
)
_DIM = 20.0  # W/m² of a cloudless sky below which clouds say nothing

_Day = date | datetime | str


class FeedsPlots:
    """The pictures of the world that the oracle looks at.

    Parameters
    ----------
    feeds : Feeds

    Examples
    --------
    ``feeds.plot.sky("Khon Kaen", "2026-06-10")``, ``feeds.plot.clouds("2026-06-10T12:00")``,
    ``feeds.plot.load("2026-06-10")``, ``feeds.plot.feed("price/wholesale")``
    """

    def __init__(self, feeds: Feeds) -> None:
        if not isinstance(feeds, Feeds):
            raise ArgumentTypeError(f"plots: expected Feeds, got {type(feeds).__name__}")
        self._feeds = feeds

    def __repr__(self) -> str:
        kinds = ", ".join(f".{name}()" for name in vars(FeedsPlots) if not name.startswith("_"))
        return f"FeedsPlots of {self._feeds!r}: {kinds}; a notebook shows them after one gl.notebook()"

    def sky(self, province: str = "Bangkok", day: _Day = _DAY, *, hours: float = 24) -> hv.Overlay:
        """Draw the sun over a province: a cloudless sky, what came through, and what was forecast.

        Parameters
        ----------
        province : str
        day : date, datetime or str
            First slot, as `gridlab.calendar.slots` reads it.
        hours : float

        Raises
        ------
        ArgumentTypeError, ArgumentError, CalendarError, FrameError
            As `Feeds.truth`.
        """
        times = slots(day, hours=hours)
        table = columns(self._feeds.weather(times, [province]).select("slot", "clear"))
        y = value_axis("value", FAMILY_WORDS["weather/ghi"], "W/m²")
        clear = _line(table["slot"], table["clear"], y, str(Word("cloudless sky", "ฟ้าไร้เมฆ")), SKY["clear"])
        return self._with_forecasts(f"weather/ghi/{province}", times, y, [clear])

    def feed(self, feed: str, day: _Day = _DAY, *, hours: float = 24) -> hv.Overlay:
        """Draw any feed, with its forecasts where there are any; arguments and errors as of `sky`."""
        times = slots(day, hours=hours)
        if feed not in self._feeds.names():
            raise ArgumentError(f"there is no feed {feed!r}; {nearest(feed, self._feeds.names())}")
        word = FAMILY_WORDS[feed.rpartition("/")[0]]
        y = hv.Dimension("value", label=str(word), unit=feed_scale(feed)[1])
        return self._with_forecasts(feed, times, y, [])

    def _with_forecasts(self, feed: str, times: pl.Series, y: hv.Dimension, parts: list[Any]) -> hv.Overlay:
        scale, _ = feed_scale(feed)
        truth = columns(self._feeds.truth(times, [feed]).select("observed", pl.col("value") / scale))
        parts.append(_line(truth["observed"], truth["value"], y, str(Word("as it was", "ค่าจริง")), SKY["truth"]))
        for lead, word in _LEADS.items() if feed.rpartition("/")[0] in FORECAST_FAMILIES else ():
            guess = self._feeds.forecast(times, [feed], lead=lead).select("observed", pl.col("value") / scale)
            table = columns(guess)
            parts.append(_line(table["observed"], table["value"], y, str(word), SKY[lead]))
        return framed(hv.Overlay(parts), f"{feed_words(feed)}, {_span(times)}", yformatter=thousands())

    def clouds(self, at: _Day = f"{_DAY}T12:00") -> hv.Overlay:
        """Draw the provincial towns where they lie, each with how much of a cloudless sky's sun comes through (%).

        Parameters
        ----------
        at : date, datetime or str
            A slot in daylight.

        Raises
        ------
        ArgumentTypeError, CalendarError
            `at` is no slot.
        ArgumentError
            It is dark somewhere in the country.
        """
        moment, here = slots(at, slots=1), places()
        weather = self._feeds.weather(moment)
        clear = weather["clear"].to_numpy()
        if clear.min() < _DIM:
            raise ArgumentError(f"clouds: at {at} it is dark; ask for a slot in daylight, such as {_DAY}T12:00")
        share = weather["ghi"].to_numpy() / clear
        names = np.array([member_words(name) for name in weather["province"].to_list()], dtype=object)
        parts: list[Any] = []
        above = np.inf
        for floor, word, marker in _CLOUDS:
            chosen, above = (share >= floor) & (share < above), floor
            if chosen.any():
                label = f"{word}: {number(int(chosen.sum()))}"
                data = (here.longitude[chosen], here.latitude[chosen], 100 * share[chosen], names[chosen])
                parts.append(_towns(data, label, marker, colorbar=not parts))
        title = f"{Word('Clouds over the country', 'เมฆเหนือประเทศไทย')}, {day_of(moment[0])} {clock(moment[0])}"
        return framed(hv.Overlay(parts), title).opts(height=620, max_width=520, **_DRAWN)  # as tall as the country

    def load(self, day: _Day = _DAY, *, hours: float = 24) -> hv.Overlay:
        """Draw the load of the five regions (MW); arguments and errors as of `Feeds.load`."""
        times = slots(day, hours=hours)
        summed = self._feeds.load(times).group_by("slot", "region", maintain_order=True).agg(pl.col("load_mw").sum())
        y = value_axis("load", FAMILY_WORDS["load"], "MW")
        parts = []
        for region in REGIONS:
            table = columns(summed.filter(pl.col("region") == region).select("slot", "load_mw"))
            parts.append(_line(table["slot"], table["load_mw"], y, str(ZONE_WORDS[region]), ZONES[region]))
        title = f"{Word('Load by region', 'ความต้องการไฟฟ้ารายภาค')}, {_span(times)}"
        return framed(hv.Overlay(parts), title, yformatter=thousands(), ylim=(0, None))


def _line(time: npt.NDArray, values: npt.NDArray, y: hv.Dimension, label: str, ink: Ink) -> hv.Curve:
    x = hv.Dimension("time", label=str(Word("time", "เวลา")))
    dash = [int(pixels) for pixels in ink.dash.split()] or "solid"
    curve = hv.Curve((time, values), x, y, label=label)
    return curve.opts(color=ink.colour, line_dash=dash, line_width=2, tools=["hover"], **_DRAWN)


def _span(times: pl.Series) -> str:
    first, last = day_of(times[0]), day_of(times[-1])
    return first if first == last else f"{first} \N{EN DASH} {last}"


def _towns(data: tuple[npt.NDArray, ...], label: str, marker: str, *, colorbar: bool) -> hv.Points:
    x = hv.Dimension("east", label=str(Word("longitude", "ลองจิจูด")), unit="°E")
    y = hv.Dimension("north", label=str(Word("latitude", "ละติจูด")), unit="°N")
    share = hv.Dimension("share", label=str(Word("share of a cloudless sky", "สัดส่วนเทียบกับฟ้าไร้เมฆ")), unit="%")
    town = hv.Dimension("town", label=str(Word("province", "จังหวัด")))
    return hv.Points(data, [x, y], [share, town], label=label).opts(
        color="share", cmap="cividis", clim=(0, 100), colorbar=colorbar, marker=marker, size=11,
        line_color="black", line_width=0.5, tools=["hover"], **_DRAWN,
    )  # fmt: skip
