r"""What a vote weighs, how long it locks, and when a majority is enough.

A vote of an amount of GRID counts as often as its *conviction* says. The more it counts, the longer its amount stays
locked if the vote wins. With *adaptive quorum biasing* the majority that is needed depends on how many vote: with
turnout :math:`t`, electorate :math:`e` and integer square roots,

======================  ============================================
rule                    passes if
======================  ============================================
super_majority_approve  nays / √t < ayes / √e
super_majority_against  nays / √e < ayes / √t
simple_majority         ayes > nays
======================  ============================================

and never if √t is 0.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/conviction-voting/src/conviction.rs`` and
``substrate/frame/democracy/src/vote_threshold.rs``, 2024.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from gridlab.chain.arguments import require_int
from gridlab.errors import ArgumentTypeError, GovernanceError, nearest
from gridlab.governance.curves import Curve, Linear, Reciprocal, Stepped
from gridlab.units import Number, exact

__all__ = [
    "CONVICTIONS",
    "QUORUM_RULES",
    "Curve",
    "Linear",
    "Reciprocal",
    "Stepped",
    "adaptive_quorum",
    "conviction_level",
    "conviction_votes",
    "lock_periods",
]

# By level: what a vote counts in tenths, and for how many periods it locks.
TENTHS: tuple[int, ...] = (1, 10, 20, 30, 40, 50, 60)
PERIODS: tuple[int, ...] = (0, 1, 2, 4, 8, 16, 32)
CONVICTIONS: tuple[float, ...] = (0.1, 1, 2, 3, 4, 5, 6)
QUORUM_RULES = ("super_majority_approve", "super_majority_against", "simple_majority")

_LEVELS = {Fraction(tenths, 10): level for level, tenths in enumerate(TENTHS)}


def conviction_level(conviction: Number) -> int:
    """Return the level of a conviction, 0 for 0.1 and 1 … 6 for themselves.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        It is no number, or none of 0.1, 1, 2, 3, 4, 5, 6.
    """
    level = _LEVELS.get(exact(conviction, what="conviction"))
    if level is None:
        raise GovernanceError(f"conviction is {conviction}, allowed: 0.1 (locks nothing), 1, 2, 3, 4, 5 or 6")
    return level


def conviction_votes(amount: int, conviction: Number) -> int:
    """Return how many votes an amount gives, rounded down.

    Parameters
    ----------
    amount : int
        micro-GRID, 0 or more.
    conviction : number
        0.1, or 1 … 6.

    Raises
    ------
    ArgumentTypeError, ArgumentError, GovernanceError
        The amount is no whole number of 0 or more, or there is no such conviction.

    Examples
    --------
    >>> conviction_votes(1_005, 0.1), conviction_votes(1_005, 3)
    (100, 3015)
    """
    return require_int("amount", amount, 0) * TENTHS[conviction_level(conviction)] // 10


def lock_periods(conviction: Number) -> int:
    """Return for how many periods a vote that won stays locked: 0, 1, 2, 4, 8, 16 or 32.

    Raises
    ------
    ArgumentTypeError, GovernanceError
        There is no such conviction.
    """
    return PERIODS[conviction_level(conviction)]


def adaptive_quorum(rule: str, ayes: int, nays: int, turnout: int, electorate: int) -> bool:
    """Say whether a vote passes under adaptive quorum biasing.

    Parameters
    ----------
    rule : str
        "super_majority_approve", "super_majority_against" or "simple_majority".
    ayes, nays : int
        Votes after conviction.
    turnout : int
        GRID that voted, before conviction.
    electorate : int
        GRID that could have.

    Raises
    ------
    ArgumentTypeError, ArgumentError, GovernanceError
        A number is no whole number of 0 or more, or there is no such rule.

    Examples
    --------
    >>> adaptive_quorum("super_majority_approve", ayes=60, nays=50, turnout=110, electorate=210)
    False
    >>> adaptive_quorum("super_majority_approve", ayes=100, nays=50, turnout=150, electorate=210)
    True
    """
    if not isinstance(rule, str):
        raise ArgumentTypeError(f"rule is a {type(rule).__name__}, allowed: one of {list(QUORUM_RULES)}")
    if rule not in QUORUM_RULES:
        raise GovernanceError(f"rule {rule!r} is not known; {nearest(rule, QUORUM_RULES)}")
    for name, value in {"ayes": ayes, "nays": nays, "turnout": turnout, "electorate": electorate}.items():
        require_int(name, value, 0)
    voted, could = isqrt(turnout), isqrt(electorate)
    if not voted:
        return False
    if rule == "super_majority_approve":
        return nays * could < ayes * voted
    if rule == "super_majority_against":
        return nays * voted < ayes * could
    return ayes > nays
