"""The bridge in a notebook: a consortium chain, a public chain or a small one in its place, and a relayer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import polars as pl

from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.consortium_host import ConsortiumHost
from gridlab.chain.bridge.events import EventProof, prove_event
from gridlab.chain.bridge.far_side import FAR_CHANNEL, FAR_CLIENT, SmallSide
from gridlab.chain.bridge.packet import REFUSED, Packet
from gridlab.chain.bridge.proofs import CONSORTIUM_LAYOUT
from gridlab.chain.bridge.public_host import PublicHost
from gridlab.chain.bridge.registry import GREEN_KINDS, PublicRegistry
from gridlab.chain.bridge.relaying import Relay, relay
from gridlab.chain.bridge.small_chain import SmallChain
from gridlab.chain.bridge.terms import BridgeTerms
from gridlab.chain.bridge.tokens import in_flight
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import KeyPair, require_key_pair
from gridlab.chain.moments import require_microseconds
from gridlab.chain.public.chain import PublicChain
from gridlab.chain.transactions import Transaction
from gridlab.doors import through
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.frames import SLOT

__all__ = ["PACKETS_SEEN", "SUPPLY", "Bridge"]

_CLIENT, _CHANNEL = "public", "watt-grid"

PACKETS_SEEN: Mapping[str, Any] = MappingProxyType(
    {
        "origin": pl.String,
        "channel": pl.String,
        "sequence": pl.UInt64,
        "asset": pl.String,
        "amount": pl.Int64,
        "timeout": SLOT,
        "state": pl.Enum(["sent", "executed", "refused", "acknowledged", "paid_back"]),
    }
)
SUPPLY: Mapping[str, Any] = MappingProxyType(
    {"asset": pl.String, "consortium": pl.Int64, "public": pl.Int64, "in_flight": pl.Int64, "total": pl.Int64}
)


class Bridge:
    """A bridge between a consortium chain and the public side, with an honest relayer.

    The regulator's transactions that open the client and the channel are sent at once and take effect with the next
    block; `step` seals it.

    Parameters
    ----------
    chain : ConsortiumChain
    regulator : KeyPair
        Opens client and channel on the consortium chain.
    relayer : KeyPair
        A member that carries proofs.
    vault : int
        Account of a bridge operator's licence that is not in force, which holds locked WATT and issues wrapped GRID.
    public : PublicChain or SmallChain, optional
        The other side; a new small chain by default. On a public chain the relayer has an account with GRID.
    governance : KeyPair, optional
        Opens client and channel on a public chain; the sandbox's unless given.
    terms : BridgeTerms, optional
        The levers.
    tell_back : bool
        Whether the consortium is told the public side's headers with each anchor, which packets need; without, roots go
        one way.

    Raises
    ------
    ArgumentTypeError, ArgumentError, ChainError
        An argument does not fit.
    """

    def __init__(
        self,
        chain: ConsortiumChain,
        *,
        regulator: KeyPair,
        relayer: KeyPair,
        vault: int,
        public: PublicChain | SmallChain | None = None,
        governance: KeyPair | None = None,
        terms: BridgeTerms | None = None,
        tell_back: bool = True,
    ) -> None:
        if not isinstance(chain, ConsortiumChain):
            raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a ConsortiumChain")
        self.terms = BridgeTerms() if terms is None else terms
        self.consortium = ConsortiumHost(chain, require_key_pair("relayer", relayer))
        self._far = _far_side(public, chain.head.timestamp, self.consortium.relayer, governance)
        self._require_unused(chain)
        self._published, self._tells_back = 0, tell_back
        self._sent: dict[tuple[str, bytes], int] = {}
        head, options = chain.head.to_bytes(), self.terms.client_options
        # What the other side's client is until the block that opens it is final there.
        self._trusting = LightClient.trusting(chain.ordering.name, head, CONSORTIUM_LAYOUT, **options)
        self._open_here(require_key_pair("regulator", regulator), vault)
        self._far.open(self._trusting, options, _CHANNEL, head)

    def _require_unused(self, chain: ConsortiumChain) -> None:
        self._far.require_reach(chain.head.timestamp)
        for name, channels in (
            (chain.chain_id, chain.bridge_end.channels),
            (self._far.chain_id, self._far.end.channels),
        ):
            if {_CHANNEL, FAR_CHANNEL} & set(channels):
                raise ChainError(f"bridge: {name!r} is at the end of a bridge already; use that one, or another chain")

    def _open_here(self, regulator: KeyPair, vault: int) -> None:
        layout = self._far.layout
        client = {
            "client": [_CLIENT],
            "rule": [self._far.rule],
            "header": [self._far.header()],
            "prefix": [layout.prefix],
            "before": [layout.before],
            "after": [layout.after],
            **{name: [value] for name, value in self.terms.client_options.items()},
        }
        channel = {
            "channel": [_CHANNEL],
            "client": [_CLIENT],
            "counterpart": [FAR_CHANNEL],
            "ordered": [False],
            "vault": [vault],
            "native": ["WATT"],
            "foreign": ["GRID"],
        }
        for kind, row in (("bridge_client", client), ("bridge_channel", channel)):
            self.chain.send(regulator, kind, pl.DataFrame(row))

    @property
    def chain(self) -> ConsortiumChain:
        """The consortium chain."""
        return self.consortium.chain

    @property
    def public(self) -> PublicChain | SmallChain:
        """The chain on the public side."""
        return self._far.chain

    @property
    def registry(self) -> PublicRegistry:
        """The public register of certificates; ``.events`` lists what is in it, ``.explore(id)`` one certificate."""
        return self._far.registry

    @property
    def is_open(self) -> bool:
        """Whether the blocks that open the channel on both sides are final."""
        return _CHANNEL in self.consortium.end.channels and FAR_CHANNEL in self._far.end.channels

    @property
    def anchors(self) -> LightClient:
        """The public side's light client of the consortium chain, with the anchored headers."""
        return self._far.end.clients.get(FAR_CLIENT, self._trusting)

    @property
    def anchored(self) -> pl.DataFrame:
        """The anchored roots, as `gridlab.chain.bridge.signed_header.ANCHORS`."""
        return self.anchors.frame

    def send(
        self,
        sender: KeyPair,
        recipient: bytes,
        amount: int,
        *,
        asset: str = "WATT",
        timeout: datetime | int | None = None,
    ) -> Transaction:
        """Send tokens from the consortium chain to the public side; they leave with the next block.

        Parameters
        ----------
        sender : KeyPair
            A member.
        recipient : bytes
            Public key on the other side, 32 bytes; on a public chain it has an account, or the packet comes back.
        amount : int
            In the asset's smallest unit.
        asset : str
            WATT, or GRID that came over before.
        timeout : datetime or int, optional
            By the other side's clock; the lever's time after its newest block unless given.
        """
        frame = {"channel": _CHANNEL, "recipient": recipient, "asset": asset, "amount": amount}
        moment = self._deadline(self._far.now, timeout)
        row = pl.DataFrame([frame]).with_columns(timeout=pl.lit(moment).cast(SLOT))
        return self.chain.send(sender, "bridge_transfer", row)

    def send_back(
        self,
        sender: KeyPair | bytes,
        recipient: bytes,
        amount: int,
        *,
        asset: str = "WATT",
        timeout: datetime | int | None = None,
    ) -> Packet | Transaction:
        """Send tokens from the public side to a member of the consortium chain; arguments as for `send`.

        On a public chain `sender` is the key pair that signs, and what is returned the transaction; on a small chain a
        public key is enough, and it is the packet.
        """
        moment = self._deadline(self.chain.head.timestamp, timeout)
        return self._far.send_tokens(sender, recipient, amount, asset, moment)

    def _deadline(self, now: int, timeout: datetime | int | None) -> int:
        return now + self.terms.timeout_microseconds if timeout is None else require_microseconds("timeout", timeout)

    def step(self, timestamp: datetime | int) -> list[Relay]:
        """Seal a block, let the public side's time pass, anchor where it is due, and relay; return what was relayed.

        Parameters
        ----------
        timestamp : datetime or int
            Of the consortium's block, as for `ConsortiumChain.seal`; the public side's clock goes at least as far.
        """
        moment = require_microseconds("timestamp", timestamp)
        self._far.require_reach(moment)
        self.chain.seal(moment)
        self._far.advance(moment)
        due = self.chain.height - self.anchors.newest.height >= self.terms.anchor_every
        if due and self.is_open and not self._far.is_telling:
            self.anchor()
        return self.relay() if self.is_open else []

    def anchor(self) -> int:
        """Anchor the consortium's newest block on the public side, and tell the consortium the public side's newest.

        Blocks in which the validators hand over are anchored on the way, since they cannot be skipped. On a public
        chain they are anchored once that is final. Returns the height that is anchored.

        Raises
        ------
        ChainError
            The channel is not open yet on both sides.
        """
        self._require_open()
        height, newest = self.consortium.keep(), self.anchors.newest.height
        for each in sorted({*self.consortium.handovers(newest + 1, height), height} - {newest}):
            self._far.update(FAR_CLIENT, self.consortium.signed(each))
        if self._tells_back and self._far.height > self.consortium.end.client(_CLIENT).newest.height:
            self.consortium.update(_CLIENT, self._far.signed(self._far.height))
        return height

    def relay(self) -> list[Relay]:
        """Carry what can be proved by the headers that each side knows, in both directions; return what was carried."""
        self._require_open()
        known = self.consortium.end.client(_CLIENT).newest.height
        if self.anchors.newest.height not in self.consortium.kept_heights or not self._far.keeps(known):
            return []
        mailbox = _OncePerBlock(self.consortium, self._sent)
        return [*relay(mailbox, self._far, _CHANNEL), *relay(self._far, mailbox, FAR_CHANNEL)]

    def _require_open(self) -> None:
        if not self.is_open:
            raise ChainError("bridge: the channel opens with the chains' next blocks; bridge.step(time) makes them")

    def prove(self, transaction_id: bytes) -> EventProof:
        """Prove an accepted transaction of the consortium chain against its anchored roots (`prove_event`)."""
        return prove_event(self.chain, transaction_id, self.anchors)

    def publish(self) -> int:
        """Prove all events of certificates in blocks that are anchored and enter them; return how many were new.

        On a public chain each is a transaction, so that it stands in the register once that is final.
        """
        self._require_open()
        newest, registry = self.anchors.newest.height, self.registry
        events = self.chain.transactions.filter(
            pl.col("accepted") & pl.col("kind").is_in(list(GREEN_KINDS)),
            pl.col("height").is_between(self._published + 1, newest),
        )
        names = {bytes.fromhex(name[2:]): height for height, name in events.select("height", "id").rows()}
        missing = {name: height for name, height in names.items() if name not in registry}
        new = sum(self._far.enter(self.prove(name)) for name in missing)
        # What is not in the register yet is looked at again, in case it never gets there.
        left = [height for name, height in missing.items() if name not in self.registry]
        self._published = min(left) - 1 if left else newest
        return new

    @property
    def _ends(self) -> tuple[Channel | None, Channel | None]:
        return self.consortium.end.channels.get(_CHANNEL), self._far.end.channels.get(FAR_CHANNEL)

    @property
    def packets(self) -> pl.DataFrame:
        """All packets of both directions and what became of them, as `PACKETS_SEEN`."""
        here, there = self._ends
        rows = []
        if here is not None and there is not None:
            rows = [*_seen(self.chain.chain_id, here, there), *_seen(self._far.chain_id, there, here)]
        frame = pl.DataFrame(rows, schema={**PACKETS_SEEN, "timeout": pl.Int64}, orient="row")
        return frame.with_columns(pl.col("timeout").cast(SLOT))

    @property
    def supply(self) -> pl.DataFrame:
        """Where each asset is, as `SUPPLY`: free on either side, or in flight; what is locked stands for that."""
        here, there = self._ends
        ledger, rows = self.chain.ledger, []
        for asset in ("WATT", "GRID"):
            near = ledger.circulation(asset) - _locked(here, asset)
            far = self._far.circulation(asset) - _locked(there, asset)
            flying = in_flight(here, there, asset) + in_flight(there, here, asset) if here and there else 0
            rows.append((asset, near, far, flying, near + far + flying))
        return pl.DataFrame(rows, schema=dict(SUPPLY), orient="row")

    def __repr__(self) -> str:
        state = "open" if self.is_open else "opens with the next blocks"
        return f"Bridge({self.chain.chain_id!r} to {self._far.chain_id!r}, {state}, {self.packets.height} packets)"

    def _repr_html_(self) -> str:
        html: str = through("bridge_html", self)
        return html


class _OncePerBlock:
    """The consortium's host, sending each act once for a block: what waits in its pool need not be sent again."""

    def __init__(self, host: ConsortiumHost, sent: dict[tuple[str, bytes], int]) -> None:
        self._host, self._sent = host, sent
        self.end, self.here, self.at = host.end, host.here, host.at

    def _once(self, act: str, *arguments: Any) -> Transaction | None:
        name, height = (act, arguments[0].leaf), self._host.chain.height
        if self._sent.get(name) == height:
            return None
        self._sent[name] = height
        transaction: Transaction = getattr(self._host, act)(*arguments)
        return transaction

    def receive(self, *arguments: Any) -> Transaction | None:
        return self._once("receive", *arguments)

    def acknowledge(self, *arguments: Any) -> Transaction | None:
        return self._once("acknowledge", *arguments)

    def time_out(self, *arguments: Any) -> Transaction | None:
        return self._once("time_out", *arguments)


def _far_side(
    public: object, now: int, relayer: KeyPair, governance: KeyPair | None
) -> PublicHost | SmallSide:  # fmt: skip
    if public is None or isinstance(public, SmallChain):
        return SmallSide(public, now)
    if not isinstance(public, PublicChain):
        raise ArgumentTypeError(f"public is a {type(public).__name__}, allowed: a PublicChain, or a SmallChain")
    return PublicHost(public, relayer, governance)


def _locked(channel: Channel | None, asset: str) -> int:
    """Return what a chain holds for the other one; what is foreign there is not locked."""
    return channel.held.get(asset, 0) if channel is not None and asset in channel.native else 0


def _seen(origin: str, sender: Channel, receiver: Channel) -> list[tuple[Any, ...]]:
    answered, rows = receiver.answered, []
    for sequence in range(sender.sent.count):
        packet = sender.packet(sequence)
        if sequence in sender.refunded:
            state = "paid_back"
        elif sequence in sender.acknowledged:
            state = "acknowledged"
        elif sequence in answered:
            state = "refused" if answered[sequence][1] == REFUSED else "executed"
        else:
            state = "sent"
        tokens = packet.tokens
        asset, amount = (tokens.asset, tokens.amount) if tokens else (None, None)
        rows.append((origin, sender.name, sequence, asset, amount, packet.timeout, state))
    return rows
