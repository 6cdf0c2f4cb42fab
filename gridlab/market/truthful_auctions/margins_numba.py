"""The compiled search for the first orders behind a cut level (see `gridlab.market.truthful_auctions.margins`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.market.core.kernel_numba import _compiled

__all__ = ["best_beyond"]

Int64s = npt.NDArray[np.int64]


@_compiled
def best_beyond(best: Int64s, sides: Int64s, price: Int64s, last: Int64s) -> None:
    """Write to ``best[s]`` the best merit strictly worse than ``last[s]``, a merit too, of the orders of side s."""
    for i in range(len(sides)):
        side = sides[i]
        merit = price[i] if side & 1 else -price[i]
        if merit > last[side]:
            best[side] = min(best[side], merit)
