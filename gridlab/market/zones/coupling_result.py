"""What a coupling returns: prices per zone, fills, flows with their congestion rent, and trades on request."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.core.books import Books
from gridlab.market.core.filling import Fills
from gridlab.market.core.kernels import NONE, Levels
from gridlab.market.core.pairing import pair_orders
from gridlab.market.core.pricing import BookPrices
from gridlab.market.core.result import Clearing, prices_frame, trades_frame
from gridlab.market.zones.coupling_rounding import Schedule
from gridlab.market.zones.coupling_sharing import cell_sums
from gridlab.market.zones.transfer_limits import Corridors

__all__ = ["Coupling", "book_frame", "corridor_flows", "line_flows", "trades_with_grid"]

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class Coupling(Clearing):
    """The outcome of a market coupling: a `Clearing` with flows.

    Attributes
    ----------
    prices : polars.DataFrame
        One row per slot and zone, as in `Clearing`; ``energy`` is what is bought in the zone. Beside it: ``sold``,
        ``net_export`` (Wh, sold less bought) and ``unserved`` (Wh of buys at the cap that got nothing). The zone's
        ``operator_surplus`` is what its buyers pay less what its sellers get; over the zones of a slot it sums to the
        congestion rent.
    flows : polars.DataFrame
        One row per slot and direction of the limits: the `by` columns, ``from_zone``, ``to_zone``, ``flow_mw`` (MW
        sent, at least 0), ``limit_mw``, ``flow``, ``arrived`` (Wh), ``congestion_rent`` (micro-THB). Flow-based: one
        row per line and direction, with ``line`` and ``shadow_price`` (THB/MWh) in the place of ``arrived``.
    """

    flows: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def congestion_rent(self) -> int:
        """Congestion rent of all corridors and slots (micro-THB): paid by buyers, less received by sellers."""
        return int(self.flows["congestion_rent"].cast(pl.Int128).sum())

    def summary(self) -> pl.DataFrame:
        """Return the key figures: figure, value, unit."""
        rent = {"figure": ["congestion rent"], "value": [f"{self.congestion_rent / 1e6:,.2f}"], "unit": ["THB"]}
        return pl.concat([super().summary(), pl.DataFrame(rent)])

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, congestion rent={self.congestion_rent / 1e6:,.2f} THB)"

    @property
    def _caption(self) -> str:
        return "Coupling of zones"


def book_frame(books: Books, fills: Fills, prices: BookPrices, demand: Int64s, supply: Int64s) -> pl.DataFrame:
    """Return one row per book, from the fills of its orders, which need not balance within the book.

    Parameters
    ----------
    books : Books
    fills : Fills
    prices : BookPrices
    demand, supply : ndarray of int64, shape (books.count,)
        Energy on offer in each book (Wh).

    Returns
    -------
    polars.DataFrame
        As `Clearing.prices`, with ``sold`` and ``net_export`` (Wh).
    """
    levels = Levels.of_books(books.count)
    buys = books.side == 0
    bought = cell_sums(books.count, books.book[buys], fills.filled[buys])
    sold = cell_sums(books.count, books.book[~buys], fills.filled[~buys])
    worth = books.price * fills.filled
    levels.energy[:], levels.demand[:], levels.supply[:] = bought, demand, supply
    levels.bid_value[:], levels.ask_value[:] = (
        cell_sums(books.count, books.book[rows], worth[rows]) for rows in (buys, ~buys)
    )
    price = np.where(prices.price == NONE, 0, prices.price)
    turnover: tuple[Int64s, Int64s] = price * bought, price * sold
    frame = prices_frame(books, levels, prices, levels.bid_value - turnover[0], turnover[1] - levels.ask_value)
    return frame.with_columns(sold=pl.Series(sold), net_export=pl.Series(sold - bought))


def corridor_flows(
    keys: pl.DataFrame, zones: list[str], net: Corridors, schedule: Schedule, price: Int64s, *, wh_per_mw: float
) -> pl.DataFrame:
    """Return one row per slot and listed direction.

    The rent of a corridor is what its energy is worth where it arrives less what it is worth where it was sent, so all
    rents of a slot are what its buyers pay less what its sellers get, to the micro-THB.
    """
    _, sent, arrived = schedule
    slot, corridor = np.nonzero(net.listed)
    worth = np.where(price == NONE, 0, price)
    start, end = net.start[corridor], net.end[corridor]
    flow, landed = sent[slot, corridor], arrived[slot, corridor]
    names = pl.Series(zones, dtype=pl.String)
    return pl.DataFrame(
        [
            *_keys(keys, slot),
            names[start].alias("from_zone"),
            names[end].alias("to_zone"),
            pl.Series("flow_mw", flow / wh_per_mw),
            pl.Series("limit_mw", net.limit_mw[slot, corridor]),
            pl.Series("flow", flow),
            pl.Series("arrived", landed),
            pl.Series("congestion_rent", worth[slot, end] * landed - worth[slot, start] * flow),
        ]
    )


def line_flows(
    keys: pl.DataFrame,
    names: pl.DataFrame,
    load: Floats,
    limit: Floats,
    shadow: Floats,
    *,
    rent: Int64s,
    wh_per_mw: float,
) -> pl.DataFrame:
    """Return one row per slot, line and direction; the direction against the flow has a flow of 0.

    The rent of a slot, which is exact, is shared among its lines by shadow price times limit (largest remainder).
    """
    slots, lines = load.shape
    shares = _apportion(rent, np.where(shadow == 0, 0.0, np.abs(shadow) * np.where(np.isfinite(limit), limit, 0.0)))
    slot, line = (part.ravel() for part in np.indices((slots, lines)))
    sides = []
    for sign, ends in ((1.0, ("from_zone", "to_zone")), (-1.0, ("to_zone", "from_zone"))):
        # A line that carries nothing has its rent, if rounding left any, on its first direction.
        carries = (sign * load.ravel() > 0) | ((sign > 0) & (load.ravel() == 0))
        flow = np.where(carries, np.abs(load.ravel()), 0.0)
        sides.append(
            pl.DataFrame(
                [
                    *_keys(keys, slot),
                    names["line"][line],
                    names[ends[0]][line].alias("from_zone"),
                    names[ends[1]][line].alias("to_zone"),
                    pl.Series("flow_mw", flow / wh_per_mw),
                    pl.Series("limit_mw", limit.ravel() / wh_per_mw),
                    pl.Series("flow", np.rint(flow).astype(np.int64)),
                    pl.Series("shadow_price", np.where(carries, sign * shadow.ravel(), 0.0)),
                    pl.Series("congestion_rent", np.where(carries, shares.ravel(), 0)),
                ]
            )
        )
    return pl.concat(sides).sort([*keys.columns, "line", "from_zone"], maintain_order=True)


def _keys(keys: pl.DataFrame, slot: Int64s) -> list[pl.Series]:
    return list(keys[slot]) if keys.width else []


def _apportion(total: Int64s, weight: Floats) -> Int64s:
    """Share out whole totals by weight, row by row; equal weights where all are 0. Sums are exact."""
    if not weight.shape[1]:
        return np.zeros(weight.shape, dtype=np.int64)
    weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, 1.0)
    quota = weight / weight.sum(axis=1, keepdims=True) * total[:, None]
    shares = np.floor(quota).astype(np.int64)
    # What is left is a few micro-THB, or what a double does not hold of a large sum: to the largest share.
    largest = weight.argmax(axis=1)
    shares[np.arange(len(total)), largest] += total - shares.sum(axis=1)
    whole: Int64s = shares
    return whole


def trades_with_grid(books: Books, fills: Fills, price: Int64s, export: Int64s) -> pl.DataFrame:
    """Pair the fills of each book in merit order; what is left trades with the grid.

    Parameters
    ----------
    books : Books
    fills : Fills
    price, export : ndarray of int64, shape (books.count,)
        Price (THB/MWh) and net export (Wh) of each book.

    Returns
    -------
    polars.DataFrame
        As `Clearing.trades`; buyer and buy_order are null where energy leaves the zone, seller and sell_order where it
        comes in.
    """
    cells = np.flatnonzero(export)
    out = export[cells] > 0
    # The grid stands behind every order of its side: it takes what the zone's own pairs leave.
    worst = (int(books.price.min(initial=0)), int(books.price.max(initial=0)))
    missing = books.orders.clear(len(cells)).with_columns(
        pl.lit(0).cast(books.orders.schema[name]).alias(name)
        for name in ("order_id", "account", *(["seq"] if "seq" in books.orders.columns else []))
    )
    extended = replace(
        books,
        orders=pl.concat([books.orders, missing]),
        book=np.concatenate((books.book, cells.astype(np.int32))),
        side=np.concatenate((books.side, np.where(out, 0, 1).astype(np.uint8))),
        price=np.concatenate((books.price, np.where(out, *worst))),
        energy=np.concatenate((books.energy, np.abs(export[cells]))),
    )
    pairs = pair_orders(extended, np.concatenate((fills.filled, np.abs(export[cells]))))
    trades = trades_frame(extended, pairs, price[extended.book[pairs.buy]])
    own = len(books.book)
    for rows, columns in ((pairs.buy, ("buyer", "buy_order")), (pairs.sell, ("seller", "sell_order"))):
        of_orders = pl.Series(rows < own)
        trades = trades.with_columns(pl.when(of_orders).then(pl.col(column)).alias(column) for column in columns)
    return trades
