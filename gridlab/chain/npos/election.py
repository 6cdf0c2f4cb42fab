"""What an election gives back: winners, who backs whom with how much, and views of both."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import polars as pl

from gridlab.chain.npos.electorate import Electorate
from gridlab.chain.npos.normalising import normalise
from gridlab.chain.npos.perbill import share
from gridlab.chain.npos.score import Score, score
from gridlab.chain.perbill import BILLION, part_of
from gridlab.doors import through

__all__ = ["Edges", "Election", "assemble"]

Edges: TypeAlias = dict[Any, dict[Any, int]]


@dataclass(frozen=True, slots=True)
class Election:
    """The result of an election.

    Attributes
    ----------
    winners : list of (id, stake)
        In order of election, with the stake behind each, in units. Fewer than seats where candidates were fewer.
    assignments : dict of voter to dict of winner to stake
        How each voter's stake is spread over the winners it approved, in units. What a voter is listed with sums to
        its stake; what a winner gets sums to the winner's. Voters who back nobody are left out: those without a winner
        among their approvals, those without stake, and those with so few units that each winner's part rounds to none.
    stakes : dict of voter to int
        Every voter's stake, in units.
    """

    winners: list[tuple[Any, int]]
    assignments: Edges = field(repr=False)
    stakes: dict[Any, int] = field(repr=False)

    def __repr__(self) -> str:
        least = min((stake for _, stake in self.winners), default=0)
        return f"Election({len(self.winners)} winners, {len(self.assignments)} nominators, least stake {least:,})"

    def _repr_html_(self) -> str:
        html: str = through("election_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``election.plot.stake()`` (HoloViews)."""
        return through("stake_plot", self)

    @property
    def support(self) -> Edges:
        """The assignments from the winners' side: winner to voter to stake, in units, in order of election."""
        support: Edges = {winner: {} for winner, _ in self.winners}
        for voter, backed in self.assignments.items():
            for winner, stake in backed.items():
                support[winner][voter] = stake
        return support

    @property
    def frame(self) -> pl.DataFrame:
        """One row per winner in order of election: winner, stake (units), nominators (how many back it)."""
        stakes = [stake for _, stake in self.winners]
        wide = max(stakes, default=0) >= 2**63
        return pl.DataFrame(
            [
                pl.Series("winner", _column([winner for winner, _ in self.winners])),
                pl.Series("stake", stakes, dtype=pl.Int128 if wide else pl.Int64),
                pl.Series("nominators", [len(backers) for backers in self.support.values()], dtype=pl.Int64),
            ]
        )

    @property
    def score(self) -> Score:
        """How good the result is; scores compare."""
        return score(stake for _, stake in self.winners)

    @property
    def ratios(self) -> Edges:
        """The assignments as shares of the voter's stake, in parts per billion that sum to a billion.

        What Substrate's ``ElectionResult`` holds and what is put on the chain: rounded down, then normalised.
        """
        ratios: Edges = {}
        for voter, backed in self.assignments.items():
            parts = {winner: share(stake, self.stakes[voter]) for winner, stake in backed.items()}
            kept = {winner: part for winner, part in parts.items() if part}
            ratios[voter] = dict(zip(kept, normalise(list(kept.values()), BILLION), strict=True))
        return ratios

    @property
    def staked(self) -> Edges:
        """The stakes that a chain recovers from `ratios`, in units; each voter's sum to its stake.

        Substrate's ``assignment_ratio_to_staked_normalized``. Where a stake has more than nine digits, a winner's stake
        differs a little from that in `winners`.
        """
        staked: Edges = {}
        for voter, parts in self.ratios.items():
            stakes = [part_of(part, self.stakes[voter]) for part in parts.values()]
            staked[voter] = dict(zip(parts, normalise(stakes, self.stakes[voter]), strict=True))
        return staked


def assemble(
    electorate: Electorate, winners: list[int], backed: list[int], edges: list[int], weights: list[int]
) -> Election:
    """Put a result together.

    Parameters
    ----------
    electorate : Electorate
    winners, backed : list of int
        Places of the winners in order of election, and the stake behind each, in units.
    edges, weights : list of int
        Ascending places of edges, and the stake given along each, in units.
    """
    names, voters = electorate.candidates, electorate.voters
    voter_of, target_of = electorate.voter[edges].tolist(), electorate.target[edges].tolist()
    assignments: Edges = {}
    given: dict[Any, int] = {}
    last = -1
    for voter, target, weight in zip(voter_of, target_of, weights, strict=True):
        if weight:
            if voter != last:
                given = assignments[voters[voter]] = {}
                last = voter
            given[names[target]] = weight
    elected = list(zip((names[place] for place in winners), backed, strict=True))
    return Election(elected, assignments, dict(zip(voters, electorate.stakes, strict=True)))


def _column(ids: list[Hashable]) -> list[Any]:
    """Ids as one column: as they are where all are of one plain type, else as text."""
    kinds = {type(one) for one in ids}
    return ids if kinds <= {int} or kinds <= {str} or kinds <= {bytes} else [str(one) for one in ids]
