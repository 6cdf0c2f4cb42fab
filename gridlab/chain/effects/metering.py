"""Meter readings, which nobody but a utility may sign."""

from __future__ import annotations

import polars as pl

from gridlab.chain.effects.effect import SLOT_MICROSECONDS, Call, forbid
from gridlab.chain.state import State

__all__ = ["read_meters"]


def read_meters(state: State, call: Call) -> None:
    """Take readings into the meter register and the contracts that hang on them."""
    frame = call.frame
    forbid(frame, pl.col("account") >= len(state.members), "readings: an account does not exist")
    forbid(
        frame,
        (pl.col("load") < 0) | (pl.col("generation") < 0),
        "readings: an energy is below 0 Wh; what is generated belongs in the column generation",
    )
    forbid(
        frame,
        pl.col("slot").to_physical() % SLOT_MICROSECONDS != 0,
        "readings: a slot does not start on a quarter of an hour",
    )
    forbid(
        frame,
        pl.struct("account", "slot").is_duplicated(),
        "readings: an account is read twice in one slot",
    )
    state.meters, state.contracts = state.meters.read(frame), state.contracts.read(frame)
