"""Time on the chains: whole microseconds since 1970-01-01 UTC, which is what polars stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gridlab.chain.arguments import require_int
from gridlab.errors import ArgumentTypeError
from gridlab.frames import TIME_ZONE

__all__ = ["LATEST", "moment", "require_microseconds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The end of the year before datetime's last, so that every time zone can show it. Beyond the range of calendars,
# printing a frame fails, and a stranger's payload must not be able to make it fail.
LATEST = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1) - 1


def require_microseconds(name: str, value: object) -> int:
    """Return a moment as microseconds since 1970-01-01 UTC.

    Parameters
    ----------
    name : str
        What the moment is, for the error message.
    value : datetime or int
        A datetime (Bangkok time where it has no time zone), or the microseconds themselves.

    Raises
    ------
    ArgumentTypeError
        `value` is neither.
    ArgumentError
        `value` is before 1970 or after 9998.
    """
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(TIME_ZONE))
        value = (aware - _EPOCH) // timedelta(microseconds=1)
    elif not isinstance(value, int):
        raise ArgumentTypeError(
            f"{name} is a {type(value).__name__}, allowed: a datetime, or microseconds since 1970-01-01 UTC (int)"
        )
    return require_int(name, value, 0, LATEST)


def moment(microseconds: int) -> datetime:
    """Return microseconds since 1970-01-01 UTC as a datetime in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)
