"""Prices, exchange rate: seeded processes that return to a mean. Synthetic, every one of them.

The logarithm of each is a moving average over sixty days of daily noise (`gridlab.oracle.feeds.noise`) with a
persistence of 0.95, whose correlation falls as that of the mean-reverting process of Ornstein and Uhlenbeck (1930),
joined by lines between midnights. The wholesale price moves with the national load besides.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.calendar import is_on_peak
from gridlab.oracle.feeds.noise import between_days, daily
from gridlab.oracle.feeds.window import Window

__all__ = ["NEIGHBOURS", "reverting", "two_part", "wholesale"]

Floats = npt.NDArray[np.float64]

NEIGHBOURS = ("Lao PDR", "Malaysia", "Singapore")
_PERSISTENCE, _MEMORY = 0.95, 60
# What EGAT paid for the 115 kV exchange with Nam Ngum 1 and Xeset: 1.80 on-peak, 1.53 off-peak, 1.63 on average
# (Bangkok Post 1647164, 2019).
_PEAK, _OFF_PEAK = 1.80 / 1.63, 1.53 / 1.63


def reverting(seed: int, name: str, window: Window, mean: float, spread: float) -> Floats:
    """Return a positive process whose logarithm returns to a mean, shape (days * 96,).

    Parameters
    ----------
    seed : int
    name : str
        Its own stream.
    window : Window
    mean : float
        In whatever unit is wanted back.
    spread : float
        Standard deviation of its logarithm.
    """
    noise = between_days(daily(seed, name, window, persistence=_PERSISTENCE, memory=_MEMORY))[:, 0]
    values: Floats = mean * np.exp(spread * noise - spread**2 / 2)
    return values


def two_part(window: Window) -> Floats:
    """Return how the Lao exchange price changes between on-peak and off-peak hours, as factors, shape (days * 96,)."""
    whole = Window(window.first_day, window.days, 0, window.unix_time.size)
    return np.where(is_on_peak(whole.slots()).to_numpy(), _PEAK, _OFF_PEAK)


def wholesale(level: Floats, load: Floats, usual: float, slope: float) -> Floats:
    """Return the wholesale price, shape (days * 96,).

    Parameters
    ----------
    level : ndarray, shape (days * 96,)
        What it is at the usual load.
    load : ndarray, shape (days * 96,)
        National load (MW).
    usual : float
        The year's mean of it (MW).
    slope : float
        By how much of itself the price rises where the load is twice the usual.
    """
    price: Floats = level * (1.0 + slope * (load / usual - 1.0))
    return price
