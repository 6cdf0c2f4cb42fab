"""Votes: cast, replaced, removed; and locks, opened once nothing asks for them any more.

The steps are those of pallet-conviction-voting. A vote locks its amount, on top of no other lock: the highest counts. A
vote on the side that won stays locked for its conviction's periods from the end of the referendum; a vote on the side
that lost, a split vote, and any vote in a referendum that ended without a decision are free at once. A period is as
long as the rules said when the referendum was submitted: votes may move the rule, and no lock that somebody has taken
on. What is free is opened by `unlock`, which anybody may ask for: an account that locked all it has cannot pay a fee.

References
----------
Parity Technologies, substrate, ``frame/conviction-voting/src/lib.rs``, 2022.
"""

from __future__ import annotations

from dataclasses import replace

from gridlab.errors import ArgumentTypeError, GovernanceError
from gridlab.governance.actions import TRACKS
from gridlab.governance.ballots import Ballot, Delegations, Tally
from gridlab.governance.book import GovernanceBook
from gridlab.governance.purse import Purse
from gridlab.governance.referenda import Referendum
from gridlab.governance.roll import Voter

__all__ = ["extend_lock", "remove_vote", "require_power", "unlock", "vote"]

# As MaxVotes on Polkadot: votes of ended referenda count until they are removed.
_MOST_BALLOTS = 512


def vote(book: GovernanceBook, purse: Purse, account: int, number: int, ballot: Ballot) -> None:
    """Vote in a referendum; a vote that was cast before is replaced.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        The ballot is none, the referendum has ended, the account delegates on its track, or has less GRID than it
        votes with.
    """
    if not isinstance(ballot, Ballot):
        raise ArgumentTypeError(f"ballot is a {type(ballot).__name__}, allowed: Ballot.for_it(amount, conviction), …")
    referendum = book.ongoing(number)
    voter = book.voter(referendum.track, account)
    if voter.delegation is not None:
        raise GovernanceError(
            f"account {account} delegates its votes on the {referendum.track} track to account "
            f"{voter.delegation.delegate}; undelegate first"
        )
    require_power(book, purse, account, ballot.amount)
    old = voter.ballot(number)
    if old is None and len(voter.ballots) >= _MOST_BALLOTS:
        raise GovernanceError(
            f"account {account} has {len(voter.ballots)} votes on the {referendum.track} track, allowed: "
            f"{_MOST_BALLOTS}; remove those of referenda that have ended"
        )
    tally = referendum.tally - counted(old, voter.received) + counted(ballot, voter.received)
    book.put(replace(referendum, tally=tally))
    book.put_voters(referendum.track, {account: voter.voting(number, ballot)})
    extend_lock(book, purse, account, ballot.amount)


def counted(ballot: Ballot | None, received: Delegations) -> Tally:
    """Return what a ballot adds to a tally, with the votes that were handed to its voter."""
    if ballot is None:
        return Tally()
    return ballot.tally if ballot.side is None else ballot.tally + Tally.of(received, aye=ballot.side)


def remove_vote(book: GovernanceBook, purse: Purse, account: int, number: int) -> None:
    """Take a vote back, or clear it away after the end; what it locks is then opened by `unlock`, once it is due.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        There is no such referendum, or the account has no vote in it.
    """
    referendum = book.referendum(number)
    voter = book.voter(referendum.track, account)
    ballot = voter.ballot(number)
    if ballot is None:
        raise GovernanceError(f"account {account} has no vote in referendum {number}")
    after = voter.voting(number, None)
    if referendum.ongoing:
        book.put(replace(referendum, tally=referendum.tally - counted(ballot, voter.received)))
    elif purse.now < (until := _locked_until(referendum, ballot)):
        after = after.locking(until, ballot.amount)
    book.put_voters(referendum.track, {account: after})


def _locked_until(referendum: Referendum, ballot: Ballot) -> int:
    """Return until when a ballot locks after the end of its referendum, 0 where it locks nothing."""
    if referendum.verdict is None or referendum.ended is None:
        return 0
    periods = ballot.periods(approved=referendum.verdict)
    return referendum.ended + referendum.lock_period * periods if periods else 0


def unlock(book: GovernanceBook, purse: Purse, account: int) -> int:
    """Lower the lock of an account to what its votes, delegations and past locks still ask for; return what is left.

    Votes in referenda that have ended, and that lock nothing any more, are cleared away.

    Returns
    -------
    int
        micro-GRID that stay locked.

    Raises
    ------
    GovernanceError
        Nothing of the account is locked.
    """
    held = book.locks.get(account)
    if held is None:
        raise GovernanceError(f"governance locks nothing of account {account}")
    needed = 0
    for track in TRACKS:
        voter = book.voter(track, account)
        after = _cleared(book, voter, purse.now).released(purse.now)
        if after != voter:
            book.put_voters(track, {account: after})
        needed = max(needed, after.locked)
    book.put_lock(account, purse.lock(account, held, needed))
    return needed


def _cleared(book: GovernanceBook, voter: Voter, now: int) -> Voter:
    kept = []
    for number, ballot in voter.ballots:
        referendum = book.referendum(number)
        if referendum.ongoing or now < _locked_until(referendum, ballot):
            kept.append((number, ballot))
    return replace(voter, ballots=tuple(kept))


def require_power(book: GovernanceBook, purse: Purse, account: int, amount: int) -> None:
    """Raise GovernanceError where an account has less than it wants to vote with, locked GRID included."""
    power = purse.power(account, book.locks.get(account))
    if amount > power:
        raise GovernanceError(f"account {account} votes with {amount} micro-GRID, it has {power}")


def extend_lock(book: GovernanceBook, purse: Purse, account: int, amount: int) -> None:
    """Raise the lock of an account to at least this much."""
    held = book.locks.get(account)
    if held is None or held.amount < amount:
        book.put_lock(account, purse.lock(account, held, amount))
