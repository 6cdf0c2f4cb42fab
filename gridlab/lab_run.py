"""One run of a lab: its day computed, recorded on both chains, and told as frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from gridlab.alerts import alerts, oracle_alerts, vote_alerts
from gridlab.chain.store.connection import store_path
from gridlab.day import MarketDay, market_day
from gridlab.errors import ArgumentError
from gridlab.holders import holders
from gridlab.institutions import institutions_frame, institutions_of
from gridlab.lab_store import facts_of, keep_in
from gridlab.market.charges.settlement import Institutions
from gridlab.market.market import Market
from gridlab.public_side import PublicSide
from gridlab.recording import Keep, Recorder
from gridlab.run import Run, RunFacts
from gridlab.voted_recording import VotedRecorder

if TYPE_CHECKING:
    from gridlab.lab import Lab

__all__ = ["run_lab"]


def run_lab(lab: Lab, slots: pl.Series, *, progress: bool, store: str | Path | None) -> Run:
    """Run a lab over `slots`; see `gridlab.lab.Lab.run`."""
    day = _day(lab, slots)
    keep: Keep | None = None
    if store is not None:
        keep = partial(keep_in, path=store_path(store), facts=facts_of(lab, slots.len()))
    institutions = institutions_of(day.accounts)
    settlement = day.transfers(institutions)
    recorder = _recorder(lab, day, settlement, institutions)
    chain, side = recorder.record(progress=progress, keep=keep)
    if isinstance(recorder, VotedRecorder):
        day = recorder.whole
        settlement = day.transfers(institutions)
    settlement = pl.concat([settlement, recorder.oracle_fees])
    frames = {
        **day.frames(),
        "settlement": settlement,
        "institutions": institutions_frame(day.accounts),
        "alerts": _alerts(lab, day, side, recorder.moved),
        "certificates": chain.certificates,
        "certificates_carried": recorder.issue.carried,
        "consensus": chain.rounds,
        "fees": chain.fees,
        "levers": lab.votable(),
        "referenda": side.governance.referenda,
        "moved": recorder.moved,
        "stops": chain.emergency.frame,
        "refused": side.refused,
        "public_blocks": side.blocks,
        "anchors": side.anchors,
    }
    if day.observed is not None:
        network = day.observed.network
        frames |= {"oracle_reports": network.reports, "truth": day.observed.truth}
    return Run(_facts(lab, day), frames, chain, side.public)


def _day(lab: Lab, slots: pl.Series) -> MarketDay:
    if not lab.governance.agenda:
        return lab.day(slots=slots.len(), sign=True)
    if lab.trade_on_forecasts:
        raise ArgumentError(
            "a day with trade on forecasts is one chain of markets, in which no vote moves a lever; "
            "lab.set({'trade_on_forecasts': False, 'read_oracle': False}), or lab.governance.agenda.clear()"
        )
    _require_no_breaker(lab)
    return _rest_of_day(lab, slots, None)


def _require_no_breaker(lab: Lab) -> None:
    if lab.market.protection.breaker_move:
        raise ArgumentError(
            "market.protection.breaker_move: the circuit breaker compares the slots of one session, and on a day with "
            "an agenda each slot is its own; lab.set({'market.protection.breaker_move': 0}), or "
            "lab.governance.agenda.clear()"
        )


def _rest_of_day(
    lab: Lab, slots: pl.Series, readings: pl.DataFrame | None, stopped: Collection[str] = ()
) -> MarketDay:
    """Compute the market of `slots`, each of whose gates closes alone, with these meter readings if given."""
    tax = lab.carbon.tax_on_energy()
    return market_day(
        lab.market, lab.agents, slots, carbon_tax=tax, readings=readings, one_session=False, stopped=stopped
    )


def _recorder(lab: Lab, day: MarketDay, settlement: pl.DataFrame, institutions: Institutions) -> Recorder:
    agenda = lab.governance.agenda
    facts: dict[str, Any] = {
        "day": day,
        "market": lab.market,
        "consensus": lab.consensus,
        "public": lab.public,
        "bridge": lab.bridge,
        "oracle": lab.oracle,
        "emergency": lab.emergency,
        "pallets": [lab.governance.pallet(lab.votable())],
        "agenda": agenda,
        "settlement": settlement,
        "institutions": institutions,
        "seed": lab.seed,
        "margin": lab.market.deposit_margin,
    }
    if not agenda:
        return Recorder(**facts)
    moving = lab.with_seed(lab.seed)

    def again(levers: Mapping[str, Any], slots: pl.Series, stopped: Collection[str]) -> tuple[Market, MarketDay]:
        moved = moving.with_seed(lab.seed).set(levers)
        _require_no_breaker(moved)
        moving.set(levers)
        readings = day.readings.filter(pl.col("slot") >= slots[0])
        return moving.market, _rest_of_day(moving, slots, readings, stopped)

    return VotedRecorder(**facts, again=again)


def _alerts(lab: Lab, day: MarketDay, side: PublicSide, moved: pl.DataFrame) -> pl.DataFrame:
    found = [alerts(day, lab.market)]
    found.append(
        vote_alerts(
            side.governance.referenda,
            moved,
            side.refused,
            electorate=int(holders(day.accounts)["balance"].sum()),
            turnout=lab.low_turnout,
            start=lab.start,
        )
    )
    if day.observed is not None:
        found.append(oracle_alerts(day.observed.network.alerts))
    return pl.concat(found).sort("slot", "zone", "alert", "detail", nulls_last=True)


def _facts(lab: Lab, day: MarketDay) -> RunFacts:
    return RunFacts(
        title=lab.title,
        title_th=lab.title_th,
        seed=lab.seed,
        prosumers=lab.agents.prosumers,
        start=lab.start.isoformat(),
        slots=day.slots.len(),
        levers=lab.lever_values(),
        carbon_factor=lab.carbon.grid_factor,
        clearing_seconds=day.clearing_seconds,
        best_welfare=day.best_welfare,
    )
