"""A national day: 77 provinces x 96 slots x 1,000 prosumers, cleared, billed and settled in one call.

::

    python -m benchmarks.national_day                 # 7,392,000 orders
    python -m benchmarks.national_day --prosumers 100

Reported: the wall clock of each part as a ratio to polars' own sort of the same frame by one Int64 column, in the same
run; and the highest resident memory of the whole as a ratio to the frame's size, both read in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import polars as pl

import gridlab as gl
from gridlab.agents.population import KINDS
from gridlab.market.charges.settlement import Institutions

PROVINCES, SLOTS = 77, 96


def make_accounts(prosumers: int) -> pl.DataFrame:
    """Return 77 provinces of `prosumers` accounts each, as `gridlab.frames.ACCOUNTS`."""
    names = gl.dataset("provinces")["province"].to_list()
    count = PROVINCES * prosumers
    province = np.repeat(np.arange(PROVINCES), prosumers)
    index = np.arange(count)
    kind = np.random.default_rng(0).integers(0, len(KINDS), count)
    return pl.DataFrame(
        {
            "account": index.astype(np.uint32),
            "name": pl.Series(index).cast(pl.String),
            "kind": pl.Series([k.name for k in KINDS]).gather(kind),
            "zone": pl.Series(names, dtype=pl.Enum(names)).gather(province),
            "utility": pl.Series(["MEA" if p < 3 else "PEA" for p in range(PROVINCES)]).gather(province),
            "area": province.astype(np.uint32),
            "substation": (index // 240).astype(np.uint32),
            "feeder": (index // 60).astype(np.uint32),
            "transformer": (index // 5).astype(np.uint32),
            "tariff": pl.Series([k.tariff for k in KINDS]).gather(kind),
            "voltage": pl.Series([k.voltage for k in KINDS]).gather(kind),
            "monthly_kwh": np.full(count, 400.0),
            "peak_kw": np.full(count, 2.0),
            "pv_kw": np.full(count, 3.0),
        }
    )


def make_orders(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return one order of every account in every slot: half buy, half sell, at limits that cross."""
    draw = np.random.default_rng(1)
    count = accounts.height
    rows = count * SLOTS
    sell = draw.integers(0, 2, rows, dtype=np.uint8)
    slots = gl.calendar.slots("2026-05-06", hours=24)
    return pl.DataFrame(
        {
            "order_id": np.arange(rows, dtype=np.uint64),
            "slot": slots.gather(np.repeat(np.arange(SLOTS), count)),
            "zone": accounts["zone"].gather(np.tile(np.arange(count), SLOTS)),
            "account": np.tile(accounts["account"].to_numpy(), SLOTS),
            "side": pl.Series(sell).cat.to(pl.Enum(["buy", "sell"])),
            "price": np.where(sell == 1, draw.integers(2200, 3000, rows), draw.integers(2400, 3300, rows)),
            "energy": draw.integers(1, 2000, rows),
        }
    )


def measure(prosumers: int) -> dict[str, float]:
    """Run the day once in this process and return what was measured."""
    accounts = make_accounts(prosumers)
    orders = make_orders(accounts)
    key = pl.Series("key", np.random.default_rng(2).permutation(orders.height))
    institutions = Institutions(
        market_operator=accounts.height,
        grid=accounts.height + 1,
        revenue_department=accounts.height + 2,
        utilities={"MEA": accounts.height + 3, "PEA": accounts.height + 4},
    )
    market = gl.Market()
    market.settle(orders.head(500_000), accounts, institutions)  # compiles the kernel
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    started = time.perf_counter()
    settled = market.settle(orders, accounts, institutions)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    started = time.perf_counter()
    orders.with_columns(key).sort("key")
    sort = time.perf_counter() - started
    assert settled.transfers["amount"].min() > 0
    return {
        "orders": orders.height,
        "trades": settled.trades.height,
        "payments": settled.transfers.height,
        "frame_mb": orders.estimated_size() / 1e6,
        "seconds": seconds,
        "ratio_to_sort": seconds / sort,
        "peak_over_frame": peak / orders.estimated_size(),
    }


def main() -> None:
    """Measure in a fresh process, so that the highest resident memory is this day's own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prosumers", type=int, default=1000, help="per province (default: %(default)s)")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(measure(options.prosumers)))
        return
    command = [sys.executable, "-m", "benchmarks.national_day", "--inside", "--prosumers", str(options.prosumers)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for name, value in found.items():
        print(f"{name:<18}{value:>16,.2f}")


if __name__ == "__main__":
    main()
