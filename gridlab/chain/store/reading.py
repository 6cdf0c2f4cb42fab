"""Reading a store: every row is checked against its checksum, every block against the one before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.blocks import Block
from gridlab.chain.encoding import u64
from gridlab.chain.genesis import Genesis
from gridlab.chain.hashing import HASH_BYTES, hexadecimal
from gridlab.chain.store import snapshots
from gridlab.chain.store.connection import COPY, guarded
from gridlab.chain.store.layout import checksum
from gridlab.chain.store.rows import COLUMNS, block_of
from gridlab.errors import GridlabError, StoreError, nearest

__all__ = ["Head", "StoreReader"]

_SELECT_BLOCKS = f"SELECT {COLUMNS} FROM blocks WHERE height BETWEEN ? AND ? ORDER BY height"  # noqa: S608
# Read so many at a time: a reader must not hold back the writer's checkpoints while its caller works on a block.
_BLOCKS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block of a store; height 0 is genesis.

    Attributes
    ----------
    height : int
    hash : bytes
        32 bytes.
    """

    height: int
    hash: bytes

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return u64(self.height) + self.hash

    @classmethod
    def from_bytes(cls, data: bytes) -> Head:
        """Read what `to_bytes` wrote."""
        return cls(int.from_bytes(data[:8], "little"), data[8:])


class StoreReader:
    """What can be asked of an open store; `Store` opens and writes it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool) -> None:
        self._path, self._connection, self._read_only = path, connection, read_only
        self._lock = RLock()
        self._closed = False
        self._meta: dict[str, bytes] = {}

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"height {self.head.height}{', read only' * self._read_only}"
        return f"Store({str(self._path)!r}, {state})"

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    @property
    def read_only(self) -> bool:
        """Whether it is open for reading alone."""
        return self._read_only

    @property
    def head(self) -> Head:
        """The newest block that is final; a reader sees what the writer has finished by now."""
        # Read each time, not remembered: a caller may be interrupted between the commit and the next line.
        found = self._rows("meta", "WHERE name = 'head'")
        if not found:
            raise StoreError(f"{self._path}: meta: ['head'] is missing, so the file is damaged; {COPY}")
        return Head.from_bytes(found["head"])

    @cached_property
    def genesis(self) -> Genesis:
        """What the chain started from."""
        try:
            return Genesis.from_bytes(self._meta["genesis"])
        except GridlabError as problem:
            raise StoreError(f"{self._path}: genesis does not read ({problem})") from problem

    @property
    def snapshot_every(self) -> int:
        """Blocks between two snapshots of the state."""
        return int.from_bytes(self._meta["snapshot_every"], "little")

    def blocks(self, start: int = 1, stop: int | None = None) -> Iterator[Block]:
        """Yield the blocks from height `start` on to the head (or to height `stop`), each checked against its row.

        Bytes, hash, parent and receipts of each are those that were written, and each continues the one before.
        Whether a block is what execution gives, and its certificate one of the chain's, `ConsortiumChain.open` says.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `start` or `stop` is not a height, 1 or more.
        StoreError
            A block is damaged or missing; the error names its height and what differs.
        """
        require_int("start", start, 1)
        self._open()
        head = self.head
        last = head.height if stop is None else min(require_int("stop", stop, 0), head.height)
        parent = self._parent_of(start)
        for height, row in self._block_rows(start, last):
            block = self._checked(row, height, parent)
            parent = block.hash
            yield block
        if last == head.height and start <= last and parent != head.hash:
            raise StoreError(
                f"{self._path}: block {last}: its hash is {hexadecimal(parent)}, the head's {hexadecimal(head.hash)}"
            )

    def _block_rows(self, start: int, last: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
        for first in range(start, last + 1, _BLOCKS_AT_ONCE):
            heights = range(first, min(first + _BLOCKS_AT_ONCE, last + 1))
            rows = self._query(_SELECT_BLOCKS, heights[0], heights[-1])
            for place, height in enumerate(heights):
                if place >= len(rows):
                    raise StoreError(f"{self._path}: block {height} is missing, the head is block {last}; {COPY}")
                yield height, rows[place]

    def _checked(self, row: tuple[Any, ...], height: int, parent: bytes) -> Block:
        try:
            return block_of(row, height, parent)
        except StoreError as problem:
            raise StoreError(f"{self._path}: {problem}; {COPY}") from problem

    def _parent_of(self, height: int) -> bytes:
        if height == 1:
            return self.genesis.header.hash
        rows = self._query("SELECT hash FROM blocks WHERE height = ?", height - 1)
        return bytes(rows[0][0]) if rows and isinstance(rows[0][0], bytes) else b""

    def confirm_genesis(self, genesis: Genesis) -> None:
        """Raise StoreError unless the store began with exactly this genesis."""
        if self._meta["genesis"] != genesis.to_bytes():
            raise StoreError(f"{self._path}: is of another chain, its genesis differs; choose another file")

    def confirm(self, block: Block) -> None:
        """Raise StoreError unless the store holds exactly this block at its height."""
        for stored in self.blocks(block.height, block.height):
            if stored.to_bytes() == block.to_bytes():
                return
            what = "another certificate" if stored.hash == block.hash else f"the hash {hexadecimal(stored.hash)}"
            raise StoreError(
                f"{self._path}: block {block.height} has {what} in the store, and not {hexadecimal(block.hash)}; it "
                "was made by another run, or by another version of gridlab"
            )
        raise StoreError(f"{self._path}: block {block.height} is not in the store, whose head is {self.head.height}")

    def height_of(self, block_hash: bytes) -> int:
        """Return the height of the block with this hash (0 for genesis), or raise StoreError if there is none."""
        require_bytes("block_hash", block_hash, HASH_BYTES)
        if block_hash == self.genesis.header.hash:
            return 0
        rows = self._query("SELECT height FROM blocks WHERE hash = ?", block_hash)
        if not rows:
            raise StoreError(
                f"{self._path}: no block has the hash {hexadecimal(block_hash)}; it is of another chain, or newer than "
                f"the head, block {self.head.height}"
            )
        return int(rows[0][0])

    def snapshot_heights(self) -> list[int]:
        """Return the heights at which there is a snapshot of the state, ascending."""
        with self._lock, guarded(self._path):
            return snapshots.snapshot_heights(self._open())

    def snapshot(self, height: int) -> bytes:
        """Return the bytes of the state after block `height` (`gridlab.chain.snapshot.decode_state` reads them).

        Raises
        ------
        StoreError
            There is no snapshot at this height, or it is damaged.
        """
        known = self.snapshot_heights()
        if require_int("height", height) not in known:
            raise StoreError(f"{self._path}: no snapshot at block {height}, allowed: {known}")
        with self._lock, guarded(self._path):
            return snapshots.read_snapshot(self._open(), height)

    @property
    def notes(self) -> dict[str, bytes]:
        """All notes by name."""
        return self._rows("notes")

    def note(self, name: str) -> bytes:
        """Return one note, or raise StoreError naming those there are."""
        found = self.notes
        if require_text("name", name) not in found:
            raise StoreError(f"{self._path}: no note {name!r}; {nearest(name, found) if found else 'it has none'}")
        return found[name]

    def check(self) -> None:
        """Look through the whole file for damage: what `check_registers` does, and every block.

        Raises
        ------
        StoreError
            The error names the table, the block or the note, and what differs.
        """
        self.check_registers()
        for _ in self.blocks():
            pass

    def check_registers(self) -> None:
        """Look for damage in the file's pages, genesis, notes and snapshots, and raise StoreError naming it."""
        rows = self._query("PRAGMA integrity_check(1)")
        if rows != [("ok",)]:
            raise StoreError(f"{self._path}: its pages are damaged ({rows[0][0]}); {COPY}")
        for table in ("meta", "notes"):
            self._rows(table)
        with self._lock, guarded(self._path):
            try:
                snapshots.check_snapshots(self._open())
            except StoreError as problem:
                raise StoreError(f"{self._path}: {problem}") from problem

    def _rows(self, table: str, which: str = "") -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name, value, expected in self._query(f"SELECT name, value, checksum FROM {table} {which}"):  # noqa: S608
            typed = isinstance(name, str) and isinstance(value, bytes)
            if not typed or checksum(table, name, value) != expected:
                raise StoreError(f"{self._path}: {table}: the row {name!r} is damaged; {COPY}")
            found[name] = value
        return found

    def _query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, guarded(self._path):
            return self._open().execute(statement, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"{self._path}: is closed; Store.open({str(self._path)!r}) opens it again")
        return self._connection
