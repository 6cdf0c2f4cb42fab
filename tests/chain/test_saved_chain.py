from datetime import timedelta

import pytest

from gridlab.chain import Block, ConsortiumChain, Header, PbftOrdering
from gridlab.chain.saved_chain import pack, unpack
from gridlab.errors import ArgumentTypeError, ChainError, GridlabError


@pytest.fixture
def saved(chain, pairs, make, account):
    row = (100, account["alice"], account["bob"], "WATT", 7, "transfer")
    chain.send(pairs["alice"], "transfer", make.transfers(row))
    forged = chain.sign(pairs["bob"], "transfer", make.transfers(row))
    chain.submit(forged)
    assert chain.seal(make.start + timedelta(minutes=15)).rejected == 1
    return chain.to_bytes()


def test_a_saved_chain_comes_back_and_goes_on(saved, make):
    chain = ConsortiumChain.from_bytes(saved, ordering=PbftOrdering.of(4))
    assert chain.to_bytes() == saved
    assert chain.seal(make.start + timedelta(minutes=30)).height == 3


@pytest.mark.parametrize("first", [0, 1])
def test_a_flipped_bit_anywhere_is_detected(saved, first):
    # Every third byte; each of a block's bytes is flipped in the tests of the store.
    for place in range(3 * first, len(saved), 6):
        damaged = bytearray(saved)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(GridlabError):
            ConsortiumChain.from_bytes(bytes(damaged))


def test_a_chain_cut_short_anywhere_is_detected(saved):
    for size in range(0, len(saved), 7):
        with pytest.raises(ChainError, match=r"cut short|not a saved chain"):
            ConsortiumChain.from_bytes(saved[:size])
    with pytest.raises(ChainError, match="left over"):
        ConsortiumChain.from_bytes(saved + b"\0")


def test_blocks_left_off_the_end_are_detected(saved):
    genesis, blocks, head = unpack(saved)
    with pytest.raises(ChainError, match="block 1: its hash is"):
        ConsortiumChain.from_bytes(pack(genesis, blocks[:-1], head))


def test_a_forger_who_recomputes_every_hash_still_lacks_the_sequencers_signature(saved):
    genesis, blocks, _ = unpack(saved)
    last = blocks[-1]
    fields = {name: getattr(last.header, name) for name in Header.__dataclass_fields__ if name != "hash"}
    later = Header(**(fields | {"timestamp": last.header.timestamp + 1}))
    forged = Block(later, last.transactions, last.certificate)
    with pytest.raises(ChainError, match="block 2: its certificate"):
        ConsortiumChain.from_bytes(pack(genesis, [*blocks[:-1], forged], later.hash))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chain_id", "another"),
        ("height", 3),
        ("parent", bytes(32)),
        ("transactions_root", bytes(32)),
        ("receipts_root", bytes(32)),
        ("state_root", bytes(32)),
        ("rules_version", 2),
    ],
)
def test_replaying_names_the_height_and_what_differs(saved, name, value):
    genesis, blocks, _ = unpack(saved)
    last = blocks[-1]
    fields = {each: getattr(last.header, each) for each in Header.__dataclass_fields__ if each != "hash"}
    wrong = Header(**(fields | {name: value}))
    with pytest.raises(ChainError, match=f"block 2: its {name} is .*, replaying gives"):
        ConsortiumChain.from_bytes(pack(genesis, [blocks[0], Block(wrong, last.transactions, b"")], wrong.hash))


def test_transactions_swapped_or_dropped_are_detected(saved):
    genesis, blocks, head = unpack(saved)
    last = blocks[-1]
    for transactions in (last.transactions[::-1], last.transactions[:1], ()):
        changed = pack(genesis, [blocks[0], Block(last.header, transactions, last.certificate)], head)
        with pytest.raises(ChainError, match="block 2: its transactions_root"):
            ConsortiumChain.from_bytes(changed)


def test_a_block_that_does_not_fit_changes_nothing(chain, saved):
    genesis, blocks, _ = unpack(saved)
    reader = ConsortiumChain.from_bytes(pack(genesis, blocks[:1], blocks[0].hash))
    before = reader.to_bytes()
    with pytest.raises(ChainError, match="certificate"):
        reader.append_block(Block(blocks[1].header, blocks[1].transactions, bytes(64)))
    assert reader.to_bytes() == before
    reader.append_block(blocks[1])
    assert reader.to_bytes() == saved


def test_another_set_of_validators_is_not_the_one_of_genesis(saved):
    with pytest.raises(ChainError, match="not the ordering that genesis names"):
        ConsortiumChain.from_bytes(saved, ordering=PbftOrdering.of(4, seed=1))


@pytest.mark.parametrize("data", ["text", None, bytearray(b"x")])
def test_what_is_no_bytes_is_an_argument_type_error(data):
    with pytest.raises(ArgumentTypeError, match="allowed: bytes"):
        ConsortiumChain.from_bytes(data)
