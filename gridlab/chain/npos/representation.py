"""Proportional justified representation: whether every group of voters large enough got the winners it deserves.

A committee of k is t-PJR where every group of voters who share r candidates, and whose stake is r t or more, has r
winners among the candidates that any of them approves. The standard property has t = stake of all voters / k. The check
asks of every candidate not elected how much stake its voters could spare for it without any winner falling below t.
Where that is less than t for all, the committee is t-PJR. The test is sufficient: it may, rarely, doubt a committee
that is t-PJR.

Sources: Sánchez-Fernández et al., "Proportional justified representation" (2017); Cevallos and Stewart (2020), section
5; paritytech/polkadot-sdk, substrate/primitives/npos-elections/src/pjr.rs (2024).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridlab.chain.arguments import require_int, require_mapping
from gridlab.chain.npos.election import Election
from gridlab.chain.npos.electorate import Electorate, Integers, exact, read_electorate
from gridlab.chain.npos.perbill import portions, share
from gridlab.errors import ArgumentError

__all__ = ["Representation", "pjr_check"]


@dataclass(frozen=True, slots=True)
class Representation:
    """The verdict of `pjr_check`, true where every group is represented.

    Attributes
    ----------
    holds : bool
    threshold : int
        The t of t-PJR, in units.
    counter_example : id or None
        The candidate not elected for whom voters could spare most, where that is `threshold` or more; the first of
        several.
    spare : int
        What voters could spare at most for any candidate not elected, in units; 0 where all are elected.
    """

    holds: bool
    threshold: int
    counter_example: Any
    spare: int

    def __bool__(self) -> bool:
        return self.holds


def pjr_check(
    result: Election | Mapping[Any, Mapping[Any, int]],
    candidates: Sequence[Any],
    voters: Sequence[tuple[Any, int, Sequence[Any]]],
    *,
    threshold: int | None = None,
) -> Representation:
    """Check a result for proportional justified representation.

    Parameters
    ----------
    result : Election, or mapping of winner to mapping of voter to stake
        Who was elected, and the stake each voter backs each winner with, in units.
    candidates, voters
        The election's input, as for `seq_phragmen`.
    threshold : int, optional
        The t of t-PJR, in units, at least 0; the smaller the stronger. By default the stake of all voters, divided by
        the number of winners and rounded down: the standard property.

    Returns
    -------
    Representation

    Raises
    ------
    ArgumentTypeError
        A wrong type anywhere.
    ArgumentError
        Input as `seq_phragmen` refuses it; a winner who was no candidate; a backer who is no voter, did not approve the
        winner or gives more than its stake.

    Examples
    --------
    >>> votes = [(1, 10, [10, 20, 30, 40]), (2, 20, [10, 20, 30, 40]), (3, 30, [10, 30])]
    >>> pjr_check({20: {1: 5, 2: 10}, 40: {1: 5, 2: 10}}, [10, 20, 30, 40], votes)
    Representation(holds=False, threshold=30, counter_example=10, spare=30)
    """
    electorate = read_electorate(candidates, voters)
    support = result.support if isinstance(result, Election) else require_mapping("result", result)
    winners, weight = _weights(electorate, support)
    if threshold is None:
        threshold = electorate.total // max(len(winners), 1)
    require_int("threshold", threshold, 0)
    spare = _spare(electorate, winners, weight, threshold)
    rest = [place for place in range(len(electorate.candidates)) if place not in winners]
    if not rest:
        return Representation(holds=True, threshold=threshold, counter_example=None, spare=0)
    first = max(rest, key=spare.__getitem__)
    holds = spare[first] < threshold
    return Representation(holds, threshold, None if holds else electorate.candidates[first], spare[first])


def _weights(electorate: Electorate, support: Mapping[Any, Mapping[Any, int]]) -> tuple[dict[int, int], Integers]:
    """Return the winners' places with the stake behind each, and the stake along every edge."""
    pairs = zip(electorate.voter.tolist(), electorate.target.tolist(), strict=True)
    edges = {pair: edge for edge, pair in enumerate(pairs)}
    places = {name: place for place, name in enumerate(electorate.candidates)}
    names = {name: place for place, name in enumerate(electorate.voters)}
    winners: dict[int, int] = {}
    weight = [0] * len(electorate.target)
    for winner, backers in support.items():
        if winner not in places:
            raise ArgumentError(f"result has the winner {winner!r}, which is not a candidate; check the right election")
        for voter, stake in require_mapping(f"result[{winner!r}]", backers).items():
            edge = edges.get((names.get(voter, -1), places[winner]))
            if edge is None:
                raise ArgumentError(f"result has voter {voter!r} back {winner!r}, whom it did not approve")
            weight[edge] = require_int(f"result[{winner!r}][{voter!r}]", stake, 0, electorate.stakes[names[voter]])
        winners[places[winner]] = sum(backers.values())
    found = exact(weight, electorate.bound)
    _within_stakes(electorate, found)
    return winners, found


def _within_stakes(electorate: Electorate, weight: Integers) -> None:
    given = np.zeros(len(electorate.voters), dtype=weight.dtype)
    np.add.at(given, electorate.voter, weight)
    for voter, stake, used in zip(electorate.voters, electorate.stakes, given.tolist(), strict=True):
        if used > stake:
            raise ArgumentError(f"result has voter {voter!r} give {used} in all, allowed: its stake, {stake}")


def _spare(electorate: Electorate, winners: dict[int, int], weight: Integers, threshold: int) -> list[int]:
    """Return what the voters of each candidate could spare for it, in units.

    A voter keeps what it gives to a winner backed by `threshold` or less, and of what it gives to one with more, the
    share threshold / backing: a whole number of parts per billion.
    """
    kept = np.zeros(len(electorate.candidates), dtype=np.int64)
    kept[list(winners)] = [share(threshold, backed) for backed in winners.values()]
    slack = exact(electorate.stakes, electorate.bound)
    np.subtract.at(slack, electorate.voter, portions(kept[electorate.target], weight))
    spare = np.zeros(len(electorate.candidates), dtype=slack.dtype)
    np.add.at(spare, electorate.target, np.maximum(slack, 0)[electorate.voter])
    found: list[int] = spare.tolist()
    return found
