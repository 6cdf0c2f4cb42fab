"""The memory of transfers: what was used is found again, however it came, and forks share the past alone."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain.ledger.columns import Columns
from gridlab.chain.ledger.highest import HighestIds
from gridlab.chain.ledger.history import TransferHistory
from gridlab.chain.ledger.pairs import numbered, pack, places_in

IDS = st.one_of(st.integers(0, 30), st.integers(0, 2**64 - 1))
SENDERS = st.sampled_from([0, 1, 7, 2**20 - 1, 2**20, 2**32 - 1])
PAIRS = st.lists(st.tuples(SENDERS, IDS), min_size=1, max_size=6)


def arrays(pairs):
    senders, ids = zip(*pairs, strict=True)
    return np.array(senders, np.uint32), np.array(ids, np.uint64)


def columns(ids):
    numbers = np.arange(len(ids))
    return Columns(
        ids,
        numbers.astype(np.uint32),
        (numbers + 1).astype(np.uint32),
        np.zeros(len(ids), np.uint8),
        numbers + 1,
        np.zeros(len(ids), np.uint8),
    )


@given(batches=st.lists(PAIRS, max_size=8), asked=PAIRS, forked=st.integers(0, 7))
def test_every_transfer_is_found_at_its_position_and_no_other(batches, asked, forked):
    history, positions, fork = TransferHistory(), {}, None
    for number, batch in enumerate(batches):
        if number == forked:
            fork, known = history.fork(), dict(positions)
        fresh = [pair for pair in dict.fromkeys(batch) if pair not in positions]
        if fresh:
            senders, ids = arrays(fresh)
            history.append(columns(ids), senders)
            positions |= {pair: len(positions) + place for place, pair in enumerate(fresh)}
        queries = [*asked, *positions]
        senders, ids = arrays(queries)
        assert history.find(pack(senders, ids)).tolist() == [positions.get(pair, -1) for pair in queries]
        assert len(history) == len(positions)
    for pair, position in positions.items():
        assert history.rows(np.array([position])).transfer_id[0] == pair[1]
    if fork is not None:
        senders, ids = arrays([*asked, *positions])
        assert fork.find(pack(senders, ids)).tolist() == [known.get(pair, -1) for pair in [*asked, *positions]]


@given(batches=st.lists(PAIRS, max_size=6), asked=PAIRS)
def test_the_highest_ids_are_those_of_a_dict(batches, asked):
    highest, plain = HighestIds(), {}
    for place, batch in enumerate(batches):
        senders, ids = arrays(batch)
        if place % 2:
            sender = int(senders[0])
            highest.take(sender, ids)
            plain[sender] = max([plain.get(sender, -1), *ids.tolist()])
        else:
            highest.take(senders, ids)
            for sender, number in batch:
                plain[sender] = max(plain.get(sender, -1), number)
        fork = highest.fork()
        fork.take(3, np.array([2**64 - 1], np.uint64))
    senders, ids = arrays(asked)
    assert highest.reaches(senders, ids).tolist() == [number <= plain.get(sender, -1) for sender, number in asked]
    for sender, number in asked:
        assert highest.next_id(sender) == plain.get(sender, -1) + 1
        assert highest.reaches(sender, np.array([number], np.uint64)).tolist() == [number <= plain.get(sender, -1)]


@given(PAIRS, PAIRS)
def test_packed_pairs_compare_as_the_pairs_do(some, others):
    keys = pack(*arrays(some))
    distinct, numbers = numbered(keys)
    assert [sorted(set(some))[number] for number in numbers] == some
    found = places_in(distinct, pack(*arrays(others))).tolist()
    assert found == [sorted(set(some)).index(pair) if pair in some else -1 for pair in others]


def test_many_small_batches_become_few_large_ones():
    history = TransferHistory()
    for number in range(1_000):
        history.append(columns(np.array([number], np.uint64)), 5)
    assert len(history) == 1_000
    assert len(history._batches) <= 10
    history.find(pack(5, np.arange(3, dtype=np.uint64)))
    for number in range(1_000, 1_064):
        history.append(columns(np.array([number], np.uint64)), 5)
        history.find(pack(5, np.array([number], np.uint64)))
    assert len(history._indexes) <= 11
    assert history.frame()["transfer_id"].to_list() == list(range(1_064))


def test_growing_ids_are_never_searched_nor_sorted(monkeypatch, make_transfers):
    from gridlab.chain.ledger import Ledger

    monkeypatch.setattr(TransferHistory, "find", lambda *_: pytest.fail("searched"))
    monkeypatch.setattr("gridlab.chain.ledger.plan.numbered", lambda *_: pytest.fail("sorted"))
    book = Ledger(3, issuers={"WATT": [0]})
    for first in (0, 10, 20):
        rows = [{"transfer_id": first + n, "debit_account": 0, "credit_account": 1, "amount": 1} for n in range(10)]
        book.apply(make_transfers(rows), sender=2)
    assert book.next_id(2) == 30


def test_the_digest_is_the_hash_of_records_written_by_hand():
    history = TransferHistory()
    history.append(columns(np.array([8, 3], np.uint64)), 5)
    assert history.fork().digest == history.digest
    later = Columns(
        *(getattr(columns(np.array([9], np.uint64)), name) for name in Columns.__slots__[:6]),
        phase=np.array([2], np.uint8),
        pending_id=np.array([3], np.uint64),
        linked=np.array([True]),
    )
    history.append(later, np.array([7], np.uint32), np.array([1]))
    record = "5:4 {0}:8 {1}:4 {2}:4 0:1 {2}:8 0:1 0:1 0:8 0:8 0:1"
    texts = [
        record.format(8, 0, 1),
        record.format(3, 1, 2),
        "7:4 9:8 0:4 1:4 0:1 1:8 0:1 2:1 3:8 0:8 1:1",
    ]
    numbers = [number.split(":") for each in texts for number in each.split()]
    written = b"".join(int(value).to_bytes(int(size), "little") for value, size in numbers)
    assert history.digest == hashlib.blake2b(written, digest_size=32).digest()
