"""Governance: GRID holders vote on levers, on the treasury, on upgrades and on emergencies."""

from gridlab.governance import voting
from gridlab.governance.actions import Emergency, ProtocolUpgrade, SetLevers, Spend
from gridlab.governance.assembly import Assembly
from gridlab.governance.ballots import Ballot, Delegations, Tally
from gridlab.governance.governance import Governance
from gridlab.governance.kinds import (
    account_form,
    delegation_form,
    proposal_form,
    referendum_form,
    track_form,
    vote_form,
)
from gridlab.governance.lever_table import LeverTable
from gridlab.governance.pallet import GovernancePallet, GovernancePart, governance_part
from gridlab.governance.roll import Delegation
from gridlab.governance.tallying import count_votes
from gridlab.governance.views import levers_moved

__all__ = [
    "Assembly",
    "Ballot",
    "Delegation",
    "Delegations",
    "Emergency",
    "Governance",
    "GovernancePallet",
    "GovernancePart",
    "LeverTable",
    "ProtocolUpgrade",
    "SetLevers",
    "Spend",
    "Tally",
    "account_form",
    "count_votes",
    "delegation_form",
    "governance_part",
    "levers_moved",
    "proposal_form",
    "referendum_form",
    "track_form",
    "vote_form",
    "voting",
]
