"""The market sequence: day-ahead, intraday, balancing and imbalance settlement, as one part with levers.

::

    day-ahead   all books clear at once on the forecast of the day before
    intraday    orders for what the newer forecast changed, and for what did not trade, meet until the gate closes
    rest        what is still open is nominated with the utility, or left to imbalance
    balancing   the system operator activates orders in merit order until the zone's net imbalance is covered
    imbalance   metered less contracted energy is settled at a single or at two prices

Every later stage corrects the one before, and none is called back. Alone in a notebook::

    sequence = MarketSequence(gate_closure=30, imbalance_method="dual")
    result = sequence.run(readings, accounts, limit_orders(bid=3_200, ask=2_400), reserve=99)
    result.positions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from gridlab import units
from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError
from gridlab.frames import READINGS, SIDE
from gridlab.levers import Levers, choice, number, switch
from gridlab.market.clearing import clear
from gridlab.market.core.result import Clearing
from gridlab.market.time_scales.imbalance import METHODS, SOURCES, imbalance_prices, settle_imbalance
from gridlab.market.time_scales.sequence_balancing import PRICINGS, Balancing, activate
from gridlab.market.time_scales.sequence_door import (
    Auction,
    Traders,
    auctioned,
    checked_forecasts,
    orders_of,
    with_zones,
)
from gridlab.market.time_scales.sequence_forecasts import STAGES, forecast_errors, forecasts
from gridlab.market.time_scales.sequence_orders import arrivals, day_ahead_prices, net_of_fills, reserve_offers
from gridlab.market.time_scales.sequence_result import SequenceResult, positions_frame
from gridlab.seeds import check_seed

__all__ = ["MarketSequence", "Traders", "limit_orders"]

_OPERATOR = "market operator, under the ERC sandbox"
_SYSTEM = "system operator, under the ERC"
_TEACHING = "teaching choice (S)"


def limit_orders(*, bid: int, ask: int) -> Traders:
    """Return traders who all bid and ask the same (THB/MWh): the simplest there are."""
    for name, value in (("bid", bid), ("ask", ask)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ArgumentTypeError(f"{name}: expected a whole number of THB/MWh, got {value!r}")

    def make(needs: pl.DataFrame) -> pl.DataFrame:
        buys = pl.col("net") > 0
        return (
            needs.filter(pl.col("net") != 0)
            .with_row_index("order_id")
            .select(
                "order_id", "slot", "zone", "account",
                side=pl.when(buys).then(pl.lit("buy")).otherwise(pl.lit("sell")).cast(SIDE),
                price=pl.when(buys).then(pl.lit(bid)).otherwise(pl.lit(ask)).cast(pl.Int64),
                energy=pl.col("net").abs(),
            )
        )  # fmt: skip

    return make


class MarketSequence(Levers):
    """Day-ahead market, intraday market, balancing and imbalance settlement."""

    day_ahead_rule = choice(
        "uniform",
        ["uniform", "pay_as_bid"],
        label="Day-ahead clearing rule",
        label_th="กติกาตลาดล่วงหน้าหนึ่งวัน",
        source="Uniform price, as in the coupled European day-ahead markets",
        governed_by=_OPERATOR,
    )
    intraday = switch(
        default=True,
        label="Intraday market",
        label_th="ตลาดระหว่างวัน",
        source=_TEACHING,
        governed_by=_OPERATOR,
    )
    gate_closure = number(
        60,
        0,
        1440,
        15,
        unit="minutes",
        label="Intraday gate closure before delivery",
        label_th="เวลาปิดตลาดระหว่างวันก่อนส่งมอบ",
        source="teaching choice (S): 60 minutes is the limit of EU Regulation 2015/1222, article 59",
        governed_by=_OPERATOR,
    )
    forecast_error = number(
        15.0,
        0.0,
        100.0,
        0.1,
        unit="%",
        label="Day-ahead forecast error (standard deviation)",
        label_th="ความคลาดเคลื่อนของการพยากรณ์ล่วงหน้าหนึ่งวัน",
        source=_TEACHING,
        governed_by="teacher (scenario)",
    )
    rest = choice(
        "utility",
        ["utility", "imbalance"],
        label="What becomes of energy that nobody traded",
        label_th="ไฟฟ้าที่ไม่มีคู่ซื้อขาย",
        source="utility: nominated with MEA or PEA, as under the Enhanced Single Buyer (fact sheet 2, V)",
        governed_by="ERC",
    )
    balancing = switch(
        default=True,
        label="Balancing market",
        label_th="ตลาดรักษาสมดุล",
        source=_TEACHING,
        governed_by=_SYSTEM,
    )
    balancing_pricing = choice(
        "marginal",
        list(PRICINGS),
        label="What activated orders get",
        label_th="ราคาที่ผู้ให้บริการรักษาสมดุลได้รับ",
        source="marginal, as in EU Regulation 2017/2195, article 30",
        governed_by=_SYSTEM,
    )
    reserve_size = number(
        50.0,
        0.1,
        10_000.0,
        0.1,
        unit="kWh",
        label="Reserve per step, zone and slot",
        label_th="กำลังสำรองต่อขั้น",
        source=_TEACHING,
        governed_by=_SYSTEM,
    )
    reserve_step = number(
        10.0,
        0.0,
        100.0,
        0.1,
        unit="%",
        label="Reserve price step from the day-ahead price",
        label_th="ส่วนต่างราคากำลังสำรองต่อขั้น",
        source=_TEACHING,
        governed_by=_SYSTEM,
    )
    imbalance_method = choice(
        "single",
        list(METHODS),
        label="Imbalance pricing",
        label_th="วิธีคิดราคาความไม่สมดุล",
        source="single, as in EU Regulation 2017/2195, article 52; dual as the older alternative",
        governed_by="ERC",
    )
    imbalance_source = choice(
        "balancing",
        list(SOURCES),
        label="Where the imbalance price comes from",
        label_th="ที่มาของราคาความไม่สมดุล",
        source=_TEACHING,
        governed_by="ERC",
    )
    markup = number(
        10.0,
        0.0,
        300.0,
        0.1,
        unit="%",
        label="Mark-up on the day-ahead price for energy short",
        label_th="ส่วนเพิ่มจากราคาล่วงหน้าเมื่อขาดไฟ",
        source=_TEACHING,
        governed_by="ERC",
    )
    markdown = number(
        10.0,
        0.0,
        300.0,
        0.1,
        unit="%",
        label="Mark-down on the day-ahead price for energy long",
        label_th="ส่วนลดจากราคาล่วงหน้าเมื่อไฟเกิน",
        source=_TEACHING,
        governed_by="ERC",
    )
    least_price = number(
        0.001,
        0.001,
        10.0,
        0.001,
        unit="THB/kWh",
        label="Least price of energy short",
        label_th="ราคาต่ำสุดของไฟที่ขาด",
        source="teaching choice (S): imbalance is never for free",
        governed_by="ERC",
    )
    fallback_price = number(
        3.049,
        0.0,
        20.0,
        0.001,
        unit="THB/kWh",
        label="Reference price where nothing traded",
        label_th="ราคาอ้างอิงเมื่อไม่มีการซื้อขาย",
        source="generation part of tariff 6.1 at 22-33 kV, 3.0488 rounded (fact sheet 1.2, D)",
        governed_by="ERC",
    )

    def forecasts(self, readings: pl.DataFrame | pl.LazyFrame, *, seed: int = 0) -> dict[str, pl.DataFrame]:
        """Return the day-ahead and the intraday forecast of `readings` (see `sequence_forecasts.forecasts`)."""
        return forecasts(readings, error=self.forecast_error, gate_closure=self.gate_closure, seed=seed)

    def run(
        self,
        readings: pl.DataFrame | pl.LazyFrame,
        accounts: pl.DataFrame,
        traders: Traders,
        *,
        auction: Auction | None = None,
        forecasts: Mapping[str, pl.DataFrame] | None = None,
        references: pl.DataFrame | None = None,
        offers: pl.DataFrame | pl.LazyFrame | None = None,
        reserve: int | None = None,
        floor: int | None = None,
        cap: int | None = None,
        seed: int = 0,
    ) -> SequenceResult:
        """Run all stages for all slots of `readings` at once.

        Parameters
        ----------
        readings : polars.DataFrame or polars.LazyFrame
            As `gridlab.frames.READINGS`: what the meters would read if nothing were activated for balancing.
        accounts : polars.DataFrame
            ``account`` and ``zone``, one row each; other columns are not read.
        traders : callable
            Makes orders of needs (``slot``, ``zone``, ``account``, ``net`` in Wh); called once per stage. A lab gives
            `Agents.orders`; `limit_orders` makes the simplest.
        auction : callable, optional
            Clears the day-ahead orders in place of the lever ``day_ahead_rule``: ``lambda orders:
            market.clear(orders, accounts)`` makes every rule of a `Market` a day-ahead market.
        forecasts : mapping of str to polars.DataFrame, optional
            ``day_ahead`` and ``intraday``, as `READINGS`; made by `forecasts` where not given.
        references : polars.DataFrame, optional
            Prices to which balancing and imbalance refer (`gridlab.market.time_scales.imbalance.REFERENCES`), such as
            an oracle's; the day-ahead prices where not given.
        offers : polars.DataFrame or polars.LazyFrame, optional
            Balancing orders: sells are upward, buys downward energy.
        reserve : int, optional
            Account that offers the reserve of the levers ``reserve_size`` and ``reserve_step`` where no `offers` are
            given.
        floor, cap : int, optional
            Lowest and highest limit of the two markets (THB/MWh).
        seed : int
            Of the forecasts' errors and of the order of arrival intraday.

        Returns
        -------
        SequenceResult

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit, or balancing is on and there is nothing to activate.
        MarketError
            A frame does not fit its schema.
        """
        check_seed(seed)
        metered = with_zones(READINGS.check(readings, error=MarketError), accounts)
        stages = self.forecasts(readings, seed=seed) if forecasts is None else checked_forecasts(forecasts, metered)
        net = {stage: with_zones(stages[stage], accounts) for stage in STAGES}
        orders = orders_of(traders, net["day_ahead"])
        day_ahead = auctioned(auction, orders) or clear(orders, self.day_ahead_rule, floor=floor, cap=cap)
        first = net_of_fills(day_ahead.fills, "day_ahead")
        intraday = self._intraday(traders, net["intraday"], first, day_ahead, (floor, cap, seed))
        second = net_of_fills(None if intraday is None else intraday.fills, "intraday")
        last = net["intraday"] if self.intraday else net["day_ahead"]
        booked = positions_frame(metered, last, first, second, nominate=self.rest == "utility")
        prices = day_ahead_prices(day_ahead) if references is None else references
        balance = self._balance(booked, prices, offers, reserve)
        return self._settled(booked, (day_ahead, intraday), prices, balance, forecast_errors(stages, readings))

    def _intraday(
        self,
        traders: Traders,
        net: pl.DataFrame,
        first: pl.DataFrame,
        day_ahead: Clearing,
        terms: tuple[int | None, int | None, int],
    ) -> Clearing | None:
        if not self.intraday:
            return None
        floor, cap, seed = terms
        keys = ["slot", "account"]
        needs = net.join(first, on=keys, how="left", maintain_order="left").select(
            *net.columns[:-1], net=pl.col("net") - pl.col("day_ahead").fill_null(0)
        )
        highest: Any = day_ahead.fills["order_id"].max()
        orders = arrivals(
            orders_of(traders, needs), gate_closure=self.gate_closure, seed=seed,
            first_id=0 if highest is None else int(highest) + 1,
        )  # fmt: skip
        return clear(orders, "continuous", floor=floor, cap=cap)

    def _balance(
        self,
        booked: pl.DataFrame,
        references: pl.DataFrame,
        offers: pl.DataFrame | pl.LazyFrame | None,
        reserve: int | None,
    ) -> Balancing | None:
        if not self.balancing:
            return None
        needs = booked.group_by("slot", "zone").agg(need=pl.col("imbalance").sum())
        if offers is None:
            if reserve is None:
                raise ArgumentError(
                    "balancing is on and there is nothing to activate; give offers=<order frame>, reserve=<account>, "
                    "or set the lever balancing to False"
                )
            offers = reserve_offers(
                needs.select("slot", "zone"), references, account=reserve,
                size=units.energy(self.reserve_size), step=units.share(self.reserve_step),
                fallback=units.price(self.fallback_price),
            )  # fmt: skip
        return activate(offers, needs, pricing=self.balancing_pricing)

    def _settled(
        self,
        booked: pl.DataFrame,
        markets: tuple[Clearing, Clearing | None],
        references: pl.DataFrame,
        balance: Balancing | None,
        errors: pl.DataFrame,
    ) -> SequenceResult:
        activations = None if balance is None else balance.activations
        positions = SequenceResult.with_balancing(booked, activations)
        contracted = pl.sum_horizontal("day_ahead", "intraday", "utility", "balancing")
        frame = positions.select("slot", "zone", "account", contracted=contracted, metered="metered")
        prices = imbalance_prices(
            frame, references, activations, method=self.imbalance_method,
            source=self.imbalance_source, markup=units.share(self.markup), markdown=units.share(self.markdown),
            least=units.price(self.least_price), fallback=units.price(self.fallback_price),
        )  # fmt: skip
        settled = settle_imbalance(frame, prices)
        metered = booked["account"].unique().sort()
        return SequenceResult(*markets, balance, metered, positions, prices, settled, errors)

    def __repr__(self) -> str:
        return (
            f"MarketSequence(intraday={self.intraday}, gate_closure={self.gate_closure}, balancing={self.balancing}, "
            f"imbalance_method={self.imbalance_method!r})"
        )
