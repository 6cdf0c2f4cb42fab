"""Which validators run during which blocks: outages drawn for a whole run before any block is timed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Span", "outage_spans"]


@dataclass(frozen=True, slots=True)
class Span:
    """Blocks ``start <= block < stop`` during which the same validators run.

    Attributes
    ----------
    start, stop : int
    running : numpy.ndarray
        Numbers of the validators that run, ascending.
    """

    start: int
    stop: int
    running: npt.NDArray[np.intp]


def outage_spans(
    blocks: int,
    validators: int,
    *,
    crashed: Sequence[int],
    availability: float,
    outage_blocks: float,
    rng: np.random.Generator,
) -> Iterator[Span]:
    r"""Yield the run as spans of constant membership, in order and without a gap.

    Each validator alternates between running and being down, on its own. Both lengths are geometric, so the process
    starts in its stationary state: down with probability :math:`1 - a`, and with a mean time between failures of
    :math:`b \, a / (1 - a)` for outages of mean length :math:`b`. Outages begin and end between blocks.

    Parameters
    ----------
    blocks, validators : int
    crashed : sequence of int
        Validators that are down throughout.
    availability : float
        Share :math:`a` of the blocks during which a validator runs, 0.5 <= a <= 1.
    outage_blocks : float
        Mean length :math:`b` of an outage in blocks, 1 or more.
    rng : numpy.random.Generator
    """
    down = np.zeros(validators, dtype=bool)
    down[list(crashed)] = True
    moments, turning = _turns(blocks, down, availability, outage_blocks, rng)
    edges = np.unique(np.concatenate([[0], moments, [blocks]]))
    firsts = np.searchsorted(moments, edges)
    for edge, following, first, last in zip(edges[:-1], edges[1:], firsts[:-1], firsts[1:], strict=True):
        # Two turns of one validator at one block would be no turn; lengths of 1 or more leave at most one.
        down[turning[first:last]] ^= True
        yield Span(int(edge), int(following), np.flatnonzero(~down))


def _turns(
    blocks: int, down: npt.NDArray[np.bool_], availability: float, outage_blocks: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """Return the blocks at which a validator goes down or comes back, ascending, and which one."""
    if availability >= 1.0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.intp)
    running_blocks = outage_blocks * availability / (1.0 - availability)
    found = []
    for validator in np.flatnonzero(~down):
        out = bool(rng.random() >= availability)
        at = _alternation(blocks, running_blocks, outage_blocks, rng, out=out)
        found.append(np.stack([at, np.full_like(at, validator)]))
    turns = np.concatenate(found, axis=1) if found else np.empty((2, 0), dtype=np.int64)
    turns = turns[:, np.argsort(turns[0], kind="stable")]
    return turns[0], turns[1].astype(np.intp)


def _alternation(
    blocks: int, running_blocks: float, outage_blocks: float, rng: np.random.Generator, *, out: bool
) -> npt.NDArray[np.int64]:
    """Return when one validator turns within the run, starting with a turn at 0 if it is `out`."""
    means = np.array([outage_blocks, running_blocks] if out else [running_blocks, outage_blocks])
    batch = 2 * int(blocks / means.sum() + 8)
    at = np.zeros(1, dtype=np.int64)
    while at[-1] < blocks:
        lengths = rng.geometric(np.tile(1.0 / means, batch // 2))
        at = np.concatenate([at, at[-1] + np.cumsum(lengths)])
    return at[(at < blocks) & ((at > 0) | out)]
