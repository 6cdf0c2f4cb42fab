"""Market coupling: all zones cleared at once, energy flowing to where it is worth more as far as the limits let it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.errors import ArgumentTypeError, MarketError, nearest
from gridlab.market.clearing import Share
from gridlab.market.core.books import Books, number_books
from gridlab.market.core.door import book_columns, check_orders, price_bound
from gridlab.market.core.kernels import NONE
from gridlab.market.core.pricing import BookPrices, exact_share
from gridlab.market.core.rationing import RATIONINGS
from gridlab.market.core.result import fills_frame
from gridlab.market.zones.coupling_curve import NetCurve, net_curve
from gridlab.market.zones.coupling_flow_based import check_lines, check_ptdf, line_table
from gridlab.market.zones.coupling_prices import line_prices, loss_prices, network_prices
from gridlab.market.zones.coupling_result import Coupling, book_frame, corridor_flows, line_flows, trades_with_grid
from gridlab.market.zones.coupling_rounding import round_exports, round_flows, round_with_losses
from gridlab.market.zones.coupling_scarcity import at_last_ask
from gridlab.market.zones.coupling_sharing import Shares, cell_sums, share_out
from gridlab.market.zones.coupling_solver import Lines, check_digits, solve_coupling
from gridlab.market.zones.transfer_limits import Corridors, check_limits, corridors

__all__ = ["SCARCITIES", "couple"]

Int64s = npt.NDArray[np.int64]

SCARCITIES = ("cap", "last_ask")
_TEXT = (pl.String, pl.Enum, pl.Categorical)


@dataclass(frozen=True, slots=True)
class _Zones:
    """Books numbered slot by slot and zone by zone: book ``t * len(names) + z``."""

    books: Books
    keys: pl.DataFrame
    names: list[str]
    slots: int
    curve: NetCurve

    @property
    def shape(self) -> tuple[int, int]:
        return self.slots, len(self.names)


@dataclass(frozen=True, slots=True)
class _Terms:
    """Options of a coupling, checked."""

    k: Fraction
    rationing: str
    scarcity: str
    cap: int | None
    wh_per_mw: float


def couple(
    orders: pl.DataFrame | pl.LazyFrame,
    limits: pl.DataFrame | pl.LazyFrame | None = None,
    *,
    by: str | Sequence[str] = ("slot",),
    zones: Sequence[str] | None = None,
    ptdf: pl.DataFrame | pl.LazyFrame | None = None,
    lines: pl.DataFrame | pl.LazyFrame | None = None,
    slot_minutes: int = 15,
    k: Share = 0.5,
    rationing: str = "pro_rata",
    scarcity: str = "cap",
    floor: int | None = None,
    cap: int | None = None,
) -> Coupling:
    """Clear all zones together under transfer limits.

    Parameters
    ----------
    orders : polars.DataFrame or polars.LazyFrame
        One row per order; columns as in ``gridlab.frames.ORDERS.describe()``.
    limits : polars.DataFrame or polars.LazyFrame
        Net transfer capacities, one row per direction; no row, no exchange. Columns as in
        ``gridlab.market.zones.transfer_limits.LIMITS.describe()``: ``from_zone``, ``to_zone``, ``limit_mw``, optionally
        ``loss`` (share of the energy sent, taken to parts per million), and any of the `by` columns for limits that
        change. `gridlab.market.thai_zones` returns such a frame.
    by : str or sequence of str
        Columns that tell slots apart; each combination is one coupling. The zone is always the column ``zone``.
    zones : sequence of str, optional
        All zones there are, where some may have no order in this frame; a limit that names another is refused. Default:
        the categories of an Enum zone column; where the zones are text, those that orders and limits name.
    ptdf, lines : polars.DataFrame or polars.LazyFrame, optional
        For flow-based coupling, in the place of `limits`: ``line``, ``zone``, ``factor`` (MW on the line per MW
        exported; any slack zone), and ``line``, ``from_zone``, ``to_zone``, ``limit_mw`` (both directions).
    slot_minutes : int
        Length of a slot: 1 MW over 15 minutes is 250 000 Wh.
    k : int, float, Fraction or Decimal
        Where in the interval of possible prices the price lies, 0 to 1, as in `gridlab.clear`.
    rationing : str
        Who gets the energy of a limit that is cut, over all zones of one price: ``pro_rata`` or ``time``.
    scarcity : str
        Price where buys at the `cap` go short. ``cap``: the cap. ``last_ask``: the dearest sell in use in the zones
        short together, or the dearest zone that exports to them; needs `cap` and `limits`.
    floor, cap : int, optional
        Lowest and highest limit the market accepts (THB/MWh).

    Returns
    -------
    Coupling
        Of all schedules within the limits one of the highest welfare. In every zone bought + exported = sold +
        imported to the Wh; in every slot paid = received + congestion rent to the micro-THB.

    Raises
    ------
    ArgumentTypeError
        An argument is of a wrong type.
    MarketError
        An argument is unknown or out of range, or a frame is rejected, or the solver fails.

    Notes
    -----
    The price of a zone is the dual of its balance (Schweppe et al. 1988; for limits between zones, Single Price
    Coupling Algorithm "Euphemia", 2020). See ``docs/market/zonal.md`` for the equations and the rounding.

    Examples
    --------
    >>> from datetime import datetime
    >>> import gridlab as gl
    >>> import polars as pl
    >>> orders = pl.DataFrame({
    ...     "order_id": [1, 2, 3], "account": [0, 1, 2], "side": ["buy", "sell", "sell"],
    ...     "slot": [datetime(2026, 4, 1, 12)] * 3, "zone": ["SAC", "SAC", "CAC"],
    ...     "price": [6000, 4500, 2000], "energy": [1_000_000, 2_000_000, 2_000_000],
    ... })
    >>> limits = pl.DataFrame({"from_zone": ["CAC"], "to_zone": ["SAC"], "limit_mw": [2.0]})
    >>> coupling = gl.market.couple(orders, limits)
    >>> coupling.prices.select("zone", "price", "net_export").rows()
    [('CAC', 2000, 500000), ('SAC', 4500, -500000)]
    >>> coupling.flows.select("flow_mw", "congestion_rent").row(0)
    (2.0, 1250000000)
    """
    names = _by_columns(by)
    share = exact_share(k, "k")
    _check_choice("rationing", rationing, RATIONINGS)
    _check_choice("scarcity", scarcity, SCARCITIES)
    wh_per_mw = _slot_length(slot_minutes) * 1_000_000 / 60
    highest = price_bound(cap, "cap")
    checked = check_orders(orders, names, price_bound(floor, "floor"), highest)
    check_digits(checked)
    _check_modes(limits, ptdf, lines)
    if scarcity == "last_ask" and highest is None:
        raise MarketError("scarcity 'last_ask' has no effect without cap; give cap=…, the highest limit of the market")
    if limits is None and scarcity != "cap":
        raise MarketError(f"scarcity {scarcity!r} has no rule for flow-based coupling; use 'cap', or give limits")
    known = _declared_zones(checked, zones)
    if zones is None and not _is_enum(orders):
        known = sorted({*known, *_named(limits)})
    terms = _Terms(share, rationing, scarcity, highest, wh_per_mw)
    if limits is not None:
        frame = check_limits(limits, known, names)
        place = _number(checked, names, _present(checked, known, frame, ("from_zone", "to_zone")))
        return _couple_limits(place, corridors(frame, place.names, place.keys, wh_per_mw, _most(place)), terms)
    line_frame = check_lines(lines, known, names)  # type: ignore[arg-type]
    factors = check_ptdf(ptdf, line_frame, known)  # type: ignore[arg-type]
    place = _number(checked, names, _present(checked, known, factors, ("zone",)))
    return _couple_lines(place, *line_table(line_frame, factors, place.names, place.keys, wh_per_mw), terms)


def _couple_limits(place: _Zones, net: Corridors, terms: _Terms) -> Coupling:
    export, sent = solve_coupling(place.curve, net, len(place.names), None)
    lossy = bool(net.loss.any())
    schedule = round_with_losses(place.curve, net, export, sent) if lossy else round_flows(net, sent, len(place.names))
    bounds = _bounds(place, schedule[0])
    if lossy:
        price, low, high = loss_prices(net, schedule[1:], *bounds, terms.k)
    else:
        price, low, high = network_prices(net, schedule[1], *bounds, terms.k)
    shares = share_out(place.books, place.curve, net, schedule, price, rationing=terms.rationing)
    if terms.scarcity == "last_ask" and terms.cap is not None:
        shares = at_last_ask(place.books, net, shares, terms.cap)
    flows = corridor_flows(place.keys, place.names, net, shares.schedule, shares.price, wh_per_mw=terms.wh_per_mw)
    return _result(place, shares, (low, high), flows, terms.cap)


def _couple_lines(place: _Zones, table: pl.DataFrame, lines: Lines, terms: _Terms) -> Coupling:
    nothing = np.zeros((place.slots, 0), dtype=np.int64)
    none = np.zeros(0, dtype=np.int64)
    net = Corridors(none, none, nothing.astype(np.bool_), nothing, nothing, nothing.astype(np.float64))
    export, _ = solve_coupling(place.curve, net, len(place.names), lines)
    whole = round_exports(export)
    price, low, high, shadow = line_prices(lines, whole, *_bounds(place, whole), terms.k)
    shares = share_out(
        place.books, place.curve, net, (whole, nothing, nothing), price, rationing=terms.rationing, lines=lines
    )
    final = shares.schedule[0]
    rent = -(np.where(shares.price == NONE, 0, shares.price) * final).sum(axis=1)
    load = final @ lines.factor.T
    flows = line_flows(place.keys, table, load, lines.limit, shadow, rent=rent, wh_per_mw=terms.wh_per_mw)
    return _result(place, shares, (low, high), flows, terms.cap)


def _bounds(place: _Zones, export: Int64s) -> tuple[Int64s, Int64s]:
    """Return the price interval of each zone's own curve; no price is beyond the lowest and highest limit there is."""
    limits = place.books.price
    low, high = place.curve.bounds(export.ravel(), int(limits.min(initial=0)), int(limits.max(initial=0)))
    return low.reshape(place.shape), high.reshape(place.shape)


def _result(
    place: _Zones, shares: Shares, interval: tuple[Int64s, Int64s], flows: pl.DataFrame, cap: int | None
) -> Coupling:
    books, fills = place.books, shares.fills
    price = shares.price.ravel()
    idle = price == NONE
    found = BookPrices(price, *(np.where(idle, NONE, ends.ravel()) for ends in interval))
    prices = book_frame(books, fills, found, place.curve.demand, place.curve.supply)
    short = (books.side == 0) & (books.price == cap) if cap is not None else np.zeros(len(books.side), dtype=np.bool_)
    unserved = cell_sums(books.count, books.book[short], (books.energy - fills.filled)[short])
    pair = partial(trades_with_grid, books, fills, price, shares.schedule[0].ravel())
    return Coupling(
        "coupling", prices.with_columns(unserved=pl.Series(unserved)), fills_frame(books, fills), pair, flows
    )


def _number(orders: pl.DataFrame, by: tuple[str, ...], names: list[str]) -> _Zones:
    """Give the books numbers, slot by slot and zone by zone."""
    slots = number_books(orders, by)
    count = slots.count if by else 1
    zone_keys = pl.DataFrame({"zone": pl.Series(names, dtype=pl.Enum(names))})
    placed = orders.with_columns(pl.col("zone").cast(pl.String).cast(pl.Enum(names)))
    zone = placed["zone"].to_physical().to_numpy().astype(np.int32)
    books = replace(
        slots,
        orders=placed,
        by=(*by, "zone"),
        keys=slots.keys.join(zone_keys, how="cross", maintain_order="left_right") if by else zone_keys,
        count=count * len(names),
        book=(slots.book * len(names) + zone).astype(np.int32),
    )
    curve = net_curve(books)
    return _Zones(books, slots.keys, names, count, curve)


def _most(place: _Zones) -> Int64s:
    """Return a flow that no corridor of a slot can reach: 1 Wh more than all that is on offer."""
    most: Int64s = place.curve.supply.reshape(place.shape).sum(axis=1) + 1
    return most


def _by_columns(by: str | Sequence[str]) -> tuple[str, ...]:
    names = book_columns(by)
    for name in ("zone", "from_zone", "to_zone"):
        if name in names:
            raise MarketError(
                f"by: column {name!r} cannot tell slots apart: zones are what is coupled; the default is ('slot',)"
            )
    return names


def _check_choice(name: str, value: object, allowed: Sequence[str] | dict[str, Any]) -> None:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name}: expected one of {tuple(allowed)}, got {value!r} ({type(value).__name__})")
    if value not in allowed:
        raise MarketError(f"{name} {value!r} is unknown; {nearest(value, allowed)}")


def _slot_length(minutes: object) -> int:
    if isinstance(minutes, bool) or not isinstance(minutes, (int, np.integer)):
        raise ArgumentTypeError(f"slot_minutes: expected a whole number, got {minutes!r}; a Thai slot has 15 minutes")
    if minutes < 1:
        raise MarketError(f"slot_minutes = {minutes} is out of range; allowed: 1 or more, 15 for a Thai slot")
    return int(minutes)


def _check_modes(limits: object, ptdf: object, lines: object) -> None:
    """Make sure that either limits or both parts of a flow-based market are given."""
    if limits is not None and (ptdf is not None or lines is not None):
        raise MarketError("limits and ptdf exclude each other; give limits, or ptdf with lines and limits=None")
    if limits is None and (ptdf is None or lines is None):
        missing = "limits" if ptdf is None and lines is None else "ptdf" if ptdf is None else "lines"
        raise MarketError(
            f"{missing} is missing; give limits (from_zone, to_zone, limit_mw), or ptdf and lines together; "
            "gridlab.market.thai_zones() returns default limits"
        )


def _is_enum(orders: pl.DataFrame | pl.LazyFrame) -> bool:
    return isinstance(orders.collect_schema()["zone"], pl.Enum)


def _named(frame: pl.DataFrame | pl.LazyFrame | None) -> set[str]:
    """Return the zones that a frame of limits names; its own check finds what is wrong with it."""
    if not isinstance(frame, (pl.DataFrame, pl.LazyFrame)):
        return set()
    schema = frame.collect_schema()
    columns = [name for name in ("from_zone", "to_zone") if isinstance(schema.get(name), _TEXT)]
    names = frame.lazy().select(pl.col(columns).cast(pl.String)).collect()
    return {zone for name in columns for zone in names[name].drop_nulls().unique()}


def _declared_zones(orders: pl.DataFrame, zones: object) -> list[str]:
    """Return the zones that orders or the caller declare."""
    found = orders["zone"].cast(pl.String).unique().sort().to_list()
    if zones is None:
        return orders["zone"].dtype.categories.to_list()  # type: ignore[attr-defined, no-any-return]
    if isinstance(zones, str) or not isinstance(zones, Sequence) or not all(isinstance(zone, str) for zone in zones):
        raise ArgumentTypeError(f"zones: expected a sequence of names such as ['CAC', 'SAC'], got {zones!r}")
    for zone in found:
        if zone not in zones:
            raise MarketError(f"zones: the orders' zone {zone!r} is not among {list(zones)}; name every zone there is")
    if len(set(zones)) < len(zones):
        raise MarketError(f"zones: a name stands twice in {list(zones)}; name each zone once")
    return list(zones)


def _present(orders: pl.DataFrame, known: list[str], frame: pl.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Return the zones with orders or limits, in the order in which they are known."""
    met = set(orders["zone"].cast(pl.String).unique().to_list())
    for column in columns:
        met |= set(frame[column].unique().to_list())
    return [zone for zone in known if zone in met]
