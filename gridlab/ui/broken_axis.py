"""A time axis that leaves out the stretches in which nothing happens."""

from __future__ import annotations

import numpy as np

from gridlab.ui.svg import Floats

__all__ = ["BrokenAxis"]


class BrokenAxis:
    """A scale from times to pixels; where nothing happens for long, time is cut out.

    Parameters
    ----------
    times : ndarray of float64
        Shape (m,), m >= 1, any order: the moments at which something happens, ms.
    patience : float
        A gap of more than so many ms is cut down to it.
    start, end : float
        Pixels of the first and of the last moment.

    Attributes
    ----------
    gaps : list of (float, float)
        First and last moment of every stretch that was cut.
    """

    def __init__(self, times: Floats, patience: float, start: float, end: float) -> None:
        moments = np.unique(np.asarray(times, dtype=np.float64))
        steps = np.diff(moments)
        # What has been cut out before each moment is known once, so that reading off a pixel is one interpolation.
        shown = np.concatenate([[0.0], np.cumsum(np.minimum(steps, patience))])
        self._moments, self._pixels = moments, start + (end - start) * shown / (shown[-1] or 1.0)
        cut = np.flatnonzero(steps > patience)
        self.gaps = [(float(moments[place]), float(moments[place + 1])) for place in cut]

    def __call__(self, times: Floats) -> Floats:
        """Return the pixels of `times`, those outside at the nearer end."""
        pixels: Floats = np.interp(times, self._moments, self._pixels)
        return pixels

    def at(self, time: float) -> float:
        """Return the pixel of one moment."""
        return float(np.interp(time, self._moments, self._pixels))

    def stretches(self) -> list[tuple[float, float]]:
        """Return first and last moment of every stretch that is shown whole, in order."""
        starts = [float(self._moments[0]), *(end for _, end in self.gaps)]
        ends = [*(start for start, _ in self.gaps), float(self._moments[-1])]
        return list(zip(starts, ends, strict=True))
