"""The smallest chain that a bridge can end on: balances, an end of the bridge, headers that a weighted set makes final.

It has neither transactions nor fees: an act that succeeds takes effect in the block that is open, one that fails leaves
it as it was. It serves where the far side matters only as far as the bridge sees it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gridlab.chain import merkle
from gridlab.chain.arguments import require_int
from gridlab.chain.blocks import Header
from gridlab.chain.bridge.end import BridgeEnd, Here, Step
from gridlab.chain.bridge.finality import WeightedFinality
from gridlab.chain.bridge.inclusion import HASH, Inclusion, inclusion_of
from gridlab.chain.bridge.packet import Packet, TokenMove
from gridlab.chain.bridge.proofs import BridgeProof, StateLayout
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.bridge.tokens import Payment
from gridlab.chain.encoding import i64, text
from gridlab.chain.hashing import ZERO_HASH
from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.public.authorities import AuthoritySet, Justification, finality_message
from gridlab.errors import ChainError

__all__ = ["SmallChain"]

_BALANCES_PREFIX = text("gridlab/small-chain-balances/1")
_BRIDGE_PREFIX = text("gridlab/small-chain-bridge/1")
_NOTHING = merkle.root([], hash=HASH)
_LARGEST = 2**63 - 1


class SmallChain:
    """Balances and one end of a bridge, block by block.

    Parameters
    ----------
    chain_id : str
    stakes : sequence of int
        Of the authorities, whose sandbox keys derive from `seed`.
    issuers : sequence of tuple of (bytes, str)
        Accounts that may owe an asset, such as a channel's vault a foreign one.
    balances : mapping of (bytes, str) to int
        Public key and asset -> amount at the start.
    now : int
        Timestamp of genesis and of the first block, microseconds since 1970-01-01 UTC.
    seed : int
    """

    rule = WeightedFinality.name
    layout = StateLayout(_BRIDGE_PREFIX)

    def __init__(
        self,
        chain_id: str = "gridlab-public",
        *,
        stakes: Sequence[int] = (40, 30, 20, 10),
        issuers: Sequence[tuple[bytes, str]] = (),
        balances: Mapping[tuple[bytes, str], int] | None = None,
        now: int = 0,
        seed: int = 0,
    ) -> None:
        self.chain_id, self.now, self._seed = chain_id, now, seed
        self._issuers, self.balances = list(issuers), dict(balances or {})
        self.end = BridgeEnd()
        self._sets = 0
        self._pairs, self._authority = self._set(stakes)
        self._following = self._pairs, self._authority
        self._headers: list[SignedHeader] = []
        self._kept: list[tuple[Header, BridgeEnd, Inclusion]] = []
        self.seal()

    def _set(self, stakes: Sequence[int]) -> tuple[list[KeyPair], AuthoritySet]:
        names = [f"{self.chain_id} authority {self._sets}.{place}" for place in range(len(stakes))]
        pairs = [sandbox(self._seed, name) for name in names]
        keys = tuple(pair.public_key for pair in pairs)
        self._sets += 1
        return pairs, AuthoritySet(self._sets - 1, keys, tuple(stakes))

    def __repr__(self) -> str:
        return f"SmallChain({self.chain_id!r}, height {self.height}, {self.end!r})"

    @property
    def height(self) -> int:
        """Height of the newest block; 0 is genesis."""
        return len(self._kept) - 1

    @property
    def head(self) -> Header:
        """The newest header."""
        return self._kept[-1][0]

    @property
    def here(self) -> Here:
        """The block that is open."""
        return Here(self.chain_id, self.now)

    @property
    def authority_pairs(self) -> list[KeyPair]:
        """Key pairs of the authorities in office."""
        return list(self._pairs)

    @property
    def authority(self) -> AuthoritySet:
        """The authorities in office."""
        return self._authority

    def signed(self, height: int) -> SignedHeader:
        """Return a header with the proof that it is final."""
        return self._headers[height]

    def at(self, height: int) -> tuple[BridgeEnd, Inclusion]:
        """Return the end after the block at `height`, and the proof that the state root commits to it."""
        return self._kept[height][1:]

    def balance(self, account: bytes, asset: str) -> int:
        """Return what an account holds."""
        return self.balances.get((account, asset), 0)

    def supply(self, asset: str) -> int:
        """Return what all accounts hold of an asset that do not issue it."""
        held = self.balances.items()
        return sum(amount for (key, name), amount in held if name == asset and (key, name) not in self._issuers)

    # Acts.

    def appoint(self, stakes: Sequence[int]) -> None:
        """Let a new set of authorities take office after the block that is open."""
        self._following = self._set(stakes)

    def send_tokens(self, channel: str, timeout: int, tokens: TokenMove) -> Packet:
        """Lock or burn tokens and send them (`BridgeEnd.send_tokens`)."""
        return self._take(self.end.send_tokens(channel, timeout, tokens, self.here)).packet

    def update(self, client: str, signed: SignedHeader) -> None:
        """Take a header of the other chain."""
        self.end = self.end.update(client, signed, self.here)

    def misbehaved(self, client: str, first: SignedHeader, second: SignedHeader) -> None:
        """Freeze a client on proof."""
        self.end = self.end.misbehaved(client, first, second, self.here)

    def receive(self, packet: Packet, height: int, proof: BridgeProof) -> Step:
        """Execute a packet of the other chain (`BridgeEnd.receive`)."""
        return self._take(self.end.receive(packet, height, proof, self.here, refuses=self._refuses))

    def acknowledge(self, packet: Packet, code: int, height: int, proof: BridgeProof) -> Step:
        """Settle a packet by the other end's answer."""
        return self._take(self.end.acknowledge(packet, code, height, proof, self.here))

    def time_out(self, packet: Packet, height: int, proof: BridgeProof) -> Step:
        """Pay a packet back that was not received in time."""
        return self._take(self.end.time_out(packet, height, proof, self.here))

    def _refuses(self, payment: Payment) -> str | None:
        debit = self.balance(payment.debit, payment.asset) - payment.amount
        if debit < 0 and (payment.debit, payment.asset) not in self._issuers:
            return f"{payment.debit.hex()[:16]}… holds {debit + payment.amount} {payment.asset}, not {payment.amount}"
        if self.balance(payment.credit, payment.asset) + payment.amount > _LARGEST:
            return f"{payment.credit.hex()[:16]}… would hold more {payment.asset} than 2^63 - 1"
        return None

    def _take(self, step: Step) -> Step:
        for payment in step.payments:
            reason = self._refuses(payment)
            if reason:
                raise ChainError(f"{self.chain_id}: {reason}")
        for payment in step.payments:
            for account, change in ((payment.debit, -payment.amount), (payment.credit, payment.amount)):
                self.balances[account, payment.asset] = self.balance(account, payment.asset) + change
        self.end = step.end
        return step

    # Blocks.

    def _leaves(self) -> list[bytes]:
        held = [key + text(asset) + i64(amount) for (key, asset), amount in sorted(self.balances.items()) if amount]
        return [_BALANCES_PREFIX + merkle.root(held, hash=HASH), _BRIDGE_PREFIX + self.end.root]

    def header(self, **changes: Any) -> Header:
        """Return the header of the block that is open; `changes` are for what a forger would write."""
        fields: dict[str, Any] = {
            "chain_id": self.chain_id,
            "height": len(self._kept),
            "parent": self._kept[-1][0].hash if self._kept else ZERO_HASH,
            "timestamp": self.now,
            "transactions_root": _NOTHING,
            "receipts_root": _NOTHING,
            "state_root": merkle.root(self._leaves(), hash=HASH),
            "rules_version": 1,
            "next_authority": self._following[1].hash,
        }
        return Header(**(fields | changes))

    def certify(self, header: Header, signers: Sequence[KeyPair] | None = None) -> SignedHeader:
        """Return a header signed by the authorities in office, or by those named."""
        data, authority = header.to_bytes(), self._authority
        seats = {key: seat for seat, key in enumerate(authority.keys)}
        message = finality_message(data, authority.number)
        signed = {seats[pair.public_key]: pair.sign(message) for pair in (signers or self._pairs)}
        proof = Justification(authority.number, dict(sorted(signed.items())))
        return SignedHeader(data, proof.to_bytes(), authority.to_bytes())

    def seal(self, now: int | None = None) -> Header:
        """Close the block that is open, and open the next one at `now` (microseconds), which is no earlier."""
        later = self.now if now is None else require_int("now", now, self.now)
        header = self.header()
        self._headers.append(self.certify(header))
        self._kept.append((header, self.end, inclusion_of(self._leaves(), 1)))
        self._pairs, self._authority = self._following
        self.now = later
        return header
