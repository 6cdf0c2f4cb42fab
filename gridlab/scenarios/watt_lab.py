"""A lab whose money may be run on: its market settles in WATT, and beside it stand issuer and holders of WATT.

The two are told apart on purpose. A day's market moves thousands of baht, a run on WATT a hundred million; what happens
to the coin changes no trade of the day. `gridlab.stablecoin` is the model, `docs/watt.md` its page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from gridlab.lab import Lab
from gridlab.stablecoin.terms import HolderTerms, WattTerms

if TYPE_CHECKING:
    from gridlab.stablecoin.run import WattRun

__all__ = ["WattLab"]

_HOURS = 36.0


class WattLab(Lab):
    """A lab with the issuer's and the holders' levers beside it.

    Attributes
    ----------
    watt : WattTerms
        ``lab.watt.set({"gap_rule": "haircut"})`` moves the issuer's levers; they are none of ``lab.levers()``.
    watt_holders : HolderTerms

    Examples
    --------
    >>> lab = WattLab.thailand(prosumers=5)
    >>> lab.watt.gap_rule
    'stop'
    >>> lab.run_on_watt(holders=200, hours=12).slots.height
    48
    """

    def __init__(self, **parts: Any) -> None:
        self.watt = WattTerms()
        self.watt_holders = HolderTerms()
        super().__init__(**parts)

    def with_seed(self, seed: int) -> Self:
        """Return a lab with the same levers, those of WATT included, and another seed; this one is not changed."""
        fresh = super().with_seed(seed)
        fresh.watt.set(self.watt.lever_values())
        fresh.watt_holders.set(self.watt_holders.lever_values())
        return fresh

    def run_on_watt(self, *, hours: float = _HOURS, **how: Any) -> WattRun:
        """Let the holders of WATT run, or not; the seed is the lab's.

        Parameters
        ----------
        hours : float
        **how
            Further arguments of `gridlab.stablecoin.run.run`: holders, circulation.
        """
        from gridlab.stablecoin.run import run

        return run(self.watt, self.watt_holders, hours=hours, seed=self.seed, **how)
