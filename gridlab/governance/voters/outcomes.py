"""How a referendum among the voters ends: once as ballots, or a thousand times as a distribution.

Votes come in over the decision period. At each step of it the tally is held against the track's curves, as a block of
the chain does, with the confirmation period and everything else of `gridlab.governance.referenda`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.errors import ArgumentError, ArgumentTypeError, GovernanceError
from gridlab.frames import Column, Schema
from gridlab.governance.tracks import Track
from gridlab.governance.voters.electorate import ABSENT, AYE, NAY, Electorate
from gridlab.governance.voters.sampling import GROUP, require_voters, sample
from gridlab.governance.voters.terms import Voters
from gridlab.governance.voting import adaptive_quorum
from gridlab.seeds import check_seed
from gridlab.units import Number, exact

__all__ = ["CAST", "ballots", "counting_frames", "outcome"]

_HALF = Fraction(1, 2)
_DAY_MICROSECONDS = 86_400_000_000

CAST = Schema(
    "ballots",
    (
        Column("voter", pl.UInt32, "integer", "who votes"),
        Column("group", GROUP, "category", "its population"),
        Column("aye", pl.Boolean, "boolean", "aye or nay"),
        Column("balance", pl.Int64, "integer", "micro-GRID"),
        Column("conviction", pl.UInt8, "integer", "level of conviction, 0 (a tenth) … 6"),
        Column("votes", pl.Int64, "integer", "after conviction"),
        Column("delegate", pl.UInt32, "integer", "whom it follows; null for who votes itself", nullable=True),
        Column("arrival", pl.Float64, "float", "when it counts: share of the decision period, 0 … 1"),
    ),
)

Wholes = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]


def ballots(
    effects: Mapping[str, float],
    seed: int = 0,
    *,
    required: Number = _HALF,
    population: pl.DataFrame | None = None,
    terms: Voters | None = None,
) -> pl.DataFrame:
    """Let the voters vote once.

    Parameters
    ----------
    effects : mapping of str to float
        What the proposal means to a usual member of a group (THB a month); 0 where none is given.
    seed : int
        Of this vote.
    required : number
        Approval needed at the end (share), which strategic whales look at.
    population : polars.DataFrame, optional
        As `sample` gives it; ``sample(0)`` unless given.
    terms : Voters, optional
        The levers.

    Returns
    -------
    polars.DataFrame
        One row per voter whose vote counts: ``voter``, ``group``, ``aye`` (Boolean), ``balance`` (micro-GRID),
        ``conviction`` (level 0 … 6), ``votes`` (after conviction), ``delegate`` (null for who votes itself) and
        ``arrival`` (share of the decision period).

    Raises
    ------
    ArgumentTypeError, ArgumentError, FrameError, GovernanceError
        An argument does not fit.

    Examples
    --------
    >>> cast = ballots({"prosumer": 100.0}, seed=1)
    >>> cast.columns[:4]
    ['voter', 'group', 'aye', 'balance']
    """
    levers = require_voters(terms)
    whole = sample(0, terms=levers) if population is None else population
    needed = exact(required, what="required")
    if not 0 <= needed <= 1:
        raise GovernanceError(f"required is {required}, allowed: a share from 0 to 1; 0.5 is one half")
    electorate = Electorate.of(whole, effects, levers)
    vote = electorate.vote(check_seed(seed), needed)
    found = pl.DataFrame(
        {
            "voter": electorate.voter.astype(np.uint32),
            "side": vote.sides,
            "conviction": vote.levels.astype(np.uint8),
            "votes": vote.votes,
            "arrival": electorate.arrival,
        }
    ).filter(pl.col("side") != ABSENT)
    people = whole.select(pl.col("voter").cast(pl.UInt32), pl.col("group").cast(GROUP), "balance", "delegate")
    return (
        found.join(people, on="voter", how="left")
        .sort("voter")
        .select("voter", "group", pl.col("side").eq(AYE).alias("aye"), "balance", "conviction", "votes", "delegate",
                "arrival")
    )  # fmt: skip


def counting_frames(cast: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ballots as `gridlab.governance.tallying.count_votes` takes them: direct ones, and delegations.

    Raises
    ------
    ArgumentTypeError, FrameError
        `cast` is no frame as `ballots` gives it.
    """
    cast = CAST.check(cast)
    zero = pl.lit(0, pl.Int64)
    direct = cast.filter(pl.col("delegate").is_null()).select(
        pl.col("voter").alias("account"),
        pl.when("aye").then(pl.lit("aye")).otherwise(pl.lit("nay")).alias("choice"),
        "conviction",
        pl.when("aye").then("balance").otherwise(zero).alias("aye"),
        pl.when("aye").then(zero).otherwise("balance").alias("nay"),
        zero.alias("abstain"),
    )
    handed = cast.filter(pl.col("delegate").is_not_null()).select(
        pl.col("voter").alias("account"), "delegate", "conviction", pl.col("balance").alias("amount")
    )
    return direct, handed


def outcome(
    effects: Mapping[str, float],
    track: Track,
    seeds: int | Sequence[int] = 1000,
    *,
    steps: int = 28,
    population: pl.DataFrame | None = None,
    terms: Voters | None = None,
) -> pl.DataFrame:
    """Let the voters vote many times, and say how each referendum ends.

    Parameters
    ----------
    effects : mapping of str to float
        As for `ballots`.
    track : Track
        Curves, quorum, decision and confirmation period.
    seeds : int or sequence of int
        How many votes, with the seeds 0, 1, …; or the seeds themselves.
    steps : int
        How often, evenly over the decision period, the chain looks at the tally; 1 … 1,000.
    population : polars.DataFrame, optional
        As `sample` gives it; ``sample(0)`` unless given.
    terms : Voters, optional
        The levers.

    Returns
    -------
    polars.DataFrame
        One row per seed: ``seed``, ``ayes`` and ``nays`` (votes), ``support``, ``approval`` and ``turnout`` (shares
        0 … 1, support and turnout of all GRID of the population) when it was decided, ``passed``, and ``decided_at``
        (days after deciding began).

    Raises
    ------
    ArgumentTypeError, ArgumentError, FrameError, GovernanceError
        An argument does not fit.
    """
    if not isinstance(track, Track):
        raise ArgumentTypeError(f"track is a {type(track).__name__}, allowed: a Track of gridlab.governance.tracks")
    require_int("steps", steps, 1, 1_000)
    levers = require_voters(terms)
    whole = sample(0, terms=levers) if population is None else population
    chosen = _seeds(seeds)
    electorate = Electorate.of(whole, effects, levers)
    counts = _counts(electorate, chosen, track.needs(track.decision)[0], steps)
    total = int(electorate.capital.sum())
    passing = _passing(counts, track, total, steps)
    ends = _ends(passing, max(-(-track.confirm * steps // track.decision), 1))
    return _frame(chosen, counts, total, ends, track.decision / steps / _DAY_MICROSECONDS)


def _seeds(seeds: int | Sequence[int]) -> list[int]:
    if isinstance(seeds, int):
        return list(range(require_int("seeds", seeds, 1)))
    chosen = [check_seed(seed) for seed in require_sequence("seeds", seeds, int)]
    if not chosen:
        raise ArgumentError("seeds is empty, allowed: one seed or more; 100 stands for the seeds 0 to 99")
    return chosen


def _counts(electorate: Electorate, seeds: Sequence[int], required: Fraction, steps: int) -> Wholes:
    """Return ayes, nays, support and turnout of each seed after each step, shape (4, seeds, steps + 1)."""
    ends = np.searchsorted(electorate.arrival, np.arange(steps + 1) / steps, side="right")
    counts = np.empty((4, len(seeds), steps + 1), np.int64)
    sums = np.zeros((4, len(electorate.voter) + 1), np.int64)
    for row, seed in enumerate(seeds):
        vote = electorate.vote(seed, required)
        aye, nay = vote.sides == AYE, vote.sides == NAY
        np.cumsum(vote.votes * aye, out=sums[0, 1:])
        np.cumsum(vote.votes * nay, out=sums[1, 1:])
        np.cumsum(electorate.capital * aye, out=sums[2, 1:])
        np.cumsum(electorate.capital * (aye | nay), out=sums[3, 1:])
        counts[:, row] = sums[:, ends]
    # Nobody has voted yet when deciding begins.
    counts[:, :, 0] = 0
    return counts


def _passing(counts: Wholes, track: Track, electorate: int, steps: int) -> Truths:
    """Return whether each seed's tally passes at each step, shape (seeds, steps + 1), exactly as `Track.passes`."""
    ayes, nays, support, turnout = counts
    passing = np.empty(ayes.shape, np.bool_)
    for step in range(steps + 1):
        approval, backing = track.needs(track.decision * step // steps)
        passing[:, step] = _reaches(ayes[:, step], ayes[:, step] + nays[:, step], approval)
        passing[:, step] &= _reaches(support[:, step], np.full(len(ayes), electorate), backing)
    if track.quorum:
        for seed, step in np.argwhere(passing).tolist():
            aye, nay, came = (int(each[seed, step]) for each in (ayes, nays, turnout))
            passing[seed, step] = adaptive_quorum(track.quorum, aye, nay, came, electorate)
    return passing


def _reaches(part: Wholes, whole: Wholes, least: Fraction) -> Truths:
    # Python's whole numbers, since the products pass 64 bits.
    wide, needed = part.astype(object) * least.denominator, np.maximum(whole, 1).astype(object) * least.numerator
    return np.asarray(wide >= needed, np.bool_)


def _ends(passing: Truths, confirm: int) -> tuple[Wholes, Truths]:
    """Return the step at which each seed is decided, and whether it passed.

    It passes `confirm` steps after the first step from which on it passes without interruption for so long; what holds
    at the last step of the decision period holds from then on.
    """
    last = passing.shape[1] - 1
    places = np.arange(last + 1)
    broken = np.where(passing, last + 1, places)
    following = np.minimum.accumulate(broken[:, ::-1], axis=1)[:, ::-1]
    held = following > np.minimum(places + confirm, last)
    passed = held.any(axis=1)
    first = np.where(passed, held.argmax(axis=1) + confirm, last)
    return first.astype(np.int64), passed


def _frame(
    seeds: Sequence[int], counts: Wholes, electorate: int, ends: tuple[Wholes, Truths], days: float
) -> pl.DataFrame:
    ended, passed = ends
    at = np.minimum(ended, counts.shape[2] - 1)
    ayes, nays, support, turnout = counts[:, np.arange(len(seeds)), at]
    columns: dict[str, Any] = {
        "seed": np.array(seeds, np.int64),
        "ayes": ayes,
        "nays": nays,
        "support": support / max(electorate, 1),
        "approval": ayes / np.maximum(ayes + nays, 1),
        "turnout": turnout / max(electorate, 1),
        "passed": passed,
        "decided_at": ended * days,
    }
    return pl.DataFrame(columns)
