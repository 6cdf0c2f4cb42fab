"""A referendum: one proposal on its way from submission to its end, and, if approved, to enactment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gridlab.chain.encoding import blob, compact, text, u8
from gridlab.governance.actions import Action, action_to_bytes
from gridlab.governance.ballots import Tally
from gridlab.governance.purse import Hold
from gridlab.governance.tracks import Track

__all__ = ["ENDS", "Referendum", "begun", "serviced"]

# How a referendum ends; before it is "preparing", "queued", "deciding" or "confirming".
ENDS = ("approved", "rejected", "timed_out", "cancelled", "killed")


@dataclass(frozen=True, slots=True)
class Referendum:
    """One proposal. Never changed, only replaced. Moments are microseconds since 1970-01-01 UTC.

    Attributes
    ----------
    number : int
    proposer : int
        Account.
    action : Action
    submitted : int
    after : int
        How long after approval the proposer wants it enacted, microseconds; the track's timelock is the least.
    submission, decision : Hold or None
        The deposits, None where none is held.
    paid : bool
        Whether the decision deposit was placed.
    queued : bool
    since : int or None
        When deciding began.
    confirming : int or None
        When it will be confirmed if it passes until then.
    end : str
        One of `ENDS`, empty while it goes on.
    ended : int or None
    enact : int or None
        The first moment at which it may be enacted.
    outcome : str
        "enacted", or why enactment failed; empty before.
    tally : Tally
    lock_period : int
        Microseconds that one period of a conviction lock lasts for its votes: as the rules were when it was submitted,
        so that no later vote on the period moves a lock.
    """

    number: int
    proposer: int
    action: Action
    submitted: int
    after: int = 0
    submission: Hold | None = None
    decision: Hold | None = None
    paid: bool = False
    queued: bool = False
    since: int | None = None
    confirming: int | None = None
    end: str = ""
    ended: int | None = None
    enact: int | None = None
    outcome: str = ""
    tally: Tally = field(default_factory=Tally)
    lock_period: int = 0

    @property
    def ongoing(self) -> bool:
        """Whether it still takes votes."""
        return not self.end

    @property
    def track(self) -> str:
        """Name of its track."""
        return self.action.track

    @property
    def status(self) -> str:
        """Where it stands, one word."""
        if self.end:
            return self.end
        if self.since is None:
            return "queued" if self.queued else "preparing"
        return "deciding" if self.confirming is None else "confirming"

    @property
    def verdict(self) -> bool | None:
        """True if approved, False if rejected, None while it goes on or where it ended without a decision."""
        return {"approved": True, "rejected": False}.get(self.end)

    @property
    def awaits_enactment(self) -> bool:
        """Whether it was approved and nothing was done yet."""
        return self.end == "approved" and not self.outcome

    @property
    def alive(self) -> bool:
        """Whether time still does something with it: it goes on, or awaits enactment."""
        return self.ongoing or self.awaits_enactment

    def closed(self, end: str, now: int) -> Referendum:
        """Return it ended; the deposits are the caller's to settle."""
        return replace(self, end=end, ended=now, queued=False, confirming=None, submission=None, decision=None)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        moments = (self.since, self.confirming, self.ended, self.enact)
        return b"".join(
            [
                *(compact(each) for each in (self.number, self.proposer, self.submitted, self.after)),
                blob(action_to_bytes(self.action)),
                *(u8(0) if each is None else u8(1) + each.to_bytes() for each in (self.submission, self.decision)),
                u8(int(self.paid)) + u8(int(self.queued)),
                *(u8(0) if each is None else u8(1) + compact(each) for each in moments),
                text(self.end) + text(self.outcome),
                self.tally.to_bytes(),
                compact(self.lock_period),
            ]
        )


def begun(referendum: Referendum, track: Track, now: int, electorate: int) -> Referendum:
    """Return it with deciding begun; one that passes at once is confirming at once."""
    passing = track.passes(referendum.tally, 0, electorate)
    confirming = now + track.confirm if passing else None
    return replace(referendum, queued=False, since=now, confirming=confirming)


def serviced(
    referendum: Referendum, track: Track, now: int, electorate: int, *, room: bool, timeout: int
) -> Referendum:
    """Return a referendum that goes on, as it stands at a block of this moment: one step at most.

    Parameters
    ----------
    referendum : Referendum
    track : Track
    now : int
        Microseconds.
    electorate : int
        micro-GRID.
    room : bool
        Whether its track may take one more to decide.
    timeout : int
        Microseconds from submission.

    Notes
    -----
    The steps are those of ``service_referendum`` in pallet-referenda (``substrate/frame/referenda/src/lib.rs``, 2024).
    """
    if referendum.since is not None:
        return _decided(referendum, track, now, electorate, referendum.since)
    if referendum.queued:
        return referendum
    if referendum.paid and now >= referendum.submitted + track.prepare:
        return begun(referendum, track, now, electorate) if room else replace(referendum, queued=True)
    return referendum.closed("timed_out", now) if now >= referendum.submitted + timeout else referendum


def _decided(referendum: Referendum, track: Track, now: int, electorate: int, since: int) -> Referendum:
    if track.passes(referendum.tally, now - since, electorate):
        if referendum.confirming is None:
            return replace(referendum, confirming=now + track.confirm)
        if now >= referendum.confirming:
            enact = now + max(referendum.after, track.enactment)
            return replace(referendum.closed("approved", now), enact=enact)
        return referendum
    if now >= since + track.decision:
        return referendum.closed("rejected", now)
    return replace(referendum, confirming=None)
