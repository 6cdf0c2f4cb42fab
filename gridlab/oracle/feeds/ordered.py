"""Weather by order: a front or a heat wave at a time of one's choosing, for a lesson or a scenario."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Self

from gridlab.calendar import slots
from gridlab.errors import ArgumentError
from gridlab.oracle.feeds.doors import require_number, require_region
from gridlab.oracle.feeds.events import Front, HeatWave, front_between
from gridlab.oracle.feeds.settings import WorldLevers

__all__ = ["OrderedWeather"]


class OrderedWeather(WorldLevers):
    """The levers of the world, and the weather that was ordered beside the seeded.

    Attributes
    ----------
    fronts, heat_waves : tuple
        What was ordered so far.
    """

    def __init__(self, **levers: Any) -> None:
        self.fronts: tuple[Front, ...] = ()
        self.heat_waves: tuple[HeatWave, ...] = ()
        super().__init__(**levers)

    @property
    def ordered(self) -> str:
        """The fronts and heat waves that were ordered, as text; `read_ordered` takes them."""
        return json.dumps({"fronts": self.fronts, "heat_waves": self.heat_waves}, default=asdict)

    def read_ordered(self, written: str) -> Self:
        """Take the weather that `ordered` wrote in place of that here, or raise ArgumentError."""
        try:
            found = json.loads(written)
            fronts = tuple(Front(**row) for row in found["fronts"])
            waves = tuple(HeatWave(**row) for row in found["heat_waves"])
        except (ValueError, TypeError, KeyError) as problem:
            raise ArgumentError(f"the ordered weather does not read ({problem}); take another copy") from problem
        self.fronts, self.heat_waves = fronts, waves
        return self

    def front(
        self,
        at: date | datetime | str,
        *,
        origin: str = "SAC",
        to: str = "NEC",
        hours: float = 12.0,
        width: float = 150.0,
        depth: float = 2.5,
    ) -> Self:
        """Send one more front across the country, and return this object.

        Parameters
        ----------
        at : date, datetime or str
            When its middle passes the middle of `origin`, as `gridlab.calendar.slots` reads it.
        origin, to : str
            Two different EGAT regions.
        hours : float
            From `origin` to `to`, 1 to 72.
        width : float
            Standard deviation of the band, 20 to 1,000 km.
        depth : float
            By how much it lowers the logit of the clear-sky index, 0 to 6; 2.5 turns a mean of 0.7 into about 0.2.

        Raises
        ------
        ArgumentTypeError, ArgumentError, CalendarError
            An argument is not allowed.
        """
        ends = [require_region("origin", origin), require_region("to", to)]
        if origin == to:
            raise ArgumentError(f"front: origin and to are both {origin!r}; allowed: two different regions")
        hours = require_number("hours", hours, 1.0, 72.0)
        width, depth = require_number("width", width, 20.0, 1000.0), require_number("depth", depth, 0.0, 6.0)
        self.fronts += (front_between(_unix(at), *ends, hours=hours, width=width, depth=depth),)
        return self

    def hot_spell(self, at: date | datetime | str, *, days: float = 5.0, degrees: float = 4.0) -> Self:
        """Send one more heat wave, half a sine of `degrees` (°C) over `days`, and return this object.

        Raises
        ------
        ArgumentTypeError, ArgumentError, CalendarError
            `days` is not 0.5 to 30, `degrees` not -10 to 10, or `at` no moment.
        """
        days, degrees = require_number("days", days, 0.5, 30.0), require_number("degrees", degrees, -10.0, 10.0)
        self.heat_waves += (HeatWave(_unix(at), days, degrees),)
        return self


def _unix(at: date | datetime | str) -> float:
    return float(slots(at, slots=1).dt.epoch("s")[0])
