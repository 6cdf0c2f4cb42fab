"""The landed bill of a trade: energy, wheeling, losses, trading fee and VAT, to the micro-baht.

For a trade of e Wh at p THB/MWh over a path that charges w THB/MWh::

    amount   = p e                          to the seller (where buyers pay another price, their amount is theirs)
    wheeling = w e                          to the utility
    losses   = [ amount x loss share ]      to the utility
    fee      = f e                          to the market operator
    vat      = [ (amount + wheeling + losses + fee) x VAT ]
    gross    = the sum of the five          from the buyer

[x] rounds to the nearest micro-THB, halves upward. Wheeling may also hang on the buyer's voltage, or be a share of the
amount; where the seller has to pay all or half of wheeling and losses, he pays the VAT on his part, and the buyer's
bill is smaller by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import polars as pl

from gridlab.market.charges.wheeling import Wheeling

__all__ = ["BILL_PARTS", "LandedTerms", "share_of"]

BILL_PARTS = ("amount_buy", "wheeling", "losses", "fee", "vat")
_PPM = 1_000_000


def share_of(amount: pl.Expr, ppm: int) -> pl.Expr:
    """Return `amount` x `ppm` / 1 000 000, rounded to the nearest integer, halves upward.

    An expression gives an expression, an array of int64 an array.

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
            `trades` with ``path``, ``amount_buy``, ``wheeling``, ``losses``, ``fee``, ``vat``, what of them the seller
            pays (``seller_wheeling``, ``seller_losses``, ``seller_vat``), and ``gross``, the buyer's bill (Int64,
            micro-THB).
        """
        if "amount_buy" not in trades.columns:
            trades = trades.with_columns(amount_buy=pl.col("amount"))
        # Narrower integers would wrap in the products below.
        trades = trades.with_columns(pl.col("energy", "amount", "amount_buy").cast(pl.Int64))
        energy = pl.when(pl.col("buyer").is_not_null()).then("energy").otherwise(0)
        paid = pl.when(pl.col("buyer").is_not_null()).then("amount_buy").otherwise(0)
        own = pl.sum_horizontal(paid, "wheeling", "losses", "fee") - pl.col("seller_wheeling") - pl.col("seller_losses")
        return (
            self.wheeling.locate(trades, accounts)
            .with_columns(
                wheeling=pl.col("charge") * energy + share_of(paid, self.wheeling.price_share()),
                losses=share_of(paid, self.wheeling.loss_share()),
                fee=self.fee * energy,
            )
            .with_columns(
                seller_wheeling=self._sellers_part(pl.col("wheeling")),
                seller_losses=self._sellers_part(pl.col("losses")),
            )
            .with_columns(
                seller_vat=share_of(pl.col("seller_wheeling") + pl.col("seller_losses"), self.vat),
                buyer_vat=share_of(own, self.vat),
            )
            .with_columns(vat=pl.col("buyer_vat") + pl.col("seller_vat"), gross=own + pl.col("buyer_vat"))
            .drop("charge", "buyer_vat")
        )

    def _sellers_part(self, charge: pl.Expr) -> pl.Expr:
        """Return what the seller pays of a charge (an odd micro-THB stays with the buyer; the grid pays none)."""
        part = self.wheeling.sellers_part()
        return pl.when(pl.col("seller").is_not_null()).then(charge * part.numerator // part.denominator).otherwise(0)

    def highest_energy_price(self, landed: pl.Expr, voltage: pl.Expr | None = None) -> pl.Expr:
        """Return the highest energy price whose landed price stays within `landed`, on the dearest path.

        Parameters
        ----------
        landed : polars.Expr
            Landed price before VAT, in 0.1 THB/MWh (retail rates have four decimals).
        voltage : polars.Expr, optional
            Voltage band of the buyer's tariff; without it he allows for the dearest.

        Returns
        -------
        polars.Expr
            THB/MWh, rounded down: ``(landed - b w - fee) / (1 + b (loss share + price share))``, b being the buyer's
            part of the charges.
        """
        part = 1 - self.wheeling.sellers_part()
        highest = pl.lit(self.wheeling.highest()) if voltage is None else self.wheeling.highest_for(voltage)
        charge = -(-highest * part.numerator // part.denominator)
        share = ceil(part * (self.wheeling.loss_share() + self.wheeling.price_share()))
        return (landed - 10 * (charge + self.fee)) * _PPM // (10 * (_PPM + share))

    def lowest_ask(self, net: int) -> int | None:
        """Return the lowest energy price that leaves a seller `net` THB/MWh after his part of the charges.

        Parameters
        ----------
        net : int
            What the seller could get elsewhere, THB/MWh.

        Returns
        -------
        int or None
            THB/MWh, rounded up: ``(net + s w (1 + VAT)) / (1 - s (loss share + price share) (1 + VAT))``, s being the
            seller's part; None where no price is high enough.
        """
        part = self.wheeling.sellers_part() * (1 + Fraction(self.vat, _PPM))
        share = part * Fraction(self.wheeling.loss_share() + self.wheeling.price_share(), _PPM)
        return ceil((net + part * self.wheeling.highest()) / (1 - share)) if share < 1 else None
