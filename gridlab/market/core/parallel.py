"""Run a kernel over chunks of a range, one thread per core.

Threads, not an OpenMP team: numpy and the compiled kernels let go of the interpreter lock, and a plain thread pool,
unlike OpenMP or numba's own scheduler, survives a later ``fork`` (process pools) and calls from several threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["chunks", "over_chunks", "sort_in_place"]

# Below this many rows per thread, starting the thread costs more than it saves (measured: about 0.1 ms a pool).
ROWS_PER_THREAD = 100_000


def worker_count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chunks(length: int, weight: int | None = None) -> list[tuple[int, int]]:
    """Cut ``range(length)`` into one piece per useful thread.

    Parameters
    ----------
    length : int
        Items to share out.
    weight : int, optional
        Rows of work behind these items, where an item is more than a row; `length` where absent.

    Returns
    -------
    list of (int, int)
        Start and stop of each piece, in order; always at least one.
    """
    rows = length if weight is None else weight
    pieces = max(1, min(worker_count(), rows // ROWS_PER_THREAD, length))
    edges = [length * piece // pieces for piece in range(pieces + 1)]
    return list(pairwise(edges))


def over_chunks(kernel: Callable[..., Any], length: int, *arguments: Any, weight: int | None = None) -> list[Any]:
    """Call ``kernel(*arguments, start, stop)`` for each chunk of ``range(length)``; return the results in order."""
    pieces = chunks(length, weight)
    if len(pieces) == 1:
        return [kernel(*arguments, *pieces[0])]
    with ThreadPoolExecutor(len(pieces) - 1) as pool:
        others = [pool.submit(kernel, *arguments, start, stop) for start, stop in pieces[1:]]
        return [kernel(*arguments, *pieces[0]), *(other.result() for other in others)]


def sort_in_place(words: npt.NDArray[np.uint64]) -> None:
    """Sort a word array in place, its parts in threads once quickselect has put every word into its own part.

    numpy's partition of 64-bit words costs about an eighth of its sort, so two threads take two thirds of the time.
    """
    inner_edges = [start for start, _ in chunks(len(words))[1:]]
    if inner_edges:
        words.partition(inner_edges)
    over_chunks(_sort_piece, len(words), words)


def _sort_piece(words: npt.NDArray[np.uint64], start: int, stop: int) -> None:
    words[start:stop].sort()
