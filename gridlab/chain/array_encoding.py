"""Arrays of whole numbers as canonical bytes: their length, then the raw values, little-endian."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.encoding import Reader, compact

__all__ = ["encode_array", "read_array"]


def encode_array(values: npt.NDArray[Any]) -> bytes:
    """Write an array of integers: the number of its rows as a compact integer, then everything end to end."""
    little = values.dtype.newbyteorder("<")
    return compact(len(values)) + np.ascontiguousarray(values, little).tobytes()


def read_array(reader: Reader, dtype: type[np.generic], *, width: int | None = None) -> npt.NDArray[Any]:
    """Read what `encode_array` wrote.

    Parameters
    ----------
    reader : Reader
    dtype : type
        ``np.int64``, ``np.uint64``, …
    width : int, optional
        Columns of an array with two dimensions.

    Returns
    -------
    array, shape (n,) or (n, width)
        A copy that may be written to, in the machine's own byte order.

    Raises
    ------
    ChainError
        Bytes are missing, or the length is not canonical.
    """
    little = np.dtype(dtype).newbyteorder("<")
    rows = reader.compact()
    raw = np.frombuffer(reader.take(rows * (width or 1) * little.itemsize), little)
    values = raw.astype(dtype)
    return values if width is None else values.reshape(rows, width)
