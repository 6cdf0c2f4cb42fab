"""Orders, gate closures and trades."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.effects.effect import SLOT_MICROSECONDS, Call, forbid, require_accounts
from gridlab.chain.effects.money import forbid_issuing
from gridlab.chain.exchange import Exchange, Outcome
from gridlab.chain.ledger import ASSETS, CODES, PHASES
from gridlab.chain.resting import Reservations
from gridlab.chain.senders import CLEARING_SENDER, RESERVATION_SENDER
from gridlab.chain.state import State
from gridlab.chain.trades import NO_ACCOUNT, NO_ORDER, TRADES
from gridlab.errors import ChainError
from gridlab.frames import SLOT, Column, Schema, show_rows

__all__ = ["CLOSURES", "close_gates", "record_trades", "reserve", "take_orders", "void"]

# The ids of voids, above those of the reservations that they release.
_VOIDS = 1 << 63

CLOSURES = Schema(
    "gate_closure",
    (Column("slot", SLOT, "datetime", "start of a delivery slot that takes no more orders and is cleared now"),),
)


def take_orders(state: State, call: Call) -> None:
    """Check a batch of orders; where the chain has an exchange, reserve what it may cost and let it rest."""
    _check_orders(call.frame, call.account)
    if call.exchange is None:
        return
    costs = call.exchange.reserve(call.frame).to_numpy()
    resting, batch = state.resting.add(call.account, call.frame, costs, call.payload)
    reserve(state, batch.reservations(), call.timestamp)
    state.resting = resting


def _check_orders(frame: pl.DataFrame, account: int) -> None:
    # numpy, because hundreds of small batches come per day and a polars query costs more than such a batch.
    checks = {
        f"orders: a row names another account than the sender's own, {account}": (
            frame["account"].to_numpy() != account
        ),
        "orders: an energy is not more than 0 Wh": frame["energy"].to_numpy() <= 0,
        "orders: a slot does not start on a quarter of an hour": (
            frame["slot"].to_physical().to_numpy() % SLOT_MICROSECONDS != 0
        ),
    }
    for sentence, broken in checks.items():
        if broken.any():
            raise ChainError(f"{sentence}\n{show_rows(frame, pl.lit(pl.Series(broken)))}")
    ids = frame["order_id"].to_numpy()
    if not (ids[1:] > ids[:-1]).all() and len(np.unique(ids)) != frame.height:
        raise ChainError(
            f"orders: an order_id stands there twice\n{show_rows(frame, pl.col('order_id').is_duplicated())}"
        )


def reserve(state: State, reserved: Reservations, now: int) -> None:
    """Set aside what a batch of orders may cost, or raise LedgerError where its account does not have it."""
    if len(reserved.ids):
        frame = _reservation_frame(state, [reserved]).with_columns(phase=pl.lit("pending", dtype=PHASES))
        state.ledger.apply(frame, sender=RESERVATION_SENDER, now=now)


def void(state: State, reserved: list[Reservations], now: int) -> None:
    """Give back what was set aside."""
    frees = [each for each in reserved if len(each.ids)]
    if frees:
        state.ledger.apply(_voids(_reservation_frame(state, frees)), sender=RESERVATION_SENDER, now=now)


def _reservation_frame(state: State, reserved: list[Reservations]) -> pl.DataFrame:
    accounts = np.concatenate([np.full(len(each.ids), each.account, np.uint32) for each in reserved])
    return pl.DataFrame(
        {
            "transfer_id": np.concatenate([each.ids for each in reserved]),
            "debit_account": accounts,
            "credit_account": np.full(len(accounts), state.operator_account, np.uint32),
            "amount": np.concatenate([each.amounts for each in reserved]),
        }
    ).select(
        "transfer_id",
        "debit_account",
        "credit_account",
        pl.lit("WATT", dtype=ASSETS).alias("asset"),
        "amount",
        pl.lit("reservation", dtype=CODES).alias("code"),
    )


def close_gates(state: State, call: Call) -> pl.DataFrame:
    """Clear the orders that rest for these slots, and settle what trades."""
    exchange = _require_exchange(call)
    slots = call.frame["slot"].to_physical().to_numpy()
    _check_slots(call.frame, slots)
    number = len(state.resting.closed)
    resting, orders, released = state.resting.close(slots)
    barred = state.emergency.barred(orders)
    if barred.any():
        # Under an emergency stop they do not meet; what was reserved for them goes back with the rest.
        orders = orders.filter(pl.Series(~barred))
    try:
        outcome = _cleared(exchange, orders)
    except Exception as problem:  # whatever a market's code may raise, it must not stop the chain
        raise ChainError(f"gate_closure: the exchange failed, {type(problem).__name__}: {problem}") from problem
    forbid_issuing(state, outcome.transfers)
    # On a copy, because reservations must be gone before the payments come, and both must stand or fall together.
    before, state.ledger = state.ledger, state.ledger.fork()
    first = number << 32
    paid = outcome.transfers.with_columns(transfer_id=pl.int_range(first, first + pl.len(), dtype=pl.UInt64))
    try:
        void(state, released, call.timestamp)
        state.ledger.apply(paid, sender=CLEARING_SENDER, now=call.timestamp)
    except BaseException:
        state.ledger = before
        raise
    state.resting = resting
    return outcome.trades


def _cleared(exchange: Exchange, orders: pl.DataFrame) -> Outcome:
    """Clear orders of many accounts, of which each numbers its own: two may use the same order id."""
    ids = orders["order_id"].to_numpy()
    if len(np.unique(ids)) == len(ids):
        return exchange.close(orders)
    arrived = orders if "seq" in orders.columns else orders.with_columns(seq=pl.col("order_id"))
    outcome = exchange.close(arrived.with_columns(order_id=pl.int_range(pl.len(), dtype=pl.UInt64)))
    own = {name: _named(outcome.trades[name].to_numpy(), ids) for name in ("buy_order", "sell_order")}
    return Outcome(outcome.trades.with_columns(**own), outcome.transfers)


def _named(places: npt.NDArray[np.uint64], ids: npt.NDArray[np.uint64]) -> pl.Series:
    found = places.copy()
    found[places != NO_ORDER] = ids[places[places != NO_ORDER].astype(np.int64)]
    return pl.Series(found)


def _voids(pending: pl.DataFrame) -> pl.DataFrame:
    return pending.with_columns(
        transfer_id=pl.col("transfer_id") + _VOIDS,
        phase=pl.lit("void", dtype=PHASES),
        pending_id=pl.col("transfer_id"),
    )


def _require_exchange(call: Call) -> Exchange:
    if call.exchange is None:
        raise ChainError("gate_closure: this chain has no exchange, so nobody can clear its orders")
    return call.exchange


def _check_slots(frame: pl.DataFrame, slots: npt.NDArray[np.int64]) -> None:
    if frame.is_empty():
        raise ChainError("gate_closure: no slot is named, allowed: one or more")
    forbid(frame, pl.col("slot").is_duplicated(), "gate_closure: a slot stands there twice")
    astray = pl.lit(pl.Series(slots % SLOT_MICROSECONDS != 0))
    forbid(frame, astray, "gate_closure: a slot does not start on a quarter of an hour")


def record_trades(state: State, call: Call) -> pl.DataFrame:
    """Record trades that were made elsewhere: in a continuous session, or by telephone."""
    frame = call.frame
    forbid(frame, pl.col("energy") <= 0, "trades: an energy is not more than 0 Wh")
    forbid(frame, pl.col("buyer") == pl.col("seller"), "trades: an account trades with itself")
    for side in ("buyer", "seller"):
        require_accounts(state, frame.filter(pl.col(side) != NO_ACCOUNT), "trades", side)
    return frame.select(column.name for column in TRADES.columns)
