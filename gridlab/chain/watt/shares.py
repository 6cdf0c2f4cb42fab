"""Shares of many amounts at once, rounded down, without leaving 64 bits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridlab.chain.perbill import BILLION

__all__ = ["share_of"]

Int64Array = npt.NDArray[np.int64]


def share_of(amounts: Int64Array, parts: int) -> Int64Array:
    """Return ``amount · parts // 10^9`` for each amount, exactly.

    With ``amount = 10^9 q + r`` that is ``q · parts + r · parts // 10^9``, and for ``parts <= 10^9`` neither term
    leaves Int64.

    Parameters
    ----------
    amounts : array of int64, shape (n,)
        0 or more, micro-THB.
    parts : int
        0 … 10^9 parts per billion.

    Returns
    -------
    array of int64, shape (n,)
    """
    whole, rest = np.divmod(amounts, BILLION)
    shares: Int64Array = whole * parts + rest * parts // BILLION
    return shares
