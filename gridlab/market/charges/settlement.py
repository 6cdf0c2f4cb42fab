"""Settlement: from trades and meter readings to double-entry transfers, exact to the micro-baht.

Each trade pays its landed bill in its own slot. What an account used or fed in beyond its trades is bought from its
utility at the retail tariff, or sold to it at the buy-back price, by one statement a day. A retail rate has four
decimals, so a statement is summed in tenths of a micro-THB and rounded once, halves upward; VAT is rounded once on top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from gridlab.frames import SLOT, Column, Schema
from gridlab.market.charges.landed import share_of

__all__ = [
    "KINDS",
    "SETTLEMENT",
    "Institutions",
    "Rates",
    "residuals",
    "statement_transfers",
    "statements",
    "trade_transfers",
]

KINDS = (
    *("energy", "wheeling", "losses", "fee", "vat"),
    *("retail", "retail_vat", "buy_back", "carbon_tax"),
    *("imbalance", "balancing"),
    "oracle_fee",
)

SETTLEMENT = Schema(
    "settlement",
    (
        Column("slot", SLOT, "datetime", "slot of the trade; last slot of the day for a daily statement"),
        Column("debit", pl.UInt32, "integer", "account that pays"),
        Column("credit", pl.UInt32, "integer", "account that receives"),
        Column("kind", pl.Enum(KINDS), "category", "what is paid for"),
        Column("amount", pl.Int64, "integer", "micro-THB, more than 0"),
    ),
)


_SLICE = 250_000  # trades paid at a time


@dataclass(frozen=True, slots=True)
class Institutions:
    """The accounts on the other side of the charges.

    Attributes
    ----------
    market_operator : int
        Receives the trading fee, and stands between buyers and sellers who do not meet at one price.
    grid : int
        Buys what leaves a zone and sells what comes in; keeps the congestion rent.
    revenue_department : int
        Receives the VAT.
    utilities : Mapping[str, int]
        Utility name (MEA, PEA) -> account; receives wheeling, losses and retail bills, pays the buy-back.
    """

    market_operator: int
    grid: int
    revenue_department: int
    utilities: Mapping[str, int]

    def utility_of(self, accounts: pl.DataFrame) -> pl.Series:
        """Return for each row of `accounts` the account of its utility (UInt32)."""
        return accounts["utility"].replace_strict(
            list(self.utilities), list(self.utilities.values()), return_dtype=pl.UInt32
        )


@dataclass(frozen=True, slots=True)
class Rates:
    """Retail terms of every account, as integers.

    Attributes
    ----------
    energy : polars.DataFrame
        ``account``, ``on_peak``, ``off_peak``: energy rate plus Ft, in 0.1 THB/MWh, before VAT.
    buy_back : int
        THB/MWh.
    vat : int
        Parts per million.
    carbon_tax : int
        On energy from the grid, in 0.1 THB/MWh, before VAT.
    """

    energy: pl.DataFrame
    buy_back: int
    vat: int
    carbon_tax: int = 0


def _signed(frame: pl.LazyFrame, debit: pl.Expr, credit: pl.Expr, amount: pl.Expr, kind: str) -> pl.LazyFrame:
    """Return transfers of `amount`; a negative amount is paid in the other direction, zero is not paid at all."""
    turned = amount < 0
    return frame.filter(amount != 0).select(
        "slot",
        debit=pl.when(turned).then(credit).otherwise(debit),
        credit=pl.when(turned).then(debit).otherwise(credit),
        kind=pl.lit(kind, dtype=pl.Enum(KINDS)),
        amount=amount.abs(),
    )


def trade_transfers(billed: pl.DataFrame, accounts: pl.DataFrame, institutions: Institutions) -> pl.DataFrame:
    """Return the transfers that pay the landed bills of `billed` trades.

    Parameters
    ----------
    billed : polars.DataFrame
        Result of `gridlab.market.charges.landed.LandedTerms.bill`.
    accounts : polars.DataFrame
    institutions : Institutions

    Returns
    -------
    polars.DataFrame
        As `SETTLEMENT`, ordered by slot, kind and trade.
    """
    ordered = billed if billed["slot"].is_sorted() else billed.sort("slot", maintain_order=True)
    parts = [_pay(part, accounts, institutions) for part in _whole_slots(ordered)]
    return pl.concat(parts, rechunk=False)


def _whole_slots(trades: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield `trades`, sorted by slot, in slices of whole slots: a national day is paid without a second copy of it."""
    if trades.is_empty():
        yield trades
        return
    slot = trades["slot"].to_physical().to_numpy()
    ends = np.append(np.flatnonzero(slot[1:] != slot[:-1]) + 1, len(slot))
    start = 0
    while start < len(slot):
        end = int(ends[np.searchsorted(ends, min(start + _SLICE, len(slot)))])
        yield trades.slice(start, end - start)
        start = end


def _pay(billed: pl.DataFrame, accounts: pl.DataFrame, institutions: Institutions) -> pl.DataFrame:
    utility = institutions.utility_of(accounts).gather(billed["buyer"].fill_null(0)).alias("utility")
    grid = pl.lit(institutions.grid, dtype=pl.UInt32)
    frame = billed.with_columns(utility, pl.col("buyer", "seller").fill_null(grid)).lazy()
    buyer = pl.col("buyer")
    operator = pl.lit(institutions.market_operator, dtype=pl.UInt32)
    state = pl.lit(institutions.revenue_department, dtype=pl.UInt32)
    house = pl.when((buyer == grid) | (pl.col("seller") == grid)).then(grid).otherwise(operator)
    direct = (pl.col("amount") == pl.col("amount_buy")) & (house == operator)
    apart = frame.filter(~direct)
    # Whoever stands between the two collects before it pays out.
    parts = [
        _signed(frame.filter(direct), buyer, pl.col("seller"), pl.col("amount"), "energy"),
        _signed(apart.filter(buyer != grid), buyer, house, pl.col("amount_buy"), "energy"),
        _signed(apart.filter(pl.col("seller") != grid), house, pl.col("seller"), pl.col("amount"), "energy"),
        _signed(frame, buyer, pl.col("utility"), pl.col("wheeling") - pl.col("seller_wheeling"), "wheeling"),
        _signed(frame, pl.col("seller"), pl.col("utility"), pl.col("seller_wheeling"), "wheeling"),
        _signed(frame, buyer, pl.col("utility"), pl.col("losses") - pl.col("seller_losses"), "losses"),
        _signed(frame, pl.col("seller"), pl.col("utility"), pl.col("seller_losses"), "losses"),
        _signed(frame, buyer, operator, pl.col("fee"), "fee"),
        _signed(frame, buyer, state, pl.col("vat") - pl.col("seller_vat"), "vat"),
        _signed(frame, pl.col("seller"), state, pl.col("seller_vat"), "vat"),
    ]
    return pl.concat(parts).sort("slot", "kind", maintain_order=True).collect()


def residuals(readings: pl.DataFrame, trades: pl.DataFrame) -> pl.DataFrame:
    """Return what each account took from and fed into the grid beside its trades.

    Parameters
    ----------
    readings : polars.DataFrame
        As `gridlab.frames.READINGS`.
    trades : polars.DataFrame
        ``slot``, ``buyer``, ``seller``, ``energy``.

    Returns
    -------
    polars.DataFrame
        ``slot``, ``account``, ``imported``, ``exported`` (meter, Wh), ``bought``, ``sold`` (in the market, Wh),
        ``from_utility``, ``to_utility`` (the rest, Wh).
    """
    bought = _traded(trades, "buyer", "bought")
    sold = _traded(trades, "seller", "sold")
    net = pl.col("load") - pl.col("generation")
    return (
        readings.lazy()
        .join(bought, on=["slot", "account"], how="left", maintain_order="left")
        .join(sold, on=["slot", "account"], how="left", maintain_order="left")
        .select(
            "slot",
            "account",
            imported=net.clip(lower_bound=0),
            exported=(-net).clip(lower_bound=0),
            bought=pl.col("bought").fill_null(0),
            sold=pl.col("sold").fill_null(0),
        )
        .with_columns(
            from_utility=pl.col("imported") - pl.col("bought"), to_utility=pl.col("exported") - pl.col("sold")
        )
        .collect()
    )


def _traded(trades: pl.DataFrame, party: str, name: str) -> pl.LazyFrame:
    grouped = trades.lazy().filter(pl.col(party).is_not_null()).group_by("slot", pl.col(party).alias("account"))
    return grouped.agg(pl.col("energy").sum().alias(name))


def statements(rest: pl.DataFrame, rates: Rates, on_peak: pl.Expr) -> pl.DataFrame:
    """Return each account's daily statement with its utility.

    Parameters
    ----------
    rest : polars.DataFrame
        ``slot``, ``account``, ``from_utility``, ``to_utility`` (Wh).
    rates : Rates
    on_peak : polars.Expr
        Boolean over ``slot``: whether the slot is TOU on-peak.

    Returns
    -------
    polars.DataFrame
        ``slot`` (last slot of the day), ``account``, ``retail``, ``retail_vat``, ``buy_back``, ``carbon_tax``
        (micro-THB); VAT is on the tax, too.
    """
    rate = pl.when(on_peak).then("on_peak").otherwise("off_peak")
    return (
        rest.lazy()
        .join(rates.energy.lazy(), on="account", how="left", maintain_order="left")
        .group_by("account", pl.col("slot").dt.date().alias("day"))
        .agg(
            slot=pl.col("slot").max(),
            retail=((pl.col("from_utility") * rate).sum() + 5) // 10,
            buy_back=(pl.col("to_utility") * rates.buy_back).sum(),
            carbon_tax=((pl.col("from_utility") * rates.carbon_tax).sum() + 5) // 10,
        )
        .with_columns(retail_vat=share_of(pl.col("retail") + pl.col("carbon_tax"), rates.vat))
        .sort("slot", "account")
        .select("slot", "account", "retail", "retail_vat", "buy_back", "carbon_tax")
        .collect()
    )


def statement_transfers(daily: pl.DataFrame, accounts: pl.DataFrame, institutions: Institutions) -> pl.DataFrame:
    """Return the transfers that pay the daily statements, as `SETTLEMENT`, ordered by slot, kind and account."""
    utility = institutions.utility_of(accounts).gather(daily["account"]).alias("utility")
    frame = daily.with_columns(utility).lazy()
    account = pl.col("account")
    state = pl.lit(institutions.revenue_department, dtype=pl.UInt32)
    parts = [
        _signed(frame, account, pl.col("utility"), pl.col("retail"), "retail"),
        _signed(frame, account, state, pl.col("retail_vat"), "retail_vat"),
        _signed(frame, pl.col("utility"), account, pl.col("buy_back"), "buy_back"),
        _signed(frame, account, state, pl.col("carbon_tax"), "carbon_tax"),
    ]
    return pl.concat(parts).sort("slot", "kind", maintain_order=True).collect()
