import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import merkle
from gridlab.chain.merkle_tree import MerkleTree
from gridlab.errors import ArgumentError, ArgumentTypeError


def plain_root(leaves):
    return merkle.root(leaves, hash="blake2b-256")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_after_any_changes_the_root_is_that_of_the_leaves(data):
    leaves = [number.to_bytes(2, "little") for number in range(data.draw(st.integers(0, 70)))]
    tree, stamp = MerkleTree(leaves), 1000
    assert tree.root == plain_root(leaves)
    for _ in range(data.draw(st.integers(1, 5))):
        size = data.draw(st.integers(0, 70))
        added = [(stamp + number).to_bytes(2, "little") for number in range(max(size - len(leaves), 0))]
        stamp += len(added)
        leaves = leaves[:size] + added
        tree.resize(size, added)
        places = sorted(data.draw(st.sets(st.integers(0, size - 1)))) if size else []
        changed = [(stamp + place).to_bytes(2, "little") for place in places]
        stamp += 100
        for place, leaf in zip(places, changed, strict=True):
            leaves[place] = leaf
        tree.update(np.array(places, np.int64), changed)
        assert len(tree) == len(leaves)
        assert tree.root == plain_root(leaves)


def test_a_fork_and_its_origin_go_their_own_ways():
    tree = MerkleTree([b"a", b"b", b"c"])
    fork = tree.fork()
    fork.update([2], [b"C"])
    fork.resize(4, [b"d"])
    assert tree.root == plain_root([b"a", b"b", b"c"])
    assert fork.root == plain_root([b"a", b"b", b"C", b"d"])
    assert repr(fork) == "MerkleTree(4 leaves)"


@pytest.mark.parametrize(
    ("indices", "leaves"), [([0], []), ([3], [b"x"]), ([-1], [b"x"]), ([1, 1], [b"x", b"y"]), ([1, 0], [b"x", b"y"])]
)
def test_places_that_do_not_fit_are_refused_and_change_nothing(indices, leaves):
    tree = MerkleTree([b"a", b"b", b"c"])
    with pytest.raises(ArgumentError, match="allowed"):
        tree.update(indices, leaves)
    assert tree.root == plain_root([b"a", b"b", b"c"])


def test_wrong_sizes_and_types_are_refused():
    tree = MerkleTree([b"a"])
    with pytest.raises(ArgumentError, match="allowed: 2"):
        tree.resize(3, [b"b"])
    with pytest.raises(ArgumentError, match="at least 0"):
        tree.resize(-1)
    with pytest.raises(ArgumentTypeError):
        tree.resize("3")
    with pytest.raises(ArgumentTypeError):
        MerkleTree(b"abc")
    assert len(tree) == 1
