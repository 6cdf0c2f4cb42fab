"""Hunting for forks: thousands of misfortunes, each made from one seed, none of which may break the chain.

A schedule mixes slow and lossy links, duplicates, overtaking, partitions, crashes with restarts, and up to f liars of
every kind. Then the network heals. With the right quorum no schedule may fork, and all of them must end with every
request executed; with a quorum that is one too small the same schedules soon find a fork.

References
----------
Claessen, Hughes, "QuickCheck", ICFP 2000; Bano et al., "Twins", 2020 (arXiv:2004.10617).
"""

from __future__ import annotations

import itertools
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.pbft.byzantine import KINDS
from gridlab.chain.pbft.quorums import MOST_VALIDATORS, max_faulty
from gridlab.chain.pbft.simulation import simulate
from gridlab.seeds import check_seed, stream

__all__ = ["HUNT", "hunt", "schedule"]

HUNT = {
    "seed": pl.Int64,
    "forked": pl.Boolean,
    "complete": pl.Boolean,
    "blocks": pl.Int64,
    "views": pl.Int64,
    "liars": pl.String,
    "crashes": pl.Int64,
    "partitions": pl.Int64,
    "evidence": pl.Int64,
    "messages": pl.Int64,
    "clock_ms": pl.Float64,
    "fingerprint": pl.String,
}


def schedule(seed: int, *, n: int = 21) -> dict[str, Any]:
    """Make up one run from a seed: arguments for `gridlab.chain.pbft.simulate`, the quorum not among them.

    Parameters
    ----------
    seed : int
    n : int
        Number of validators; at most ``max_faulty(n)`` of them lie.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or out of bounds.
    """
    check_seed(seed)
    require_int("n", n, 1, MOST_VALIDATORS)
    chance = stream(seed, "pbft", "schedule", str(n))
    liars = _liars(chance, n)
    heal = float(chance.uniform(5_000.0, 30_000.0))
    low = float(chance.uniform(0.0, 40.0))
    return {
        "n": n,
        "blocks": int(chance.integers(2, 7)),
        "byzantine": liars,
        "latency_ms": (low, low + float(chance.choice([0.0, 20.0, 400.0]))),
        "jitter": float(chance.choice([0.0, 0.0, 5.0, 100.0])),
        "loss": float(chance.choice([0.0, 0.0, 0.05, 0.2, 0.4])),
        "duplicates": float(chance.choice([0.0, 0.0, 0.2])),
        "reorder": float(chance.choice([0.0, 0.0, 0.1])),
        "selective": float(chance.choice([0.0, 0.2, 0.5, 0.8])),
        "partitions": _partitions(chance, n, heal),
        "crashes": _crashes(chance, n, liars, heal),
        "heal_ms": heal,
        "interval_ms": float(chance.choice([0.0, 100.0, 1000.0])),
        "timeout_ms": float(chance.choice([500.0, 1000.0, 2000.0])),
        "clients": int(chance.integers(1, 4)),
        "checkpoint_every": int(chance.choice([1, 2, 3, 10])),
        "seed": seed,
    }


def _liars(chance: Any, n: int) -> dict[int, str]:
    count = int(chance.integers(0, max_faulty(n) + 1))
    # Half of the schedules put a coalition where the first primaries are, the other half whoever comes.
    if chance.random() < 0.5:
        kinds = ("collude", "equivocate", "twins")
        kind = kinds[int(chance.integers(len(kinds)))]
        first = int(chance.integers(0, 2))
        return {(first + place) % n: kind for place in range(max_faulty(n))}
    names = list(KINDS)
    return {int(who): names[int(chance.integers(len(names)))] for who in sorted(chance.permutation(n)[:count].tolist())}


def _partitions(chance: Any, n: int, heal: float) -> list[tuple[float, float, list[list[int]]]]:
    cuts = []
    for _ in range(int(chance.integers(0, 4))):
        start = float(chance.uniform(0.0, heal))
        order = chance.permutation(n).tolist()
        at = sorted(int(place) for place in chance.integers(0, n + 1, size=int(chance.integers(1, 3))))
        edges = [0, *at, n]
        groups = [order[low:high] for low, high in itertools.pairwise(edges) if low < high]
        cuts.append((start, float(chance.uniform(start, heal)), groups))
    return cuts


def _crashes(chance: Any, n: int, liars: dict[int, str], heal: float) -> list[tuple[int, float, float | None]]:
    honest = [validator for validator in range(n) if validator not in liars]
    outages: list[tuple[int, float, float | None]] = []
    for validator in chance.permutation(honest)[: int(chance.integers(0, 1 + 2 * max_faulty(n)))].tolist():
        # Most crashes are short and early, so that they fall into votes that are under way.
        at = float(chance.exponential(500.0)) if chance.random() < 0.7 else float(chance.uniform(0.0, heal))
        while at < heal and len(outages) < 3 * n:
            back = min(at + float(chance.exponential(500.0)), heal)
            outages.append((int(validator), at, back))
            at = back + float(chance.exponential(1500.0))
            if chance.random() < 0.4:
                break
    return outages


def hunt(schedules: int = 100, *, n: int = 21, quorum: int | None = None, seed: int = 0) -> pl.DataFrame:
    """Run many schedules and say what came of each.

    Parameters
    ----------
    schedules : int
        How many, 0 or more; they have the seeds ``seed``, ``seed + 1``, ….
    n : int
    quorum : int, optional
        Overrides ``quorum(n)``.
    seed : int

    Returns
    -------
    polars.DataFrame
        One row per schedule: seed, forked, complete, blocks (the most that an honest validator holds), views, liars
        (such as "0 collude, 1 collude"), crashes, partitions, evidence, messages, clock_ms, fingerprint.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or out of bounds.

    Examples
    --------
    >>> hunt(3)["forked"].any()
    False
    """
    require_int("schedules", schedules, 0)
    check_seed(seed)
    rows = []
    for each in range(seed, seed + schedules):
        arguments = schedule(each, n=n)
        trace = simulate(**arguments, quorum=quorum)
        rows.append(
            (
                each,
                trace.forked,
                trace.complete,
                max(map(len, trace.committed.values()), default=0),
                trace.views,
                ", ".join(f"{validator} {kind}" for validator, kind in trace.byzantine.items()),
                len(arguments["crashes"]),
                len(arguments["partitions"]),
                len(trace.evidence),
                sum(trace.messages.values()),
                trace.clock_ms,
                trace.fingerprint,
            )
        )
    return pl.DataFrame(rows, schema=HUNT, orient="row")
