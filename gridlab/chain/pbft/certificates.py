"""The certificate of a block: a quorum of commit signatures, which an outsider checks without the protocol.

A commit signature covers a domain tag and the *sealed header*: the header's canonical bytes and then the view, eight
bytes little-endian. The view must be in it. Signatures of the header alone could be collected over several views, and
a quorum put together that never existed in any of them: in view 0 some honest validators commit block H; not enough,
the view changes and others commit H' in view 1; nobody has lied yet. A few more in views 2 and 3 and the signatures of
the liars complete both. Within one view an honest validator commits one block only, so two quorums of one view
cannot differ; across views the view change carries over what may have been committed.

The block's hash covers the header without the view, since a block that is proposed again in a later view is the same
block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridlab.chain.arguments import require_bytes, require_int, require_mapping, require_sequence
from gridlab.chain.encoding import text, u64
from gridlab.chain.keys import verify
from gridlab.chain.pbft.quorums import quorum
from gridlab.errors import ArgumentTypeError

__all__ = ["certificate_message", "sealed_header", "verify_certificate", "why_not_final"]

_TAG = text("gridlab/pbft-commit/1")


def certificate_message(header: bytes) -> bytes:
    """Return what a commit signature covers: the domain tag and the sealed header.

    Parameters
    ----------
    header : bytes
        The sealed header, as `sealed_header` makes it. It begins with the chain's name, which binds it to the chain.

    Raises
    ------
    ArgumentTypeError
        `header` is not ``bytes``.
    """
    return _TAG + require_bytes("header", header)


def sealed_header(header: bytes, view: int) -> bytes:
    """Return the header's canonical bytes followed by the view in which it was committed (8 bytes, little-endian).

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `header` is not ``bytes``, or `view` not a whole number of 0 … 2^64 - 1.
    """
    return require_bytes("header", header) + u64(require_int("view", view, 0, 2**64 - 1))


def why_not_final(
    header: bytes, signatures: Mapping[bytes, bytes], validators: Sequence[bytes], *, needed: int | None = None
) -> str | None:
    """Say why a certificate does not make a block final, or None where it does.

    Parameters
    ----------
    header : bytes
        The sealed header.
    signatures : mapping of bytes to bytes
        Public key (32 bytes) to Ed25519 signature (64 bytes) of ``certificate_message(header)``.
    validators : sequence of bytes
        Public keys of all validators of that height; a key that stands there twice counts once.
    needed : int, optional
        How many signatures are asked for; ``quorum`` of the number of distinct validators unless given.

    Raises
    ------
    ArgumentTypeError
        An argument is of another type, or holds something that is not ``bytes``.
    """
    message = certificate_message(header)
    require_sequence("validators", validators, bytes)
    members = dict.fromkeys(validators)
    for key, signature in require_mapping("signatures", signatures).items():
        if not isinstance(key, bytes) or not isinstance(signature, bytes):
            raise ArgumentTypeError(
                f"signatures holds {type(key).__name__}: {type(signature).__name__}, allowed: public key (bytes) to "
                "signature (bytes)"
            )
    if not members:
        return "there are no validators, so nobody can make a block final"
    threshold = quorum(len(members)) if needed is None else require_int("needed", needed, 1)
    for key, signature in signatures.items():
        if key not in members:
            return f"{key.hex()[:16]}… signed and is none of the {len(members)} validators"
        if not verify(key, message, signature):
            return f"the signature of {key.hex()[:16]}… is not one of this sealed header"
    if len(signatures) < threshold:
        return f"{len(signatures)} of {len(members)} validators signed, {threshold} must"
    return None


def verify_certificate(header: bytes, signatures: Mapping[bytes, bytes], validators: Sequence[bytes]) -> bool:
    """Say whether a quorum of the validators has committed the sealed header.

    Parameters
    ----------
    header : bytes
        The sealed header: canonical header bytes and the view (`sealed_header`).
    signatures : mapping of bytes to bytes
        Public key (32 bytes) to Ed25519 signature (64 bytes) of ``certificate_message(header)``.
    validators : sequence of bytes
        Public keys of all validators of that height; a key that stands there twice counts once.

    Returns
    -------
    bool
        True where at least ``quorum`` of the distinct validators have signed and every signature that is there is
        valid and of a validator; one bad or foreign signature makes it False.

    Raises
    ------
    ArgumentTypeError
        An argument is of another type, or holds something that is not ``bytes``.

    Examples
    --------
    >>> from gridlab.chain import keys
    >>> pairs = [keys.sandbox(0, f"validator {i}") for i in range(4)]
    >>> sealed = sealed_header(b"header", 0)
    >>> signed = {pair.public_key: pair.sign(certificate_message(sealed)) for pair in pairs[:3]}
    >>> verify_certificate(sealed, signed, [pair.public_key for pair in pairs])
    True
    >>> verify_certificate(sealed_header(b"header", 1), signed, [pair.public_key for pair in pairs])
    False
    """
    return why_not_final(header, signatures, validators) is None
