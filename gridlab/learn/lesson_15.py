"""The keys to lesson 15, "Change the wheeling charge by vote", worked out by curves, tallies and a day with a vote.

The neighbourhood is made up: 40 customers with large roofs, drawn from a fixed seed. Their cooperative proposes another
postage stamp at half past nine, and it is in force from half past ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import ceil

import polars as pl

from gridlab.governance import voting
from gridlab.governance.agenda import COOPERATIVE
from gridlab.governance.assembly import Assembly
from gridlab.governance.ballots import Ballot
from gridlab.governance.governance import Governance
from gridlab.governance.track_terms import MINUTE
from gridlab.institutions import institutions_of
from gridlab.lab import Lab
from gridlab.learn.answers import Key
from gridlab.moved_day import cut, joined
from gridlab.units import MICRO

__all__ = [
    "COOPERATIVE",
    "DELEGATES",
    "FIRST_NEW",
    "LEVERS",
    "NEW",
    "SLOTS",
    "STAMP",
    "gains_by_account",
    "gains_by_party",
    "lone_whale",
    "long_lock",
    "needed_ayes",
    "neighbourhood",
    "seventy_percent",
    "voted",
    "whale_needed",
    "who_gained",
]

STAMP = "market.wheeling.postage_stamp"
NEW = 0.706  # THB/kWh: transmission and distribution of tariff 6.1 at 22 to 33 kV, 0.3759 + 0.3297, to three decimals
SLOTS = 52  # until one in the afternoon
FIRST_NEW = 42  # the slot at 10:30, the first one under the new charge
LEVERS = {
    "agents.pv_share": 60,
    "agents.pv_size": 150,
    "public.validators": 4,
    "public.slot_time": 60,
    "public.idle_slots": 1,
}
DELEGATES = {"school-23": 2_900, "school-29": 4_900, "school-32": 2_100}  # GRID; each keeps some for fees

_CONVICTION = 4
_LOCKED = 2**_CONVICTION  # periods, of who doubles once too often
_APPROVAL = Fraction(7, 10)
_TURNOUT = Fraction(36, 100)
_HOUSEHOLDS, _EACH = 200, 100  # GRID
_LONE = 30  # per cent of all GRID


def neighbourhood() -> Lab:
    """Return the lesson's lab, with nothing on its agenda."""
    return Lab.thailand(prosumers=40, seed=2).set(LEVERS)


def voted() -> Lab:
    """Return the lesson's lab with what its holders of GRID will do."""
    lab = neighbourhood()
    govern = lab.governance
    for school, amount in DELEGATES.items():
        govern.delegate(school, COOPERATIVE, amount, track="parameter", at="09:15")
    number = govern.propose({STAMP: NEW}, track="parameter", by=COOPERATIVE, at="09:30")
    govern.vote(number, COOPERATIVE, 8_000, conviction=2, at="09:35")
    govern.vote(number, "MEA", 4_000, side="nay", at="09:36")
    govern.vote(number, "PEA", 4_000, side="nay", at="09:37")
    return lab


def gains_by_account(with_vote: pl.DataFrame, without: pl.DataFrame) -> dict[int, int]:
    """Return what each account has more by the vote.

    Parameters
    ----------
    with_vote, without : polars.DataFrame
        All payments of the day, ``debit``, ``credit`` and ``amount`` (micro-THB), with the vote and without it.

    Returns
    -------
    dict of int to int
        Account -> micro-THB; together they are 0.
    """
    moved = [
        frame.select(pl.col(column).alias("account"), gain=sign * pl.col("amount").cast(pl.Int64))
        for frame, day in ((with_vote, 1), (without, -1))
        for column, sign in (("credit", day), ("debit", -day))
    ]
    summed = pl.concat(moved).group_by("account").agg(pl.col("gain").sum()).sort("account")
    return dict(summed.rows())


@cache
def gains_by_party() -> dict[str, int]:
    """Return what the vote brought each party on the lesson's day, computed without a chain (micro-THB).

    Customers count as sellers if they sold more than they bought after the vote, else as buyers.
    """
    usual, other = neighbourhood().day(slots=SLOTS), neighbourhood().set({STAMP: NEW}).day(slots=SLOTS)
    late = cut(other, usual.slots[FIRST_NEW:])
    day = joined([cut(usual, usual.slots[:FIRST_NEW]), late])
    institutions = institutions_of(usual.accounts)
    gains = gains_by_account(day.transfers(institutions), usual.transfers(institutions))
    sold, bought = (dict(late.trades.group_by(side).agg(pl.col("energy").sum()).rows()) for side in ("seller", "buyer"))
    offices = dict.fromkeys(institutions.utilities.values(), "utilities")
    offices |= {institutions.revenue_department: "state", institutions.market_operator: "operator"}
    parties = dict.fromkeys(("sellers", "buyers", "utilities", "state", "operator"), 0)
    for account, gain in gains.items():
        trader = "sellers" if sold.get(account, 0) > bought.get(account, 0) else "buyers"
        parties[offices.get(account, trader)] += gain
    return parties


def long_lock() -> Key:
    """Work out how long a vote with conviction 4 locks, if it wins (minutes)."""
    period = int(Governance().lock_period)
    answer = voting.lock_periods(_CONVICTION) * period
    return Key(
        Fraction(answer),
        {
            "in_proportion": Fraction(_CONVICTION * period),
            "once_too_often": Fraction(_LOCKED * period),
            "periods": Fraction(voting.lock_periods(_CONVICTION)),
        },
        {"answer": answer, "periods": voting.lock_periods(_CONVICTION), "period": period, "hours": answer / 60},
    )


def who_gained() -> Key:
    """Work out which party gained most by the vote."""
    gains = gains_by_party()
    first, second, *_ = sorted(gains, key=lambda party: -gains[party])
    thb = {party: gain / MICRO for party, gain in gains.items()}
    return Key(
        first,
        {"second": second, "loser": min(gains, key=lambda party: gains[party]), "nothing": "operator"},
        {"answer": first, "second": second, "most": thb[first], "next": thb[second], "lost": -thb["utilities"]},
    )


def seventy_percent() -> Key:
    """Work out after how many minutes of deciding 70 % of ayes are enough on the parameter track."""
    track = Governance().rules()["parameter"]
    minutes = Fraction(track.decision, MINUTE)
    answer = track.approval.delay(_APPROVAL) * minutes
    line = voting.Linear(Fraction(1), track.approval.threshold(1), track.approval.threshold(0))
    return Key(
        answer,
        {
            "share": track.approval.delay(_APPROVAL),
            "straight": line.delay(_APPROVAL) * minutes,
            "support": track.support.delay(1 - _APPROVAL) * minutes,
        },
        {"answer": float(answer), "share": float(100 * track.approval.delay(_APPROVAL))},
    )


def needed_ayes() -> Key:
    """Work out the share of ayes that is needed at a turnout of 36 % under super_majority_approve (%)."""
    root = Fraction(6, 10)  # of the turnout
    answer = 100 / (1 + root)
    return Key(
        answer,
        {"majority": Fraction(50), "against": 100 * root / (1 + root), "no_root": 100 / (1 + _TURNOUT)},
        {"answer": float(answer), "against": float(100 * root / (1 + root))},
    )


def whale_needed() -> Key:
    """Work out how much GRID a whale needs, with conviction 6, to defeat 200 households that vote with conviction 2."""
    ayes = voting.conviction_votes(_HOUSEHOLDS * _EACH, 2)
    most = max(voting.CONVICTIONS)
    return Key(
        Fraction(ayes) / Fraction(most),
        {
            "theirs_unweighted": Fraction(_HOUSEHOLDS * _EACH) / Fraction(most),
            "no_conviction": Fraction(ayes),
            "as_much": Fraction(_HOUSEHOLDS * _EACH),
        },
        {"answer": ayes / float(most), "ayes": ayes, "share": 100 * ayes / float(most) / (_HOUSEHOLDS * _EACH)},
    )


def enacted_after(holders_of: dict[str, int], voters: Sequence[str], minutes: int = 240) -> int | None:
    """Return after how many minutes what the first holder proposes is enacted, if all of `voters` vote at once."""
    assembly = Assembly(holders_of, Governance(), neighbourhood().votable())
    proposer = next(iter(holders_of))
    number = assembly.propose(proposer, {STAMP: NEW})
    assembly.place_deposit(proposer, number)
    for who in voters:
        assembly.vote(who, number, Ballot.for_it(assembly.available(who)))
    found = assembly.advance(minutes)
    return None if found.is_empty() else int(found["height"][0])


@cache
def lone_whale() -> Key:
    """Work out how soon a holder of 30 % of all GRID moves a lever if nobody else votes (minutes)."""
    terms, million = Governance().parameter, 10**6 * MICRO
    # Votes stand beside the deposits: the office pays those, and all of the whale's GRID votes.
    everybody = {"office": 10_000 * MICRO, "whale": _LONE * million, "others": (100 - _LONE) * million}
    answer = enacted_after(everybody, ["whale"])
    waits = int(terms.prepare), int(terms.confirm), int(terms.enactment)
    track = Governance().rules()["parameter"]
    line = voting.Linear(Fraction(1), Fraction(0), track.support.threshold(0)).delay(Fraction(_LONE, 100))
    return Key(
        Fraction(answer or 0),
        {
            "a_wait_left_out": Fraction((answer or 0) - waits[0]),
            "at_once": Fraction(sum(waits)),
            "straight": sum(waits) + line * terms.decision,
            "whole": Fraction(sum(waits) + int(terms.decision)),
        },
        {
            "answer": answer,
            "deciding": ceil(track.support.delay(Fraction(_LONE, 100)) * terms.decision),
            "prepare": waits[0],
            "confirm": waits[1],
            "enactment": waits[2],
        },
    )
