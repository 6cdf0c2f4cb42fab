"""Proposals: made with a deposit, brought to a decision by a second one, cancelled, or killed with the loss of both.

Deposits come back by themselves when a referendum ends, however it ends; only killing it forfeits them, to the
treasury. (In pallet-referenda they have to be asked for, and the first stays where a referendum is rejected or timed
out.)

At most 100 referenda of a track wait with their decision deposit paid. Into a full track comes only one with more ayes
than the least of them, which gets its decision deposit back, and for which it may be paid again.
"""

from __future__ import annotations

from dataclasses import replace

from gridlab.chain.arguments import require_int
from gridlab.errors import GovernanceError
from gridlab.governance.actions import Action, SetLevers, Spend, require_action
from gridlab.governance.book import GovernanceBook
from gridlab.governance.governance import terms_after
from gridlab.governance.purse import Purse
from gridlab.governance.referenda import Referendum

__all__ = ["cancel", "kill", "place_decision_deposit", "propose", "settle"]

_LONGEST = 10**17
# As MaxQueued on Polkadot.
_MOST_WAITING = 100


def propose(book: GovernanceBook, purse: Purse, account: int, action: Action, *, after: int = 0) -> int:
    """Submit a proposal and return the number of its referendum.

    Parameters
    ----------
    book : GovernanceBook
    purse : Purse
    account : int
        The proposer's, which pays the submission deposit.
    action : Action
        It decides the track.
    after : int
        How long after approval it shall be enacted, microseconds; the track's timelock is the least.

    Raises
    ------
    ArgumentTypeError, ArgumentError, GovernanceError
        The action is none; it names an unknown lever, a value out of bounds or an account that nobody holds; or the
        account cannot spend the deposit.
    """
    require_possible(book, purse, require_action(action))
    require_int("after", after, 0, _LONGEST)
    number = len(book.referenda)
    held = purse.deposit(account, book.rules.submission_deposit, "the submission deposit")
    book.put(Referendum(number, account, action, purse.now, after, held, lock_period=book.rules.lock_period))
    return number


def require_possible(book: GovernanceBook, purse: Purse, action: Action) -> None:
    """Raise GovernanceError where an action can never be enacted."""
    if isinstance(action, SetLevers):
        book.table.values(action)
        terms_after(book.terms, book.table, action)
    elif isinstance(action, Spend):
        for account, _ in action.payments:
            purse.require_holder(account, "the beneficiary")


def place_decision_deposit(book: GovernanceBook, purse: Purse, account: int, number: int) -> None:
    """Pay the deposit without which a referendum is not decided; anybody may.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        The referendum has ended, its deposit is paid, its track is full of others with as many ayes, or the account
        cannot spend as much.
    """
    referendum = book.ongoing(number)
    if referendum.paid:
        raise GovernanceError(f"referendum {number} has its decision deposit already, nobody needs to pay another")
    _make_room(book, purse, referendum)
    held = purse.deposit(account, book.track_of(referendum).decision_deposit, "the decision deposit")
    book.put(replace(referendum, decision=held, paid=True))


def _make_room(book: GovernanceBook, purse: Purse, referendum: Referendum) -> None:
    """Send the least of a full track's waiting referenda back, or raise GovernanceError where this one is the least."""
    waiting = [each for each in book.living(referendum.track) if each.ongoing and each.paid and each.since is None]
    if len(waiting) < _MOST_WAITING:
        return
    least = min(waiting, key=lambda each: (each.tally.ayes, -each.number))
    if referendum.tally.ayes <= least.tally.ayes:
        raise GovernanceError(
            f"{len(waiting)} referenda wait on the {referendum.track} track, allowed: {_MOST_WAITING}; referendum "
            f"{referendum.number} has {referendum.tally.ayes} ayes, the least of them {least.tally.ayes}: gather more, "
            "or wait until one is decided"
        )
    purse.refund(least.decision)
    book.put(replace(least, decision=None, paid=False, queued=False))


def cancel(book: GovernanceBook, purse: Purse, number: int) -> None:
    """End a referendum without a decision; raises GovernanceError where it has ended."""
    settle(book, purse, book.ongoing(number).closed("cancelled", purse.now))


def kill(book: GovernanceBook, purse: Purse, number: int) -> None:
    """End a referendum and forfeit its deposits; raises GovernanceError where it has ended."""
    settle(book, purse, book.ongoing(number).closed("killed", purse.now))


def settle(book: GovernanceBook, purse: Purse, after: Referendum) -> None:
    """Keep a referendum that has ended, and give its deposits back, or forfeit them."""
    before = book.referendum(after.number)
    for held in (before.submission, before.decision):
        if after.end == "killed":
            purse.forfeit(held)
        else:
            purse.refund(held)
    book.put(after)
