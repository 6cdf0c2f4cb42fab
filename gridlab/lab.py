"""The lab: market, agents and chain composed, driven one delivery slot after another."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import polars as pl

from gridlab import calendar
from gridlab.agents import Agents
from gridlab.agents.population import ZONES
from gridlab.chain.bridge.terms import BridgeTerms
from gridlab.chain.consensus import Consensus
from gridlab.chain.emergency.levers import Emergency
from gridlab.chain.public.terms import PublicTerms
from gridlab.chain.store.connection import store_path
from gridlab.day import MarketDay, market_day
from gridlab.doors import through
from gridlab.errors import ArgumentError, ArgumentTypeError, TariffError
from gridlab.governance.governance import Governance
from gridlab.holders import holders
from gridlab.institutions import SEATS
from gridlab.kpis import key_figures
from gridlab.lab_run import run_lab
from gridlab.levers import Levers, number, switch
from gridlab.market.charges.tariff_table import ft_rate
from gridlab.market.green.carbon import Carbon
from gridlab.market.market import Market
from gridlab.market.time_scales.sequence import MarketSequence
from gridlab.observed_day import Observed, observe
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.oracle import Oracle
from gridlab.run import Run
from gridlab.seeds import check_seed

__all__ = ["DEFAULT_START", "Lab"]

# A working Wednesday in the last Ft period that is sourced (May to August 2026).
DEFAULT_START = "2026-05-06"

# Ten of the hundred validators that the public chain has, and no empty blocks between two delivery slots, so that a day
# takes seconds.
_SANDBOX_PUBLIC = {"validators": 10, "idle_slots": 150}

# Who the people are and how the chains run cannot be changed in the middle of a day.
_VOTABLE = ("market", "carbon", "governance")


class Lab(Levers):
    """A Thai energy market in a box.

    Parameters
    ----------
    market : Market, optional
    agents : Agents, optional
    carbon : Carbon, optional
    sequence : MarketSequence, optional
    consensus : Consensus, optional
    public : PublicTerms, optional
    bridge : BridgeTerms, optional
    feeds : Feeds, optional
    oracle : Oracle, optional
    governance : Governance, optional
    emergency : Emergency, optional
        A part that is not given gets the Thai default.
    start : str, date or datetime
        The first slot begins at its midnight, Bangkok time.
    seed : int, optional
        Seeds the agents and every signing key: 0, or the seed of the `agents` given.
    title, title_th : str

    Examples
    --------
    >>> import gridlab as gl
    >>> lab = gl.Lab(market=gl.Market(rule="pay_as_bid"), agents=gl.Agents(20))
    >>> lab.get("market.rule")
    'pay_as_bid'
    """

    parts = (
        *("market", "agents", "carbon", "sequence", "consensus"),
        *("public", "bridge", "feeds", "oracle", "governance", "emergency"),
    )

    trade_on_forecasts = switch(
        default=False,
        label="Trade on forecasts: day-ahead, intraday, balancing, imbalance",
        label_th="ซื้อขายด้วยค่าพยากรณ์: ล่วงหน้าหนึ่งวัน ระหว่างวัน รักษาสมดุล และชำระความไม่สมดุล",
        source="teaching choice (S); off: agents know their meters when they bid",
        governed_by="teacher (scenario)",
    )

    read_oracle = switch(
        default=False,
        label="Agents and settlement read the oracle network",
        label_th="ผู้ซื้อขายและการชำระราคาอ่านข้อมูลจากเครือข่ายออราเคิล",
        source="teaching choice (S); off: the weather of the dataset, and nobody needs a report",
        governed_by="teacher (scenario)",
    )
    low_turnout = number(
        20.0,
        0.0,
        100.0,
        1.0,
        unit="%",
        label="Turnout below which an alert is raised",
        label_th="สัดส่วนผู้มาใช้สิทธิที่ต่ำกว่านี้จะแจ้งเตือน",
        source="teaching choice (S)",
        governed_by="teacher (scenario)",
    )

    def __init__(
        self,
        *,
        market: Market | None = None,
        agents: Agents | None = None,
        carbon: Carbon | None = None,
        sequence: MarketSequence | None = None,
        consensus: Consensus | None = None,
        public: PublicTerms | None = None,
        bridge: BridgeTerms | None = None,
        feeds: Feeds | None = None,
        oracle: Oracle | None = None,
        governance: Governance | None = None,
        emergency: Emergency | None = None,
        start: str | date | datetime = DEFAULT_START,
        seed: int | None = None,
        title: str = "A Thai day",
        title_th: str = "หนึ่งวันในตลาดไฟฟ้าไทย",
    ) -> None:
        self.market = _part("market", market, Market) or Market()
        self.agents = _part("agents", agents, Agents) or Agents(seed=0 if seed is None else seed)
        self.seed = self.agents.seed if seed is None else check_seed(seed)
        if self.seed != self.agents.seed:
            raise ArgumentError(
                f"seed: {seed} is not the agents' own, {self.agents.seed}; a lab has one seed: leave it out, or make "
                f"the agents with it, gl.Agents(..., seed={seed})"
            )
        self.carbon = _part("carbon", carbon, Carbon) or Carbon()
        self.sequence = _part("sequence", sequence, MarketSequence) or MarketSequence()
        self.consensus = _part("consensus", consensus, Consensus) or Consensus()
        self.public = _part("public", public, PublicTerms) or PublicTerms(**_SANDBOX_PUBLIC)
        self.bridge = _part("bridge", bridge, BridgeTerms) or BridgeTerms()
        self.feeds = _part("feeds", feeds, Feeds) or Feeds(self.seed)
        self.oracle = _part("oracle", oracle, Oracle) or Oracle()
        self.governance = _part("governance", governance, Governance) or Governance()
        self.emergency = _part("emergency", emergency, Emergency) or Emergency()
        agenda = self.governance.agenda
        agenda.table, agenda.seats, agenda.zones = self.votable, tuple(SEATS), tuple(ZONES)
        agenda.holders = self.holder_names
        self.start = calendar.slots(start, slots=1)[0].replace(hour=0, minute=0)
        self.title = title
        self.title_th = title_th
        self._store: tuple[Path, int] | None = None
        super().__init__()

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Refuse to read the oracle where nobody forecasts: agents who know their meters need no report."""
        if values["read_oracle"] and not values["trade_on_forecasts"]:
            return "read_oracle is on and trade_on_forecasts off; set both, since reports serve forecasts and imbalance"
        return None

    @classmethod
    def thailand(
        cls,
        *,
        prosumers: int = 200,
        seed: int = 0,
        start: str | date | datetime = DEFAULT_START,
        title: str = "A Thai day",
        title_th: str = "หนึ่งวันในตลาดไฟฟ้าไทย",
    ) -> Self:
        """Return the Thai default: five EGAT regions as zones, retail tariffs, Ft, buy-back and draft wheeling.

        The lever ``market.retail.ft`` starts at the household Ft of the first day's billing month; where none is
        published for it, at the lever's default, the last that is.

        Parameters
        ----------
        prosumers : int
            How many accounts, shared among the regions by their energy.
        seed : int
        start : str, date or datetime
            The first slot begins at its midnight, Bangkok time.
        title, title_th : str
        """
        agents = Agents(prosumers, seed=seed)
        lab = cls(agents=agents, start=start, seed=seed, title=title, title_th=title_th)
        try:
            ft = ft_rate(calendar.billing_month(lab.start))
        except TariffError:
            return lab
        return lab.set({"market.retail.ft": ft})

    def with_seed(self, seed: int) -> Self:
        """Return a lab with the same levers and another seed; this one is not changed."""
        fresh = type(self)(
            market=type(self.market)(),
            agents=type(self.agents)(self.agents.prosumers, seed=seed),
            carbon=type(self.carbon)(),
            sequence=type(self.sequence)(),
            consensus=type(self.consensus)(),
            public=type(self.public)(),
            bridge=type(self.bridge)(),
            feeds=self.feeds.with_seed(seed),
            oracle=deepcopy(self.oracle),
            governance=type(self.governance)(),
            emergency=type(self.emergency)(),
            start=self.start,
            seed=seed,
            title=self.title,
            title_th=self.title_th,
        )
        fresh.governance.agenda.read_json(self.governance.agenda.to_json())
        return fresh.set(self.lever_values())

    def holder_names(self) -> list[str]:
        """Return who holds GRID in a run (`gridlab.holders.holders`)."""
        return holders(self.agents.accounts())["name"].to_list()

    def votable(self) -> pl.DataFrame:
        """Return the rows of `levers` that votes may move while a run goes on: market, carbon and governance itself."""
        return self.levers().filter(pl.col("path").str.split(".").list.first().is_in(_VOTABLE))

    def slots(self, *, hours: float | None = None, slots: int | None = None) -> pl.Series:
        """Return the delivery slots of a run from the lab's start: a day where neither argument is given."""
        if hours is None and slots is None:
            hours = 24
        return calendar.slots(self.start, hours=hours, slots=slots)

    def day(self, *, hours: float | None = None, slots: int | None = None, sign: bool = False) -> MarketDay:
        """Compute the market of a run without sealing anything: what a moving slider looks at.

        With `sign` the oracle's reports, where the lab reads them, are signed for a chain.
        """
        sequence = self.sequence if self.trade_on_forecasts else None
        observed = self._observed(self.slots(hours=hours, slots=slots), sign=sign)
        return market_day(
            self.market,
            self.agents,
            self.slots(hours=hours, slots=slots),
            sequence,
            carbon_tax=self.carbon.tax_on_energy(),
            observed=observed,
        )

    def _observed(self, slots: pl.Series, *, sign: bool) -> Observed | None:
        if not self.read_oracle:
            return None
        return observe(self.agents, self.sequence, self.feeds, self.oracle, slots, sign=sign)

    def preview(self, *, hours: float | None = None, slots: int | None = None) -> pl.DataFrame:
        """Return the key figures of a run (``kpi``, ``value``, ``unit``) without its chains, so that no vote counts."""
        day = self.day(hours=hours, slots=slots)
        return key_figures(
            day.frames(),
            carbon_factor=self.carbon.grid_factor,
            clearing_seconds=day.clearing_seconds,
            best_welfare=day.best_welfare,
        )

    def stored_in(self, path: str | Path, *, slots: int) -> Self:
        """Let `run` keep its blocks in the store at `path` and run so many slots, where it is not told otherwise."""
        self._store = store_path(path), slots
        return self

    def run(
        self,
        *,
        hours: float | None = None,
        slots: int | None = None,
        progress: bool = True,
        store: str | Path | None = None,
    ) -> Run:
        """Run the lab and return what happened, every order and payment signed and sealed in blocks.

        Parameters
        ----------
        hours : float, optional
            Length of the run; 24 where neither argument is given. Whole quarter hours.
        slots : int, optional
            Length of the run in 15-minute slots, in place of `hours`.
        progress : bool
            Show a progress bar.
        store : str or Path, optional
            File that keeps every block as soon as it is final. Where a run of this lab was cut short, it is finished:
            the blocks that are there must come again to the last byte, those that are missing are written.
            `gl.open` makes the lab again from the file alone.

        Returns
        -------
        Run

        Raises
        ------
        CalendarError
            A length that is not a whole number of slots, or a date that the calendar does not cover.
        StoreError
            The store is of another lab or length, damaged, in use, or the disk refuses a block.
        """
        if self._store is not None:
            store = self._store[0] if store is None else store
            slots = self._store[1] if hours is None and slots is None else slots
        return run_lab(self, self.slots(hours=hours, slots=slots), progress=progress, store=store)

    def controls(self) -> Any:
        """Return live controls (ipywidgets) for this lab's levers."""
        return through("controls", self)

    def __repr__(self) -> str:
        return f"Lab({self.title!r}, {self.agents.prosumers} prosumers, seed={self.seed}, start={self.start:%Y-%m-%d})"

    def _repr_html_(self) -> str:
        html: str = through("lab_html", self)
        return html


def _part(name: str, part: Any, kind: type) -> Any:
    if part is not None and not isinstance(part, kind):
        raise ArgumentTypeError(
            f"{name}: expected a part of type {kind.__name__}, got {type(part).__name__}; "
            f"gl.{kind.__name__}() makes the Thai default"
        )
    return part
