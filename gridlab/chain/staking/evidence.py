"""Proof that a validator signed two things where it may sign only one.

A statement says in which session and at which place it was signed: a block's header names its slot, a finality vote
its round. Two statements of one key for the same place and different things are the proof. It needs no trust in
whoever shows it: the signatures are checked, and they cover chain, kind, session and place, so that statements of
another session, or made for another purpose, prove nothing.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/primitives/consensus/babe/src/lib.rs`` (``check_equivocation_proof``) and
``substrate/primitives/consensus/grandpa/src/lib.rs``, 2024.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.encoding import u64
from gridlab.chain.hashing import HASH_BYTES, signing_message
from gridlab.chain.keys import KeyPair, require_key_pair, verify
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, nearest

__all__ = [
    "KINDS",
    "EquivocationProof",
    "Statement",
    "require_equivocation",
    "sign_statement",
    "statement_message",
]

# What a statement is about, and the domain tag that its signature begins with.
KINDS = {"header": "gridlab/slot-header/1", "vote": "gridlab/finality-vote/1"}
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


def statement_message(chain_id: str, kind: str, session: int, place: int, digest: bytes) -> bytes:
    """Return what the signature of a statement covers.

    Parameters
    ----------
    chain_id : str
        Name of the chain.
    kind : str
        "header" (a block's author seals it) or "vote" (a vote on finality).
    session : int
        Session whose keys sign.
    place : int
        Slot of a header, round of a vote.
    digest : bytes
        Hash of what is signed, 32 bytes.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or length, or the kind is unknown.
    """
    if require_text("kind", kind) not in KINDS:
        raise ArgumentError(f"kind is {kind!r}; {nearest(kind, KINDS)}")
    body = u64(session) + u64(place) + require_bytes("digest", digest, HASH_BYTES)
    return signing_message(KINDS[kind], chain_id, body)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a validator signed.

    Attributes
    ----------
    kind : str
        "header" or "vote".
    session, place : int
        Session; slot of a header or round of a vote.
    digest : bytes
        Hash of what is signed, 32 bytes.
    signature : bytes
        64 bytes.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A part is of another type or length, or the kind is unknown.
    """

    kind: str
    session: int
    place: int
    digest: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if require_text("kind", self.kind) not in KINDS:
            raise ArgumentError(f"kind is {self.kind!r}; {nearest(self.kind, KINDS)}")
        require_int("session", self.session, 0, 2**64 - 1)
        require_int("place", self.place, 0, 2**64 - 1)
        require_bytes("digest", self.digest, HASH_BYTES)
        require_bytes("signature", self.signature, SIGNATURE_BYTES)

    def __repr__(self) -> str:
        return f"Statement({self.kind}, session {self.session}, place {self.place}, {self.digest.hex()[:8]}…)"

    def signed_by(self, public_key: bytes, chain_id: str) -> bool:
        """Say whether the signature is that of `public_key` on this chain."""
        message = statement_message(chain_id, self.kind, self.session, self.place, self.digest)
        return verify(public_key, message, self.signature)


def sign_statement(pair: KeyPair, chain_id: str, kind: str, session: int, place: int, digest: bytes) -> Statement:  # noqa: PLR0917 - always in the order in which it is signed
    """Return the statement signed by `pair`; arguments as for `statement_message`."""
    message = statement_message(chain_id, kind, session, place, digest)
    return Statement(kind, session, place, digest, require_key_pair("pair", pair).sign(message))


@dataclass(frozen=True, slots=True)
class EquivocationProof:
    """Two statements of one key that contradict each other.

    Attributes
    ----------
    public_key : bytes
        Whose statements they are, 32 bytes.
    first, second : Statement

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A part is of another type or length.
    """

    public_key: bytes
    first: Statement
    second: Statement

    def __post_init__(self) -> None:
        require_bytes("public_key", self.public_key, PUBLIC_KEY_BYTES)
        for name in ("first", "second"):
            if not isinstance(getattr(self, name), Statement):
                raise ArgumentTypeError(
                    f"{name} is a {type(getattr(self, name)).__name__}, allowed: a Statement; sign_statement makes one"
                )

    def __repr__(self) -> str:
        return f"EquivocationProof(0x{self.public_key.hex()[:8]}…, {self.first!r}, {self.second!r})"


def require_equivocation(proof: EquivocationProof, chain_id: str) -> None:
    """Check what can be checked without knowing who validates when.

    Raises
    ------
    ArgumentTypeError
        `proof` is not an `EquivocationProof`.
    ChainError
        The statements are of different kinds, sessions or places, say the same, or are not signed by the key.
    """
    if not isinstance(proof, EquivocationProof):
        raise ArgumentTypeError(f"proof is a {type(proof).__name__}, allowed: an EquivocationProof")
    first, second = proof.first, proof.second
    for name, what in (("kind", "kinds"), ("session", "sessions"), ("place", "slots or rounds")):
        values = getattr(first, name), getattr(second, name)
        if values[0] != values[1]:
            raise ChainError(
                f"equivocation: the statements are of two {what}, {values[0]!r} and {values[1]!r}; "
                "only two for the same place contradict each other"
            )
    if first.digest == second.digest:
        raise ChainError(
            f"equivocation: both statements sign 0x{first.digest.hex()[:16]}…; the same statement twice is no offence"
        )
    for name, statement in (("first", first), ("second", second)):
        if not statement.signed_by(proof.public_key, chain_id):
            raise ChainError(
                f"equivocation: the signature of the {name} statement is not that of 0x{proof.public_key.hex()[:16]}… "
                f"for chain {chain_id!r}, session {statement.session}, place {statement.place}; fetch the proof again"
            )
