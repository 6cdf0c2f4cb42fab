"""How many blocks a second the finality model does, beside the simulator that sends every message.

::

    python -m benchmarks.finality
    python -m benchmarks.finality --blocks 200000 --simulated 400 --repeat 5 --json

Model and simulator take the same 21 validators with the same delays and queues, in turn, repetition after repetition,
so that a busy moment of the machine falls on both; the ratio is the median over the repetitions of the ratio within
one. The simulator signs and checks every message, which the model does not. Printed, too: how long the model takes for
a year of one-second blocks at that speed; and, with validators that go down now and then as by default, with six down
and with seven, the finality that half and 99 % of the blocks stay below, with the 95 % interval of sampling.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import median
from typing import Any

from gridlab.chain import pbft
from gridlab.chain.pbft.finality_model import BLOCKS_A_YEAR, FinalityModel


def measure(blocks: int, simulated: int, repeat: int) -> dict[str, Any]:
    """Time both, interleaved; return blocks a second (medians) and their ratio."""
    model = FinalityModel(availability=100)
    network = {"latency_ms": model.delays_ms(), "jitter": model.network.jitter}
    model.run(min(blocks, 2_000))
    pbft.simulate(n=21, blocks=min(simulated, 2), **network)
    speeds: dict[str, list[float]] = {"model": [], "simulator": []}
    for seed in range(repeat):
        started = time.perf_counter()
        model.run(blocks, seed=seed)
        between = time.perf_counter()
        pbft.simulate(n=21, blocks=simulated, seed=seed, **network)
        speeds["model"].append(blocks / (between - started))
        speeds["simulator"].append(simulated / (time.perf_counter() - between))
    ratios = [one / other for one, other in zip(speeds["model"], speeds["simulator"], strict=True)]
    model_speed = median(speeds["model"])
    return {
        "model_blocks_per_s": round(model_speed, 1),
        "simulator_blocks_per_s": round(median(speeds["simulator"]), 1),
        "model/simulator": round(median(ratios), 1),
        "model_year_s": round(BLOCKS_A_YEAR / model_speed, 1),
        **finality(blocks),
    }


def finality(blocks: int) -> dict[str, float]:
    """Return quantiles of finality in milliseconds; the six or seven that stay down are never the primary."""
    found: dict[str, float] = {}
    for name, model, crashed in (
        ("default", FinalityModel(), ()),
        ("six down", FinalityModel(availability=100), range(15, 21)),
        ("seven down", FinalityModel(availability=100), range(14, 21)),
    ):
        outcome = model.run(blocks, crashed=crashed, interval_ms=315_360 if name == "default" else 1_000)
        for quantile in (0.5, 0.99):
            estimate = outcome.quantile(quantile)
            label = f"p{round(100 * quantile)} {name}"
            found |= {f"{label} ms": estimate.value, f"{label} low": estimate.low, f"{label} high": estimate.high}
    return {name: round(value, 1) for name, value in found.items()}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=200_000, help="blocks of the model (default: %(default)s)")
    parser.add_argument("--simulated", type=int, default=200, help="blocks of the simulator (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    found = measure(options.blocks, options.simulated, options.repeat)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:<24}{value:>14,.1f}")


if __name__ == "__main__":
    main()
