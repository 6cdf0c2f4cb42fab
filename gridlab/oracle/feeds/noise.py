"""Seeded noise that no window and no choice of provinces changes.

Every day has its own generator, forked from the seed by the process's name and the date. A process with memory is a
moving average over a fixed number of earlier draws, added up in a fixed order, so that a value depends on the same
numbers whether a day or a year around it is asked for. With weights ``persistence ** k`` its correlation falls as an
autoregression's does, and reaches exactly zero after `memory` steps.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from gridlab.oracle.feeds.places import correlation_root
from gridlab.oracle.feeds.window import SLOTS_PER_DAY, Window
from gridlab.seeds import stream

__all__ = ["between_days", "daily", "draws", "field_by_day", "field_by_slot", "remembered"]

Floats = npt.NDArray[np.float64]

_ROWS = 32
# Rows per block: what one lag leaves behind should still be in the processor's cache for the next.
_BLOCK = 672


def draws(seed: int, name: str, first: date, days: int, shape: tuple[int, ...]) -> Floats:
    """Return independent standard normal numbers of `days` days from `first` on, shape (days, *shape)."""
    dates = (first + timedelta(days=number) for number in range(days))
    return np.stack([stream(seed, "feeds", name, day.isoformat()).standard_normal(shape) for day in dates])


def remembered(noise: Floats, persistence: float, memory: int) -> Floats:
    """Return the moving average of `noise` along its first axis: variance 1, `memory` - 1 rows shorter.

    ``x[t] = sum(persistence ** k * noise[t - k] for k in range(memory)) / norm``
    """
    weights = persistence ** np.arange(memory)
    weights /= np.sqrt((weights**2).sum())
    rows = noise.shape[0] - memory + 1
    total = np.zeros((rows, *noise.shape[1:]))
    for first in range(0, rows, _BLOCK):
        part = total[first : first + _BLOCK]
        for lag, weight in enumerate(weights):
            start = first + memory - 1 - lag
            part += weight * noise[start : start + part.shape[0]]
    return total


def daily(seed: int, name: str, window: Window, *, persistence: float, memory: int) -> Floats:
    """Return a process with one value a day, shape (days + 1, 1): the last is of the midnight that ends the window."""
    first = window.first_day - timedelta(days=memory - 1)
    return remembered(draws(seed, name, first, window.days + memory, (1,)), persistence, memory)


def between_days(midnights: Floats) -> Floats:
    """Return values of consecutive midnights, shape (days + 1, n), joined by lines, shape (days * 96, n)."""
    share = ((np.arange(SLOTS_PER_DAY) + 0.5) / SLOTS_PER_DAY)[None, :, None]
    lines: Floats = midnights[:-1, None] * (1 - share) + midnights[1:, None] * share
    return lines.reshape(-1, midnights.shape[1])


def field_by_day(seed: int, name: str, window: Window, *, persistence: float, memory: int, length_km: float) -> Floats:
    """Return a daily process over the provinces, correlated in space, shape (days + 1, 77)."""
    root = correlation_root(length_km)
    first = window.first_day - timedelta(days=memory - 1)
    noise = draws(seed, name, first, window.days + memory, (1, root.shape[0])) @ root.T
    return remembered(noise[:, 0], persistence, memory)


def field_by_slot(seed: int, name: str, window: Window, *, persistence: float, memory: int, length_km: float) -> Floats:
    """Return a process by slot over the provinces, correlated in space, shape (days * 96, 77).

    `memory` is at most a day.
    """
    root = correlation_root(length_km)
    noise = draws(seed, name, window.first_day - timedelta(days=1), window.days + 1, (SLOTS_PER_DAY, root.shape[0]))
    # Products of one shape, so that the last digit does not depend on how many days are asked for, and of so few rows
    # that the library of linear algebra keeps to one thread.
    flat = (noise.reshape(-1, _ROWS, root.shape[0]) @ root.T).reshape(-1, root.shape[0])
    return remembered(flat[SLOTS_PER_DAY - memory + 1 :], persistence, memory)
