"""The elected validators and what their stake weighs, and the certificate that they sign over a final header.

A certificate holds signatures of more than two thirds of the set's stake over a domain tag, the number of the set and
the header. A validator signs a header once GRANDPA has made it final in its own view, as BEEFY does on Polkadot, and
at most one per height; so a certificate is checked without the rounds of voting, which is what a light client needs,
and two certificates of one height name at least a third of the stake as liars.

References
----------
Stewart and Kokoris-Kogia, "GRANDPA: a Byzantine finality gadget", arXiv:2007.01560, 2020 (accountable safety).
Web3 Foundation, "Bridge hub: BEEFY", research.web3.foundation, 2023.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from gridlab.chain.arguments import require_bytes, require_int, require_sequence
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from gridlab.chain.encoding import Reader, compact, text, u32, u64
from gridlab.chain.hashing import hexadecimal, tagged_hash
from gridlab.chain.keys import verify_many
from gridlab.errors import ArgumentError, ChainError

__all__ = ["AuthoritySet", "Justification", "finality_message", "supermajority"]

_SET_DOMAIN = "gridlab/authority-set/1"
_FINALITY_TAG = text("gridlab/public-finality/1")
MOST_AUTHORITIES = 1_000
# Votes are added up as doubles in the simulation, which count whole numbers exactly up to here.
LARGEST_STAKE = 2**53 - 1


def supermajority(total: int) -> int:
    """Return the least whole stake that is more than two thirds of `total`.

    Examples
    --------
    >>> [supermajority(total) for total in (3, 4, 100)]
    [3, 3, 67]
    """
    return total - (require_int("total", total, 1) - 1) // 3


@dataclass(frozen=True)
class AuthoritySet:
    """Who certifies final blocks, in the order of seats.

    Attributes
    ----------
    number : int
        Counts the sets of a chain from 0.
    keys : tuple of bytes
        Public keys, 32 bytes each, all different.
    weights : tuple of int
        Stake behind each, micro-GRID, more than 0.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A field has a wrong type or range, or a key stands there twice.
    """

    number: int
    keys: tuple[bytes, ...]
    weights: tuple[int, ...]

    def __post_init__(self) -> None:
        require_int("number", self.number, 0, 2**63 - 1)
        for place, key in enumerate(require_sequence("keys", self.keys, bytes)):
            require_bytes(f"keys[{place}]", key, PUBLIC_KEY_BYTES)
        for place, weight in enumerate(require_sequence("weights", self.weights, int)):
            require_int(f"weights[{place}]", weight, 1, LARGEST_STAKE)
        if not 1 <= len(self.keys) <= MOST_AUTHORITIES or len(self.keys) != len(self.weights):
            raise ArgumentError(
                f"an authority set of {len(self.keys)} keys and {len(self.weights)} weights, allowed: 1 to "
                f"{MOST_AUTHORITIES}, one weight for each key"
            )
        if len(set(self.keys)) != len(self.keys):
            raise ArgumentError("a key stands in the authority set twice; add its weights up instead")
        if self.total > LARGEST_STAKE:
            raise ArgumentError(f"the set's stake is {self.total} micro-GRID, allowed: at most {LARGEST_STAKE}")

    def __repr__(self) -> str:
        return f"AuthoritySet({self.number}, {len(self.keys)} validators, stake {self.total})"

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def total(self) -> int:
        """All stake of the set, micro-GRID."""
        return sum(self.weights)

    @property
    def threshold(self) -> int:
        """The least stake that certifies."""
        return supermajority(self.total)

    @functools.cached_property
    def hash(self) -> bytes:
        """What a header says of the set that certifies the block after it, 32 bytes."""
        return tagged_hash(_SET_DOMAIN, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        rows = [key + u64(weight) for key, weight in zip(self.keys, self.weights, strict=True)]
        return u64(self.number) + compact(len(rows)) + b"".join(rows)

    @classmethod
    def from_bytes(cls, data: bytes) -> AuthoritySet:
        """Read what `to_bytes` wrote, or raise a GridlabError that says what is wrong with the bytes."""
        reader = Reader(data, "authority set")
        number, count = reader.u64(), reader.compact()
        if count > MOST_AUTHORITIES:
            raise reader.error(f"{count} validators, allowed: 1 to {MOST_AUTHORITIES}")
        rows = [(reader.take(PUBLIC_KEY_BYTES), reader.u64()) for _ in range(count)]
        reader.finish()
        return cls(number, tuple(key for key, _ in rows), tuple(weight for _, weight in rows))


def finality_message(header: bytes, number: int) -> bytes:
    """Return what a validator of set `number` signs over the canonical bytes of a final header."""
    return _FINALITY_TAG + u64(number) + header


@dataclass(frozen=True, slots=True)
class Justification:
    """Signatures over one final header.

    Attributes
    ----------
    number : int
        The authority set whose seats these are.
    signatures : mapping of int to bytes
        Seat -> 64 bytes, in the order of seats.
    """

    number: int
    signatures: Mapping[int, bytes]

    def __repr__(self) -> str:
        return f"Justification(set {self.number}, {len(self.signatures)} signatures)"

    def weight(self, authorities: AuthoritySet) -> int:
        """Return the stake of those who signed."""
        return sum(authorities.weights[seat] for seat in self.signatures)

    def why_not(self, header: bytes, authorities: AuthoritySet) -> str | None:
        """Say why this does not certify a header, or None where it does.

        Parameters
        ----------
        header : bytes
            Canonical bytes of the header.
        authorities : AuthoritySet
            The set in force at its height.
        """
        if self.number != authorities.number:
            return f"it is of authority set {self.number}, in force is set {authorities.number}"
        seats = list(self.signatures)
        foreign = [seat for seat in seats if not 0 <= seat < len(authorities)]
        if foreign:
            return f"seat {foreign[0]} signed, and there are {len(authorities)} seats"
        message = finality_message(header, self.number)
        triples = [(authorities.keys[seat], message, self.signatures[seat]) for seat in seats]
        wrong = [seat for seat, good in zip(seats, verify_many(triples), strict=True) if not good]
        if wrong:
            return f"the signature of seat {wrong[0]} is not one of this header"
        weight = self.weight(authorities)
        if weight < authorities.threshold:
            return f"stake of {weight} signed, {authorities.threshold} of {authorities.total} must"
        return None

    def require(self, header: bytes, authorities: AuthoritySet) -> None:
        """Raise ChainError with the reason where this does not certify the header."""
        reason = self.why_not(header, authorities)
        if reason:
            raise ChainError(f"the header is not certified: {reason}")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        rows = [u32(seat) + self.signatures[seat] for seat in sorted(self.signatures)]
        return u64(self.number) + compact(len(rows)) + b"".join(rows)

    @classmethod
    def from_bytes(cls, data: bytes) -> Justification:
        """Read what `to_bytes` wrote, or raise ChainError; a seat that signs twice is refused."""
        reader = Reader(data, "justification")
        number, count = reader.u64(), reader.compact()
        signatures: dict[int, bytes] = {}
        for _ in range(count):
            seat = reader.u32()
            if signatures and seat <= max(signatures):
                raise reader.error(f"seat {seat} does not come after {max(signatures)}; each signs once, in order")
            signatures[seat] = reader.take(SIGNATURE_BYTES)
        reader.finish()
        return cls(number, signatures)

    def describe(self, authorities: AuthoritySet) -> str:
        """Return one line for people: how many signed and what share of the stake that is."""
        share = self.weight(authorities) * 1000 // authorities.total
        name = hexadecimal(authorities.hash)[:18]
        return f"{len(self.signatures)} of {len(authorities)}, {share / 10} % of stake of set {name}…"
