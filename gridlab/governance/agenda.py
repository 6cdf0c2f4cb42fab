"""An agenda: what holders of GRID will do at which time of a run of a lab, before anybody has done it.

A run repeats itself to the letter, so what people decide in it is written down beforehand: at eight a proposal, at half
past eight the votes. Each act becomes a signed transaction of the public chain at its time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_int, require_mapping, require_sequence, require_text
from gridlab.errors import ArgumentError, GovernanceError, GridlabError, nearest
from gridlab.governance.actions import TRACKS, Action, Emergency, ProtocolUpgrade, action_to_bytes, require_action
from gridlab.governance.acts import Act, CouncilAct, clock_of, minute_of
from gridlab.governance.ballots import Ballot
from gridlab.governance.lever_table import LeverTable
from gridlab.governance.voting import conviction_level
from gridlab.units import exact

__all__ = ["COOPERATIVE", "Act", "Agenda", "CouncilAct"]

# A holder of GRID that every lab has.
COOPERATIVE = "Prosumers' cooperative"

_SIDES = ("aye", "nay")
_KEPT: tuple[tuple[str, Any], ...] = (("acts", Act), ("council", CouncilAct))


class Agenda:
    """Acts in the order in which they were written down.

    Parameters
    ----------
    table : callable, optional
        Returns the levers that votes may move as they stand now (``lab.levers()``); with it an impossible proposal is
        refused at once.

    Attributes
    ----------
    holders : callable or None
        Returns the names of those who hold GRID, where the agenda is a lab's; another name is refused at once.
    seats, zones : tuple of str
        Of the lab's emergency council, and of its market.

    Examples
    --------
    >>> agenda = Agenda()
    >>> from gridlab.governance.actions import Spend
    >>> number = agenda.propose(Spend.to(7, 5_000_000), by="PEA", at="08:00")
    >>> agenda.vote(number, "PEA", 1000, at="08:30", conviction=2)
    >>> agenda.frame["time", "holder", "kind"].rows()
    [('08:00', 'PEA', 'propose'), ('08:00', 'PEA', 'decision_deposit'), ('08:30', 'PEA', 'vote')]
    """

    def __init__(self, table: Callable[[], pl.DataFrame] | None = None) -> None:
        self._acts: list[Act] = []
        self._council: list[CouncilAct] = []
        self.table = table
        self.holders: Callable[[], Sequence[str]] | None = None
        self.seats: tuple[str, ...] | None = None
        self.zones: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._acts) + len(self._council)

    def __iter__(self) -> Iterator[Act]:
        return iter(sorted(self._acts, key=lambda act: act.minute))

    def __repr__(self) -> str:
        return f"Agenda({len(self)} acts, {self.proposals} proposals)"

    @property
    def council(self) -> list[CouncilAct]:
        """What seats of the emergency council will approve, by time."""
        return sorted(self._council, key=lambda act: act.minute)

    @property
    def proposals(self) -> int:
        """How many proposals there are."""
        return sum(act.kind == "propose" for act in self._acts)

    @property
    def frame(self) -> pl.DataFrame:
        """The acts by time: ``time``, ``holder``, ``kind``, ``said``."""
        acts = [(act.minute, act.holder, act.kind, json.dumps(act.said, sort_keys=True)) for act in self]
        acts += [
            (act.minute, act.seat, "emergency_approve", f"{act.scope} {act.target}".strip() + f": {act.reason}")
            for act in self.council
        ]
        rows = [(clock_of(minute), *rest) for minute, *rest in sorted(acts, key=lambda row: row[0])]
        return pl.DataFrame(rows, schema=dict.fromkeys(("time", "holder", "kind", "said"), pl.String), orient="row")

    def clear(self) -> None:
        """Forget all acts."""
        self._acts.clear()
        self._council.clear()

    # Acts

    def propose(
        self,
        what: Action | Mapping[str, object],
        *,
        track: str | None = None,
        by: str = COOPERATIVE,
        at: str | int = 0,
        after: float = 0,
        deposit: bool = True,
    ) -> int:
        """Write down a proposal; return the number that its referendum will have.

        Parameters
        ----------
        what : Action or mapping of str to object
            An action, or levers (path -> value).
        track : str, optional
            "parameter", "treasury", "upgrade" or "emergency"; follows from `what`, and is checked where given.
        by : str
            Name of a holder.
        at : str or int
            "08:30" on the first day, or minutes from the start. Proposals are numbered by time.
        after : float
            Minutes from approval to enactment; the track's timelock is the least.
        deposit : bool
            Whether the same holder pays the decision deposit at once.

        Raises
        ------
        ArgumentTypeError, ArgumentError, GovernanceError
            An argument does not fit, a lever is not known or out of its bounds, or the proposal comes before one that
            stands here already.
        """
        action = self._action(what)
        if track is not None and track != action.track:
            raise GovernanceError(
                f"track {track!r} cannot {action}; that is for the {action.track!r} track of {list(TRACKS)}"
            )
        minute, number = minute_of(at), self.proposals
        latest = max((act.minute for act in self._acts if act.kind == "propose"), default=0)
        if minute < latest:
            raise GovernanceError(
                f"at: {clock_of(minute)} is before {clock_of(latest)}, when referendum {number - 1} is proposed; write "
                "proposals down in the order of time, because their numbers follow it"
            )
        wait = exact(after, what="after") * 60_000_000
        if wait < 0 or wait.denominator != 1:
            raise ArgumentError(f"after: {after} minutes, allowed: 0 or more, whole microseconds")
        self._add(minute, by, "propose", action=action_to_bytes(action).hex(), after=int(wait))
        if deposit:
            self._add(minute, by, "decision_deposit", referendum=number)
        return number

    def _action(self, what: Action | Mapping[str, object]) -> Action:
        if not isinstance(what, Mapping):
            return self._possible(require_action(what))
        if self.table is None:
            raise GovernanceError(
                "levers: this agenda is of no lab, so it knows no levers; lab.governance.propose({path: value}) does"
            )
        return LeverTable(self.table()).action(require_mapping("levers", what))

    def _possible(self, action: Action) -> Action:
        """Return the action if a run of this agenda's lab can carry it out."""
        if self.table is None:
            return action
        if isinstance(action, ProtocolUpgrade):
            raise GovernanceError(
                f"version {action.version} of the rules: a lab has one released version, and a chain that must switch "
                "to another would stop; PublicChain(rules=[…], pallets=[governance.pallet()]) has more"
            )
        if isinstance(action, Emergency):
            if action.stop:
                raise GovernanceError(
                    f"stop {action.scope}: a vote takes too long to stop anything; agenda.stop(…) has the council's "
                    "seats sign, and a vote on Emergency(False, …) lets it go on"
                )
            kind, _, target = action.scope.partition(":")
            self._require_scope(kind, target)
        return action

    def _require_scope(self, scope: str, target: str) -> None:
        if scope not in ("market", "zone") or bool(target) != (scope == "zone"):
            raise GovernanceError(
                f"{scope!r} {target!r}: allowed in a run are 'market' without a target, and 'zone' with one"
            )
        if target and self.zones and target not in self.zones:
            raise GovernanceError(f"zone {target!r} is none of this market; {nearest(target, self.zones)}")

    def vote(
        self,
        referendum: int,
        holder: str,
        grid: float,
        *,
        side: str = "aye",
        conviction: float = 1,
        at: str | int = 0,
    ) -> None:
        """Write down a vote.

        Parameters
        ----------
        referendum : int
        holder : str
        grid : float
            GRID that is voted with, and locked.
        side : str
            "aye" or "nay".
        conviction : float
            0.1, or 1 … 6.
        at : str or int
            As for `propose`.

        Raises
        ------
        ArgumentTypeError, ArgumentError, GovernanceError
            An argument does not fit, or there is no such proposal.
        """
        if side not in _SIDES:
            raise GovernanceError(f"side: {side!r}, allowed: {list(_SIDES)}; split() divides a vote")
        make = Ballot.for_it if side == "aye" else Ballot.against
        self._ballot(referendum, holder, make(_micro(grid), conviction), at)

    def split(
        self,
        referendum: int,
        holder: str,
        *,
        aye: float = 0,
        nay: float = 0,
        abstain: float = 0,
        at: str | int = 0,
    ) -> None:
        """Write down a vote on several sides at once (GRID), which counts a tenth; abstentions count as support."""
        ballot = Ballot.split(aye=_micro(aye), nay=_micro(nay), abstain=_micro(abstain))
        self._ballot(referendum, holder, ballot, at)

    def _ballot(self, referendum: int, holder: str, ballot: Ballot, at: str | int) -> None:
        self._require_proposed(referendum)
        names = ("choice", "level", "aye", "nay", "abstain")
        self._add(
            minute_of(at), holder, "vote", referendum=referendum, ballot={name: getattr(ballot, name) for name in names}
        )

    def delegate(
        self, holder: str, to: str, grid: float, *, track: str, conviction: float = 1, at: str | int = 0
    ) -> None:
        """Write down that a holder hands its votes on a track (GRID) to another one."""
        _require_track(track)
        if holder == to:
            raise GovernanceError(f"{holder!r} cannot delegate to itself; to= names another holder")
        self._add(
            minute_of(at), holder, "delegate",
            to=require_text("to", to), track=track, level=conviction_level(conviction), amount=_micro(grid),
        )  # fmt: skip

    def undelegate(self, holder: str, *, track: str, at: str | int = 0) -> None:
        """Write down that a holder takes its votes on a track back."""
        _require_track(track)
        self._add(minute_of(at), holder, "undelegate", track=track)

    def remove_vote(self, referendum: int, holder: str, *, at: str | int = 0) -> None:
        """Write down that a vote is taken back, or cleared away after the end."""
        self._require_proposed(referendum)
        self._add(minute_of(at), holder, "remove_vote", referendum=referendum)

    def unlock(self, holder: str, *, at: str | int = 0) -> None:
        """Write down that a holder opens what needs to be locked no longer."""
        self._add(minute_of(at), holder, "unlock")

    def cancel(self, referendum: int, *, by: str = "governance", at: str | int = 0) -> None:
        """Write down that the office for it ends a referendum without a decision."""
        self._require_proposed(referendum)
        self._add(minute_of(at), by, "cancel", referendum=referendum)

    def kill(self, referendum: int, *, by: str = "governance", at: str | int = 0) -> None:
        """Write down that the office for it ends a referendum and its deposits are forfeited."""
        self._require_proposed(referendum)
        self._add(minute_of(at), by, "kill", referendum=referendum)

    def _require_proposed(self, referendum: int) -> None:
        require_int("referendum", referendum, 0)
        if referendum >= self.proposals:
            raise GovernanceError(
                f"referendum {referendum} is not proposed, there are {self.proposals}; propose() returns the number"
            )

    def _add(self, minute: int, holder: str, kind: str, **said: Any) -> None:
        self._require_holder(holder)
        if kind == "delegate":
            self._require_holder(said["to"])
        self._acts.append(Act(minute, holder, kind, said))

    def stop(
        self,
        scope: str = "market",
        target: str = "",
        *,
        reason: str,
        seats: Sequence[str],
        at: str | int,
        until: str | int,
    ) -> None:
        """Write down that seats of the emergency council approve a stop, each by its own signature.

        Parameters
        ----------
        scope : str
            "market", or "zone" with its name in `target`. Under a stop of the chain or of WATT a run cannot settle; a
            `gl.ConsortiumChain` alone takes these, too.
        target : str
        reason : str
        seats : sequence of str
            Names of seats (`gridlab.institutions.SEATS`); as many as the lever ``emergency.threshold`` says must sign.
        at, until : str or int
            As for `propose`: when they sign, and when the stop ends by itself.

        Raises
        ------
        ArgumentTypeError, ArgumentError, GovernanceError
            An argument does not fit.
        """
        self._require_scope(scope, target)
        start, end = minute_of(at), minute_of(until)
        if end <= start:
            raise ArgumentError(f"until: {clock_of(end)} is not after {clock_of(start)}, when the seats sign")
        named = require_sequence("seats", seats, str)
        if not named or len(set(named)) != len(named):
            raise GovernanceError(f"seats: {list(named)}, allowed: one or more, each once")
        for seat in named:
            if self.seats is not None and seat not in self.seats:
                raise GovernanceError(f"seat {seat!r} is not in the council; {nearest(seat, self.seats)}")
        self._council += [CouncilAct(start, seat, scope, target, reason, end) for seat in named]

    def _require_holder(self, holder: str) -> None:
        if self.holders is None or not isinstance(holder, str) or not holder:
            return
        known = [*self.holders(), "governance"]
        if holder not in known:
            raise GovernanceError(f"no holder {holder!r} of GRID; {nearest(holder, known)}")

    # Keeping

    def to_json(self) -> str:
        """Return the acts as text, the same for the same acts."""
        written = {"acts": self._acts, "council": self._council}
        return json.dumps(written, default=asdict, ensure_ascii=False, sort_keys=True)

    def read_json(self, written: str) -> None:
        """Take the acts that `to_json` wrote in place of those here, or raise GovernanceError."""
        try:
            found = json.loads(written)
            acts, council = ([kind(**row) for row in found[name]] for name, kind in _KEPT)
        except (ValueError, TypeError, KeyError, GridlabError) as problem:
            raise GovernanceError(f"the agenda does not read ({problem}); take another copy") from problem
        self._acts, self._council = acts, council


def _micro(grid: float) -> int:
    amount = exact(grid, what="GRID") * 1_000_000
    if amount < 0 or amount.denominator != 1:
        raise ArgumentError(f"GRID: {grid} is not allowed; allowed: 0 or more, at most six decimals")
    return int(amount)


def _require_track(track: str) -> None:
    if track not in TRACKS:
        raise GovernanceError(f"track {track!r} is not known, allowed: {list(TRACKS)}")
