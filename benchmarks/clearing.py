"""How fast and how lean `gridlab.clear` is, as ratios to two things everybody can time on the same machine.

::

    python -m benchmarks.clearing                      # the table of docs/performance.md
    python -m benchmarks.clearing --orders 1000000 --books 7392 --repeat 9 --json

Every contender starts from the same polars frame and is timed in turn, repetition after repetition, so that a busy
moment of the machine falls on all of them; a ratio is the median over the repetitions of the ratio within one.

- **clear**: `gridlab.clear(orders)`, prices and fills collected, every check of the frame included.
- **sort**: `orders.sort(key)`, polars' own sort of the same frame by one Int64 column of distinct values.
- **plain**: the least that could do the matching alone: one Int64 key of book, side and limit, `numpy.argsort`, and a
  compiled two-pointer walk through the argsorted orders that writes fills by row; no checks, no rationing, no frames.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

import argparse
import ctypes
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import polars as pl

import gridlab as gl

ZONES = 11
# (orders, books): a class, a day's national book, a week of 15-minute slots in 11 zones, and ten times that.
CASES = ((1_000, 1), (1_000_000, 1), (1_000_000, 7_392), (10_000_000, 7_392))
ROW_ORDERS = ("by book", "shuffled")


def make_orders(orders: int, books: int, rows: str, seed: int = 0) -> pl.DataFrame:
    """Return a frame of random limit orders.

    Parameters
    ----------
    orders, books : int
        Rows, and books they fall in (uniformly).
    rows : str
        ``by book`` or ``shuffled``.
    seed : int

    Returns
    -------
    polars.DataFrame
        The order columns, and ``key``, an Int64 column of distinct values in random order, to sort by.
    """
    random = np.random.default_rng(seed)
    book = random.integers(0, books, orders)
    if rows == "by book":
        book.sort()
    zones = min(ZONES, books)
    zone_names = [f"Z{zone:02}" for zone in range(zones)]
    start = np.datetime64("2026-04-01T00:00", "us")
    ids = np.arange(orders, dtype=np.uint64)
    if rows == "shuffled":
        random.shuffle(ids)
    return pl.DataFrame(
        {
            "order_id": ids,
            "slot": start + (book // zones) * np.timedelta64(15, "m"),
            "zone": pl.Series((book % zones).astype(np.uint8)).cat.to(pl.Enum(zone_names)),
            "account": random.integers(0, 100_000, orders, dtype=np.uint32),
            "side": pl.Series(random.integers(0, 2, orders, dtype=np.uint8)).cat.to(pl.Enum(["buy", "sell"])),
            "price": random.integers(1_500, 6_000, orders),
            "energy": random.integers(1, 20_000, orders),
            "key": random.permutation(orders),
        }
    ).with_columns(pl.col("slot").dt.replace_time_zone("Asia/Bangkok"))


@numba.njit(cache=True, error_model="numpy")
def plain_keys(
    slot: npt.NDArray[np.int64],
    zone: npt.NDArray[np.uint8],
    side: npt.NDArray[np.uint8],
    price: npt.NDArray[np.int64],
    zones: int,
    bits: int,
) -> npt.NDArray[np.int64]:
    """Return book, side and merit of each order as one sort key."""
    first, low, high = slot.min(), price.min(), price.max()
    key = np.empty(len(slot), dtype=np.int64)
    for i in range(len(key)):
        book = np.int64((slot[i] - first) / 900e6) * zones + zone[i]
        merit = price[i] - low if side[i] else high - price[i]
        key[i] = ((book * 2 + side[i]) << bits) | merit
    return key


@numba.njit(cache=True)
def plain_walk(
    order: npt.NDArray[np.int64],
    key: npt.NDArray[np.int64],
    price: npt.NDArray[np.int64],
    energy: npt.NDArray[np.int64],
    filled: npt.NDArray[np.int64],
    prices: npt.NDArray[np.int64],
    shift: int,
) -> None:
    """Walk the argsorted orders book by book with two pointers; write fills by row and the last ask by book."""
    first, count = 0, len(order)
    while first < count:
        book = key[order[first]] >> shift
        middle = first
        while middle < count and key[order[middle]] >> (shift - 1) == book * 2:
            middle += 1
        end = middle
        while end < count and key[order[end]] >> shift == book:
            end += 1
        i, j = first, middle
        buy_left = energy[order[i]] if i < middle else 0
        sell_left = energy[order[j]] if j < end else 0
        while i < middle and j < end and price[order[i]] >= price[order[j]]:
            traded = min(buy_left, sell_left)
            filled[order[i]] += traded
            filled[order[j]] += traded
            prices[book] = price[order[j]]
            buy_left -= traded
            sell_left -= traded
            if buy_left == 0:
                i += 1
                buy_left = energy[order[i]] if i < middle else 0
            if sell_left == 0:
                j += 1
                sell_left = energy[order[j]] if j < end else 0
        first = end


def plain(orders: pl.DataFrame, books: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Match by argsort and two-pointer walk; return fills by row and a price by book."""
    zones = min(ZONES, books)
    slot, zone, side = (orders[name].to_physical().to_numpy() for name in ("slot", "zone", "side"))
    price, energy = orders["price"].to_numpy(), orders["energy"].to_numpy()
    bits = int(price.max() - price.min()).bit_length()
    key = plain_keys(slot, zone, side, price, zones, bits)
    order = np.argsort(key)
    filled, prices = np.zeros(len(key), dtype=np.int64), np.zeros(books, dtype=np.int64)
    plain_walk(order, key, price, energy, filled, prices, bits + 1)
    return filled, prices


def seconds(act: Callable[[], Any]) -> float:
    """Time one call, throwing its result away inside the measured time."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def measure(orders: int, books: int, rows: str, repeat: int) -> dict[str, Any]:
    """Time the contenders on one frame, interleaved.

    Returns
    -------
    dict
        Milliseconds (medians) and ratios (medians of the ratios within a repetition).
    """
    frame = make_orders(orders, books, rows)
    contenders: dict[str, Callable[[], Any]] = {
        "clear": lambda: gl.clear(frame),
        "sort": lambda: frame.sort("key"),
        "plain": lambda: plain(frame, books),
        "trades": lambda: gl.clear(frame).trades,
        "pay_as_bid": lambda: gl.clear(frame, "pay_as_bid"),
    }
    if int(plain(frame, books)[0].sum()) != int(gl.clear(frame).fills["filled"].sum()):
        raise AssertionError("clear and the plain walk trade different volumes")
    for act in contenders.values():
        act()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeat):
        for name, act in contenders.items():
            times[name].append(seconds(act))
    result: dict[str, Any] = {"orders": orders, "books": books, "rows": rows}
    result |= {f"{name}_ms": round(median(taken) * 1e3, 2) for name, taken in times.items()}
    for name, over in (("clear", "sort"), ("clear", "plain"), ("pay_as_bid", "trades")):
        ratios = [one / other for one, other in zip(times[name], times[over], strict=True)]
        result[f"{name}/{over}"] = round(median(ratios), 2)
    return result


def measure_memory(orders: int, books: int, rows: str) -> float:
    """Return the peak of resident memory that one call adds, over the frame's own size, in a process of its own."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "orders.parquet")
        make_orders(orders, books, rows).write_parquet(file)
        command = [sys.executable, "-m", "benchmarks.clearing", "--memory", str(file)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return float(answer.stdout)


def peak_of_call(file: str) -> float:
    """Return the peak of resident memory over its level before the call, in sizes of the frame in `file` (Linux)."""
    gl.clear(make_orders(500_000, 1, "shuffled"))  # loads what a first call loads
    frame = pl.read_parquet(file).rechunk()
    # What was freed goes back to the system (polars' allocator takes a second), so that the call cannot use it unseen.
    ctypes.CDLL(None).malloc_trim(0)
    time.sleep(2)
    Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark to the present level
    before = _status("VmRSS")
    clearing = gl.clear(frame)
    added = _status("VmHWM") - before
    return added / frame.estimated_size() if len(clearing.fills) else 0.0


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, help="orders in the frame; with --books, instead of the usual cases")
    parser.add_argument("--books", type=int, default=7_392, help="books in the frame (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=7, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    parser.add_argument("--memory", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(peak_of_call(options.memory))
        return
    cases = [(options.orders, options.books)] if options.orders else CASES
    found = []
    for orders, books in cases:
        for rows in ROW_ORDERS:
            result = measure(orders, books, rows, options.repeat)
            if orders >= 1_000_000 and sys.platform == "linux":
                result["peak/frame"] = round(measure_memory(orders, books, rows), 2)
            found.append(result)
            if options.json:
                print(json.dumps(result), flush=True)
    if not options.json:
        with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, tbl_hide_column_data_types=True,
                       tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
            print(pl.DataFrame(found))


if __name__ == "__main__":
    main()
