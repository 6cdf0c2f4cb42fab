r"""How much is minted for stakers: the reward curve, inflation, and the payout of an era.

With :math:`x` the share of all GRID that is staked, :math:`x_i` the ideal share and :math:`d` the falloff,

.. math:: c(x) = x / x_i \text{ for } x < x_i, \qquad c(x) = 2^{(x_i - x)/d} \text{ for } x \ge x_i,

and yearly inflation is :math:`I_{min} + (I_{max} - I_{min})\,c(x)`. Too little stake makes staking pay better; too much
makes it pay so much worse that money flows back into use. The chain computes in whole parts, by the Taylor series of
Substrate, because no two machines need agree on the last bit of a power of floats.

References
----------
Web3 Foundation, "Token economics: inflation model", research.web3.foundation, 2020.
Parity Technologies, polkadot-sdk, ``substrate/frame/staking/reward-fn/src/lib.rs`` (``compute_inflation``) and
``polkadot/runtime/common/src/impls.rs`` (``relay_era_payout``), 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from gridlab.chain.arguments import require_int
from gridlab.chain.perbill import BILLION, QUINTILLION, floor_of, from_rational, part_of
from gridlab.errors import ArgumentError, ArgumentTypeError

__all__ = ["JULIAN_YEAR_MILLISECONDS", "Inflation", "era_payout", "inflation", "reward_curve", "reward_curve_parts"]

# 365.25 days, as Substrate counts the eras of a year.
JULIAN_YEAR_MILLISECONDS = 31_557_600_000
LEAST_FALLOFF = 0.01
_LN2_QUINTILLIONTHS = 693_147_180_559_945_309
_TERMS = 300


def reward_curve(staked: float, ideal: float, falloff: float) -> float:
    """Return the reward curve as a share of the span between minimum and maximum inflation.

    Parameters
    ----------
    staked : float
        Share of all GRID that is staked, 0 … 1.
    ideal : float
        Share at which the curve peaks, 0 … 1.
    falloff : float
        How much more stake than the ideal halves the curve, 0.01 … 1.

    Returns
    -------
    float
        0 … 1; 1 at the ideal share.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is not a number or outside its bounds.

    Examples
    --------
    >>> reward_curve(0.375, 0.75, 0.05), reward_curve(0.75, 0.75, 0.05), reward_curve(1.0, 0.75, 0.25)
    (0.5, 1.0, 0.5)
    """
    staked, ideal = _share("staked", staked), _share("ideal", ideal)
    falloff = _share("falloff", falloff, LEAST_FALLOFF)
    return staked / ideal if staked < ideal else float(2.0 ** ((ideal - staked) / falloff))


def _share(name: str, value: float, low: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ArgumentTypeError(f"{name} is {value!r} ({type(value).__name__}), allowed: a number of {low:g} … 1")
    if not low <= value <= 1 or math.isnan(value):
        raise ArgumentError(f"{name} is {value!r}, allowed: {low:g} … 1; a share, so write 0.75 for 75 %")
    return float(value)


def reward_curve_parts(staked: int, ideal: int, falloff: int, accuracy: int = BILLION) -> int:
    """Return the reward curve in whole parts of `accuracy`, as every node of the chain computes it.

    Parameters
    ----------
    staked, ideal, falloff : int
        As for `reward_curve`, in parts of `accuracy`.
    accuracy : int
        10^9 (Perbill) or 10^18 (Perquintill).

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is not a whole number or outside its bounds.
    """
    require_int("staked", staked, 0, accuracy)
    require_int("ideal", ideal, 0, accuracy)
    require_int("falloff", falloff, accuracy // 100, accuracy)
    if staked < ideal:
        return from_rational(staked, ideal, accuracy)
    slope = from_rational(_LN2_QUINTILLIONTHS, QUINTILLION, accuracy) * accuracy // falloff
    total = term = accuracy
    for order in range(1, _TERMS):
        # Each term is rounded down before the next is made of it, because the last unit is part of the rule.
        term = term * (staked - ideal) * slope // (order * accuracy**2)
        if not term:
            break
        total += -term if order % 2 else term
    return total if 0 <= total <= accuracy else 0


@dataclass(frozen=True, slots=True)
class Inflation:
    """The shape of inflation, every field in parts per billion.

    Attributes
    ----------
    minimum, maximum : int
        Yearly inflation with nothing staked and at the ideal share.
    ideal : int
        Share of all GRID that should be staked.
    falloff : int
        How much more stake than the ideal halves what is above the minimum.
    """

    minimum: int = 25_000_000
    maximum: int = 100_000_000
    ideal: int = 750_000_000
    falloff: int = 50_000_000

    def __post_init__(self) -> None:
        require_int("ideal stake (parts per billion)", self.ideal, 0, BILLION)
        require_int("falloff (parts per billion)", self.falloff, BILLION // 100, BILLION)
        require_int("maximum inflation (parts per billion)", self.maximum, 0, BILLION)
        require_int("minimum inflation (parts per billion)", self.minimum, 0, self.maximum)


def inflation(staked: int, issuance: int, shape: Inflation) -> int:
    """Return yearly inflation in parts of 10^18.

    Parameters
    ----------
    staked, issuance : int
        What backs validators, and all GRID there is (micro-GRID).
    shape : Inflation

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An amount is not a whole number, negative, or there is no GRID at all.
    """
    share = from_rational(staked, issuance, QUINTILLION)
    fine = QUINTILLION // BILLION
    curve = reward_curve_parts(share, shape.ideal * fine, shape.falloff * fine, QUINTILLION)
    span = (shape.maximum - shape.minimum) * fine
    return shape.minimum * fine + part_of(curve, span, QUINTILLION)


def era_payout(staked: int, issuance: int, milliseconds: int, shape: Inflation) -> int:
    """Return what an era of this length mints, rounded down (micro-GRID).

    Parameters
    ----------
    staked, issuance : int
        What backs validators, and all GRID there is (micro-GRID).
    milliseconds : int
        Length of the era.
    shape : Inflation

    Raises
    ------
    ArgumentTypeError, ArgumentError
        As for `inflation`, or the length is negative.
    """
    period = from_rational(milliseconds, JULIAN_YEAR_MILLISECONDS, QUINTILLION)
    rate = part_of(period, inflation(staked, issuance, shape), QUINTILLION)
    return floor_of(rate, issuance, QUINTILLION)
