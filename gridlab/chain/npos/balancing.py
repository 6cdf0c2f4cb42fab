"""Balancing: voters shift their stake between their winners until the least supported have as much as can be.

One voter's step takes its stake back from all its winners and pours it over them from the lowest up, as water fills
vessels of one width. All voters take the step in their order, as often as asked or until nobody's winners differ by
more than the tolerance. The total backing stays and the least never falls.

Stakes are whole units, so that the water may not divide: what is left goes to the voter's smallest assignments, one
unit each, in Substrate's order (`normalising`), which may start a new one-unit assignment.

Sources: Cevallos and Stewart (2020), appendix; paritytech/polkadot-sdk,
substrate/primitives/npos-elections/src/balancing.rs (2024).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import numpy as np

from gridlab.chain.npos.electorate import Electorate, Integers, Places, exact
from gridlab.chain.npos.normalising import normalise

__all__ = ["COMPILED_FROM", "Backing", "balance", "pays_to_compile"]

# Edges looked at. The first election that compiles pays for loading numba, about a second.
COMPILED_FROM = 1_000_000
COMPILED_FROM_ONCE_LOADED = 2_000
_MODULE = "gridlab.chain.npos.compiled"


@dataclass(frozen=True, slots=True, eq=False)
class Backing:
    """Who backs which winner with how much, flat; `weight` and `backed` change while balancing.

    Attributes
    ----------
    target : numpy.ndarray of int64, shape (edges,)
        Places of candidates, voter after voter. Winners only.
    weight : numpy.ndarray of int64 or Python integers, shape (edges,)
        Stake along each edge, in units.
    begin, end : numpy.ndarray of int64, shape (voters with two winners or more,)
        Such a voter has the edges from `begin` to before `end`. Others have nothing to shift.
    stake : numpy.ndarray, shape of `begin`
        Those voters' stakes, in units.
    backed : numpy.ndarray, shape (candidates,)
        Stake behind each candidate, in units.
    """

    target: Places
    weight: Integers
    begin: Places
    end: Places
    stake: Integers
    backed: Integers

    @classmethod
    def of(cls, electorate: Electorate, edges: Sequence[int] | Places, weight: Integers) -> Backing:
        """Lay out the `weight` along ascending `edges` that lead to winners."""
        places = np.asarray(edges, dtype=np.int64)
        target, voter = electorate.target[places], electorate.voter[places]
        backed = np.zeros(len(electorate.candidates), dtype=weight.dtype)
        np.add.at(backed, target, weight)
        begin = np.flatnonzero(np.diff(voter, prepend=-1))
        end = np.append(begin[1:], len(places))
        several = end - begin > 1
        begin, end = begin[several], end[several]
        stakes = exact(electorate.stakes, electorate.bound)[voter[begin]]
        return cls(target, weight, begin, end, stakes, backed)


def balance(backing: Backing, iterations: int, tolerance: int, *, rounds: int) -> int:
    """Balance in place.

    Parameters
    ----------
    backing : Backing
    iterations : int
        How often to go over all voters at most; 0 for never.
    tolerance : int
        In units. A voter whose winners differ by less takes no step; when none of them differs by more, balancing ends.
    rounds : int
        How many balancings of this size the election does, which decides whether compiling pays.

    Returns
    -------
    int
        How often it went over all voters.
    """
    if iterations == 0:
        return 0
    look = iterations * rounds * int((backing.end - backing.begin).sum())
    if backing.weight.dtype == np.int64 and pays_to_compile(look):
        # No difference passes 2**62, since the whole stake does not.
        step = import_module(_MODULE).balance
        return int(step(*_arrays(backing), min(iterations, 2**62), min(tolerance, 2**62)))
    return _interpreted(backing, iterations, tolerance)


def pays_to_compile(edges: int) -> bool:
    """Tell whether the compiled twin is to be had and pays where so many edges are to be looked at."""
    loaded = _MODULE in sys.modules
    return edges >= (COMPILED_FROM_ONCE_LOADED if loaded else COMPILED_FROM) and _can_compile()


@cache
def _can_compile() -> bool:
    try:
        import_module(_MODULE)
    except ImportError:  # the extra gridlab[fast] is not installed
        return False
    return True


def _arrays(backing: Backing) -> tuple[Places, Integers, Places, Places, Integers, Integers]:
    return backing.target, backing.weight, backing.begin, backing.end, backing.stake, backing.backed


def _interpreted(backing: Backing, iterations: int, tolerance: int) -> int:
    """Balance over lists of Python integers, which hold any stake."""
    target, weight, begin, end, stakes, backed = (values.tolist() for values in _arrays(backing))
    spans = [slice(*span) for span in zip(begin, end, strict=True)]
    turns = [(span, target[span], stake) for span, stake in zip(spans, stakes, strict=True)]
    done, largest = 0, tolerance + 1
    while done < iterations and largest > tolerance:
        done, largest = done + 1, 0
        for span, winners, stake in turns:
            change, weight[span] = _step(winners, weight[span], backed, stake, tolerance)
            largest = max(largest, change)
    backing.weight[:] = weight
    backing.backed[:] = backed
    return done


def _step(winners: list[int], given: list[int], backed: list[int], stake: int, tolerance: int) -> tuple[int, list[int]]:
    """Balance one voter: change `backed`, return how much its winners differed and what it now gives to each."""
    levels = [backed[winner] for winner in winners]
    support = [level for level, part in zip(levels, given, strict=True) if part]
    difference = max(support) - min(levels) + stake - sum(given) if support else stake
    if support and difference < tolerance:
        return difference, given
    without = [level - part for level, part in zip(levels, given, strict=True)]
    pour = normalise(_poured(without, stake), stake)
    for winner, level, part in zip(winners, without, pour, strict=True):
        backed[winner] = level + part
    return difference, pour


def _poured(levels: list[int], stake: int) -> list[int]:
    """Pour `stake` over `levels` from the lowest up, whole units and the same level for all it reaches."""
    order = sorted(range(len(levels)), key=levels.__getitem__)
    below = reached = 0
    for place in order:
        if levels[place] * reached - below > stake:
            break
        below += levels[place]
        reached += 1
    surface = (stake + below) // reached
    parts = [0] * len(levels)
    for place in order[:reached]:
        parts[place] = surface - levels[place]
    return parts
