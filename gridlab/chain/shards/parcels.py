"""Parcels and receipts: what one shard asks another to credit, and what the other says became of it.

All transfers of a block from one shard to another travel as one parcel. A parcel is numbered per pair of shards without
gaps, executed once by that number, and not at all from its timeout on, by the clock of the shard of destination.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.encoding import blob, i64, text, u32, u64
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger.schema import ASSETS, CODES
from gridlab.errors import ArgumentTypeError

__all__ = ["MOVES", "Key", "Parcel", "Receipt", "moves_frame", "require_key"]

_PARCEL = text("gridlab/shard-parcel/1")
_RECEIPT = text("gridlab/shard-receipt/1")
_MOVES_DOMAIN = "gridlab/shard-moves/1"

MOVES = np.dtype(
    [
        *(("transfer_id", "<u8"), ("debit_account", "<u4"), ("credit_account", "<u4")),
        *(("asset", "u1"), ("amount", "<i8"), ("code", "u1")),
    ]
)

# Source, destination, sequence.
Key = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """All that one block of one shard sends to another.

    Attributes
    ----------
    source, destination : int
        Numbers of the shards.
    sequence : int
        Counts the parcels from `source` to `destination` from 0.
    timeout : int
        From this moment on it is not executed; microseconds since 1970-01-01 UTC, by the destination's blocks.
    moves : structured array of `MOVES`
        The transfers in the order of the block.
    """

    source: int
    destination: int
    sequence: int
    timeout: int
    moves: npt.NDArray[Any] = field(repr=False)

    def __post_init__(self) -> None:
        require_key(self.key)
        require_int("timeout", self.timeout, 0, 2**63 - 1)
        if not isinstance(self.moves, np.ndarray) or self.moves.dtype != MOVES:
            raise ArgumentTypeError(f"moves is a {type(self.moves).__name__}, allowed: an array of MOVES")

    def __len__(self) -> int:
        return len(self.moves)

    @property
    def key(self) -> Key:
        """Source, destination, sequence."""
        return self.source, self.destination, self.sequence

    @property
    def leaf(self) -> bytes:
        """Leaf of the outbox: who, to whom, which, until when, and a hash over the transfers."""
        head = u32(self.source) + u32(self.destination) + u64(self.sequence) + i64(self.timeout)
        contents = np.ascontiguousarray(self.moves, MOVES).tobytes()
        return _PARCEL + head + u64(len(self.moves)) + tagged_hash(_MOVES_DOMAIN, contents)


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """What became of each transfer of a parcel.

    Attributes
    ----------
    source, destination, sequence : int
        As in the parcel.
    codes : array of uint8
        One per transfer, a place in `gridlab.chain.ledger.RESULTS`; 0 is "ok".
    """

    source: int
    destination: int
    sequence: int
    codes: npt.NDArray[np.uint8] = field(repr=False)

    def __post_init__(self) -> None:
        require_key(self.key)
        if not isinstance(self.codes, np.ndarray) or self.codes.dtype != np.uint8:
            raise ArgumentTypeError(f"codes is a {type(self.codes).__name__}, allowed: an array of uint8")

    @property
    def key(self) -> Key:
        """Source, destination, sequence."""
        return self.source, self.destination, self.sequence

    @property
    def leaf(self) -> bytes:
        """Leaf of the register of receipts."""
        head = u32(self.source) + u32(self.destination) + u64(self.sequence)
        return _RECEIPT + head + blob(np.ascontiguousarray(self.codes, np.uint8).tobytes())


def require_key(key: object) -> Key:
    """Return the key of a parcel, or raise ArgumentTypeError or ArgumentError."""
    if not isinstance(key, tuple) or len(key) != 3:
        raise ArgumentTypeError(f"key is {key!r}, allowed: (source, destination, sequence)")
    source, destination, sequence = key
    require_int("source", source, 0, 2**32 - 1)
    require_int("destination", destination, 0, 2**32 - 1)
    require_int("sequence", sequence, 0, 2**64 - 2)
    return source, destination, sequence


def moves_frame(moves: npt.NDArray[Any]) -> pl.DataFrame:
    """Return moves as a frame: transfer_id, debit_account, credit_account, asset, amount, code."""
    enums = {"asset": ASSETS, "code": CODES}
    columns = {name: pl.Series(np.ascontiguousarray(moves[name])) for name in MOVES.names or ()}
    for name, dtype in enums.items():
        columns[name] = dtype.categories.gather(columns[name].cast(pl.UInt32)).cast(dtype)
    return pl.DataFrame(columns)
