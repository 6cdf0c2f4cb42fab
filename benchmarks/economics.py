"""What ten years of the GRID economy cost: seconds, and the ratio to one path after another in whole numbers.

::

    python -m benchmarks.economics
    python -m benchmarks.economics --years 10 --paths 5000 --repeat 3 --json

``simulate`` follows all paths at once in floats and makes the monthly bands. ``loop`` is the plain reference: the exact
path, era after era in Python's whole numbers, for a few of the same paths, scaled up to all. Both draw their chance
themselves. The runs alternate; a ratio is the median over the repetitions of the ratio within one. ``farthest`` is the
largest distance of a figure between the two on those paths at the end, relative to the figure or to 1 GRID.
"""

from __future__ import annotations

import argparse
import json
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks.clearing import seconds
from gridlab.governance import economics
from gridlab.units import MICRO

_FEW = 4


def distance(run: economics.EconomicsRun, years: float, seed: int) -> float:
    """Return how far floats and whole numbers end apart on a few paths."""
    farthest = 0.0
    for path in range(_FEW):
        exact = economics.exact_path(years, seed=seed, path=path).select(economics.FIGURES).tail(1)
        whole = np.array(exact.row(0), float)
        apart = np.abs(run.figures[:, -1, path] - whole) / np.maximum(whole, MICRO)
        farthest = max(farthest, float(apart.max()))
    return farthest


def measure(years: float, paths: int, repeat: int) -> dict[str, Any]:
    """Time both, interleaved; return seconds and ratio (medians)."""
    if paths < _FEW:
        raise SystemExit(f"--paths {paths} is too few: at least {_FEW}")
    fast, loop = [], []
    for seed in range(repeat):
        fast.append(seconds(lambda: economics.simulate(years, paths, seed).bands()))  # noqa: B023 - called at once
        few = seconds(lambda: [economics.exact_path(years, seed=seed, path=path) for path in range(_FEW)])  # noqa: B023
        loop.append(few * paths / _FEW)
    run = economics.simulate(years, paths, 0)
    return {
        "years": years,
        "eras": run.model.eras,
        "paths": paths,
        "simulate s": round(median(fast), 3),
        "million path-eras/s": round(run.model.eras * paths / median(fast) / 1e6, 2),
        "loop s": round(median(loop), 1),
        "loop/simulate": round(median([slow / quick for slow, quick in zip(loop, fast, strict=True)]), 1),
        "farthest": f"{distance(run, years, 0):.1e}",
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=float, default=10, help="Julian years (default: %(default)s)")
    parser.add_argument("--paths", type=int, default=2_000, help="Monte Carlo paths (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = measure(options.years, options.paths, options.repeat)
    if options.json:
        print(json.dumps(found))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame([found]))


if __name__ == "__main__":
    main()
