"""What leaving quiet time out gains on the public chain: milliseconds per slot, and seconds for a day.

::

    python -m benchmarks.public_quiet
    python -m benchmarks.public_quiet --slots 200 --repeat 3 --json

``walked`` looks at every tick of a tenth of a second and counts all votes anew in each; ``jumped`` leaves out the ticks
at which nothing can happen, with the same result to the byte. Both run in turn, with a block in every slot and without
transactions. A ratio is the median over the repetitions of the ratio within one. ``day`` is one of 14,400 slots without
transactions, with a block every 100 and every 600 slots.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from statistics import median
from typing import Any

import polars as pl

from benchmarks.clearing import seconds
from gridlab.chain.public import PublicChain, PublicTerms

DAY = 14_400


def _chain(validators: int, *, walks: bool) -> PublicChain:
    chain = PublicChain(terms=PublicTerms(validators=validators))
    # The reference is the same network with the leaving out turned off.
    chain._network.walks = walks  # noqa: SLF001 - nobody else should turn it off
    return chain


def measure(slots: int, repeat: int, day: int = DAY) -> list[dict[str, Any]]:
    """Return a row per number of validators, and one per kind of day.

    Parameters
    ----------
    slots : int
        With 4 validators; a tenth as many with 100.
    repeat : int
        Interleaved repetitions.
    day : int
        Slots of a day.
    """
    rows = []
    for validators, count in ((4, slots), (10, max(slots // 2, 1)), (100, max(slots // 10, 1))):
        found: dict[str, list[float]] = {"walked": [], "jumped": []}
        for _ in range(repeat):
            for name, times in found.items():
                chain = _chain(validators, walks=name == "walked")
                times.append(1_000 * seconds(partial(chain.run, count)) / count)
        ratios = [one / other for one, other in zip(found["walked"], found["jumped"], strict=True)]
        rows.append(
            {
                "what": f"slot, {validators} validators",
                "walked_ms": round(median(found["walked"]), 2),
                "jumped_ms": round(median(found["jumped"]), 2),
                "walked/jumped": round(median(ratios), 2),
            }
        )
    for idle in (100, 600):
        times = []
        for _ in range(repeat):
            chain = PublicChain(terms=PublicTerms(validators=4, idle_slots=idle))
            times.append(1_000 * seconds(partial(chain.run, day)))
        rows.append({"what": f"day, a block every {idle} slots", "walked_ms": None,
                     "jumped_ms": round(median(times), 1), "walked/jumped": None})  # fmt: skip
    return rows


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=100, help="slots with 4 validators (default: %(default)s)")
    parser.add_argument("--day", type=int, default=DAY, help="slots of a day (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = measure(options.slots, options.repeat, options.day)
    if options.json:
        print("\n".join(json.dumps(row) for row in found))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame(found))


if __name__ == "__main__":
    main()
