"""Governance on the public chain: a part of its state, kinds of transaction, and a step at every block.

Everybody with an attested identity may propose, pay a decision deposit, vote and delegate. Cancelling and killing is
for accounts with the role "governance", which can therefore end a referendum, and never pass one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from gridlab.chain.public.accounts import EVERYONE, SYSTEM_NAMES, TREASURY
from gridlab.chain.public.parts import part_of
from gridlab.chain.public.rules import PublicCall, PublicEffect
from gridlab.chain.public.state import PublicState, Upgrade
from gridlab.doors import through
from gridlab.errors import ArgumentTypeError, GovernanceError, GridlabError
from gridlab.frames import show_rows
from gridlab.governance import casting, delegating, kinds, proposing, views
from gridlab.governance.actions import ProtocolUpgrade, action_from_bytes
from gridlab.governance.ballots import Ballot, Tally
from gridlab.governance.book import GovernanceBook
from gridlab.governance.deciding import at_block
from gridlab.governance.governance import Governance
from gridlab.governance.lever_table import LeverTable
from gridlab.governance.purse import Purse
from gridlab.governance.roll import Delegation

__all__ = ["GOVERNANCE", "GovernancePallet", "GovernancePart", "governance_part"]

GOVERNANCE = "governance"
_BASE, _LIGHT, _HEAVY = 100, 50, 500
_OFFICE = ("governance",)


class GovernancePart:
    """Governance in the state of a public chain.

    Attributes
    ----------
    book : GovernanceBook
        Changed in place.
    """

    __slots__ = ("book",)

    def __init__(self, book: GovernanceBook) -> None:
        self.book = book

    def __repr__(self) -> str:
        ongoing = sum(each.ongoing for each in self.book.living())
        return f"GovernancePart({len(self.book.referenda)} referenda, {ongoing} ongoing, {len(self.book.locks)} locks)"

    def _repr_html_(self) -> str:
        html: str = through("governance_part_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``part.plot.tallies()``, ``.curves()``, ``.locks()``, ``.delegations()`` (HoloViews, SVG)."""
        return through("governance_plot", self)

    @property
    def hash(self) -> bytes:
        """Hash over rules, levers, referenda, votes, locks and what was enacted; 32 bytes."""
        return self.book.hash

    def fork(self) -> GovernancePart:
        """Return an independent copy."""
        return GovernancePart(self.book.fork())

    @property
    def referenda(self) -> pl.DataFrame:
        """All referenda."""
        return views.referendum_frame(self.book)

    @property
    def enacted(self) -> pl.DataFrame:
        """What approved proposals did, and at which block."""
        return views.enacted_frame(self.book)

    @property
    def locks(self) -> pl.DataFrame:
        """What governance locks, by account."""
        return views.lock_frame(self.book)

    def votes(self, number: int) -> pl.DataFrame:
        """Return who votes what in a referendum."""
        return views.vote_frame(self.book, number)

    def delegations(self, track: str) -> pl.DataFrame:
        """Return who delegates to whom on a track."""
        return views.delegation_frame(self.book, track)

    def tally(self, number: int) -> Tally:
        """Return how a referendum stands."""
        return self.book.referendum(number).tally

    def moved(self, *, after: int = -1) -> list[tuple[int, int, dict[str, Any]]]:
        """Return height, referendum and levers (path -> value, for ``lab.set``) of what votes moved after a block."""
        return views.levers_moved(self.book, after=after)


class GovernancePallet:
    """What `PublicChain(pallets=[…])` takes to have governance.

    Parameters
    ----------
    governance : Governance, optional
        Its levers decide the rules at genesis; votes may move them later, as ``governance.…``, if `levers` has them.
    levers : polars.DataFrame, optional
        What votes may move, as ``lab.levers()``; the hash of the table is in the chain's state.

    Raises
    ------
    ArgumentTypeError, FrameError, GovernanceError
        An argument does not fit.
    """

    __slots__ = ("_rules", "_table", "_terms")

    def __init__(self, governance: Governance | None = None, levers: pl.DataFrame | pl.LazyFrame | None = None) -> None:
        terms = Governance() if governance is None else governance
        if not isinstance(terms, Governance):
            raise ArgumentTypeError(f"governance is a {type(terms).__name__}, allowed: Governance(…)")
        self._rules, self._terms = terms.rules(), MappingProxyType(terms.lever_values())
        self._table = LeverTable(levers)

    def __repr__(self) -> str:
        return f"GovernancePallet({len(self._table)} levers)"

    @property
    def name(self) -> str:
        """Name of the part in the chain's state."""
        return GOVERNANCE

    @property
    def effects(self) -> Mapping[str, PublicEffect]:
        """The kinds of transaction."""
        return _EFFECTS

    @property
    def table(self) -> LeverTable:
        """The levers that votes may move; ``table.action({path: value})`` makes the action of a proposal."""
        return self._table

    def part(self, chain_id: str) -> GovernancePart:  # noqa: ARG002 - nothing in it depends on the chain
        """Return governance as it is at genesis: no referendum, nothing locked."""
        return GovernancePart(GovernanceBook(self._rules, self._terms, self._table))

    def upgrades_in(self, kind: str, frame: pl.DataFrame) -> list[tuple[int, int, bytes]]:
        """Return version, height and hash of the rules of each protocol upgrade that a transaction proposes."""
        asked = []
        for written in frame["action"].to_list() if kind == "propose" else []:
            try:
                action = action_from_bytes(written)
            except GridlabError:
                continue  # no action at all; the chain refuses it with the reason
            if isinstance(action, ProtocolUpgrade):
                asked.append((action.version, action.height, action.rules))
        return asked

    def on_block(self, state: PublicState, height: int, timestamp: int) -> None:
        """Enact what is due, move queues up, let each referendum take its step."""

        def switch(upgrade: ProtocolUpgrade) -> None:
            _require_later(upgrade, state, height)
            state.upgrade = Upgrade(upgrade.version, upgrade.height, upgrade.rules)

        at_block(governance_part(state).book, _purse(state, timestamp), height, switch)


def governance_part(state: PublicState) -> GovernancePart:
    """Return governance in a state; raises ChainError where the chain was made without it."""
    return part_of(state, GOVERNANCE, GovernancePart)


def _purse(state: PublicState, now: int) -> Purse:
    return Purse(state.ledger, now, TREASURY, len(SYSTEM_NAMES))


def _require_later(upgrade: ProtocolUpgrade, state: PublicState, height: int) -> None:
    if upgrade.version <= state.rules_version:
        raise GovernanceError(
            f"version {upgrade.version} of the rules is not above {state.rules_version}, which is in force"
        )
    if upgrade.height <= height:
        raise GovernanceError(f"block {upgrade.height}, from which the rules shall count, is not after block {height}")


# What each kind does; the state is put back where one raises.


def _one(call: PublicCall) -> tuple[Any, ...]:
    if call.frame.height != 1:
        raise GovernanceError(f"{call.frame.height} rows, allowed: one for this kind of transaction")
    return call.frame.row(0)


def _numbers(call: PublicCall) -> list[int]:
    repeated = pl.col("referendum").is_duplicated()
    if call.frame.select(repeated.any()).item():
        raise GovernanceError(f"a referendum stands there twice; name each once\n{show_rows(call.frame, repeated)}")
    return call.frame["referendum"].to_list()


def _propose(state: PublicState, call: PublicCall) -> None:
    written, after = _one(call)
    action = action_from_bytes(written)
    if isinstance(action, ProtocolUpgrade):
        _require_later(action, state, call.height)
    book, purse = governance_part(state).book, _purse(state, call.timestamp)
    proposing.propose(book, purse, call.account, action, after=after)


def _decision_deposit(state: PublicState, call: PublicCall) -> None:
    book, purse = governance_part(state).book, _purse(state, call.timestamp)
    for number in _numbers(call):
        proposing.place_decision_deposit(book, purse, call.account, number)


def _vote(state: PublicState, call: PublicCall) -> None:
    _numbers(call)
    book, purse = governance_part(state).book, _purse(state, call.timestamp)
    for number, choice, level, aye, nay, abstain in call.frame.rows():
        casting.vote(book, purse, call.account, number, Ballot(choice, level, aye, nay, abstain))


def _remove_vote(state: PublicState, call: PublicCall) -> None:
    book, purse = governance_part(state).book, _purse(state, call.timestamp)
    for number in _numbers(call):
        casting.remove_vote(book, purse, call.account, number)


def _delegate(state: PublicState, call: PublicCall) -> None:
    book, purse = governance_part(state).book, _purse(state, call.timestamp)
    for track, to, level, amount in call.frame.rows():
        delegating.delegate(book, purse, call.account, track, Delegation(to, level, amount))


def _undelegate(state: PublicState, call: PublicCall) -> None:
    book, purse = governance_part(state).book, _purse(state, call.timestamp)
    for (track,) in call.frame.rows():
        delegating.undelegate(book, purse, call.account, track)


def _unlock(state: PublicState, call: PublicCall) -> None:
    book, purse = governance_part(state).book, _purse(state, call.timestamp)
    for account in call.frame["account"].to_list():
        casting.unlock(book, purse, account)


def _ending(end: Callable[[GovernanceBook, Purse, int], None]) -> Callable[[PublicState, PublicCall], None]:
    def act(state: PublicState, call: PublicCall) -> None:
        for number in _numbers(call):
            end(governance_part(state).book, _purse(state, call.timestamp), number)

    return act


_EFFECTS: Mapping[str, PublicEffect] = MappingProxyType(
    {
        "propose": PublicEffect(kinds.PROPOSALS, EVERYONE, _propose, _BASE, _HEAVY, "a proposal, with its deposit"),
        "decision_deposit": PublicEffect(
            kinds.REFERENDUM_NUMBERS, EVERYONE, _decision_deposit, _BASE, _LIGHT, "a referendum brought to a decision"
        ),
        "vote": PublicEffect(kinds.VOTES, EVERYONE, _vote, _BASE, _HEAVY, "votes, which lock GRID"),
        "remove_vote": PublicEffect(
            kinds.REFERENDUM_NUMBERS, EVERYONE, _remove_vote, _BASE, _LIGHT, "votes taken back or cleared away"
        ),
        "delegate": PublicEffect(kinds.HANDED, EVERYONE, _delegate, _BASE, _HEAVY, "votes handed to another account"),
        "undelegate": PublicEffect(kinds.TRACK_NAMES, EVERYONE, _undelegate, _BASE, _HEAVY, "handed votes taken back"),
        "unlock": PublicEffect(kinds.ACCOUNTS, EVERYONE, _unlock, _BASE, _LIGHT, "GRID that no vote locks any more"),
        "cancel": PublicEffect(
            kinds.REFERENDUM_NUMBERS, _OFFICE, _ending(proposing.cancel), _BASE, _LIGHT, "referenda ended undecided"
        ),
        "kill": PublicEffect(
            kinds.REFERENDUM_NUMBERS, _OFFICE, _ending(proposing.kill), _BASE, _LIGHT, "referenda ended, deposits lost"
        ),
    }
)
