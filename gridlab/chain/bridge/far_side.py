"""What `Bridge` asks of the chain on the public side, and a `SmallChain` in that place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.end import BridgeEnd, Here
from gridlab.chain.bridge.events import EventProof
from gridlab.chain.bridge.inclusion import Inclusion
from gridlab.chain.bridge.packet import Packet, TokenMove
from gridlab.chain.bridge.proofs import BridgeProof, StateLayout
from gridlab.chain.bridge.registry import PublicRegistry
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.bridge.small_chain import SmallChain
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.keys import KeyPair
from gridlab.chain.transactions import Transaction

__all__ = ["FAR_CHANNEL", "FAR_CLIENT", "FarSide", "SmallSide"]

FAR_CLIENT, FAR_CHANNEL = "consortium", "grid-watt"


class FarSide(Protocol):
    """A `Host` that opens its end, lets its time pass, and keeps the public register."""

    rule: str
    layout: StateLayout

    @property
    def chain_id(self) -> str:
        """Its name."""

    @property
    def height(self) -> int:
        """Height of its newest final block."""

    @property
    def now(self) -> int:
        """Its clock, microseconds since 1970-01-01 UTC."""

    @property
    def end(self) -> BridgeEnd:
        """Its end of the bridge now."""

    @property
    def here(self) -> Here:
        """Its name, and the timestamp of the block in which the next act takes place."""

    @property
    def registry(self) -> PublicRegistry:
        """The register of certificates."""

    @property
    def is_telling(self) -> bool:
        """Whether a header of the other chain is on its way into a block."""

    def header(self) -> bytes:
        """Return the newest final header."""

    def keeps(self, height: int) -> bool:
        """Say whether proofs can be made at a height."""

    def at(self, height: int) -> tuple[BridgeEnd, Inclusion]:
        """Return its end after a block, and the proof that the state root commits to it."""

    def signed(self, height: int) -> SignedHeader:
        """Return a header with the proof that it is final."""

    def open(self, client: LightClient, options: Mapping[str, int], counterpart: str, header: bytes) -> None:
        """Open the client, which starts from `header`, and the channel to `counterpart`."""

    def require_reach(self, moment: int) -> None:
        """Raise ChainError where the clock is too far behind `moment` to go there."""

    def advance(self, moment: int) -> None:
        """Let time pass until `moment`."""

    def update(self, client: str, signed: SignedHeader) -> Any:
        """Take a header of the other chain."""

    def receive(self, packet: Packet, height: int, proof: BridgeProof) -> Any:
        """Execute a packet of the other chain."""

    def acknowledge(self, packet: Packet, code: int, height: int, proof: BridgeProof) -> Any:
        """Settle a packet by the other chain's answer."""

    def time_out(self, packet: Packet, height: int, proof: BridgeProof) -> Any:
        """Pay back a packet that was not received in time."""

    def send_tokens(
        self, sender: KeyPair | bytes, recipient: bytes, amount: int, asset: str, timeout: int
    ) -> Packet | Transaction:  # fmt: skip
        """Lock or burn tokens and send them."""

    def circulation(self, asset: str) -> int:
        """Return what all accounts hold of an asset that do not issue it."""

    def enter(self, proof: EventProof) -> bool:
        """Enter an event into the register, or send it there; say whether it was not on its way already."""


class SmallSide:
    """A `SmallChain` on the public side, where every act takes effect at once.

    Parameters
    ----------
    chain : SmallChain, optional
        A new one by default.
    now : int
        The new one's clock.
    """

    is_telling = False

    def __init__(self, chain: SmallChain | None, now: int) -> None:
        self.vault = tagged_hash("gridlab/bridge-vault/1", FAR_CHANNEL.encode())
        self.chain = SmallChain(now=now, issuers=[(self.vault, "WATT")]) if chain is None else chain
        self.rule, self.layout = self.chain.rule, self.chain.layout
        self.registry = PublicRegistry()
        self.at, self.signed, self.update = self.chain.at, self.chain.signed, self.chain.update
        self.receive, self.acknowledge, self.time_out = self.chain.receive, self.chain.acknowledge, self.chain.time_out
        self.circulation = self.chain.supply

    def __repr__(self) -> str:
        return f"SmallSide({self.chain!r})"

    @property
    def chain_id(self) -> str:
        """Its name."""
        return self.chain.chain_id

    @property
    def height(self) -> int:
        """Height of its newest block."""
        return self.chain.height

    @property
    def now(self) -> int:
        """Its clock, microseconds since 1970-01-01 UTC."""
        return self.chain.now

    @property
    def end(self) -> BridgeEnd:
        """Its end of the bridge now."""
        return self.chain.end

    @property
    def here(self) -> Here:
        """The block that is open."""
        return self.chain.here

    def header(self) -> bytes:
        """Return the newest header."""
        return self.chain.head.to_bytes()

    def keeps(self, height: int) -> bool:
        """Say whether proofs can be made at a height."""
        return 0 <= height <= self.height

    def open(self, client: LightClient, options: Mapping[str, int], counterpart: str, header: bytes) -> None:  # noqa: ARG002 - the client says it all here
        """Open the client and the channel to `counterpart`."""
        names = {"counterpart": counterpart, "vault": self.vault, "native": ("GRID",), "foreign": ("WATT",)}
        channel = Channel(FAR_CHANNEL, FAR_CLIENT, **names)  # type: ignore[arg-type]
        self.chain.end = self.chain.end.with_client(FAR_CLIENT, client).with_channel(channel)

    def require_reach(self, moment: int) -> None:
        """Do nothing: one block is enough to get anywhere."""

    def advance(self, moment: int) -> None:
        """Seal a block, and open the next one at `moment` at the earliest."""
        self.chain.seal(max(self.now, moment))

    def send_tokens(
        self, sender: KeyPair | bytes, recipient: bytes, amount: int, asset: str, timeout: int
    ) -> Packet | Transaction:  # fmt: skip
        """Lock or burn tokens and send them."""
        key = sender.public_key if isinstance(sender, KeyPair) else sender
        return self.chain.send_tokens(FAR_CHANNEL, timeout, TokenMove(asset, amount, key, recipient))

    def enter(self, proof: EventProof) -> bool:
        """Enter an event into the register."""
        self.registry = self.registry.add(proof, self.end.client(FAR_CLIENT))
        return True
