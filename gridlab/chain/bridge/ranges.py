"""Which sequence numbers have been seen, as sorted ranges, so that their absence can be proved.

Numbers mostly come in order, so there are few ranges however many numbers. The ranges are the leaves of a tree, in
rising order. A number is absent where it lies beyond the last range, before the first, or between two that stand next
to each other in the tree; the proof shows those neighbours.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from gridlab.chain import merkle
from gridlab.chain.bridge.inclusion import HASH, Inclusion, ProofSpec, inclusion_of
from gridlab.chain.encoding import Reader, compact, text, u64
from gridlab.errors import ArgumentError, ChainError

__all__ = ["RANGE_SPEC", "Ranges", "require_absent"]

_PREFIX = text("gridlab/bridge-range/1")
RANGE_SPEC = ProofSpec("ranges of received packets", _PREFIX, 16, 16, 40)


@dataclass(frozen=True, slots=True)
class Ranges:
    """A set of numbers of 0 … 2^64 - 2. Never changed: `add` returns a new one.

    Attributes
    ----------
    bounds : tuple of tuple of (int, int)
        First number of each range and the first after it, rising, with a gap between one and the next.
    """

    bounds: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        last = -1
        for first, past in self.bounds:
            if not last < first < past < 2**64:
                raise ChainError(f"ranges: {first} … {past} does not rise, or touches the one before; they are damaged")
            last = past

    def __contains__(self, number: int) -> bool:
        place = self._place(number)
        return place >= 0 and number < self.bounds[place][1]

    def __len__(self) -> int:
        return sum(past - first for first, past in self.bounds)

    def _place(self, number: int) -> int:
        """Place of the last range that begins at `number` or before, -1 where there is none."""
        return bisect_right(self.bounds, (number, 2**64)) - 1

    @property
    def past_last(self) -> int:
        """The first number that is above all of them."""
        return self.bounds[-1][1] if self.bounds else 0

    def add(self, number: int) -> Ranges:
        """Return the set with one number more; raises ArgumentError where it is in it already."""
        if number in self:
            raise ArgumentError(f"{number} is in the ranges already, each is added once")
        place = self._place(number)
        first, past, before, after = number, number + 1, place + 1, place + 1
        if place >= 0 and self.bounds[place][1] == number:
            first, before = self.bounds[place][0], place
        if after < len(self.bounds) and self.bounds[after][0] == past:
            past, after = self.bounds[after][1], after + 1
        return Ranges((*self.bounds[:before], (first, past), *self.bounds[after:]))

    @property
    def leaves(self) -> list[bytes]:
        """One leaf per range: prefix, first and past (8 bytes each)."""
        return [_PREFIX + u64(first) + u64(past) for first, past in self.bounds]

    @property
    def root(self) -> bytes:
        """RFC 6962 root over `leaves` with BLAKE2b-256, 32 bytes."""
        return merkle.root(self.leaves, hash=HASH)

    def prove_absent(self, number: int) -> tuple[Inclusion, ...]:
        """Return the neighbours between which `number` is missing; none where it is above all ranges.

        Raises
        ------
        ArgumentError
            The number is not missing.
        """
        if number in self:
            raise ArgumentError(f"{number} is in the ranges, so that it is not cannot be proved")
        if number >= self.past_last:
            return ()
        place, leaves = self._place(number), self.leaves
        return tuple(inclusion_of(leaves, each) for each in (place, place + 1) if each >= 0)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return b"".join([compact(len(self.bounds)), *(u64(first) + u64(past) for first, past in self.bounds)])

    @classmethod
    def read(cls, reader: Reader) -> Ranges:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        return cls(tuple((reader.u64(), reader.u64()) for _ in range(reader.compact())))


def require_absent(number: int, neighbours: tuple[Inclusion, ...], *, root: bytes, size: int, past_last: int) -> None:
    """Raise ChainError unless `neighbours` prove that `number` is in none of the ranges.

    Parameters
    ----------
    number : int
    neighbours : tuple of Inclusion
        As `Ranges.prove_absent` gives them.
    root, size, past_last : bytes, int, int
        What is committed to: root over the ranges, how many there are, and the first number above them.
    """
    if number >= past_last:
        if neighbours:
            raise ChainError(f"proof of absence: {number} is above all ranges, which takes no neighbours; send none")
        return
    bodies = [RANGE_SPEC.require(each, root, size=size) for each in neighbours]
    bounds = [(int.from_bytes(body[:8], "little"), int.from_bytes(body[8:], "little")) for body in bodies]
    places = [each.index for each in neighbours]
    if places == [0]:
        absent = number < bounds[0][0]
    else:
        absent = len(places) == 2 and places[0] + 1 == places[1] and bounds[0][1] <= number < bounds[1][0]
    if not absent:
        raise ChainError(
            f"proof of absence: ranges {bounds} at {places} do not enclose {number} as neighbours; it takes the two "
            "that stand next to each other around it, or the first one where it lies before that"
        )
