"""What goes wrong on purpose: validators that are down, a network that is cut in two, validators that lie.

Messages are never lost, only late: what is sent across a cut arrives after it has healed, and what is sent to a node
that is down arrives once it is up again. This is partial synchrony, under which GRANDPA is proved live.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.errors import ArgumentError, ArgumentTypeError

__all__ = ["Faults"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of a run; made by `Faults.of`.

    Attributes
    ----------
    down_from, down_until : array of float64, shape (k,)
        Milliseconds between which a node neither sends nor receives.
    down_node : array of int64, shape (k,)
    cuts : tuple of (float, float, array of int64)
        From, until (ms), and the side on which each node stands; the observer, the last node, stands on the first.
    liars : array of bool, shape (validators,)
        Who writes two blocks in a slot and votes for two blocks in a round.
    """

    down_from: Array
    down_until: Array
    down_node: IntArray
    cuts: tuple[tuple[float, float, IntArray], ...]
    liars: BoolArray

    @classmethod
    def of(
        cls,
        validators: int,
        offline: Sequence[int] | Mapping[int, Sequence[tuple[float, float]]] = (),
        partitions: Sequence[tuple[float, float, Sequence[Sequence[int]]]] = (),
        equivocators: Sequence[int] = (),
    ) -> Faults:
        """Read what a user writes.

        Parameters
        ----------
        validators : int
        offline : sequence of int, or mapping of int to sequence of (float, float)
            Seats that are down all the time, or from and until when in seconds.
        partitions : sequence of (float, float, sequence of sequence of int)
            From and until when (seconds), and the seats of each side; a seat that is named on no side is on the first.
        equivocators : sequence of int
            Seats.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A seat does not exist, a time is negative or ends before it begins, or something has a wrong type.
        """
        spans = _spans(offline, validators)
        liars = np.zeros(validators, np.bool_)
        for seat in require_sequence("equivocators", equivocators, int):
            liars[_seat("equivocators", seat, validators)] = True
        return cls(
            np.array([start for _, start, _ in spans], np.float64),
            np.array([stop for _, _, stop in spans], np.float64),
            np.array([seat for seat, _, _ in spans], np.int64),
            tuple(_cut(place, cut, validators) for place, cut in enumerate(_listed("partitions", partitions))),
            liars,
        )

    def joined(self, other: Faults) -> Faults:
        """Return these faults and those of another `Faults` for as many validators together."""
        start = np.concatenate([self.down_from, other.down_from])
        stop = np.concatenate([self.down_until, other.down_until])
        node = np.concatenate([self.down_node, other.down_node])
        # `arrivals` goes through the spans in the order of their begin.
        order = np.lexsort((node, start))
        return Faults(start[order], stop[order], node[order], self.cuts + other.cuts, self.liars | other.liars)

    def online(self, now: float) -> BoolArray:
        """Say which validators are up at `now`."""
        up = np.ones(len(self.liars), np.bool_)
        up[self.down_node[(self.down_from <= now) & (now < self.down_until)]] = False
        return up

    @property
    def gone(self) -> BoolArray:
        """Which validators never come back."""
        gone = np.zeros(len(self.liars), np.bool_)
        gone[self.down_node[np.isinf(self.down_until)]] = True
        return gone

    def arrivals(self, sent: float, senders: IntArray, delays: Array) -> Array:
        """Return when messages arrive.

        Parameters
        ----------
        sent : float
            Milliseconds.
        senders : array of int64, shape (k,)
        delays : array of float64, shape (k, columns)
            What each message takes to each node if nothing is in its way.

        Returns
        -------
        array of float64, shape (k, columns)
        """
        found = sent + delays
        for start, stop, side in self.cuts:
            if start <= sent < stop:
                apart = side[senders][:, None] != side[None, :]
                found = np.where(apart, np.maximum(found, stop + delays), found)
        for node, start, stop in zip(self.down_node, self.down_from, self.down_until, strict=True):
            late = (found[:, node] >= start) & (found[:, node] < stop)
            found[late, node] = stop + delays[late, node]
        return found


def _seat(name: str, seat: object, validators: int) -> int:
    return require_int(f"{name}: a seat", seat, 0, validators - 1)


def _listed(name: str, value: object) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: a list or tuple")
    return value


def _moments(name: str, start: object, stop: object) -> tuple[float, float]:
    for value in (start, stop):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            raise ArgumentTypeError(f"{name}: {value!r} is not a time, allowed: seconds, such as 12.5")
    if not 0 <= start < stop:  # type: ignore[operator]
        raise ArgumentError(f"{name}: from {start} until {stop} s, allowed: 0 or later, and the end after the start")
    return float(start) * 1000, float(stop) * 1000  # type: ignore[arg-type]


def _spans(offline: object, validators: int) -> list[tuple[int, float, float]]:
    if not isinstance(offline, Mapping):
        seats = [_seat("offline", seat, validators) for seat in _listed("offline", offline)]
        return [(seat, 0.0, math.inf) for seat in sorted(set(seats))]
    spans = []
    for seat, times in offline.items():
        for pair in _listed(f"offline[{seat!r}]", times):
            if not isinstance(pair, Sequence) or len(pair) != 2:
                raise ArgumentTypeError(
                    f"offline[{seat!r}] holds {pair!r}, allowed: pairs of seconds, such as (60, 90)"
                )
            spans.append((_seat("offline", seat, validators), *_moments(f"offline[{seat!r}]", *pair)))
    return sorted(spans, key=lambda span: (span[1], span[0]))


def _cut(place: int, cut: object, validators: int) -> tuple[float, float, IntArray]:
    name = f"partitions[{place}]"
    if not isinstance(cut, Sequence) or len(cut) != 3:
        raise ArgumentTypeError(f"{name} is {cut!r}, allowed: (from_s, until_s, [[seats], [seats], …])")
    start, stop = _moments(name, cut[0], cut[1])
    side = np.zeros(validators + 1, np.int64)
    named: set[int] = set()
    for number, seats in enumerate(_listed(name, cut[2])):
        for seat in _listed(f"{name}: side {number}", seats):
            if _seat(name, seat, validators) in named:
                raise ArgumentError(f"{name}: seat {seat} stands there twice, allowed: each seat on one side")
            named.add(seat)
            side[seat] = number
    return start, stop, side
