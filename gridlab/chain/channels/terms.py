"""A channel's timeouts as levers."""

from __future__ import annotations

from gridlab.levers import Levers, number

__all__ = ["ChannelTerms"]

_WHO = "the two parties of a channel"
_TEACHING = "teaching choice (S)"
_MINUTE = 60_000_000


class ChannelTerms(Levers):
    """How long a close that is not agreed on takes.

    Examples
    --------
    >>> ChannelTerms().window_microseconds
    86400000000
    """

    dispute_window = number(
        1440,
        1,
        43_200,
        1,
        unit="min",
        label="Time in which a newer state may be shown",
        label_th="ระยะเวลาโต้แย้งสถานะของช่องทางชำระเงิน",
        source="one day; Poon and Dryja (2016) leave it to the parties; teaching choice (S)",
        governed_by=_WHO,
    )
    longest_lock = number(
        4320,
        1,
        43_200,
        1,
        unit="min",
        label="How long a close waits for conditional payments",
        label_th="ระยะเวลาสูงสุดที่รอการชำระเงินแบบมีเงื่อนไข",
        source=_TEACHING,
        governed_by=_WHO,
    )
    @property
    def window_microseconds(self) -> int:
        """The dispute window in microseconds."""
        return int(self.dispute_window) * _MINUTE

    @property
    def lock_microseconds(self) -> int:
        """How long a close waits for conditional payments, microseconds."""
        return int(self.longest_lock) * _MINUTE
