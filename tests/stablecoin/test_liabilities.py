"""Proof of liabilities: the tree equals a slow reference, every holder can check, and no lie goes through."""

import hashlib
import random
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridlab.chain import ConsortiumChain, PbftOrdering, keys
from gridlab.errors import ArgumentError, ArgumentTypeError, FrameError, GridlabError, StablecoinError
from gridlab.stablecoin import LiabilityProof, LiabilityStatement, LiabilityTree, check_holding, holders_of
from gridlab.stablecoin.sums import Node, holder_hash, join, leaf, salt_of

ISSUER = keys.sandbox(0, "issuer")
SECRET = b"\x07" * 32
WHERE = {"issuer": ISSUER.public_key, "chain_id": "a chain", "height": 7}
LARGEST = 2**63 - 1


def key(number):
    return number.to_bytes(32, "big")


def frame(balances):
    numbers = range(len(balances))
    return pl.DataFrame(
        {"public_key": [key(number) for number in numbers], "balance": balances},
        schema={"public_key": pl.Binary, "balance": pl.Int64},
    )


def tree_of(balances):
    return LiabilityTree.of(frame(balances), secret=SECRET)


def slow_root(nodes):
    """RFC 6962's recursion: split at the largest power of two below the number of leaves."""
    if len(nodes) == 1:
        return nodes[0]
    split = 1
    while 2 * split < len(nodes):
        split *= 2
    return join(slow_root(nodes[:split]), slow_root(nodes[split:]))


def slow_leaves(balances):
    pairs = [(holder_hash(salt_of(SECRET, key(n)), key(n)), balance) for n, balance in enumerate(balances)]
    return [leaf(*pair) for pair in sorted(pairs)]


@given(st.lists(st.integers(0, 2**55), min_size=1, max_size=40))
def test_the_tree_equals_the_recursive_reference_and_every_proof_holds(balances):
    tree = tree_of(balances)
    assert (tree.root, tree.total) == slow_root(slow_leaves(balances))
    assert tree.total == sum(balances)
    statement = tree.sign(ISSUER, "a chain", 7).to_bytes()
    for number, balance in enumerate(balances):
        proof = tree.prove(key(number)).to_bytes()
        assert check_holding(proof, statement, **WHERE, public_key=key(number), balance=balance) == balance


def test_an_empty_tree_owes_nothing():
    tree = tree_of([])
    assert (tree.total, tree.root, len(tree)) == (0, bytes(32), 0)
    with pytest.raises(StablecoinError, match="none of the 0 holders"):
        tree.prove(key(0))


def test_a_node_hashes_both_sums_and_not_only_their_total():
    left, right = Node(b"l" * 32, 60), Node(b"r" * 32, 40)
    both = b"\x01" + left.hash + (60).to_bytes(8, "little") + right.hash + (40).to_bytes(8, "little")
    assert join(left, right) == (hashlib.blake2b(both, digest_size=32).digest(), 100)
    assert join(Node(left.hash, 59), Node(right.hash, 41)).hash != join(left, right).hash


def broken_join(left, right):
    """Maxwell's node as Todd wrote it: the hash covers the total of its children and not their sums."""
    total = left.sum + right.sum
    return Node(hashlib.blake2b(total.to_bytes(8, "little") + left.hash + right.hash).digest()[:32], total)


def test_the_flaw_of_maxwells_tree_in_chalkias_and_others_2020():
    """An issuer owes 60 and 40 and proves to both that it owes 60 in all; with both sums hashed it cannot."""
    alice, bob = leaf(b"a" * 32, 60), leaf(b"b" * 32, 40)
    # The claimed root has the total 60. Alice is told that the other sum is 0, bob that it is 20.
    told_alice, told_bob = Node(bob.hash, 0), Node(alice.hash, 20)
    claimed = broken_join(alice, told_alice)
    assert claimed.sum == 60 < alice.sum + bob.sum
    assert broken_join(alice, told_alice) == claimed
    assert broken_join(told_bob, bob) == claimed
    assert join(alice, told_alice).hash != join(told_bob, bob).hash


@pytest.fixture
def shown():
    """A tree of seven holders, and what holder 3 is given."""
    tree = tree_of([10, 20, 30, 40, 50, 60, 70])
    return tree, tree.prove(key(3)), tree.sign(ISSUER, "a chain", 7)


def refuses(proof, statement, match, **changes):
    known = WHERE | {"public_key": key(3), "balance": 40} | changes
    with pytest.raises(StablecoinError, match=match):
        check_holding(proof.to_bytes(), statement.to_bytes(), **known)


def test_what_is_not_the_holders_is_refused_with_the_reason(shown):
    tree, proof, statement = shown
    refuses(proof, statement, "for 40 micro-THB, yours are 41", balance=41)
    refuses(proof, statement, "another holder's or another tree's", public_key=key(4))
    refuses(tree.prove(key(4)), statement, "for 50 micro-THB, yours are 40")
    refuses(replace(tree.prove(key(4)), balance=40), statement, "another holder's")
    refuses(replace(proof, salt=bytes(32)), statement, "another holder's")


def test_cut_shifted_and_foreign_proofs_are_refused(shown):
    _, proof, statement = shown
    refuses(replace(proof, beside=proof.beside[:-1]), statement, "cut short after")
    refuses(replace(proof, beside=(*proof.beside, proof.beside[0])), statement, "1 nodes too many")
    refuses(replace(proof, index=proof.index ^ 1), statement, "another tree's")
    refuses(replace(proof, holders=8), statement, "tree of 8 holders, the statement of 7")
    other = tree_of([10, 20, 30, 40, 50, 60, 71])
    refuses(other.prove(key(3)), statement, "another tree's")
    refuses(proof, other.sign(ISSUER, "a chain", 7), "another tree's")


def test_negative_and_overflowing_sums_are_refused(shown):
    """One negative sum beside the path would hide what is owed to everybody else."""
    _, proof, statement = shown
    first, *others = proof.beside
    for bad, match in ((-5, "which is negative"), (LARGEST, "which is overflowing")):
        refuses(replace(proof, beside=(Node(first.hash, bad), *others)), statement, match)
    refuses(replace(proof, balance=-40), statement, "which is negative", balance=-40)


def test_statements_of_others_and_for_other_blocks_are_refused(shown):
    tree, proof, statement = shown
    refuses(proof, tree.sign(keys.sandbox(0, "thief"), "a chain", 7), "is not signed by")
    refuses(proof, statement, "not for block 8 of 'a chain'", height=8)
    refuses(proof, statement, "'another chain'", chain_id="another chain")
    for change in ({"total": statement.total - 1}, {"root": bytes(32)}, {"holders": 8}):
        refuses(proof, replace(statement, **change), "is not signed by")


@given(st.integers(0, 2**32))
def test_no_flipped_bit_of_proof_or_statement_goes_through(seed):
    tree, draws = tree_of([10, 20, 30, 40, 50]), random.Random(seed)
    data = [tree.prove(key(3)).to_bytes(), tree.sign(ISSUER, "a chain", 7).to_bytes()]
    which = draws.randrange(2)
    broken = bytearray(data[which])
    broken[draws.randrange(len(broken))] ^= 1 << draws.randrange(8)
    data[which] = bytes(broken[: draws.choice([len(broken), draws.randrange(len(broken))])])
    with pytest.raises(StablecoinError):
        check_holding(*data, **WHERE, public_key=key(3), balance=40)


def test_bad_frames_are_refused_whole():
    with pytest.raises(FrameError, match="below 0"):
        tree_of([5, -1])
    with pytest.raises(FrameError, match="twice"):
        LiabilityTree.of(pl.concat([frame([5]), frame([6])]), secret=SECRET)
    with pytest.raises(FrameError, match="32 bytes"):
        LiabilityTree.of(pl.DataFrame({"public_key": [b"short"], "balance": [1]}), secret=SECRET)
    with pytest.raises(StablecoinError, match=f"together are {2 * LARGEST}"):
        tree_of([LARGEST, LARGEST])
    assert tree_of([LARGEST, 0]).total == LARGEST
    with pytest.raises(ArgumentError, match="exactly 32"):
        LiabilityTree.of(frame([1]), secret=b"short")


def test_calls_that_make_no_sense_say_so(shown):
    tree, proof, statement = shown
    with pytest.raises(ArgumentTypeError, match="LiabilityStatement"):
        proof.check("word", **WHERE, public_key=key(3), balance=40)
    with pytest.raises(ArgumentTypeError, match="ConsortiumChain"):
        tree.sign_for(ISSUER, "chain")
    with pytest.raises(ArgumentTypeError, match="ConsortiumChain"):
        statement.require_circulation("chain")
    with pytest.raises(ArgumentTypeError, match="ConsortiumChain"):
        holders_of("chain")
    for wrong in (LiabilityProof, LiabilityStatement):
        with pytest.raises(GridlabError):
            wrong.from_bytes(b"")


@pytest.fixture(scope="module")
def chain():
    """A chain on which three holders have 50, 30 and 20 micro-WATT, of which 7 are locked by their owner."""
    roles = {"bank": "reserve_bank", "issuer": "watt_issuer"} | dict.fromkeys("abc", "trader")
    pairs = [ISSUER if name == "issuer" else keys.sandbox(0, name) for name in roles]
    names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
    chain = ConsortiumChain(
        pl.DataFrame(
            {
                "account": range(5),
                "name": list(roles),
                "role": list(roles.values()),
                "public_key": [pair.public_key for pair in pairs],
            }
        ),
        ordering=PbftOrdering.of(4),
    )
    chain.send(pairs[0], "reserve", pl.DataFrame([(1, 0, 1, "THB", 500, "reserve")], schema=names, orient="row"))
    rows = [(2 + place, 1, 2 + place, "WATT", amount, "mint") for place, amount in enumerate((50, 30, 20))]
    chain.send(pairs[1], "mint", pl.DataFrame(rows, schema=names, orient="row"))
    pending = pl.DataFrame([(9, 2, 3, "WATT", 7, "transfer")], schema=names, orient="row")
    chain.send(pairs[2], "transfer", pending.with_columns(phase=pl.lit("pending")))
    assert chain.seal(0).rejected == 0
    return chain, pairs


def test_the_total_is_what_circulates_on_the_chain(chain):
    chain, pairs = chain
    tree = LiabilityTree.of_chain(chain, secret=SECRET)
    statement = tree.sign_for(ISSUER, chain)
    assert (statement.total, statement.height) == (chain.ledger.circulation("WATT"), 1)
    known = {"issuer": ISSUER.public_key, "chain_id": chain.chain_id, "height": 1}
    for pair, balance in zip(pairs[2:], (50, 30, 20), strict=True):
        proof = tree.prove(pair.public_key)
        assert proof.check(statement, **known, public_key=pair.public_key, balance=balance) == balance


def test_an_issuer_that_leaves_out_a_holder_is_found_out_by_everybody(chain):
    chain, pairs = chain
    tree = LiabilityTree.of(holders_of(chain).head(2), secret=SECRET)
    with pytest.raises(StablecoinError, match="hides 20"):
        tree.sign_for(ISSUER, chain)
    with pytest.raises(StablecoinError, match="none of the 2 holders"):
        tree.prove(pairs[4].public_key)
    with pytest.raises(StablecoinError, match="replay it up to that block"):
        tree.sign(ISSUER, chain.chain_id, 9).require_circulation(chain)
