"""All that a chain knows of its emergencies: the council, what it is voting on, and every stop there has been.

A motion carries at the m-th approval, m being a term of the chain (`gridlab.chain.terms.ChainTerms.stop_threshold`), if
one of them is a person's: machines alone stop nothing but a zone, and that only for as long as another term says.

A stop ends by itself at the moment that its council signed, or earlier by a vote, which governance brings. The council
can ask for that vote and cannot do without: who may stop must not decide alone when it goes on, and nobody can keep a
chain standing by refusing to sign.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.emergency.frames import motions_frame, seats_frame, stops_frame
from gridlab.chain.emergency.records import Motion, Seat, StopRecord
from gridlab.chain.emergency.scopes import GOES_ON, MARKET_KINDS, SETTLEMENT_ASSET, require_target
from gridlab.chain.emergency.wire import LONGEST_TEXT
from gridlab.chain.encoding import Reader, compact
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.moments import LATEST
from gridlab.chain.terms import ChainTerms
from gridlab.errors import ChainError

__all__ = ["EmergencyBook"]

_DOMAIN = "gridlab/emergency-book/1"
_SECOND = 1_000_000
_MOST_SEATS, _LONGEST_NAME = 64, 64
# So that one seat cannot crowd out what the others move.
_MOST_OPEN_PER_SEAT = 8


@dataclass(frozen=True, slots=True)
class EmergencyBook:
    """Council, motions and stops of one chain. Never changed: its methods return a new one.

    Attributes
    ----------
    seats : tuple of Seat
    motions : tuple of Motion
        Those that are open.
    stops : tuple of StopRecord
        By number.
    """

    seats: tuple[Seat, ...] = ()
    motions: tuple[Motion, ...] = ()
    stops: tuple[StopRecord, ...] = ()

    # What stands

    @property
    def standing(self) -> tuple[StopRecord, ...]:
        """The stops in force."""
        return tuple(stop for stop in self.stops if stop.in_force)

    def stands(self, scope: str, target: str = "") -> StopRecord | None:
        """Return the stop in force of exactly this scope and target, or None."""
        return next((stop for stop in self.standing if (stop.scope, stop.target) == (scope, target)), None)

    @property
    def frozen(self) -> tuple[str, ...]:
        """The assets that nothing may move, by stops of their own."""
        return tuple(stop.target for stop in self.standing if stop.scope == "asset")

    def why_not(self, kind: str, frame: pl.DataFrame) -> str | None:
        """Say why a transaction is refused by its kind, and for orders and trades by their zones; None if it is not."""
        for stop in self.standing:
            refused = {
                "chain": kind not in GOES_ON,
                "market": kind in MARKET_KINDS,
                "asset": kind in MARKET_KINDS and stop.target == SETTLEMENT_ASSET,
                "zone": kind in MARKET_KINDS and _names_zone(frame, stop.target),
            }
            if refused[stop.scope]:
                return stop.why
        return None

    def shuts_market(self) -> bool:
        """Whether no gate can close anywhere."""
        return any(map(_shuts_market, self.standing))

    def shut_since(self, now: int) -> int:
        """Return since when, without a break until `now`, no gate could close anywhere; `now` where one could."""
        begun = now
        for stop in sorted(filter(_shuts_market, self.stops), key=lambda stop: stop.since, reverse=True):
            if stop.since <= begun <= (now if stop.ended is None else stop.ended):
                begun = stop.since
        return begun

    def barred(self, orders: pl.DataFrame) -> npt.NDArray[np.bool_]:
        """Say for each order whether it may not meet when its gate closes.

        That is so in a zone that stands, and wherever the delivery of a slot began while its market or zone stood: who
        trades it afterwards would trade what everybody has seen.

        Parameters
        ----------
        orders : polars.DataFrame
            ``slot``, ``zone``.
        """
        barred = np.zeros(orders.height, np.bool_)
        if not self.stops:
            return barred
        slots, zones = orders["slot"].to_physical().to_numpy(), orders["zone"].cast(pl.String)
        for stop in self.stops:
            if stop.scope == "zone":
                own = (zones == stop.target).to_numpy()
            elif _shuts_market(stop):
                own = np.ones(orders.height, np.bool_)
            else:
                continue
            barred |= own if stop.in_force else own & (slots >= stop.since) & (slots < stop.ended)
        return barred

    # What changes it

    def seated(self, frame: pl.DataFrame, accounts: int, terms: ChainTerms) -> EmergencyBook:
        """Return the book with another council (`gridlab.chain.emergency.EMERGENCY_COUNCIL`); open motions are gone.

        Raises
        ------
        ChainError
            A stop of the council is in force, a name, account or duty does not fit, or fewer may approve than must.
        """
        # Those that the monitor makes by itself do not count, or it could keep its seat by making one after another.
        decided = [stop for stop in self.standing if not stop.alone]
        if decided:
            raise ChainError(f"emergency_council: {decided[0].why}; the council stays until then")
        seats = tuple(Seat(*row) for row in frame.select("seat", "account", "duty").rows())
        for seat in seats:
            if not 1 <= len(seat.name.encode()) <= _LONGEST_NAME or seat.account >= accounts:
                raise ChainError(
                    f"emergency_council: {seat}, allowed: a name of 1 to {_LONGEST_NAME} bytes and an account of "
                    f"0 … {accounts - 1}"
                )
        names, holders = {seat.name for seat in seats}, {seat.account for seat in seats}
        if min(len(names), len(holders)) < len(seats) or len(seats) > _MOST_SEATS:
            raise ChainError(
                f"emergency_council: {len(seats)} seats, allowed: at most {_MOST_SEATS}, each name and account once"
            )
        duties = [seat.duty for seat in seats]
        if max(duties.count("monitor"), duties.count("governance")) > 1:
            raise ChainError("emergency_council: more than one monitor or governance, allowed: one of each")
        book = EmergencyBook(seats, (), self.stops)
        book.require_enough(terms)
        return book

    def require_enough(self, terms: ChainTerms) -> None:
        """Raise ChainError where fewer may approve than must."""
        approving = sum(seat.duty != "governance" for seat in self.seats)
        if self.seats and approving < terms.stop_threshold:
            raise ChainError(
                f"emergency: {approving} seats may approve and stop_threshold is {terms.stop_threshold}, so that "
                "nothing could ever be stopped; name more seats or lower the term"
            )

    def approved(self, row: dict[str, Any], account: int, *, now: int, height: int, terms: ChainTerms) -> EmergencyBook:
        """Return the book after a seat's approval, and with the stop or request in it if that was the last needed.

        Parameters
        ----------
        row : dict
            action, scope, target, reason, and until in microseconds since 1970.
        account : int
            The sender's.
        now, height : int
            Of the block.
        terms : ChainTerms

        Raises
        ------
        ChainError
            The sender has no seat that approves, has approved already, has too much open, or the motion does not fit
            what stands or the longest stop allowed.
        """
        seat = self._seat(account, ("seat", "monitor"), "approve")
        asked = Motion(row["action"], row["scope"], row["target"], row["reason"], row["until"], now)
        self._require_fit(asked, now, terms)
        motion = next((each for each in self.motions if each.subject == asked.subject), asked)
        if seat.name in motion.approvals:
            raise ChainError(f"emergency_approve: {seat.name} has approved of this already; it takes other seats")
        if sum(seat.name in each.approvals for each in self.motions) >= _MOST_OPEN_PER_SEAT:
            raise ChainError(
                f"emergency_approve: {seat.name} has approved of {_MOST_OPEN_PER_SEAT} open motions, allowed: no more "
                "until one carries or lapses"
            )
        motion = replace(motion, approvals=(*motion.approvals, seat.name))
        others = tuple(each for each in self.motions if each.subject != motion.subject)
        if self._carries(motion, terms):
            return _carried(replace(self, motions=others), motion, now, height)
        book = replace(self, motions=(*others, motion))
        if seat.duty == "monitor" and self._alone(motion, now, terms):
            end = min(motion.until, now + terms.monitor_stop * _SECOND)
            return _begun(book, replace(motion, until=end, approvals=(seat.name,)), now, height, alone=True)
        return book

    def _require_fit(self, motion: Motion, now: int, terms: ChainTerms) -> None:
        require_target(motion.scope, motion.target)
        _require_length("reason", motion.reason)
        standing = self.stands(motion.scope, motion.target)
        if motion.action == "resume":
            if standing is None or standing.until != motion.until:
                raise ChainError(
                    f"emergency_approve: no stop of {motion.scope} {motion.target!r} that ends at {motion.until} µs is "
                    "in force; request_frame(stop, reason) writes one that fits"
                )
            return
        if standing is not None and not standing.alone:
            raise ChainError(f"emergency_approve: {standing.why}; it needs no other stop")
        latest = min(now + terms.stop_longest * _SECOND, LATEST)
        if not now < motion.until <= latest:
            raise ChainError(
                f"emergency_approve: the stop would end at {motion.until} µs, allowed: after {now} and until {latest}"
            )

    def _carries(self, motion: Motion, terms: ChainTerms) -> bool:
        machines = {seat.name for seat in self.seats if seat.duty == "monitor"}
        return len(motion.approvals) >= terms.stop_threshold and not machines.issuperset(motion.approvals)

    def _alone(self, motion: Motion, now: int, terms: ChainTerms) -> bool:
        """Whether the monitor stops a zone by itself: not twice within the time that such a stop lasts."""
        if (motion.action, motion.scope) != ("stop", "zone") or not terms.monitor_stop:
            return False
        own = [stop for stop in self.stops if stop.alone and stop.target == motion.target]
        return all(stop.ended is not None and stop.ended + terms.monitor_stop * _SECOND <= now for stop in own)

    def resumed(self, row: dict[str, Any], account: int, *, now: int) -> EmergencyBook:
        """Return the book with a stop ended by a vote.

        A referendum may end several stops, but none that was made after it first ended one: an old vote says nothing
        about a new emergency.

        Raises
        ------
        ChainError
            The sender is not governance, the stop is not in force, or the referendum is an old one.
        """
        self._seat(account, ("governance",), "resume")
        number, referendum = row["stop"], row["referendum"]
        _require_length("reference", row["reference"])
        if referendum > LATEST:
            raise ChainError(f"emergency_resume: referendum {referendum} is beyond what is counted, {LATEST}")
        if number >= len(self.stops) or not self.stops[number].in_force:
            raise ChainError(
                f"emergency_resume: no stop {number} is in force, in force are "
                f"{[stop.number for stop in self.standing]}"
            )
        stop = self.stops[number]
        used = [each.ended for each in self.stops if each.referendum == referendum and each.ended is not None]
        if used and stop.since > min(used):
            raise ChainError(
                f"emergency_resume: referendum {referendum} ended a stop at {min(used)} µs, before stop {number} was "
                f"made at {stop.since} µs; it takes a vote of its own"
            )
        ended = replace(stop, ended=now, ended_by="vote", referendum=referendum, reference=row["reference"])
        return _with(self, ended)

    def lapsed(self, now: int, terms: ChainTerms) -> EmergencyBook:
        """Return the book without what is over at `now`: stops that end by themselves, motions open for too long."""
        if not (self.motions or self.standing):
            return self
        stops = tuple(
            replace(stop, ended=now, ended_by="expiry") if stop.in_force and stop.until <= now else stop
            for stop in self.stops
        )
        oldest = now - terms.motion_lifetime * _SECOND
        motions = tuple(motion for motion in self.motions if motion.opened > oldest and motion.until > now)
        return replace(self, motions=motions, stops=stops)

    def let_go(self, now: int, orders: int, released: int) -> EmergencyBook:
        """Return the book with what the stop that has just ended let go: orders, and what is free again, micro-WATT."""
        last = [stop for stop in self.stops if stop.ended == now and _shuts_market(stop)][-1]
        return _with(self, replace(last, orders=orders, released=released))

    def _seat(self, account: int, duties: tuple[str, ...], verb: str) -> Seat:
        for seat in self.seats:
            if seat.account == account and seat.duty in duties:
                return seat
        allowed = [f"{seat.name} (account {seat.account})" for seat in self.seats if seat.duty in duties]
        raise ChainError(f"emergency_{verb}: account {account} has no seat for it, allowed: {allowed or 'nobody yet'}")

    # As frames and bytes

    @property
    def frame(self) -> pl.DataFrame:
        """One row per stop, as `gridlab.chain.emergency.frames.STOPS`."""
        return stops_frame(self.stops)

    @property
    def motion_frame(self) -> pl.DataFrame:
        """One row per open motion: action, scope, target, reason, until, opened, approvals."""
        return motions_frame(self.motions)

    @property
    def council(self) -> pl.DataFrame:
        """One row per seat: seat, account, duty."""
        return seats_frame(self.seats)

    @property
    def is_empty(self) -> bool:
        """Whether there has never been a council."""
        return not (self.seats or self.motions or self.stops)

    @property
    def hash(self) -> bytes:
        """Hash over council, motions and stops, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        groups = (self.seats, self.motions, self.stops)
        return b"".join(compact(len(group)) + b"".join(each.to_bytes() for each in group) for group in groups)

    @classmethod
    def from_bytes(cls, data: bytes) -> EmergencyBook:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "emergencies")
        seats = tuple(Seat.read(reader) for _ in range(reader.compact()))
        motions = tuple(Motion.read(reader) for _ in range(reader.compact()))
        stops = tuple(StopRecord.read(reader) for _ in range(reader.compact()))
        reader.finish()
        if [stop.number for stop in stops] != list(range(len(stops))):
            raise reader.error("the stops are not numbered 0, 1, 2, …")
        return cls(seats, motions, stops)


def _carried(book: EmergencyBook, motion: Motion, now: int, height: int) -> EmergencyBook:
    standing = book.stands(motion.scope, motion.target)
    if motion.action == "resume":
        return book if standing is None else _with(book, replace(standing, requested=now))
    before = book if standing is None else _with(book, replace(standing, ended=now, ended_by="council"))
    return _begun(before, motion, now, height, alone=False)


def _begun(book: EmergencyBook, motion: Motion, now: int, height: int, *, alone: bool) -> EmergencyBook:
    what = (motion.scope, motion.target, motion.reason)
    stop = StopRecord(len(book.stops), *what, now, motion.until, height, motion.approvals, alone)
    return replace(book, stops=(*book.stops, stop))


def _with(book: EmergencyBook, stop: StopRecord) -> EmergencyBook:
    return replace(book, stops=(*book.stops[: stop.number], stop, *book.stops[stop.number + 1 :]))


def _shuts_market(stop: StopRecord) -> bool:
    return stop.scope in {"market", "chain"} or (stop.scope, stop.target) == ("asset", SETTLEMENT_ASSET)


def _names_zone(frame: pl.DataFrame, zone: str) -> bool:
    return "zone" in frame.columns and bool((frame["zone"].cast(pl.String) == zone).any())


def _require_length(name: str, value: str) -> None:
    if not 1 <= len(value.encode()) <= LONGEST_TEXT:
        raise ChainError(f"emergency: {name} has {len(value.encode())} bytes, allowed: 1 to {LONGEST_TEXT}")
