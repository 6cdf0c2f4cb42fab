"""Delegation: votes handed to another account, on one track.

The delegate votes with them whenever it votes aye or nay; a split vote does not carry them. They go no further: if the
delegate delegates too, its own GRID moves on and what it received rests. So a chain of delegations has no multiplied
votes, and a circle would only waste them; it is refused. To find one, a chain of delegations is followed for 100 steps;
who would delegate into a longer one is refused too, so that nobody can make the search dear.

References
----------
Parity Technologies, substrate, ``frame/conviction-voting/src/lib.rs``, 2022.
"""

from __future__ import annotations

from dataclasses import replace

from gridlab.errors import ArgumentTypeError, GovernanceError
from gridlab.governance.ballots import Delegations, Tally
from gridlab.governance.book import GovernanceBook
from gridlab.governance.casting import extend_lock, require_power
from gridlab.governance.purse import Purse
from gridlab.governance.roll import Delegation
from gridlab.governance.voting import PERIODS

__all__ = ["delegate", "undelegate"]

# Delegations in a row that are followed in search of a circle.
_MOST_STEPS = 100


def delegate(book: GovernanceBook, purse: Purse, account: int, track: str, handed: Delegation) -> None:
    """Hand votes to another account, whose amount is locked.

    Raises
    ------
    ArgumentTypeError, ArgumentError, GovernanceError
        There is no such track or account, the account delegates or votes there already, has less GRID, or would close
        a circle or join a chain of more than 100 delegations.
    """
    if not isinstance(handed, Delegation):
        raise ArgumentTypeError(f"handed is a {type(handed).__name__}, allowed: Delegation.to(account, amount, …)")
    voter = book.voter(book.require_track(track), account)
    if voter.delegation is not None:
        raise GovernanceError(
            f"account {account} delegates to account {voter.delegation.delegate} on the {track} track already; "
            "undelegate first"
        )
    if voter.ballots:
        numbers = [number for number, _ in voter.ballots]
        raise GovernanceError(f"account {account} has votes in the referenda {numbers}; remove them first")
    _require_no_circle(book, purse, account, track, handed.delegate)
    require_power(book, purse, account, handed.amount)
    book.put_voters(track, {account: replace(voter, delegation=handed, period=book.rules.lock_period)})
    _pass_on(book, track, handed.delegate, handed.given, handed=True)
    extend_lock(book, purse, account, handed.amount)


def undelegate(book: GovernanceBook, purse: Purse, account: int, track: str) -> None:
    """Take votes back; their lock now runs for the periods of its conviction, as long as they were when it was made.

    Raises
    ------
    GovernanceError
        There is no such track, or the account delegates nothing there.
    """
    voter = book.voter(book.require_track(track), account)
    handed = voter.delegation
    if handed is None:
        raise GovernanceError(f"account {account} delegates nothing on the {track} track")
    _pass_on(book, track, handed.delegate, handed.given, handed=False)
    until = purse.now + voter.period * PERIODS[handed.level]
    book.put_voters(track, {account: replace(voter, delegation=None, period=0).locking(until, handed.amount)})


def _pass_on(book: GovernanceBook, track: str, to: int, given: Delegations, *, handed: bool) -> None:
    """Give votes to a delegate or take them from it, in all referenda in which it votes aye or nay."""
    voter = book.voter(track, to)
    received = voter.received + given if handed else voter.received - given
    book.put_voters(track, {to: replace(voter, received=received)})
    changed = []
    for number, ballot in voter.ballots:
        referendum = book.referendum(number)
        if referendum.ongoing and ballot.side is not None:
            moved = Tally.of(given, aye=ballot.side)
            tally = referendum.tally + moved if handed else referendum.tally - moved
            changed.append(replace(referendum, tally=tally))
    if changed:
        book.put(*changed)


def _require_no_circle(book: GovernanceBook, purse: Purse, account: int, track: str, to: int) -> None:
    if to == account:
        raise GovernanceError(f"account {account} delegates to itself; vote instead")
    purse.require_holder(to, "the delegate")
    onward = book.voter(track, to).delegation
    for _ in range(_MOST_STEPS):
        if onward is None:
            return
        if onward.delegate == account:
            raise GovernanceError(
                f"account {to} delegates on the {track} track, over one or more accounts, to account {account} itself, "
                "so that all these votes would be cast by nobody; choose a delegate who votes"
            )
        onward = book.voter(track, onward.delegate).delegation
    if onward is not None:
        raise GovernanceError(
            f"account {to} stands before a chain of more than {_MOST_STEPS} delegations on the {track} track, allowed: "
            f"at most {_MOST_STEPS}; choose a delegate nearer to its end"
        )
