"""How a light client sees that a header is final: by a quorum of validators, or by more than two thirds of the stake.

References
----------
Castro, Liskov, "Practical Byzantine fault tolerance", OSDI 1999.
Stewart, Kokoris-Kogia, "GRANDPA: a Byzantine finality gadget", 2020 (more than two thirds of a set's stake).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from gridlab.chain.authority import authority_hash, unpack_validators
from gridlab.chain.blocks import Header
from gridlab.chain.bridge.signed_header import Anchor
from gridlab.errors import ChainError, GridlabError, nearest

__all__ = [
    "FINALITY",
    "FinalityProof",
    "PbftFinality",
    "PublicFinality",
    "SequencerFinality",
    "WeightedFinality",
    "finality_of",
]


class FinalityProof(Protocol):
    """What a light client needs to know of a chain: how to read its headers, and what makes one final."""

    @property
    def name(self) -> str:
        """Name under which a client's bytes remember it."""

    def read(self, header: bytes) -> Anchor:
        """Read a header, or raise a GridlabError that says what is wrong with the bytes."""

    def authority_hash(self, authority: bytes) -> bytes:
        """Return what a header says of the authority that certifies the one after it, or raise a GridlabError."""

    def why_not_final(self, header: bytes, proof: bytes, authority: bytes) -> str | None:
        """Say why the proof does not make the header final under this authority, None where it does."""


class _ConsortiumHeaders:
    """Headers of `gridlab.chain.blocks`."""

    def read(self, header: bytes) -> Anchor:
        """Read a header, or raise a GridlabError that says what is wrong with the bytes."""
        return Anchor.of(Header.from_bytes(header))

    def authority_hash(self, authority: bytes) -> bytes:
        """Return what a header says of the authority that certifies the one after it."""
        return authority_hash(authority)


class PbftFinality(_ConsortiumHeaders):
    """A quorum of commit signatures of one view (`gridlab.chain.pbft.certificates`)."""

    name = "pbft"

    def why_not_final(self, header: bytes, proof: bytes, authority: bytes) -> str | None:
        """Say why the certificate does not make the header final, None where it does."""
        from gridlab.chain.pbft.certificates import sealed_header, why_not_final
        from gridlab.chain.pbft_ordering import unpack_certificate

        try:
            validators = unpack_validators(authority)
            view, handover, signatures = unpack_certificate(proof, validators)
        except GridlabError as problem:
            return str(problem)
        return why_not_final(sealed_header(header + handover, view), signatures, validators)


class SequencerFinality(_ConsortiumHeaders):
    """The one signature of a single sequencer (`gridlab.chain.ordering.SingleSequencer`)."""

    name = "single-sequencer"

    def why_not_final(self, header: bytes, proof: bytes, authority: bytes) -> str | None:
        """Say why the signature does not make the header final, None where it does."""
        from gridlab.chain.ordering import SingleSequencer

        try:
            accepted = SingleSequencer(authority).accepts(Header.from_bytes(header), proof, authority)
        except GridlabError as problem:
            return str(problem)
        return None if accepted else "the signature is not the sequencer's of this header"


class WeightedFinality(_ConsortiumHeaders):
    """Signatures of more than two thirds of the stake of one set, each signer once (`gridlab.chain.public`)."""

    name = "weighted"

    def authority_hash(self, authority: bytes) -> bytes:
        """Return what a header says of the authority that certifies the one after it."""
        from gridlab.chain.public.authorities import AuthoritySet

        return AuthoritySet.from_bytes(authority).hash

    def why_not_final(self, header: bytes, proof: bytes, authority: bytes) -> str | None:
        """Say why the justification does not make the header final, None where it does."""
        from gridlab.chain.public.authorities import AuthoritySet, Justification

        try:
            return Justification.from_bytes(proof).why_not(header, AuthoritySet.from_bytes(authority))
        except GridlabError as problem:
            return str(problem)


class PublicFinality(WeightedFinality):
    """The same over the public chain's own headers (`gridlab.chain.public.blocks`)."""

    name = "public"

    def read(self, header: bytes) -> Anchor:
        """Read a header, or raise a GridlabError that says what is wrong with the bytes."""
        from gridlab.chain.public.blocks import PublicHeader

        return Anchor.of(PublicHeader.from_bytes(header))


FINALITY: Mapping[str, FinalityProof] = MappingProxyType(
    {rule.name: rule for rule in (PbftFinality(), SequencerFinality(), WeightedFinality(), PublicFinality())}
)


def finality_of(name: str) -> FinalityProof:
    """Return the rule of this name; raises ChainError where there is none."""
    if name not in FINALITY:
        raise ChainError(f"finality rule {name!r} is not known; {nearest(name, FINALITY)}")
    return FINALITY[name]
