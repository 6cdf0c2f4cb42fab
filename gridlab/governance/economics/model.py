"""All numbers of the GRID economy in the chain's whole units, made of levers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Real

from gridlab.chain.perbill import BILLION
from gridlab.chain.public import PublicTerms
from gridlab.chain.staking import StakingRules, StakingTerms, equivocation_slash
from gridlab.chain.staking.curve import JULIAN_YEAR_MILLISECONDS
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.governance.economics.books import Books
from gridlab.governance.economics.gas import GasMarket
from gridlab.governance.economics.terms import GridEconomics
from gridlab.governance.economics.vesting import Vesting
from gridlab.units import MICRO, exact

__all__ = ["Model"]

DAY_MILLISECONDS = 86_400_000
MOST_ERAS = 50_000


@dataclass(frozen=True, slots=True)
class Model:
    """What the exact path and the Monte Carlo paths both compute with.

    Attributes
    ----------
    rules : StakingRules
    gas : GasMarket
    opening : Books
        At the start.
    vesting : Vesting
        In blocks.
    eras : int
        How many are simulated.
    milliseconds : int
        Length of an era.
    spend_period : int
        Eras between payments of the treasury.
    burn, pace, compounding, participation : int
        Parts per billion; `pace` per era.
    required_yield, response : int
        Parts per billion, per year and of participation per yield.
    spending, spending_spread : float
        Median share of the treasury asked for, and standard deviation of its logarithm.
    yield_spread, memory : float
        Standard deviation of the required yield (share per year), and how long a change lasts (eras).
    transactions, growth, volatility : float
        Wanted per era at the start, growth of the logarithm and its standard deviation per era.
    offences, incidents : float
        Expected per era.
    incident_size : int
        Validators that an incident hits.
    """

    rules: StakingRules
    gas: GasMarket
    opening: Books
    vesting: Vesting
    eras: int
    milliseconds: int
    spend_period: int
    burn: int
    pace: int
    compounding: int
    participation: int
    required_yield: int
    response: int
    spending: float
    spending_spread: float
    yield_spread: float
    memory: float
    transactions: float
    growth: float
    volatility: float
    offences: float
    incidents: float
    incident_size: int

    @classmethod
    def of(
        cls,
        years: float,
        terms: GridEconomics | None = None,
        staking: StakingTerms | None = None,
        public: PublicTerms | None = None,
    ) -> Model:
        """Return the model of levers, the usual ones where none are given.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument is of another type, or `years` makes less than one era or more than 50,000.
        """
        terms = GridEconomics() if terms is None else terms
        staking = StakingTerms() if staking is None else staking
        public = PublicTerms() if public is None else public
        for name, value, kind in (
            ("terms", terms, GridEconomics), ("staking", staking, StakingTerms), ("public", public, PublicTerms),
        ):  # fmt: skip
            if not isinstance(value, kind):
                raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: {kind.__name__}(…)")
        # The length of a slot is a lever of the public chain; staking counts slots.
        rules = replace(staking.rules(), slot_milliseconds=public.timing.slot)
        blocks = rules.session_length * rules.sessions_per_era
        milliseconds = blocks * rules.slot_milliseconds
        day, year = Fraction(milliseconds, DAY_MILLISECONDS), milliseconds / JULIAN_YEAR_MILLISECONDS
        return cls(
            rules=rules,
            gas=GasMarket(public.fees, terms.weight, terms.size, blocks),
            opening=Books(terms.supply * MICRO, _parts(terms.staked) * terms.supply * MICRO // BILLION),
            vesting=Vesting.linear(
                _parts(terms.vesting) * terms.supply * MICRO // BILLION,
                int(terms.vesting_cliff * blocks / day),
                max(int(terms.vesting_duration * blocks / day), 1),
            ),
            eras=_eras(years, milliseconds),
            milliseconds=milliseconds,
            spend_period=max(int(terms.spend_period / day), 1),
            burn=_parts(terms.burn),
            pace=min(int(_parts(terms.pace) * day), BILLION),
            compounding=_parts(terms.compounding),
            participation=_parts(terms.participation),
            required_yield=_parts(terms.required_yield),
            response=int(exact(terms.response) * BILLION),
            spending=terms.spending / 100,
            spending_spread=terms.spending_spread / 100,
            yield_spread=terms.required_yield_spread / 100,
            memory=float(terms.memory / day),
            transactions=float(terms.transactions * day),
            growth=math.log1p(terms.growth / 100) * year,
            volatility=terms.volatility / 100 * math.sqrt(year),
            offences=rules.validators * terms.offences / 100 * year,
            incidents=terms.incidents / 100 * year,
            incident_size=max(int(_parts(terms.incident_share) * rules.validators // BILLION), 1),
        )

    @property
    def years(self) -> float:
        """How long is simulated (Julian years)."""
        return self.eras * self.milliseconds / JULIAN_YEAR_MILLISECONDS

    def locked(self, era: int) -> int:
        """Return what has not vested at the end of an era (micro-GRID)."""
        return self.vesting.locked_at((era + 1) * self.gas.blocks)

    def slash_fractions(self) -> list[int]:
        """Return what share of all stake is slashed for 0, 1, 2, … offenders, with equal stakes (parts per billion)."""
        seats = self.rules.validators
        return [equivocation_slash(offenders, seats) * offenders // seats for offenders in range(seats + 1)]


def _eras(years: float, milliseconds: int) -> int:
    if isinstance(years, bool) or not isinstance(years, Real):
        raise ArgumentTypeError(f"years is {years!r} ({type(years).__name__}), allowed: a number, such as 10 or 0.5")
    if not math.isfinite(years):
        raise ArgumentError(f"years is {years!r}, allowed: a finite number, such as 10")
    eras = int(exact(years, what="years") * JULIAN_YEAR_MILLISECONDS / milliseconds)
    if not 1 <= eras <= MOST_ERAS:
        raise ArgumentError(
            f"years is {years!r}, which is {eras} eras of {milliseconds / 1000:g} s; allowed: 1 to {MOST_ERAS} eras; "
            "choose other years, or move session_length and sessions_per_era of the StakingTerms"
        )
    return eras


def _parts(percent: float) -> int:
    return int(exact(percent) * BILLION / 100)
