"""How fast the rule ``continuous`` of `gridlab.clear` is, on one core and on all, beside two things to compare it with.

::

    python -m benchmarks.continuous                      # one core, the table of docs/market/continuous.md
    python -m benchmarks.continuous --cores all --orders 1000000 --books 1000 --repeat 5 --json

Every contender starts from the same polars frame and is timed in turn, repetition after repetition, so that a busy
moment of the machine falls on all of them; a ratio is the median over the repetitions of the ratio within one. On one
core (the default) the process is bound to that core, polars has one thread, and what counts is processor time, which a
neighbour on the machine does not stretch; on all cores it is the time on the wall.

- **continuous**: `clear_continuous`, prices and fills made, every check of the frame included; **events** the same with
  the book after each event.
- **match**: the compiled kernel alone, on orders that already stand in arrival order.
- **sort**: `orders.sort(key)`, polars' own sort of the same frame by one Int64 column of distinct values.
- **plain**: the least that could do the matching alone: a compiled loop over the frame in arrival order with two binary
  heaps per book, cancelled orders left in the heap until they come to the top; no checks, no self-trade prevention, no
  fill-or-kill and no post-only (it takes them for ioc and limit), no frames.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.market.continuous_trading.continuous import clear_continuous
from gridlab.market.continuous_trading.continuous_book import KINDS, arrival_order, line_up, run_books
from gridlab.market.continuous_trading.continuous_door import check_arrivals, find_targets, kind_codes
from gridlab.market.core.books import number_books

BY = ("slot", "zone")
ZONES = 10
ACCOUNTS = 10_000
# (orders, books, width of the limits around the middle in THB/MWh): one busy book, a day's books, one very deep book.
CASES = ((1_000_000, 1, 60), (1_000_000, 1_000, 60), (1_000_000, 1, 200_000))
# Shares of limit, market, ioc, fok, post_only and cancel (synthetic).
MIX = (0.55, 0.03, 0.08, 0.02, 0.07, 0.25)
LIMIT, MARKET, IOC, FOK, POST_ONLY, CANCEL = range(len(KINDS))


def make_orders(orders: int, books: int, width: int, seed: int = 0) -> pl.DataFrame:
    """Return a day of order flow: limits scattered around a middle that wanders, cancels of earlier limit orders.

    Parameters
    ----------
    orders, books : int
        Rows, in arrival order, and books they fall in (uniformly).
    width : int
        Standard deviation of the limits around the middle (THB/MWh).
    seed : int

    Returns
    -------
    polars.DataFrame
        The order columns, and ``key``, an Int64 column of distinct values in random order, to sort by.
    """
    random = np.random.default_rng(seed)
    kind = random.choice(len(KINDS), orders, p=MIX).astype(np.uint8)
    book = random.integers(0, books, orders)
    account = random.integers(0, ACCOUNTS, orders, dtype=np.uint32)
    limits = np.flatnonzero((kind == LIMIT) | (kind == POST_ONLY))
    cancels = np.flatnonzero(kind == CANCEL)
    earlier = np.searchsorted(limits, cancels)
    kind[cancels[earlier == 0]] = LIMIT
    cancels, earlier = cancels[earlier > 0], earlier[earlier > 0]
    # Mostly young orders are cancelled: a twentieth of the earlier ones back on average.
    back = (random.exponential(0.05, len(cancels)) * earlier).astype(np.int64)
    target = limits[np.maximum(earlier - 1 - back, 0)]
    book[cancels], account[cancels] = book[target], account[target]
    named = np.zeros(orders, dtype=np.uint64)
    named[cancels] = target
    side = random.integers(0, 2, orders, dtype=np.uint8)
    middle = 4_000 + np.cumsum(random.integers(-1, 2, orders)) // 20
    price = middle + np.rint(random.normal(0, width, orders)).astype(np.int64) + np.where(side == 0, -width, width) // 2
    zones = min(ZONES, books)
    return pl.DataFrame(
        {
            "order_id": np.arange(orders, dtype=np.uint64),
            "slot": np.datetime64("2026-04-01T00:00", "us") + (book // zones) * np.timedelta64(15, "m"),
            "zone": pl.Series((book % zones).astype(np.uint8)).cat.to(pl.Enum([f"Z{zone}" for zone in range(zones)])),
            "account": account,
            "side": pl.Series(side).cat.to(pl.Enum(["buy", "sell"])),
            "price": price,
            "energy": random.integers(1, 20_000, orders),
            "kind": pl.Series(kind).cat.to(pl.Enum(KINDS)),
            "cancels": named,
            "key": random.permutation(orders),
        }
    ).with_columns(
        pl.col("slot").dt.replace_time_zone("Asia/Bangkok"),
        pl.when(pl.col("kind") == "cancel").then(pl.col("cancels")),
    )


@numba.njit(cache=True)
def push(heap: npt.NDArray[np.int64], size: int, key: int) -> None:
    """Put a key on a binary heap, the least on top."""
    child = size
    while child and heap[(child - 1) >> 1] > key:
        heap[child] = heap[(child - 1) >> 1]
        child = (child - 1) >> 1
    heap[child] = key


@numba.njit(cache=True)
def pop(heap: npt.NDArray[np.int64], size: int) -> None:
    """Take the least key off a binary heap of `size` keys."""
    last, parent = heap[size - 1], 0
    while True:
        child = 2 * parent + 1
        if child >= size - 1:
            break
        if child + 1 < size - 1 and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= last:
            break
        heap[parent] = heap[child]
        parent = child
    heap[parent] = last


@numba.njit(cache=True)
def plain_match(
    starts: npt.NDArray[np.int64],
    book: npt.NDArray[np.int64],
    side: npt.NDArray[np.uint8],
    kind: npt.NDArray[np.uint8],
    price: npt.NDArray[np.int64],
    energy: npt.NDArray[np.int64],
    cancels: npt.NDArray[np.uint64],
    left: npt.NDArray[np.int64],
) -> int:
    """Run all books with two heaps each; a key is merit and arrival. Write what is left of each order; count trades."""
    heaps = np.empty((2, len(side)), dtype=np.int64)
    sizes = np.zeros((2, len(starts)), dtype=np.int64)
    bits, low, high, trades = 24, price.min(), price.max(), 0
    for i in range(len(side)):
        if kind[i] == 5:
            left[cancels[i]] = 0
            continue
        s, b = np.int64(side[i]), book[i]
        other, wanted = heaps[1 - s, starts[b] :], energy[i]
        while wanted and sizes[1 - s, b]:
            maker = other[0] & ((1 << bits) - 1)
            crosses = kind[i] == 1 or (price[i] >= price[maker] if s == 0 else price[i] <= price[maker])
            if left[maker] and not crosses:
                break
            traded = min(wanted, left[maker])
            wanted -= traded
            left[maker] -= traded
            trades += traded > 0
            if left[maker] == 0:
                pop(other, sizes[1 - s, b])
                sizes[1 - s, b] -= 1
        if wanted and (kind[i] == 0 or kind[i] == 4):
            left[i] = wanted
            merit = high - price[i] if s == 0 else price[i] - low
            push(heaps[s, starts[b] :], sizes[s, b], (merit << bits) | i)
            sizes[s, b] += 1
    return trades


def plain(orders: pl.DataFrame, books: int) -> int:
    """Match with heaps, from the frame's columns; return the number of trades."""
    zones = min(ZONES, books)
    slot, zone, side, kind = (orders[name].to_physical().to_numpy() for name in ("slot", "zone", "side", "kind"))
    book = (slot - slot.min()) // 900_000_000 * zones + zone
    starts = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(book, minlength=books))[:-1]))
    named = orders["cancels"].fill_null(0).to_numpy()
    left = np.zeros(orders.height, dtype=np.int64)
    return plain_match(starts, book, side, kind, orders["price"].to_numpy(), orders["energy"].to_numpy(), named, left)


def seconds(act: Callable[[], Any], clock: Callable[[], float]) -> float:
    """Time one call, throwing its result away inside the measured time."""
    start = clock()
    act()
    return clock() - start


def measure(orders: int, books: int, width: int, repeat: int, clock: Callable[[], float]) -> dict[str, Any]:
    """Time the contenders on one frame, interleaved.

    Returns
    -------
    dict
        Milliseconds (medians), orders per second, and ratios (medians of the ratios within a repetition).
    """
    frame = make_orders(orders, books, width)
    checked = number_books(check_arrivals(frame, BY, None, None), BY)
    kind, (rows, firsts) = kind_codes(checked.orders), arrival_order(checked)
    lineup = line_up(checked, kind, find_targets(checked, kind, rows), rows, firsts)
    contenders: dict[str, Callable[[], Any]] = {
        "continuous": lambda: clear_continuous(frame, BY),
        "events": lambda: clear_continuous(frame, BY, events=True).events,
        "match": lambda: run_books(lineup, 0, events=False),
        "sort": lambda: frame.sort("key"),
        "plain": lambda: plain(frame, books),
    }
    as_plain = frame.with_columns(pl.col("kind").replace({"fok": "ioc", "post_only": "limit"}))
    if plain(frame, books) != clear_continuous(as_plain, BY, self_trade="allow").trades.height:
        raise AssertionError("the auction and the plain loop trade differently")
    for act in contenders.values():
        act()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeat):
        for name, act in contenders.items():
            times[name].append(seconds(act, clock))
    trades = clear_continuous(frame, BY).trades.height
    result: dict[str, Any] = {"orders": orders, "books": books, "width": width, "trades": trades}
    result |= {f"{name}_ms": round(median(taken) * 1e3, 1) for name, taken in times.items()}
    for name in ("continuous", "match"):
        result[f"{name} orders/s"] = f"{orders / median(times[name]):,.0f}"
    for name, over in (("continuous", "sort"), ("continuous", "plain"), ("match", "plain"), ("events", "continuous")):
        ratios = [one / other for one, other in zip(times[name], times[over], strict=True)]
        result[f"{name}/{over}"] = round(median(ratios), 2)
    return result


def bind_to_one_core(arguments: list[str]) -> int:
    """Run this benchmark in a process that has one core and lets polars have one thread."""
    command = [sys.executable, "-m", "benchmarks.continuous", *arguments, "--cores", "here"]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    core = {max(os.sched_getaffinity(0))}
    return subprocess.run(
        command, check=False, env=environment, cwd=Path(__file__).parents[1],
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    ).returncode  # fmt: skip


def main() -> int:
    """Run the benchmark from the command line; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, help="orders in the frame; with --books, instead of the usual cases")
    parser.add_argument("--books", type=int, default=1_000, help="books in the frame (default: %(default)s)")
    parser.add_argument("--width", type=int, default=60, help="scatter of the limits, THB/MWh (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--cores", choices=["one", "all", "here"], default="one", help="one (Linux), or all there are")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    if options.cores == "one":
        return bind_to_one_core(sys.argv[1:])
    cases = [(options.orders, options.books, options.width)] if options.orders else CASES
    clock = time.process_time if options.cores == "here" else time.perf_counter
    found = [measure(*case, options.repeat, clock) for case in cases]
    if options.json:
        print("\n".join(json.dumps(result) for result in found))
        return 0
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
