"""The consortium chain as a relayer sees it: acts are transactions, and take effect with the next block."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import polars as pl

from gridlab.chain.authority import authority_hash, pack_validators
from gridlab.chain.bridge.end import BridgeEnd, Here
from gridlab.chain.bridge.inclusion import Inclusion, inclusion_of
from gridlab.chain.bridge.packet import EXECUTED, Packet
from gridlab.chain.bridge.proofs import CONSORTIUM_LAYOUT, BridgeProof
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.effects.bridging import RELAYS
from gridlab.chain.keys import KeyPair
from gridlab.chain.transactions import Transaction
from gridlab.errors import ChainError

__all__ = ["ConsortiumHost"]


class ConsortiumHost:
    """A consortium chain and the member that relays to it.

    Parameters
    ----------
    chain : ConsortiumChain
    relayer : KeyPair
        A member; it need not be trusted, since everything it sends is proved.
    """

    def __init__(self, chain: ConsortiumChain, relayer: KeyPair) -> None:
        self.chain, self.relayer = chain, relayer
        self._kept: dict[int, tuple[BridgeEnd, Inclusion]] = {}
        first = chain.genesis.ordering_authority
        self._authorities = {authority_hash(first): first}
        self._scanned = 0

    def __repr__(self) -> str:
        return f"ConsortiumHost({self.chain!r})"

    @property
    def end(self) -> BridgeEnd:
        """The chain's end of the bridge after its newest block."""
        return self.chain.bridge_end

    @property
    def here(self) -> Here:
        """The chain's name and the timestamp of its newest block, which the next one is not before."""
        return Here(self.chain.chain_id, self.chain.head.timestamp)

    def keep(self) -> int:
        """Keep what proofs at the newest block take, and return its height; call it before that block is anchored."""
        height, root = self.chain.height, self.end.root
        leaves: Sequence[bytes] = self.chain.state_leaves()
        place = next((each for each, leaf in enumerate(leaves) if leaf.startswith(CONSORTIUM_LAYOUT.prefix)), None)
        if place is not None and root in leaves[place]:
            self._kept[height] = self.end, inclusion_of(leaves, place)
        return height

    @property
    def kept_heights(self) -> list[int]:
        """Heights at which proofs can be made."""
        return list(self._kept)

    def at(self, height: int) -> tuple[BridgeEnd, Inclusion]:
        """Return the end after a block that was kept, and the proof that the state root commits to it.

        Raises
        ------
        ChainError
            The block was not kept.
        """
        if height not in self._kept:
            raise ChainError(f"block {height} of {self.chain.chain_id!r} was not kept for proofs; anchor a later one")
        return self._kept[height]

    def signed(self, height: int) -> SignedHeader:
        """Return a header with its certificate and the authority that gave it."""
        block, parent = self.chain.block(height), self.chain.block(height - 1).header
        self._scan(height)
        return SignedHeader(block.header.to_bytes(), block.certificate, self._authorities[parent.next_authority])

    def _scan(self, height: int) -> None:
        for each in range(self._scanned + 1, height):
            keys = self.chain.payloads("validators", each)["public_key"].to_list()
            if keys:
                packed = pack_validators(keys)
                self._authorities[authority_hash(packed)] = packed
        self._scanned = max(self._scanned, height - 1)

    def handovers(self, first: int, last: int) -> list[int]:
        """Return the heights of `first` … `last` in which one set of validators hands over to another."""
        headers = [self.chain.block(each).header for each in range(first - 1, last + 1)]
        pairs = itertools.pairwise(headers)
        return [upper.height for lower, upper in pairs if upper.next_authority != lower.next_authority]

    def update(self, client: str, signed: SignedHeader) -> Transaction:
        """Send a header of the other chain."""
        frame = pl.DataFrame({"client": [client], "signed": [signed.to_bytes()]})
        return self.chain.send(self.relayer, "bridge_header", frame)

    def receive(self, packet: Packet, height: int, proof: BridgeProof) -> Transaction:
        """Send a packet of the other chain for execution."""
        return self._relay("receive", packet, EXECUTED, height, proof)

    def acknowledge(self, packet: Packet, code: int, height: int, proof: BridgeProof) -> Transaction:
        """Send the other chain's answer."""
        return self._relay("acknowledge", packet, code, height, proof)

    def time_out(self, packet: Packet, height: int, proof: BridgeProof) -> Transaction:
        """Ask for a packet to be paid back."""
        return self._relay("time_out", packet, EXECUTED, height, proof)

    def _relay(self, act: str, packet: Packet, code: int, height: int, proof: BridgeProof) -> Transaction:
        frame = pl.DataFrame(
            {
                "act": pl.Series([act], dtype=RELAYS),
                "packet": [packet.to_bytes()],
                "code": [code],
                "height": [height],
                "proof": [proof.to_bytes()],
            }
        )
        return self.chain.send(self.relayer, "bridge_relay", frame)
