"""The checksums of SQLite's write-ahead log, against SQLite's own and against a plain loop over words."""

import sqlite3
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.store import log_check
from gridlab.chain.store.log_check import _continued, _later_transactions, check_log


def reference(start, data, order):
    """SQLite's file format, section 4.2: the checksum algorithm as it stands there, word by word."""
    s0, s1 = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for place in range(0, len(words), 2):
        s0 = (s0 + words[place] + s1) % 2**32
        s1 = (s1 + words[place + 1] + s0) % 2**32
    return [s0, s1]


@given(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.integers(0, 40).flatmap(lambda pairs: st.binary(min_size=8 * pairs, max_size=8 * pairs)),
    st.sampled_from("<>"),
)
def test_all_frames_at_once_give_what_a_loop_over_words_gives(start, data, order):
    words = np.frombuffer(data, f"{order}u4").astype(np.uint32)
    found = _continued(np.array([start, start], np.uint32), np.stack([words, words]))
    assert found.tolist() == [reference(start, data, order)] * 2


@pytest.mark.parametrize("page", [512, 4096, 65536])
def test_a_log_that_sqlite_wrote_is_in_order(tmp_path, page, monkeypatch):
    path = tmp_path / "x.db"
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in (f"PRAGMA page_size = {page}", "PRAGMA journal_mode = WAL", "PRAGMA wal_autocheckpoint = 0"):
        connection.execute(statement)
    connection.execute("CREATE TABLE t (x)")
    for number in range(40):
        connection.execute("INSERT INTO t VALUES (zeroblob(?))", (number * 50,))
    check_log(path)
    log = bytearray(path.with_name("x.db-wal").read_bytes())
    monkeypatch.setattr(log_check, "_PAUSE_SECONDS", 0)
    other = tmp_path / "y.db"
    other.with_name("y.db-wal").write_bytes(log)
    check_log(other)
    log[len(log) // 3] ^= 4
    other.with_name("y.db-wal").write_bytes(log)
    with pytest.raises(log_check.StoreError, match=r"frame \d+ is damaged, and \d+ later transaction"):
        check_log(other)
    connection.close()


def test_a_log_that_was_begun_anew_over_an_older_one_is_in_order(tmp_path):
    path = tmp_path / "x.db"
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA wal_autocheckpoint = 0", "CREATE TABLE t (x)"):
        connection.execute(statement)
    for _ in range(3):
        for _ in range(20):
            connection.execute("INSERT INTO t VALUES (zeroblob(900))")
        connection.execute("PRAGMA wal_checkpoint(RESTART)")
        connection.execute("INSERT INTO t VALUES (1)")
        check_log(path)
    connection.close()


def test_no_log_and_a_stump_of_one_are_in_order(tmp_path):
    check_log(tmp_path / "x.db")
    for size in (0, 31, 40):
        (tmp_path / "x.db-wal").write_bytes(bytes(size))
        check_log(tmp_path / "x.db")


@pytest.mark.parametrize(
    ("good", "commits", "later"),
    [
        ("-", "c", 0),  # the newest transaction was torn
        ("-++", "..c", 0),  # torn in the middle
        ("-+", "cc", 1),
        ("--+", "ccc", 1),  # the wrong checksum makes the next frame wrong, too
        ("-+++", "c.cc", 2),
        ("---+", "cccc", 0),  # what a refused commit left behind
        ("-++-+", "c..cc", 1),
    ],
)
def test_only_a_later_transaction_proves_damage(good, commits, later):
    found = _later_transactions(np.array([each == "+" for each in good]), np.array([each == "c" for each in commits]))
    assert found == later
