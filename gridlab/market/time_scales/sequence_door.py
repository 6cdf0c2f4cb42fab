"""The door of a market sequence: readings with their zones, the caller's forecasts, traders and auction, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError
from gridlab.frames import ACCOUNTS, ORDERS, READINGS, Schema, show_rows
from gridlab.market.core.result import Clearing
from gridlab.market.time_scales.sequence_forecasts import STAGES

__all__ = ["Auction", "Traders", "auctioned", "checked_forecasts", "orders_of", "with_zones"]

# What an account still lacks or has left (slot, zone, account, net in Wh) -> its orders (`gridlab.frames.ORDERS`).
Traders = Callable[[pl.DataFrame], pl.DataFrame]
# Orders -> their clearing; a lab gives its market's own rule, with all its levers.
Auction = Callable[[pl.DataFrame], Clearing]

_ZONES = Schema("accounts", tuple(column for column in ACCOUNTS.columns if column.name in ("account", "zone")))


def auctioned(auction: Auction | None, orders: pl.DataFrame) -> Clearing | None:
    """Return what the caller's own auction makes of the orders; None where there is none."""
    if auction is None:
        return None
    if not callable(auction):
        raise ArgumentTypeError(f"auction: expected a function of an order frame, got {auction!r}")
    cleared: Any = auction(orders)
    if not isinstance(cleared, Clearing):
        raise ArgumentTypeError(
            f"auction: it returned a {type(cleared).__name__}, allowed: a Clearing, as gl.clear does"
        )
    return cleared


def with_zones(readings: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Return ``slot``, ``zone`` (text), ``account``, ``net`` (Wh)."""
    twice = {"an account has two rows; give it one zone": pl.col("account").is_duplicated()}
    where = _ZONES.check(accounts, rules=twice, error=MarketError)
    joined = readings.join(
        where.select("account", pl.col("zone").cast(pl.String)), on="account", how="left", maintain_order="left"
    )
    if joined["zone"].null_count():
        stranger = joined.filter(pl.col("zone").is_null())["account"][0]
        raise MarketError(f"readings: account {stranger} is not in the accounts frame; give it a row with its zone")
    return joined.select("slot", "zone", "account", net=pl.col("load") - pl.col("generation"))


def checked_forecasts(given: Mapping[str, pl.DataFrame], metered: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the caller's own forecasts, which must be of exactly the slots and accounts that are metered."""
    if not isinstance(given, Mapping) or set(given) != set(STAGES):
        raise ArgumentError(f"forecasts: expected a mapping of {STAGES} to frames, got {given!r}")
    keys = ["slot", "account"]
    twice = {"an account is forecast twice in one slot": pl.struct(keys).is_duplicated()}
    stages = {stage: READINGS.check(given[stage], rules=twice, error=MarketError) for stage in STAGES}
    for stage, frame in stages.items():
        if frame.height != metered.height or frame.join(metered, on=keys, how="anti").height:
            raise MarketError(
                f"forecasts[{stage!r}]: {frame.height} rows for {metered.height} readings; "
                "allowed: exactly the slots and accounts that are metered"
            )
    return stages


def orders_of(traders: Traders, needs: pl.DataFrame) -> pl.DataFrame:
    """Return the orders that traders make of their needs; an order for anybody or anything else is refused."""
    if not callable(traders):
        raise ArgumentTypeError(
            f"traders: expected a function of a frame of needs, got {traders!r}; limit_orders(bid=…, ask=…) makes one"
        )
    made: Any = traders(needs)
    frame = ORDERS.check(made, error=MarketError).with_columns(pl.col("zone").cast(pl.String))
    strangers = frame.join(needs, on=["slot", "zone", "account"], how="anti")
    if strangers.height:
        raise MarketError(
            "traders: an order is of an account, slot or zone that was not asked; order only for rows of the needs\n"
            f"{show_rows(strangers, pl.lit(True))}"
        )
    return frame
