"""Snapshots of the state in the store: cut into parts, and fewer the older they are.

Written every so many blocks, in the transaction of the block after which the state is so. Number them i = 1, 2, 3, …;
of these, number i is kept while ``newest - i < 2 x (the largest power of two that divides i)``. So a chain of n
snapshots keeps some log2(n) of them, dense near the head and sparse in the past, and needs no note of which.
"""

from __future__ import annotations

import sqlite3

from gridlab.chain.store.layout import checksum
from gridlab.errors import StoreError

__all__ = ["add_snapshot", "check_snapshots", "read_snapshot", "snapshot_heights"]

# SQLite holds at most some 1 GB in a field; much smaller parts keep the memory of a check small.
PART_BYTES = 16 * 2**20


def add_snapshot(connection: sqlite3.Connection, height: int, data: bytes, every: int) -> None:
    """Write the state after block `height`, and drop old snapshots; part of the caller's transaction."""
    parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
    rows = [
        (height, part, len(parts), checksum("snapshots", height, part, len(parts), piece), piece)
        for part, piece in enumerate(parts)
    ]
    connection.executemany("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)", rows)
    dropped = [(each,) for each in snapshot_heights(connection) if not _is_kept(each // every, height // every)]
    connection.executemany("DELETE FROM snapshots WHERE height = ?", dropped)


def _is_kept(number: int, newest: int) -> bool:
    return newest - number < 2 * (number & -number)


def snapshot_heights(connection: sqlite3.Connection) -> list[int]:
    """Return the heights at which there is a snapshot, ascending."""
    return [height for (height,) in connection.execute("SELECT DISTINCT height FROM snapshots ORDER BY height")]


def read_snapshot(connection: sqlite3.Connection, height: int) -> bytes:
    """Return the bytes of a snapshot.

    Raises
    ------
    StoreError
        It is damaged, or a part of it is missing.
    """
    query = "SELECT part, parts, checksum, data FROM snapshots WHERE height = ? ORDER BY part"
    found = []
    for place, (part, parts, expected, data) in enumerate(connection.execute(query, (height,)).fetchall()):
        typed = isinstance(part, int) and isinstance(parts, int) and isinstance(data, bytes)
        if not typed or part != place or checksum("snapshots", height, part, parts, data) != expected:
            raise StoreError(f"snapshot of block {height}: part {place} is damaged; {_ADVICE}")
        found.append((parts, data))
    if not found or found[0][0] != len(found):
        raise StoreError(f"snapshot of block {height}: a part of it is missing; {_ADVICE}")
    return b"".join(data for _, data in found)


_ADVICE = "take another copy of the store"


def check_snapshots(connection: sqlite3.Connection) -> None:
    """Raise StoreError unless every part of every snapshot is as it was written."""
    for height in snapshot_heights(connection):
        if not isinstance(height, int):
            raise StoreError(f"snapshot: a height has changed its type, so its row is damaged; {_ADVICE}")
        read_snapshot(connection, height)
