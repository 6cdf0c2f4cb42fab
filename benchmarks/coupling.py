"""How fast `gridlab.market.couple` is, as a ratio to HiGHS's own time for the same linear programme.

::

    python -m benchmarks.coupling
    python -m benchmarks.coupling --orders 100000 --slots 96 --repeat 5 --json

One day of 7 zones and 96 slots. Every repetition times, one after the other on the same frame:

- **couple**: `gridlab.market.couple(orders, limits)`: every check, the programme, whole Wh, prices, fills and flows.
- **highs**: HiGHS alone on the programme of the whole market, one variable per distinct limit of a book and one per
  corridor, built beforehand: the time inside `HiGHS.run` through SciPy's `milp`, without SciPy's own conversions.
- **highs inside**: the time that HiGHS takes within `couple`, which leaves out limits about which there is no choice.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.optimize._highspy import _core
from scipy.sparse import csc_array

from gridlab.market.zones.coupling import couple

ZONES = ("MAC", "CAC", "NEC", "SAC", "NAC", "Lao PDR", "Malaysia")
# One direction of each corridor and its limit (MW); the other has the same.
CORRIDORS = (("NAC", "CAC", 3000), ("NEC", "CAC", 2000), ("NEC", "NAC", 600), ("MAC", "CAC", 12000),
             ("CAC", "SAC", 1600), ("Lao PDR", "NEC", 3947), ("SAC", "Malaysia", 380))  # fmt: skip
MW = 250_000
LARGEST = 60_000_000


def make_orders(orders: int, slots: int, seed: int = 0) -> pl.DataFrame:
    """Return a day of random orders of up to 60 MWh, as many buys as sells, in all zones."""
    random = np.random.default_rng(seed)
    start = np.datetime64("2026-04-01T00:00", "us")
    return pl.DataFrame(
        {
            "order_id": np.arange(orders, dtype=np.uint64),
            "slot": start + random.integers(0, slots, orders) * np.timedelta64(15, "m"),
            "zone": pl.Series(random.integers(0, len(ZONES), orders).astype(np.uint8)).cat.to(pl.Enum(ZONES)),
            "account": random.integers(0, 100_000, orders, dtype=np.uint32),
            "side": pl.Series(random.integers(0, 2, orders, dtype=np.uint8)).cat.to(pl.Enum(["buy", "sell"])),
            "price": random.integers(1_500, 6_000, orders),
            "energy": random.integers(1, LARGEST, orders),
        }
    ).with_columns(pl.col("slot").dt.replace_time_zone("Asia/Bangkok"))


def make_limits() -> pl.DataFrame:
    """Return the corridors, both ways."""
    both = [pair for start, end, limit in CORRIDORS for pair in ((start, end, limit), (end, start, limit))]
    return pl.DataFrame(both, schema=["from_zone", "to_zone", "limit_mw"], orient="row")


class Whole:
    """The programme of the whole market, written in the plainest way."""

    def __init__(self, orders: pl.DataFrame, limits: pl.DataFrame) -> None:
        keys = orders.select("slot", "zone", "price").with_columns(pl.col("slot").rank("dense") - 1)
        book = (keys["slot"].to_numpy().astype(np.int64) * len(ZONES)) + keys["zone"].to_physical().to_numpy()
        slots = int(keys["slot"].max()) + 1  # type: ignore[arg-type]
        sells = (orders["side"] == "sell").to_numpy()
        steps = (
            pl.DataFrame({"book": book, "price": orders["price"], "energy": orders["energy"]})
            .group_by("book", "price")
            .agg(pl.col("energy").sum())
            .sort("book", "price")
        )
        demand = np.bincount(book[~sells], weights=orders["energy"].to_numpy()[~sells], minlength=slots * len(ZONES))
        start, end = (np.array([ZONES.index(zone) for zone in limits[name]]) for name in ("from_zone", "to_zone"))
        first = np.arange(slots)[:, None] * len(ZONES)
        flows, count = slots * limits.height, steps.height
        columns = np.concatenate((np.arange(count), np.tile(count + np.arange(flows), 2)))
        rows = np.concatenate((steps["book"].to_numpy(), (first + start).ravel(), (first + end).ravel()))
        values = np.concatenate((np.ones(count), -np.ones(flows), np.ones(flows)))
        self.cost = np.concatenate((steps["price"].to_numpy(), np.zeros(flows)))
        self.matrix = csc_array((values, (rows, columns)), shape=(slots * len(ZONES), count + flows))
        # In MWh: HiGHS warns of bounds beyond a million.
        self.demand = demand / 1e6
        capacity = np.tile(limits["limit_mw"].to_numpy() * MW, slots)
        self.upper = np.concatenate((steps["energy"].to_numpy(), capacity)) / 1e6
        self.constant = 1e6

    def solve(self, worth: float) -> float:
        """Solve; return the welfare (micro-THB), `worth` being that of all buys at their limits."""
        rows = LinearConstraint(self.matrix, self.demand, self.demand)
        found = milp(self.cost, constraints=rows, bounds=Bounds(0, self.upper))
        return worth - float(found.fun) * self.constant


@contextmanager
def highs_clock() -> Iterator[list[float]]:
    """Collect the seconds that HiGHS runs while the block is open."""
    taken: list[float] = []
    solver = _core._Highs  # noqa: SLF001 - the one place where HiGHS alone can be timed
    run = solver.run

    def timed(self: Any) -> Any:
        start = time.perf_counter()
        try:
            return run(self)
        finally:
            taken.append(time.perf_counter() - start)

    solver.run = timed
    try:
        yield taken
    finally:
        solver.run = run


def measure(orders: int, slots: int, repeat: int) -> dict[str, Any]:
    """Time the contenders, interleaved.

    Returns
    -------
    dict
        Milliseconds (medians), and ratios (medians of the ratios within a repetition).
    """
    frame, limits = make_orders(orders, slots), make_limits()
    whole = Whole(frame, limits)
    buys = frame.filter(pl.col("side") == "buy")
    worth = float((buys["price"].cast(pl.Float64) * buys["energy"]).sum())
    welfare, best = couple(frame, limits).prices["welfare"].sum(), whole.solve(worth)
    if abs(welfare - best) > 1e-9 * abs(best):
        raise AssertionError(f"couple finds a welfare of {welfare}, the whole programme one of {best}")
    times: dict[str, list[float]] = {"couple": [], "highs": [], "inside": []}
    for _ in range(repeat):
        with highs_clock() as taken:
            start = time.perf_counter()
            couple(frame, limits)
            times["couple"].append(time.perf_counter() - start)
        times["inside"].append(sum(taken))
        with highs_clock() as taken:
            whole.solve(worth)
        times["highs"].append(sum(taken))
    result: dict[str, Any] = {"orders": orders, "zones": len(ZONES), "slots": slots}
    result |= {f"{name}_ms": round(median(seconds) * 1e3, 1) for name, seconds in times.items()}
    for over in ("highs", "inside"):
        ratios = [one / other for one, other in zip(times["couple"], times[over], strict=True)]
        result[f"couple/{over}"] = round(median(ratios), 2)
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100_000, help="orders of the day (default: %(default)s)")
    parser.add_argument("--slots", type=int, default=96, help="slots of the day (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print a JSON line instead of a table")
    options = parser.parse_args()
    result = measure(options.orders, options.slots, options.repeat)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:>14}  {value:,}")


if __name__ == "__main__":
    main()
