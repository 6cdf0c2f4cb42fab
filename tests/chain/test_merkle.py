import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import merkle
from gridlab.chain.hashing import blake2b_256
from gridlab.errors import ArgumentError, ArgumentTypeError, GridlabError

SIZES = range(1, 71)
LEAVES = [number.to_bytes(2, "big") * (number % 5) for number in range(70)]


def sha256(data):
    return hashlib.sha256(data).digest()


def reference_root(leaves):
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + reference_root(leaves[:split]) + reference_root(leaves[split:]))


def reference_path(index, leaves):
    """RFC 6962, section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*reference_path(index, leaves[:split]), reference_root(leaves[split:])]
    return [*reference_path(index - split, leaves[split:]), reference_root(leaves[:split])]


def bits(data):
    return base64.b64decode(data)


@pytest.mark.parametrize("size", range(9))
def test_roots_of_transparency_dev_merkle(vectors, size):
    case = vectors("merkle")
    leaves = [bytes.fromhex(leaf) for leaf in case["leaf_inputs_hex"][:size]]
    assert merkle.root(leaves).hex() == case["root_by_size_hex"][size]


@pytest.mark.parametrize("number", range(25))
def test_inclusion_cases_of_transparency_dev_merkle(vectors, number):
    case = vectors("merkle")["inclusion"][number]
    proof = [bits(part) for part in case["proof"] or []]
    verdict = merkle.verify_inclusion(
        bits(case["root"]), index=case["leafIdx"], size=case["treeSize"], proof=proof, leaf_hash=bits(case["leafHash"])
    )
    assert verdict is not case["wantErr"], case["desc"]


@pytest.mark.parametrize("number", range(25))
def test_consistency_cases_of_transparency_dev_merkle(vectors, number):
    case = vectors("merkle")["consistency"][number]
    proof = [bits(part) for part in case["proof"] or []]
    arguments = bits(case["root1"]), case["size1"], bits(case["root2"]), case["size2"], proof
    if case["size1"] == 0:
        assert case["wantErr"]
        with pytest.raises(ArgumentError, match="size1 is 0"):
            merkle.verify_consistency(*arguments)
    else:
        assert merkle.verify_consistency(*arguments) is not case["wantErr"], case["desc"]


@pytest.mark.parametrize("size", [0, *SIZES])
def test_the_root_is_the_one_that_rfc_6962_defines(size):
    assert merkle.root(LEAVES[:size]) == reference_root(LEAVES[:size])


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proved_and_no_other_place_is(size):
    leaves = LEAVES[:size]
    root = merkle.root(leaves)
    for index in range(size):
        proof = merkle.prove_inclusion(leaves, index)
        assert proof == reference_path(index, leaves)
        assert merkle.verify_inclusion(root, leaves[index], index, size, proof)
        assert not merkle.verify_inclusion(root, leaves[index], index + 1, size, proof)
        assert not merkle.verify_inclusion(root, leaves[index] + b"!", index, size, proof)
        assert not merkle.verify_inclusion(root, leaves[index], index, size, [*proof, root])
        if proof:
            assert not merkle.verify_inclusion(root, leaves[index], index, size, proof[:-1])
            assert not merkle.verify_inclusion(root, leaves[index], index, size, proof[1:])


@pytest.mark.parametrize("size2", SIZES)
def test_every_earlier_tree_is_proved_a_prefix_and_no_other_is(size2):
    root2 = merkle.root(LEAVES[:size2])
    for size1 in range(1, size2 + 1):
        root1 = merkle.root(LEAVES[:size1])
        proof = merkle.prove_consistency(LEAVES[:size2], size1)
        assert merkle.verify_consistency(root1, size1, root2, size2, proof)
        assert not merkle.verify_consistency(sha256(root1), size1, root2, size2, proof)
        assert not merkle.verify_consistency(root1, size1, sha256(root2), size2, proof)
        assert not merkle.verify_consistency(root1, size1, root2, size2, [*proof, root1])
        if proof:
            assert not merkle.verify_consistency(root1, size1, root2, size2, proof[:-1])


@given(size=st.integers(1, 70), data=st.data())
@settings(deadline=None)
def test_a_flipped_bit_anywhere_in_an_inclusion_proof_is_noticed(size, data):
    leaves = LEAVES[:size]
    index = data.draw(st.integers(0, size - 1))
    parts = [merkle.root(leaves), sha256(b"\x00" + leaves[index]), *merkle.prove_inclusion(leaves, index)]
    place, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[place] = (int.from_bytes(parts[place], "big") ^ 1 << bit).to_bytes(32, "big")
    assert not merkle.verify_inclusion(parts[0], index=index, size=size, proof=parts[2:], leaf_hash=parts[1])


@given(size2=st.integers(2, 70), data=st.data())
@settings(deadline=None)
def test_a_flipped_bit_anywhere_in_a_consistency_proof_is_noticed(size2, data):
    size1 = data.draw(st.integers(1, size2 - 1))
    roots = [merkle.root(LEAVES[:size]) for size in (size1, size2)]
    parts = [*roots, *merkle.prove_consistency(LEAVES[:size2], size1)]
    place, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[place] = (int.from_bytes(parts[place], "big") ^ 1 << bit).to_bytes(32, "big")
    assert not merkle.verify_consistency(parts[0], size1, parts[1], size2, parts[2:])


@given(
    root=st.binary(max_size=40),
    leaf=st.binary(max_size=40),
    index=st.integers(-2, 2**70),
    size=st.integers(-2, 2**70),
    proof=st.lists(st.binary(max_size=40), max_size=6),
)
@settings(deadline=None)
def test_garbage_is_a_wrong_proof_and_never_an_exception(root, leaf, index, size, proof):
    assert merkle.verify_inclusion(root, leaf, index, size, proof) is False
    assert merkle.verify_inclusion(root, None, index, size, proof, leaf_hash=leaf) is False
    if index > 0:
        assert merkle.verify_consistency(root, index, leaf + b"!", size, proof) in (False, root == leaf + b"!")


def test_bytes_cannot_move_between_leaf_hash_and_sibling():
    leaves = [b"a", b"b"]
    left, right = (sha256(b"\x00" + leaf) for leaf in leaves)
    assert merkle.verify_inclusion(merkle.root(leaves), index=0, size=2, proof=[right], leaf_hash=left)
    moved = merkle.verify_inclusion(merkle.root(leaves), index=0, size=2, proof=[right[1:]], leaf_hash=left + right[:1])
    assert moved is False


def test_a_node_is_not_a_leaf_and_a_doubled_leaf_is_another_tree():
    leaves = [b"a", b"b", b"c"]
    node = sha256(b"\x00a") + sha256(b"\x00b")
    assert merkle.root([node, b"c"]) != merkle.root(leaves)  # Substrate's tree has no prefixes
    assert merkle.root([*leaves, b"c"]) != merkle.root(leaves)  # Bitcoin's doubles the last leaf


@pytest.mark.parametrize("choice", ["blake2b-256", blake2b_256, lambda data: hashlib.blake2b(data, digest_size=32)])
def test_another_hash_may_be_chosen_by_name_or_function(choice):
    leaves = LEAVES[:11]
    root = merkle.root(leaves, hash=choice)
    assert root == merkle.root(leaves, hash="blake2b-256") != merkle.root(leaves)
    proof = merkle.prove_inclusion(leaves, 7, hash=choice)
    assert merkle.verify_inclusion(root, leaves[7], 7, 11, proof, hash=choice)
    assert not merkle.verify_inclusion(root, leaves[7], 7, 11, proof)
    earlier = merkle.root(leaves[:6], hash=choice)
    assert merkle.verify_consistency(
        earlier, 6, root, 11, merkle.prove_consistency(leaves, 6, hash=choice), hash=choice
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: merkle.root(b"leaves"),
        lambda: merkle.root(["text"]),
        lambda: merkle.root(None),
        lambda: merkle.root([b"a"], hash=7),
        lambda: merkle.root([b"a"], hash=lambda _: "text"),
        lambda: merkle.prove_inclusion([b"a"], "0"),
        lambda: merkle.prove_inclusion([b"a"], False),
        lambda: merkle.prove_consistency([b"a"], 1.0),
        lambda: merkle.verify_inclusion("root", b"a", 0, 1, []),
        lambda: merkle.verify_inclusion(bytes(32), "a", 0, 1, []),
        lambda: merkle.verify_inclusion(bytes(32), b"a", None, 1, []),
        lambda: merkle.verify_inclusion(bytes(32), b"a", 0, 1.5, []),
        lambda: merkle.verify_inclusion(bytes(32), b"a", 0, 1, None),
        lambda: merkle.verify_inclusion(bytes(32), b"a", 0, 1, b"proof"),
        lambda: merkle.verify_inclusion(bytes(32), b"a", 0, 1, ["part"]),
        lambda: merkle.verify_inclusion(bytes(32), b"a", 0, 1, [], leaf_hash=bytes(32)),
        lambda: merkle.verify_inclusion(bytes(32), index=0, size=1, proof=[]),
        lambda: merkle.verify_consistency(bytes(32), "1", bytes(32), 1, []),
        lambda: merkle.verify_consistency(bytes(32), 1, None, 1, []),
        lambda: merkle.verify_consistency(bytes(32), 1, bytes(32), 1, [1]),
    ],
)
def test_wrong_types_are_argument_type_errors(call):
    with pytest.raises(ArgumentTypeError):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: merkle.prove_inclusion([], 0), "0 leaves"),
        (lambda: merkle.prove_inclusion([b"a"], 1), "index is 1"),
        (lambda: merkle.prove_inclusion([b"a"], -1), "index is -1"),
        (lambda: merkle.prove_consistency([b"a"], 0), "size1 is 0"),
        (lambda: merkle.prove_consistency([b"a"], 2), "size1 is 2"),
        (lambda: merkle.root([b"a"], hash="sha-256"), "'sha256'"),
    ],
)
def test_calls_that_ask_for_what_is_not_there_are_errors(call, message):
    with pytest.raises(GridlabError, match=message):
        call()
