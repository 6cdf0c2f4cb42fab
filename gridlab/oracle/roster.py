"""The providers of a network as arrays: what each one does, how far it lies, how long its answers take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.seeds import stream

__all__ = ["KINDS", "Bribe", "Roster", "make_roster"]

# What a provider does in every round.
KINDS = {
    "honest": "says what it sees, with its own small error",
    "stale": "says what it saw some rounds ago",
    "noisy": "says what it sees with an error as large as a lie",
    "lying": "says what it sees, moved by a share",
    "colluding": "says the number that all colluding ones have agreed on",
    "equivocating": "signs what it sees for some and a lie for others",
    "silent": "says nothing",
}
_LATENCY_LOW, _LATENCY_HIGH = 0.5, 1.5


class Bribe(NamedTuple):
    """What somebody was paid to do.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    bias : float or None
        How far it lies, as a share of the value; None as far as the lever says.
    """

    kind: str
    bias: float | None


@dataclass(frozen=True, slots=True)
class Roster:
    """All providers, in the order of their numbers.

    Attributes
    ----------
    kinds : tuple of str
    bias : ndarray of float64, shape (n,)
        How far each would lie, as a share of the value.
    latency_ms : ndarray of float64, shape (n,)
        Median time until its answer is there (ms).
    """

    kinds: tuple[str, ...]
    bias: npt.NDArray[np.float64]
    latency_ms: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.kinds)

    def of_kind(self, *kinds: str) -> npt.NDArray[np.int64]:
        """Return the numbers of the providers of these kinds."""
        return np.flatnonzero([kind in kinds for kind in self.kinds])

    @property
    def frame(self) -> pl.DataFrame:
        """One row per provider: ``provider``, ``kind``, ``bias`` (share of the value), ``latency_ms``."""
        return pl.DataFrame(
            {
                "provider": pl.Series(range(len(self)), dtype=pl.UInt32),
                "kind": pl.Series(self.kinds, dtype=pl.Enum(list(KINDS))),
                "bias": self.bias,
                "latency_ms": self.latency_ms,
            }
        )


def make_roster(
    count: int, liars: int, lie: str, *, bias: float, latency_ms: float, bribes: Mapping[int, Bribe], seed: int
) -> Roster:
    """Return `count` providers of which the first `liars` do `lie`, and those in `bribes` what they are paid for.

    Latencies are spread evenly between half and one and a half times `latency_ms`.
    """
    usual = [Bribe(lie if provider < liars else "honest", None) for provider in range(count)]
    acts = [bribes.get(provider, own) for provider, own in enumerate(usual)]
    shares = [bias if act.bias is None else act.bias for act in acts]
    spread = stream(seed, "oracle", "latency").uniform(_LATENCY_LOW, _LATENCY_HIGH, count)
    return Roster(tuple(act.kind for act in acts), np.array(shares, np.float64), latency_ms * spread)
