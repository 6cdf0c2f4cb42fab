"""A full disk refuses a block and harms nothing; when there is room again, the store goes on."""

import subprocess
import sys

import pytest

from gridlab.chain import ConsortiumChain, SingleSequencer, keys
from gridlab.chain.pbft_ordering import PbftOrdering
from gridlab.chain.store import Store
from gridlab.errors import StoreError

# The operating system refuses to let any file grow beyond 150 kB, then lets go.
LIMITED = """
import resource, signal, sys
from gridlab.chain import ConsortiumChain
from gridlab.chain.store import Store
from gridlab.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
chain = ConsortiumChain.from_bytes(open(sys.argv[1], "rb").read())
store = Store.create(sys.argv[2], chain.genesis)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
height, refused = 0, 0
while height < 12:
    try:
        store.append(chain.block(height + 1))
        height += 1
    except StoreError as problem:
        assert store.head.height == height, (store.head, height)
        refused += 1
        said = str(problem)
        if refused == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
store.check()
store.close()
print(refused, said)
"""


def fill(store, grown):
    """Append until the disk is full, and return how many blocks were taken."""
    for height in range(1, 13):
        try:
            store.append(grown.block(height))
        except StoreError as problem:
            said = str(problem)
            break
    assert "is full; make room and go on" in said
    return height - 1


def pages(store, limit):
    store._connection.execute("ROLLBACK")
    (now,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {now + limit}")
    store._connection.execute("BEGIN IMMEDIATE")


def test_a_full_disk_refuses_the_block_and_the_store_goes_on(grown, tmp_path):
    with Store.create(tmp_path / "run.db", grown.genesis) as store:
        pages(store, 4)
        taken = fill(store, grown)
        assert 0 < taken < 12
        assert store.head.height == taken
        with pytest.raises(StoreError, match="is full"):
            store.write_notes({"large": bytes(100_000)})
        store.check()
        assert store.notes == {}
        with Store.open(store.path, read_only=True) as reader:
            assert [block.height for block in reader.blocks()] == list(range(1, taken + 1))
        pages(store, 1000)
        for height in range(taken + 1, 13):
            store.append(grown.block(height))
    with Store.open(store.path, read_only=True) as reader:
        reader.check()
        assert reader.head.height == 12


@pytest.mark.parametrize("ordering", [None, SingleSequencer(keys.sandbox(0, "sequencer"))], ids=["pbft", "sequencer"])
def test_a_block_that_a_full_disk_refuses_stays_final_and_is_written_later(
    members, grow, tmp_path, make, pairs, pay, ordering
):
    ordering = ordering or PbftOrdering.of(4)
    chain = grow(ConsortiumChain(members, ordering=ordering, store=tmp_path / "run.db"), 1)
    store = chain.store
    pages(store, 0)
    with pytest.raises(StoreError, match="is full"):
        grow(chain, 12)
    full, before = chain.height, chain.fingerprint
    assert (store.head.height, len(chain.pending)) == (full, 2)
    with pytest.raises(StoreError, match="is full"):
        chain.seal(make.start.replace(day=2))
    chain.send(pairs["alice"], "transfer", pay(number=10**6))
    assert (chain.height, chain.fingerprint) == (full, before)
    pages(store, 1000)
    block = chain.seal(make.start.replace(day=2))
    assert (block.height, len(block.transactions), block.header.time.day) == (full + 1, 2, 31)
    assert store.head.hash == block.hash
    later = chain.seal(make.start.replace(day=2))
    assert ([each.accepted for each in later.receipts], later.header.parent) == ([True], block.hash)
    chain.close()
    again = ConsortiumChain.open(tmp_path / "run.db")
    assert again.fingerprint == chain.fingerprint
    again.close()


def test_a_file_that_may_not_grow_refuses_the_block_and_goes_on_later(grown, tmp_path):
    pytest.importorskip("resource")
    (tmp_path / "chain.bin").write_bytes(grown.to_bytes())
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "chain.bin", tmp_path / "run.db"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 ")
    assert "nothing that was final is lost" in done.stdout
    with Store.open(tmp_path / "run.db", read_only=True) as store:
        store.check()
        assert store.head.height == 12
