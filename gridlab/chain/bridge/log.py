"""A register that only grows, with an RFC 6962 root at hand after every leaf."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from gridlab.chain.bridge.inclusion import Inclusion, inclusion_of
from gridlab.chain.encoding import Reader, blob, compact
from gridlab.chain.hashing import HASH_BYTES, blake2b_256

__all__ = ["Log"]


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.blake2b(b"\x01" + left + right, digest_size=HASH_BYTES).digest()


class Log:
    """Leaves in the order in which they came. Never changed: `append` returns a new log.

    A chain's state is kept at every height, and each holds its log. They share one list, of which an older log sees
    the beginning; only a fork copies it. The root is kept as the roots of the whole subtrees (as many as the count has
    bits set), so a further leaf costs a hash or two and no walk over the others.

    Parameters
    ----------
    leaves : iterable of bytes, optional

    Examples
    --------
    >>> from gridlab.chain import merkle
    >>> log = Log([b"a", b"b"]).append(b"c")
    >>> log.root == merkle.root([b"a", b"b", b"c"], hash="blake2b-256")
    True
    """

    __slots__ = ("_peaks", "_shared", "count")

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._shared: list[bytes] = []
        self._peaks: tuple[bytes, ...] = ()
        self.count = 0
        for leaf in leaves:
            self._shared.append(leaf)
            self._peaks = self._peaks_after(leaf)
            self.count += 1

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> bytes:
        if not 0 <= place < self.count:
            raise IndexError(place)
        return self._shared[place]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.leaves)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Log) and self.leaves == other.leaves

    def __hash__(self) -> int:
        return hash((self.count, self._peaks))

    def __repr__(self) -> str:
        return f"Log({self.count} leaves)"

    def append(self, leaf: bytes) -> Log:
        """Return the log with one leaf more."""
        grown = object.__new__(Log)
        grown._shared = self._shared if len(self._shared) == self.count else self._shared[: self.count]
        grown._shared.append(leaf)
        grown._peaks, grown.count = self._peaks_after(leaf), self.count + 1
        return grown

    def _peaks_after(self, leaf: bytes) -> tuple[bytes, ...]:
        peaks, running, count = list(self._peaks), blake2b_256(b"\x00" + leaf), self.count
        while count & 1:
            running, count = _joined(peaks.pop(), running), count >> 1
        return (*peaks, running)

    @property
    def leaves(self) -> list[bytes]:
        """All leaves, a copy."""
        return self._shared[: self.count]

    @property
    def root(self) -> bytes:
        """Root over the leaves with BLAKE2b-256, 32 bytes; of an empty log the hash of nothing."""
        if not self._peaks:
            return blake2b_256(b"")
        running = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            running = _joined(peak, running)
        return running

    def prove(self, place: int) -> Inclusion:
        """Return the proof that a leaf stands at `place`."""
        return inclusion_of(self.leaves, place)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes: all leaves."""
        return b"".join([compact(self.count), *map(blob, self.leaves)])

    @classmethod
    def read(cls, reader: Reader) -> Log:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        return cls(reader.blob() for _ in range(reader.compact()))
