"""PhragMMS: each seat goes to the candidate that best lifts the support of the least, weights updated on the way.

Balanced after every seat, it is as proportional as sequential Phragmén and also guarantees the least supported winner a
constant share (1 / 3.15) of the best possible; without balancing neither is promised. With c's approval stake A(c), a
candidate not yet elected scores::

    score(c) = A(c) / (1 + sum over its voters n, over their winners w, of weight(n, w) / backing(w))

The winner takes what its voters have not given yet, and from each of their winners backed by more than its score the
share score / backing of what they give. Shares are whole parts per billion; equal scores go to the candidate that
stands first.

Sources: Cevallos and Stewart, "A verifiably secure and proportional committee election rule" (2020), section 4;
paritytech/polkadot-sdk, substrate/primitives/npos-elections/src/phragmms.rs (2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.arguments import require_int
from gridlab.chain.npos.balancing import Backing, balance
from gridlab.chain.npos.election import Election, assemble
from gridlab.chain.npos.electorate import Approvals, Electorate, Integers, Places, exact, read_electorate
from gridlab.chain.npos.perbill import shares
from gridlab.chain.perbill import BILLION

__all__ = ["phragmms"]

_MOST = 2**128 - 1
# Two approvals and denominators become floats, each quotient is rounded: six roundings of 2**-53 between two scores.
_NEAR = 1 - 2.0**-48


def phragmms(
    candidates: Sequence[Any],
    voters: Sequence[tuple[Any, int, Sequence[Any]]],
    seats: int,
    *,
    balance_iterations: int = 0,
    tolerance: int = 0,
) -> Election:
    """Elect by PhragMMS, to the unit as Substrate's ``phragmms`` with parts per billion.

    Parameters and errors as for `seq_phragmen`. Balancing, where it is asked for, is done after every seat. Candidates
    whom no stake approves are never elected.

    Returns
    -------
    Election

    Examples
    --------
    >>> votes = [(10, 10, [1, 2]), (20, 20, [1, 3]), (30, 30, [2, 3])]
    >>> phragmms([1, 2, 3], votes, 2, balance_iterations=2).winners
    [(3, 30), (2, 30)]
    """
    electorate = read_electorate(candidates, voters)
    require_int("seats", seats, 1)
    require_int("balance_iterations", balance_iterations, 0)
    require_int("tolerance", tolerance, 0)
    state = _State(electorate)
    rounds = min(seats, sum(stake > 0 for stake in electorate.approval))
    winners = []
    for _ in range(rounds):
        winner, cutoff = state.best()
        state.elect(winner, cutoff)
        if balance_iterations:
            edges = np.flatnonzero(state.elected[electorate.target])
            backing = Backing.of(electorate, edges, state.weight[edges])
            balance(backing, balance_iterations, tolerance, rounds=rounds)
            state.weight[edges] = backing.weight
            state.backed = backing.backed
        winners.append(winner)
    edges = np.flatnonzero(state.weight)
    return assemble(electorate, winners, state.backed[winners].tolist(), edges.tolist(), state.weight[edges].tolist())


class _State:
    """Winners so far, the stake along each edge, and the stake behind each candidate."""

    __slots__ = ("approval", "approvals", "backed", "elected", "free", "given", "stakes", "stand", "weight")

    def __init__(self, electorate: Electorate) -> None:
        self.stand = electorate
        self.approvals = Approvals(electorate)
        self.stakes = exact(electorate.stakes, electorate.bound)
        self.weight: Integers = np.zeros(len(electorate.target), dtype=self.stakes.dtype)
        self.backed: Integers = np.zeros(len(electorate.candidates), dtype=self.stakes.dtype)
        self.elected: npt.NDArray[np.bool_] = np.zeros(len(electorate.candidates), dtype=bool)
        self.free = np.array(electorate.approval, dtype=np.float64)  # zero once elected
        self.given = np.zeros(0, dtype=np.int64)  # edges with some weight, as of the last scoring
        self.approval = electorate.approval

    def best(self) -> tuple[int, int]:
        """Return the candidate with the highest score, and the score to the nearest unit, halves down."""
        below = self._denominators()
        winner = _highest(self.approval, below, self.free)
        divisor = int(below[winner])
        whole, rest = divmod(self.approval[winner] * BILLION, divisor)
        return winner, whole + (rest > divisor // 2)

    def _denominators(self) -> Places:
        """Return what each candidate's approval stake is divided by, in parts per billion."""
        target, voter = self.stand.target, self.stand.voter
        self.given = given = np.flatnonzero(self.weight > 0)
        parts = shares(self.weight[given], self.backed[target[given]]).astype(np.float64)
        # Sums of whole numbers below 2**53, which floats add exactly.
        used = np.bincount(voter[given], weights=parts, minlength=len(self.stakes)).astype(np.int64)
        hollow = self.elected & (self.backed == 0)
        if hollow.any():  # of nothing, everybody gives all: a share of zero is one
            np.add.at(used, voter[hollow[target]], BILLION)
        return BILLION + self.approvals.sums(used)

    def elect(self, winner: int, cutoff: int) -> None:
        """Give the winner what its voters have left, and its share of what they give to winners above the cutoff."""
        own = self.approvals.edges[winner]
        backers = self.stand.voter[own]
        concerned = np.zeros(len(self.stakes), dtype=bool)
        concerned[backers] = True
        touched = self.given[concerned[self.stand.voter[self.given]]]
        left = self.stakes.copy()
        np.subtract.at(left, self.stand.voter[touched], self.weight[touched])
        gained = dict(zip(backers.tolist(), left[backers].tolist(), strict=True))
        self.weight[touched] = self._take(touched, gained, cutoff)
        self.weight[own] = list(gained.values())
        self.backed[winner] = sum(gained.values())
        self.elected[winner] = True
        self.free[winner] = 0.0

    def _take(self, touched: Places, gained: dict[int, int], cutoff: int) -> list[int]:
        """Move stake from the `touched` edges to their voters' `gained`; return what stays on each.

        One voter after another, as every taking lowers the backing that the next is reckoned by.
        """
        weights: list[int] = self.weight[touched].tolist()
        backed = self.backed.tolist()
        voters, winners = self.stand.voter[touched].tolist(), self.stand.target[touched].tolist()
        for place, (voter, winner, weight) in enumerate(zip(voters, winners, weights, strict=True)):
            if backed[winner] > cutoff:
                taken = min(weight * cutoff, _MOST) // backed[winner]
                weights[place] = weight - taken
                backed[winner] -= taken
                gained[voter] += taken
        self.backed[:] = backed
        return weights


def _highest(approval: Sequence[int], below: Places, rough: npt.NDArray[np.float64]) -> int:
    """Return the place of the highest quotient of `approval` and `below`, the first of several.

    Parameters
    ----------
    approval : sequence of int
    below : numpy.ndarray of int64
    rough : numpy.ndarray of float64
        `approval` as floats, zero for those who are out. They leave the few that whole numbers then compare.
    """
    quotients = rough / below
    near = np.flatnonzero(quotients >= quotients.max() * _NEAR).tolist()
    best: int = near[0]
    for other in near[1:]:
        if approval[other] * int(below[best]) > approval[best] * int(below[other]):
            best = other
    return best
