"""Who holds WATT, and who runs when: vectors over all holders.

Floats live here alone. They decide whether somebody asks for his money, never how much there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridlab.seeds import stream
from gridlab.stablecoin.terms import SLOTS_PER_HOUR, HolderTerms

__all__ = ["GROUPS", "Group", "Holders", "Signals"]

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Group(NamedTuple):
    """A kind of holder; all figures are teaching choices (S).

    Attributes
    ----------
    name : str
    holders, watt : int
        Share of all holders and of all WATT, %.
    threshold : float
        Fear beyond which half of the group runs.
    delay_h : float
        How long news takes to reach the group, hours.
    """

    name: str
    holders: int
    watt: int
    threshold: float
    delay_h: float


GROUPS = (
    Group("households", 80, 25, 1.0, 6.0),
    Group("traders", 15, 35, 0.7, 1.0),
    Group("utilities", 3, 15, 1.4, 2.0),
    Group("funds", 2, 25, 0.4, 0.0),
)


@dataclass(frozen=True, slots=True)
class Signals:
    """What everybody can see at the beginning of a slot.

    Attributes
    ----------
    slot : int
    queued : float
        Share of circulation in the queue.
    price : float
        In the secondary market, baht per WATT.
    coverage : float
        As last attested.
    stale : bool
        Whether that is too old to mint on.
    """

    slot: int
    queued: float
    price: float
    coverage: float
    stale: bool


@dataclass(frozen=True, slots=True)
class Holders:
    """All holders, by number.

    Attributes
    ----------
    group : array of int64
        Place in `GROUPS`.
    balance : array of int64
        WATT before the run, micro-THB; together exactly what circulates.
    threshold : array of float64
    heard : array of int64
        Slots after which news reaches the holder.
    reading : array of float64
        By how much he misreads coverage.
    terms : HolderTerms
    seed : int
    """

    group: Int64Array
    balance: Int64Array
    threshold: FloatArray
    heard: Int64Array
    reading: FloatArray
    terms: HolderTerms
    seed: int

    @classmethod
    def drawn(cls, count: int, circulation: int, terms: HolderTerms, seed: int) -> Holders:
        """Draw `count` holders who together hold `circulation` (micro-THB); each group and each holder has some."""
        draws = stream(seed, "stablecoin", "holders")
        bounds = np.cumsum([0, *(group.holders for group in GROUPS)]) * count // 100
        group = np.repeat(np.arange(len(GROUPS)), np.diff(bounds))
        weight = draws.lognormal(0.0, 1.0, count)
        balance = np.zeros(count, np.int64)
        watt = np.cumsum([0, *(each.watt for each in GROUPS)])
        for place in range(len(GROUPS)):
            whole = circulation * int(watt[place + 1]) // 100 - circulation * int(watt[place]) // 100
            balance[group == place] = _split(whole, weight[group == place])
        means = np.array([each.threshold for each in GROUPS])[group]
        delays = np.array([each.delay_h for each in GROUPS])[group]
        return cls(
            group,
            balance,
            means * draws.uniform(0.5, 1.5, count),
            np.rint(delays * draws.uniform(0.5, 1.5, count) * SLOTS_PER_HOUR).astype(np.int64),
            draws.normal(0.0, terms.noise / 100, count),
            terms,
            seed,
        )

    def __len__(self) -> int:
        return len(self.balance)

    def fear(self, seen: Signals) -> FloatArray:
        """Return the fear of every holder, array of float64."""
        terms, since = self.terms, seen.slot - round(self.terms.shock_hour * SLOTS_PER_HOUR)
        news = terms.news * 0.5 ** (max(since, 0) / (terms.half_life * SLOTS_PER_HOUR)) * (self.heard <= since)
        missing = np.maximum(0.0, 1.0 - seen.coverage - self.reading)
        shared = terms.queue * seen.queued + terms.price * (1.0 - seen.price) + terms.stale * seen.stale
        # A holder who misreads full coverage as a little less does not mind while nothing else is wrong.
        certain = terms.cover * missing * (seen.coverage < 1.0)
        fear: FloatArray = news + shared + certain
        return fear

    def asking(self, seen: Signals, asked: BoolArray) -> Int64Array:
        """Return the holders who ask for their money in this slot, in the order in which they come."""
        draws = stream(self.seed, "stablecoin", "slot", str(seen.slot))
        need = draws.random(len(self)) < self.terms.ordinary / 100 / (24 * SLOTS_PER_HOUR)
        who = np.flatnonzero(~asked & (need | (self.fear(seen) > self.threshold)))
        order: Int64Array = draws.permutation(who)
        return order


def _split(whole: int, weight: FloatArray) -> Int64Array:
    """Split a whole number by weights, one unit at least for each, the rest to the last."""
    rough = np.floor(weight / weight.sum() * (whole - len(weight)))
    shares: Int64Array = np.maximum(1, rough).astype(np.int64)
    shares[-1] += whole - int(shares.sum())
    return shares
