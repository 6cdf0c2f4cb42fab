"""Packets: what one chain asks another one to execute once, and what the other one answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.bridge.inclusion import ProofSpec
from gridlab.chain.encoding import Reader, blob, i64, text, u8, u64
from gridlab.chain.moments import LATEST
from gridlab.errors import ChainError

__all__ = [
    "ACKNOWLEDGEMENT_SPEC",
    "EXECUTED",
    "LONGEST_NAME",
    "PACKET_SPEC",
    "REFUSED",
    "Packet",
    "TokenMove",
    "acknowledgement_leaf",
    "read_acknowledgement",
]

EXECUTED, REFUSED = 0, 1
LONGEST_NAME = 64
_LONGEST_PAYLOAD = 2**20
_TOKEN_TAG = text("gridlab/bridge-token/1")
_PREFIX = text("gridlab/bridge-packet/2")
_ACKNOWLEDGEMENT_PREFIX = text("gridlab/bridge-acknowledgement/1")

PACKET_SPEC = ProofSpec("sent packets", _PREFIX, 1, _LONGEST_PAYLOAD + 256, 40)
ACKNOWLEDGEMENT_SPEC = ProofSpec("acknowledgements", _ACKNOWLEDGEMENT_PREFIX, 9, 9, 40)


@dataclass(frozen=True, slots=True)
class TokenMove:
    """The payload of a packet that moves tokens.

    Attributes
    ----------
    asset : str
    amount : int
        In the asset's smallest unit, more than 0.
    sender, recipient : bytes
        Public keys on the chain of origin and on that of destination, 32 bytes each.
    """

    asset: str
    amount: int
    sender: bytes
    recipient: bytes

    def __post_init__(self) -> None:
        if not require_text("asset", self.asset, longest=LONGEST_NAME):
            raise ChainError("token move: the asset has no name; name one that the channel carries")
        require_int("amount", self.amount, 1, 2**63 - 1)
        require_bytes("sender", self.sender, 32)
        require_bytes("recipient", self.recipient, 32)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, which begin with a tag that no other payload may begin with."""
        return _TOKEN_TAG + text(self.asset) + u64(self.amount) + self.sender + self.recipient

    @classmethod
    def of(cls, payload: bytes) -> TokenMove | None:
        """Read a payload; None where it moves no tokens, ChainError where it says it does and is damaged."""
        if not payload.startswith(_TOKEN_TAG):
            return None
        reader = Reader(payload[len(_TOKEN_TAG) :], "token move")
        move = cls(reader.text(), reader.u64(), reader.take(32), reader.take(32))
        reader.finish()
        return move


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet.

    Attributes
    ----------
    channel : str
        Name of the channel on the chain of origin.
    counterpart : str
        Name of the channel on the chain of destination.
    sequence : int
        Counts the packets of the channel from 0, without gaps.
    timeout : int
        From this moment on the chain of destination does not execute it, by its own blocks' timestamps; microseconds
        since 1970-01-01 UTC.
    payload : bytes
        What is to be executed.
    """

    channel: str
    counterpart: str
    sequence: int
    timeout: int
    payload: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require_text("channel", self.channel, longest=LONGEST_NAME)
        require_text("counterpart", self.counterpart, longest=LONGEST_NAME)
        require_int("sequence", self.sequence, 0, 2**64 - 2)
        require_int("timeout", self.timeout, 0, LATEST)
        if len(require_bytes("payload", self.payload)) > _LONGEST_PAYLOAD:
            raise ChainError(f"packet: the payload has {len(self.payload)} bytes, allowed: at most {_LONGEST_PAYLOAD}")

    @property
    def tokens(self) -> TokenMove | None:
        """The tokens it moves, None where it carries other data."""
        return TokenMove.of(self.payload)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return text(self.channel) + text(self.counterpart) + u64(self.sequence) + i64(self.timeout) + blob(self.payload)

    @property
    def leaf(self) -> bytes:
        """Leaf of the register of sent packets."""
        return _PREFIX + self.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Packet:
        """Read what `to_bytes` wrote, or raise a GridlabError that says what is wrong with the bytes."""
        reader = Reader(data, "packet")
        packet = cls(reader.text(), reader.text(), reader.u64(), reader.i64(), reader.blob())
        reader.finish()
        return packet

    @classmethod
    def of_leaf(cls, leaf: bytes) -> Packet:
        """Read a leaf of the register of sent packets."""
        if not leaf.startswith(_PREFIX):
            raise ChainError("packet: a leaf of sent packets begins with another tag; the register is damaged")
        return cls.from_bytes(leaf[len(_PREFIX) :])


def acknowledgement_leaf(sequence: int, code: int) -> bytes:
    """Return the leaf that says what became of a received packet: prefix, sequence (8 bytes), code (1)."""
    return _ACKNOWLEDGEMENT_PREFIX + u64(sequence) + u8(code)


def read_acknowledgement(leaf: bytes) -> tuple[int, int]:
    """Read a leaf that `acknowledgement_leaf` made: sequence and code."""
    body = leaf.removeprefix(_ACKNOWLEDGEMENT_PREFIX)
    return int.from_bytes(body[:8], "little"), body[8]
