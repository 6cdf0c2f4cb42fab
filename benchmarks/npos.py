"""How fast validators are elected, as multiples of the same election by plain loops over Python's integers.

::

    python -m benchmarks.npos
    python -m benchmarks.npos --nominators 5000 --seats 297 --candidates 1000 --repeat 5 --json

Both contenders elect from the same lists of candidates and votes, checks and result included, and are timed in turn,
repetition after repetition; a ratio is the median over the repetitions of the ratio within one. The results are
compared to the unit. The plain loops are the reference of the tests (`tests/chain/npos/reference.py`). Balancing is
compiled where numba is installed; loading it is not timed. ``--interpreted`` leaves it out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from statistics import median
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from benchmarks.clearing import seconds
from gridlab.chain import npos
from gridlab.chain.npos import balancing
from tests.chain.npos import reference

Votes: TypeAlias = list[tuple[str, int, list[str]]]

_CASES = [("seq_phragmen", 0), ("seq_phragmen", 10), ("phragmms", 0), ("phragmms", 2)]


def make(nominators: int, choices: int, candidates: int) -> tuple[list[str], Votes]:
    """Make an electorate: stakes of a long-tailed law in micro-GRID, well-known candidates chosen more often."""
    rng = np.random.default_rng(2569)
    known = 1 / np.sqrt(np.arange(1, candidates + 1))
    names = [f"validator {number}" for number in range(candidates)]
    stakes = np.minimum((rng.pareto(1.2, nominators) + 1) * 1e12, 1e15).astype(np.int64).tolist()
    votes = []
    for number, stake in enumerate(stakes):
        chosen = rng.choice(candidates, size=choices, replace=False, p=known / known.sum())
        votes.append((f"nominator {number}", stake, [names[place] for place in chosen]))
    return names, votes


def measure(case: tuple[str, int], names: list[str], votes: Votes, seats: int, repeat: int) -> dict[str, Any]:
    """Time one method beside its reference, in turn; return milliseconds and the ratio (medians)."""
    method, iterations = case
    elect: Callable[..., npos.Election] = getattr(npos, method)
    plain = getattr(reference, method)
    found = elect(names, votes, seats, balance_iterations=iterations)  # compiles
    ours, loops = [], []
    for _ in range(repeat):
        ours.append(seconds(lambda: elect(names, votes, seats, balance_iterations=iterations)))
        loops.append(seconds(lambda: plain(names, votes, seats, iterations)))
    assert (found.winners, found.assignments) == plain(names, votes, seats, iterations)
    check = seconds(lambda: npos.pjr_check(found, names, votes))
    return {
        "method": method,
        "balance iterations": iterations,
        "ms": round(median(ours) * 1000, 1),
        "plain loops ms": round(median(loops) * 1000),
        "times as fast": round(median([slow / fast for slow, fast in zip(loops, ours, strict=True)]), 1),
        "least stake GRID": round(found.score.least / 1e6),
        "pjr_check": npos.pjr_check(found, names, votes).holds,
        "pjr_check ms": round(check * 1000, 1),
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nominators", type=int, default=2000, help="how many (default: %(default)s)")
    parser.add_argument("--choices", type=int, default=16, help="candidates each approves (default: %(default)s)")
    parser.add_argument("--candidates", type=int, default=300, help="how many (default: %(default)s)")
    parser.add_argument("--seats", type=int, default=100, help="validators to elect (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--interpreted", action="store_true", help="balance without numba")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    balancing.COMPILED_FROM = 10**18 if options.interpreted else 0
    names, votes = make(options.nominators, options.choices, options.candidates)
    rows = [measure(case, names, votes, options.seats, options.repeat) for case in _CASES]
    if options.json:
        print(*map(json.dumps, rows), sep="\n")
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame(rows))


if __name__ == "__main__":
    main()
