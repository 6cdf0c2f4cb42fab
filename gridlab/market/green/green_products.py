"""Green products on the Thai market: utility green tariffs, certificates and credits, with their reported prices.

Prices are read from the dataset ``green_products``, each with its source and its mark of confidence; nothing is priced
here. What a tariff of p THB/kWh (four decimals) adds to a bill of e Wh is ``[ p e ]`` micro-THB, rounded once, halves
upward.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from gridlab.datasets import dataset
from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError, nearest
from gridlab.frames import Column, Schema

__all__ = ["GreenProduct", "green_product", "green_products"]

_SOLD_TO_CONSUMERS = ("premium", "all-in price", "certificate", "carbon credit")
_PER_KWH = "THB/kWh"
_PRICE_STEPS = 10_000
_MOST_ENERGY = 10**13
_USE = Schema(
    "use",
    (
        Column("account", pl.UInt32, "integer", "who used it"),
        Column("energy", pl.Int64, "integer", "energy under the tariff (Wh)"),
    ),
)


@dataclass(frozen=True, slots=True)
class GreenProduct:
    """A product and its reported price.

    Attributes
    ----------
    name, kind : str
        Kind: "premium" (on top of the normal bill), "all-in price" (in place of it), "certificate", "carbon credit".
    price, price_high : Decimal
        Lowest and highest price reported, without VAT, in `unit`.
    unit : str
        THB/kWh, THB/MWh, USD/MWh or THB/tCO2e.
    valid_from, valid_to : str or None
        Year or month; None where not known or still valid.
    source, confidence : str
        As in the dataset's card.
    note : str or None
    """

    name: str
    kind: str
    price: Decimal
    price_high: Decimal
    unit: str
    valid_from: str | None
    valid_to: str | None
    source: str
    confidence: str
    note: str | None

    def bill(self, use: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
        """Return what a tariff adds to each bill, or replaces it with, before VAT.

        Parameters
        ----------
        use : polars.DataFrame or polars.LazyFrame
            ``account``, ``energy`` (Wh).

        Returns
        -------
        polars.DataFrame
            `use` with ``amount`` (Int64, micro-THB) at the lowest price reported.

        Raises
        ------
        ArgumentError
            The product is not priced in THB/kWh.
        ArgumentTypeError, CertificateError
            `use` is not a frame, or does not fit.
        """
        if self.unit != _PER_KWH:
            raise ArgumentError(
                f"{self.name!r} is priced in {self.unit}, allowed for a bill: {_PER_KWH}; "
                "green_products() shows which are, 'UGT1' for one"
            )
        rules = {
            f"an energy is not 0 … {_MOST_ENERGY} Wh": ~pl.col("energy").is_between(0, _MOST_ENERGY),
        }
        frame = _USE.check(use, rules=rules, error=CertificateError)
        # A price step is 0.0001 THB/kWh = 0.1 THB/MWh, so the product counts tenths of a micro-THB.
        return frame.with_columns(amount=(pl.col("energy") * int(self.price * _PRICE_STEPS) + 5) // 10)


def green_products(kind: str | None = None) -> pl.DataFrame:
    """Return the products that consumers can buy, as the dataset ``green_products`` has them.

    Parameters
    ----------
    kind : str, optional
        "premium", "all-in price", "certificate" or "carbon credit"; all of them where not given.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `kind` is not text, or not known.
    """
    if kind is not None and not isinstance(kind, str):
        raise ArgumentTypeError(f"kind is {kind!r}, allowed: one of {list(_SOLD_TO_CONSUMERS)}")
    if kind is not None and kind not in _SOLD_TO_CONSUMERS:
        raise ArgumentError(f"kind {kind!r} is not known; {nearest(kind, _SOLD_TO_CONSUMERS)}")
    # The premium of the southern border is paid to generators, not by consumers.
    sold = pl.col("kind").is_in(_SOLD_TO_CONSUMERS) & ~pl.col("product").str.contains("round")
    return dataset("green_products").filter(sold if kind is None else sold & (pl.col("kind") == kind))


def green_product(name: str, *, valid_from: str | None = None) -> GreenProduct:
    """Return one product, such as "UGT1", "UGT1, proposed", "UGT2, indication" or "T-VER credit".

    Parameters
    ----------
    name : str
        As in the column ``product`` of `green_products`.
    valid_from : str, optional
        Which of several prices of that name; the newest where not given.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `name` is not text, or there is no such product or price.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name is {name!r}, allowed: the name of a product, such as 'UGT1'")
    products = green_products()
    found = products.filter(pl.col("product") == name)
    if found.is_empty():
        raise ArgumentError(f"there is no green product {name!r}; {nearest(name, products['product'].unique().sort())}")
    if valid_from is not None:
        dates = found["valid_from"].to_list()
        found = found.filter(pl.col("valid_from") == str(valid_from))
        if found.is_empty():
            raise ArgumentError(f"{name!r} has no price from {valid_from!r}; allowed: {dates}")
    row = found.sort("valid_from", nulls_last=False).row(-1, named=True)
    return GreenProduct(row.pop("product"), **row)
