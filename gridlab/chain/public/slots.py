r"""Who may write a block in a slot: a private draw for primary blocks, a public one for secondary blocks, as in BABE.

In each slot every validator signs the slot and the epoch's randomness. Where the hash of its signature, read as a
number, is below a threshold, it is a *primary* author; nobody can know that before, and everybody can check it
afterwards. With :math:`n` validators of equal weight and :math:`c` the wanted share of slots with a primary,

.. math:: p = 1 - (1 - c)^{1/n}, \qquad \text{threshold} = \lfloor p \cdot 2^{128} \rfloor.

Several may be drawn, or none. So that no slot stays empty, one *secondary* author is drawn in public for every slot.
Stake decides who is elected and not how often an elected validator is drawn.

Two things differ from BABE. An Ed25519 signature stands in for the verifiable random function: it is deterministic and
checked by everybody, but a validator with a doctored signer could grind for other valid signatures, which a true VRF
excludes. And the randomness of an epoch is hashed on from genesis instead of from the draws of an earlier epoch; who
does not hold the keys can predict no primary all the same.

References
----------
Web3 Foundation, "Block production: BABE", research.web3.foundation, 2020.
Parity Technologies, polkadot-sdk, ``substrate/client/consensus/babe/src/authorship.rs``, 2024.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.encoding import text, u64
from gridlab.chain.hashing import blake2b_256, tagged_hash
from gridlab.chain.keys import KeyPair, verify

__all__ = ["Claim", "Draws", "claim_message", "draw_of", "epoch_randomness", "primary_threshold", "secondary_author"]

BILLION = 10**9
_CLAIM_TAG = text("gridlab/slot-claim/1")
_RANDOMNESS_DOMAIN = "gridlab/epoch-randomness/1"
_DRAW_DOMAIN = "gridlab/slot-draw/1"
# Far more digits than the 39 of 2^128, and the same everywhere, which floats of a power are not.
_EXACT = Context(prec=80)


@functools.lru_cache(maxsize=64)
def primary_threshold(validators: int, share_ppb: int) -> int:
    """Return the number below which a draw of 128 bits makes a primary author.

    Parameters
    ----------
    validators : int
        How many are elected, 1 or more.
    share_ppb : int
        Wanted share of slots with a primary, parts per billion, 1 … 10^9.

    Examples
    --------
    >>> primary_threshold(1, 250_000_000) == 2**126
    True
    """
    require_int("validators", validators, 1)
    require_int("share_ppb", share_ppb, 1, BILLION)
    empty = _EXACT.divide(Decimal(BILLION - share_ppb), Decimal(BILLION))
    root = _EXACT.power(empty, _EXACT.divide(Decimal(1), Decimal(validators))) if empty else Decimal(0)
    return int(_EXACT.multiply(_EXACT.subtract(Decimal(1), root), Decimal(2**128)).to_integral_value("ROUND_HALF_EVEN"))


def epoch_randomness(genesis: bytes, epoch: int) -> bytes:
    """Return the randomness of an epoch, 32 bytes, that follows from genesis."""
    return tagged_hash(_RANDOMNESS_DOMAIN, require_bytes("genesis", genesis, 32) + u64(epoch))


def claim_message(randomness: bytes, slot: int) -> bytes:
    """Return what a validator signs to draw for a slot."""
    return _CLAIM_TAG + randomness + u64(slot)


def draw_of(claim: bytes) -> int:
    """Return the draw that a claim's signature stands for, 0 … 2^128 - 1."""
    return int.from_bytes(tagged_hash(_DRAW_DOMAIN, claim)[:16], "little")


def secondary_author(randomness: bytes, slot: int, validators: int) -> int:
    """Return the seat of the secondary author of a slot: BLAKE2b of randomness and slot, modulo `validators`."""
    return int.from_bytes(blake2b_256(randomness + u64(slot)), "big") % validators


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write a block in a slot.

    Attributes
    ----------
    seat : int
        The author's place among the elected validators.
    primary : bool
    signature : bytes
        64 bytes over `claim_message`.
    """

    seat: int
    primary: bool
    signature: bytes


@dataclass(frozen=True, slots=True)
class Draws:
    """How authors are drawn from one set of validators.

    Attributes
    ----------
    genesis : bytes
        32 bytes of randomness.
    epoch_slots : int
        Slots that share one randomness.
    share_ppb : int
        Share of slots with a primary, parts per billion.
    """

    genesis: bytes
    epoch_slots: int
    share_ppb: int

    def randomness(self, slot: int) -> bytes:
        """Return the randomness of the slot's epoch."""
        return epoch_randomness(self.genesis, slot // self.epoch_slots)

    def claims(self, slot: int, pairs: Sequence[KeyPair | None]) -> list[Claim]:
        """Return every claim on a slot, primary authors first and by seat, then the secondary one.

        The secondary author does not know of the primaries, and so writes a block whether or not there are any;
        a validator that is both writes a primary block only.

        Parameters
        ----------
        slot : int
        pairs : sequence of KeyPair or None
            Of the elected validators by seat; one whose key nobody holds makes no claim.
        """
        randomness = self.randomness(slot)
        message, threshold = claim_message(randomness, slot), primary_threshold(len(pairs), self.share_ppb)
        signatures = {seat: pair.sign(message) for seat, pair in enumerate(pairs) if pair is not None}
        drawn = [seat for seat, signature in signatures.items() if draw_of(signature) < threshold]
        claims = [Claim(seat, True, signatures[seat]) for seat in drawn]
        second = secondary_author(randomness, slot, len(pairs))
        return (
            claims
            if second in drawn or second not in signatures
            else [*claims, Claim(second, False, signatures[second])]
        )

    def why_not(self, claim: Claim, slot: int, keys: Sequence[bytes]) -> str | None:
        """Say why a claim gives no right to write a block in `slot`, or None where it does.

        Parameters
        ----------
        claim : Claim
        slot : int
        keys : sequence of bytes
            Public keys of the elected validators, by seat.
        """
        if not 0 <= claim.seat < len(keys):
            return f"seat {claim.seat} is none of the {len(keys)} seats"
        randomness = self.randomness(slot)
        if not verify(keys[claim.seat], claim_message(randomness, slot), claim.signature):
            return f"its claim is not signed by the validator of seat {claim.seat} for slot {slot}"
        if claim.primary:
            won = draw_of(claim.signature) < primary_threshold(len(keys), self.share_ppb)
            return None if won else f"seat {claim.seat} was not drawn as a primary author of slot {slot}"
        due = secondary_author(randomness, slot, len(keys))
        return None if due == claim.seat else f"the secondary author of slot {slot} is seat {due}, not {claim.seat}"
