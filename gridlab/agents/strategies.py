"""Trading strategies: from what an account will lack or have left in a slot to a limit price.

Both strategies stay inside what the tariff and the buy-back offer. A buyer's value is the energy price at which his
landed bill equals the retail tariff; a seller's cost is the buy-back price, which he gets for certain.

`truthful`
    Asks for its value or cost, less a gain of its own below which trading is not worth the effort: uniform between
    zero and the lever `agents.least_gain`, drawn once per account.
`zero_intelligence`
    ZI-C of Gode and Sunder (1993): a buyer bids uniformly between the buy-back price and his value, a seller asks
    uniformly between his cost and the highest buyer's value, drawn anew for every order.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gridlab.frames import ORDERS, SIDE
from gridlab.seeds import stream

__all__ = ["STRATEGIES", "orders"]

STRATEGIES = ("truthful", "zero_intelligence")


def orders(
    needs: pl.DataFrame,
    *,
    strategy: str,
    cost: int,
    limits: tuple[int, int],
    least_gain: int,
    seed: int,
) -> pl.DataFrame:
    """Return one order for every account and slot that lacks energy or has some left.

    Parameters
    ----------
    needs : polars.DataFrame
        ``slot``, ``zone``, ``account``, ``net`` (Wh, load less generation), ``value`` (THB/MWh: the energy price at
        which the landed bill equals the retail tariff).
    strategy : str
        One of `STRATEGIES`.
    cost : int
        The lowest energy price that leaves a seller as much as the buy-back, THB/MWh.
    limits : tuple of int
        The market's price floor and cap, THB/MWh.
    least_gain : int
        Upper end of the gain that an account asks for before it trades, THB/MWh.
    seed : int

    Returns
    -------
    polars.DataFrame
        As `gridlab.frames.ORDERS`, by slot and account. A buyer whose value is below the buy-back price cannot gain
        from any seller and stays away.
    """
    wanted = needs.filter((pl.col("net") < 0) | ((pl.col("net") > 0) & (pl.col("value") >= cost)))
    bid, ask = _LIMITS[strategy](wanted, cost, least_gain, seed)
    floor, cap = limits
    buys = pl.col("net") > 0
    # At a cap below its cost a seller stays away, as does a buyer below the floor; a better limit moves to the edge.
    willing = (buys & (pl.col("bid") >= floor)) | (~buys & (pl.col("ask") <= cap))
    frame = (
        wanted.with_columns(bid=pl.Series(bid), ask=pl.Series(ask))
        .filter(willing)
        .select(
            pl.int_range(pl.len(), dtype=pl.UInt64).alias("order_id"),
            "slot",
            "zone",
            "account",
            pl.when(buys).then(pl.lit("buy")).otherwise(pl.lit("sell")).cast(SIDE).alias("side"),
            pl.when(buys).then("bid").otherwise("ask").clip(floor, cap).alias("price"),
            pl.col("net").abs().alias("energy"),
        )
    )
    # Orders arrive in no order that an account could rely on.
    arrival = stream(seed, "agents", "arrival").permutation(frame.height)
    frame = frame.with_columns(seq=pl.Series(arrival, dtype=pl.UInt64))
    return ORDERS.check(frame)


def _truthful(wanted: pl.DataFrame, cost: int, least_gain: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    accounts = int(wanted["account"].max() or 0) + 1  # type: ignore[arg-type]
    gain = stream(seed, "agents", "least_gain").integers(0, least_gain, accounts, endpoint=True)
    own = gain[wanted["account"].to_numpy()]
    bid = np.maximum(wanted["value"].to_numpy() - own, cost)
    return bid, cost + own


def _zero_intelligence(wanted: pl.DataFrame, cost: int, _: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = stream(seed, "agents", "zero_intelligence")
    value = wanted["value"].to_numpy()
    highest = max(int(value.max(initial=cost)), cost)
    bid = rng.integers(cost, np.maximum(value, cost), endpoint=True)
    ask = rng.integers(cost, highest, value.size, endpoint=True)
    return bid, ask


_LIMITS = {"truthful": _truthful, "zero_intelligence": _zero_intelligence}
