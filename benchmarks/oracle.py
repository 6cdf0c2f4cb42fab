"""What aggregating observations costs: medians, counts and distances of a million, and the ratio to polars' own median.

::

    python -m benchmarks.oracle
    python -m benchmarks.oracle --observations 200000 --repeat 3 --json

``medians`` gives each round's upper median, count and MAD and each observation's distance in MADs. ``polars`` is the
group-by median of the same frame, which gives the first of these. Both are timed on a frame in order and on the same
frame shuffled. A ratio is the median over the repetitions of the ratio within one. ``checked`` is what
`check_observations` takes to verify observations, ``signed`` what `sign_observations` takes to sign them, both on all
cores, with keys of each repetition's own, so that no verdict is known.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks.clearing import seconds
from gridlab.chain.oracle import OBSERVATIONS, ProviderSet, check_observations
from gridlab.oracle.medians import medians
from gridlab.oracle.signing import sign_observations

_FEEDS, _PROVIDERS = 20, 15


def observations(count: int, seed: int) -> pl.DataFrame:
    """Return about `count` observations of twenty feeds by fifteen providers, without signatures."""
    rounds = max(count // (_FEEDS * _PROVIDERS), 1)
    names = [f"price/{feed}" for feed in range(_FEEDS)]
    size = _FEEDS * rounds * _PROVIDERS
    columns = {
        "feed": np.repeat(names, rounds * _PROVIDERS),
        "epoch": np.ones(size, np.uint64),
        "round": np.tile(np.repeat(np.arange(rounds, dtype=np.uint64), _PROVIDERS), _FEEDS),
        "provider": np.tile(np.arange(_PROVIDERS, dtype=np.uint32), _FEEDS * rounds),
        "value": np.random.default_rng(seed).integers(3_000_000, 3_100_000, size),
    }
    return pl.DataFrame(columns)


def by_polars(frame: pl.DataFrame) -> pl.DataFrame:
    """Return polars' median of every round."""
    return frame.group_by("feed", "epoch", "round").agg(pl.col("value").median())


def measure(count: int, signed: int, repeat: int) -> dict[str, Any]:
    """Time all, interleaved; return times and ratios (medians)."""
    times: dict[str, list[float]] = {
        name: [] for name in ("medians", "polars", "shuffled", "polars shuffled", "signed", "checked")
    }
    size = 0
    for seed in range(repeat):
        frame = observations(count, seed)
        mixed = frame.sample(fraction=1.0, shuffle=True, seed=seed)
        size = frame.height
        times["polars"].append(seconds(lambda: by_polars(frame)))  # noqa: B023 - called at once
        times["medians"].append(seconds(lambda: medians(frame)))  # noqa: B023
        times["polars shuffled"].append(seconds(lambda: by_polars(mixed)))  # noqa: B023
        times["shuffled"].append(seconds(lambda: medians(mixed)))  # noqa: B023
        found = medians(frame).rounds
        # Of fifteen observations there is one in the middle, so both medians are the same.
        assert (
            found.sort("feed", "round")["value"]
            .cast(pl.Float64)
            .equals(by_polars(frame).sort("feed", "round")["value"])
        )
        some = frame.head(signed).with_columns(observed=pl.lit(0).cast(OBSERVATIONS.columns[5].dtype))
        signatures: list[pl.DataFrame] = []
        sign = partial(sign_observations, some, seed=seed, network="benchmark")
        times["signed"].append(seconds(lambda: signatures.append(sign())))  # noqa: B023
        some = signatures[0]
        providers = ProviderSet.sandbox(_PROVIDERS, seed=seed, network="benchmark")
        times["checked"].append(seconds(lambda: check_observations(some, providers)))  # noqa: B023
    return {
        "observations": size,
        "rounds": size // _PROVIDERS,
        "medians ms": round(1000 * median(times["medians"]), 1),
        "polars ms": round(1000 * median(times["polars"]), 1),
        "medians/polars": _ratio(times["medians"], times["polars"]),
        "shuffled medians/polars": _ratio(times["shuffled"], times["polars shuffled"]),
        "signed observations/s": round(signed / median(times["signed"])),
        "checked observations/s": round(signed / median(times["checked"])),
    }


def _ratio(one: list[float], other: list[float]) -> float:
    return round(median([a / b for a, b in zip(one, other, strict=True)]), 2)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--observations", type=int, default=1_000_000, help="to aggregate (default: %(default)s)")
    parser.add_argument("--signed", type=int, default=15_000, help="to verify (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = measure(options.observations, options.signed, options.repeat)
    if options.json:
        print(json.dumps(found))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame([found]))


if __name__ == "__main__":
    main()
