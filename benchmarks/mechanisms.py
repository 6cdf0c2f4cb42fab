"""What the truthful mechanisms and the tiered market cost beside the uniform price, on the same frame in one run.

::

    python -m benchmarks.mechanisms
    python -m benchmarks.mechanisms --orders 1000000 --books 7392 --repeat 9 --json

Every rule clears the same polars frame, checks, prices and fills included, in turn, repetition after repetition, so
that a busy moment of the machine falls on all of them; a ratio is the median over the repetitions of the ratio to
``uniform`` within one. The frame carries four location columns, which ``tiered`` alone reads.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import polars as pl

import gridlab as gl
from benchmarks.clearing import ROW_ORDERS, ZONES, make_orders, seconds
from gridlab.market.charges.wheeling import Wheeling
from gridlab.market.truthful_auctions.truthful_rules import TRUTHFUL_RULES

# Meters per transformer, transformers per feeder, feeders per substation, substations per area.
_TREE = (("transformer", 20), ("feeder", 40), ("substation", 8), ("area", 10))


def with_places(orders: pl.DataFrame) -> pl.DataFrame:
    """Return the orders with the places of their accounts, which stand in a tree within their zone."""
    account, zone = orders["account"].to_numpy(), orders["zone"].to_physical().to_numpy()
    # The accounts of the country, shared out over its zones: some nine thousand meters each.
    places, number = {}, account // np.uint32(ZONES)
    for name, size in _TREE:
        number = number // size
        places[name] = zone.astype(np.uint32) * 10_000 + number
    return orders.with_columns(**{name: pl.Series(values) for name, values in places.items()})


def measure(orders: int, books: int, rows: str, repeat: int) -> dict[str, Any]:
    """Time all rules on one frame, interleaved; return milliseconds (medians) and ratios to ``uniform``."""
    frame = with_places(make_orders(orders, books, rows))
    tariff = Wheeling(scheme="distance_ladder")
    contenders: dict[str, Callable[[], Any]] = {"uniform": lambda: gl.clear(frame)}
    contenders |= {rule: lambda rule=rule: gl.clear(frame, rule) for rule in TRUTHFUL_RULES}  # type: ignore[misc]
    contenders["tiered"] = lambda: gl.clear(frame, "tiered", tariff=tariff)
    for act in contenders.values():
        act()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeat):
        for name, act in contenders.items():
            times[name].append(seconds(act))
    result: dict[str, Any] = {"orders": orders, "books": books, "rows": rows}
    result["uniform_ms"] = round(median(times["uniform"]) * 1e3, 2)
    for name in list(contenders)[1:]:
        ratios = [one / other for one, other in zip(times[name], times["uniform"], strict=True)]
        result[f"{name}/uniform"] = round(median(ratios), 2)
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_000_000, help="orders in the frame (default: %(default)s)")
    parser.add_argument("--books", type=int, default=7_392, help="books in the frame (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=7, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = [measure(options.orders, options.books, rows, options.repeat) for rows in ROW_ORDERS]
    if options.json:
        print(*map(json.dumps, found), sep="\n")
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame(found))


if __name__ == "__main__":
    main()
