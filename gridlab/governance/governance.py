"""Governance's numbers as levers: periods, deposits, curves, per track, in the units people speak of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from gridlab.doors import through
from gridlab.errors import GovernanceError, LeverError
from gridlab.governance.actions import TRACKS, Action, SetLevers
from gridlab.governance.agenda import Agenda
from gridlab.governance.lever_table import LeverTable
from gridlab.governance.track_terms import (
    HOLDERS,
    MINUTE,
    EmergencyTrack,
    ParameterTrack,
    TrackTerms,
    TreasuryTrack,
    UpgradeTrack,
    grid,
)
from gridlab.governance.tracks import GovernanceRules
from gridlab.levers import Levers, number
from gridlab.units import exact

if TYPE_CHECKING:
    from gridlab.governance.assembly import Assembly
    from gridlab.governance.pallet import GovernancePallet

__all__ = ["OWN_PATHS", "Governance", "terms_after"]

# Under this name a lab holds the part, so that votes can move its own levers too.
OWN_PATHS = "governance."


class Governance(Levers):
    """How GRID holders decide: four tracks, and what they share.

    Examples
    --------
    >>> governance = Governance()
    >>> _ = governance.set({"parameter.decision": 30, "parameter.quorum": "super_majority_approve"})
    >>> track = governance.rules()["parameter"]
    >>> track.decision // 60_000_000, track.quorum
    (30, 'super_majority_approve')
    """

    parts = TRACKS

    lock_period = number(
        30,
        0,
        100_000,
        1,
        unit="min",
        label="Length of a lock period: conviction 1 locks for one, conviction 6 for 32",
        label_th="ความยาวของรอบการล็อกเหรียญตามระดับความเชื่อมั่น",
        source="teaching choice for a day in the sandbox (S); Polkadot VoteLockingPeriod 7 days (2025)",
        governed_by=HOLDERS,
    )
    timeout = number(
        1440,
        1,
        1_000_000,
        1,
        unit="min",
        label="Time after which a proposal that nobody brings to a decision ends",
        label_th="ระยะเวลาที่ข้อเสนอหมดอายุหากไม่เข้าสู่การตัดสิน",
        source="teaching choice for a day in the sandbox (S); Polkadot UndecidingTimeout 3 days (2025)",
        governed_by=HOLDERS,
    )
    submission_deposit = number(
        10.0,
        0.0,
        1_000_000.0,
        0.1,
        unit="GRID",
        label="Deposit for making a proposal",
        label_th="เงินมัดจำการเสนอข้อเสนอ",
        source="teaching choice (S); Polkadot SubmissionDeposit 10 DOT (2025)",
        governed_by=HOLDERS,
    )

    def __init__(self, **values: Any) -> None:
        self.agenda = Agenda()
        self.parameter: TrackTerms = ParameterTrack()
        self.treasury: TrackTerms = TreasuryTrack()
        self.upgrade: TrackTerms = UpgradeTrack()
        self.emergency: TrackTerms = EmergencyTrack()
        super().__init__(**values)

    def _repr_html_(self) -> str:
        html: str = through("governance_html", self)
        return html

    def propose(self, what: Action | Mapping[str, object], **how: Any) -> int:
        """Write a proposal into the agenda of a lab's run; see `gridlab.governance.agenda.Agenda.propose`."""
        return self.agenda.propose(what, **how)

    def vote(self, referendum: int, holder: str, grid: float, **how: Any) -> None:
        """Write a vote into the agenda of a lab's run; see `gridlab.governance.agenda.Agenda.vote`."""
        self.agenda.vote(referendum, holder, grid, **how)

    def delegate(self, holder: str, to: str, grid: float, **how: Any) -> None:
        """Write a delegation into the agenda of a lab's run; see `gridlab.governance.agenda.Agenda.delegate`."""
        self.agenda.delegate(holder, to, grid, **how)

    def rules(self) -> GovernanceRules:
        """Return the rules under these levers, in the units of the chain.

        Raises
        ------
        GovernanceError
            A curve cannot be drawn from its levers.
        """
        return GovernanceRules(
            tracks=tuple(getattr(self, name).track(name) for name in TRACKS),
            lock_period=int(exact(self.lock_period) * MINUTE),
            timeout=int(exact(self.timeout) * MINUTE),
            submission_deposit=grid(self.submission_deposit),
        )

    def pallet(self, levers: pl.DataFrame | pl.LazyFrame | None = None) -> GovernancePallet:
        """Return governance as a pallet of a public chain, with the levers that votes may move (``lab.levers()``)."""
        from gridlab.governance.pallet import GovernancePallet

        return GovernancePallet(self, levers)

    def assembly(
        self, balances: Mapping[str, int], levers: pl.DataFrame | pl.LazyFrame | None = None, *, treasury: int = 0
    ) -> Assembly:
        """Return governance alone, without a chain, among holders of GRID (name -> micro-GRID)."""
        from gridlab.governance.assembly import Assembly

        return Assembly(balances, self, levers, treasury=treasury)


def governance_of(terms: Mapping[str, Any]) -> Governance:
    """Return the part with these levers (path -> value)."""
    return Governance().set(terms)


def terms_after(
    terms: Mapping[str, Any], table: LeverTable, action: SetLevers
) -> tuple[Mapping[str, Any], GovernanceRules] | None:
    """Return governance's own levers and rules after an action, None where it moves none of them.

    Raises
    ------
    GovernanceError
        The levers do not go together.
    """
    moved = {
        path.removeprefix(OWN_PATHS): value
        for path, value in table.values(action).items()
        if path.startswith(OWN_PATHS)
    }
    if not moved:
        return None
    try:
        after = governance_of({**terms, **moved})
        return after.lever_values(), after.rules()
    except LeverError as problem:
        raise GovernanceError(str(problem)) from problem
