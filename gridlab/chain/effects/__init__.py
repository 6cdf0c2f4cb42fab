"""What each kind of transaction may do: one row of a table per kind."""

from gridlab.chain.effects.effect import Call, Effect
from gridlab.chain.effects.rule_set import RuleSet
from gridlab.chain.effects.table import RULES

__all__ = ["RULES", "Call", "Effect", "RuleSet"]
