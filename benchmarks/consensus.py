"""What simulated consensus costs: blocks per second at 21 validators, and its ratio to the bare signatures.

::

    python -m benchmarks.consensus
    python -m benchmarks.consensus --blocks 200 --repeat 9 --json

``fresh`` signs and verifies every vote of every block: keys of another seed in each repetition, so that no signature is
known. ``remembered`` runs the same blocks again, with signatures and verdicts known to the process. ``bare`` signs and
verifies, once each, as many messages of the same length as the fresh run made signatures. All three run on one core, in
turn, repetition after repetition; a ratio is the median over the repetitions of the ratio within one.
"""

from __future__ import annotations

import argparse
import json
from statistics import median
from typing import Any

import polars as pl

from benchmarks.clearing import seconds
from gridlab.chain import keys, pbft

_INTERVAL_MS = 0.0


def signatures_of(trace: pbft.Trace) -> int:
    """Return how many signatures a fault-free run made: each broadcast is signed once, each reply and request, too."""
    others = max(trace.n - 1, 1)
    broadcasts = sum(trace.messages.get(kind, 0) for kind in ("pre_prepare", "prepare", "commit", "checkpoint"))
    return broadcasts // others + trace.messages["reply"] + trace.messages["request"]


def sign_and_verify(seed: int, count: int, n: int) -> None:
    """Sign and verify `count` messages as long as a commit's, under n keys in turn."""
    pairs = [keys.sandbox(seed, f"bare {number}") for number in range(n)]
    filler = bytes(120)
    for number in range(count):
        pair = pairs[number % n]
        message = number.to_bytes(8, "little") + filler
        assert keys.verify(pair.public_key, message, pair.sign(message))


def measure(n: int, blocks: int, repeat: int) -> dict[str, Any]:
    """Time fresh, remembered and bare, interleaved; return blocks per second and ratios (medians)."""
    times: dict[str, list[float]] = {"fresh": [], "remembered": [], "bare": []}
    count = 0
    pbft.simulate(n=n, blocks=1, seed=10_000)
    for repetition in range(repeat):
        arguments: dict[str, Any] = {"n": n, "blocks": blocks, "seed": repetition, "interval_ms": _INTERVAL_MS}
        traces: list[pbft.Trace] = []
        times["fresh"].append(seconds(lambda: traces.append(pbft.simulate(**arguments))))  # noqa: B023 - called at once
        times["remembered"].append(seconds(lambda: traces.append(pbft.simulate(**arguments))))  # noqa: B023
        assert traces[0].complete
        assert traces[0].fingerprint == traces[1].fingerprint
        count = signatures_of(traces[0])
        times["bare"].append(seconds(lambda: sign_and_verify(repetition, count, n)))  # noqa: B023
    messages = sum(traces[0].messages.values())
    return {
        "n": n,
        "blocks": blocks,
        "messages/block": round(messages / blocks, 1),
        "signatures/block": round(count / blocks, 1),
        "fresh blocks/s": round(blocks / median(times["fresh"]), 1),
        "remembered blocks/s": round(blocks / median(times["remembered"]), 1),
        "fresh/bare": _ratio(times["fresh"], times["bare"]),
        "remembered/bare": _ratio(times["remembered"], times["bare"]),
        "µs/message remembered": round(median(times["remembered"]) / messages * 1e6, 2),
    }


def _ratio(one: list[float], other: list[float]) -> float:
    return round(median([a / b for a, b in zip(one, other, strict=True)]), 2)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--validators", type=int, default=21, help="how many (default: %(default)s)")
    parser.add_argument("--blocks", type=int, default=100, help="per run (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = measure(options.validators, options.blocks, options.repeat)
    if options.json:
        print(json.dumps(found))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame([found]))


if __name__ == "__main__":
    main()
