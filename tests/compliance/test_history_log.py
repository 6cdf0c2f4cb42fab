"""The log of blocks: a kept root fits every later one of the same history, and none of another history."""

from itertools import combinations_with_replacement

import pytest

from gridlab.chain import merkle
from gridlab.compliance import Audit, verify_extension
from gridlab.errors import ArgumentError, ArgumentTypeError


def test_every_earlier_root_extends_to_every_later_one_rfc6962(town):
    audit = Audit(town)
    for old, new in combinations_with_replacement(range(town.height + 1), 2):
        proof = audit.prove_extension(old, new)
        assert verify_extension(audit.log_root(old), old, audit.log_root(new), new, proof)


def test_the_root_is_that_of_the_block_hashes(town):
    hashes = [town.block(height).hash for height in range(town.height + 1)]
    assert Audit(town).log_root() == merkle.root(hashes, hash="blake2b-256")
    assert Audit(town).log_root(0) == merkle.root(hashes[:1], hash="blake2b-256")


def test_a_history_that_was_rewritten_fits_no_kept_root(town, make):
    other = make.chain()
    make.deposit(other, amount=50_000_001)
    make.trade_some(other)
    kept, forged = Audit(town), Audit(other)
    for old in range(1, other.height + 1):
        proof = forged.prove_extension(old, other.height)
        assert not verify_extension(kept.log_root(old), old, forged.log_root(), other.height, proof)
    assert verify_extension(kept.log_root(0), 0, forged.log_root(), other.height, forged.prove_extension(0))


def test_wrong_heights_roots_and_proofs_are_false(town):
    audit = Audit(town)
    old, new, proof = audit.log_root(2), audit.log_root(7), audit.prove_extension(2, 7)
    assert verify_extension(old, 2, new, 7, proof)
    for bad in (proof[1:], proof[:-1], proof[::-1], [*proof, proof[0]], [b"short", *proof[1:]]):
        assert not verify_extension(old, 2, new, 7, bad)
    assert not verify_extension(old, 3, new, 7, proof)
    assert not verify_extension(new, 7, old, 2, proof)
    assert not verify_extension(audit.log_root(3), 2, new, 7, proof)


def test_wrong_arguments_are_errors(town):
    audit = Audit(town)
    with pytest.raises(ArgumentError, match="at most"):
        audit.log_root(town.height + 1)
    with pytest.raises(ArgumentError, match="old_height is 5"):
        audit.prove_extension(5, 4)
    with pytest.raises(ArgumentTypeError):
        verify_extension("0x00", 0, bytes(32), 1, [])
    with pytest.raises(ArgumentError, match="32"):
        verify_extension(b"", 0, bytes(32), 1, [])
