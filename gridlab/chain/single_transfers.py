"""Transactions that hold one transfer each, read by the thousand as columns.

Their canonical bytes all have one length and one layout: the names, dtype tags and categories of the transfer frame
are the same bytes in each, and what differs stands at fixed places::

    chain id | kind | sender | nonce | expiry | payload with one row | signature

So n of them are an (n, length) array of bytes. Where the constant places hold the constants, the variable ones are
numbers; a transaction that differs in any other way is left to the reader that takes every transaction.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from gridlab.chain.encoding import blob, text, u64
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.ledger import TRANSFERS

__all__ = ["KIND", "SENDER", "SingleTransfers", "layout_of", "recognise"]

KIND = "transfer"
SENDER = "sender"
_HEAD = (SENDER, "nonce", "expiry")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the variable bytes of a single transfer stand.

    Attributes
    ----------
    fields : numpy.dtype
        One field per variable value, at its place.
    template : array of uint8, shape (length,)
        The constant bytes; 0 where they vary.
    constant : array of bool, shape (length,)
    """

    fields: np.dtype[Any]
    template: npt.NDArray[np.uint8]
    constant: npt.NDArray[np.bool_]

    @property
    def length(self) -> int:
        """Bytes of such a transaction."""
        return len(self.template)


def _frame(changed: str = "") -> pl.DataFrame:
    # One row of zeros; in the changed column a value that differs from it in every byte.
    values = {}
    for column in TRANSFERS.columns:
        if column.required:
            place = int(column.name == changed)
            if isinstance(column.dtype, pl.Enum):
                value = pl.Series([column.dtype.categories[place]], dtype=column.dtype)
            else:
                value = pl.Series([-place], dtype=pl.Int64).cast(column.dtype, wrap_numerical=True)
            values[column.name] = value
    return pl.DataFrame(values)


@functools.cache
def _payload_places() -> tuple[bytes, dict[str, tuple[int, int]]]:
    # Found by asking the encoder, so that what is read here can never drift from what is written there.
    plain = encode_frame(_frame())
    found = np.frombuffer(plain, np.uint8)
    places = {}
    for name in _frame().columns:
        differs = np.flatnonzero(np.frombuffer(encode_frame(_frame(name)), np.uint8) != found)
        places[name] = (int(differs[0]), int(differs[-1]) + 1)
    return plain, places


@functools.lru_cache(maxsize=16)
def layout_of(chain_id: str) -> Layout:
    """Return the layout of the single transfers of a chain."""
    payload, places = _payload_places()
    names = text(chain_id) + text(KIND)
    body = blob(payload)
    start = len(names) + PUBLIC_KEY_BYTES + 8 + 8
    whole = names + bytes(PUBLIC_KEY_BYTES) + u64(0) + u64(0) + body + bytes(SIGNATURE_BYTES)
    inner = start + len(body) - len(payload)
    spans = dict(zip(_HEAD, _spans(len(names), (PUBLIC_KEY_BYTES, 8, 8)), strict=True))
    spans |= {name: (inner + low, inner + high) for name, (low, high) in places.items()}
    spans["signature"] = (len(whole) - SIGNATURE_BYTES, len(whole))
    constant = np.ones(len(whole), np.bool_)
    for low, high in spans.values():
        constant[low:high] = False
    fields = np.dtype(
        {
            "names": list(spans),
            "formats": [_format(name, high - low) for name, (low, high) in spans.items()],
            "offsets": [low for low, _ in spans.values()],
            "itemsize": len(whole),
        }
    )
    return Layout(fields, np.where(constant, np.frombuffer(whole, np.uint8), np.uint8(0)), constant)


def _spans(start: int, sizes: Sequence[int]) -> list[tuple[int, int]]:
    ends = np.cumsum([start, *sizes]).tolist()
    return list(itertools.pairwise(ends))


def _format(name: str, size: int) -> str:
    if size > 8:
        return f"V{size}"
    return f"<i{size}" if name == "amount" else f"<u{size}"


def recognise(encoded: Sequence[bytes], chain_id: str) -> npt.NDArray[np.bool_]:
    """Say which of these bytes are a single transfer of a chain, whole and canonical.

    Parameters
    ----------
    encoded : sequence of bytes
        Any bytes.
    chain_id : str

    Returns
    -------
    array of bool, shape (n,)
        Where it is true, ``Transaction.from_bytes`` would read the bytes and give them back as they are, and the
        payload is one row as the schema of transfers declares. False says nothing.
    """
    layout = layout_of(chain_id)
    fits: npt.NDArray[np.bool_] = np.fromiter(map(len, encoded), np.int64, len(encoded)) == layout.length
    places = np.flatnonzero(fits)
    if not len(places):
        return fits
    chosen = encoded if len(places) == len(encoded) else [encoded[place] for place in places.tolist()]
    joined = np.frombuffer(b"".join(chosen), np.uint8)
    rows = joined.reshape(len(places), layout.length)
    fits[places] = ~((rows != layout.template) & layout.constant).any(axis=1)
    values = joined.view(layout.fields)
    for column in TRANSFERS.columns:
        if isinstance(column.dtype, pl.Enum) and column.name in layout.fields.names:  # type: ignore[operator]
            fits[places] &= values[column.name] < len(column.dtype.categories)
    return fits


@dataclass(frozen=True, slots=True)
class SingleTransfers:
    """The columns of n single transfers.

    Attributes
    ----------
    values : structured array, shape (n,)
        Fields sender (32 bytes), nonce, expiry, the columns of `TRANSFERS` that are required (an Enum as its code),
        and signature (64 bytes).
    """

    values: npt.NDArray[Any]

    @classmethod
    def of(cls, encoded: Sequence[bytes], chain_id: str) -> SingleTransfers:
        """Read transactions of which `recognise` said that they are single transfers of this chain."""
        return cls(np.frombuffer(b"".join(encoded), layout_of(chain_id).fields))

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return one column, as an array of its own."""
        return np.ascontiguousarray(self.values[name])

    def frame(self) -> pl.DataFrame:
        """Return the transfers as `TRANSFERS`, one row per transaction."""
        columns = {}
        for column in TRANSFERS.columns:
            if column.required:
                values = pl.Series(self.column(column.name))
                enum = isinstance(column.dtype, pl.Enum)
                columns[column.name] = values.cat.to(column.dtype) if enum else values
        return pl.DataFrame(columns)
