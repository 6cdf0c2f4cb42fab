"""What a market sequence returns: the stages' clearings, everybody's positions, prices and payments."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.frames import ORDERS
from gridlab.market.charges.settlement import KINDS
from gridlab.market.core.result import Clearing
from gridlab.market.time_scales.imbalance import imbalance_transfers, operator_account
from gridlab.market.time_scales.sequence_balancing import Balancing

__all__ = ["SETTLEMENT_KINDS", "STAGE_COLUMNS", "SequenceResult", "positions_frame"]

# The kinds of a day's settlement, and the two that a sequence adds.
SETTLEMENT_KINDS = tuple(dict.fromkeys((*KINDS, "imbalance", "balancing")))
STAGE_COLUMNS = ("day_ahead", "intraday", "utility", "balancing")
_KEYS = ["slot", "zone", "account"]
_TRADES = ("slot", "zone", "buyer", "seller", "buy_order", "sell_order", "energy", "price", "amount")


def positions_frame(
    metered: pl.DataFrame, forecast: pl.DataFrame, first: pl.DataFrame, second: pl.DataFrame, *, nominate: bool
) -> pl.DataFrame:
    """Return everybody's positions before balancing.

    Parameters
    ----------
    metered, forecast : polars.DataFrame
        ``slot``, ``zone``, ``account``, ``net`` (Wh): what was metered, and the last forecast.
    first, second : polars.DataFrame
        ``slot``, ``account``, and ``day_ahead`` or ``intraday`` (net Wh bought).
    nominate : bool
        Whether what the forecast says and nobody traded is nominated with the utility.

    Returns
    -------
    polars.DataFrame
        ``slot``, ``zone``, ``account``, ``day_ahead``, ``intraday``, ``utility``, ``metered``, ``imbalance`` (Wh).
    """
    keys = ["slot", "account"]
    traded = pl.col("day_ahead") + pl.col("intraday")
    utility = pl.col("forecast") - traded if nominate else pl.lit(0, dtype=pl.Int64)
    return (
        metered.join(forecast.select(*keys, forecast="net"), on=keys, how="left", maintain_order="left")
        .join(first, on=keys, how="left", maintain_order="left")
        .join(second, on=keys, how="left", maintain_order="left")
        .with_columns(pl.col("day_ahead", "intraday").fill_null(0))
        .with_columns(utility=utility)
        .select(
            *_KEYS, "day_ahead", "intraday", "utility",
            metered="net", imbalance=pl.col("net") - traded - pl.col("utility"),
        )
    )  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class SequenceResult:
    """The outcome of a market sequence.

    Attributes
    ----------
    day_ahead : Clearing
    intraday, balancing
        A `Clearing` and a `Balancing`, or None where the stage is off.
    accounts : polars.Series
        Those whose meters were read; others only balance.
    positions : polars.DataFrame
        Per ``slot``, ``zone`` and ``account``, net energy taken (Wh, below 0 where given): ``day_ahead``, ``intraday``
        (bought in the markets), ``utility`` (nominated), ``balancing`` (activated), ``metered`` (activated energy
        delivered) and ``imbalance``, which is metered less the other four.
    prices : polars.DataFrame
        Imbalance prices (`gridlab.market.time_scales.imbalance.imbalance_prices`).
    imbalance : polars.DataFrame
        Who pays what for imbalance (`gridlab.market.time_scales.imbalance.settle_imbalance`).
    errors : polars.DataFrame
        What the forecasts missed by (`gridlab.market.time_scales.sequence_forecasts.forecast_errors`).
    """

    day_ahead: Clearing
    intraday: Clearing | None
    balancing: Balancing | None
    accounts: pl.Series
    positions: pl.DataFrame
    prices: pl.DataFrame
    imbalance: pl.DataFrame
    errors: pl.DataFrame

    @staticmethod
    def with_balancing(booked: pl.DataFrame, activations: pl.DataFrame | None) -> pl.DataFrame:
        """Add activated energy to positions; those who only balance get rows of their own."""
        columns = [*_KEYS, *STAGE_COLUMNS, "metered", "imbalance"]
        if activations is None:
            return booked.with_columns(balancing=pl.lit(0, dtype=pl.Int64)).select(columns)
        signed = pl.when(pl.col("side") == "buy").then("activated").otherwise(-pl.col("activated"))
        given = activations.group_by(_KEYS).agg(balancing=signed.sum())
        both = booked.join(given, on=_KEYS, how="full", coalesce=True).with_columns(pl.col(pl.Int64).fill_null(0))
        return both.with_columns(metered=pl.col("metered") + pl.col("balancing")).select(columns).sort(_KEYS)

    @cached_property
    def trades(self) -> pl.DataFrame:
        """Trades of both markets, with ``stage``: what `LandedTerms.bill` takes.

        ``amount_buy`` is what the buyer pays, and ``amount`` what the seller gets, where a rule keeps them apart.
        """
        parts = [_trades(self.day_ahead, "day_ahead")]
        if self.intraday is not None:
            parts.append(_trades(self.intraday, "intraday"))
        return pl.concat(parts)

    @cached_property
    def orders(self) -> pl.DataFrame:
        """Orders of both markets, as `gridlab.frames.ORDERS` with ``stage``; ids are unique over the stages."""
        parts = [_orders(self.day_ahead, "day_ahead")]
        if self.intraday is not None:
            parts.append(_orders(self.intraday, "intraday"))
        return pl.concat(parts)

    @cached_property
    def operator(self) -> pl.DataFrame:
        """What the system operator gets, pays and keeps (`gridlab.market.time_scales.imbalance.operator_account`)."""
        return operator_account(self.imbalance, None if self.balancing is None else self.balancing.activations)

    def rest(self) -> pl.DataFrame:
        """Return what accounts and utility agreed on, in the columns of `residuals`, ordered by slot and account.

        ``imported`` and ``exported`` are what the meter would read without balancing; `statements` bills what was
        nominated, ``from_utility`` and ``to_utility``. What the meter read beside it is imbalance, not billed twice.
        """
        bought = self.trades.group_by("slot", account="buyer").agg(bought=pl.col("energy").sum())
        sold = self.trades.group_by("slot", account="seller").agg(sold=pl.col("energy").sum())
        keys = ["slot", "account"]
        metered = pl.col("metered") - pl.col("balancing")
        return (
            self.positions.filter(pl.col("account").is_in(self.accounts.implode()))
            .group_by(keys, maintain_order=True)
            .agg(metered=metered.sum(), utility=pl.col("utility").sum())
            .join(bought, on=keys, how="left", maintain_order="left")
            .join(sold, on=keys, how="left", maintain_order="left")
            .sort(keys)
            .select(
                *keys,
                imported=pl.col("metered").clip(lower_bound=0),
                exported=(-pl.col("metered")).clip(lower_bound=0),
                bought=pl.col("bought").fill_null(0),
                sold=pl.col("sold").fill_null(0),
                from_utility=pl.col("utility").clip(lower_bound=0),
                to_utility=(-pl.col("utility")).clip(lower_bound=0),
            )
        )

    def transfers(self, system_operator: int) -> pl.DataFrame:
        """Return the payments for imbalance and balancing.

        Parameters
        ----------
        system_operator : int
            Account on the other side of all of them.

        Returns
        -------
        polars.DataFrame
            ``slot``, ``debit``, ``credit`` (UInt32), ``kind`` (Enum of `SETTLEMENT_KINDS`), ``amount`` (micro-THB,
            above 0), ordered by slot and kind. What the system operator would pay itself is left out.
        """
        require_int("system_operator", system_operator, 0, 2**32 - 1)
        kinds = pl.Enum(SETTLEMENT_KINDS)
        parts = [imbalance_transfers(self.imbalance, system_operator).with_columns(kind=pl.lit("imbalance"))]
        if self.balancing is not None:
            parts.append(_activation_transfers(self.balancing.activations, system_operator))
        rows = pl.concat([part.select("slot", "debit", "credit", "kind", "amount") for part in parts])
        paid = rows.filter(pl.col("debit") != pl.col("credit")).with_columns(pl.col("kind").cast(kinds))
        return paid.sort("slot", "kind", maintain_order=True)

    def summary(self) -> pl.DataFrame:
        """Return the key figures: figure, value, unit."""
        energy = {
            "traded day-ahead": self.day_ahead.prices["energy"].sum(),
            "traded intraday": 0 if self.intraday is None else self.intraday.prices["energy"].sum(),
            "activated for balancing": 0 if self.balancing is None else self.balancing.activations["activated"].sum(),
            "imbalance, absolute": self.positions["imbalance"].abs().sum(),
            "net system imbalance, absolute": self.prices["system"].abs().sum(),
        }
        money = {
            "net income from imbalance": self.operator["imbalance_income"].sum(),
            "net cost of balancing": self.operator["balancing_cost"].sum(),
            "kept by the system operator": self.operator["kept"].sum(),
        }
        return pl.DataFrame(
            {
                "figure": [*energy, *money],
                "value": [float(value) / 1e3 for value in energy.values()]
                + [float(value) / 1e6 for value in money.values()],
                "unit": ["kWh"] * len(energy) + ["THB"] * len(money),
            }
        )

    def __repr__(self) -> str:
        stages = ["day-ahead", *(["intraday"] if self.intraday else []), *(["balancing"] if self.balancing else [])]
        return f"SequenceResult({', '.join(stages)}; {self.positions.height:,} positions)"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(figure)}</td><td style='text-align:right'>{value:,.2f}</td><td>{unit}</td></tr>"
            for figure, value, unit in self.summary().rows()
        )
        return f"<table><caption>Market sequence · ลำดับตลาดไฟฟ้า</caption><tbody>{rows}</tbody></table>"


def _trades(clearing: Clearing, stage: str) -> pl.DataFrame:
    trades = clearing.trades
    paid = "amount_buy" if "amount_buy" in trades.columns else "amount"
    return trades.select(*_TRADES, amount_buy=paid, stage=pl.lit(stage)).with_columns(pl.col("zone").cast(pl.String))


def _orders(clearing: Clearing, stage: str) -> pl.DataFrame:
    names = [column.name for column in ORDERS.columns if column.required and column.name != "price"]
    orders = clearing.fills.select(*names, price="limit", stage=pl.lit(stage))
    return orders.with_columns(pl.col("zone").cast(pl.String))


def _activation_transfers(activations: pl.DataFrame, system_operator: int) -> pl.DataFrame:
    operator = pl.lit(system_operator, dtype=pl.UInt32)
    # A sell at a price below 0 is paid for by the seller, like a buy above it.
    pays = (pl.col("side") == "buy") == (pl.col("amount") > 0)
    return activations.filter(pl.col("amount") != 0).select(
        "slot",
        debit=pl.when(pays).then("account").otherwise(operator),
        credit=pl.when(pays).then(operator).otherwise("account"),
        kind=pl.lit("balancing"),
        amount=pl.col("amount").abs(),
    )
