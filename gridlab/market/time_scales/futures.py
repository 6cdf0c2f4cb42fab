"""Forwards and futures on electricity, settled in money by difference, exactly.

Forward or contract for difference, with strike k, reference r (THB/MWh) and energy e (Wh) in a slot::

    payment, seller to buyer = (r - k) e          below 0: buyer to seller

Futures are marked to market each day. With s the day's settlement price, q the position (Wh, above 0 for long), and
trades of the day at prices p, ::

    variation = q_before (s - s_before) + sum of trades (s - p) dq

so that over a contract's life the variations of an account sum to what a forward at its own prices would pay. Whoever
holds a position keeps at least the maintenance margin in its account; who falls below tops up to the initial margin.

References
----------
J. C. Hull, "Options, Futures, and Other Derivatives", 10th edition, 2018, sections 2.4 (margins) and 1.3 (forwards).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.errors import ArgumentError, MarketError
from gridlab.frames import SLOT, Column, Schema, show_rows

__all__ = [
    "FORWARDS",
    "FUTURES_TRADES",
    "SETTLEMENT_PRICES",
    "FuturesAccounts",
    "difference_transfers",
    "mark_to_market",
    "settle_forwards",
]

Int64s = npt.NDArray[np.int64]

_PPM = 1_000_000
_MOST_ENERGY = 10**12
_MOST_PRICE = 10**5
_INT64_MAX = 2**63 - 1
_PAIR = ["contract", "account"]

_ID = Column("contract", pl.String, "text", "name of the contract")
_BUYER = Column("buyer", pl.UInt32, "integer", "account that is long")
_SELLER = Column("seller", pl.UInt32, "integer", "account that is short")

FORWARDS = Schema(
    "forwards",
    (
        _ID,
        _BUYER,
        _SELLER,
        Column("start", SLOT, "datetime", "first slot"),
        Column("end", SLOT, "datetime", "first moment after the last slot"),
        Column("energy", pl.Int64, "integer", "Wh in every slot, more than 0"),
        Column("price", pl.Int64, "integer", "strike (THB/MWh)"),
    ),
)
_INDEX = Schema(
    "reference prices",
    (
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        Column("price", pl.Int64, "integer", "reference price (THB/MWh)"),
    ),
)
_SETTLED = Schema(
    "settled forwards",
    (
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        _BUYER,
        _SELLER,
        Column("amount", pl.Int64, "integer", "micro-THB from seller to buyer"),
    ),
)
FUTURES_TRADES = Schema(
    "futures trades",
    (
        Column("day", SLOT, "datetime", "midnight of the day of the trade; a Date will do"),
        _ID,
        _BUYER,
        _SELLER,
        Column("energy", pl.Int64, "integer", "Wh over the whole delivery period, more than 0"),
        Column("price", pl.Int64, "integer", "THB/MWh"),
    ),
)
SETTLEMENT_PRICES = Schema(
    "settlement prices",
    (
        Column("day", SLOT, "datetime", "midnight of the trading day; a Date will do"),
        _ID,
        Column("price", pl.Int64, "integer", "THB/MWh; a contract's last row is its final settlement"),
    ),
)


def settle_forwards(forwards: pl.DataFrame | pl.LazyFrame, references: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Settle forwards by difference, all contracts and slots at once.

    Parameters
    ----------
    forwards : polars.DataFrame or polars.LazyFrame
        As `FORWARDS`.
    references : polars.DataFrame or polars.LazyFrame
        ``slot``, ``price`` (THB/MWh), each slot once; one for every slot of every contract.

    Returns
    -------
    polars.DataFrame
        ``slot``, ``contract``, ``buyer``, ``seller``, ``energy``, ``strike``, ``reference``, ``amount`` (micro-THB that
        the seller pays the buyer, below 0 the other way), sorted by slot and contract.

    Raises
    ------
    ArgumentTypeError
        A frame is not a polars frame.
    MarketError
        A frame does not fit its schema, or a slot of a contract has no reference price.
    """
    rules = {
        "a contract stands there twice": pl.col("contract").is_duplicated(),
        "a party buys from itself": pl.col("buyer") == pl.col("seller"),
        "a contract ends before it starts": pl.col("start") >= pl.col("end"),
        **_bounds(),
    }
    terms = FORWARDS.check(forwards, rules=rules, error=MarketError)
    index = _INDEX.check(
        references,
        rules={
            "a slot has two reference prices": pl.col("slot").is_duplicated(),
            f"a price is beyond ±{_MOST_PRICE} THB/MWh": pl.col("price").abs() > _MOST_PRICE,
        },
        error=MarketError,
    )
    rows = terms.join_where(
        index.select("slot", reference="price"), pl.col("slot") >= pl.col("start"), pl.col("slot") < pl.col("end")
    )
    _require_every_slot(terms, rows)
    difference = pl.col("reference") - pl.col("price")
    return rows.sort("slot", "contract").select(
        "slot", "contract", "buyer", "seller", "energy", "reference",
        strike="price", amount=difference * pl.col("energy"),
    )  # fmt: skip


def _bounds() -> dict[str, pl.Expr]:
    return {
        f"an energy is not 1 … {_MOST_ENERGY} Wh": ~pl.col("energy").is_between(1, _MOST_ENERGY),
        f"a price is beyond ±{_MOST_PRICE} THB/MWh": pl.col("price").abs() > _MOST_PRICE,
    }


def _require_every_slot(terms: pl.DataFrame, rows: pl.DataFrame) -> None:
    counted = rows.group_by("contract").agg(found=pl.len().cast(pl.Int64))
    wanted = (pl.col("end") - pl.col("start")).dt.total_minutes() // 15
    short = (
        terms.join(counted, on="contract", how="left")
        .with_columns(wanted=wanted, found=pl.col("found").fill_null(0))
        .filter(pl.col("found") != pl.col("wanted"))
    )
    if short.height:
        raise MarketError(
            "forwards: a contract does not have one reference price for each of its quarter hours\n"
            f"{show_rows(short.select('contract', 'start', 'end', 'wanted', 'found'), pl.lit(True))}"
        )


def difference_transfers(settled: pl.DataFrame) -> pl.DataFrame:
    """Return the payments of `settle_forwards`: ``slot``, ``debit``, ``credit``, ``amount`` (micro-THB, above 0)."""
    falls = pl.col("amount") < 0
    return (
        _SETTLED.check(settled, error=MarketError)
        .filter(pl.col("amount") != 0)
        .select(
            "slot",
            debit=pl.when(falls).then("buyer").otherwise("seller"),
            credit=pl.when(falls).then("seller").otherwise("buyer"),
            amount=pl.col("amount").abs(),
        )
    )


@dataclass(frozen=True, repr=False, eq=False)
class FuturesAccounts:
    """Positions and margin accounts, day by day.

    Attributes
    ----------
    positions : polars.DataFrame
        ``day``, ``contract``, ``account``, ``position`` (Wh at the end of the day; 0 after final settlement), ``price``
        (the day's settlement), ``variation`` (micro-THB). A day's variations sum to 0.
    margins : polars.DataFrame
        ``day``, ``account``, ``variation``, ``initial``, ``maintenance`` (required), ``call`` (paid in),
        ``payout`` (paid back when nothing is held any more), ``balance`` at the end of the day; micro-THB.
    """

    positions: pl.DataFrame
    margins: pl.DataFrame

    def __repr__(self) -> str:
        calls = self.margins.filter(pl.col("call") > 0).height
        return f"FuturesAccounts({self.margins['account'].n_unique()} accounts, {calls} margin calls)"

    def transfers(self, clearing_house: int) -> pl.DataFrame:
        """Return the cash that moves: ``day``, ``debit``, ``credit`` (UInt32), ``amount`` (micro-THB, above 0).

        Margin paid in and paid back; variations move inside the clearing house's books.
        """
        house = pl.lit(require_int("clearing_house", clearing_house, 0, 2**32 - 1), dtype=pl.UInt32)
        paid_in = self.margins.filter(pl.col("call") > 0)
        paid_back = self.margins.filter(pl.col("payout") > 0)
        parts = [
            paid_in.select("day", debit="account", credit=house, amount="call"),
            paid_back.select("day", debit=house, credit="account", amount="payout"),
        ]
        return pl.concat(parts).sort("day", maintain_order=True)


def mark_to_market(
    trades: pl.DataFrame | pl.LazyFrame,
    prices: pl.DataFrame | pl.LazyFrame,
    *,
    initial: int = 100_000,
    maintenance: int = 75_000,
) -> FuturesAccounts:
    """Mark futures positions to market, all contracts, accounts and days at once.

    Parameters
    ----------
    trades : polars.DataFrame or polars.LazyFrame
        As `FUTURES_TRADES`.
    prices : polars.DataFrame or polars.LazyFrame
        As `SETTLEMENT_PRICES`, each contract and day once; every trade falls on a day that has one.
    initial, maintenance : int
        Margins in parts per million of a position's value, ``0 <= maintenance <= initial``.

    Returns
    -------
    FuturesAccounts

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of a wrong type or out of range.
    MarketError
        A frame does not fit its schema, or a trade falls on a day without a settlement price.
    """
    require_int("initial", initial, 0, _PPM)
    require_int("maintenance", maintenance, 0, _PPM)
    if maintenance > initial:
        raise ArgumentError(f"maintenance {maintenance} is above initial {initial} (parts per million); swap them")
    same = {"a party buys from itself": pl.col("buyer") == pl.col("seller"), **_bounds()}
    twice = {
        "a contract has two settlement prices on one day": pl.struct("day", "contract").is_duplicated(),
        f"a price is beyond ±{_MOST_PRICE} THB/MWh": pl.col("price").abs() > _MOST_PRICE,
    }
    dealt = FUTURES_TRADES.check(_dated(trades), rules=same, error=MarketError)
    settled = SETTLEMENT_PRICES.check(_dated(prices), rules=twice, error=MarketError).select("day", "contract", "price")
    homeless = dealt.join(settled, on=["day", "contract"], how="anti")
    if homeless.height:
        raise MarketError(
            "futures trades: a trade's day has no settlement price of its contract\n"
            f"{show_rows(homeless, pl.lit(True))}"
        )
    total = int(dealt["energy"].cast(pl.Int128).sum())
    if total * 2 * _MOST_PRICE > _INT64_MAX:
        raise MarketError(f"futures trades: energies sum to {total} Wh, whose value might pass 64 bits; check the unit")
    positions = _positions(dealt, settled)
    return FuturesAccounts(
        positions.select("day", "contract", "account", "position", "price", "variation"),
        _margins(positions, initial, maintenance),
    )


def _dated(frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame | pl.LazyFrame:
    """Return the frame with a column of dates as their midnights."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, pl.DataFrame) and frame.schema.get("day") == pl.Date:
        return frame.with_columns(pl.col("day").cast(pl.Datetime("us")))
    return frame


def _positions(dealt: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    signed = [
        dealt.select("day", "contract", account=side, change=sign * pl.col("energy"), price="price")
        for side, sign in (("buyer", 1), ("seller", -1))
    ]
    changes = (
        pl.concat(signed)
        .group_by("day", *_PAIR)
        .agg(change=pl.col("change").sum(), cost=(pl.col("change") * pl.col("price")).sum())
    )
    held, before = pl.col("held"), pl.col("price").shift(1).over(_PAIR).fill_null(0)
    grid = settled.join(changes.select(_PAIR).unique(), on="contract").join(changes, on=["day", *_PAIR], how="left")
    return (
        grid.with_columns(pl.col("change", "cost").fill_null(0))
        .sort(*_PAIR, "day")
        .with_columns(held=pl.col("change").cum_sum().over(_PAIR))
        .with_columns(
            variation=(held - pl.col("change")) * (pl.col("price") - before)
            + pl.col("change") * pl.col("price")
            - pl.col("cost"),
            position=pl.when(pl.col("day") < pl.col("day").max().over("contract")).then(held).otherwise(0),
        )
        .sort("day", *_PAIR)
    )


def _margins(positions: pl.DataFrame, initial: int, maintenance: int) -> pl.DataFrame:
    size = pl.col("position").abs()
    daily = positions.group_by("day", "account").agg(
        variation=pl.col("variation").sum(), value=(size * pl.col("price").abs()).sum(), held=size.sum()
    )
    days, accounts = daily["day"].unique().sort(), daily["account"].unique().sort()
    every = days.to_frame().join(accounts.to_frame(), how="cross")
    keys = ["day", "account"]
    full = every.join(daily, on=keys, how="left", maintain_order="left").with_columns(pl.col(pl.Int64).fill_null(0))
    # Rounded up, so that a position never goes without margin.
    full = full.with_columns(
        **{name: _part_up(pl.col("value"), part) for name, part in (("initial", initial), ("maintenance", maintenance))}
    )
    shape = (len(days), len(accounts))
    columns = ("variation", "held", "initial", "maintenance")
    call, payout, balance = _margin_path(*(full[name].to_numpy().reshape(shape) for name in columns))
    return full.select(
        *keys, "variation", "initial", "maintenance",
        call=pl.Series(call.reshape(-1)), payout=pl.Series(payout.reshape(-1)), balance=pl.Series(balance.reshape(-1)),
    )  # fmt: skip


def _part_up(value: pl.Expr, ppm: int) -> pl.Expr:
    return value // _PPM * ppm + (value % _PPM * ppm + _PPM - 1) // _PPM


def _margin_path(
    variation: Int64s, positions: Int64s, initial: Int64s, maintenance: Int64s
) -> tuple[Int64s, Int64s, Int64s]:
    """Return calls, payouts and balances, shape (days, accounts); each day is one step over all accounts."""
    call, payout, balance = (np.zeros_like(variation) for _ in range(3))
    held = np.zeros(variation.shape[1], np.int64)
    opened = np.zeros(variation.shape[1], np.bool_)
    for day in range(len(variation)):
        held = held + variation[day]
        holds = positions[day] > 0
        # Below maintenance, or with a first position: up to the initial margin. A loss at the end is paid in full.
        below = (held < maintenance[day]) | (holds & ~opened & (held < initial[day])) | (held < 0)
        call[day] = np.where(below, initial[day] - held, 0)
        held = held + call[day]
        payout[day] = np.where(holds, 0, held)
        held = held - payout[day]
        balance[day] = held
        opened = holds
    return call, payout, balance
