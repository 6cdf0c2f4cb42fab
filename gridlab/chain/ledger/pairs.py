"""Pairs of sender and transfer id as one sortable key.

A transfer id belongs to its sender, so a transfer is named by both: 4 and 8 bytes, big-endian, which compare as bytes
just as the pairs compare as numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Keys", "numbered", "pack", "places_in"]

Keys = npt.NDArray[np.bytes_]
Array = npt.NDArray[Any]

_LAYOUT = np.dtype([("sender", ">u4"), ("transfer_id", ">u8")])


def pack(senders: Array | int, ids: Array) -> Keys:
    """Return one key of 12 bytes per pair."""
    pairs = np.empty(len(ids), _LAYOUT)
    pairs["sender"] = senders
    pairs["transfer_id"] = ids
    return pairs.view("S12")


def places_in(ordered: Array, keys: Array) -> npt.NDArray[np.int64]:
    """Return the place of each of `keys` in `ordered`, which is sorted and without repetition; -1 where it is not."""
    if not len(ordered) or not len(keys):
        return np.full(len(keys), -1, np.int64)
    places = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.where(ordered[places] == keys, places, -1)


def numbered(keys: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return the distinct keys, sorted, and for each of `keys` its place among them."""
    distinct, places = np.unique(keys, return_inverse=True)
    return distinct, places.astype(np.int64, copy=False).reshape(-1)
