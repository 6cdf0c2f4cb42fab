"""A population as arrays, and one vote of it: who turned out, on which side, with how many votes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.governance.voters.preferences import checked_effects
from gridlab.governance.voters.sampling import checked_population
from gridlab.governance.voters.terms import GROUPS, Voters
from gridlab.governance.voting import TENTHS
from gridlab.seeds import stream

__all__ = ["ABSENT", "AYE", "NAY", "Electorate", "Vote"]

ABSENT, AYE, NAY = 0, 1, 2
_TENTHS = np.array(TENTHS, np.int64)

Wholes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote of the population, arrays in the order of `Electorate`.

    Attributes
    ----------
    sides : array of int8
        `ABSENT`, `AYE` or `NAY`; who delegates stands where its delegate does.
    levels : array of int64
        Of conviction, 0 … 6.
    votes : array of int64
        After conviction.
    """

    sides: npt.NDArray[np.int8]
    levels: Wholes
    votes: Wholes


def votes_of(capital: Wholes, levels: Wholes) -> Wholes:
    """Return the votes of each, as `gridlab.governance.voting.conviction_votes`, without passing Int64."""
    return np.where(levels == 0, capital // 10, capital * (_TENTHS[levels] // 10))


@dataclass(frozen=True, slots=True)
class Electorate:
    """Everybody, in the order in which votes arrive.

    Attributes
    ----------
    voter : array of int64
        Number of each in the population.
    capital : array of int64
        micro-GRID.
    levels, votes : array of int64
        Of conviction by habit, and the votes that gives.
    arrival : array of float
        Ascending; who delegates arrives with its delegate.
    follows : array of int64
        Position in `direct` of the voter that decides for each.
    direct : array of int64
        Positions of those who vote themselves, in the order of the population.
    turnout, pull : array of float
        Of those: probability of turning out, and effect in units of the differences of opinion.
    group : array of int64
        Of those: place in `GROUPS`.
    whales : array of int64
        Positions of whales, none unless they are strategic.
    mood : float
        Standard deviation of a group's mood, in units of its differences of opinion.
    """

    voter: Wholes
    capital: Wholes
    levels: Wholes
    votes: Wholes
    arrival: Floats
    follows: Wholes
    direct: Wholes
    turnout: Floats
    pull: Floats
    group: Wholes
    whales: Wholes
    mood: float

    @classmethod
    def of(cls, population: pl.DataFrame, effects: object, levers: Voters) -> Electorate:
        """Return the arrays of a population that a proposal affects so (THB a month by group).

        Raises
        ------
        ArgumentTypeError, FrameError, GovernanceError
            The population or the effects do not fit.
        """
        frame = checked_population(population)
        delegate = frame["delegate"].fill_null(frame["voter"]).to_numpy().astype(np.int64)
        arrival = frame["arrival"].to_numpy()[delegate]
        order = np.argsort(arrival, kind="stable")
        itself = delegate == np.arange(frame.height)
        capital, levels = frame["balance"].to_numpy(), frame["conviction"].to_numpy().astype(np.int64)
        place = np.empty(frame.height, np.int64)
        place[order] = np.arange(frame.height)
        kind = frame["group"].to_physical().to_numpy().astype(np.int64)
        turnout, pull = _leanings(kind[itself], frame["exposure"].to_numpy()[itself], checked_effects(effects), levers)
        whale = itself & (kind == GROUPS.index("whale")) & levers.strategic
        return cls(
            voter=order.astype(np.int64), capital=capital[order], levels=levels[order],
            votes=votes_of(capital, levels)[order], arrival=arrival[order],
            follows=(np.cumsum(itself) - 1)[delegate][order], direct=place[itself],
            turnout=turnout, pull=pull, group=kind[itself],
            whales=place[whale], mood=levers.mood / 100,
        )  # fmt: skip

    def vote(self, seed: int, required: Fraction) -> Vote:
        """Let everybody vote once.

        Parameters
        ----------
        seed : int
            Of this vote; habits are the population's own.
        required : Fraction
            Approval that is needed at the end, which strategic whales look at.
        """
        chance = stream(seed, "governance", "voters", "vote")
        mood = chance.standard_normal(len(GROUPS)) * self.mood
        came = chance.random(len(self.direct)) < self.turnout
        # Beyond 700 the exponential of a float overflows; the probability is 0 or 1 long before.
        leaning = np.clip(self.pull + mood[self.group], -700.0, 700.0)
        aye = chance.random(len(self.direct)) * (1.0 + np.exp(-leaning)) < 1.0
        sides = np.where(came, np.where(aye, AYE, NAY), ABSENT).astype(np.int8)[self.follows]
        return self._outbid(sides, required) if len(self.whales) else Vote(sides, self.levels, self.votes)

    def _outbid(self, sides: npt.NDArray[np.int8], required: Fraction) -> Vote:
        """Give the whales that would lose the least conviction with which they win, if there is one."""
        ayes, nays = (int(self.votes[sides == side].sum()) for side in (AYE, NAY))
        losing = NAY if _passes(ayes, nays, required) else AYE
        late = self.whales[sides[self.whales] == losing]
        own = int(self.votes[late].sum())
        for level in range(len(TENTHS)):
            change = int(votes_of(self.capital[late], np.full(len(late), level)).sum()) - own
            turned = (ayes + change, nays) if losing == AYE else (ayes, nays + change)
            if _passes(*turned, required) == (losing == AYE):
                levels, votes = self.levels.copy(), self.votes.copy()
                levels[late] = level
                votes[late] = votes_of(self.capital[late], levels[late])
                return Vote(sides, levels, votes)
        return Vote(sides, self.levels, self.votes)


def _leanings(group: Wholes, exposure: Floats, worth: dict[str, float], levers: Voters) -> tuple[Floats, Floats]:
    """Return how likely each turns out, and what the proposal is worth to it in units of differences of opinion."""
    scale = np.array([float(each.get("noise")) for each in levers.groups.values()])[group]
    base = np.array([float(each.get("turnout")) for each in levers.groups.values()])[group] / 100
    pull = np.array([worth[name] for name in GROUPS])[group] * exposure / scale
    return base + (1 - base) * (levers.engagement / 100) * -np.expm1(-np.abs(pull)), pull


def _passes(ayes: int, nays: int, required: Fraction) -> bool:
    return ayes * required.denominator >= required.numerator * max(ayes + nays, 1)
