"""The simulated network: a virtual clock, and messages that take their time, get lost, come twice or meet a cut.

Nothing here knows what the messages mean. All chance comes from one seeded stream, drawn in blocks, and events of equal
time keep the order in which they were made, so a run is repeated to the bit by its seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from gridlab.chain.arguments import require_int
from gridlab.chain.pbft.adversary import Adversary
from gridlab.chain.pbft.messages import Message
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.seeds import stream

__all__ = ["Latency", "Network", "require_latency", "require_number"]

_DRAWS = 4096
_LONGEST_MS = 86_400_000.0


def require_number(name: str, value: object, low: float, high: float, *, below: bool = False) -> float:
    """Return `value` if it is a number with ``low <= value <= high`` (``< high`` if `below`).

    Raises
    ------
    ArgumentTypeError, ArgumentError
        It is not a number, or is out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ArgumentTypeError(f"{name} is {value!r} ({type(value).__name__}), allowed: a number")
    number = float(value)
    if not low <= number <= high or (below and number == high):
        raise ArgumentError(f"{name} is {value}, allowed: {low:g} <= {name} {'<' if below else '<='} {high:g}")
    return number


class Latency:
    """One-way delays: a base for each pair of places, and something on top that chance decides.

    Parameters
    ----------
    base : list of list of float
        Milliseconds from place to place.
    spread : float
        On top, uniform between 0 and so many milliseconds.
    jitter : float
        On top, exponential with this mean in milliseconds.
    """

    __slots__ = ("base", "jitter", "mean", "spread")

    def __init__(self, base: list[list[float]], spread: float, jitter: float) -> None:
        self.base, self.spread, self.jitter = base, spread, jitter
        between = [value for row, values in enumerate(base) for column, value in enumerate(values) if row != column]
        self.mean = sum(between) / len(between) if between else (base[0][0] if base else 0.0)


def require_latency(value: object, jitter: object, n: int) -> Latency:
    """Read `latency_ms` and `jitter` for `n` validators.

    Parameters
    ----------
    value : float, pair of float, or n x n array of float
        One delay for all, the bounds of a uniform one, or the base delay from each validator (row) to each (column),
        milliseconds.
    jitter : float
        Mean of an exponential delay on top, milliseconds.
    n : int

    Raises
    ------
    ArgumentTypeError, ArgumentError
        It is none of these, or holds a negative delay.
    """
    extra = require_number("jitter", jitter, 0.0, _LONGEST_MS)
    if isinstance(value, (int, float, np.integer, np.floating)):
        base = require_number("latency_ms", value, 0.0, _LONGEST_MS)
        return Latency([[base] * n for _ in range(n)], 0.0, extra)
    if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, (str, bytes)):
        raise ArgumentTypeError(
            f"latency_ms is a {type(value).__name__}, allowed: a number, a pair (low, high), or an {n} x {n} matrix"
        )
    try:
        table = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise ArgumentTypeError(f"latency_ms holds something that is no number ({problem})") from problem
    if not np.isfinite(table).all() or (table < 0).any() or (table > _LONGEST_MS).any():
        raise ArgumentError(f"latency_ms holds a delay below 0 or above {_LONGEST_MS:g}, allowed: 0 <= delay, finite")
    if table.shape == (2,):
        low, high = table.tolist()
        if low > high:
            raise ArgumentError(f"latency_ms is ({low:g}, {high:g}), allowed: (low, high) with low <= high")
        return Latency([[low] * n for _ in range(n)], high - low, extra)
    if table.shape != (n, n):
        raise ArgumentError(
            f"latency_ms has the shape {table.shape}, allowed: a number, a pair (low, high), or {(n, n)}"
        )
    return Latency(table.tolist(), 0.0, extra)


class Network:
    """Events in the order of virtual time.

    Parameters
    ----------
    latency : Latency
    seed : int
    loss : float
        Share of messages that never arrive.
    duplicates : float
        Share of messages that arrive a second time.
    reorder : float
        Share of messages that take ten times as long as others, so that later ones overtake them.
    selective : float
        How much of the traffic an `Adversary` that reads the messages keeps from some of the nodes.
    """

    def __init__(
        self,
        latency: Latency,
        *,
        seed: int,
        loss: float = 0.0,
        duplicates: float = 0.0,
        reorder: float = 0.0,
        selective: float = 0.0,
    ) -> None:
        self.clock = 0.0
        self.latency = latency
        self.counts: dict[str, int] = {}
        self.log_height: int | None = None
        self.log: list[tuple[float, float, str, int, int, int, int, bool, Message]] = []
        self._events: list[tuple[float, int, int, Any]] = []
        self._made = 0
        self._rows: dict[int, int | None] = {}
        self._base: dict[int, dict[int, float]] = {}
        self._groups: dict[int, int] | None = None
        self._chance = stream(seed, "pbft", "network")
        self._draws: list[float] = []
        self._shares: list[float] = []
        self._seed = seed
        self.set_faults(loss=loss, duplicates=duplicates, reorder=reorder, selective=selective)

    def set_faults(
        self, *, loss: float = 0.0, duplicates: float = 0.0, reorder: float = 0.0, selective: float = 0.0
    ) -> None:
        """Change how unreliable the network is, from now on."""
        self._loss, self._duplicates, self._reorder = loss, duplicates, reorder
        self._adversary = Adversary(self._seed, selective, len(self.latency.base)) if selective else None
        self._unreliable = bool(loss or duplicates or reorder or selective)

    # Places ------------------------------------------------------------------------------------------------------

    def add(self, place: int, row: int | None) -> None:
        """Add a node under a number of its own.

        Parameters
        ----------
        place : int
        row : int or None
            Where it stands in the table of delays; None, or outside of it: as far from all others as they are on
            average.
        """
        table, mean, rows = self.latency.base, self.latency.mean, self._rows
        rows[place] = row if row is not None and row < len(table) else None

        def delay(start: int | None, end: int | None) -> float:
            return mean if start is None or end is None else table[start][end]

        self._base = {start: {end: delay(rows[start], rows[end]) for end in rows} for start in rows}

    def partition(self, groups: Iterable[Iterable[int]]) -> None:
        """Cut every link between nodes of different groups; nodes that stand in none form a group together."""
        self._groups = {node: which for which, group in enumerate(groups, start=1) for node in group}

    def heal(self) -> None:
        """Mend all links."""
        self._groups = None

    @property
    def groups(self) -> dict[int, int] | None:
        """Group of each node that was named when the network was cut; None where it is whole."""
        return None if self._groups is None else dict(self._groups)

    def connected(self, sender: int, receiver: int) -> bool:
        """Whether the link between two nodes is whole."""
        groups = self._groups
        return groups is None or groups.get(sender, 0) == groups.get(receiver, 0)

    # Sending -----------------------------------------------------------------------------------------------------

    def send_all(self, sender: int, receivers: Sequence[int], message: Message) -> None:
        """Send one message to all `receivers` but the sender."""
        if self._unreliable or self._groups is not None:
            for receiver in receivers:
                if receiver != sender:
                    self.send(sender, receiver, message)
            return
        row, clock, events, made = self._base[sender], self.clock, self._events, self._made
        # Looking on must not change what happens, so a message that is logged takes the same draws as any other.
        logged = message.height == self.log_height
        extras = self._extras(len(receivers))
        sent = 0
        for receiver, extra in zip(receivers, extras, strict=False):
            if receiver != sender:
                made += 1
                sent += 1
                at = clock + row[receiver] + extra
                heappush(events, (at, made, receiver, message))
                if logged:
                    place = (message.kind, sender, receiver, message.view, message.height)
                    self.log.append((clock, at, *place, True, message))
        self._made = made
        self.counts[message.kind] = self.counts.get(message.kind, 0) + sent

    def send(self, sender: int, receiver: int, message: Message, later_ms: float = 0.0) -> None:
        """Send one message to one node, `later_ms` from now."""
        kind = message.kind
        self.counts[kind] = self.counts.get(kind, 0) + 1
        delivered = self.connected(sender, receiver) and not (self._loss and self._share() < self._loss)
        if delivered and self._adversary is not None:
            delivered = self._adversary.passes(sender, receiver, message)
        delay = self._base[sender][receiver] + self._extras(1)[0]
        if self._reorder and self._share() < self._reorder:
            delay *= 10.0
        at = self.clock + later_ms + delay
        if message.height == self.log_height:
            place = (kind, sender, receiver, message.view, message.height)
            self.log.append((self.clock + later_ms, at, *place, delivered, message))
        if delivered:
            self.at(at, receiver, message)
            if self._duplicates and self._share() < self._duplicates:
                self.at(at + self._base[sender][receiver] + self._extras(1)[0], receiver, message)

    def at(self, time_ms: float, receiver: int, what: Any) -> None:
        """Put an event into the queue."""
        self._made += 1
        heappush(self._events, (time_ms, self._made, receiver, what))

    def next(self, limit_ms: float) -> tuple[int, Any] | None:
        """Move the clock to the next event and return ``(receiver, what)``; None if there is none up to `limit_ms`."""
        events = self._events
        if not events or events[0][0] > limit_ms:
            self.clock = max(self.clock, limit_ms)
            return None
        time_ms, _, receiver, what = heappop(events)
        # An event may have been put in for a moment that a limit has passed meanwhile.
        self.clock = max(self.clock, time_ms)
        return receiver, what

    # Chance ------------------------------------------------------------------------------------------------------

    def _extras(self, count: int) -> list[float]:
        draws = self._draws
        if len(draws) < count:
            values = np.zeros(max(_DRAWS, require_int("count", count, 0)))
            if self.latency.spread:
                values += self._chance.random(len(values)) * self.latency.spread
            if self.latency.jitter:
                values += self._chance.exponential(self.latency.jitter, len(values))
            draws = self._draws = values.tolist()
        taken = draws[-count:]
        del draws[-count:]
        return taken

    def _share(self) -> float:
        if not self._shares:
            self._shares = self._chance.random(_DRAWS).tolist()
        return self._shares.pop()
