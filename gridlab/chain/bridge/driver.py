"""The bridge in a notebook: a consortium chain, a chain on the public side, and a relayer between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from types import MappingProxyType
from typing import Any

import polars as pl

from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.consortium_host import ConsortiumHost
from gridlab.chain.bridge.events import EventProof, prove_event
from gridlab.chain.bridge.packet import REFUSED, Packet, TokenMove
from gridlab.chain.bridge.proofs import CONSORTIUM_LAYOUT
from gridlab.chain.bridge.registry import GREEN_KINDS, PublicRegistry
from gridlab.chain.bridge.relaying import Relay, relay
from gridlab.chain.bridge.small_chain import SmallChain
from gridlab.chain.bridge.terms import BridgeTerms
from gridlab.chain.bridge.tokens import in_flight
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.keys import KeyPair, require_key_pair
from gridlab.chain.moments import require_microseconds
from gridlab.chain.transactions import Transaction
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.frames import SLOT

__all__ = ["PACKETS_SEEN", "SUPPLY", "Bridge"]

_CLIENT, _CHANNEL = "public", "watt-grid"
_FAR_CLIENT, _FAR_CHANNEL = "consortium", "grid-watt"

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
    public : SmallChain, optional
        The other side; a new one by default.
    terms : BridgeTerms, optional
        The levers.

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
        public: SmallChain | None = None,
        terms: BridgeTerms | None = None,
    ) -> None:
        if not isinstance(chain, ConsortiumChain):
            raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a ConsortiumChain")
        self.terms = BridgeTerms() if terms is None else terms
        self.consortium = ConsortiumHost(chain, require_key_pair("relayer", relayer))
        self._far_vault = tagged_hash("gridlab/bridge-vault/1", _FAR_CHANNEL.encode())
        if public is None:
            public = SmallChain(now=chain.head.timestamp, issuers=[(self._far_vault, "WATT")])
        self.public = public
        self.registry = PublicRegistry()
        self._published = 0
        self._sent: dict[tuple[str, bytes], int] = {}
        self._open_here(require_key_pair("regulator", regulator), vault)
        self._open_there()

    def _open_here(self, regulator: KeyPair, vault: int) -> None:
        layout = self.public.layout
        client = {
            "client": [_CLIENT],
            "rule": [self.public.rule],
            "header": [self.public.head.to_bytes()],
            "prefix": [layout.prefix],
            "before": [layout.before],
            "after": [layout.after],
            **{name: [value] for name, value in self.terms.client_options.items()},
        }
        channel = {
            "channel": [_CHANNEL],
            "client": [_CLIENT],
            "counterpart": [_FAR_CHANNEL],
            "ordered": [False],
            "vault": [vault],
            "native": ["WATT"],
            "foreign": ["GRID"],
        }
        for kind, row in (("bridge_client", client), ("bridge_channel", channel)):
            self.chain.send(regulator, kind, pl.DataFrame(row))

    def _open_there(self) -> None:
        head, rule = self.chain.head, self.chain.ordering.name
        client = LightClient.trusting(rule, head.to_bytes(), CONSORTIUM_LAYOUT, **self.terms.client_options)
        channel = Channel(
            _FAR_CHANNEL,
            _FAR_CLIENT,
            counterpart=_CHANNEL,
            vault=self._far_vault,
            native=("GRID",),
            foreign=("WATT",),
        )
        self.public.end = self.public.end.with_client(_FAR_CLIENT, client).with_channel(channel)

    @property
    def chain(self) -> ConsortiumChain:
        """The consortium chain."""
        return self.consortium.chain

    @property
    def is_open(self) -> bool:
        """Whether the consortium's block that opens the channel is sealed."""
        return _CHANNEL in self.consortium.end.channels

    @property
    def anchors(self) -> LightClient:
        """The public side's light client of the consortium chain, with the anchored headers."""
        return self.public.end.client(_FAR_CLIENT)

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
            Public key on the other side, 32 bytes.
        amount : int
            In the asset's smallest unit.
        asset : str
            WATT, or GRID that came over before.
        timeout : datetime or int, optional
            By the other side's clock; the lever's time after its newest block unless given.
        """
        frame = {"channel": _CHANNEL, "recipient": recipient, "asset": asset, "amount": amount}
        moment = self._deadline(self.public.now, timeout)
        row = pl.DataFrame([frame]).with_columns(timeout=pl.lit(moment).cast(SLOT))
        return self.chain.send(sender, "bridge_transfer", row)

    def send_back(
        self,
        sender: bytes,
        recipient: bytes,
        amount: int,
        *,
        asset: str = "WATT",
        timeout: datetime | int | None = None,
    ) -> Packet:
        """Send tokens from the public side to a member of the consortium chain; arguments as for `send`."""
        moment = self._deadline(self.chain.head.timestamp, timeout)
        return self.public.send_tokens(_FAR_CHANNEL, moment, TokenMove(asset, amount, sender, recipient))

    def _deadline(self, now: int, timeout: datetime | int | None) -> int:
        return now + self.terms.timeout_microseconds if timeout is None else require_microseconds("timeout", timeout)

    def step(self, timestamp: datetime | int) -> list[Relay]:
        """Seal a block on both sides, anchor where it is due, and relay; return what was relayed.

        Parameters
        ----------
        timestamp : datetime or int
            Of the consortium's block, as for `ConsortiumChain.seal`; the public side's clock goes at least as far.
        """
        moment = require_microseconds("timestamp", timestamp)
        self.chain.seal(moment)
        self.public.seal(max(self.public.now, moment))
        if self.chain.height - self.anchors.newest.height >= self.terms.anchor_every:
            self.anchor()
        return self.relay() if self.is_open else []

    def anchor(self) -> int:
        """Anchor the consortium's newest block on the public side, and tell the consortium the public side's newest.

        Blocks in which the validators hand over are anchored on the way, since they cannot be skipped. Returns the
        height that is anchored.
        """
        height, newest = self.consortium.keep(), self.anchors.newest.height
        for each in sorted({*self.consortium.handovers(newest + 1, height), height} - {newest}):
            self.public.update(_FAR_CLIENT, self.consortium.signed(each))
        if self.is_open and self.public.height > self.consortium.end.client(_CLIENT).newest.height:
            self.consortium.update(_CLIENT, self.public.signed(self.public.height))
        return height

    def relay(self) -> list[Relay]:
        """Carry what can be proved by the headers that each side knows, in both directions; return what was carried."""
        if not self.is_open:
            raise ChainError("bridge: the channel opens with the consortium's next block; bridge.step(time) seals it")
        if self.anchors.newest.height not in self.consortium.kept_heights:
            return []
        mailbox = _OncePerBlock(self.consortium, self._sent)
        return [*relay(mailbox, self.public, _CHANNEL), *relay(self.public, mailbox, _FAR_CHANNEL)]

    def prove(self, transaction_id: bytes) -> EventProof:
        """Prove an accepted transaction of the consortium chain against its anchored roots (`prove_event`)."""
        return prove_event(self.chain, transaction_id, self.anchors)

    def publish(self) -> int:
        """Prove and enter all events of certificates in blocks that are anchored; return how many were new."""
        newest = self.anchors.newest.height
        events = self.chain.transactions.filter(
            pl.col("accepted") & pl.col("kind").is_in(list(GREEN_KINDS)),
            pl.col("height").is_between(self._published + 1, newest),
        )
        for name in events["id"].to_list():
            self.registry.add(self.prove(bytes.fromhex(name[2:])), self.anchors)
        self._published = newest
        return events.height

    @property
    def packets(self) -> pl.DataFrame:
        """All packets of both directions and what became of them, as `PACKETS_SEEN`."""
        here, there = self.consortium.end.channels.get(_CHANNEL), self.public.end.channel(_FAR_CHANNEL)
        rows = []
        if here is not None:
            rows = [*_seen(self.chain.chain_id, here, there), *_seen(self.public.chain_id, there, here)]
        frame = pl.DataFrame(rows, schema={**PACKETS_SEEN, "timeout": pl.Int64}, orient="row")
        return frame.with_columns(pl.col("timeout").cast(SLOT))

    @property
    def supply(self) -> pl.DataFrame:
        """Where each asset is, as `SUPPLY`: free on either side, or in flight; what is locked stands for that."""
        here, there = self.consortium.end.channels.get(_CHANNEL), self.public.end.channel(_FAR_CHANNEL)
        ledger, rows = self.chain.ledger, []
        for asset in ("WATT", "GRID"):
            locked = 0 if here is None or asset not in here.native else here.held.get(asset, 0)
            near = ledger.circulation(asset) - locked
            far = self.public.supply(asset) - (there.held.get(asset, 0) if asset in there.native else 0)
            flying = 0 if here is None else in_flight(here, there, asset) + in_flight(there, here, asset)
            rows.append((asset, near, far, flying, near + far + flying))
        return pl.DataFrame(rows, schema=dict(SUPPLY), orient="row")

    def __repr__(self) -> str:
        state = "open" if self.is_open else "opens with the next block"
        return f"Bridge({self.chain.chain_id!r} to {self.public.chain_id!r}, {state}, {self.packets.height} packets)"

    def _repr_html_(self) -> str:
        counts = self.packets.group_by("state").len().sort("state").rows()
        told = ", ".join(f"{count} {state}" for state, count in counts) or "none"
        rows = [
            ("Consortium chain", f"{self.chain.chain_id}, height {self.chain.height}"),
            ("Public side", f"{self.public.chain_id}, height {self.public.height}"),
            ("Newest anchored block", f"{self.anchors.newest.height}, of {len(self.anchors.anchors)} anchors"),
            ("Packets", told),
            ("Proved events", str(len(self.registry))),
        ]
        rows += [(f"{asset} in all", f"{total:,}") for asset, *_, total in self.supply.rows()]
        cells = "".join(f"<tr><th style='text-align:left'>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows)
        return f"<table><caption>Bridge</caption><tbody>{cells}</tbody></table>"


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
