"""Making a store: all of it under another name first, so that a file with the store's name is always whole."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from gridlab.chain.store.connection import guarded
from gridlab.chain.store.layout import APPLICATION, FORMAT, TABLES
from gridlab.errors import StoreError

__all__ = ["make_file"]


def make_file(path: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
    """Make the file of a store, with its tables and whatever `fill` writes, whole or not at all.

    Raises
    ------
    StoreError
        There is something at `path`, or it cannot be written there.
    """
    if path.exists():
        raise StoreError(f"{path}: is there already, and a store is never overwritten; open it, or choose another name")
    log = path.with_name(path.name + "-wal")
    if log.exists():
        # SQLite would play it into the new file.
        raise StoreError(
            f"{log}: is the log of a store that is gone; put that back, delete the log, or choose another name"
        )
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except (OSError, ValueError) as problem:
        raise StoreError(f"{path}: cannot be written ({problem}); choose another folder") from problem
    os.close(handle)
    partial = Path(name)
    try:
        with guarded(path):
            _write(partial, fill)
        _name(partial, path)
    finally:
        for each in (partial, *(partial.with_name(partial.name + end) for end in ("-wal", "-shm", "-journal"))):
            with suppress(OSError):
                each.unlink()


def _write(partial: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
    with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
        for pragma in (f"application_id = {APPLICATION}", f"user_version = {FORMAT}", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("BEGIN IMMEDIATE")
        for statement in TABLES.values():
            connection.execute(statement)
        fill(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


def _name(partial: Path, path: Path) -> None:
    """Give the finished file its name, unless somebody else has been quicker, and let the disk confirm the name."""
    try:
        # A hard link, because renaming would silently replace a store that was made in the meantime.
        os.link(partial, path)
    except FileExistsError as problem:
        raise StoreError(f"{path}: was made by somebody else just now; open it, or choose another name") from problem
    except OSError:
        _rename(partial, path)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _rename(partial: Path, path: Path) -> None:
    # File systems without hard links.
    try:
        partial.rename(path)
    except OSError as problem:
        raise StoreError(f"{path}: cannot be written ({problem.strerror}); choose another folder") from problem
