"""The market as a part: its rule, its limits and its charges as levers, clearing and landed bills as acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from gridlab import units
from gridlab.levers import Levers, choice, number
from gridlab.market.charges.landed import LandedTerms
from gridlab.market.charges.retail_terms import RetailTerms
from gridlab.market.charges.settlement import Institutions, trade_transfers
from gridlab.market.charges.settling import Settled
from gridlab.market.charges.wheeling import Wheeling
from gridlab.market.clearing import RULES as CLEARING_RULES
from gridlab.market.clearing import Clearing, clear
from gridlab.market.protection import Protection
from gridlab.market.zones.zonal_terms import ZonalTerms

__all__ = ["RULES", "Market"]

_OPERATOR = "market operator, under the ERC sandbox"

RULES = (*CLEARING_RULES, "zonal")
# Rules that read k and the rationing; the others have prices and fills of their own.
_RATIONED = ("uniform", "pay_as_bid", "tiered", "zonal")


class Market(Levers):
    """A peer-to-peer energy market for 15-minute delivery slots.

    Alone in a notebook it clears any order frame by its levers::

        market = gl.Market(rule="pay_as_bid")
        market.clear(orders).prices
    """

    parts = ("wheeling", "retail", "protection", "zonal")

    rule = choice(
        "uniform",
        list(RULES),
        label="Clearing rule",
        label_th="กติกาจับคู่ซื้อขาย",
        source="Uniform price (k-double auction) as in Energies 2024, 17(5), 1220 (fact sheet 2, V)",
        governed_by=_OPERATOR,
    )
    pricing = choice(
        "competitive",
        ["competitive", "marginal_accepted", "last_ask", "last_bid", "first_rejected", "seller_share"],
        label="Where the uniform price comes from",
        label_th="ที่มาของราคาตลาด",
        source="teaching choice (S)",
        governed_by=_OPERATOR,
    )
    k = number(
        0.5,
        0.0,
        1.0,
        0.01,
        unit="",
        label="Price point k between seller and buyer",
        label_th="จุดราคา k ระหว่างผู้ขายกับผู้ซื้อ",
        source="k-double auction with k = 1/2 (Chatterjee and Samuelson 1983)",
        governed_by=_OPERATOR,
    )
    seller_share = number(
        0.5,
        0.0,
        1.0,
        0.01,
        unit="",
        label="Seller's share of the margin",
        label_th="ส่วนแบ่งส่วนต่างของผู้ขาย",
        source="teaching choice (S); read by pricing = seller_share",
        governed_by=_OPERATOR,
    )
    rationing = choice(
        "pro_rata",
        ["pro_rata", "time"],
        label="Rationing at the marginal price",
        label_th="การจัดสรรที่ราคาขอบ",
        source="teaching choice (S)",
        governed_by=_OPERATOR,
    )
    price_floor = number(
        0.0,
        -10.0,
        20.0,
        0.001,
        unit="THB/kWh",
        label="Price floor",
        label_th="ราคาขั้นต่ำ",
        source="teaching choice (S)",
        governed_by="ERC",
    )
    price_cap = number(
        6.0,
        -10.0,
        20.0,
        0.001,
        unit="THB/kWh",
        label="Price cap",
        label_th="ราคาเพดาน",
        source="teaching choice (S): just above the highest retail energy rate, 5.7982 (fact sheet 1.2)",
        governed_by="ERC",
    )
    fee = number(
        0.02,
        0.0,
        2.0,
        0.001,
        unit="THB/kWh",
        label="Trading fee",
        label_th="ค่าธรรมเนียมการซื้อขาย",
        source="teaching choice (S)",
        governed_by=_OPERATOR,
    )
    deposit_margin = number(
        20.0,
        0.0,
        200.0,
        1.0,
        unit="%",
        label="Deposit above the expected bill",
        label_th="เงินประกันส่วนเกินจากค่าไฟที่คาดไว้",
        source="teaching choice (S)",
        governed_by=_OPERATOR,
    )

    def __init__(self, **levers: Any) -> None:
        self.wheeling = Wheeling()
        self.retail = RetailTerms()
        self.protection = Protection()
        self.zonal = ZonalTerms()
        super().__init__(**levers)

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Refuse a price floor above the price cap, and charges that the rule cannot count."""
        if values["price_floor"] > values["price_cap"]:
            return (
                f"price_floor {values['price_floor']} THB/kWh is above price_cap {values['price_cap']} THB/kWh; "
                "move both in one call"
            )
        if values["rule"] == "tiered" and values["wheeling.payer"] != "buyer":
            return (
                f"rule 'tiered' counts charges within the buyer's limit, so wheeling.payer must be 'buyer', not "
                f"{values['wheeling.payer']!r}"
            )
        return None

    def limits(self) -> tuple[int, int]:
        """Return the price floor and the price cap in THB/MWh."""
        return units.price(self.price_floor), units.price(self.price_cap)

    def clear(self, orders: pl.DataFrame | pl.LazyFrame, accounts: pl.DataFrame | None = None) -> Clearing:
        """Clear `orders` by this market's levers, every book at once.

        Parameters
        ----------
        orders : polars.DataFrame or polars.LazyFrame
            As `gridlab.frames.ORDERS`. With the rule ``tiered``, buyers' limits are on the landed price before VAT.
        accounts : polars.DataFrame, optional
            As `gridlab.frames.ACCOUNTS`; ``tiered`` reads from it where the meters hang.
        """
        floor, cap = self.limits()
        options: dict[str, Any] = {"floor": floor, "cap": cap}
        if self.rule in _RATIONED:
            options |= {"k": self.k, "rationing": self.rationing}
        if self.rule == "zonal":
            from gridlab.market.zones.coupling import couple

            return couple(orders, self.zonal.limits(_declared_zones(orders)), **options)
        if self.rule == "uniform":
            options["pricing"] = self.pricing
            if self.pricing == "seller_share":
                options["r"] = self.seller_share
        elif self.rule == "tiered":
            options |= {"tariff": self.landed_terms(), "accounts": accounts}
        return clear(orders, self.rule, **options)

    def session(self, orders: pl.DataFrame, accounts: pl.DataFrame | None = None) -> tuple[Clearing, pl.DataFrame]:
        """Clear `orders` under the circuit breaker.

        Returns
        -------
        Clearing
            Without the orders of halted books.
        polars.DataFrame
            ``slot``, ``zone`` of the books that the circuit breaker kept out.
        """
        clearing = self.clear(orders, accounts)
        halts = self.protection.halts(clearing.prices)
        if halts.is_empty():
            return clearing, halts
        return self.clear(orders.join(halts, on=["slot", "zone"], how="anti"), accounts), halts

    def settle(
        self, orders: pl.DataFrame | pl.LazyFrame, accounts: pl.DataFrame, institutions: Institutions
    ) -> Settled:
        """Clear `orders`, bill every trade and return the payments, all books in one call.

        Parameters
        ----------
        orders : polars.DataFrame or polars.LazyFrame
            As `gridlab.frames.ORDERS`.
        accounts : polars.DataFrame
            As `gridlab.frames.ACCOUNTS`; row i is account i.
        institutions : Institutions
            The accounts on the other side of the charges.
        """
        clearing = self.clear(orders, accounts)
        trades = self.landed_terms().bill(clearing.trades, accounts)
        return Settled(clearing, trades, trade_transfers(trades, accounts, institutions))

    def value_of(self, landed: pl.Expr, voltage: pl.Expr) -> pl.Expr:
        """Return the limit (THB/MWh) of a buyer for whom `landed` (before VAT, 0.1 THB/MWh) is as good as retail.

        `voltage` is the band of his tariff, on which the charge may hang.
        """
        if self.rule == "tiered":
            return landed // 10
        return self.landed_terms().highest_energy_price(landed, voltage)

    def landed_terms(self) -> LandedTerms:
        """Return the charges that stand between the energy price and the buyer's bill."""
        return LandedTerms(self.wheeling, units.price(self.fee), self.retail.vat_share())

    def __repr__(self) -> str:
        return f"Market(rule={self.rule!r}, pricing={self.pricing!r}, wheeling={self.wheeling.scheme!r})"


def _declared_zones(orders: pl.DataFrame | pl.LazyFrame) -> list[str] | None:
    """Return the zones that an Enum declares, or None where zones are text and any may be named."""
    zone = orders.collect_schema().get("zone") if isinstance(orders, (pl.DataFrame, pl.LazyFrame)) else None
    return zone.categories.to_list() if isinstance(zone, pl.Enum) else None
