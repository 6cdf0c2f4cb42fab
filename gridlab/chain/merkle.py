"""Merkle trees of RFC 6962: roots, inclusion proofs and consistency proofs.

A leaf is hashed behind a 0x00 byte and a node behind a 0x01 byte, so that no node can pass for a leaf. An odd node is
carried up unchanged. (Bitcoin's tree doubles it, which lets two different lists share a root; Substrate's binary tree
has no prefixes, which lets a node be proved as a leaf.)

References
----------
Laurie, Langley, Kasper, "Certificate Transparency", RFC 6962, 2013, section 2.1.
Laurie, Messeri, Stradling, "Certificate Transparency Version 2.0", RFC 9162, 2021, sections 2.1.3.2 and 2.1.4.2
(the verification algorithms).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from gridlab.chain.arguments import require_bytes, require_int, require_sequence
from gridlab.chain.hashing import HASH_BYTES, blake2b_256
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest

__all__ = ["prove_consistency", "prove_inclusion", "root", "verify_consistency", "verify_inclusion"]

Hash = Callable[[bytes], bytes]
# The argument is called hash because that is its name in gridlab's contract with notebooks.
HashChoice = str | Callable[[bytes], Any]


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


_NAMED: dict[str, Hash] = {"sha256": _sha256, "blake2b-256": blake2b_256}


def _hash_function(choice: object) -> Hash:
    if isinstance(choice, str):
        if choice not in _NAMED:
            raise ArgumentError(f"hash is {choice!r}, which is not known; {nearest(choice, _NAMED)}")
        return _NAMED[choice]
    if not callable(choice):
        raise ArgumentTypeError(f"hash is a {type(choice).__name__}, allowed: {sorted(_NAMED)} or a function of bytes")
    probe = choice(b"")
    if isinstance(probe, bytes):
        return cast(Hash, choice)
    if hasattr(probe, "digest"):
        constructor = cast(Callable[[bytes], Any], choice)
        return lambda data: bytes(constructor(data).digest())
    raise ArgumentTypeError(f"hash returns a {type(probe).__name__}, allowed: bytes, or an object of hashlib")


def _hash_each(parts: Iterable[bytes], digest: Hash) -> list[bytes]:
    # A block has tens of thousands of leaves, and a call between here and hashlib costs a third of the hash.
    if digest is blake2b_256:
        constructor = hashlib.blake2b
        return [constructor(part, digest_size=HASH_BYTES).digest() for part in parts]
    if digest is _sha256:
        return [hashlib.sha256(part).digest() for part in parts]
    return [digest(part) for part in parts]


def _leaf_hashes(leaves: Sequence[bytes], digest: Hash) -> list[bytes]:
    require_sequence("leaves", leaves, bytes)
    return _hash_each([b"\x00" + leaf for leaf in leaves], digest)


def _level_above(level: list[bytes], digest: Hash) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    above = _hash_each([b"\x01" + left + right for left, right in pairs], digest)
    return above + level[-1:] if len(level) % 2 else above


def _root_of_hashes(level: list[bytes], digest: Hash) -> bytes:
    # Joining neighbours level by level and carrying the odd one up gives the tree that the RFC defines by splitting
    # at the largest power of two.
    while len(level) > 1:
        level = _level_above(level, digest)
    return level[0] if level else digest(b"")


def root(leaves: Sequence[bytes], *, hash: HashChoice = "sha256") -> bytes:  # noqa: A002
    """Return the Merkle tree hash of `leaves` (RFC 6962, 2.1).

    Parameters
    ----------
    leaves : sequence of bytes
        The data, not yet hashed; an empty sequence has the hash of nothing.
    hash : str or callable
        "sha256", "blake2b-256", a function from bytes to bytes, or a constructor of hashlib.

    Returns
    -------
    bytes

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `leaves` is not a sequence of ``bytes``, or `hash` is not known.

    Examples
    --------
    >>> root([]).hex()[:16]
    'e3b0c44298fc1c14'
    """
    digest = _hash_function(hash)
    return _root_of_hashes(_leaf_hashes(leaves, digest), digest)


def prove_inclusion(
    leaves: Sequence[bytes],
    index: int,
    *,
    hash: HashChoice = "sha256",  # noqa: A002
) -> list[bytes]:
    """Return the audit path of leaf `index` (RFC 6962, 2.1.1): the siblings from the leaf up to the root.

    Parameters
    ----------
    leaves : sequence of bytes
        All leaves of the tree, not yet hashed.
    index : int
        0 … len(leaves) - 1.
    hash : str or callable
        As in `root`.

    Returns
    -------
    list of bytes
        At most ceil(log2(len(leaves))) hashes.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A wrong type, or an `index` that is not in the tree.
    """
    digest = _hash_function(hash)
    level = _leaf_hashes(leaves, digest)
    require_int("index", index)
    if not 0 <= index < len(level):
        raise ArgumentError(f"index is {index}, allowed: 0 … {len(level) - 1} (the tree has {len(level)} leaves)")
    proof = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            proof.append(level[sibling])
        level = _level_above(level, digest)
        index >>= 1
    return proof


def prove_consistency(
    leaves: Sequence[bytes],
    size1: int,
    *,
    hash: HashChoice = "sha256",  # noqa: A002
) -> list[bytes]:
    """Return the proof that the first `size1` of `leaves` are a prefix of all of them (RFC 6962, 2.1.2).

    Parameters
    ----------
    leaves : sequence of bytes
        All leaves of the later tree, not yet hashed.
    size1 : int
        Size of the earlier tree, 1 … len(leaves).
    hash : str or callable
        As in `root`.

    Returns
    -------
    list of bytes
        Empty where `size1` is the whole tree.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A wrong type, or a `size1` that is not a size of an earlier tree.
    """
    digest = _hash_function(hash)
    hashes = _leaf_hashes(leaves, digest)
    require_int("size1", size1)
    if not 1 <= size1 <= len(hashes):
        raise ArgumentError(
            f"size1 is {size1}, allowed: 1 … {len(hashes)}; every tree extends the empty one, which proves nothing"
        )
    return _subproof(size1, hashes, digest, whole=True)


def _subproof(size1: int, hashes: list[bytes], digest: Hash, *, whole: bool) -> list[bytes]:
    if size1 == len(hashes):
        return [] if whole else [_root_of_hashes(hashes, digest)]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if size1 <= split:
        return [*_subproof(size1, hashes[:split], digest, whole=whole), _root_of_hashes(hashes[split:], digest)]
    return [*_subproof(size1 - split, hashes[split:], digest, whole=False), _root_of_hashes(hashes[:split], digest)]


def _claimed_leaf_hash(leaf: bytes | None, leaf_hash: bytes | None, digest: Hash) -> bytes:
    if (leaf is None) == (leaf_hash is None):
        raise ArgumentTypeError("give exactly one of leaf (its data) and leaf_hash=")
    if leaf is not None:
        return digest(b"\x00" + require_bytes("leaf", leaf))
    return require_bytes("leaf_hash", leaf_hash)


def verify_inclusion(
    root: bytes,
    leaf: bytes | None = None,
    index: int | None = None,
    size: int | None = None,
    proof: Sequence[bytes] | None = None,
    *,
    leaf_hash: bytes | None = None,
    hash: HashChoice = "sha256",  # noqa: A002
) -> bool:
    """Say whether `proof` shows that a leaf stands at `index` in the tree of `size` leaves with this `root`.

    Parameters
    ----------
    root : bytes
        Root that the reader trusts.
    leaf : bytes
        The leaf's data; None where `leaf_hash` is given in its place.
    index : int
        Place of the leaf; one outside the tree is a wrong proof, not an error.
    size : int
        Number of leaves.
    proof : sequence of bytes
        As from `prove_inclusion`.
    leaf_hash : bytes, optional
        The leaf's hash in place of its data.
    hash : str or callable
        As in `root`.

    Returns
    -------
    bool
        False for every wrong proof, whatever bytes it is made of.

    Raises
    ------
    ArgumentTypeError
        A wrong type, or not exactly one of `leaf` and `leaf_hash`.

    Notes
    -----
    RFC 9162 (2021), 2.1.3.2.
    """
    digest = _hash_function(hash)
    require_bytes("root", root)
    running = _claimed_leaf_hash(leaf, leaf_hash, digest)
    node, last = require_int("index", index), require_int("size", size) - 1
    siblings = [require_bytes("proof", part) for part in require_sequence("proof", proof, bytes)]
    # A part of another length could shift bytes from one operand of the hash to the other.
    if not 0 <= node <= last or any(len(part) != len(digest(b"")) for part in (running, *siblings)):
        return False
    for sibling in siblings:
        if last == 0:
            return False
        if node & 1 or node == last:
            running = digest(b"\x01" + sibling + running)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            running = digest(b"\x01" + running + sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and running == root


def verify_consistency(
    root1: bytes,
    size1: int,
    root2: bytes,
    size2: int,
    proof: Sequence[bytes],
    *,
    hash: HashChoice = "sha256",  # noqa: A002
) -> bool:
    """Say whether `proof` shows that the tree `root1` is a prefix of the tree `root2`.

    Parameters
    ----------
    root1, root2 : bytes
        Roots of the earlier and the later tree.
    size1, size2 : int
        Their numbers of leaves; `size1` of at least 1.
    proof : sequence of bytes
        As from `prove_consistency`.
    hash : str or callable
        As in `root`.

    Returns
    -------
    bool
        False for every wrong proof, whatever bytes it is made of.

    Raises
    ------
    ArgumentTypeError
        A wrong type.
    ArgumentError
        `size1` is below 1: every tree extends the empty one, so there is nothing to prove.

    Notes
    -----
    RFC 9162 (2021), 2.1.4.2.
    """
    digest = _hash_function(hash)
    require_bytes("root1", root1)
    require_bytes("root2", root2)
    require_int("size1", size1, 1)
    require_int("size2", size2)
    parts = [require_bytes("proof", part) for part in require_sequence("proof", proof, bytes)]
    if size1 == size2:
        return not parts and root1 == root2
    if size1 > size2 or not parts or any(len(part) != len(digest(b"")) for part in (root1, root2, *parts)):
        return False
    # A tree of a power of two is a node of the later tree, so its root is not repeated in the proof.
    if size1 & (size1 - 1) == 0:
        parts.insert(0, root1)
    return _joins(parts, size1 - 1, size2 - 1, digest) == (root1, root2)


def _joins(parts: list[bytes], node: int, last: int, digest: Hash) -> tuple[bytes, bytes] | None:
    while node & 1:
        node, last = node >> 1, last >> 1
    earlier = later = parts[0]
    for part in parts[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            earlier, later = digest(b"\x01" + part + earlier), digest(b"\x01" + part + later)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            later = digest(b"\x01" + later + part)
        node, last = node >> 1, last >> 1
    return (earlier, later) if last == 0 else None
