"""A stretch of market slots, computed whole: readings, orders, clearing, landed bills and statements.

No stage here feeds back on the next slot, so every slot clears in one query. The chain is not involved: a lab signs and
seals what stands here, and a slider looks at it without.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from time import perf_counter

import polars as pl

from gridlab.agents import Agents
from gridlab.calendar import billing_month, is_on_peak
from gridlab.institutions import account_of, institutions_of
from gridlab.market.charges.retail import marginal_rates
from gridlab.market.charges.settlement import (
    SETTLEMENT,
    Institutions,
    Rates,
    residuals,
    statement_transfers,
    statements,
    trade_transfers,
)
from gridlab.market.clearing import Clearing, clear
from gridlab.market.local_first.tiered import TieredClearing
from gridlab.market.market import Market
from gridlab.market.time_scales.sequence import MarketSequence
from gridlab.market.time_scales.sequence_result import SequenceResult
from gridlab.observed_day import Observed

__all__ = ["MarketDay", "market_day", "retail_rates"]


@dataclass(frozen=True)
class MarketDay:
    """What the market does over a run of slots.

    Attributes
    ----------
    slots : polars.Series
    accounts, readings : polars.DataFrame
    wished, orders : polars.DataFrame
        What the agents wished to place, and what the position limit let through.
    halts : polars.DataFrame
        ``slot``, ``zone`` of the books that the circuit breaker halted; their orders did not meet.
    clearing : Clearing
    trades : polars.DataFrame
        Trades with the parts of their landed bills.
    rest : polars.DataFrame
        Per slot and account: meter, market and the rest at the utility (`gridlab.market.charges.settlement.residuals`).
    rates : Rates
    clearing_seconds : float
        Wall-clock time of the clearing call.
    stages : SequenceResult or None
        Where the agents trade on forecasts: every stage from day-ahead to imbalance; `clearing` is the day-ahead one.
    observed : Observed or None
        Where agents and settlement read the oracle: the world, and what the network reported of it.
    """

    slots: pl.Series
    accounts: pl.DataFrame
    readings: pl.DataFrame
    wished: pl.DataFrame
    orders: pl.DataFrame
    halts: pl.DataFrame
    clearing: Clearing
    trades: pl.DataFrame
    rest: pl.DataFrame
    rates: Rates
    clearing_seconds: float
    stages: SequenceResult | None = None
    observed: Observed | None = None

    @cached_property
    def statements(self) -> pl.DataFrame:
        """Daily statements with the utility for what was not traded."""
        return statements(self.rest, self.rates, is_on_peak(pl.col("slot")))

    @cached_property
    def without_market(self) -> pl.DataFrame:
        """Daily statements as they would be if nobody traded."""
        untraded = self.rest.select("slot", "account", from_utility="imported", to_utility="exported")
        return statements(untraded, self.rates, is_on_peak(pl.col("slot")))

    @property
    def best_welfare(self) -> int:
        """The highest welfare that these orders allow under the market's rule of the game (micro-THB).

        Of the volume that clears at one price per book; with charges inside the crossing test, of a transport linear
        program; with zones coupled, of the coupling itself.
        """
        return int(self.best_welfare_by_slot["best_welfare"].sum())

    @cached_property
    def best_welfare_by_slot(self) -> pl.DataFrame:
        """``slot``, ``best_welfare`` (micro-THB), one row per book."""
        clearing = self.clearing
        if isinstance(clearing, TieredClearing):
            return clearing.optimum().select("slot", "best_welfare")
        if "best_welfare" in clearing.prices.columns:
            return clearing.prices.select("slot", "best_welfare")
        if clearing.rule == "continuous":
            clearing = clear(self.orders)
        return clearing.prices.select("slot", best_welfare="welfare")

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return the frames from which key figures are computed, by the names that a run gives them."""
        meters = self.rest.drop("slot", "account")
        told = {} if self.observed is None else {"oracle_scores": self.observed.network.scores}
        return {
            **told,
            "accounts": self.accounts,
            "readings": pl.concat([self.readings, meters], how="horizontal"),
            "orders": self.orders,
            "fills": self.clearing.fills,
            "prices": self.clearing.prices,
            "trades": self.trades,
            "statements": self.statements,
            "without_market": self.without_market,
            "imbalance": self.imbalance,
        }

    @cached_property
    def imbalance(self) -> pl.DataFrame:
        """Payments for imbalance and balancing, as `charges.settlement.SETTLEMENT`; none without forecasts."""
        if self.stages is None:
            return SETTLEMENT.empty()
        paid = self.stages.transfers(institutions_of(self.accounts).grid)
        return SETTLEMENT.check(paid).select(column.name for column in SETTLEMENT.columns)

    def transfers(self, institutions: Institutions, *, trades: bool = True) -> pl.DataFrame:
        """Return every payment of these slots, as `gridlab.market.charges.settlement.SETTLEMENT`, ordered by slot.

        Without `trades` only those that are not for a trade: statements, imbalance and balancing.
        """
        paid = [trade_transfers(self.trades, self.accounts, institutions)] if trades else []
        billed = statement_transfers(self.statements, self.accounts, institutions)
        return pl.concat([*paid, billed, self.imbalance]).sort("slot", maintain_order=True)


def retail_rates(market: Market, accounts: pl.DataFrame, month: str, carbon_tax: int = 0) -> Rates:
    """Return the retail terms of `accounts` in a billing `month` ("2026-05") under the market's levers.

    `carbon_tax` is on energy from the grid (0.1 THB/MWh).
    """
    ft = market.retail.ft_rate()
    rates = marginal_rates(accounts.select("tariff", "voltage", "monthly_kwh"), month=month)
    energy = accounts.select("account", on_peak=rates["on_peak"] + ft, off_peak=rates["off_peak"] + ft)
    return Rates(energy, market.retail.buy_back_price(), market.retail.vat_share(), carbon_tax)


def market_day(
    market: Market,
    agents: Agents,
    slots: pl.Series,
    sequence: MarketSequence | None = None,
    *,
    carbon_tax: int = 0,
    readings: pl.DataFrame | None = None,
    observed: Observed | None = None,
    one_session: bool = True,
    stopped: Collection[str] = (),
) -> MarketDay:
    """Clear and bill `slots` (`gridlab.calendar.slots`) for the agents' orders under the market's levers.

    With a `sequence` the agents bid on forecasts, and what they missed is settled as imbalance; without one they know
    their meters when they bid. `carbon_tax` is on energy from the grid (0.1 THB/MWh), so that a buyer in the market
    avoids it. `readings` are the agents' own unless given; with `observed` (and a sequence) they, the forecasts and the
    prices that imbalance refers to are what the world and the oracle network gave. Without `one_session` the gate of
    each slot closes alone, so that the circuit breaker, which compares the slots of a session, has nothing to compare.
    In zones that are `stopped` nobody places an order.
    """
    accounts = agents.accounts()
    if observed is not None:
        readings = observed.readings
    elif readings is None:
        readings = agents.readings(slots)
    rates = retail_rates(market, accounts, billing_month(slots[0]), carbon_tax)
    terms = market.landed_terms()
    wishes = partial(_wishes, market, agents, accounts, rates)
    if sequence is not None:
        return _day_on_forecasts(
            market, sequence, wishes, readings, slots=slots, accounts=accounts, rates=rates, seed=agents.seed,
            observed=observed,
        )  # fmt: skip
    net = pl.col("load") - pl.col("generation")
    zones = readings.join(accounts.select("account", "zone"), on="account", maintain_order="left")
    wished = wishes(zones.select("slot", "zone", "account", net=net))
    if stopped:
        wished = wished.filter(~pl.col("zone").cast(pl.String).is_in(sorted(stopped)))
    orders = market.protection.limit(wished)
    started = perf_counter()
    if one_session:
        clearing, halts = market.session(orders, accounts)
    else:
        clearing = market.clear(orders, accounts)
        halts = clearing.prices.select("slot", "zone").clear()
    trades = clearing.trades
    seconds = perf_counter() - started
    billed = terms.bill(trades, accounts)
    rest = residuals(readings, billed)
    return MarketDay(slots, accounts, readings, wished, orders, halts, clearing, billed, rest, rates, seconds)


def _wishes(market: Market, agents: Agents, accounts: pl.DataFrame, rates: Rates, needs: pl.DataFrame) -> pl.DataFrame:
    """Return the orders that the agents wish to place for `needs` (``slot``, ``zone``, ``account``, ``net`` in Wh)."""
    landed = pl.when(is_on_peak(pl.col("slot"))).then(pl.col("on_peak")).otherwise(pl.col("off_peak"))
    priced = (
        needs.lazy()
        .join(rates.energy.lazy(), on="account", how="left", maintain_order="left")
        .join(accounts.lazy().select("account", "voltage"), on="account", how="left", maintain_order="left")
        .select(
            "slot",
            pl.col("zone").cast(accounts["zone"].dtype),
            "account",
            "net",
            value=market.value_of(landed + rates.carbon_tax, pl.col("voltage")),
        )
        .collect()
    )
    limits = market.limits()
    cost = market.landed_terms().lowest_ask(rates.buy_back)
    # Where charges eat any price, no ask is high enough: a cost above the cap keeps everybody away.
    return agents.orders(priced, cost=limits[1] + 1 if cost is None else cost, limits=limits)


def _day_on_forecasts(
    market: Market,
    sequence: MarketSequence,
    wishes: Callable[[pl.DataFrame], pl.DataFrame],
    readings: pl.DataFrame,
    *,
    slots: pl.Series,
    accounts: pl.DataFrame,
    rates: Rates,
    seed: int,
    observed: Observed | None,
) -> MarketDay:
    floor, cap = market.limits()
    started = perf_counter()
    stages = sequence.run(
        readings,
        accounts,
        lambda needs: market.protection.limit(wishes(needs)),
        auction=lambda orders: market.clear(orders, accounts),
        forecasts=None if observed is None else observed.forecasts,
        references=None if observed is None else observed.references,
        reserve=account_of("Reserve plant", accounts.height),
        floor=floor,
        cap=cap,
        seed=seed,
    )
    seconds = perf_counter() - started
    billed = market.landed_terms().bill(stages.trades, accounts)
    halts = stages.day_ahead.prices.select("slot", "zone").clear()
    return MarketDay(
        slots, accounts, readings, stages.orders, stages.orders, halts, stages.day_ahead, billed, stages.rest(), rates,
        seconds, stages, observed,
    )  # fmt: skip
