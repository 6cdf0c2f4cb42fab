"""One act of an agenda: who will sign what at which minute of a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_int, require_mapping, require_text
from gridlab.errors import ArgumentError, ArgumentTypeError, GovernanceError
from gridlab.governance import kinds
from gridlab.governance.actions import action_from_bytes
from gridlab.governance.ballots import Ballot
from gridlab.governance.roll import Delegation

__all__ = ["Act", "CouncilAct", "clock_of", "minute_of"]

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_KINDS = (
    *("propose", "decision_deposit", "vote", "delegate", "undelegate", "remove_vote", "unlock", "cancel", "kill"),
)
_LONGEST_RUN = 366 * 24 * 60


@dataclass(frozen=True, slots=True)
class Act:
    """One transaction that a holder will sign.

    Attributes
    ----------
    minute : int
        From the start of the run.
    holder : str
    kind : str
        Of transaction, as `gridlab.governance.pallet` knows it.
    said : mapping of str to object
        Its content, as text and whole numbers.
    """

    minute: int
    holder: str
    kind: str
    said: Mapping[str, Any]

    def __post_init__(self) -> None:
        require_int("minute", self.minute, 0, _LONGEST_RUN)
        if not require_text("holder", self.holder):
            raise ArgumentError("holder is empty, allowed: the name of a holder of GRID")
        if self.kind not in _KINDS:
            raise GovernanceError(f"kind {self.kind!r} is none of an agenda's: {', '.join(_KINDS)}")
        require_mapping("said", self.said)

    def frame(self, account: Callable[[str], int]) -> pl.DataFrame:
        """Return the transaction's frame; `account` gives the account of a holder's name."""
        said = self.said
        if self.kind == "propose":
            return kinds.proposal_form(action_from_bytes(bytes.fromhex(said["action"])), after=said["after"])
        if self.kind == "vote":
            return kinds.vote_form(said["referendum"], Ballot(**said["ballot"]))
        if self.kind == "delegate":
            handed = Delegation(account(said["to"]), said["level"], said["amount"])
            return kinds.delegation_form(said["track"], handed)
        if self.kind == "undelegate":
            return kinds.track_form(said["track"])
        if self.kind == "unlock":
            return kinds.account_form(account(self.holder))
        return kinds.referendum_form(said["referendum"])


@dataclass(frozen=True, slots=True)
class CouncilAct:
    """One seat's approval of an emergency stop.

    Attributes
    ----------
    minute : int
        From the start of the run.
    seat : str
        Of the emergency council.
    scope, target, reason : str
        As `gridlab.chain.emergency.approval_frame` takes them.
    until : int
        Minutes from the start of the run until the stop ends by itself.
    """

    minute: int
    seat: str
    scope: str
    target: str
    reason: str
    until: int

    def __post_init__(self) -> None:
        require_int("minute", self.minute, 0, _LONGEST_RUN)
        require_int("until", self.until, self.minute + 1, 2 * _LONGEST_RUN)
        for name in ("seat", "scope", "reason"):
            if not require_text(name, getattr(self, name), longest=200):
                raise ArgumentError(f"{name} is empty, allowed: 1 to 200 bytes")
        require_text("target", self.target, longest=64)


def minute_of(at: str | int) -> int:
    """Return minutes from the start of a run, given as such or as a time of its first day, 08:30."""
    if isinstance(at, str):
        found = _CLOCK.fullmatch(at)
        if found is None:
            raise ArgumentError(f"at: {at!r} is no time of day, allowed: '08:30', or minutes from the start of the run")
        return 60 * int(found[1]) + int(found[2])
    if isinstance(at, bool) or not isinstance(at, int):
        raise ArgumentTypeError(f"at: {at!r} is a {type(at).__name__}, allowed: '08:30', or minutes from the start")
    return require_int("at", at, 0, _LONGEST_RUN)


def clock_of(minute: int) -> str:
    """Return minutes from the start of a run as a time of day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
