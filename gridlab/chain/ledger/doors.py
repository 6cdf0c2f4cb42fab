"""The doors of the ledger's calls: assets, moments and senders."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.arguments import require_int
from gridlab.chain.ledger.schema import ASSET_NAMES, LARGEST
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest

__all__ = ["require_asset", "require_moment", "require_senders"]


def require_asset(name: object) -> int:
    """Return the code of an asset.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        It is not text, or no asset has that name.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"asset is a {type(name).__name__}, allowed: one of {list(ASSET_NAMES)}")
    if name not in ASSET_NAMES:
        raise ArgumentError(f"asset {name!r} is not known; {nearest(name, ASSET_NAMES)}")
    return ASSET_NAMES.index(name)


def require_moment(now: object) -> int:
    """Return `now` if it is a moment in microseconds that Int64 counts, and that is not its last."""
    return require_int("now", now, 0, LARGEST - 1)


def require_senders(senders: object, rows: int) -> int | npt.NDArray[np.uint32]:
    """Return one sender, or an array with a sender per row.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        It is neither an int nor an array of integers, has another length, or a number is not 0 … 2^32 - 1.
    """
    if isinstance(senders, int):
        return require_int("senders", senders, 0, 2**32 - 1)
    if not isinstance(senders, np.ndarray) or senders.dtype.kind not in "iu" or senders.ndim != 1:
        kind = f"array of {senders.dtype}" if isinstance(senders, np.ndarray) else type(senders).__name__
        raise ArgumentTypeError(f"senders is a {kind}, allowed: an int, or a numpy array of integers")
    if len(senders) != rows:
        raise ArgumentError(f"senders has {len(senders)} entries, allowed: one per row, {rows}")
    wide: Any = senders
    if rows and not (wide.min() >= 0 and wide.max() < 2**32):
        raise ArgumentError(f"senders reach from {wide.min()} to {wide.max()}, allowed: 0 … {2**32 - 1}")
    return senders.astype(np.uint32)
