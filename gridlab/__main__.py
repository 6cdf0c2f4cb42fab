"""``python -m gridlab``: one Thai day, its key figures, its fingerprint and a report.

python -m gridlab --prosumers 200 --hours 24 --report day.html
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from time import perf_counter

from gridlab.errors import GridlabError
from gridlab.run import Run
from gridlab.scenarios.catalogue import scenario
from gridlab.settings import config

_HEADLINE = (
    "energy_used",
    "energy_generated",
    "self_consumption",
    "traded_energy",
    "average_price",
    "average_landed_price",
    "bills_without_market",
    "bills_with_market",
    "savings",
    "savings_share",
    "sellers_share_of_savings",
    "utilities_gain",
    "state_gain",
    "operator_gain",
    "local_share",
    "carbon_avoided",
    "orders",
    "trades",
    "orders_per_second",
)

_COUNTS = ("orders", "trades", "orders/s")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gridlab", description="Run one Thai day and write a report.")
    parser.add_argument("--scenario", default="thai_day", help="one of gl.scenarios() (default: %(default)s)")
    parser.add_argument("--prosumers", type=int, help="how many accounts (default: the scenario's own)")
    parser.add_argument("--hours", type=float, default=24, help="length of the run (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of all that is drawn (default: %(default)s)")
    parser.add_argument("--report", default="day.html", help="HTML file to write (default: %(default)s)")
    parser.add_argument("--language", default="en", choices=["en", "th"], help="of the report (default: %(default)s)")
    return parser.parse_args(words)


def _print(run: Run) -> None:
    print(f"{run.facts.title}: {run.facts.prosumers} prosumers, {run.facts.slots} slots from {run.facts.start}")
    for name in _HEADLINE:
        unit = run.kpis().filter(kpi=name)["unit"][0]
        decimals = 0 if unit in _COUNTS else 2
        print(f"  {name.replace('_', ' '):<28}{run.kpi(name):>16,.{decimals}f} {unit}")
    print(f"  {'blocks':<28}{run.blocks.height:>16,}")
    print(f"fingerprint {run.fingerprint}")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, or 2 where the user asked for something impossible."""
    options = _arguments(words)
    try:
        config(language=options.language)
        lab = scenario(options.scenario, seed=options.seed, prosumers=options.prosumers)
        started = perf_counter()
        run = lab.run(hours=options.hours)
        seconds = perf_counter() - started
        _print(run)
        print(f"the day took {seconds:.1f} s; report: {run.report(options.report)}")
    except GridlabError as problem:
        print(f"gridlab: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
