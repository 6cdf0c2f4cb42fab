"""Voters as populations: who they are, what they want, and how their votes end."""

from gridlab.governance.voters.measures import concentration, patterns, success_rates, wilson
from gridlab.governance.voters.outcomes import ballots, counting_frames, outcome
from gridlab.governance.voters.preferences import wheeling_effects
from gridlab.governance.voters.sampling import POPULATION, sample
from gridlab.governance.voters.showing import Outcomes, show_outcomes
from gridlab.governance.voters.terms import GROUPS, Voters

__all__ = [
    "GROUPS",
    "POPULATION",
    "Outcomes",
    "Voters",
    "ballots",
    "concentration",
    "counting_frames",
    "outcome",
    "patterns",
    "sample",
    "show_outcomes",
    "success_rates",
    "wheeling_effects",
    "wilson",
]
