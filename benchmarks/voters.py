"""What a distribution of outcomes costs: seconds for many votes of a population, and the ratio to a plain loop.

::

    python -m benchmarks.voters
    python -m benchmarks.voters --votes 1000 --repeat 3 --json

``outcome`` lets the whole population vote so many times and decides each referendum over 28 steps. ``loop`` is the
plain reference: the ballots of a few of the same votes, added up voter by voter in Python, each step held against the
track's curves; scaled up to all votes. The draw of the ballots is in both. The runs alternate; a ratio is the median
over the repetitions of the ratio within one. Both must agree on every vote that both decide on all ballots.
"""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from statistics import median
from typing import Any

import polars as pl

from benchmarks.clearing import seconds
from gridlab.governance import voters
from gridlab.governance.ballots import Tally
from gridlab.governance.tracks import Track
from gridlab.governance.voting import Linear

_DAY = 86_400_000_000
_STEPS = 28
_FEW = 3
_TRACK = Track(
    name="parameter", capacity=10, decision_deposit=0, prepare=0, decision=28 * _DAY, confirm=7 * _DAY, enactment=_DAY,
    approval=Linear(1, Fraction(1, 2), 1), support=Linear(1, 0, Fraction(1, 2)),
)  # fmt: skip


def decide(effects: dict[str, float], seed: int, population: pl.DataFrame, electorate: int) -> tuple[int, int, bool]:
    """Count one vote voter by voter; return final ayes and nays, and whether it passes at the last step."""
    arrived = [[0, 0, 0, 0] for _ in range(_STEPS + 1)]
    for row in voters.ballots(effects, seed, population=population).to_dicts():
        step = arrived[min(int(row["arrival"] * _STEPS) + 1, _STEPS)]
        step[0 if row["aye"] else 1] += row["votes"]
        step[2] += row["balance"] if row["aye"] else 0
        step[3] += row["balance"]
    tally, passes = Tally(), False
    for number, step in enumerate(arrived):
        tally += Tally(*step)
        passes = _TRACK.passes(tally, _TRACK.decision * number // _STEPS, electorate)
    return tally.ayes, tally.nays, passes


def measure(votes: int, repeat: int) -> dict[str, Any]:
    """Time both, interleaved; return seconds and ratio (medians)."""
    population, effects = voters.sample(0), voters.wheeling_effects(-0.27)
    electorate = int(population["balance"].sum())
    fast, loop = [], []
    for _ in range(repeat):
        fast.append(seconds(lambda: voters.outcome(effects, _TRACK, votes, steps=_STEPS, population=population)))
        few = seconds(lambda: [decide(effects, seed, population, electorate) for seed in range(_FEW)])
        loop.append(few * votes / _FEW)
    found = voters.outcome(effects, _TRACK, _FEW, population=population)
    for row in found.filter(pl.col("decided_at") >= _STEPS).to_dicts():
        # Decided at the end of the period or after it, so on all votes.
        assert decide(effects, row["seed"], population, electorate) == (row["ayes"], row["nays"], row["passed"])
    return {
        "voters": population.height,
        "votes": votes,
        "outcome s": round(median(fast), 3),
        "million ballots/s": round(population.height * votes / median(fast) / 1e6, 1),
        "loop s": round(median(loop), 1),
        "loop/outcome": round(median([slow / quick for slow, quick in zip(loop, fast, strict=True)]), 1),
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=500, help="votes of the whole population (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = measure(options.votes, options.repeat)
    if options.json:
        print(json.dumps(found))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame([found]))


if __name__ == "__main__":
    main()
