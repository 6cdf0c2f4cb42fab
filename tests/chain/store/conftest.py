"""A chain of one sequencer that lives in a file, and ways to damage that file."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from gridlab.chain import ConsortiumChain, SingleSequencer, keys
from gridlab.chain.store import Store


@pytest.fixture(scope="session")
def sequencer():
    return SingleSequencer(keys.sandbox(0, "sequencer"))


@pytest.fixture(scope="session")
def grow(pairs, account, make):
    """Seal blocks on a chain: the first brings money in, each later one has a payment and one that is refused."""

    def grow(chain, blocks):
        for _ in range(blocks):
            height = chain.height + 1
            if height == 1:
                row = (1, account["bank"], account["issuer"], "THB", 10**9, "reserve")
                chain.send(pairs["bank"], "reserve", make.transfers(row))
                row = (1, account["issuer"], account["alice"], "WATT", 10**9, "mint")
                chain.send(pairs["issuer"], "mint", make.transfers(row))
            else:
                row = (height, account["alice"], account["bob"], "WATT", height, "transfer")
                chain.send(pairs["alice"], "transfer", make.transfers(row))
                chain.submit(chain.sign(pairs["bob"], "transfer", make.transfers(row)))
            block = chain.seal(make.start + timedelta(minutes=15 * height))
            assert [receipt.accepted for receipt in block.receipts] == [True, height == 1]
        return chain

    return grow


@pytest.fixture(scope="session")
def new_chain(members, sequencer):
    return lambda **options: ConsortiumChain(members, ordering=sequencer, **options)


@pytest.fixture(scope="session")
def grown(new_chain, grow):
    """A chain of twelve blocks in memory; not to be changed."""
    return grow(new_chain(), 12)


@pytest.fixture(scope="session")
def whole(grow, new_chain, tmp_path_factory):
    """The bytes of a closed store of twelve blocks, snapshots and notes, and what stands in it."""
    path = tmp_path_factory.mktemp("whole") / "run.db"
    chain = new_chain()
    store = chain.store_in(path, snapshot_every=4, notes={"lab": b"levers", "seed": b"7"})
    grow(chain, 12)
    content = contents(store)
    chain.close()
    return SimpleNamespace(data=path.read_bytes(), content=content, chain=chain)


@pytest.fixture
def path(whole, tmp_path):
    """A store of twelve blocks of the test's own."""
    target = tmp_path / "run.db"
    target.write_bytes(whole.data)
    return target


def contents(store):
    """Everything that a store holds, once all of it has been checked."""
    store.check()
    blocks = [(block.to_bytes(), block.hash, tuple(block.receipts)) for block in store.blocks()]
    snapshots = {height: store.snapshot(height) for height in store.snapshot_heights()}
    return (store.genesis.to_bytes(), store.head, blocks, snapshots, store.notes, store.snapshot_every)


@pytest.fixture(scope="session")
def read_all():
    def read_all(path):
        with Store.open(path, read_only=True) as store:
            return contents(store)

    return read_all
