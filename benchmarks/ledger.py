"""How fast and how lean the ledger applies transfers, as ratios to a polars group-by sum of the same frame.

::

    python -m benchmarks.ledger                  # the table
    python -m benchmarks.ledger --repeat 15 --json

Contenders are timed in turn, repetition after repetition, so that a busy moment of the machine falls on all of them; a
ratio is the median over the repetitions of the ratio within one.

- **apply**: `Ledger.apply(transfers)` on a fork of a funded ledger: every check, every balance, the memory of the ids.
- **each**: `Ledger.apply_each(transfers, senders)` likewise, one sender per row, or the same number of rows with
  refusals among them.
- **group-by**: ``transfers.group_by("debit_account", "asset").agg(pl.col("amount").sum())``.
"""

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

import numpy as np
import polars as pl

from gridlab.chain.ledger import ASSETS, CODES, PHASES, Ledger

ACCOUNTS = 100_000
CASES = (300, 1_000, 10_000, 100_000, 1_000_000)
FUNDS = 10**12


def make_transfers(rows: int, accounts: int = ACCOUNTS, *, first_id: int = 1, seed: int = 0) -> pl.DataFrame:
    """Return random payments in WATT, none of which overdraws a funded account; ids grow."""
    random = np.random.default_rng(seed)
    debit = random.integers(1, accounts, rows)
    credit = (debit - 1 + random.integers(1, accounts - 1, rows)) % (accounts - 1) + 1
    return pl.DataFrame(
        {
            "transfer_id": np.arange(first_id, first_id + rows, dtype=np.uint64),
            "debit_account": debit.astype(np.uint32),
            "credit_account": credit.astype(np.uint32),
            "asset": pl.Series(["WATT"], dtype=ASSETS).new_from_index(0, rows),
            "amount": random.integers(1, 100_000, rows),
            "code": pl.Series(["energy"], dtype=CODES).new_from_index(0, rows),
        }
    )


def make_reservations(rows: int) -> pl.DataFrame:
    """Return pairs of rows: a pending payment, and the post of it."""
    pending = make_transfers(rows // 2).with_columns(phase=pl.lit("pending", PHASES), pending_id=pl.lit(0, pl.UInt64))
    post = pending.with_columns(
        transfer_id=pl.col("transfer_id") + rows, phase=pl.lit("post", PHASES), pending_id="transfer_id"
    )
    return pl.concat([pending, post])


def funded(accounts: int = ACCOUNTS) -> Ledger:
    """Return a ledger whose account 0 issues WATT and has given the same to all others."""
    book = Ledger(accounts, issuers={"WATT": [0]})
    mint = make_transfers(accounts - 1, accounts).with_columns(
        debit_account=pl.lit(0, pl.UInt32),
        credit_account=pl.int_range(1, accounts, dtype=pl.UInt32),
        amount=pl.lit(FUNDS, pl.Int64),
    )
    book.apply(mint, sender=0)
    return book


def group_by(transfers: pl.DataFrame) -> pl.DataFrame:
    """Return what every account pays per asset."""
    return transfers.group_by("debit_account", "asset").agg(pl.col("amount").sum())


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def contenders(rows: int, book: Ledger) -> dict[str, Callable[[], float]]:
    """Return per contender the function that runs it once and gives its seconds, the fork of the ledger left out."""
    plain, phased = make_transfers(rows), make_reservations(rows)
    poor = plain.with_columns(amount=pl.when(pl.int_range(pl.len()) % 10 == 0).then(2 * FUNDS).otherwise("amount"))
    senders = plain["debit_account"].to_numpy()

    def on_fork(act: Callable[[Ledger], object]) -> Callable[[], float]:
        def run() -> float:
            fork = book.fork()
            return _seconds(lambda: act(fork))

        return run

    return {
        "group-by": lambda: _seconds(lambda: group_by(plain)),
        "apply": on_fork(lambda fork: fork.apply(plain, sender=1)),
        "two-phase": on_fork(lambda fork: fork.apply(phased, sender=1)),
        "each": on_fork(lambda fork: fork.apply_each(plain, senders)),
        "each, 10 % refused": on_fork(lambda fork: fork.apply_each(poor, senders)),
    }


def measure(rows: int, book: Ledger, repeat: int) -> dict[str, Any]:
    """Return the milliseconds of each contender, and its ratio to the group-by."""
    runs = contenders(rows, book)
    for run in runs.values():
        run()
    times = {name: [] for name in runs}
    for _ in range(repeat):
        for name, run in runs.items():
            times[name].append(run())
    result: dict[str, Any] = {"rows": rows}
    for name, seconds in times.items():
        result[f"{name} (ms)"] = round(median(seconds) * 1e3, 3)
    for name, seconds in times.items():
        if name != "group-by":
            ratios = [own / other for own, other in zip(seconds, times["group-by"], strict=True)]
            result[f"{name} / group-by"] = round(median(ratios), 2)
    return result


def measure_memory(rows: int) -> float:
    """Return the peak of resident memory that one `apply` adds, over the frame's own size, in a process of its own."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "transfers.parquet"
        make_transfers(rows).write_parquet(file)
        command = [sys.executable, "-m", "benchmarks.ledger", "--memory", str(file)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return float(answer.stdout)


def peak_of_apply(file: str) -> float:
    """Return the peak of resident memory over its level before `apply`, in sizes of the frame in `file` (Linux)."""
    book = funded()
    book.fork().apply(make_transfers(500_000), sender=1)  # loads what a first call loads
    frame = pl.read_parquet(file).rechunk()
    # What was freed goes back to the system (polars' allocator takes a second), so that the call cannot use it unseen.
    ctypes.CDLL(None).malloc_trim(0)
    time.sleep(2)
    Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark to the present level
    before = _status("VmRSS")
    applied = book.apply(frame, sender=1)
    added = _status("VmHWM") - before
    return added / frame.estimated_size() if applied.applied else 0.0


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help="rows of the frame, instead of the usual cases")
    parser.add_argument("--repeat", type=int, default=7, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    parser.add_argument("--memory", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print(peak_of_apply(options.memory))
        return
    book = funded()
    results = []
    for rows in [options.rows] if options.rows else CASES:
        result = measure(rows, book, options.repeat)
        if rows >= 1_000_000:
            result["peak/frame"] = round(measure_memory(rows), 2)
        results.append(result)
    if options.json:
        for result in results:
            print(json.dumps(result))
        return
    with pl.Config(tbl_cols=-1, tbl_rows=-1, tbl_width_chars=200, tbl_hide_dataframe_shape=True):
        print(pl.DataFrame(results, infer_schema_length=None).transpose(include_header=True, header_name="figure"))


if __name__ == "__main__":
    main()
