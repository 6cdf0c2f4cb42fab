"""The store by itself: what it takes, what it gives back, who may open it."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import Block
from gridlab.chain.snapshot import decode_state
from gridlab.chain.store import Head, Store
from gridlab.chain.store.snapshots import _is_kept
from gridlab.errors import ArgumentError, ArgumentTypeError, MissingStoreError, StoreError


@pytest.fixture
def store(grown, tmp_path):
    with Store.create(tmp_path / "run.db", grown.genesis) as store:
        yield store


def seen(block):
    return [(each.to_bytes(), each.reason, each.account) for each in block.receipts]


def test_a_new_store_holds_genesis_alone(store, grown):
    assert store.head == Head(0, grown.genesis.header.hash)
    assert list(store.blocks()) == []
    assert store.genesis.to_bytes() == grown.genesis.to_bytes()
    assert (store.notes, store.snapshot_heights(), store.read_only) == ({}, [], False)
    assert "height 0" in repr(store)


def test_blocks_come_back_with_their_receipts(store, grown):
    for height in range(1, 13):
        store.append(grown.block(height))
        assert store.head == Head(height, grown.block(height).hash)
    found = list(store.blocks())
    assert [block.to_bytes() for block in found] == [grown.block(height).to_bytes() for height in range(1, 13)]
    assert [seen(block) for block in found] == [seen(grown.block(height)) for height in range(1, 13)]
    assert [block.height for block in store.blocks(5, 7)] == [5, 6, 7]
    assert [block.height for block in store.blocks(12)] == [12]
    assert list(store.blocks(13)) == []
    assert store.height_of(grown.block(9).hash) == 9
    assert store.height_of(grown.genesis.header.hash) == 0


def test_what_was_appended_is_there_when_it_is_opened_again(store, grown):
    store.append(grown.block(1))
    store.close()
    store.close()
    assert [each.name for each in store.path.parent.iterdir()] == ["run.db"]
    with Store.open(store.path) as again:
        assert again.head.height == 1
        again.append(grown.block(2))
    with Store.open(store.path, read_only=True) as again:
        assert [block.height for block in again.blocks()] == [1, 2]


def test_a_block_that_does_not_continue_the_head_is_refused_and_nothing_changes(store, grown):
    store.append(grown.block(1))
    for wrong in (grown.block(3), grown.block(1), grown.block(0)):
        with pytest.raises(StoreError, match=r"does not continue the store's head, block 1.*allowed: block 2"):
            store.append(wrong)
    bare = grown.block(2)
    with pytest.raises(StoreError, match="block 2 has 2 transactions and 0 receipts"):
        store.append(Block(bare.header, bare.transactions, bare.certificate))
    with pytest.raises(ArgumentTypeError, match="block is a str"):
        store.append("block")
    store.append(grown.block(2))
    assert [block.height for block in store.blocks()] == [1, 2]


def test_a_second_writer_is_told_and_a_reader_looks_on(store, grown):
    store.append(grown.block(1))
    with pytest.raises(StoreError, match="another process or another object is writing to it"):
        Store.open(store.path)
    with Store.open(store.path, read_only=True) as reader:
        assert reader.head.height == 1
        blocks = reader.blocks()
        assert next(blocks).height == 1
        store.append(grown.block(2))
        store.write_notes({"seen": b"yes"})
        assert (reader.head.height, reader.note("seen")) == (2, b"yes")
        with pytest.raises(StoreError, match="open for reading alone"):
            reader.append(grown.block(3))
    store.append(grown.block(3))
    store.close()
    with Store.open(store.path) as writer:
        assert writer.head.height == 3


def test_a_second_process_is_told(store):
    script = f"from gridlab.chain.store import Store\nStore.open({str(store.path)!r})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "StoreError" in done.stderr
    assert "is writing to it" in done.stderr


def test_a_writer_that_lost_its_lock_does_not_write_over_what_somebody_else_wrote(store, grown):
    store.append(grown.block(1))
    store._connection.execute("ROLLBACK")
    with Store.open(store.path) as other:
        with pytest.raises(StoreError, match="is writing to it"):
            store.append(grown.block(2))
        other.append(grown.block(2))
    with pytest.raises(StoreError, match="does not continue the store's head, block 2"):
        store.append(grown.block(2))
    store.append(grown.block(3))
    assert [block.height for block in store.blocks()] == [1, 2, 3]


def test_a_caller_interrupted_after_the_commit_finds_the_block_there(store, grown, monkeypatch):
    once = Store._reserve

    def interrupted(own):
        once(own)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_reserve", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.append(grown.block(1))
    assert store.head.height == 1
    store.confirm(grown.block(1))
    store.append(grown.block(2))
    assert [block.height for block in store.blocks()] == [1, 2]


def test_a_lock_that_nobody_used_is_taken_back(store, grown):
    store._connection.execute("ROLLBACK")
    Store.open(store.path).close()
    store.append(grown.block(1))
    assert store.head.height == 1


def test_a_closed_store_says_so(store, grown):
    store.close()
    for use in (lambda: list(store.blocks()), lambda: store.append(grown.block(1)), lambda: store.notes, store.check):
        with pytest.raises(StoreError, match="is closed"):
            use()
    assert "closed" in repr(store)


def test_notes_are_replaced_whole_or_not_at_all(store):
    store.write_notes({"a": b"1", "b": b""})
    store.write_notes({"a": b"2"})
    assert store.notes == {"a": b"2", "b": b""}
    for wrong, error in (({"c": b"3", "": b""}, ArgumentError), ({"c": b"3", "d": "text"}, ArgumentTypeError)):
        with pytest.raises(error):
            store.write_notes(wrong)
    with pytest.raises(ArgumentTypeError):
        store.write_notes([b"1"])
    assert store.notes == {"a": b"2", "b": b""}
    with pytest.raises(StoreError, match=r"no note 'c'; allowed: 'a', 'b'"):
        store.note("c")


def test_a_store_is_never_overwritten_and_a_failed_one_leaves_nothing(store, grown, tmp_path):
    with pytest.raises(StoreError, match="is there already"):
        Store.create(store.path, grown.genesis)
    with pytest.raises(StoreError, match="cannot be written"):
        Store.create(tmp_path / "no" / "run.db", grown.genesis)
    with pytest.raises(StoreError, match="does not continue"):
        Store.create(tmp_path / "other.db", grown.genesis, blocks=[grown.block(1), grown.block(3)])
    assert {each.name.partition("-")[0] for each in tmp_path.iterdir()} == {"run.db"}
    with Store.create(tmp_path / "other.db", grown.genesis, blocks=[grown.block(1), grown.block(2)]) as other:
        assert other.head.height == 2


def test_a_name_that_somebody_else_took_meanwhile_is_left_to_them(grown, tmp_path):
    def blocks():
        (tmp_path / "run.db").write_text("somebody else's")
        yield grown.block(1)

    with pytest.raises(StoreError, match="by somebody else just now"):
        Store.create(tmp_path / "run.db", grown.genesis, blocks=blocks())
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("run.db", "somebody else's")]


def test_what_is_no_store_is_named(tmp_path, grown):
    for wrong in (None, 7, b"run.db"):
        with pytest.raises(ArgumentTypeError, match="path is a"):
            Store.open(wrong)
        with pytest.raises(ArgumentTypeError, match="path is a"):
            Store.create(wrong, grown.genesis)
    with pytest.raises(ArgumentTypeError, match="genesis is a str"):
        Store.create(tmp_path / "x.db", "genesis")
    with pytest.raises(ArgumentError, match="snapshot_every is 0"):
        Store.create(tmp_path / "x.db", grown.genesis, snapshot_every=0)
    with pytest.raises(MissingStoreError, match="no such file") as caught:
        Store.open(tmp_path / "nowhere.db")
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(StoreError, match="is a folder"):
        Store.open(tmp_path)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open("bad\0name")
    assert list(tmp_path.iterdir()) == []


def test_the_log_of_a_store_that_is_gone_is_not_played_into_a_new_one(tmp_path, grown):
    path, log = tmp_path / "run.db", tmp_path / "run.db-wal"
    log.write_bytes(b"log")
    with pytest.raises(StoreError, match="is the log of a store that is gone"):
        Store.create(path, grown.genesis)
    assert [each.name for each in tmp_path.iterdir()] == ["run.db-wal"]


def test_the_log_stays_small_however_many_blocks_are_written(store, grown):
    for height in range(1, 13):
        store.append(grown.block(height))
    most = 0
    for number in range(200):
        store.write_notes({"large": bytes([number]) * 100_000})
        most = max(most, store.path.with_name("run.db-wal").stat().st_size)
    assert 2_000_000 < most < 6_000_000


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_without_rights_is_named(path):
    path.chmod(0o400)
    with pytest.raises(StoreError, match="look at the rights"):
        Store.open(path)


def test_a_position_that_is_none_is_refused(store, grown):
    with pytest.raises(ArgumentError, match="start is 0"):
        list(store.blocks(0))
    with pytest.raises(ArgumentTypeError, match="start is"):
        list(store.blocks("1"))
    with pytest.raises(StoreError, match=r"no snapshot at block 5, allowed: \[\]"):
        store.snapshot(5)
    with pytest.raises(StoreError, match="no block has the hash"):
        store.height_of(bytes(32))
    with pytest.raises(ArgumentError, match="block_hash has 3 bytes"):
        store.height_of(b"abc")
    with pytest.raises(StoreError, match="block 1 is not in the store"):
        store.confirm(grown.block(1))


def test_snapshots_are_written_with_their_blocks_and_thin_out(whole, path):
    with Store.open(path, read_only=True) as store:
        assert store.snapshot_heights() == [8, 12]
        state = decode_state(store.snapshot(8), whole.chain.block(8).header)
    assert state.root == whole.chain.block(8).header.state_root


@pytest.mark.parametrize(
    ("newest", "kept"), [(1, [1]), (2, [2]), (3, [2, 3]), (8, [6, 7, 8]), (64, [32, 48, 56, 60, 62, 63, 64])]
)
def test_of_many_snapshots_few_old_ones_are_kept(newest, kept):
    numbers = []
    for number in range(1, newest + 1):
        numbers = [each for each in [*numbers, number] if _is_kept(each, number)]
    assert [each for each in numbers if each >= kept[0]][-len(kept) :] == kept
    assert len(numbers) <= 2 * newest.bit_length() + 1


@given(st.integers(1, 4000))
def test_a_snapshot_that_is_dropped_is_never_wanted_again(newest):
    kept = [each for each in range(1, newest + 1) if _is_kept(each, newest)]
    after = [each for each in range(1, newest + 2) if _is_kept(each, newest + 1)]
    assert set(after) <= {*kept, newest + 1}
    assert kept[-1] == newest
    assert len(kept) <= 2 * newest.bit_length() + 1
