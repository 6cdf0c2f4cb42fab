"""A lab in a file: killed in the middle, opened again, finished to the same fingerprint."""

import signal
import subprocess
import sys
import time
from dataclasses import replace

import polars as pl
import pytest

import gridlab as gl
from gridlab import lab_store
from gridlab.chain.store import Store
from gridlab.errors import ArgumentTypeError, MissingStoreError, StoreError
from gridlab.recording import Recorder

SLOTS = 48
LEVERS = {"consensus.liars": 1, "market.wheeling.postage_stamp": 0.6}

RUN = """
import sys
import gridlab as gl
lab = gl.Lab.thailand(prosumers=8, seed=5, start="2026-05-08").set({levers!r})
lab.run(slots={slots}, progress=False, store=sys.argv[1])
"""


def make(**changes):
    return gl.Lab.thailand(**({"prosumers": 8, "seed": 5, "start": "2026-05-08"} | changes)).set(LEVERS)


@pytest.fixture(scope="module")
def uninterrupted():
    return make().run(slots=SLOTS, progress=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run.db"
    make().run(slots=SLOTS, progress=False, store=path)
    return path.read_bytes()


@pytest.fixture
def path(whole, tmp_path):
    target = tmp_path / "run.db"
    target.write_bytes(whole)
    return target


def same(one, other):
    assert one.fingerprint == other.fingerprint
    assert one.chain.to_bytes() == other.chain.to_bytes()
    for name, frame in one.frames.items():
        assert frame.equals(other.frames[name]), name
    assert replace(one.facts, clearing_seconds=0) == replace(other.facts, clearing_seconds=0)


def height(path):
    with Store.open(path, read_only=True) as store:
        return store.head.height


def killed_at(path, wanted):
    """Run the lab in a process of its own and kill it once so many blocks are final; returns how many there are."""
    child = subprocess.Popen([sys.executable, "-c", RUN.format(levers=LEVERS, slots=SLOTS), path])
    try:
        while not path.exists() or height(path) < wanted:
            assert child.poll() is None, "the run ended before it could be killed"
            time.sleep(0.002)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    return height(path)


def test_a_stored_run_is_the_run_without_a_store(path, uninterrupted):
    same(gl.open(path).run(progress=False), uninterrupted)
    assert height(path) == uninterrupted.chain.height


def test_a_lab_killed_in_the_middle_is_finished_to_the_same_fingerprint(tmp_path, uninterrupted):
    path = tmp_path / "run.db"
    left = killed_at(path, 9)
    assert 9 <= left < uninterrupted.chain.height
    lab = gl.open(path)
    assert lab.lever_values() == make().lever_values()
    assert (lab.seed, lab.agents.prosumers, lab.start) == (5, 8, make().start)
    assert lab.title == make().title
    same(lab.run(progress=False), uninterrupted)
    assert height(path) == uninterrupted.chain.height
    end = uninterrupted.chain
    with pytest.raises(StoreError, match="genesis names an exchange"):
        gl.ConsortiumChain.open(path)
    for checkpoint in (None, end.head.hash):
        chain = gl.ConsortiumChain.open(path, exchange=end.exchange, checkpoint=checkpoint)
        assert chain.fingerprint == end.fingerprint
        assert chain.trades.equals(end.trades)
        chain.close()


def test_a_run_broken_off_by_an_error_leaves_its_store_to_the_next(tmp_path, uninterrupted, monkeypatch):
    path, seal = tmp_path / "run.db", gl.ConsortiumChain.seal

    def stop(chain, timestamp):
        if chain.height == 7:
            raise KeyboardInterrupt
        return seal(chain, timestamp)

    with monkeypatch.context() as patch:
        patch.setattr(gl.ConsortiumChain, "seal", stop)
        with pytest.raises(KeyboardInterrupt):
            make().run(slots=SLOTS, progress=False, store=path)
    assert height(path) == 7
    same(make().run(slots=SLOTS, progress=False, store=path), uninterrupted)


@pytest.mark.parametrize(
    ("changes", "levers", "slots", "said"),
    [
        ({"seed": 6}, {}, SLOTS, "seed is 5, not 6"),
        ({"prosumers": 9}, {}, SLOTS, "prosumers is 8, not 9"),
        ({"start": "2026-05-11"}, {}, SLOTS, "start is '2026-05-08.*not '2026-05-11"),
        ({}, {"market.rule": "pay_as_bid"}, SLOTS, "market.rule is 'uniform', not 'pay_as_bid'"),
        ({}, {}, SLOTS + 4, f"slots is {SLOTS}, not {SLOTS + 4}"),
    ],
)
def test_another_lab_does_not_write_into_the_store(path, whole, changes, levers, slots, said):
    with pytest.raises(StoreError, match=f"holds the run of another lab .*{said}"):
        make(**changes).set(levers).run(slots=slots, progress=False, store=path)
    assert path.read_bytes() == whole


def test_levers_of_every_kind_come_back(tmp_path):
    path = tmp_path / "run.db"
    lab = make().set(
        {"market.rule": "pay_as_bid", "trade_on_forecasts": True, "consensus.protocol": "single_sequencer"}
    )
    run = lab.run(slots=4, progress=False, store=path)
    again = gl.open(path)
    assert again.lever_values() == lab.lever_values()
    assert again.run(progress=False).fingerprint == run.fingerprint


def test_a_run_that_goes_another_way_is_told_so_and_which_version_wrote_the_store(path, whole, monkeypatch):
    original = Recorder._deposit

    def late(recorder, chain, keys):
        chain.submit(chain.sign(keys[0], "order_batch", recorder.day.orders.head(0)))
        original(recorder, chain, keys)

    monkeypatch.setattr(Recorder, "_deposit", late)
    with pytest.raises(
        StoreError, match=r"block 1 has the hash .* in the store, and not .*another version of gridlab$"
    ):
        gl.open(path).run(progress=False)
    original_members = Recorder._members
    monkeypatch.setattr(
        Recorder, "_members", lambda self, keys: original_members(self, keys).with_columns(pl.col("name") + " ")
    )
    monkeypatch.setattr(gl, "__version__", "9")
    with pytest.raises(StoreError, match=r"its genesis differs.*it was written by gridlab 0\..*, this is 9"):
        gl.open(path).run(progress=False)
    assert path.read_bytes() == whole


def test_what_holds_no_lab_is_named(tmp_path, uninterrupted):
    with pytest.raises(MissingStoreError, match="no such file"):
        gl.open(tmp_path / "nowhere.db")
    with pytest.raises(ArgumentTypeError, match="path is a NoneType"):
        gl.open(None)
    with pytest.raises(ArgumentTypeError, match="path is a int"):
        make().run(slots=4, progress=False, store=3)
    Store.create(tmp_path / "chain.db", uninterrupted.chain.genesis).close()
    with pytest.raises(StoreError, match="holds a chain and no lab"):
        gl.open(tmp_path / "chain.db")
    for note, said in ((b"{", "does not read"), (b"[]", "does not read"), (b'{"format": "x"}', "is of format 'x'")):
        with Store.open(tmp_path / "chain.db") as store:
            store.write_notes({"lab": note})
        with pytest.raises(StoreError, match=said):
            gl.open(tmp_path / "chain.db")


def test_a_lab_of_an_unknown_version_is_named(path):
    with Store.open(path) as store:
        facts = lab_store.LabFacts.from_bytes(store.note("lab"), path)
        store.write_notes({"lab": replace(facts, version="9", levers={"market.unknown": 1}).to_bytes()})
    with pytest.raises(StoreError, match="was written by gridlab 9, whose lab this version does not know"):
        gl.open(path)


def test_a_store_in_use_is_named(path):
    with Store.open(path), pytest.raises(StoreError, match="is writing to it"):
        gl.open(path).run(progress=False)
