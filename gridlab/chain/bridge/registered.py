"""An event in the public chain's register, proved to somebody who knows that chain's authorities and nothing else.

::

    authorities -> certificate -> public header -> state root -> root of the register -> event

The public chain's validators have checked the event against the anchored headers of the consortium chain when they
entered it. Whoever trusts more than two thirds of their stake need not look at the consortium chain at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain.arguments import require_bytes
from gridlab.chain.bridge.events import Event
from gridlab.chain.bridge.inclusion import Inclusion, inclusion_of
from gridlab.chain.bridge.registry import EVENT_SPEC
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.encoding import Reader
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.public.authorities import AuthoritySet, Justification
from gridlab.chain.public.blocks import PublicHeader
from gridlab.chain.public.chain import PublicChain
from gridlab.chain.public.parts import REGISTRY_SPEC
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["RegisteredProof", "prove_registered", "verify_registered"]


@dataclass(frozen=True, slots=True)
class RegisteredProof:
    """All that a stranger needs beside the authority set.

    Attributes
    ----------
    header, certificate : bytes
        Canonical public header and the `Justification` that makes it final.
    state : Inclusion
        The leaf of the register under the header's state root.
    entry : Inclusion
        The event under the root of the register.
    """

    header: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    state: Inclusion
    entry: Inclusion

    def __post_init__(self) -> None:
        require_bytes("header", self.header)
        require_bytes("certificate", self.certificate)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        signed = SignedHeader(self.header, self.certificate, b"")
        return signed.to_bytes() + self.state.to_bytes() + self.entry.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> RegisteredProof:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        reader = Reader(data, "registered proof")
        header, certificate, authority = reader.blob(), reader.blob(), reader.blob()
        if authority:
            raise reader.error("it names its own authorities; whoever checks it brings those that it trusts")
        proof = cls(header, certificate, Inclusion.read(reader), Inclusion.read(reader))
        reader.finish()
        return proof


def prove_registered(chain: PublicChain, transaction_id: bytes) -> RegisteredProof:
    """Make the proof of an event in the register of a public chain, under its last final block.

    Parameters
    ----------
    chain : PublicChain
    transaction_id : bytes
        Of the transaction on the consortium chain, 32 bytes.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or length.
    ChainError
        The event is not in the register.
    """
    if not isinstance(chain, PublicChain):
        raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a PublicChain")
    entry = chain.registry.prove(transaction_id)
    leaves, signed = chain.state_leaves(), chain.signed_header(chain.height)
    place = next(each for each, leaf in enumerate(leaves) if leaf.startswith(REGISTRY_SPEC.prefix))
    return RegisteredProof(signed.header, signed.proof, inclusion_of(leaves, place), entry)


def verify_registered(proof: object, authorities: AuthoritySet) -> Event:
    """Check an event in the public chain's register; `gridlab.chain.bridge.verify_event` calls it.

    Parameters
    ----------
    proof : RegisteredProof or bytes
    authorities : AuthoritySet
        Those in force at the height of the proof. The set of a `PublicChain` is that of its genesis.

    Raises
    ------
    ArgumentTypeError, ChainError
        The proof does not hold; the error says at which step.
    """
    read = RegisteredProof.from_bytes(proof) if isinstance(proof, bytes) else proof
    if not isinstance(read, RegisteredProof):
        raise ArgumentTypeError(f"proof is a {type(proof).__name__}, allowed: a RegisteredProof or its bytes")
    header = PublicHeader.from_bytes(read.header)
    if header.authority != authorities.hash:
        raise ChainError(
            f"registered proof: block {header.height} is certified by another set ({hexadecimal(header.authority)}) "
            f"than the one given ({hexadecimal(authorities.hash)}); give the set in force at that height"
        )
    Justification.from_bytes(read.certificate).require(read.header, authorities)
    root = REGISTRY_SPEC.require(read.state, header.state_root)
    event = Event.from_bytes(EVENT_SPEC.require(read.entry, root))
    if not event.transaction.is_signed:
        raise ChainError("registered proof: the signature of the transaction is not its sender's")
    return event
