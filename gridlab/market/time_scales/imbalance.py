"""Imbalance: what an account took beyond what it contracted, and what that costs.

With metered net energy m and contracted net energy c of an account in a slot (Wh, above 0 where energy is taken), ::

    imbalance  b = m - c              b > 0: short, b < 0: long
    system     B = sum of b over the zone
    payment    b x price_short        where b > 0 (micro-THB, exact)
               b x price_long         where b < 0

Prices come from a reference p (day-ahead), and from what it costs to keep the balance: the up price u >= p, the
marginal price of activated upward balancing energy, or a mark-up on p; the down price d <= p likewise. ::

    single     price_short = price_long = u if B > 0, d if B < 0, p if B = 0, and at least the least price
    dual       price_short = max(p, u if B > 0, least price),  price_long = min(p, d if B < 0)

With source ``markup`` the dual prices are u and d in every slot. So whoever is short pays, always; and under dual
prices nobody does better by being in imbalance than by having traded the same energy day-ahead.

References
----------
L. Vandezande, L. Meeus, R. Belmans, M. Saguan and J.-M. Glachant, "Well-functioning balancing markets: a prerequisite
for wind power integration", Energy Policy 38(7), 2010 (single and dual imbalance pricing).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.errors import ArgumentError, ArgumentTypeError, MarketError, nearest
from gridlab.frames import SLOT, Column, Schema

__all__ = [
    "METHODS",
    "POSITIONS",
    "REFERENCES",
    "SOURCES",
    "imbalance_prices",
    "imbalance_transfers",
    "operator_account",
    "settle_imbalance",
]

METHODS = ("single", "dual")
SOURCES = ("balancing", "markup")

_MOST_ENERGY = 10**12
_MOST_PRICE = 10**5
_INT64_MAX = 2**63 - 1
_PPM = 1_000_000
_WHERE = ("slot", "zone")

_SLOT = Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval")
_ZONE = Column("zone", None, "text", "bidding zone")
POSITIONS = Schema(
    "positions",
    (
        _SLOT,
        _ZONE,
        Column("account", pl.UInt32, "integer", "index into the accounts frame"),
        Column("contracted", pl.Int64, "integer", "net energy contracted (Wh); above 0 where energy is taken"),
        Column("metered", pl.Int64, "integer", "net energy metered (Wh); above 0 where energy is taken"),
    ),
)
REFERENCES = Schema(
    "reference prices",
    (_SLOT, _ZONE, Column("price", pl.Int64, "integer", "THB/MWh; null where nothing traded", nullable=True)),
)
_ACTIVATED = Schema(
    "activations",
    (
        _SLOT,
        _ZONE,
        Column("side", pl.Enum(["buy", "sell"]), "category", "'sell' for upward, 'buy' for downward energy"),
        Column("activated", pl.Int64, "integer", "Wh, 0 or more"),
        Column("limit", pl.Int64, "integer", "the order's own price (THB/MWh)"),
        Column("amount", pl.Int64, "integer", "what the seller gets or the buyer pays (micro-THB)"),
    ),
)


_PRICES = Schema(
    "imbalance prices",
    (
        _SLOT,
        _ZONE,
        Column("price_short", pl.Int64, "integer", "THB/MWh"),
        Column("price_long", pl.Int64, "integer", "THB/MWh"),
    ),
)
_SETTLED = Schema(
    "settled imbalance",
    (
        _SLOT,
        _ZONE,
        Column("account", pl.UInt32, "integer", "who pays"),
        Column("payment", pl.Int64, "integer", "micro-THB"),
    ),
)


def _check_positions(positions: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    energy = pl.any_horizontal(pl.col("contracted", "metered").abs() > _MOST_ENERGY)
    rules = {
        f"an energy is beyond ±{_MOST_ENERGY} Wh in a slot; look for a wrong unit": energy,
        "an account has two positions in one slot and zone; add them up first": (
            pl.struct("slot", "zone", "account").is_duplicated()
        ),
    }
    frame = _plain(POSITIONS.check(positions, rules=rules, error=MarketError))
    moved = pl.sum_horizontal(pl.col("contracted", "metered").abs()).cast(pl.Int128).sum()
    largest: Any = frame.group_by(_WHERE).agg(moved=moved)["moved"].max() or 0
    # With the largest mark-up, eleven times the largest reference price.
    if int(largest) * 11 * _MOST_PRICE > _INT64_MAX:
        raise MarketError(
            f"positions: {largest} Wh in one slot and zone, whose cost might pass 64 bits; look for a wrong unit"
        )
    return frame


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with zones as text, so that frames of different zone lists join."""
    return frame.with_columns(pl.col("zone").cast(pl.String))


def _choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name}: expected one of {allowed}, got {value!r} ({type(value).__name__})")
    if value not in allowed:
        raise ArgumentError(f"{name} {value!r} is unknown; {nearest(value, allowed)}")


def imbalance_prices(
    positions: pl.DataFrame | pl.LazyFrame,
    references: pl.DataFrame | pl.LazyFrame,
    activations: pl.DataFrame | pl.LazyFrame | None = None,
    *,
    method: str = "single",
    source: str = "balancing",
    markup: int = 100_000,
    markdown: int = 100_000,
    least: int = 1,
    fallback: int = 3_000,
) -> pl.DataFrame:
    """Return what energy in imbalance costs in each slot and zone.

    Parameters
    ----------
    positions : polars.DataFrame or polars.LazyFrame
        As `POSITIONS`.
    references : polars.DataFrame or polars.LazyFrame
        As `REFERENCES`: the day-ahead prices.
    activations : polars.DataFrame or polars.LazyFrame, optional
        Result of `time_scales.sequence_balancing.activate`. Where nothing was activated, source ``balancing`` falls
        back on the mark-up.
    method : str
        ``single`` or ``dual``.
    source : str
        ``balancing`` or ``markup``.
    markup, markdown : int
        Parts per million of the reference price's size, 0 or more.
    least : int
        Lowest price that energy short ever costs (THB/MWh), 1 or more.
    fallback : int
        Reference price where nothing traded (THB/MWh).

    Returns
    -------
    polars.DataFrame
        ``slot``, ``zone`` (text), ``system`` (Wh, above 0 where the zone is short), ``reference``, ``price_short``,
        ``price_long`` (THB/MWh).

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of a wrong type, unknown or out of range.
    MarketError
        A frame does not fit its schema.
    """
    _choice("method", method, METHODS)
    _choice("source", source, SOURCES)
    for name, value in (("markup", markup), ("markdown", markdown)):
        require_int(name, value, 0, 10 * _PPM)
    require_int("least", least, 1, _MOST_PRICE)
    require_int("fallback", fallback, -_MOST_PRICE, _MOST_PRICE)
    rules = {
        f"a price is beyond ±{_MOST_PRICE} THB/MWh": pl.col("price").abs() > _MOST_PRICE,
        "a slot and zone has two reference prices": pl.struct(_WHERE).is_duplicated(),
    }
    prices = _plain(REFERENCES.check(references, rules=rules, error=MarketError)).select(*_WHERE, "price")
    system = _check_positions(positions).group_by(_WHERE).agg(system=(pl.col("metered") - pl.col("contracted")).sum())
    size = pl.col("reference").abs()
    # Rounded away from the reference, so that a mark-up above 0 always costs something.
    marked = {
        "up": pl.col("reference") + -(-size * markup // _PPM),
        "down": pl.col("reference") - -(-size * markdown // _PPM),
    }
    frame = (
        system.join(prices, on=_WHERE, how="left")
        .sort(_WHERE)
        .with_columns(reference=pl.col("price").fill_null(fallback))
        .with_columns(**marked)
    )
    if source == "balancing" and activations is not None:
        frame = _with_marginal(frame, activations)
    return _priced(frame, method, source, least)


def _with_marginal(frame: pl.DataFrame, activations: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Replace the mark-ups by the marginal prices of activated energy, where any was activated."""
    limit = pl.col("limit")
    beyond = {f"a price is beyond ±{10 * _MOST_PRICE} THB/MWh": limit.abs() > 10 * _MOST_PRICE}
    activated = _plain(_ACTIVATED.check(activations, rules=beyond, error=MarketError)).filter(pl.col("activated") > 0)
    marginal = activated.group_by(_WHERE).agg(
        marginal_up=limit.filter(pl.col("side") == "sell").max(),
        marginal_down=limit.filter(pl.col("side") == "buy").min(),
    )
    reference = pl.col("reference")
    return frame.join(marginal, on=_WHERE, how="left", maintain_order="left").with_columns(
        up=pl.when(pl.col("marginal_up").is_null()).then("up").otherwise(pl.max_horizontal("marginal_up", reference)),
        down=pl.when(pl.col("marginal_down").is_null())
        .then("down")
        .otherwise(pl.min_horizontal("marginal_down", reference)),
    )


def _priced(frame: pl.DataFrame, method: str, source: str, least: int) -> pl.DataFrame:
    reference, system = pl.col("reference"), pl.col("system")
    if method == "single":
        one = pl.when(system > 0).then("up").when(system < 0).then("down").otherwise(reference)
        short = long = pl.max_horizontal(one, pl.lit(least, dtype=pl.Int64))
    else:
        always = pl.lit(source == "markup")
        short = pl.when(always | (system > 0)).then("up").otherwise(reference)
        short = pl.max_horizontal(short, pl.lit(least, dtype=pl.Int64))
        long = pl.when(always | (system < 0)).then("down").otherwise(reference)
    return frame.select(*_WHERE, "system", "reference", price_short=short, price_long=long)


def settle_imbalance(positions: pl.DataFrame | pl.LazyFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Return every account's imbalance and what it pays.

    Parameters
    ----------
    positions : polars.DataFrame or polars.LazyFrame
        As `POSITIONS`.
    prices : polars.DataFrame
        Result of `imbalance_prices` for the same slots and zones.

    Returns
    -------
    polars.DataFrame
        ``slot``, ``zone``, ``account``, ``contracted``, ``metered``, ``imbalance`` (Wh), ``price`` (THB/MWh),
        ``payment`` (micro-THB, below 0 where the account receives), sorted by slot, zone and account.

    Raises
    ------
    ArgumentTypeError
        A frame is not a polars frame.
    MarketError
        `positions` does not fit, or a slot and zone has no price.
    """
    twice = {"a slot and zone has two prices": pl.struct(_WHERE).is_duplicated()}
    known = _plain(_PRICES.check(prices, rules=twice, error=MarketError)).select(*_WHERE, "price_short", "price_long")
    joined = _check_positions(positions).join(known, on=_WHERE, how="left", maintain_order="left")
    if joined["price_short"].null_count():
        missing = joined.filter(pl.col("price_short").is_null()).row(0, named=True)
        raise MarketError(
            f"imbalance prices: slot {missing['slot']} of zone {missing['zone']!r} has none; "
            "make them by imbalance_prices(positions, …) of the same positions"
        )
    imbalance = pl.col("imbalance")
    price = pl.when(imbalance > 0).then("price_short").otherwise("price_long")
    return (
        joined.with_columns(imbalance=pl.col("metered") - pl.col("contracted"))
        .select(*_WHERE, "account", "contracted", "metered", "imbalance", price=price, payment=imbalance * price)
        .sort(*_WHERE, "account")
    )


def operator_account(settled: pl.DataFrame, activations: pl.DataFrame | pl.LazyFrame | None = None) -> pl.DataFrame:
    """Return what the system operator gets, pays and keeps.

    Parameters
    ----------
    settled : polars.DataFrame
        Result of `settle_imbalance`.
    activations : polars.DataFrame or polars.LazyFrame, optional
        Result of `gridlab.market.time_scales.sequence_balancing.activate`.

    Returns
    -------
    polars.DataFrame
        ``slot``, ``zone``, ``imbalance_income`` (net, from accounts in imbalance), ``balancing_cost`` (net, to those
        activated), ``kept`` (the first less the second); Int64, micro-THB, any of them below 0.
    """
    payments = _plain(_SETTLED.check(settled, error=MarketError))
    income = payments.group_by(_WHERE).agg(imbalance_income=pl.col("payment").sum())
    if activations is None:
        return income.sort(_WHERE).with_columns(
            balancing_cost=pl.lit(0, dtype=pl.Int64), kept=pl.col("imbalance_income")
        )
    signed = pl.when(pl.col("side") == "sell").then("amount").otherwise(-pl.col("amount"))
    paid = _plain(_ACTIVATED.check(activations, error=MarketError))
    cost = paid.group_by(_WHERE).agg(balancing_cost=signed.sum())
    both = income.join(cost, on=_WHERE, how="full", coalesce=True).with_columns(
        pl.col("imbalance_income", "balancing_cost").fill_null(0)
    )
    return both.sort(_WHERE).with_columns(kept=pl.col("imbalance_income") - pl.col("balancing_cost"))


def imbalance_transfers(settled: pl.DataFrame, system_operator: int) -> pl.DataFrame:
    """Return the payments as rows ``slot``, ``debit``, ``credit`` (UInt32), ``amount`` (micro-THB, above 0)."""
    require_int("system_operator", system_operator, 0, 2**32 - 1)
    operator = pl.lit(system_operator, dtype=pl.UInt32)
    pays = pl.col("payment") > 0
    payments = _SETTLED.check(settled, error=MarketError).filter(pl.col("payment") != 0)
    return payments.select(
        "slot",
        debit=pl.when(pays).then("account").otherwise(operator),
        credit=pl.when(pays).then(operator).otherwise("account"),
        amount=pl.col("payment").abs(),
    )
