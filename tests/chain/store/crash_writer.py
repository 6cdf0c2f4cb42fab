"""Kill a process at seeded moments while it writes a store, and look at what it left. Run by test_crash.py.

    python crash_writer.py FOLDER KILLS SEED

FOLDER holds genesis.bin and blocks.bin. A child opens the store for reading and proves that it holds a run of exactly
these blocks from the first on, none less than was reported before. Then it opens or makes the store, appends, and
reports each height after `append` has returned. The parent kills it with SIGKILL at a moment that it drew, while it
opens, makes, appends or closes. Writes a line of JSON: what happened how often.
"""

import json
import os
import pickle
import random
import select
import signal
import sys
import time
import traceback
from pathlib import Path

from gridlab.chain.blocks import Block
from gridlab.chain.genesis import Genesis
from gridlab.chain.store import Store

CHECKED, APPENDED, CLOSED, FAILED, ENDED = b"V", b"A", b"C", b"F", b""
PATIENCE_SECONDS = 60


class Writer:
    """What the child does; every report is one byte of kind and four of height."""

    def __init__(self, path, genesis, blocks, pipe):
        self.path, self.genesis, self.blocks, self.pipe = path, genesis, blocks, pipe

    def say(self, kind, height=0):
        os.write(self.pipe, kind + height.to_bytes(4, "little"))

    def check(self, least):
        height = 0
        if self.path.exists():
            with Store.open(self.path, read_only=True) as store:
                store.check()
                found = list(store.blocks())
            height = len(found)
            for own, expected in zip(found, self.blocks, strict=False):
                assert own.to_bytes() == expected.to_bytes(), f"block {own.height} is another one"
        assert least <= height <= len(self.blocks), f"{height} blocks, {least} had been reported as final"
        self.say(CHECKED, height)

    def write(self):
        genesis = Genesis.from_bytes(self.genesis)
        store = Store.open(self.path) if self.path.exists() else Store.create(self.path, genesis, snapshot_every=2)
        # Often checkpoints, so that some kills meet one.
        store._connection.execute("ROLLBACK")
        store._connection.execute("PRAGMA wal_autocheckpoint = 8")
        store._connection.execute("BEGIN IMMEDIATE")
        for block in self.blocks[store.head.height :]:
            store.append(block)
            self.say(APPENDED, block.height)
        store.close()
        self.say(CLOSED, len(self.blocks))


def child(path, genesis, rows, pipe, least):
    # Read here and not in the parent, whose children would wait for ever for threads that polars started before a fork.
    read = [(Block.from_bytes(body), receipts) for body, receipts in pickle.loads(rows)]
    blocks = [Block(each.header, each.transactions, each.certificate, receipts) for each, receipts in read]
    writer = Writer(path, genesis, blocks, pipe)
    try:
        writer.check(least)
        writer.write()
    except BaseException:  # noqa: BLE001 - all of it goes to the parent
        traceback.print_exc()
        writer.say(FAILED)
    os._exit(0)


def read_report(pipe, seconds):
    """Return a report, or None where none comes in time."""
    if not select.select([pipe], [], [], seconds)[0]:
        return None
    data = os.read(pipe, 5)
    return data[:1], int.from_bytes(data[1:], "little")


def awaited(pipe, kinds):
    """Return the next report, which must be of one of these kinds and come in time."""
    report = read_report(pipe, PATIENCE_SECONDS)
    if report is None or report[0] not in kinds:
        raise SystemExit(f"a child reported {report}, expected was one of {kinds}")
    return report


def one_kill(path, genesis, rows, least, choose):
    """Start a child, kill it, and return (what it said last, highest height that it reported)."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        child(path, genesis, rows, writing, least)
    os.close(writing)
    try:
        last = awaited(reading, [CHECKED])
        for _ in range(choose.choice([0, 0, 1, 1, 2, 3, 5, 8])):
            if last[0] != CLOSED:
                last = awaited(reading, [APPENDED, CLOSED])
        until = time.perf_counter() + choose.choice([0.0005, 0.003, 0.02]) * choose.random()
        while time.perf_counter() < until:
            pass
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    while (report := read_report(reading, 0)) is not None and report[0] != ENDED:
        last = report
    os.close(reading)
    if last[0] == FAILED:
        raise SystemExit("a child failed before it was killed")
    return last


def main(folder, kills, seed):
    path = folder / "run.db"
    genesis, rows = (folder / "genesis.bin").read_bytes(), (folder / "blocks.bin").read_bytes()
    choose = random.Random(seed)
    least, counts = 0, {"kills": 0, "appended": 0, "finished": 0, "before the first block": 0}
    while counts["kills"] < kills:
        kind, height = one_kill(path, genesis, rows, least, choose)
        counts["kills"] += 1
        counts["appended"] += height - least
        counts["before the first block"] += height == 0
        least = height
        if kind == CLOSED:
            counts["finished"] += 1
            least = 0
            for each in folder.glob("run.db*"):
                each.unlink()
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
