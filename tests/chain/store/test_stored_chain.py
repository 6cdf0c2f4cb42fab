"""A chain in a store: written before a block is returned, opened by proof, resumed where it stopped."""

import pytest

from gridlab.chain import ConsortiumChain, SingleSequencer, keys
from gridlab.chain.store import Store
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, MissingStoreError, StoreError


@pytest.fixture
def stored(new_chain, grow, tmp_path):
    chain = new_chain()
    chain.store_in(tmp_path / "run.db", snapshot_every=4)
    yield grow(chain, 6)
    chain.close()


def same(one, other):
    assert one.fingerprint == other.fingerprint
    assert one.blocks.equals(other.blocks)
    assert one.transactions.equals(other.transactions)
    assert one.ledger.balances.equals(other.ledger.balances)
    assert one.ledger.transfers.equals(other.ledger.transfers)
    assert one.members.equals(other.members)
    assert one._state.root == other._state.root


def test_a_block_is_in_the_store_before_seal_returns_it(stored, make):
    block = stored.seal(make.start.replace(day=2))
    with Store.open(stored.store.path, read_only=True) as reader:
        assert reader.head.hash == block.hash


def test_a_chain_opens_to_what_it_was_and_goes_on(stored, grow, new_chain, sequencer):
    stored.close()
    again = ConsortiumChain.open(stored.store.path, ordering=sequencer)
    same(again, stored)
    grow(again, 6)
    again.close()
    same(again, grow(new_chain(), 12))


def test_a_chain_with_blocks_moves_into_a_store(new_chain, grow, tmp_path, sequencer):
    chain = grow(new_chain(), 3)
    store = chain.store_in(tmp_path / "run.db", notes={"why": b"a test"})
    assert (store.head.height, store.notes) == (3, {"why": b"a test"})
    grow(chain, 2)
    with pytest.raises(StoreError, match=r"lives in .* already"):
        chain.store_in(tmp_path / "second.db")
    chain.close()
    with pytest.raises(StoreError, match="is there already"):
        grow(new_chain(), 1).store_in(tmp_path / "run.db")
    again = ConsortiumChain.open(tmp_path / "run.db", ordering=sequencer)
    same(again, chain)
    again.close()


@pytest.mark.parametrize("height", range(13))
def test_from_every_trusted_block_the_same_chain_opens(path, whole, sequencer, height):
    chain = ConsortiumChain.open(path, ordering=sequencer, checkpoint=whole.chain.block(height).hash)
    same(chain, whole.chain)
    assert list(map(repr, chain.block(5).receipts)) == list(map(repr, whole.chain.block(5).receipts))
    chain.close()


def test_a_chain_opened_from_a_checkpoint_goes_on_like_one_that_never_closed(path, whole, sequencer, grow, new_chain):
    chain = ConsortiumChain.open(path, ordering=sequencer, checkpoint=whole.chain.head.hash)
    same(grow(chain, 3), grow(new_chain(), 15))
    chain.close()


def test_blocks_before_a_trusted_one_are_not_executed(path, whole, sequencer, monkeypatch):
    executed = []
    once = ConsortiumChain.append_block
    monkeypatch.setattr(
        ConsortiumChain, "append_block", lambda chain, block: (executed.append(block.height), once(chain, block))
    )
    ConsortiumChain.open(path, ordering=sequencer, checkpoint=whole.chain.block(10).hash).close()
    assert executed == [9, 10, 11, 12]


def test_a_checkpoint_that_is_none_of_its_blocks_is_refused(path, sequencer):
    with pytest.raises(StoreError, match="no block has the hash 0x0707"):
        ConsortiumChain.open(path, ordering=sequencer, checkpoint=b"\7" * 32)
    with pytest.raises(ArgumentError, match="has 31 bytes"):
        ConsortiumChain.open(path, ordering=sequencer, checkpoint=b"\7" * 31)
    with pytest.raises(ArgumentTypeError):
        ConsortiumChain.open(path, ordering=sequencer, checkpoint="0x07")
    ConsortiumChain.open(path, ordering=sequencer).close()


def test_a_snapshot_of_another_state_is_refused_even_with_a_fresh_checksum(whole, path, sequencer):
    with Store.open(path) as store:
        wrong = store.snapshot(12)
        store._connection.execute("DELETE FROM snapshots WHERE height = 8")
        from gridlab.chain.store.snapshots import add_snapshot

        add_snapshot(store._connection, 8, wrong, 4)
        store._connection.execute("COMMIT")
        store._reserve()
    with pytest.raises(StoreError, match=r"its state root is .*, the block's header says"):
        ConsortiumChain.open(path, ordering=sequencer, checkpoint=whole.chain.block(8).hash)
    ConsortiumChain.open(path, ordering=sequencer).close()


def test_the_chain_can_be_followed_while_it_is_written(stored, grow, sequencer):
    reader = ConsortiumChain.open(stored.store.path, ordering=sequencer, read_only=True)
    assert reader.height == 6
    grow(stored, 2)
    for block in reader.store.blocks(reader.height + 1):
        reader.append_block(block)
    same(reader, stored)
    with pytest.raises(StoreError, match="open for reading alone"):
        grow(reader, 1)
    assert reader.height == 8
    reader.close()
    with pytest.raises(StoreError, match="is writing to it"):
        ConsortiumChain.open(stored.store.path, ordering=sequencer)


def test_a_closed_chain_seals_no_more(stored, grow):
    stored.close()
    before = stored.fingerprint
    with pytest.raises(StoreError, match="is closed"):
        grow(stored, 1)
    assert stored.fingerprint == before


def test_without_its_sequencer_a_stored_chain_can_be_read_and_not_sealed(path, make):
    chain = ConsortiumChain.open(path)
    assert chain.height == 12
    with pytest.raises(ChainError, match="secret key is not here"):
        chain.seal(make.start.replace(day=2))
    chain.close()
    with pytest.raises(StoreError, match="is not the ordering that genesis names"):
        ConsortiumChain.open(path, ordering=SingleSequencer(keys.sandbox(1, "sequencer")))
    with pytest.raises(MissingStoreError):
        ConsortiumChain.open(path.with_name("nowhere.db"))


def test_a_run_that_is_repeated_finishes_the_store_of_one_that_was_cut_short(stored, new_chain, grow, sequencer):
    stored.close()
    again = new_chain()
    store = again.resume_in(stored.store.path)
    grow(again, 4)
    assert (again.height, store.head.height) == (4, 6)
    grow(again, 8)
    assert (again.height, store.head.height) == (12, 12)
    again.close()
    same(ConsortiumChain.open(store.path, ordering=sequencer, read_only=True), grow(new_chain(), 12))


def test_a_run_that_goes_another_way_is_told_at_the_first_block_that_differs(stored, new_chain, grow, make, members):
    stored.close()
    again = new_chain()
    again.resume_in(stored.store.path)
    grow(again, 2)
    with pytest.raises(StoreError, match=r"block 3 has the hash .* in the store, and not"):
        again.seal(make.start.replace(day=3))
    assert again.height == 2
    again.close()
    with pytest.raises(StoreError, match="is of another chain, its genesis differs"):
        new_chain(chain_id="another").resume_in(stored.store.path)
    late = grow(new_chain(), 7)
    with pytest.raises(StoreError, match="block 7 is not in the store"):
        late.resume_in(stored.store.path)
