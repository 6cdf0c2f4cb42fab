"""A Merkle tree that is kept, so that a block which touches a hundred accounts of a million hashes a hundred paths.

The root is always that of `gridlab.chain.merkle.root` over the same leaves, with BLAKE2b-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.hashing import HASH_BYTES, blake2b_256
from gridlab.errors import ArgumentError

__all__ = ["MerkleTree"]

Indices = npt.NDArray[np.int64]


class MerkleTree:
    """The hashes of all nodes of an RFC 6962 tree, level by level from the leaves up.

    Parameters
    ----------
    leaves : sequence of bytes, optional
        The data, not yet hashed.

    Raises
    ------
    ArgumentTypeError
        `leaves` is not a sequence of ``bytes``.

    Examples
    --------
    >>> from gridlab.chain import merkle
    >>> tree = MerkleTree([b"a", b"b", b"c"])
    >>> tree.update([1], [b"B"])
    >>> tree.root == merkle.root([b"a", b"B", b"c"], hash="blake2b-256")
    True
    """

    __slots__ = ("_levels",)

    def __init__(self, leaves: Sequence[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        self.resize(len(require_sequence("leaves", leaves, bytes)), leaves)

    def __repr__(self) -> str:
        return f"MerkleTree({len(self)} leaves)"

    def __len__(self) -> int:
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The root, 32 bytes; of an empty tree the hash of nothing."""
        return self._levels[-1][0] if len(self) else blake2b_256(b"")

    def fork(self) -> MerkleTree:
        """Return an independent copy; it shares the hashes, which never change."""
        copy = object.__new__(MerkleTree)
        copy._levels = [list(level) for level in self._levels]
        return copy

    def update(self, indices: Sequence[int] | Indices, leaves: Sequence[bytes]) -> None:
        """Put other leaves in some places.

        Parameters
        ----------
        indices : sequence of int, or array of int64
            Places in rising order, each once, 0 … len(tree) - 1.
        leaves : sequence of bytes
            One for each place.

        Raises
        ------
        ArgumentError
            The places do not rise, lie outside the tree, or are not as many as the leaves.
        """
        places = np.asarray(indices, np.int64)
        if len(places) != len(leaves):
            raise ArgumentError(f"{len(places)} indices and {len(leaves)} leaves, allowed: one leaf for each index")
        if not len(places):
            return
        if places[0] < 0 or places[-1] >= len(self) or (np.diff(places) <= 0).any():
            raise ArgumentError(f"indices do not rise, or leave the tree; allowed: 0 … {len(self) - 1}, each once")
        bottom = self._levels[0]
        for place, leaf in zip(places.tolist(), leaves, strict=True):
            bottom[place] = hashlib.blake2b(b"\x00" + leaf, digest_size=HASH_BYTES).digest()
        self._rehash(places)

    def resize(self, size: int, added: Sequence[bytes] = ()) -> None:
        """Cut the tree to its first `size` leaves, or let it grow to as many.

        Parameters
        ----------
        size : int
        added : sequence of bytes
            The leaves from the old size on; exactly as many as are new.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `size` is not a whole number of 0 or more, or the leaves are not as many as are new.
        """
        old = len(self)
        if len(added) != max(require_int("size", size, 0) - old, 0):
            raise ArgumentError(f"added has {len(added)} leaves, allowed: {max(size - old, 0)} (from {old} to {size})")
        if size == old:
            return
        fresh = [hashlib.blake2b(b"\x00" + leaf, digest_size=HASH_BYTES).digest() for leaf in added]
        self._levels[0] = self._levels[0][:size] + fresh
        # The last leaf that stays gets another neighbour, or none, so its path changes with the new leaves' paths.
        self._rehash(np.arange(max(min(old, size) - 1, 0), size))

    def _rehash(self, places: Indices) -> None:
        level = 0
        while len(below := self._levels[level]) > 1:
            level += 1
            if level == len(self._levels):
                self._levels.append([])
            above, size = self._levels[level], -(-len(below) // 2)
            del above[size:]
            above += [b""] * (size - len(above))
            places = places >> 1
            places = places[np.diff(places, prepend=-1) > 0]
            _join(below, above, places)
        del self._levels[level + 1 :]


def _join(below: list[bytes], above: list[bytes], places: Indices) -> None:
    carried = len(below) % 2 == 1 and len(places) and places[-1] == len(above) - 1
    if carried:
        above[-1] = below[-1]
        places = places[:-1]
    for place in places.tolist():
        pair = b"\x01" + below[2 * place] + below[2 * place + 1]
        above[place] = hashlib.blake2b(pair, digest_size=HASH_BYTES).digest()
