"""Baht that the reserve bank booked after the moment of the newest attestation, which nobody has attested yet.

Each amount is kept with its moment, because an attestation may reach the chain late: it covers what was booked up to
its own moment, and not what was booked while it was on its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from gridlab.chain.encoding import Reader, u32, u64

__all__ = ["MOST_MOMENTS", "Bookings"]

# A day of slots. The two oldest are then counted as one of the later moment, so the register stays small and no
# booking ever passes for attested before it is.
MOST_MOMENTS = 96
_LARGEST = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Bookings:
    """Never changed, only replaced.

    Attributes
    ----------
    entries : tuple of (int, int)
        Moment (microseconds since 1970, growing) and baht booked then (micro-THB, more than 0).

    Examples
    --------
    >>> booked = Bookings().add(10, 5).add(20, 7).add(20, 1)
    >>> booked.total, booked.after(10).total, booked.after(20).total
    (13, 8, 0)
    """

    entries: tuple[tuple[int, int], ...] = ()

    @property
    def total(self) -> int:
        """All of them, micro-THB."""
        return sum(amount for _, amount in self.entries)

    def add(self, moment: int, amount: int) -> Bookings:
        """Return them with `amount` more, booked at `moment`, which is none before the newest."""
        entries = self.entries
        if entries and entries[-1][0] == moment:
            entries, amount = entries[:-1], entries[-1][1] + amount
        entries = (*entries, (moment, min(amount, _LARGEST)))
        if len(entries) > MOST_MOMENTS:
            (_, oldest), (later, next_oldest) = entries[:2]
            entries = ((later, min(oldest + next_oldest, _LARGEST)), *entries[2:])
        return Bookings(entries)

    def after(self, moment: int) -> Bookings:
        """Return those that were booked after `moment`."""
        return Bookings(tuple(entry for entry in self.entries if entry[0] > moment))

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return u32(len(self.entries)) + b"".join(u64(moment) + u64(amount) for moment, amount in self.entries)

    @classmethod
    def read(cls, reader: Reader) -> Bookings:
        """Read what `to_bytes` wrote; raises ChainError where moments do not grow or an amount is 0."""
        count = reader.u32()
        if count > MOST_MOMENTS:
            raise reader.error(f"{count} moments of bookings, allowed: at most {MOST_MOMENTS}")
        entries = tuple((reader.u64(), reader.u64()) for _ in range(count))
        moments = [moment for moment, _ in entries]
        if any(later <= earlier for earlier, later in pairwise(moments)):
            raise reader.error("the moments of bookings do not grow")
        if not all(amount for _, amount in entries):
            raise reader.error("a booking of 0 micro-THB, allowed: more than 0")
        return cls(entries)
