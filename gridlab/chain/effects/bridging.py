"""What the bridge does on this chain: clients and channels opened, tokens sent, packets received and settled by proof.

Whoever relays needs no trust, since everything is proved; whoever opens a client or a channel does, and is a regulator.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.end import BridgeEnd, Here
from gridlab.chain.bridge.packet import Packet, TokenMove
from gridlab.chain.bridge.proofs import BridgeProof, StateLayout
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.bridge.tokens import Payment
from gridlab.chain.effects.effect import Call
from gridlab.chain.ledger.schema import ASSETS
from gridlab.chain.state import ISSUER_ROLES, State
from gridlab.errors import ChainError, GridlabError, nearest
from gridlab.frames import SLOT, Column, Schema

__all__ = [
    "BRIDGE_CHANNELS",
    "BRIDGE_CLIENTS",
    "BRIDGE_CONFLICTS",
    "BRIDGE_HEADERS",
    "BRIDGE_RELAYS",
    "BRIDGE_TRANSFERS",
    "RELAYS",
    "freeze_client",
    "open_channel",
    "open_client",
    "relay",
    "send_tokens",
    "update_client",
]

RELAYS = pl.Enum(["receive", "acknowledge", "time_out"])
_CLIENT = Column("client", pl.String, "text", "name of the light client on this chain")

BRIDGE_CLIENTS = Schema(
    "bridge_clients",
    (
        _CLIENT,
        Column("rule", pl.String, "text", "what makes one final: 'pbft', 'single-sequencer', 'weighted', 'public'"),
        Column("header", pl.Binary, "binary", "the header that is trusted from the start"),
        Column("prefix", pl.Binary, "binary", "what the leaf of the bridge begins with in the other chain's state"),
        Column("before", pl.UInt32, "integer", "bytes in that leaf before the bridge's root"),
        Column("after", pl.UInt32, "integer", "bytes in that leaf after it"),
        Column("trusting_period", pl.UInt64, "integer", "for how long a header is trusted (µs)"),
        Column("clock_drift", pl.UInt64, "integer", "how far a header may be ahead of this chain's clock (µs)"),
        Column("longest_skip", pl.UInt64, "integer", "most heights from one trusted header to the next"),
    ),
)
BRIDGE_CHANNELS = Schema(
    "bridge_channels",
    (
        Column("channel", pl.String, "text", "name on this chain"),
        _CLIENT,
        Column("counterpart", pl.String, "text", "name of the channel on the other chain"),
        Column("ordered", pl.Boolean, "boolean", "whether packets are executed in their order"),
        Column("vault", pl.UInt32, "integer", "account of a bridge operator's licence that is not in force"),
        Column("native", pl.String, "text", "assets at home on this chain, with commas between them"),
        Column("foreign", pl.String, "text", "assets at home on the other chain, with commas between them"),
    ),
)
BRIDGE_HEADERS = Schema(
    "bridge_headers", (_CLIENT, Column("signed", pl.Binary, "binary", "a header of the other chain, with its proof"))
)
BRIDGE_CONFLICTS = Schema(
    "bridge_conflicts",
    (
        _CLIENT,
        Column("first", pl.Binary, "binary", "a final header of the other chain, with its proof"),
        Column("second", pl.Binary, "binary", "one that contradicts it, with its proof"),
    ),
)
BRIDGE_TRANSFERS = Schema(
    "bridge_transfers",
    (
        Column("channel", pl.String, "text", "to the other chain"),
        Column("recipient", pl.Binary, "binary", "public key on the other chain, 32 bytes"),
        Column("asset", ASSETS, "category", "one that the channel carries"),
        Column("amount", pl.Int64, "integer", "more than 0, in the asset's smallest unit"),
        Column("timeout", SLOT, "datetime", "by the clock of the other chain"),
    ),
)
BRIDGE_RELAYS = Schema(
    "bridge_relays",
    (
        Column("act", RELAYS, "category", "'receive', 'acknowledge' or 'time_out'"),
        Column("packet", pl.Binary, "binary", "the packet"),
        Column("code", pl.UInt8, "integer", "what an acknowledgement says: 0 executed, 1 refused; else 0"),
        Column("height", pl.UInt64, "integer", "of the other chain's header under whose state root the proof is"),
        Column("proof", pl.Binary, "binary", "the proof"),
    ),
)


def open_client(state: State, call: Call) -> None:
    """Trust a header of another chain, or replace a client that is frozen or has expired."""
    end = state.packets.end
    for row in call.frame.to_dicts():
        client = LightClient.trusting(
            row["rule"],
            row["header"],
            StateLayout(row["prefix"], row["before"], row["after"]),
            trusting_period=row["trusting_period"],
            clock_drift=row["clock_drift"],
            longest_skip=row["longest_skip"],
        )
        end = end.with_client(row["client"], client)
    _keep(state, end)


def open_channel(state: State, call: Call) -> None:
    """Open channels to other chains."""
    end = state.packets.end
    issued: list[tuple[int, str]] = []
    for row in call.frame.to_dicts():
        native, foreign = (tuple(filter(None, row[name].split(","))) for name in ("native", "foreign"))
        _require_assets(native, foreign)
        client = end.client(row["client"])
        vault = _vault(state, end, row["vault"])
        names = (row["channel"], row["client"], client.chain_id, row["counterpart"])
        end = end.with_channel(Channel(*names, row["ordered"], vault, native, foreign))
        issued += [(row["vault"], asset) for asset in foreign]
    for account, asset in issued:
        state.ledger.declare_issuer(account, asset)
    _keep(state, end)


def _require_assets(native: tuple[str, ...], foreign: tuple[str, ...]) -> None:
    known = ASSETS.categories.to_list()
    for asset in (*native, *foreign):
        if asset not in known:
            raise ChainError(f"bridge_channels: the ledger has no asset {asset!r}; {nearest(asset, known)}")
    own = [asset for asset in foreign if asset in ISSUER_ROLES]
    if own:
        raise ChainError(f"bridge_channels: {own} are issued on this chain, so they are not foreign; make them native")


def _vault(state: State, end: BridgeEnd, account: int) -> bytes:
    members = state.members
    idle = account in members.with_role("bridge_operator") and not members.active[account]
    if not idle:
        raise ChainError(
            f"bridge_channels: account {account} is no bridge operator's, or its licence is in force; a vault is an "
            "account for which nobody can sign"
        )
    key: bytes = members.frame["public_key"][account]
    if any(channel.vault == key for channel in end.channels.values()):
        raise ChainError(f"bridge_channels: account {account} is the vault of another channel; each has its own")
    return key


def update_client(state: State, call: Call) -> None:
    """Take final headers of another chain."""
    end = state.packets.end
    for name, signed in zip(call.frame["client"].to_list(), call.frame["signed"].to_list(), strict=True):
        end = end.update(name, SignedHeader.from_bytes(signed), _here(state, call))
    _keep(state, end)


def freeze_client(state: State, call: Call) -> None:
    """Freeze clients of a chain whose validators contradict themselves."""
    end = state.packets.end
    columns = (call.frame[column.name].to_list() for column in BRIDGE_CONFLICTS.columns)
    for name, first, second in zip(*columns, strict=True):
        pair = SignedHeader.from_bytes(first), SignedHeader.from_bytes(second)
        end = end.misbehaved(name, *pair, _here(state, call))
    _keep(state, end)


def send_tokens(state: State, call: Call) -> None:
    """Lock or burn the sender's tokens and send them to another chain."""
    row = _only_row(call.frame)
    sender: bytes = state.members.frame["public_key"][call.account]
    tokens = TokenMove(row["asset"], row["amount"], sender, row["recipient"])
    timeout = int(call.frame["timeout"].to_physical()[0])
    step = state.packets.end.send_tokens(row["channel"], timeout, tokens, _here(state, call))
    for payment in step.payments:
        _pay(state, call, payment)
    _keep(state, step.end)


def relay(state: State, call: Call) -> None:
    """Execute, settle or pay back one packet, by proof."""
    row = _only_row(call.frame)
    packet, proof, here = Packet.from_bytes(row["packet"]), BridgeProof.from_bytes(row["proof"]), _here(state, call)
    end, height = state.packets.end, row["height"]
    if row["act"] == "receive":
        # Paying is how the chain finds out whether it can; from there on nothing is refused any more.
        step = end.receive(packet, height, proof, here, refuses=lambda payment: _why_unpaid(state, call, payment))
    else:
        acknowledged = row["act"] == "acknowledge"
        settled = (packet, row["code"], height, proof, here)
        step = end.acknowledge(*settled) if acknowledged else end.time_out(packet, height, proof, here)
        for payment in step.payments:
            _pay(state, call, payment)
    _keep(state, step.end)


def _only_row(frame: pl.DataFrame) -> dict[str, Any]:
    if frame.height != 1:
        raise ChainError(f"bridge: {frame.height} rows, allowed: one in a transaction, which stands or falls alone")
    return frame.row(0, named=True)


def _here(state: State, call: Call) -> Here:
    return Here(state.chain_id, call.timestamp)


def _keep(state: State, end: BridgeEnd) -> None:
    state.packets = replace(state.packets, end=end)


def _pay(state: State, call: Call, payment: Payment) -> None:
    """Move tokens between two members, in the numbering of the vault's transfers."""
    accounts = state.members.account_of
    for key in (payment.debit, payment.credit):
        if key not in accounts:
            raise ChainError(f"bridge: {key.hex()[:16]}… is no member here; a regulator can license it")
    debit, credit = accounts[payment.debit], accounts[payment.credit]
    if state.ledger.is_issuer(debit, payment.asset):
        state.require_room(payment.asset, [payment.amount])
    vault = debit if payment.code in {"withdrawal", "refund"} else credit
    frame = pl.DataFrame(
        {
            "transfer_id": [state.ledger.next_id(vault)],
            "debit_account": [debit],
            "credit_account": [credit],
            "asset": [payment.asset],
            "amount": [payment.amount],
            "code": [payment.code],
        }
    )
    state.ledger.apply(frame, sender=vault, now=call.timestamp)


def _why_unpaid(state: State, call: Call, payment: Payment) -> str | None:
    try:
        _pay(state, call, payment)
    except GridlabError as problem:
        return str(problem)
    return None
