"""What the emergency council does, and what a stop and its end do to everything else on the chain.

A stop never loses money and never keeps the chain from going on:

* what is locked, in channels or pending in two phases gets back the time for which it could not move;
* resting orders stay, and so does what is reserved for them; where the delivery of a slot began while no gate could
  close, its orders are let go when the market goes on, and their funds are free;
* a stop ends by itself, at the first block at or after the moment that its council signed.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import polars as pl

from gridlab.chain.effects.effect import Call, Effect
from gridlab.chain.effects.trading import void
from gridlab.chain.emergency.book import EmergencyBook
from gridlab.chain.emergency.scopes import EMERGENCY_KINDS
from gridlab.chain.ledger.schema import ASSET_NAMES
from gridlab.chain.state import State
from gridlab.chain.swaps.stops import Stops
from gridlab.errors import ChainError

__all__ = [
    "StoppedError",
    "act_under_stops",
    "approve",
    "begin_block",
    "expire",
    "resume",
    "seat_council",
    "take_stops",
]


class StoppedError(ChainError):
    """A transaction would move an asset that stands; becomes a receipt."""


def seat_council(state: State, call: Call) -> None:
    """Name who may stop what, in place of whoever could before."""
    state.emergency = state.emergency.seated(call.frame, len(state.members), state.terms)


def approve(state: State, call: Call) -> None:
    """Approve of a stop, or of asking for a vote on going on; the last approval needed puts it in force at once."""
    row = _only_row(call)
    row["until"] = int(call.frame["until"].to_physical()[0])
    terms = state.terms
    book = state.emergency.approved(row, call.account, now=call.timestamp, height=call.height, terms=terms)
    _take_over(state, book, call.timestamp)


def resume(state: State, call: Call) -> None:
    """End a stop, because a referendum has decided so."""
    book = state.emergency.resumed(_only_row(call), call.account, now=call.timestamp)
    _take_over(state, book, call.timestamp)


def _only_row(call: Call) -> dict[str, Any]:
    if call.frame.height != 1:
        raise ChainError(f"emergency: {call.frame.height} rows, allowed: one, which is signed alone")
    return call.frame.row(0, named=True)


def begin_block(state: State, now: int) -> None:
    """End what is over when a block begins: stops and motions, then two-phase transfers whose time has run."""
    book = state.emergency.lapsed(now, state.terms)
    if book is not state.emergency:
        _take_over(state, book, now)
    expire(state, now)


def expire(state: State, now: int) -> None:
    """Release pending transfers whose time is over, save those that a stop holds up."""
    stops, chain = state.locked.stops, state.chain_id
    state.ledger.expire(now, frozen=[asset for asset in ASSET_NAMES if stops.standing(chain, asset)])


def take_stops(state: State, stops: Stops, now: int) -> None:
    """Take over another log of stops, and give back their time to the pending transfers that go on."""
    before, chain = state.locked.stops, state.chain_id
    for asset in ASSET_NAMES:
        if before.standing(chain, asset) and not stops.standing(chain, asset):
            state.ledger.postpone(asset, now - before.since(chain, asset, now))
    state.locked = replace(state.locked, stops=stops)


def _take_over(state: State, book: EmergencyBook, now: int) -> None:
    before, state.emergency = state.emergency, book
    stops = _noted(state.locked.stops, state.chain_id, before, book, now)
    if stops is not state.locked.stops:
        take_stops(state, stops, now)
    if before.shuts_market() and not book.shuts_market():
        _let_go(state, book.shut_since(now), now)


def _noted(stops: Stops, chain: str, before: EmergencyBook, after: EmergencyBook, now: int) -> Stops:
    """Return the log of what is frozen after the council's stops have changed."""
    had, has = (dict.fromkeys([*([""] if book.stands("chain") else []), *book.frozen]) for book in (before, after))
    open_here = {stop.asset for stop in stops.log if stop.chain == chain and stop.until is None}
    for asset in had:
        if asset not in has and asset in open_here:
            stops = stops.end(chain, now, asset)
    for asset in has:
        # A regulator may have told of a stop before there was a council; it then ends with the council's.
        if asset not in had and asset not in open_here:
            stops = stops.begin(chain, now, asset)
    return stops


def _let_go(state: State, since: int, now: int) -> None:
    """Let go the orders of slots whose delivery began while no gate could close, and write down how many."""
    resting = state.resting
    slots = np.unique(np.concatenate([np.empty(0, np.int64), *(batch.slots for batch in resting.batches)]))
    slots = slots[(slots >= since) & (slots < now) & ~np.isin(slots, resting.closed)]
    if not len(slots):
        return
    state.resting, orders, released = resting.close(slots)
    void(state, released, now)
    amount = sum(int(each.amounts.sum()) for each in released)
    state.emergency = state.emergency.let_go(now, orders.height, amount)


def act_under_stops(state: State, kind: str, effect: Effect, call: Call) -> pl.DataFrame | None:
    """Give the effect of a transaction and return what it returns, unless it would move an asset that stands.

    Every kind is tried on a copy and looked at afterwards. So a kind that nobody thought of here cannot move such an
    asset either.

    Raises
    ------
    StoppedError
        It would; nothing has changed.
    """
    if not state.emergency.frozen or kind in EMERGENCY_KINDS:
        return effect.act(state, call)
    trial = state.fork()
    trades = effect.act(trial, call)
    moved = trial.ledger.assets_since(state.ledger)
    for stop in state.emergency.standing:
        if stop.scope == "asset" and stop.target in moved:
            raise StoppedError(stop.why)
    for each in fields(state):
        setattr(state, each.name, getattr(trial, each.name))
    return trades
