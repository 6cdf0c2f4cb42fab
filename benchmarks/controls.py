"""How long the controls take to follow a moved slider, beside one bare computation of the day.

::

    python -m benchmarks.controls
    python -m benchmarks.controls --prosumers 20 --moves 2
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter

import gridlab as gl

MOVES = 20
PROSUMERS = 200


def seconds(act: Callable[[int], object], moves: int) -> float:
    """Return the median time of `act` over the moves."""
    times = []
    for move in range(moves):
        started = perf_counter()
        act(move)
        times.append(perf_counter() - started)
    return median(times)


def main() -> None:
    """Print the time of one move, of one bare day, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prosumers", type=int, default=PROSUMERS, help="of the lab (default: %(default)s)")
    parser.add_argument("--moves", type=int, default=MOVES, help="of each slider, 1 to 20 (default: %(default)s)")
    options = parser.parse_args()
    lab = gl.Lab.thailand(prosumers=options.prosumers)
    controls = lab.controls()
    slider, roofs = controls.levers["market.wheeling.postage_stamp"], controls.levers["agents.pv_share"]

    def move_charge(move: int) -> None:
        slider.value = round(0.5 + move / 50, 2)

    def move_roofs(move: int) -> None:
        roofs.value = 20.0 + move

    def look(move: int) -> None:
        controls.figure.slot.index = 40 + move

    move_charge(MOVES)  # what is computed once and kept
    cases = {
        "moving the wheeling charge": (move_charge, lambda _: lab.day()),
        "moving the share of roofs": (move_roofs, lambda _: lab.day()),
        "looking at another slot": (look, lambda _: lab.day()),
    }
    print(f"{options.prosumers} prosumers, 96 slots, median of {options.moves} moves")
    for name, (act, bare) in cases.items():
        moved, day = seconds(act, options.moves), seconds(bare, options.moves)
        print(f"  {name:<28} {moved * 1000:6.1f} ms = {moved / day:4.2f} x one lab.day() of {day * 1000:.1f} ms")


if __name__ == "__main__":
    main()
