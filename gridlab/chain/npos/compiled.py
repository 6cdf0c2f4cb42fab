"""Balancing compiled by numba, for stakes that 64 bits hold; `balancing` has the twin that holds any.

Only loaded for large elections, and only where the optional extra ``gridlab[fast]`` is installed.
"""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from gridlab.chain.npos.electorate import Places

__all__ = ["balance"]


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile `function`, keeping the machine code on disk where some directory can be written to."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no directory for its cache
        return numba.njit(nogil=True, error_model="numpy")(function)


@_compiled
def _sort(order: Places, keys: Places, count: int) -> None:
    """Put 0 … count - 1 into `order` by ascending key, equal keys in their order."""
    for place in range(count):
        hole = place
        while hole > 0 and keys[order[hole - 1]] > keys[place]:
            order[hole] = order[hole - 1]
            hole -= 1
        order[hole] = place


@_compiled
def _difference(target: Places, weight: Places, begin: int, end: int, stake: int, backed: Places) -> int:
    """Return how much a voter's winners differ, and what it has not given; -1 where it gives to none."""
    highest, lowest, given = np.int64(-1), np.int64(2**62), np.int64(0)
    for edge in range(begin, end):
        level = backed[target[edge]]
        lowest = min(lowest, level)
        if weight[edge] > 0:
            highest = max(highest, level)
        given += weight[edge]
    return int(highest - lowest + stake - given) if given > 0 else -1


@_compiled
def _pour(parts: Places, levels: Places, order: Places, count: int, stake: int) -> None:
    """Pour `stake` over `levels` from the lowest up; then bring the parts to the sum."""
    _sort(order, levels, count)
    below, reached = np.int64(0), 0
    while reached < count and levels[order[reached]] * reached - below <= stake:
        below += levels[order[reached]]
        reached += 1
    surface = (stake + below) // reached
    for place in range(count):
        parts[order[place]] = surface - levels[order[place]] if place < reached else 0
    left = stake + below - surface * reached
    # Fewer units are left than there are parts, so `normalise` has only this to do.
    _sort(order, parts, count)
    place, full = 0, stake // count
    for _ in range(left):
        parts[order[place]] += 1
        place += parts[order[place]] >= full


@_compiled
def balance(
    target: Places,
    weight: Places,
    begin: Places,
    end: Places,
    stakes: Places,
    backed: Places,
    iterations: int,
    tolerance: int,
) -> int:
    """Do what `balancing.balance` does, to the unit; see `Backing` for the arrays."""
    longest = (end - begin).max() if len(begin) > 0 else 0
    parts, levels, order = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int64)
    for iteration in range(iterations):
        largest = np.int64(0)
        for voter in range(len(begin)):
            first, count = begin[voter], end[voter] - begin[voter]
            difference = _difference(target, weight, first, end[voter], stakes[voter], backed)
            largest = max(largest, difference if difference >= 0 else stakes[voter])
            if 0 <= difference < tolerance:
                continue
            for place in range(count):
                levels[place] = backed[target[first + place]] - weight[first + place]
            _pour(parts, levels, order, count, stakes[voter])
            for place in range(count):
                weight[first + place] = parts[place]
                backed[target[first + place]] = levels[place] + parts[place]
        if largest <= tolerance:
            return iteration + 1
    return iterations
