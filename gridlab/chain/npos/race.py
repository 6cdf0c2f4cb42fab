"""The race for each seat of sequential Phragmén: which candidate has the least score, found fast and exactly.

All scores are computed at once in floating point, with a bound on their error. Only the candidates that the bound
leaves in the race for the seat, most often one, are then scored in whole numbers, as Substrate scores all of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.chain.npos.electorate import Approvals, Electorate

__all__ = ["Race", "Rough"]

DENOMINATOR = 2**128 - 1


class Race:
    """Loads and exact scores while seats are given.

    Attributes
    ----------
    load : list of int
        What each voter bears, times 2**128 - 1.
    edge_load : list of int
        What each edge added to its voter's load when its candidate was elected, times 2**128 - 1.
    """

    __slots__ = ("burden", "edge_load", "edges", "load", "open", "rough", "stand", "voters")

    def __init__(self, electorate: Electorate) -> None:
        self.stand = electorate
        approvals = Approvals(electorate)
        self.edges = approvals.edges
        self.voters = [electorate.voter[edges].tolist() for edges in self.edges]
        self.load = [0] * len(electorate.stakes)
        self.burden = [0] * len(electorate.stakes)  # load x stake
        self.edge_load = [0] * len(electorate.target)
        self.open = np.array([stake > 0 for stake in electorate.approval], dtype=bool)
        self.rough = Rough(electorate, approvals)

    def run(self, seats: int) -> list[int]:
        """Give the seats; return the places of the winners whom some stake approves, in order of election."""
        winners = []
        for _ in range(min(seats, int(self.open.sum()))):
            scores = {place: self.score(place) for place in self.rough.contenders(self.open)}
            winner = min(scores, key=scores.__getitem__)  # the first of several
            self.elect(winner, scores[winner])
            winners.append(winner)
        return winners

    def score(self, candidate: int) -> int:
        """Return the exact score, times 2**128 - 1 and at most that."""
        approval, burden = self.stand.approval[candidate], self.burden
        raw: int = DENOMINATOR // approval + sum([burden[voter] // approval for voter in self.voters[candidate]])
        return min(raw, DENOMINATOR)

    def elect(self, winner: int, score: int) -> None:
        """Let the winner's voters bear the load `score` each.

        No load falls: the winner had the least score, other scores grow with the loads in them, quotient by quotient,
        so every later winner's score, and with it the load of its voters, is at least this one.
        """
        load, burden, edge_load, stakes = self.load, self.burden, self.edge_load, self.stand.stakes
        for edge, voter in zip(self.edges[winner].tolist(), self.voters[winner], strict=True):
            edge_load[edge] = score - load[voter]
            load[voter] = score
            burden[voter] = score * stakes[voter]
        self.open[winner] = False
        self.rough.elect(self.voters[winner], score)


class Rough:
    """Scores in floating point, and how far off they can be.

    The score of a candidate with n voters is a sum of n + 1 numbers, none negative, over its approval stake. Whatever
    the order of summation, the sum's relative error is below n u (1 + n u), u = 2**-53 (Higham, "Accuracy and Stability
    of Numerical Algorithms", 2nd ed. 2002, section 4.2); conversions, products and the quotient add at most six more u.
    The exact score rounds n + 1 quotients down and is so at most n + 1 units below the true value. `bounds` uses
    twice the relative bound and one unit more, for the rounding of the bounds themselves.
    """

    __slots__ = ("approval", "approvals", "burden", "margin", "stakes", "steps")

    def __init__(self, electorate: Electorate, approvals: Approvals) -> None:
        self.stakes = np.array(electorate.stakes, dtype=np.float64)
        self.approval = np.maximum(np.array(electorate.approval, dtype=np.float64), 1.0)
        self.burden = np.zeros(len(electorate.stakes))
        self.approvals = approvals
        self.steps = approvals.backers + 3.0
        self.margin = (approvals.backers + 8) * 2.0**-52

    def bounds(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return two numbers per candidate between which its exact score lies, times 2**128 - 1."""
        scores = (2.0**128 + self.approvals.sums(self.burden)) / self.approval
        # Exact scores stop at 2**128 - 1, bounds at 2**128: who is beyond stays unless somebody is surely below.
        low = np.minimum(scores * (1 - self.margin) - self.steps, 2.0**128)
        return low, np.minimum(scores * (1 + self.margin), 2.0**128)

    def contenders(self, still_open: npt.NDArray[np.bool_]) -> list[int]:
        """Return the open candidates that may have the least exact score, ascending; never none."""
        low, high = self.bounds()
        found: list[int] = np.flatnonzero(still_open & (low <= high[still_open].min())).tolist()
        return found

    def elect(self, voters: list[int], score: int) -> None:
        """Take over the load `score` of a winner's `voters`."""
        self.burden[voters] = float(score) * self.stakes[voters]
