r"""What users pay for gas in an era, with the fee multiplier at rest.

The chain moves its multiplier block by block (`gridlab.chain.public.fees`): up when blocks are fuller than the target,
down when they are emptier. Over an era of thousands of blocks it comes to rest where demand fills the target, or at its
least value. Demand is taken as unit elastic in the multiplier :math:`m`: :math:`N(m) = N\,m_0 / m`, with :math:`N`
transactions wanted at the least multiplier :math:`m_0`. Then

.. math:: m = m_0 \max(1, N w / W), \qquad n = \min(N, W / w),

where :math:`w` is the weight of a transaction and :math:`W` the target weight of all blocks of the era.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.chain.arguments import require_int
from gridlab.chain.perbill import BILLION
from gridlab.chain.public.fees import LARGEST_MULTIPLIER, ONE, FeeRules

__all__ = ["Gas", "GasMarket"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gas:
    """What an era's transactions paid.

    Attributes
    ----------
    transactions : int
        How many found room.
    multiplier : int
        10^-18.
    fee : int
        Of one transaction (micro-GRID).
    paid : int
        By all of them (micro-GRID).
    treasury : int
        What the treasury gets of it (micro-GRID); authors get the rest.
    """

    transactions: int
    multiplier: int
    fee: int
    paid: int
    treasury: int


@dataclass(frozen=True, slots=True)
class GasMarket:
    """Room and prices of an era.

    Attributes
    ----------
    fees : FeeRules
    weight : int
        Of a usual transaction (microseconds).
    size : int
        Of a usual transaction (bytes).
    blocks : int
        In an era.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A number is not whole or below 1.

    Examples
    --------
    >>> market = GasMarket(FeeRules(), weight=150, size=452, blocks=14_400)
    >>> market.settle(100_000, 10**15).fee, market.settle(100_000, 10**15).treasury
    (5670, 453600000)
    >>> market.settle(72_000_000, 10**15).multiplier / 10**18
    0.2
    """

    fees: FeeRules
    weight: int
    size: int
    blocks: int

    def __post_init__(self) -> None:
        for name in ("weight", "size", "blocks"):
            require_int(name, getattr(self, name), 1)

    @property
    def target(self) -> int:
        """Weight of an era's blocks at which the multiplier stands still (microseconds), at least 1."""
        return max(self.fees.target_fullness * self.fees.block_weight * self.blocks // BILLION, 1)

    @property
    def room(self) -> int:
        """Most transactions of an era with the multiplier at rest: by weight, and by the length of blocks."""
        return min(self.target // self.weight, self.fees.block_bytes // self.size * self.blocks)

    def settle(self, wanted: int, purse: int) -> Gas:
        """Return what an era's transactions pay.

        Parameters
        ----------
        wanted : int
            Transactions at the least multiplier.
        purse : int
            Most that users can pay together (micro-GRID).
        """
        require_int("wanted", wanted, 0)
        require_int("purse (micro-GRID)", purse, 0)
        least = self.fees.least_multiplier
        multiplier = min(max(least, least * wanted * self.weight // self.target), LARGEST_MULTIPLIER)
        fee = self.fees.fee(self.weight, self.size, multiplier)
        count = min(wanted, self.room, purse // fee)
        return Gas(count, multiplier, fee, count * fee, count * self.fees.treasury_part(fee))

    def settle_many(self, wanted: Floats, purse: Floats) -> tuple[Floats, Floats]:
        """Return what is paid and the treasury's part in many paths at once, in floats (micro-GRID).

        Parameters
        ----------
        wanted, purse : array of float, shape (paths,)
            As for `settle`.
        """
        fees = self.fees
        fixed = fees.fee(self.weight, self.size, 0)
        excess = np.clip(wanted * (self.weight / self.target), 1.0, LARGEST_MULTIPLIER / fees.least_multiplier)
        fee = fixed + np.floor(excess * (fees.weight_fee * self.weight * fees.least_multiplier / ONE))
        count = np.minimum(np.minimum(wanted, self.room), np.floor(purse / fee))
        return count * fee, count * np.floor(fee * fees.treasury_share / BILLION)
