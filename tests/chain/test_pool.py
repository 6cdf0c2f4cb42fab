import pytest

from gridlab.chain import ConsortiumChain, Transaction, keys
from gridlab.chain.pool import Pool
from gridlab.chain.terms import ChainTerms
from gridlab.chain.transaction_list import TransactionList
from gridlab.errors import ArgumentTypeError, ChainError

CHAIN = "pool-chain"
TERMS = ChainTerms()
PAIRS = [keys.sandbox(2, f"sender {number}") for number in range(2)]


def made(number, sender=0, size=10):
    return Transaction.sign(
        PAIRS[sender], chain_id=CHAIN, kind="any", nonce=number, expiry=1, payload=bytes(size) + bytes([number])
    )


def many(*transactions):
    return TransactionList.of(transactions, CHAIN)


def terms(**changes):
    return ChainTerms(**({"transaction_bytes": 2**10, "block_bytes": 2**12} | changes))


def test_transactions_wait_in_the_order_of_their_arrival_however_they_came():
    pool, wanted = Pool(CHAIN), [made(number) for number in range(6)]
    pool.add(wanted[0], TERMS)
    assert pool.add_many(many(*wanted[1:3]), TERMS) == 2
    pool.add(wanted[3], TERMS)
    pool.add(wanted[4], TERMS)
    assert pool.add_many(many(wanted[5]), TERMS) == 1
    assert pool.waiting == tuple(wanted)
    assert len(pool) == 6
    assert pool.of_sender(PAIRS[0].public_key) == 6
    assert "6 waiting" in repr(pool)


def test_what_waits_already_is_not_taken_twice_however_it_comes():
    pool, wanted = Pool(CHAIN), [made(number) for number in range(4)]
    pool.add(wanted[0], TERMS)
    pool.add(wanted[0], TERMS)
    assert pool.add_many(many(wanted[1], wanted[0], wanted[2], wanted[1]), TERMS) == 2
    assert pool.add_many(many(*wanted[:3]), TERMS) == 0
    assert pool.waiting == tuple(wanted[:3])
    assert pool.of_sender(PAIRS[0].public_key) == 3


def test_a_block_takes_the_oldest_that_fit_by_number_and_by_bytes():
    pool, wanted = Pool(CHAIN), [made(number) for number in range(6)]
    pool.add_many(many(*wanted), TERMS)
    assert pool.next_block(terms(block_transactions=4)) == tuple(wanted[:4])
    size = wanted[0].size
    assert pool.next_block(terms(transaction_bytes=size, block_bytes=2 * size)) == tuple(wanted[:2])
    assert pool.next_block(terms(transaction_bytes=size, block_bytes=3 * size - 1)) == tuple(wanted[:2])
    assert pool.next_block(TERMS) == tuple(wanted)
    assert Pool(CHAIN).next_block(TERMS) == ()


def test_one_that_has_become_too_large_for_any_block_does_not_block_the_others():
    pool = Pool(CHAIN)
    pool.add_many(many(made(0, size=3_000), made(1)), TERMS)
    assert pool.next_block(terms(transaction_bytes=512, block_bytes=512)) == (made(0, size=3_000),)


@pytest.mark.parametrize("taken", [(0, 1, 2), (1, 3), (5,), (3, 2), (), (0, 1, 2, 3, 4, 5)])
@pytest.mark.parametrize("listed", [True, False])
def test_what_a_block_has_taken_goes_and_the_rest_stays_in_order(taken, listed):
    pool, wanted = Pool(CHAIN), [made(number, sender=number % 2) for number in range(6)]
    pool.add_many(many(*wanted), TERMS)
    gone = tuple(wanted[place] for place in taken)
    pool.remove(many(*gone) if listed else gone)
    left = [each for each in wanted if each not in gone]
    assert pool.waiting == tuple(left)
    assert len(pool) == len(left)
    assert pool.of_sender(PAIRS[1].public_key) == sum(each.sender == PAIRS[1].public_key for each in left)
    assert f"{sum(each.size for each in left)} bytes" in repr(pool)
    pool.add_many(many(*wanted), TERMS)
    assert pool.waiting == (*left, *(each for each in wanted if each in gone))


@pytest.mark.parametrize(
    ("changes", "count", "sentence"),
    [
        ({"pending_per_sender": 3}, 4, "0 transactions of 0x.* wait already, 4 more would be above the 3"),
        ({"pending_bytes": 300}, 4, "the pool holds 0 bytes of 300"),
    ],
)
def test_many_are_taken_whole_or_not_at_all(changes, count, sentence):
    pool = Pool(CHAIN)
    with pytest.raises(ChainError, match=sentence):
        pool.add_many(many(*(made(number) for number in range(count))), terms(**changes))
    assert len(pool) == 0
    assert pool.waiting == ()
    assert pool.of_sender(PAIRS[0].public_key) == 0


def test_a_forger_takes_neither_a_members_share_nor_his_next_nonce(chain, pairs, make, account):
    frame = make.transfers((1, account["alice"], account["bob"], "WATT", 1, "energy"))
    good = chain.sign(pairs["alice"], "transfer", frame)
    fields = (good.chain_id, good.kind, good.sender)
    forged = [Transaction(*fields, nonce, good.expiry, good.payload, bytes(64)) for nonce in range(4_096)]
    chain.submit(forged[0])
    chain.submit_many(forged[1:])
    with pytest.raises(ChainError, match="4096 transactions without a valid signature wait already, 1 more"):
        chain.submit(Transaction(*fields, 4_096, good.expiry, good.payload, bytes(64)))
    sent = chain.send(pairs["alice"], "transfer", frame)
    assert sent == good
    receipts = {receipt.transaction_id: receipt.code for receipt in chain.seal(make.start).receipts}
    assert receipts[sent.id] == "accepted"
    assert sorted(set(receipts.values())) == ["accepted", "bad_signature"]


def test_the_one_that_is_too_large_is_named():
    pool = Pool(CHAIN)
    with pytest.raises(ChainError, match=r"transactions\[2\] has .* bytes, allowed: 1024"):
        pool.add_many(many(made(0), made(0), made(1, size=2_000)), terms())
    with pytest.raises(ChainError, match=r"the transaction has .* bytes, allowed: 1024"):
        pool.add(made(1, size=2_000), terms())
    assert len(pool) == 0


def test_a_chain_takes_many_as_objects_and_as_bytes(chain, pairs, make, account):
    other = chain.replay()
    rows = [(number, account["alice"], account["bob"], "WATT", 1_000, "transfer") for number in range(40)]
    signed = []
    for nonce, row in enumerate(rows):
        signed.append(make.signed(chain, pairs["alice"], "transfer", make.transfers(row), nonce=nonce))
    signed.insert(20, make.signed(chain, pairs["bob"], "order_batch", make.orders(account["bob"])))
    queued = chain.submit_many([each.to_bytes() for each in signed])
    assert queued == tuple(signed)
    assert all(queued.signed)
    for each in signed:
        other.submit(each)
    first, second = chain.seal(make.start), other.seal(make.start)
    assert first.header == second.header
    assert first.rejected == 0
    # Certificates may differ: each chain has validators of its own, and any quorum of them will do.
    assert first.transactions == second.transactions
    assert len(first.to_bytes()) == first.size
    assert chain.transactions.equals(other.transactions)
    assert chain.transactions.tail(41)["kind"].to_list() == [each.kind for each in signed]
    assert chain.transactions.tail(41)["nonce"].to_list() == [each.nonce for each in signed]
    assert chain.payloads("transfer").height == 40
    assert chain.ledger.balance(account["bob"], "WATT") == 50_040_000
    assert ConsortiumChain.from_bytes(chain.to_bytes()).fingerprint == chain.fingerprint


def test_many_that_are_not_all_transactions_are_refused_whole(chain, pairs, pay):
    good = chain.sign(pairs["alice"], "transfer", pay())
    for wrong, error in (("text", ArgumentTypeError), (good.to_bytes()[:-1], ChainError)):
        with pytest.raises(error, match=r"transactions\[1\]"):
            chain.submit_many([good, wrong])
    for wrong in (5, None, good, good.to_bytes(), "text"):
        with pytest.raises(ArgumentTypeError, match=r"transactions is a .*allowed"):
            chain.submit_many(wrong)
    assert chain.pending == ()
    assert chain.submit_many([]) == ()
