"""Power purchase agreements: who bears which risk, slot by slot and exact.

With production P, consumption C (Wh), strike k and reference price r (THB/MWh) of a slot, and V the volume that the
agreement covers::

    kind               V          payment, buyer to seller   the seller also gets   the buyer also pays
    pay_as_produced    P          k V                        r (P - V) = 0          r (C - V)
    baseload           constant   k V                        r (P - V)              r (C - V)
    cfd                P          (k - r) V                  r P                    r C
    baseload_cfd       constant   (k - r) V                  r P                    r C

What an agreement does not cover is bought and sold at the reference price. Under ``pay_as_produced`` and ``cfd`` the
seller earns k for every Wh made, and the buyer takes the risk of when that is. Under the two baseloads the seller earns
``k V + r (P - V)``, so that making a flat block of its plant's shape costs it ``shape_cost = sum of r (V - P)``.

References
----------
European Federation of Energy Traders, "Individual Power Purchase Agreement" (standard contract), 2019.
"""

from __future__ import annotations

import polars as pl

from gridlab.errors import MarketError
from gridlab.frames import SLOT, Column, Schema

__all__ = ["AGREEMENTS", "KINDS", "PRODUCTION", "ppa_summary", "settle_ppa"]

KINDS = ("pay_as_produced", "baseload", "cfd", "baseload_cfd")

_MOST_ENERGY = 10**10
_MOST_PRICE = 10**5
_ID = Column("contract", pl.UInt32, "integer", "number of the agreement")

AGREEMENTS = Schema(
    "agreements",
    (
        _ID,
        Column("kind", pl.Enum(KINDS), "category", f"one of {', '.join(KINDS)}"),
        Column("price", pl.Int64, "integer", "fixed price or strike (THB/MWh)"),
        Column("energy", pl.Int64, "integer", "baseload in a slot (Wh); 0 for what is produced"),
    ),
)
PRODUCTION = Schema(
    "production",
    (
        _ID,
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        Column("produced", pl.Int64, "integer", "what the plant feeds in (Wh)"),
        Column("consumed", pl.Int64, "integer", "what the buyer takes (Wh)", required=False),
        Column("reference", pl.Int64, "integer", "reference price (THB/MWh)"),
    ),
)

_SETTLED = Schema(
    "settled agreements",
    (
        *(column for column in PRODUCTION.columns if column.name != "consumed"),
        Column("volume", pl.Int64, "integer", "Wh"),
        Column("payment", pl.Int64, "integer", "micro-THB"),
        Column("seller_revenue", pl.Int64, "integer", "micro-THB"),
    ),
)


def settle_ppa(agreements: pl.DataFrame | pl.LazyFrame, production: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Settle power purchase agreements, all agreements and slots at once.

    Parameters
    ----------
    agreements : polars.DataFrame or polars.LazyFrame
        As `AGREEMENTS`, each number once.
    production : polars.DataFrame or polars.LazyFrame
        As `PRODUCTION`, each agreement at most once in a slot.

    Returns
    -------
    polars.DataFrame
        `production`, then ``volume`` (Wh), ``payment`` (buyer to seller), ``seller_spot`` (what the seller gets at the
        reference price, below 0 where it must buy), ``seller_revenue``, and, with ``consumed``, ``buyer_spot`` and
        ``buyer_cost``; Int64, micro-THB.

    Raises
    ------
    ArgumentTypeError
        A frame is not a polars frame.
    MarketError
        A frame does not fit its schema, or a row names an agreement that there is not.
    """
    terms = AGREEMENTS.check(agreements, rules=_agreement_rules(), error=MarketError)
    rows = PRODUCTION.check(production, rules=_production_rules(), error=MarketError)
    strangers = rows.join(terms, on="contract", how="anti")
    if strangers.height:
        raise MarketError(
            f"production: contract {strangers['contract'][0]} is not among the agreements "
            f"{terms['contract'].head(10).to_list()}; give its terms too"
        )
    flat = pl.col("kind").cast(pl.String).str.starts_with("baseload")
    difference = pl.col("kind").cast(pl.String).str.ends_with("cfd")
    volume, reference = pl.col("volume"), pl.col("reference")
    covered = pl.when(difference).then(0).otherwise(volume)
    settled = (
        rows.join(terms.select("contract", "kind", "price", "energy"), on="contract", how="left", maintain_order="left")
        .with_columns(volume=pl.when(flat).then("energy").otherwise("produced"))
        .with_columns(
            payment=(pl.col("price") - pl.when(difference).then(reference).otherwise(0)) * volume,
            seller_spot=reference * (pl.col("produced") - covered),
        )
        .with_columns(seller_revenue=pl.col("payment") + pl.col("seller_spot"))
    )
    if "consumed" in rows.columns:
        settled = settled.with_columns(buyer_spot=reference * (pl.col("consumed") - covered)).with_columns(
            buyer_cost=pl.col("payment") + pl.col("buyer_spot")
        )
    return settled.drop("kind", "price", "energy")


def _agreement_rules() -> dict[str, pl.Expr]:
    flat = pl.col("kind").cast(pl.String).str.starts_with("baseload")
    return {
        "a contract stands there twice": pl.col("contract").is_duplicated(),
        f"a price is beyond ±{_MOST_PRICE} THB/MWh": pl.col("price").abs() > _MOST_PRICE,
        f"a baseload's energy is not 1 … {_MOST_ENERGY} Wh in a slot": (
            flat & ~pl.col("energy").is_between(1, _MOST_ENERGY)
        ),
        "energy is given and the volume is what is produced; write 0": ~flat & (pl.col("energy") != 0),
    }


def _production_rules() -> dict[str, pl.Expr]:
    return {
        "a contract stands in a slot twice": pl.struct("contract", "slot").is_duplicated(),
        f"an energy is not 0 … {_MOST_ENERGY} Wh": (
            pl.any_horizontal(~pl.col("^(produced|consumed)$").is_between(0, _MOST_ENERGY))
        ),
        f"a reference price is beyond ±{_MOST_PRICE} THB/MWh": pl.col("reference").abs() > _MOST_PRICE,
    }


def ppa_summary(settled: pl.DataFrame) -> pl.DataFrame:
    """Return each agreement's key figures.

    Parameters
    ----------
    settled : polars.DataFrame
        Result of `settle_ppa`.

    Returns
    -------
    polars.DataFrame
        Per ``contract``: ``produced``, ``volume`` (Wh), ``payment``, ``seller_revenue`` (micro-THB), ``shape_cost``
        (micro-THB: the volume's value at the reference price less the production's), ``seller_price`` (THB/MWh:
        revenue per energy produced) and ``capture_rate`` (what the production is worth per MWh at the reference price,
        over the plain mean of that price; both null where undefined).
    """
    frame = _SETTLED.check(settled, error=MarketError)
    reference, produced = pl.col("reference"), pl.col("produced")
    worth = _total(reference * produced)
    mean = reference.mean()
    made = produced.sum()
    return (
        frame.group_by("contract")
        .agg(
            produced=made,
            volume=pl.col("volume").sum(),
            payment=_total(pl.col("payment")),
            seller_revenue=_total(pl.col("seller_revenue")),
            shape_cost=_total(reference * pl.col("volume")) - worth,
            seller_price=pl.when(made > 0).then(pl.col("seller_revenue").sum() / made),
            capture_rate=pl.when((made > 0) & (mean != 0)).then(worth / made / mean),
        )
        .sort("contract")
    )


def _total(money: pl.Expr) -> pl.Expr:
    """Return the sum, which fails rather than wraps where 64 bits do not hold it."""
    return money.cast(pl.Int128).sum().cast(pl.Int64)
