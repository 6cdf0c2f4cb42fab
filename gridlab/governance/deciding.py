"""What time does: at every block, what is due is enacted, queues move up, and referenda take their next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gridlab.errors import GovernanceError, GridlabError
from gridlab.governance.actions import TRACKS, Action, Emergency, ProtocolUpgrade, SetLevers, Spend
from gridlab.governance.book import Enacted, GovernanceBook
from gridlab.governance.governance import terms_after
from gridlab.governance.proposing import settle
from gridlab.governance.purse import Purse
from gridlab.governance.referenda import Referendum, begun, serviced

__all__ = ["Switch", "at_block"]

# Switches the chain to other rules, or raises a GridlabError that says why it cannot.
Switch = Callable[[ProtocolUpgrade], None]


def at_block(book: GovernanceBook, purse: Purse, height: int, switch: Switch) -> None:
    """Let time pass until a block, before its transactions.

    First what is due is enacted; then each track with room takes from its queue the referendum with most ayes (of
    equals the oldest); then every other referendum takes one step. Room that becomes free by such a step is given away
    at the next block, as in pallet-referenda. Referenda that have ended, and of which nothing is left to enact, are not
    looked at.

    Parameters
    ----------
    book : GovernanceBook
    purse : Purse
    height : int
        Of the block.
    switch : callable
        ``switch(upgrade)`` switches the chain to other rules.
    """
    living = book.living()
    for referendum in living:
        if referendum.awaits_enactment and referendum.enact is not None and referendum.enact <= purse.now:
            _enact(book, purse, referendum, height, switch)
    ongoing = [referendum for referendum in living if referendum.ongoing]
    electorate = purse.electorate if ongoing else 0
    for name in TRACKS:
        _advance(book, purse, [each for each in ongoing if each.track == name], electorate)


def _advance(book: GovernanceBook, purse: Purse, ongoing: list[Referendum], electorate: int) -> None:
    """Let the referenda of one track take their steps."""
    if not ongoing:
        return
    track = book.track_of(ongoing[0])
    room = track.capacity - sum(each.since is not None for each in ongoing)
    queue = sorted((each for each in ongoing if each.queued), key=lambda each: (-each.tally.ayes, each.number))
    called = {each.number for each in queue[: max(room, 0)]}
    room -= len(called)
    changed: list[Referendum] = []
    for each in ongoing:
        if each.number in called:
            changed.append(begun(each, track, purse.now, electorate))
            continue
        after = serviced(each, track, purse.now, electorate, room=room > 0, timeout=book.rules.timeout)
        room -= each.since is None and after.since is not None
        if after.end:
            settle(book, purse, after)
        elif after != each:
            changed.append(after)
    if changed:
        book.put(*changed)


def _enact(book: GovernanceBook, purse: Purse, referendum: Referendum, height: int, switch: Switch) -> None:
    """Do what was approved, as a whole, or write down why it could not be done."""
    try:
        _act(book, purse, referendum.action, switch)
        failed = ""
    except GridlabError as problem:
        failed = str(problem).partition("\n")[0]
    book.put(replace(referendum, outcome=failed or "enacted"))
    book.note(
        *(
            Enacted(height, purse.now, referendum.number, name, path, value, failed)
            for name, path, value in _written(referendum.action)
        )
    )


def _act(book: GovernanceBook, purse: Purse, action: Action, switch: Switch) -> None:
    if isinstance(action, Spend):
        purse.spend(action.payments)
    elif isinstance(action, ProtocolUpgrade):
        switch(action)
    elif isinstance(action, SetLevers):
        own = terms_after(book.terms, book.table, action)
        if own is not None:
            book.terms, book.rules = own
    else:
        _stop_or_resume(book, action, purse.now)


def _stop_or_resume(book: GovernanceBook, action: Emergency, now: int) -> None:
    # To resume is always possible: what stands may have been stopped by a council on another chain.
    if action.stop and action.scope in book.stopped:
        raise GovernanceError(f"{action.scope!r} stands already")
    stopped = {scope: since for scope, since in book.stopped.items() if scope != action.scope}
    book.stopped = {**stopped, action.scope: now} if action.stop else stopped


def _written(action: Action) -> list[tuple[str, str, str]]:
    """Return action, path and value of each row of the log."""
    if isinstance(action, SetLevers):
        return [("set", path, value) for path, value in action.levers]
    if isinstance(action, Spend):
        return [("spend", str(account), str(amount)) for account, amount in action.payments]
    if isinstance(action, ProtocolUpgrade):
        return [("upgrade", str(action.version), str(action.height))]
    return [("stop" if action.stop else "resume", action.scope, "")]
