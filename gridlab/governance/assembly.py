"""Governance alone: holders of GRID, proposals, votes and a clock, without a chain.

What happens here is what the pallet does on the public chain, by the same functions on the same ledger; only the blocks
are empty ones, a minute apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import polars as pl

from gridlab.chain.arguments import require_int, require_mapping, require_text
from gridlab.chain.ledger import Ledger
from gridlab.chain.swaps.postings import Posting, apply_postings
from gridlab.doors import through
from gridlab.errors import ArgumentTypeError, GovernanceError, nearest
from gridlab.governance import casting, delegating, proposing, views
from gridlab.governance.actions import Action, ProtocolUpgrade, Spend
from gridlab.governance.ballots import Ballot, Tally
from gridlab.governance.book import GovernanceBook
from gridlab.governance.course import Course
from gridlab.governance.deciding import at_block
from gridlab.governance.governance import Governance
from gridlab.governance.lever_table import LeverTable
from gridlab.governance.purse import Purse
from gridlab.governance.roll import Delegation
from gridlab.governance.track_terms import MINUTE
from gridlab.units import Number

__all__ = ["Assembly"]

_ISSUANCE, _TREASURY, _SYSTEM = 0, 1, 2
_Result = TypeVar("_Result")


class Assembly:
    """Holders of GRID who decide together.

    Parameters
    ----------
    balances : mapping of str to int
        Holder -> micro-GRID.
    governance : Governance, optional
    levers : polars.DataFrame, optional
        What votes may move, as ``lab.levers()``.
    treasury : int
        What the treasury holds, micro-GRID.

    Raises
    ------
    ArgumentTypeError, ArgumentError, FrameError, GovernanceError
        An argument does not fit.

    Examples
    --------
    >>> assembly = Assembly({"ana": 60_000_000_000, "bun": 40_000_000_000}, treasury=5_000_000)
    >>> number = assembly.propose("ana", assembly.spend({"bun": 2_000_000}))
    >>> assembly.place_deposit("ana", number)
    >>> assembly.vote("ana", number, Ballot.for_it(50_000_000_000, 2))
    >>> _ = assembly.advance(90)
    >>> assembly.enacted["path", "value", "failed"].rows()
    [('3', '2000000', '')]
    """

    def __init__(
        self,
        balances: Mapping[str, int],
        governance: Governance | None = None,
        levers: pl.DataFrame | pl.LazyFrame | None = None,
        *,
        treasury: int = 0,
    ) -> None:
        terms = Governance() if governance is None else governance
        if not isinstance(terms, Governance):
            raise ArgumentTypeError(f"governance is a {type(terms).__name__}, allowed: Governance(…)")
        names = [require_text("holder", name) for name in require_mapping("balances", balances)]
        self._accounts = {name: _SYSTEM + place for place, name in enumerate(names)}
        self._ledger = Ledger(_SYSTEM + len(names), issuers={"GRID": [_ISSUANCE]})
        given = [(_TREASURY, require_int("treasury", treasury, 0))]
        given += [(self._accounts[name], require_int(f"balances[{name!r}]", balances[name], 0)) for name in names]
        minted = [
            Posting(place, _ISSUANCE, account, "GRID", amount, "mint")
            for place, (account, amount) in enumerate(given)
            if amount
        ]
        apply_postings(self._ledger, minted, sender=_ISSUANCE, now=0)
        self._book = GovernanceBook(terms.rules(), terms.lever_values(), LeverTable(levers))
        self._course = Course()
        self.now, self.height = 0, 0

    def __repr__(self) -> str:
        minutes = self.now // MINUTE
        return f"Assembly({len(self._accounts)} holders, {len(self._book.referenda)} referenda, minute {minutes})"

    def _repr_html_(self) -> str:
        html: str = through("assembly_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``assembly.plot.referendum(0)``, ``.tallies()``, ``.delegations()``, … (HoloViews)."""
        return through("assembly_plot", self)

    def controls(self) -> Any:
        """Return live controls: propose, vote, delegate, let minutes pass (ipywidgets)."""
        return through("assembly_controls", self)

    def fork(self) -> Assembly:
        """Return an independent copy."""
        twin = object.__new__(Assembly)
        twin._accounts = self._accounts
        twin._ledger, twin._book = self._ledger.fork(), self._book.fork()
        twin._course = self._course.fork()
        twin.now, twin.height = self.now, self.height
        return twin

    @property
    def book(self) -> GovernanceBook:
        """A copy of all that governance knows."""
        return self._book.fork()

    @property
    def ledger(self) -> Ledger:
        """A copy of the ledger."""
        return self._ledger.fork()

    def account(self, holder: str) -> int:
        """Return the account of a holder; raises GovernanceError where there is none of this name."""
        found = self._accounts.get(holder) if isinstance(holder, str) else None
        if found is None:
            raise GovernanceError(f"no holder {holder!r}; {nearest(holder, self._accounts)}")
        return found

    # What holders do

    def propose(self, holder: str, action: Action | Mapping[str, object], *, after: int = 0) -> int:
        """Submit a proposal, an action or levers (path -> value); return the number of its referendum.

        Parameters
        ----------
        holder : str
        action : Action or mapping of str to object
        after : int
            Minutes from approval to enactment; the track's timelock is the least.

        Raises
        ------
        ArgumentTypeError, ArgumentError, GovernanceError
            The action can never be enacted, or the holder cannot spend the deposit.
        """
        made = self._book.table.action(action) if isinstance(action, Mapping) else action
        account, wait = self.account(holder), require_int("after", after, 0) * MINUTE
        return self._carry(lambda book, purse: proposing.propose(book, purse, account, made, after=wait))

    def spend(self, payments: Mapping[str, int]) -> Spend:
        """Return the action that pays holders from the treasury (micro-GRID)."""
        paid = require_mapping("payments", payments)
        return Spend(tuple((self.account(holder), amount) for holder, amount in paid.items()))

    def place_deposit(self, holder: str, number: int) -> None:
        """Pay the decision deposit of a referendum."""
        account = self.account(holder)
        self._carry(lambda book, purse: proposing.place_decision_deposit(book, purse, account, number))

    def vote(self, holder: str, number: int, ballot: Ballot) -> None:
        """Vote in a referendum, in place of an earlier vote."""
        account = self.account(holder)
        self._carry(lambda book, purse: casting.vote(book, purse, account, number, ballot))

    def remove_vote(self, holder: str, number: int) -> None:
        """Take a vote back, or clear it away after the end."""
        account = self.account(holder)
        self._carry(lambda book, purse: casting.remove_vote(book, purse, account, number))

    def unlock(self, holder: str) -> int:
        """Open what needs to be locked no longer; return what stays locked, micro-GRID."""
        account = self.account(holder)
        return self._carry(lambda book, purse: casting.unlock(book, purse, account))

    def delegate(self, holder: str, track: str, to: str, amount: int, conviction: Number = 1) -> None:
        """Hand votes on a track to another holder (micro-GRID)."""
        account, handed = self.account(holder), Delegation.to(self.account(to), amount, conviction)
        self._carry(lambda book, purse: delegating.delegate(book, purse, account, track, handed))

    def undelegate(self, holder: str, track: str) -> None:
        """Take votes on a track back."""
        account = self.account(holder)
        self._carry(lambda book, purse: delegating.undelegate(book, purse, account, track))

    def cancel(self, number: int) -> None:
        """End a referendum without a decision."""
        self._carry(lambda book, purse: proposing.cancel(book, purse, number))

    def kill(self, number: int) -> None:
        """End a referendum and forfeit its deposits."""
        self._carry(lambda book, purse: proposing.kill(book, purse, number))

    def pay(self, holder: str, to: str, amount: int) -> None:
        """Pay another holder (micro-GRID); raises LedgerError where the holder cannot spend as much."""
        number = self._ledger.next_id(self.account(holder))
        row = Posting(number, self.account(holder), self.account(to), "GRID", amount, "transfer")
        apply_postings(self._ledger, [row], sender=self.account(holder), now=self.now)

    # Time

    def advance(self, minutes: int = 1) -> pl.DataFrame:
        """Let minutes pass, each with a block; return the rows of `enacted` that came of them."""
        require_int("minutes", minutes, 1)
        before = len(self._book.enacted)
        for _ in range(minutes):
            self.now += MINUTE
            self.height += 1
            self._carry(lambda book, purse: at_block(book, purse, self.height, _switch))
        return self.enacted.slice(before)

    def _carry(self, operation: Callable[[GovernanceBook, Purse], _Result]) -> _Result:
        book, ledger = self._book.fork(), self._ledger.fork()
        purse = Purse(ledger, self.now, _TREASURY, _SYSTEM)
        result = operation(book, purse)
        self._book, self._ledger = book, ledger
        if book.referenda:
            self._course.note(book, self.now, purse.electorate)
        return result

    # Views

    @property
    def holders(self) -> tuple[str, ...]:
        """Their names, in the order of their accounts."""
        return tuple(self._accounts)

    @property
    def electorate(self) -> int:
        """All GRID that could vote, micro-GRID: the holders', without the treasury's."""
        return Purse(self._ledger, self.now, _TREASURY, _SYSTEM).electorate

    def course(self, number: int) -> pl.DataFrame:
        """Return how a referendum came to stand where it does, minute by minute.

        Returns
        -------
        polars.DataFrame
            ``minute`` (of the assembly), ``status``, and shares from 0 to 1: ``approval``, ``support``, ``turnout``,
            ``approval_asked`` and ``support_asked`` (null before deciding begins).
        """
        return self._course.frame(self._book.referendum(number).number)

    def balance(self, holder: str) -> int:
        """Return what a holder has, micro-GRID, locked or not."""
        return self._ledger.balance(self.account(holder), "GRID")

    def available(self, holder: str) -> int:
        """Return what a holder may spend, micro-GRID."""
        return self._ledger.available(self.account(holder), "GRID")

    @property
    def treasury(self) -> int:
        """What the treasury holds, micro-GRID."""
        return self._ledger.balance(_TREASURY, "GRID")

    def tally(self, number: int) -> Tally:
        """Return how a referendum stands."""
        return self._book.referendum(number).tally

    def status(self, number: int) -> str:
        """Return where a referendum stands, one word."""
        return self._book.referendum(number).status

    @property
    def referenda(self) -> pl.DataFrame:
        """All referenda."""
        return views.referendum_frame(self._book)

    def votes(self, number: int) -> pl.DataFrame:
        """Return who votes what in a referendum."""
        return views.vote_frame(self._book, number)

    def delegations(self, track: str) -> pl.DataFrame:
        """Return who delegates to whom on a track."""
        return views.delegation_frame(self._book, track)

    @property
    def enacted(self) -> pl.DataFrame:
        """What approved proposals did, and when."""
        return views.enacted_frame(self._book)


def _switch(upgrade: ProtocolUpgrade) -> None:
    raise GovernanceError(f"version {upgrade.version} of the rules: an assembly without a chain has no rules to switch")
