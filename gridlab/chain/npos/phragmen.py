"""Sequential Phragmén: seats are given one after another, each to whom the voters can carry at the least load.

Every winner costs a load of one, which the voters who approve it share by stake so that each then bears the same. The
candidate that leaves its voters with the least load wins the seat. Candidate c, approved by the voters N(c) with stakes
b and loads l, would leave them with::

    score(c) = (1 + sum(l(v) b(v) for v in N(c))) / sum(b(v) for v in N(c))

Loads are whole numbers over 2**128 - 1, every quotient rounded down on its own, as in Substrate; equal scores go to the
candidate that stands first. Voters who share a winner's load back it with their stake in the same proportion.

Sources: Brill, Freeman, Janson and Lackner, "Phragmén's voting methods and justified representation" (2017); Cevallos
and Stewart, "A verifiably secure and proportional committee election rule" (2020); paritytech/polkadot-sdk,
substrate/primitives/npos-elections/src/phragmen.rs (2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gridlab.chain.arguments import require_int
from gridlab.chain.npos.balancing import Backing, balance
from gridlab.chain.npos.election import Election, assemble
from gridlab.chain.npos.electorate import Electorate, exact, read_electorate
from gridlab.chain.npos.normalising import normalise
from gridlab.chain.npos.race import Race

__all__ = ["seq_phragmen"]


def seq_phragmen(
    candidates: Sequence[Any],
    voters: Sequence[tuple[Any, int, Sequence[Any]]],
    seats: int,
    *,
    balance_iterations: int = 0,
    tolerance: int = 0,
) -> Election:
    """Elect by sequential Phragmén, to the unit as Substrate's ``seq_phragmen``.

    Parameters
    ----------
    candidates : sequence of id
        Any hashable ids, each once.
    voters : sequence of (id, stake, sequence of candidate ids)
        Stake in units, 0 to 2**64 - 1. A candidate named twice by a voter counts once; a voter without stake or without
        approvals is without effect.
    seats : int
        How many to elect, at least 1. With fewer candidates, all are elected. Candidates whom no stake approves come
        last, in the order given, with nothing behind them.
    balance_iterations : int
        How often to go over all voters and even out the stakes behind their winners (see `balancing`); 0 for never.
    tolerance : int
        Balancing ends early once no voter's winners differ by more than this, in units.

    Returns
    -------
    Election

    Raises
    ------
    ArgumentTypeError
        A wrong type anywhere.
    ArgumentError
        A candidate or voter twice, a vote for somebody who is no candidate, a number out of bounds.

    Examples
    --------
    >>> election = seq_phragmen(["a", "b", "c"], [(1, 10, "ab"), (2, 20, "ac"), (3, 30, "bc")], 2)
    Traceback (most recent call last):
    gridlab.errors.ArgumentTypeError: approvals of voters[0] is a str, allowed: a list or tuple of object
    >>> seq_phragmen(["a", "b", "c"], [(1, 10, ["a", "b"]), (2, 20, ["a", "c"]), (3, 30, ["b", "c"])], 2).winners
    [('c', 35), ('b', 25)]
    """
    electorate = read_electorate(candidates, voters)
    require_int("seats", seats, 1)
    require_int("balance_iterations", balance_iterations, 0)
    require_int("tolerance", tolerance, 0)
    race = Race(electorate)
    winners = race.run(seats)
    edges, weights = _weights(electorate, winners, race)
    backing = Backing.of(electorate, edges, exact(weights, electorate.bound))
    balance(backing, balance_iterations, tolerance, rounds=1)
    # Whom no stake approves has an infinite score: elected last, in the order given.
    unwanted = [place for place, stake in enumerate(electorate.approval) if stake == 0]
    winners += unwanted[: seats - len(winners)]
    backed = backing.backed[winners].tolist()
    return assemble(electorate, winners, backed, edges, backing.weight.tolist())


def _weights(electorate: Electorate, winners: list[int], race: Race) -> tuple[list[int], list[int]]:
    """Spread each voter's stake over its winners in proportion to their loads; return edges and stakes above zero."""
    won = np.zeros(len(electorate.candidates), dtype=bool)
    won[winners] = True
    edges = np.flatnonzero(won[electorate.target])
    voters = electorate.voter[edges].tolist()
    stakes, load, edge_load = electorate.stakes, race.load, race.edge_load
    raw = [stakes[voter] * edge_load[edge] // load[voter] for voter, edge in zip(voters, edges.tolist(), strict=True)]
    parts: dict[int, list[int]] = {voter: [] for voter in voters}
    for voter, part in zip(voters, raw, strict=True):
        if part:
            parts[voter].append(part)
    weights = [part for voter, given in parts.items() for part in normalise(given, stakes[voter])]
    return [edge for edge, part in zip(edges.tolist(), raw, strict=True) if part], weights
