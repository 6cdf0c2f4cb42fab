"""The council's seats, what they move, and the stops that came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from gridlab.chain.emergency.scopes import ACTIONS, SCOPES
from gridlab.chain.encoding import Reader, compact, i64, text, u8, u32, u64

__all__ = ["DUTIES", "Motion", "Seat", "StopRecord"]

DUTIES = pl.Enum(["seat", "monitor", "governance"])
_NEVER = -1


def _texts(values: tuple[str, ...]) -> bytes:
    return compact(len(values)) + b"".join(map(text, values))


def _read_texts(reader: Reader) -> tuple[str, ...]:
    return tuple(reader.text() for _ in range(reader.compact()))


def _maybe(value: int | None) -> bytes:
    return i64(_NEVER if value is None else value)


def _read_maybe(reader: Reader) -> int | None:
    value = reader.i64()
    return None if value == _NEVER else value


def _read_one(reader: Reader, names: pl.Enum) -> str:
    place = reader.u8()
    if place >= len(names.categories):
        raise reader.error(f"place {place} in {names.categories.to_list()} does not exist")
    return str(names.categories[place])


def _place(name: str, names: pl.Enum) -> bytes:
    return u8(names.categories.to_list().index(name))


@dataclass(frozen=True, slots=True)
class Seat:
    """Who may do what in an emergency.

    Attributes
    ----------
    name : str
    account : int
        The member that signs.
    duty : str
        "seat": approves; "monitor": a machine that approves by rule; "governance": brings what voters have decided.
    """

    name: str
    account: int
    duty: str

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return text(self.name) + u32(self.account) + _place(self.duty, DUTIES)

    @classmethod
    def read(cls, reader: Reader) -> Seat:
        """Read what `to_bytes` wrote."""
        return cls(reader.text(), reader.u32(), _read_one(reader, DUTIES))


@dataclass(frozen=True, slots=True)
class Motion:
    """Something that seats approve of, each by its own transaction, until enough have.

    Attributes
    ----------
    action, scope, target, reason : str
    until : int
        When the stop ends by itself, microseconds since 1970. All of these are what a seat signs: whoever writes
        another reason or end opens another motion.
    opened : int
        Microseconds since 1970.
    approvals : tuple of str
        Names of seats.
    """

    action: str
    scope: str
    target: str
    reason: str
    until: int
    opened: int = 0
    approvals: tuple[str, ...] = ()

    @property
    def subject(self) -> tuple[str, str, str, str, int]:
        """What a seat approves of."""
        return self.action, self.scope, self.target, self.reason, self.until

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        what = _place(self.action, ACTIONS) + _place(self.scope, SCOPES) + text(self.target) + text(self.reason)
        return what + u64(self.until) + u64(self.opened) + _texts(self.approvals)

    @classmethod
    def read(cls, reader: Reader) -> Motion:
        """Read what `to_bytes` wrote."""
        action, scope = _read_one(reader, ACTIONS), _read_one(reader, SCOPES)
        return cls(action, scope, reader.text(), reader.text(), reader.u64(), reader.u64(), _read_texts(reader))


@dataclass(frozen=True, slots=True)
class StopRecord:
    """One stop, in force or over.

    Attributes
    ----------
    number : int
        Counts from 0.
    scope, target, reason : str
    since, until : int
        From the block that made it until it ends by itself, microseconds since 1970.
    height : int
        Of that block.
    approvals : tuple of str
        Names of seats; one alone where the monitor stops a zone by itself.
    alone : bool
        Whether it is the monitor's own.
    requested : int or None
        When the council asked for a vote on going on.
    ended : int or None
        None while it is in force.
    ended_by : str
        "", "expiry", "vote", or "council" where the council's own stop took the place of the monitor's.
    referendum : int or None
    reference : str
        Where the vote is to be found.
    orders, released : int
        How many resting orders were let go when it ended, since their delivery had begun, and what had been reserved
        for them, micro-WATT.
    """

    number: int
    scope: str
    target: str
    reason: str
    since: int
    until: int
    height: int
    approvals: tuple[str, ...]
    alone: bool = False
    requested: int | None = None
    ended: int | None = None
    ended_by: str = ""
    referendum: int | None = None
    reference: str = ""
    orders: int = 0
    released: int = 0

    @property
    def in_force(self) -> bool:
        """Whether it stands."""
        return self.ended is None

    @property
    def what(self) -> str:
        """What stands, in words."""
        return f"the {self.scope} {self.target}".strip()

    @property
    def why(self) -> str:
        """Why a transaction is refused under it."""
        return (
            f"{self.what} stands by emergency stop {self.number} ({self.reason}) since {self.since} µs, until a vote "
            f"or {self.until} µs"
        )

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return b"".join(
            [
                u32(self.number),
                _place(self.scope, SCOPES),
                *map(text, (self.target, self.reason, self.ended_by, self.reference)),
                *map(u64, (self.since, self.until, self.height)),
                _texts(self.approvals),
                u8(int(self.alone)),
                *map(_maybe, (self.requested, self.ended, self.referendum)),
                *map(u64, (self.orders, self.released)),
            ]
        )

    @classmethod
    def read(cls, reader: Reader) -> StopRecord:
        """Read what `to_bytes` wrote."""
        number, scope = reader.u32(), _read_one(reader, SCOPES)
        target, reason, ended_by, reference = (reader.text() for _ in range(4))
        since, until, height = (reader.u64() for _ in range(3))
        approvals, alone = _read_texts(reader), bool(reader.u8())
        requested, ended, referendum = (_read_maybe(reader) for _ in range(3))
        made = cls(number, scope, target, reason, since, until, height, approvals, alone)
        over = replace(made, ended=ended, ended_by=ended_by, referendum=referendum, reference=reference)
        return replace(over, requested=requested, orders=reader.u64(), released=reader.u64())
