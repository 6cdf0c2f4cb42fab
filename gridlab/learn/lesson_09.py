"""The keys to lesson 09, "Staking, elections and slashing", each worked out by an election, a reward or a slash.

The electorate is made up: 300 candidates and 2,000 nominators in five zones, drawn from a fixed seed. The lesson's
cooperative in Chiang Mai is the last of the nominators.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import TypeAlias

import numpy as np

from gridlab.chain import npos
from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.staking import (
    EquivocationProof,
    Staking,
    StakingAccounts,
    StakingTerms,
    equivocation_slash,
    inflation,
    sign_statement,
)
from gridlab.learn.answers import Key
from gridlab.units import MICRO

__all__ = [
    "CANDIDATES",
    "CHEAP",
    "COOPERATIVE",
    "NOMINATORS",
    "OWN",
    "REPORTER",
    "SEATS",
    "SUPPLY",
    "ZONES",
    "all_lost",
    "bought_third",
    "electorate",
    "key_pair",
    "loser",
    "second_seat",
    "staked_90",
    "sum_or_highest",
    "zone_of",
]

Vote: TypeAlias = tuple[int, int, list[int]]

ZONES = {"MAC": 800, "CAC": 440, "NEC": 320, "SAC": 240, "NAC": 200}  # zone -> nominators that live there
CANDIDATES, SEATS = range(1000, 1300), 100  # sixty candidates a zone, zone after zone
NOMINATORS = range(2000, 4000)
COOPERATIVE, REPORTER = NOMINATORS[-1], 3
SUPPLY, OWN = 100_000_000 * MICRO, 10_000 * MICRO  # all GRID; what each candidate puts up itself (micro-GRID)
# Who takes least commission: the four best known of each zone, all of one company.
CHEAP = tuple(1000 + 60 * zone + place for zone in range(5) for place in range(4))

_A_ZONE = len(CANDIDATES) // len(ZONES)
_NAMED = 16
_SHAPE, _LARGEST = 1.3, 60.0  # of the Pareto law of stakes, and where it is cut, in units of the smallest
_NOMINATED = 52_000_000  # GRID of all nominators
_COOPERATIVE_STAKE = 40_000 * MICRO
_RIVERS = ["Ping", "Wang", "Yom"]
_THIRD = 34  # of 100 seats
_STEP = 10_000 * MICRO  # how finely the price of seats is looked for
_TEN, _TWO = 10, 2


def zone_of(candidate: int) -> str:
    """Return the zone in which a candidate of the lesson stands."""
    return list(ZONES)[(candidate - CANDIDATES[0]) // _A_ZONE]


def key_pair(candidate: int) -> KeyPair:
    """Return the sandbox key that a candidate of the lesson signs with."""
    return sandbox(0, f"validator {candidate}")


def electorate(seed: int = 2569) -> tuple[list[int], list[Vote]]:
    """Draw the lesson's electorate: who stands, and who nominates whom with how much.

    Each nominator names 16 of the sixty candidates of its zone; the n-th best known is drawn with a chance in
    proportion to 1/sqrt(n). Stakes follow a Pareto law, so that few have much.

    Parameters
    ----------
    seed : int
        Of the draw.

    Returns
    -------
    candidates : list of int
        Accounts.
    nominators : list of (account, stake in micro-GRID, accounts named)
    """
    rng = np.random.default_rng(seed)
    raw = np.minimum(rng.pareto(_SHAPE, len(NOMINATORS)) + 1, _LARGEST)
    stakes = ((raw / raw.sum() * _NOMINATED).astype(np.int64) * MICRO).tolist()
    stakes[-1] = _COOPERATIVE_STAKE
    known = 1 / np.sqrt(np.arange(1, _A_ZONE + 1))
    homes = np.repeat(np.arange(len(ZONES)), list(ZONES.values())).tolist()
    named = [rng.choice(_A_ZONE, _NAMED, replace=False, p=known / known.sum()) for _ in NOMINATORS]
    targets = [(CANDIDATES[0] + _A_ZONE * home + some).tolist() for home, some in zip(homes, named, strict=True)]
    return list(CANDIDATES), list(zip(NOMINATORS, stakes, targets, strict=True))


@cache
def _voters() -> tuple[list[int], list[Vote]]:
    """Return the candidates, and all who vote: each candidate for itself, then the nominators."""
    candidates, nominators = electorate()
    return candidates, [*((who, OWN, [who]) for who in candidates), *nominators]


def _sums(voters: Sequence[Vote]) -> Counter[int]:
    sums: Counter[int] = Counter()
    for _, stake, named in voters:
        sums.update(dict.fromkeys(named, stake))
    return sums


@cache
def _by_zone() -> tuple[Counter[str], Counter[str]]:
    """Return the seats of each zone by Phragmén, and by most stake."""
    candidates, voters = _voters()
    sums = _sums(voters)
    fair = [who for who, _ in npos.seq_phragmen(candidates, voters, SEATS).winners]
    most = sorted(candidates, key=lambda who: (-sums[who], who))[:SEATS]
    return Counter(map(zone_of, fair)), Counter(map(zone_of, most))


def all_lost() -> Key:
    """Work out how many of 100 must sign twice together so that each loses everything."""
    shares = {number: equivocation_slash(number, SEATS) for number in range(SEATS + 1)}
    whole = shares[SEATS]
    least = min(number for number, share in shares.items() if share == whole)
    return Key(
        Fraction(least),
        {
            "one_less": Fraction(least - 1),
            "two_thirds": Fraction(2 * SEATS // 3 + 1),
            "majority": Fraction(SEATS // 2 + 1),
            "all": Fraction(SEATS),
        },
        {"answer": least, "before": shares[least - 1] / whole * 100, "fewer": least - 1},
    )


@cache
def loser() -> Key:
    """Work out which zone would lose most seats if the most stake won."""
    fair, most = _by_zone()
    lost = {zone: fair[zone] - most[zone] for zone in ZONES}
    answer = max(ZONES, key=lambda zone: lost[zone])
    return Key(
        answer,
        {
            "gains": min(ZONES, key=lambda zone: lost[zone]),
            "in_proportion": max(ZONES, key=lambda zone: Fraction(lost[zone], fair[zone])),
        },
        {"answer": answer, "fair": fair[answer], "most": most[answer]},
    )


def _by_hand(stake: int, iterations: int = 0) -> list[tuple[str, int]]:
    """Return the winners of the election by hand where Chai puts up `stake` GRID."""
    votes = [("Anong", 10, ["Ping", "Wang"]), ("Boon", 20, ["Ping", "Yom"]), ("Chai", stake, ["Wang", "Yom"])]
    return npos.seq_phragmen(_RIVERS, votes, 2, balance_iterations=iterations).winners


def second_seat() -> Key:
    """Work out how much stands behind the second winner where Chai has 60 GRID (GRID)."""
    (first, most), (second, answer) = _by_hand(60)
    return Key(
        Fraction(answer),
        {
            "approval": Fraction(10 + 60),
            "balanced": Fraction(_by_hand(60, 4)[1][1]),
            "first": Fraction(most),
            "as_before": Fraction(_by_hand(30)[1][1]),
        },
        {"answer": answer, "first": first, "second": second, "most": most},
    )


def staked_90() -> Key:
    """Work out yearly inflation where 90 % of all GRID is staked (%)."""
    terms, staked = StakingTerms(), 90
    low, high, ideal, falloff = (
        Fraction(value)
        for value in (terms.minimum_inflation, terms.maximum_inflation, terms.ideal_stake, terms.falloff)
    )
    parts = inflation(staked, 100, terms.rules().inflation)  # of 10^18
    answer = Fraction(parts, 10**16)
    curve = (answer - low) / (high - low)
    return Key(
        answer,
        {
            "no_minimum": answer - low,
            "whole_maximum": low + high * curve,
            "straight_on": low + (high - low) * staked / ideal,
            "down_again": low + (high - low) * (100 - staked) / (100 - ideal),
            "no_falloff": low + (high - low) * Fraction(2 ** float((ideal - staked) / 100)),
        },
        {"answer": float(answer), "halvings": float((staked - ideal) / falloff), "peak": float(high)},
    )


def _hundred() -> Staking:
    """Return a chain of 100 validators without nominators."""
    staking = Staking(SUPPLY, StakingAccounts(issuer=0, pot=1, treasury=2), rules=StakingTerms().rules())
    for who in CANDIDATES[:SEATS]:
        staking.bond(who, OWN)
        staking.validate(who, commission=0, public_key=key_pair(who).public_key)
    staking.start()
    return staking


def _signed_twice(staking: Staking, who: int, slot: int) -> None:
    pair = key_pair(who)
    two = [sign_statement(pair, "gridlab-public", "header", 0, slot, bytes([each]) * 32) for each in (1, 2)]
    staking.report_equivocation(EquivocationProof(pair.public_key, *two))


@cache
def sum_or_highest() -> Key:
    """Work out what one loses that signs twice with nine others, and in another slot with one other (%)."""
    staking = _hundred()
    who = CANDIDATES[0]
    for slot, many in enumerate((_TEN, _TWO)):
        for other in CANDIDATES[:many]:
            _signed_twice(staking, other, slot)
    lost = int(staking.slashes.filter(validator=who)["own"].sum())
    great, small, alone, both = (
        Fraction(equivocation_slash(many, SEATS), 10**7) for many in (_TEN, _TWO, 1, _TEN + _TWO)
    )
    return Key(
        Fraction(100 * lost, OWN),
        {"sum": great + small, "smaller": small, "alone": alone, "counted_together": both},
        {"answer": float(Fraction(100 * lost, OWN)), "sum": float(great + small), "small": float(small)},
    )


def _seats_for(stake: int) -> int:
    """Return how many of 34 new candidates win a seat where `stake` (micro-GRID) is shared evenly among them."""
    candidates, voters = _voters()
    bought = range(5000, 5000 + _THIRD)
    backed = [(who, stake // _THIRD, [who]) for who in bought]
    won = npos.seq_phragmen([*candidates, *bought], [*voters, *backed], SEATS).winners
    return sum(who in bought for who, _ in won)


@cache
def bought_third() -> Key:
    """Work out what 34 of the 100 seats cost who brings new stake and new candidates (million GRID)."""
    candidates, voters = _voters()
    total = sum(stake for _, stake, _ in voters)
    low, high = 0, total
    while high - low > _STEP:
        middle = (low + high) // 2
        low, high = (low, middle) if _seats_for(middle) == _THIRD else (middle, high)
    won = npos.seq_phragmen(candidates, voters, SEATS, balance_iterations=10)
    # By most stake each purse counts in full for all 16 that it names, so that three purses carry 34 candidates.
    marginal = sorted(_sums(voters).values(), reverse=True)[SEATS - _THIRD]
    purses = -(-_THIRD // _NAMED)
    million = 10**6 * MICRO
    answer, backed = Fraction(high, million), won.score.total
    return Key(
        answer,
        {
            "a_third": Fraction(total, 3 * million),
            "outbid_the_least": Fraction(_THIRD * won.score.least, million),
            "half": Fraction(backed, 2 * million),
            "most_stake": Fraction(purses * marginal, million),
        },
        {
            "answer": float(answer),
            "share": float(100 * answer / (answer + Fraction(backed, million))),
            "most": float(Fraction(purses * marginal, million)),
            "half": float(Fraction(backed, 2 * million)),
        },
    )
