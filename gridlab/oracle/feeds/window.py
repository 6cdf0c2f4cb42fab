"""The slots asked for, widened to whole days: every process is computed by the day, so that no window changes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.calendar import FIRST_YEAR, LAST_YEAR, is_working_day
from gridlab.errors import ArgumentTypeError, CalendarError
from gridlab.frames import SLOT

__all__ = ["SLOTS_PER_DAY", "Window", "window_of"]

Floats = npt.NDArray[np.float64]

SLOTS_PER_DAY = 96
_SLOT = timedelta(minutes=15)
_SECONDS = 900
_BANGKOK_SECONDS = 7 * 3600
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Window:
    """Whole days around the slots that were asked for.

    Attributes
    ----------
    first_day : date
    days : int
    offset : int
        Slots from the first midnight to the first slot asked for.
    length : int
        How many slots were asked for.
    """

    first_day: date
    days: int
    offset: int
    length: int

    @property
    def inside(self) -> slice:
        """Where the slots asked for stand among those of the whole days."""
        return slice(self.offset, self.offset + self.length)

    @property
    def dates(self) -> list[date]:
        """The days."""
        return [self.first_day + timedelta(days=number) for number in range(self.days)]

    @cached_property
    def unix_time(self) -> Floats:
        """Seconds since 1970 (UTC) in the middle of every slot of the whole days, shape (days * 96,)."""
        midnight = (self.first_day - _EPOCH).days * 86_400 - _BANGKOK_SECONDS
        middle = np.arange(self.days * SLOTS_PER_DAY, dtype=np.float64) + 0.5
        return middle * float(_SECONDS) + float(midnight)

    @cached_property
    def day_of_year(self) -> Floats:
        """1 on 1 January, shape (days,)."""
        return np.array([day.timetuple().tm_yday for day in self.dates], dtype=np.float64)

    @cached_property
    def solar_day(self) -> Floats:
        """Day of the year in Greenwich of every slot of the whole days, shape (days * 96,): what sun formulas take."""
        before = (self.first_day - timedelta(days=1)).timetuple().tm_yday
        shifted = np.concatenate([[float(before)], self.day_of_year])
        late = np.arange(SLOTS_PER_DAY) >= _BANGKOK_SECONDS // _SECONDS
        return np.where(late, shifted[1:, None], shifted[:-1, None]).reshape(-1)

    @cached_property
    def working(self) -> npt.NDArray[np.bool_]:
        """Whether people work on each day, shape (days,)."""
        flags: npt.NDArray[np.bool_] = is_working_day(pl.Series(self.dates, dtype=pl.Date)).to_numpy()
        return flags

    def by_day(self, months: Floats) -> Floats:
        """Return monthly values, shape (12, n), for every day, shape (days, n): linear from mid-month to mid-month."""
        place = (self.day_of_year - 0.5) / 365.25 * 12 - 0.5
        before = np.floor(place).astype(np.intp)
        share = (place - before)[:, None]
        blend: Floats = months[before % 12] * (1 - share) + months[(before + 1) % 12] * share
        return blend

    def back(self, days: int) -> Window:
        """Return the window that starts `days` whole days earlier and asks for all slots from there on."""
        length = self.offset + self.length + days * SLOTS_PER_DAY
        return Window(self.first_day - timedelta(days=days), self.days + days, 0, length)

    def slots(self) -> pl.Series:
        """Return the slots asked for, as `gridlab.calendar.slots` would."""
        start = (self.first_day - _EPOCH).days * SLOTS_PER_DAY + self.offset
        steps: pl.Series = pl.int_range(start, start + self.length, dtype=pl.Int64, eager=True) * (_SECONDS * 1_000_000)
        return steps.cast(pl.Datetime("us")).dt.replace_time_zone(SLOT.time_zone).alias("slot")


def window_of(slots: pl.Series) -> Window:
    """Return the window of consecutive slots.

    Raises
    ------
    ArgumentTypeError
        `slots` is not a Series of Datetime[us, Asia/Bangkok].
    CalendarError
        It is empty, has nulls, is not on the 15-minute grid, has gaps, or leaves the calendar's years.
    """
    if not isinstance(slots, pl.Series) or slots.dtype != SLOT:
        found = slots.dtype if isinstance(slots, pl.Series) else type(slots).__name__
        raise ArgumentTypeError(f"slots: expected a Series of {SLOT}, got {found}; gridlab.calendar.slots makes one")
    if slots.is_empty() or slots.null_count():
        raise CalendarError("slots: expected one or more slots without nulls; gridlab.calendar.slots makes them")
    first = slots[0]
    steps = slots.diff().drop_nulls()
    if first.minute % 15 or first.second or first.microsecond or (steps != _SLOT).any():
        wrong = (steps != _SLOT).arg_max() if (steps != _SLOT).any() else None
        place = "the first" if wrong is None else f"the step to row {wrong + 1}"
        raise CalendarError(f"slots: {place} is not on the 15-minute grid; allowed: consecutive quarters of an hour")
    last = slots[-1]
    # Look-backs of up to 70 days must stay inside the calendar too.
    if first.date() < date(FIRST_YEAR, 4, 1) or last.year > LAST_YEAR or last.date() == date(LAST_YEAR, 12, 31):
        raise CalendarError(
            f"slots: {first.isoformat()} to {last.isoformat()} is not allowed; feeds run from 1 April {FIRST_YEAR} to "
            f"30 December {LAST_YEAR}"
        )
    days = (last.date() - first.date()).days + 1
    return Window(first.date(), days, first.hour * 4 + first.minute // 15, slots.len())
