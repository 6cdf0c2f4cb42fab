"""The emergency council in a run with an agenda: seats approve a stop, votes end it, and stopped books do not trade."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from gridlab.agents.population import ZONES
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.emergency import StopRecord, approval_frame, council_frame, resume_frame
from gridlab.chain.keys import KeyPair
from gridlab.governance.agenda import CouncilAct
from gridlab.institutions import GOVERNANCE_SEAT, SEATS, account_of
from gridlab.public_side import PublicSide

__all__ = ["CouncilDesk"]

_MINUTE = 60_000_000


@dataclass
class CouncilDesk:
    """Signs for the council's seats on the consortium chain.

    Attributes
    ----------
    acts : list of CouncilAct
        What seats will approve, by time.
    keys : list of KeyPair
        Of all members by account.
    prosumers : int
    start : int
        Of the run, microseconds since 1970-01-01 UTC.
    """

    acts: list[CouncilAct]
    keys: list[KeyPair]
    prosumers: int
    start: int
    _resumed: int = field(default=-1, init=False)

    def appoint(self, chain: ConsortiumChain) -> None:
        """Send the regulator's list of seats; nothing without acts, so that a day without stops has no council."""
        if not self.acts:
            return
        seats = {seat: self._account(institution) for seat, institution in SEATS.items()}
        governance = {"governance": self._account(GOVERNANCE_SEAT)}
        chain.send(self._key("ERC"), "emergency_council", council_frame(seats, governance=governance))

    def send_due(self, chain: ConsortiumChain, side: PublicSide, now: int) -> bool:
        """Send what seats approve and what votes end by `now`; say whether anything was sent, or a stop may lapse."""
        sent = bool(chain.emergency.standing)
        while self.acts and self.start + self.acts[0].minute * _MINUTE <= now:
            act = self.acts.pop(0)
            frame = approval_frame(
                act.scope, act.target, reason=act.reason, until=self.start + act.until * _MINUTE
            )
            chain.send(self._key(SEATS[act.seat]), "emergency_approve", frame)
            sent = True
        for stop, referendum, height in self._resumptions(chain, side):
            frame = resume_frame(stop, referendum, f"{side.public.chain_id}, block {height}")
            chain.send(self._key(GOVERNANCE_SEAT), "emergency_resume", frame)
            sent = True
        return sent

    def _resumptions(self, chain: ConsortiumChain, side: PublicSide) -> Iterator[tuple[StopRecord, int, int]]:
        ended = side.governance.enacted.filter(
            pl.col("action") == "resume", pl.col("failed") == "", pl.col("height") > self._resumed
        )
        for height, referendum, scope in ended.select("height", "referendum", "path").rows():
            self._resumed = max(self._resumed, height)
            kind, _, target = scope.partition(":")
            for stop in chain.emergency.standing:
                if (stop.scope, stop.target) == (kind, target):
                    yield stop, referendum, height

    @staticmethod
    def stopped(chain: ConsortiumChain) -> frozenset[str]:
        """Return the zones whose books stand still, all of them under a stop of the market."""
        if chain.emergency.shuts_market():
            return frozenset(ZONES)
        return frozenset(stop.target for stop in chain.emergency.standing if stop.scope == "zone")

    def _account(self, institution: str) -> int:
        return account_of(institution, self.prosumers)

    def _key(self, institution: str) -> KeyPair:
        return self.keys[self._account(institution)]
