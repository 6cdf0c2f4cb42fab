"""The landed bill of a trade: energy, wheeling, losses, trading fee and VAT, to the micro-baht.

For a trade of e Wh at p THB/MWh over a path that charges w THB/MWh::

    amount   = p e                          to the seller (where buyers pay another price, their amount is theirs)
    wheeling = w e                          to the utility
    losses   = [ amount x loss share ]      to the utility
    fee      = f e                          to the market operator
    vat      = [ (amount + wheeling + losses + fee) x VAT ]
    gross    = the sum of the five          from the buyer

[x] rounds to the nearest micro-THB, halves upward: the only two roundings, each once per trade row.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from gridlab.market.wheeling import Wheeling

__all__ = ["BILL_PARTS", "LandedTerms", "share_of"]

BILL_PARTS = ("amount_buy", "wheeling", "losses", "fee", "vat")
_PPM = 1_000_000


def share_of(amount: pl.Expr, ppm: int) -> pl.Expr:
    """Return `amount` x `ppm` / 1 000 000, rounded to the nearest integer, halves upward.

    The quotient and the remainder are scaled apart, so that no product leaves 64 bits before the result does.
    """
    return amount // _PPM * ppm + (amount % _PPM * ppm + _PPM // 2) // _PPM


@dataclass(frozen=True, slots=True)
class LandedTerms:
    """The charges beside the energy price that are in force.

    Attributes
    ----------
    wheeling : Wheeling
    fee : int
        Trading fee, THB/MWh.
    vat : int
        Value-added tax, parts per million.
    """

    wheeling: Wheeling
    fee: int
    vat: int

    def bill(self, trades: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
        """Add to each trade the parts of its landed bill.

        Parameters
        ----------
        trades : polars.DataFrame
            ``buyer``, ``seller``, ``energy`` (Wh), ``amount`` (micro-THB, what the seller gets) and more; where buyers
            pay another amount, ``amount_buy``. A null buyer or seller is the grid: energy that leaves the zone, for
            which the grid owes no charges, or comes in over the longest path.
        accounts : polars.DataFrame
            As `gridlab.frames.ACCOUNTS`; row i is account i.

        Returns
        -------
        polars.DataFrame
            `trades` with ``path``, ``amount_buy``, ``wheeling``, ``losses``, ``fee``, ``vat`` and ``gross`` (Int64,
            micro-THB).
        """
        if "amount_buy" not in trades.columns:
            trades = trades.with_columns(amount_buy=pl.col("amount"))
        energy = pl.when(pl.col("buyer").is_not_null()).then("energy").otherwise(0)
        paid = pl.when(pl.col("buyer").is_not_null()).then("amount_buy").otherwise(0)
        parts = pl.sum_horizontal(paid, "wheeling", "losses", "fee")
        return (
            self.wheeling.locate(trades, accounts)
            .with_columns(
                wheeling=pl.col("charge") * energy,
                losses=share_of(paid, self.wheeling.loss_share()),
                fee=self.fee * energy,
            )
            .with_columns(vat=share_of(parts, self.vat))
            .with_columns(gross=parts + pl.col("vat"))
            .drop("charge")
        )

    def highest_energy_price(self, landed: pl.Expr) -> pl.Expr:
        """Return the highest energy price whose landed price stays within `landed`, on the dearest path.

        Parameters
        ----------
        landed : polars.Expr
            Landed price before VAT, in 0.1 THB/MWh (retail rates have four decimals).

        Returns
        -------
        polars.Expr
            THB/MWh, rounded down: ``(landed - wheeling - fee) / (1 + loss share)``.
        """
        besides = 10 * (self.wheeling.highest() + self.fee)
        return (landed - besides) * _PPM // (10 * (_PPM + self.wheeling.loss_share()))
