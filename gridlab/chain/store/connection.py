"""Opening a store's file through SQLite, and saying in plain words what SQLite says in codes.

A writer holds SQLite's write lock as long as it is open, so a second writer is told at once. Readers look at the last
committed state while it writes (write-ahead log). A commit returns when the disk has confirmed it: ``synchronous=FULL``
writes the log through, on macOS with ``F_FULLFSYNC``.

The file itself is only ever opened by SQLite. On POSIX, closing any descriptor of a file drops all locks that the
process holds on it, and with them the protection of every other connection.

References
----------
SQLite, "Write-Ahead Logging", "PRAGMA statements" and "How to corrupt an SQLite database file", documentation, 2025.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridlab.chain.store.layout import APPLICATION, FORMAT, TABLES
from gridlab.errors import ArgumentTypeError, MissingStoreError, StoreError

__all__ = ["check_layout", "connect", "guarded", "store_path", "translated"]

COPY = "take another copy of it, or run the lab again"

# Four MiB of log between two checkpoints, and never more than this left behind once readers have let go.
_CHECKPOINT_PAGES = 1000
_LOG_BYTES = 64 * 2**20


def store_path(path: object) -> Path:
    """Return `path` as a Path, or raise ArgumentTypeError."""
    if not isinstance(path, (str, os.PathLike)):
        raise ArgumentTypeError(f"path is a {type(path).__name__}, allowed: a file name such as 'run.db'")
    return Path(os.fspath(path))


def require_file(path: Path) -> None:
    """Raise StoreError unless `path` is a file that may be a store."""
    if path.is_dir():
        raise StoreError(f"{path}: is a folder, allowed: the file of a store, such as {str(path / 'run.db')!r}")
    try:
        size = path.stat().st_size
    except FileNotFoundError as problem:
        raise MissingStoreError(f"{path}: no such file; chain.store_in({str(path)!r}) makes one") from problem
    except (OSError, ValueError) as problem:
        raise StoreError(f"{path}: cannot be opened ({problem})") from problem
    if not size:
        raise StoreError(f"{path}: is empty, so it never was a whole store; delete it and make a new one")


def translated(path: Path, problem: sqlite3.Error) -> StoreError:
    """Return what an error of SQLite means for a store."""
    code = getattr(problem, "sqlite_errorname", "") or ""
    if code.startswith("SQLITE_FULL"):
        said = "the disk or the store's size limit is full; make room and go on, nothing that was final is lost"
    elif code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        said = "another process or another object is writing to it; close that, or open with read_only=True to look"
    elif code.startswith("SQLITE_NOTADB"):
        said = "is not a store of gridlab"
    elif code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        said = "cannot be opened or written; look at the rights of the file and of its folder"
    elif code.startswith("SQLITE_IOERR"):
        said = "the disk refuses to read or write; look at the disk and its free space, nothing that was final is lost"
    else:
        said = f"is damaged; {COPY}"
    return StoreError(f"{path}: {said} (SQLite: {problem})")


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn every error of SQLite inside the block into a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as problem:
        raise translated(path, problem) from problem
    except (OverflowError, UnicodeError) as problem:
        raise StoreError(f"{path}: is damaged ({problem}); {COPY}") from problem


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Return a connection to a file that exists; nothing of what it holds has been checked.

    Raises
    ------
    sqlite3.Error
        To be translated by the caller.
    StoreError
        The file system cannot hold a write-ahead log.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{_mode(path, read_only=read_only)}",
        uri=True,
        timeout=5 if read_only else 0,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        # A stranger's file must not run code of its own, and a cell that leaves its page must not be read.
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON"):
            connection.execute(f"PRAGMA {pragma}")
        if not read_only:
            _prepare_writing(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _mode(path: Path, *, read_only: bool) -> str:
    if not read_only:
        return "mode=rw"
    log = path.with_name(path.name + "-wal")
    # Without a log and without the right to make one, nobody else can be writing either.
    sealed = not os.access(path.parent, os.W_OK) and not log.exists()
    return "mode=ro&immutable=1" if sealed else "mode=ro"


def _prepare_writing(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"{path}: the file system cannot hold a write-ahead log; put the store on a local disk")
    for pragma in (
        "synchronous = FULL",
        "fullfsync = ON",
        "checkpoint_fullfsync = ON",
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        f"journal_size_limit = {_LOG_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def check_layout(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError unless the database is a store of this format with exactly its tables."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise StoreError(f"{path}: is an SQLite database and not a store of gridlab, or its first page is damaged")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != FORMAT:
        raise StoreError(
            f"{path}: is of format {version}, this version reads {FORMAT}; "
            "open it with the version of gridlab that wrote it"
        )
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
    if rows != list(TABLES.items()):
        raise StoreError(f"{path}: its tables are not those of a store, or their description is damaged; {COPY}")
