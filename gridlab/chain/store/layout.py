"""What stands in a store: five tables, each row under a checksum of its own.

::

    meta             name -> value: the bytes of genesis, how often a snapshot is taken, the head
    blocks           height -> hash, parent, the block's canonical bytes, its receipts
    notes            name -> value: what a lab wants to know when it is opened again
    snapshots        height -> bytes of the state after that block, in parts
    sqlite_schema    the tables themselves, which must be exactly these

SQLite finds a page that is out of shape, and never a flipped bit in what a page holds. So each row carries BLAKE2b-256
over its table's name and all of its fields: whatever changes in a row, its table and its key name the damage.
"""

from __future__ import annotations

from gridlab.chain.encoding import compact, i64, text
from gridlab.chain.hashing import tagged_hash

__all__ = ["APPLICATION", "FORMAT", "TABLES", "Field", "checksum"]

# "grid" in ASCII: what tells `file` and a stranger's program that this SQLite database is a store of gridlab.
APPLICATION = int.from_bytes(b"grid", "big")
FORMAT = 1

Field = int | str | bytes

TABLES: dict[str, str] = {
    "meta": "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL, checksum BLOB NOT NULL) WITHOUT ROWID",
    "blocks": (
        "CREATE TABLE blocks (height INTEGER PRIMARY KEY, hash BLOB NOT NULL, parent BLOB NOT NULL, "
        "checksum BLOB NOT NULL, body BLOB NOT NULL, receipts BLOB NOT NULL)"
    ),
    "notes": "CREATE TABLE notes (name TEXT PRIMARY KEY, value BLOB NOT NULL, checksum BLOB NOT NULL) WITHOUT ROWID",
    "snapshots": (
        "CREATE TABLE snapshots (height INTEGER NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, "
        "checksum BLOB NOT NULL, data BLOB NOT NULL, PRIMARY KEY (height, part))"
    ),
}


def checksum(table: str, *fields: Field) -> bytes:
    """Return BLAKE2b-256 over a row's fields, each with its type and length, 32 bytes."""
    return tagged_hash(f"gridlab/store/{table}/1", b"".join(part for field in fields for part in _encoded(field)))


def _encoded(field: Field) -> tuple[bytes, ...]:
    if isinstance(field, bytes):
        return (b"b", compact(len(field)), field)  # not joined yet: a block's body may have megabytes
    return (b"i", i64(field)) if isinstance(field, int) else (b"t", text(field))
