"""Proofs of inclusion that are checked against a spec, and not against a root alone.

A root says only that some leaf is in some tree. A forger may offer a leaf of another kind, an inner node as a leaf, or
a path of any length. The spec of a register says what its leaves begin with, how long they are, how deep the tree may
be and how it hashes. Where the number of leaves is committed to, it is compared, too; where it is not, it is the
prover's claim, and nothing may hang on a leaf's index.

References
----------
Interchain Standards, "ICS-023: Vector commitments", 2019.
Laurie, Langley, Kasper, "Certificate transparency", RFC 6962, 2013.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gridlab.chain import merkle
from gridlab.chain.arguments import require_bytes, require_int, require_sequence
from gridlab.chain.encoding import Reader, blob, compact, u64
from gridlab.chain.hashing import HASH_BYTES
from gridlab.errors import ChainError

__all__ = ["HASH", "Inclusion", "ProofSpec", "inclusion_of"]

HASH = "blake2b-256"
_LARGEST = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A leaf, where it stands, and the path from it to the root.

    Attributes
    ----------
    leaf : bytes
        The data, not yet hashed.
    index, size : int
        Place of the leaf, and how many leaves the tree has.
    path : tuple of bytes
        Siblings from the leaf up, 32 bytes each (RFC 6962, 2.1.1).
    """

    leaf: bytes = field(repr=False)
    index: int
    size: int
    path: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        require_bytes("leaf", self.leaf)
        require_int("index", self.index, 0, _LARGEST)
        require_int("size", self.size, 0, _LARGEST)
        require_sequence("path", self.path, bytes)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        head = blob(self.leaf) + u64(self.index) + u64(self.size) + compact(len(self.path))
        return head + b"".join(require_bytes("path", part, HASH_BYTES) for part in self.path)

    @classmethod
    def read(cls, reader: Reader) -> Inclusion:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        leaf, index, size = reader.blob(), reader.u64(), reader.u64()
        return cls(leaf, index, size, tuple(reader.take(HASH_BYTES) for _ in range(reader.compact())))


@dataclass(frozen=True, slots=True)
class ProofSpec:
    """What a proof of one register must look like.

    Attributes
    ----------
    name : str
        For the error messages.
    prefix : bytes
        What every leaf begins with.
    shortest, longest : int
        Bytes of a leaf after the prefix.
    deepest : int
        Most siblings in a path; the tree holds at most ``2**deepest`` leaves.
    hash : str
        As `gridlab.chain.merkle` names it.
    """

    name: str
    prefix: bytes
    shortest: int
    longest: int
    deepest: int
    hash: str = HASH

    def require(self, proof: Inclusion, root: bytes, *, size: int | None = None) -> bytes:
        """Return the leaf after its prefix, if it is in the tree with this root.

        Parameters
        ----------
        proof : Inclusion
        root : bytes
        size : int, optional
            The number of leaves where it is committed to.

        Raises
        ------
        ChainError
            The proof breaks the spec, or does not lead to the root; the error says how.
        """
        reason = self._broken(proof, size)
        if reason is None:
            claimed = (proof.leaf, proof.index, proof.size, list(proof.path))
            if merkle.verify_inclusion(root, *claimed, hash=self.hash):
                return proof.leaf[len(self.prefix) :]
            reason = "its path does not lead to the root, so it is damaged or of another tree"
        raise ChainError(f"proof of {self.name}: {reason}; ask for the proof at the height that is anchored")

    def _broken(self, proof: Inclusion, size: int | None) -> str | None:
        if not proof.leaf.startswith(self.prefix):
            return f"the leaf does not begin as one of this register ({self.prefix.hex()[:24]}…)"
        body = len(proof.leaf) - len(self.prefix)
        if not self.shortest <= body <= self.longest:
            return f"the leaf has {body} bytes after its prefix, allowed: {self.shortest} to {self.longest}"
        if len(proof.path) > self.deepest or proof.size > 2**self.deepest:
            deep, many = len(proof.path), proof.size
            return f"{deep} siblings in a tree of {many} leaves, allowed: at most {self.deepest} and 2^{self.deepest}"
        if size is not None and proof.size != size:
            return f"it is of a tree of {proof.size} leaves, the register has {size}"
        if proof.index >= proof.size:
            return f"leaf {proof.index} of {proof.size} does not exist"
        return None


def inclusion_of(leaves: Sequence[bytes], index: int) -> Inclusion:
    """Return the proof that ``leaves[index]`` is in the tree of `leaves`."""
    return Inclusion(leaves[index], index, len(leaves), tuple(merkle.prove_inclusion(leaves, index, hash=HASH)))
