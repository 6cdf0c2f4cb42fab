"""From a buyer's limit on the landed price to his limit on the energy price, path by path.

For p THB/MWh over a path that charges w, with a fee f and losses as a share l of the energy's amount, the landed price
before VAT is ``p (1 + l) + w + f``. A buyer whose landed limit is B can pay at most ::

    h(B) = floor((B - w - f) / (1 + l))

for the energy. Then ``h(B) >= s`` says the same as ``B - s >= w + f + l s``: the gain of the pair covers charge and
losses. The rounding of a bill (`charges.landed`) cannot carry it beyond the limit: the limit times the energy is
a whole number of micro-THB not below the exact bill, and the nearest whole number to the bill cannot pass it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.market.charges.landed import LandedTerms
from gridlab.market.charges.wheeling import PATHS

__all__ = ["LandedLimits"]

Int64s = npt.NDArray[np.int64]

_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class LandedLimits:
    """What lies between a landed limit and an energy price.

    Attributes
    ----------
    besides : dict of str to int
        Path -> charge and fee (THB/MWh): the highest of this path and all nearer ones, so that a limit is kept even
        where a tariff charges a near path more than a far one.
    losses : int
        Share of the energy's amount, parts per million.
    vat : int
        Value-added tax that limits include, parts per million; 0 where they are before VAT.
    """

    besides: dict[str, int]
    losses: int
    vat: int

    @classmethod
    def of(cls, terms: LandedTerms, *, with_vat: bool) -> LandedLimits:
        """Return the limits under `terms`; `with_vat` says whether a buyer's limit includes VAT."""
        charges = terms.wheeling.charges()
        highest = np.maximum.accumulate([charges[path] for path in PATHS]).tolist()
        besides = {path: charge + terms.fee for path, charge in zip(PATHS, highest, strict=True)}
        return cls(besides, terms.wheeling.loss_share() + terms.wheeling.price_share(), terms.vat if with_vat else 0)

    def energy_limits(self, landed: Int64s, path: str) -> Int64s:
        """Return the highest energy prices (THB/MWh) whose landed prices stay within `landed` (THB/MWh) on a path."""
        before_vat = _shrink(landed, self.vat)
        return _shrink(before_vat - self.besides[path], self.losses)


def _shrink(values: Int64s, ppm: int) -> Int64s:
    """Return ``floor(values / (1 + ppm / 1 000 000))``; quotient and remainder apart, so that nothing overflows."""
    if not ppm:
        return values
    quotient, remainder = np.divmod(values, np.int64(_PPM + ppm))
    shrunk: Int64s = quotient * _PPM + remainder * _PPM // (_PPM + ppm)
    return shrunk
