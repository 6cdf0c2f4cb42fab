"""A process killed at any moment loses no final block and leaves none by half."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from gridlab.chain import ConsortiumChain
from gridlab.chain.store import Store, log_check
from gridlab.errors import StoreError

KILLS = 300

# Makes a store of eleven blocks and ends without closing it, as a killed process does.
LEAVE = """
import os, sys
from gridlab.chain import ConsortiumChain
from gridlab.chain.store import Store, log_check
chain = ConsortiumChain.from_bytes(open(sys.argv[1], "rb").read())
store = Store.create(sys.argv[2], chain.genesis)
store._connection.execute("ROLLBACK")
store._connection.execute("PRAGMA wal_autocheckpoint = 0")
store._connection.execute("BEGIN IMMEDIATE")
for height in range(1, 12):
    store.append(chain.block(height))
os._exit(9)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_a_process_killed_at_hundreds_of_moments_loses_no_final_block(grown, tmp_path):
    (tmp_path / "genesis.bin").write_bytes(grown.genesis.to_bytes())
    blocks = [(block.to_bytes(), tuple(block.receipts)) for block in map(grown.block, range(1, 13))]
    (tmp_path / "blocks.bin").write_bytes(pickle.dumps(blocks))
    script = Path(__file__).with_name("crash_writer.py")
    done = subprocess.run(
        [sys.executable, script, tmp_path, str(KILLS), "2569"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["kills"] == KILLS
    assert counts["appended"] > KILLS // 2
    assert counts["finished"] > 3
    assert counts["before the first block"] > 3


@pytest.fixture
def left(grown, tmp_path):
    """The file and the log of a process that ended without closing its store."""
    (tmp_path / "chain.bin").write_bytes(grown.to_bytes())
    path = tmp_path / "left" / "run.db"
    path.parent.mkdir()
    done = subprocess.run([sys.executable, "-c", LEAVE, tmp_path / "chain.bin", path], check=False)
    assert done.returncode == 9
    return path, path.read_bytes(), path.with_name("run.db-wal").read_bytes()


def laid(path, data, log):
    for each in path.parent.iterdir():
        each.unlink()
    path.write_bytes(data)
    path.with_name("run.db-wal").write_bytes(log)
    return path


def heights(path, *, read_only):
    with Store.open(path, read_only=read_only) as store:
        store.check()
        return [block.height for block in store.blocks()]


def outcome(path, *, read_only):
    try:
        return heights(path, read_only=read_only), ""
    except StoreError as problem:
        return None, str(problem)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_log_left_behind_is_read_and_taken_in(left, read_only, sequencer, grown):
    path, _, _ = left
    assert heights(path, read_only=read_only) == list(range(1, 12))
    chain = ConsortiumChain.open(path, ordering=sequencer)
    assert chain.head.hash == grown.block(11).hash
    chain.close()
    assert [each.name for each in path.parent.iterdir()] == ["run.db"]


def test_a_log_cut_short_anywhere_leaves_the_first_blocks_whole(left):
    """As a power cut leaves it: only the end of the log can be missing."""
    path, data, log = left
    found = []
    for size in [*range(0, len(log), 1 + len(log) // 60), len(log) - 1, len(log)]:
        found.append(heights(laid(path, data, log[:size]), read_only=bool(size % 2)))
        assert found[-1] == list(range(1, len(found[-1]) + 1))
    assert [len(each) for each in found] == sorted(len(each) for each in found)
    assert (len(found[0]), len(found[-1])) == (0, 11)


def test_a_flipped_byte_in_the_log_is_named_and_the_log_is_kept(left, monkeypatch):
    monkeypatch.setattr(log_check, "_PAUSE_SECONDS", 0)
    path, data, log = left
    newest = 0
    for place in [0, 9, 17, 27, 33, 41, 50, *range(60, len(log), 1 + len(log) // 150)]:
        damaged = bytearray(log)
        damaged[place] ^= 1 << place % 8
        laid(path, data, damaged)
        found, said = outcome(path, read_only=bool(place % 2))
        if said:
            assert "frame" in said
            assert "run.db-wal" in said
            assert path.with_name("run.db-wal").read_bytes() == damaged
        else:
            # Nothing tells a flipped byte in the newest transaction from one that a power cut tore.
            assert found in (list(range(1, 11)), list(range(1, 12)))
            newest += 1
    assert newest < 30
