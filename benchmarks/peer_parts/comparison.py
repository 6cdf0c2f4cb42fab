"""What a clearing did well and what it did badly, counted over many small books, the same for gridlab and its peers.

A book is judged by what any clearing must answer for: is as much bought as sold, is each limit kept, is the welfare the
best there is, is an order left out that belongs to every best allocation? What the books could have had comes from
`gridlab.clear` with the rule ``uniform``; a clearing that found more welfare than that would be counted, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

import gridlab as gl

__all__ = ["FIGURES", "best_of", "books_of", "count_findings", "gridlab_books", "small_books"]

# Peers compute in floats: what differs by less than this many Wh is equal, and so many micro-THB per Wh traded.
TOLERANCE = 1e-6
# gridlab's prices are whole THB/MWh.
PRICE_TOLERANCE = 1.0

FIGURES: dict[str, str] = {
    "failed": "an error was raised; the other figures leave these books out",
    "volume differs": "the traded volume is not that of gridlab's rule (not asked of rules that draw lots)",
    "price differs": "both trade, at mean prices of buys or sells 1 THB/MWh or more apart (likewise)",
    "less volume": "less is traded than under one efficient price",
    "more volume": "more is traded than under one efficient price",
    "off price": "the one price is none at which everybody could have what he wants",
    "less welfare": "welfare is below the best",
    "more welfare": "welfare is above what gridlab calls the best",
    "left out": "an order that every best allocation fills whole got nothing",
    "unequal": "bought is not sold",
    "limit broken": "an order pays more or gets less than its limit allows, or more energy than it wants",
    "kept": "buyers pay more than sellers get",
    "short": "sellers get more than buyers pay",
}


def small_books(books: int, limits: str, seed: int = 0) -> pl.DataFrame:
    """Return random books of 2 to 12 orders of 1 to 9 kWh, one slot each.

    Parameters
    ----------
    books : int
    limits : str
        ``distinct``: no two orders of the frame have the same limit. ``steps``: five limits, so that many orders share
        one and buys meet sells at their very limit.
    seed : int

    Returns
    -------
    polars.DataFrame
        The order columns and ``book``.
    """
    random = np.random.default_rng(seed)
    book = np.repeat(np.arange(books), random.integers(2, 13, books))
    count = len(book)
    price = random.permutation(count) if limits == "distinct" else 500 * random.integers(0, 5, count)
    return pl.DataFrame(
        {
            "order_id": np.arange(count, dtype=np.uint64),
            "slot": np.datetime64("2026-04-01T00:00", "us") + book * np.timedelta64(15, "m"),
            "zone": pl.Series(["Z00"]).new_from_index(0, count),
            "account": np.arange(count, dtype=np.uint32),
            "side": pl.Series(random.integers(0, 2, count, dtype=np.uint8)).cat.to(pl.Enum(["buy", "sell"])),
            "price": 2_000 + price,
            "energy": 1_000 * random.integers(1, 10, count),
            "book": book,
        }
    ).with_columns(pl.col("slot").dt.replace_time_zone("Asia/Bangkok"))


def best_of(orders: pl.DataFrame) -> pl.DataFrame:
    """Return what each book could have: book, best volume (Wh), welfare (micro-THB), price_low, price_high."""
    prices = gl.clear(orders, by="book").prices
    return prices.select("book", pl.col("energy").alias("best_volume"), "welfare", "price_low", "price_high")


def gridlab_books(orders: pl.DataFrame, best: pl.DataFrame, rule: str, options: Mapping[str, Any]) -> pl.DataFrame:
    """Return gridlab's own books under a rule, as `books_of` does."""
    fills = gl.clear(orders, rule, by="book", **options).fills.select("order_id", "filled", "amount")
    return _by_book(orders, best, fills).with_columns(failed=pl.lit(False))


def books_of(orders: pl.DataFrame, best: pl.DataFrame, outcome: Mapping[str, Any]) -> pl.DataFrame:
    """Return a peer's books.

    Parameters
    ----------
    orders : polars.DataFrame
        Of `small_books`, or any with ``book``.
    best : polars.DataFrame
        Of `best_of`.
    outcome : mapping
        ``books`` and ``fills``, as the peer's process writes them.

    Returns
    -------
    polars.DataFrame
        book, failed, bought, sold (Wh), paid, received, worth (micro-THB; worth is the welfare), left_out, beyond.
        Where the peer says only volume and price, the last three are null.
    """
    found = pl.DataFrame(
        outcome["books"],
        schema={"book": pl.Int64, "error": pl.String, "volume": pl.Float64, "price": pl.Float64},
        orient="row",
    )
    fills = pl.DataFrame(
        outcome["fills"],
        schema={"order_id": orders["order_id"].dtype, "filled": pl.Float64, "amount": pl.Float64},
        orient="row",
    )
    told = pl.col("volume").is_not_null()
    energy, money = pl.col("volume"), (pl.col("volume") * pl.col("price")).fill_null(0.0)
    nothing = pl.lit(None)
    return (
        _by_book(orders, best, fills)
        .join(found, on="book", how="left", maintain_order="left")
        .with_columns(
            *(pl.when(told).then(energy).otherwise(name).alias(name) for name in ("bought", "sold")),
            *(pl.when(told).then(money).otherwise(name).alias(name) for name in ("paid", "received")),
            *(pl.when(told).then(nothing).otherwise(name).alias(name) for name in ("worth", "left_out", "beyond")),
            failed=pl.col("error").is_not_null(),
        )
        .drop("error", "volume", "price")
    )


def _by_book(orders: pl.DataFrame, best: pl.DataFrame, fills: pl.DataFrame) -> pl.DataFrame:
    """Sum the fills by book; see `books_of` for the columns."""
    buys, limit, filled, amount = pl.col("side") == "buy", pl.col("price"), pl.col("filled"), pl.col("amount")
    sign = pl.when(buys).then(1).otherwise(-1)
    # With any price between low and high, an order whose limit beats it is filled whole in every best allocation.
    wanted = pl.when(buys).then(limit > pl.col("price_low")).otherwise(limit < pl.col("price_high"))
    beyond = (sign * (amount - limit * filled) > TOLERANCE * limit * pl.col("energy")) | (
        filled > pl.col("energy") + TOLERANCE
    )
    return (
        orders.lazy()
        .select("order_id", "book", "side", "price", "energy")
        .join(fills.lazy().with_columns(pl.col("filled", "amount").cast(pl.Float64)), on="order_id", how="left")
        .with_columns(pl.col("filled", "amount").fill_null(0.0))
        .join(best.lazy().select("book", "price_low", "price_high"), on="book", how="left")
        .group_by("book")
        .agg(
            bought=filled.filter(buys).sum(),
            sold=filled.filter(~buys).sum(),
            paid=amount.filter(buys).sum(),
            received=amount.filter(~buys).sum(),
            worth=(sign * limit * filled).sum(),
            left_out=(wanted & (filled <= TOLERANCE)).fill_null(value=False).any(),
            beyond=beyond.any(),
        )
        .sort("book")
        .collect()
    )


def count_findings(
    books: pl.DataFrame, best: pl.DataFrame, same_rule: pl.DataFrame | None, *, one_price: bool
) -> dict[str, float | None]:
    """Count, over all books, what is in `FIGURES`.

    Parameters
    ----------
    books : polars.DataFrame
        Of `books_of` or `gridlab_books`.
    best : polars.DataFrame
        Of `best_of`.
    same_rule : polars.DataFrame or None
        gridlab's books under the rule that should do the same; None where lots decide and none can.
    one_price : bool
        Whether all orders of a book have one price, which then should be a clearing price.

    Returns
    -------
    dict
        ``books`` judged, the names in `FIGURES`, and ``welfare lost %`` of the best welfare of all books; None where a
        figure does not apply.
    """
    sound = books.filter(~pl.col("failed")).join(best, on="book", how="left", maintain_order="left")
    found: dict[str, float | None] = {"books": books.height, "failed": books.height - sound.height}
    found |= _differences(sound, same_rule)
    found |= sound.select(**_against_best(), **_within_itself()).row(0, named=True)
    if not one_price:
        found["off price"] = None
    if not sound["worth"].count():
        found |= dict.fromkeys(("less welfare", "welfare lost %", "more welfare", *_within_itself()))
    return found


def _against_best() -> dict[str, pl.Expr]:
    """Return the figures that ask what the books could have had."""
    volume, top, worth, welfare = (pl.col(name) for name in ("bought", "best_volume", "worth", "welfare"))
    price, small = _mean_price("paid", "bought"), TOLERANCE * pl.max_horizontal(welfare, 1)
    too_low, too_high = price <= pl.col("price_low") - PRICE_TOLERANCE, price >= pl.col("price_high") + PRICE_TOLERANCE
    return {
        "less volume": (volume < top - TOLERANCE).sum(),
        "more volume": (volume > top + TOLERANCE).sum(),
        "off price": (too_low | too_high).sum(),
        "less welfare": (worth < welfare - small).sum(),
        "welfare lost %": pl.when(welfare.sum() > 0).then(100 * (1 - worth.sum() / welfare.sum())).round(2),
        "more welfare": (worth > welfare + small).sum(),
    }


def _within_itself() -> dict[str, pl.Expr]:
    """Return the figures that are read off the fills of each book."""
    over, little = pl.col("paid") - pl.col("received"), TOLERANCE * pl.max_horizontal(pl.col("paid").abs(), 1)
    return {
        "left out": pl.col("left_out").sum(),
        "unequal": ((pl.col("bought") - pl.col("sold")).abs() > TOLERANCE).sum(),
        "limit broken": pl.col("beyond").sum(),
        "kept": (over > little).sum(),
        "short": (over < -little).sum(),
    }


def _differences(sound: pl.DataFrame, same_rule: pl.DataFrame | None) -> dict[str, float | None]:
    """Count the books whose volume or mean prices are not those of gridlab's rule."""
    if same_rule is None:
        return {"volume differs": None, "price differs": None}
    both = sound.join(same_rule, on="book", how="inner", suffix="_same")
    volume = (pl.col("bought") - pl.col("bought_same")).abs() > TOLERANCE
    price = pl.lit(value=False)
    for names in (("paid", "bought"), ("received", "sold")):
        apart = _mean_price(*names) - _mean_price(*(f"{name}_same" for name in names))
        price |= (apart.abs() >= PRICE_TOLERANCE).fill_null(value=False)
    return both.select(volume.sum().alias("volume differs"), price.sum().alias("price differs")).row(0, named=True)


def _mean_price(money: str, energy: str) -> pl.Expr:
    """Return THB/MWh; null where nothing trades (0/0 would be NaN, which counts as larger than any bound)."""
    return pl.when(pl.col(energy) > 0).then(pl.col(money) / pl.col(energy))
