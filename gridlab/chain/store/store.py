"""The store: genesis, every final block, snapshots of the state and a lab's notes in one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gridlab.chain.arguments import require_bytes, require_int, require_mapping, require_text
from gridlab.chain.blocks import Block
from gridlab.chain.encoding import u64
from gridlab.chain.genesis import Genesis
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.snapshot import encode_state
from gridlab.chain.state import State
from gridlab.chain.store import snapshots
from gridlab.chain.store.connection import COPY, check_layout, connect, guarded, require_file, store_path
from gridlab.chain.store.layout import checksum
from gridlab.chain.store.log_check import check_log
from gridlab.chain.store.making import make_file
from gridlab.chain.store.reading import Head, StoreReader
from gridlab.chain.store.rows import COLUMNS, block_row
from gridlab.errors import ArgumentError, ArgumentTypeError, StoreError

__all__ = ["SNAPSHOT_EVERY", "Head", "Store"]

# Blocks between two snapshots: some twenty minutes of blocks of one second, and seconds of executing them again.
SNAPSHOT_EVERY = 1000

_INSERT_BLOCK = f"INSERT INTO blocks ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608


class Store(StoreReader):
    """One file with everything that was final, open for writing or for reading.

    Made by `Store.create` and `Store.open`. A block is in the file, confirmed by the disk, before `append` returns;
    a process killed at any moment leaves all such blocks and none by half. One writer at a time; readers may look
    meanwhile. Use it in a ``with`` statement, or call `close`.

    Examples
    --------
    >>> import tempfile
    >>> import polars as pl
    >>> from gridlab.chain import ConsortiumChain
    >>> regulator = {"account": [0], "name": ["ERC"], "role": ["regulator"], "public_key": [bytes(32)]}
    >>> path = tempfile.mkdtemp() + "/run.db"
    >>> chain = ConsortiumChain(pl.DataFrame(regulator), store=path)
    >>> _ = chain.seal(0)
    >>> chain.close()
    >>> with Store.open(path, read_only=True) as store:
    ...     [block.height for block in store.blocks()]
    [1]
    """

    # Making and opening.

    @classmethod
    def create(
        cls,
        path: str | Path,
        genesis: Genesis,
        *,
        blocks: Iterable[Block] = (),
        notes: Mapping[str, bytes] | None = None,
        snapshot_every: int = SNAPSHOT_EVERY,
    ) -> Self:
        """Make a store and open it for writing.

        Parameters
        ----------
        path : str or Path
            Where nothing is yet.
        genesis : Genesis
        blocks : iterable of Block
            What the chain holds already, from height 1 on, receipts included.
        notes : mapping of str to bytes, optional
        snapshot_every : int
            Blocks between two snapshots of the state, 1 or more.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument has a wrong type or is out of bounds.
        StoreError
            There is something at `path`, it cannot be written there, or a block does not continue the chain. Nothing
            is left behind then.
        """
        if not isinstance(genesis, Genesis):
            raise ArgumentTypeError(f"genesis is a {type(genesis).__name__}, allowed: a Genesis")
        require_int("snapshot_every", snapshot_every, 1, 2**31)
        checked = _checked_notes(notes or {})
        head = Head(0, genesis.header.hash)

        def fill(connection: sqlite3.Connection) -> None:
            newest = head
            for block in blocks:
                newest = _insert(connection, newest, block)
            meta = {"genesis": genesis.to_bytes(), "head": newest.to_bytes(), "snapshot_every": u64(snapshot_every)}
            _replace(connection, "meta", meta)
            _replace(connection, "notes", checked)

        target = store_path(path)
        make_file(target, fill)
        return cls.open(target)

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False) -> Self:
        """Open a store, once its file has the shape of one; what stands in it `check` and `blocks` look through.

        Raises
        ------
        ArgumentTypeError
            `path` is no file name.
        MissingStoreError
            There is no such file.
        StoreError
            It is no store, of another format, damaged, or somebody else is writing to it.
        """
        target = store_path(path)
        require_file(target)
        # Before SQLite sees the log: it would drop what stands behind a damaged frame, and its copy with it.
        check_log(target)
        with guarded(target):
            connection = connect(target, read_only=read_only)
            store = cls(target, connection, read_only=read_only)
            try:
                store._begin()
            except BaseException:
                connection.close()
                raise
        return store

    def _begin(self) -> None:
        check_layout(self._connection, self._path)
        if not self._read_only:
            self._reserve()
        self._meta = self._rows("meta")
        missing = {"genesis", "head", "snapshot_every"} - self._meta.keys()
        if missing:
            raise StoreError(f"{self._path}: meta: {sorted(missing)} is missing, so the file is damaged; {COPY}")

    def _reserve(self) -> None:
        # Holding SQLite's write lock between blocks is what keeps a second writer out.
        self._connection.execute("BEGIN IMMEDIATE")

    # Writing.

    def append(self, block: Block, state: State | None = None) -> None:
        """Write the next final block; when this returns, no killed process and no power cut takes it away.

        Parameters
        ----------
        block : Block
            With its receipts.
        state : State, optional
            The state after it; at every `snapshot_every`-th height it is written along. One with shards is not: they
            come from executing all blocks.

        Raises
        ------
        ArgumentTypeError
            `block` is not a Block.
        StoreError
            It does not continue the chain, the store is read only, or the disk refuses it. The store is as before.
        """
        with self._lock, self._writing() as connection:
            head = _insert(connection, self.head, block)
            if state is not None and state.shards is None and head.height % self.snapshot_every == 0:
                snapshots.add_snapshot(connection, head.height, encode_state(state), self.snapshot_every)
            _replace(connection, "meta", {"head": head.to_bytes()})

    def write_notes(self, notes: Mapping[str, bytes]) -> None:
        """Write notes, all or none; one of the same name is replaced.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A name is not text of 1 to 200 bytes, or a value not bytes.
        StoreError
            As `append`.
        """
        checked = _checked_notes(notes)
        with self._lock, self._writing() as connection:
            _replace(connection, "notes", checked)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Let the caller write, and commit it, or leave everything as before."""
        connection = self._open()
        if self._read_only:
            raise StoreError(f"{self._path}: is open for reading alone; Store.open(path) opens it for writing")
        with guarded(self._path):
            if not connection.in_transaction:
                # The lock was lost between two blocks. Whoever wrote meanwhile has moved the head, which is read anew.
                self._reserve()
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            finally:
                # What was committed is final, whatever happens now; the next call tries again.
                with suppress(sqlite3.Error):
                    self._reserve()

    # Closing.

    def close(self) -> None:
        """Bring the log back into the file and let it go; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if not self._read_only:
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _insert(connection: sqlite3.Connection, head: Head, block: Block) -> Head:
    """Write a block that continues `head`, and return the new head."""
    if not isinstance(block, Block):
        raise ArgumentTypeError(f"block is a {type(block).__name__}, allowed: a Block")
    if block.height != head.height + 1 or block.header.parent != head.hash:
        raise StoreError(
            f"block {block.height} on {hexadecimal(block.header.parent)} does not continue the store's head, block "
            f"{head.height}, {hexadecimal(head.hash)}; allowed: block {head.height + 1} on it"
        )
    if len(block.receipts) != len(block.transactions):
        raise StoreError(
            f"block {block.height} has {len(block.transactions)} transactions and {len(block.receipts)} receipts; "
            "allowed: a block as ConsortiumChain.seal or ConsortiumChain.block returns it"
        )
    connection.execute(_INSERT_BLOCK, block_row(block))
    return Head(block.height, block.hash)


def _replace(connection: sqlite3.Connection, table: str, values: Mapping[str, bytes]) -> None:
    rows = [(name, value, checksum(table, name, value)) for name, value in values.items()]
    connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", rows)  # noqa: S608


def _checked_notes(notes: object) -> dict[str, bytes]:
    checked: dict[str, bytes] = {}
    for name, value in require_mapping("notes", notes).items():
        if not require_text("name of a note", name, longest=200):
            raise ArgumentError("name of a note is empty, allowed: 1 to 200 bytes")
        checked[name] = require_bytes(f"note {name!r}", value)
    return checked
