r"""What a transaction costs in GRID, who receives it, and how the price of space follows demand.

With weight :math:`w` (microseconds of a reference machine), length :math:`l` (bytes) and the multiplier :math:`m`,

.. math:: \text{fee} = \text{base} + \text{byte fee} \cdot l + m \cdot \text{weight fee} \cdot w + \text{tip}.

After each block the multiplier moves with how full the block was, as Substrate's ``TargetedFeeAdjustment`` does:

.. math:: m' = m\,(1 + v d + v^2 d^2 / 2), \qquad d = (s - s^*) / s_{max},

where :math:`s` is the block's weight, :math:`s^*` the target and :math:`s_{max}` the most a block holds. Everything is
whole numbers: the multiplier counts in 10^-18, and products round down, as in Substrate's ``FixedU128``.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/transaction-payment/src/lib.rs`` and
``polkadot/runtime/common/src/lib.rs`` (target 25 %, v = 0.000075, least multiplier 0.1, 2 s of compute of which 75 %
for transactions, 5 MiB), 2024.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from gridlab.chain.arguments import require_int
from gridlab.chain.encoding import Reader, compact

__all__ = ["BILLION", "LARGEST_MULTIPLIER", "ONE", "FeeRules"]

BILLION = 10**9
# 1 as Substrate's FixedU128 writes it.
ONE = 10**18
# Far above what congestion of years reaches, and low enough for fees to be counted in 64 bits.
LARGEST_MULTIPLIER = 10**6 * ONE


@dataclass(frozen=True, slots=True)
class FeeRules:
    """Prices and limits of one set of rules.

    Attributes
    ----------
    base_fee : int
        micro-GRID per transaction.
    byte_fee : int
        micro-GRID per byte.
    weight_fee : int
        micro-GRID per microsecond of weight, before the multiplier.
    treasury_share : int
        Share of a fee that goes to the treasury, parts per billion; the rest and the tip go to the block's author.
    target_fullness : int
        Parts per billion of `block_weight` at which the multiplier stands still.
    adjustment : int
        v, parts per billion.
    least_multiplier : int
        10^-18.
    block_weight : int
        Microseconds of weight that the transactions of one block may have.
    block_bytes : int
        Bytes that the transactions of one block may have.
    lifetime : int
        How many blocks ahead a transaction's expiry may lie.
    """

    base_fee: int = 1_000
    byte_fee: int = 10
    weight_fee: int = 10
    treasury_share: int = 800_000_000
    target_fullness: int = 250_000_000
    adjustment: int = 75_000
    least_multiplier: int = ONE // 10
    block_weight: int = 1_500_000
    block_bytes: int = 3_932_160
    lifetime: int = 4_096

    def __post_init__(self) -> None:
        # Never free: each transaction leaves a fee in the ledger, and a free one would be a free attack.
        require_int("base_fee", self.base_fee, 1, 10**12)
        for name in ("byte_fee", "weight_fee"):
            require_int(name, getattr(self, name), 0, 10**9)
        for name in ("treasury_share", "target_fullness", "adjustment"):
            require_int(name, getattr(self, name), 0, BILLION)
        require_int("least_multiplier", self.least_multiplier, 1, ONE)
        for name in ("block_weight", "block_bytes", "lifetime"):
            require_int(name, getattr(self, name), 1, 2**40)

    def fee(self, weight: int, size: int, multiplier: int) -> int:
        """Return what a transaction costs without its tip, micro-GRID.

        Parameters
        ----------
        weight : int
            Microseconds.
        size : int
            Bytes.
        multiplier : int
            10^-18.
        """
        return self.base_fee + self.byte_fee * size + self.weight_fee * weight * multiplier // ONE

    def treasury_part(self, fee: int) -> int:
        """Return what the treasury gets of a fee, rounded down; the author gets the rest, and the tip."""
        return fee * self.treasury_share // BILLION

    def next_multiplier(self, previous: int, weight: int) -> int:
        """Return the multiplier after a block whose transactions have this weight.

        Examples
        --------
        >>> rules = FeeRules()
        >>> rules.next_multiplier(ONE, rules.block_weight // 4) == ONE
        True
        >>> rules.next_multiplier(ONE, rules.block_weight)
        1000056251582031250
        """
        previous = max(previous, self.least_multiplier)
        used = min(weight, self.block_weight)
        # Rounded to the nearest, halves down, as Substrate multiplies by a Perquintill.
        target = -((-2 * self.target_fullness * self.block_weight + BILLION) // (2 * BILLION))
        difference = abs(used - target) * ONE // self.block_weight
        pace = self.adjustment * (ONE // BILLION)
        first = pace * difference // ONE
        half_square = (pace * pace // ONE) * ONE // (2 * ONE)
        second = half_square * (difference * difference // ONE) // ONE
        change = first + second if used >= target else -(first - second)
        moved = previous + change * previous // ONE if change >= 0 else previous - (-change * previous // ONE)
        return min(max(moved, self.least_multiplier), LARGEST_MULTIPLIER)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return b"".join(map(compact, astuple(self)))

    @classmethod
    def read(cls, reader: Reader) -> FeeRules:
        """Read what `to_bytes` wrote."""
        return cls(*(reader.compact() for _ in fields(cls)))
