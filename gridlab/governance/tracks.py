"""Tracks: what it takes to be decided, and to pass, for each kind of proposal, in the units of the chain.

Time is the timestamp of blocks, in microseconds, and not their number: the chain leaves idle slots out, so that a
number of blocks would be no length of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from gridlab.chain.arguments import require_int, require_text
from gridlab.errors import GovernanceError
from gridlab.governance.actions import TRACKS
from gridlab.governance.ballots import Tally
from gridlab.governance.curves import Curve
from gridlab.governance.voting import QUORUM_RULES, adaptive_quorum

__all__ = ["GovernanceRules", "Track", "share"]

_LONGEST = 10**17


@dataclass(frozen=True, slots=True)
class Track:
    """The rules of one kind of proposal.

    Attributes
    ----------
    name : str
        One of `TRACKS`.
    capacity : int
        How many of its referenda are decided at once; others queue.
    decision_deposit : int
        micro-GRID.
    prepare, decision, confirm, enactment : int
        Microseconds: least time from submission to deciding, longest time of deciding, how long it must pass without
        interruption, least time from approval to enactment (the timelock).
    approval, support : Curve
        Least share of ayes among the votes, and of GRID behind them in the electorate.
    quorum : str
        Rule of adaptive quorum biasing that has to pass as well, empty for none.
    """

    name: str
    capacity: int
    decision_deposit: int
    prepare: int
    decision: int
    confirm: int
    enactment: int
    approval: Curve
    support: Curve
    quorum: str = ""

    def __post_init__(self) -> None:
        if require_text("name", self.name) not in TRACKS:
            raise GovernanceError(f"track {self.name!r} is not known, allowed: {list(TRACKS)}")
        require_int("capacity", self.capacity, 1)
        require_int("decision_deposit", self.decision_deposit, 0)
        require_int("decision", self.decision, 1, _LONGEST)
        for name in ("prepare", "confirm", "enactment"):
            require_int(name, getattr(self, name), 0, _LONGEST)
        if self.quorum and self.quorum not in QUORUM_RULES:
            raise GovernanceError(f"quorum {self.quorum!r} is not known, allowed: {list(QUORUM_RULES)}, or '' for none")

    def needs(self, elapsed: int) -> tuple[Fraction, Fraction]:
        """Return the approval and support asked for when so much time of deciding is over (microseconds)."""
        x = Fraction(min(max(elapsed, 0), self.decision), self.decision)
        return self.approval.threshold(x), self.support.threshold(x)

    def passes(self, tally: Tally, elapsed: int, electorate: int) -> bool:
        """Say whether a tally passes when so much time of deciding is over.

        Parameters
        ----------
        tally : Tally
        elapsed : int
            Microseconds.
        electorate : int
            micro-GRID.
        """
        approval, support = self.needs(elapsed)
        return (
            share(tally.support, electorate) >= support
            and share(tally.ayes, tally.ayes + tally.nays) >= approval
            and (
                not self.quorum or adaptive_quorum(self.quorum, tally.ayes, tally.nays, tally.turnout, electorate)
            )
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class GovernanceRules:
    """The rules of all tracks, and what they share; `Governance.rules` makes them of levers.

    Attributes
    ----------
    tracks : tuple of Track
        One for each of `TRACKS`, in that order.
    lock_period : int
        Microseconds that one period of a conviction lock lasts.
    timeout : int
        Microseconds after which a referendum that is neither decided nor queued ends.
    submission_deposit : int
        micro-GRID.
    """

    tracks: tuple[Track, ...]
    lock_period: int
    timeout: int
    submission_deposit: int

    def __post_init__(self) -> None:
        if tuple(track.name for track in self.tracks) != TRACKS:
            raise GovernanceError(f"tracks are {[t.name for t in self.tracks]}, allowed: {list(TRACKS)} in this order")
        require_int("lock_period", self.lock_period, 0, _LONGEST)
        require_int("timeout", self.timeout, 1, _LONGEST)
        require_int("submission_deposit", self.submission_deposit, 0)

    def __getitem__(self, name: str) -> Track:
        return self.tracks[TRACKS.index(name)]


def share(part: int, whole: int) -> Fraction:
    """Return part / whole, at most 1, and 0 where there is nothing."""
    return Fraction(min(part, whole), whole) if whole else Fraction(0)
