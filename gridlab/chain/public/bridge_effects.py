"""The bridge on the public chain: what other chains have made final, and tokens that move between them by proof.

The frames are those of the consortium chain (`gridlab.chain.effects.bridging`). Governance opens clients and the
channel; whoever relays needs no trust. GRID is at home here. WATT is minted by the account of the bridge, for what is
locked on the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from gridlab.chain.bridge.channel import Channel
from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.end import Here
from gridlab.chain.bridge.packet import Packet, TokenMove
from gridlab.chain.bridge.proofs import BridgeProof, StateLayout
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.bridge.tokens import Payment
from gridlab.chain.effects.bridging import (
    BRIDGE_CHANNELS,
    BRIDGE_CLIENTS,
    BRIDGE_CONFLICTS,
    BRIDGE_HEADERS,
    BRIDGE_RELAYS,
    BRIDGE_TRANSFERS,
)
from gridlab.chain.ledger.schema import ASSET_NAMES
from gridlab.chain.public.accounts import BRIDGE, EVERYONE
from gridlab.chain.public.parts import BRIDGE_PART, BridgePart, part_of
from gridlab.chain.public.rules import PublicCall, PublicEffect
from gridlab.chain.public.state import PublicState
from gridlab.errors import ChainError, GridlabError, nearest

__all__ = ["BRIDGE_EFFECTS"]

_BASE, _HEAVY = 100, 500
_GOVERNANCE = ("governance",)
# Issued here, and therefore at home here.
_NATIVE = ("GRID",)


def _part(state: PublicState) -> BridgePart:
    return part_of(state, BRIDGE_PART, BridgePart)


def _here(part: BridgePart, call: PublicCall) -> Here:
    return Here(part.chain_id, call.timestamp)


def _row(frame: pl.DataFrame) -> dict[str, Any]:
    if frame.height != 1:
        raise ChainError(f"bridge: {frame.height} rows, allowed: one in a transaction, which stands or falls alone")
    return frame.row(0, named=True)


def _open_client(state: PublicState, call: PublicCall) -> None:
    part, row = _part(state), _row(call.frame)
    client = LightClient.trusting(
        row["rule"],
        row["header"],
        StateLayout(row["prefix"], row["before"], row["after"]),
        trusting_period=row["trusting_period"],
        clock_drift=row["clock_drift"],
        longest_skip=row["longest_skip"],
    )
    part.end = part.end.with_client(row["client"], client)


def _open_channel(state: PublicState, call: PublicCall) -> None:
    part, row = _part(state), _row(call.frame)
    native, foreign = (tuple(filter(None, row[name].split(","))) for name in ("native", "foreign"))
    for asset in (*native, *foreign):
        if asset not in ASSET_NAMES:
            raise ChainError(f"bridge_channels: the ledger has no asset {asset!r}; {nearest(asset, ASSET_NAMES)}")
    if set(native) - set(_NATIVE) or set(foreign) & set(_NATIVE):
        raise ChainError(
            f"bridge_channels: native {native} and foreign {foreign}, allowed: {_NATIVE} is native, others not"
        )
    if row["vault"] != BRIDGE or part.end.channels:
        raise ChainError(
            f"bridge_channels: vault {row['vault']}, allowed: account {BRIDGE}, for which no key can act, and only "
            "one channel"
        )
    client = part.end.client(row["client"])
    vault: bytes = state.accounts.frame["public_key"][BRIDGE]
    names = (row["channel"], row["client"], client.chain_id, row["counterpart"])
    part.end = part.end.with_channel(Channel(*names, row["ordered"], vault, native, foreign))
    for asset in foreign:
        state.ledger.declare_issuer(BRIDGE, asset)


def _update(state: PublicState, call: PublicCall) -> None:
    part = _part(state)
    for name, signed in zip(call.frame["client"].to_list(), call.frame["signed"].to_list(), strict=True):
        part.end = part.end.update(name, SignedHeader.from_bytes(signed), _here(part, call))


def _freeze(state: PublicState, call: PublicCall) -> None:
    part, row = _part(state), _row(call.frame)
    pair = SignedHeader.from_bytes(row["first"]), SignedHeader.from_bytes(row["second"])
    part.end = part.end.misbehaved(row["client"], *pair, _here(part, call))


def _send(state: PublicState, call: PublicCall) -> None:
    part, row = _part(state), _row(call.frame)
    sender: bytes = state.accounts.frame["public_key"][call.account]
    tokens = TokenMove(row["asset"], row["amount"], sender, row["recipient"])
    timeout = int(call.frame["timeout"].to_physical()[0])
    step = part.end.send_tokens(row["channel"], timeout, tokens, _here(part, call))
    for payment in step.payments:
        _pay(state, call, payment)
    part.end = step.end


def _relay(state: PublicState, call: PublicCall) -> None:
    part, row = _part(state), _row(call.frame)
    packet, proof, here = Packet.from_bytes(row["packet"]), BridgeProof.from_bytes(row["proof"]), _here(part, call)
    end, height = part.end, row["height"]
    if row["act"] == "receive":
        # Paying is how the chain finds out whether it can; from there on nothing is refused any more.
        step = end.receive(packet, height, proof, here, refuses=lambda payment: _why_unpaid(state, call, payment))
    else:
        settled = (packet, row["code"], height, proof, here)
        acknowledged = row["act"] == "acknowledge"
        step = end.acknowledge(*settled) if acknowledged else end.time_out(packet, height, proof, here)
        for payment in step.payments:
            _pay(state, call, payment)
    part.end = step.end


def _pay(state: PublicState, call: PublicCall, payment: Payment) -> None:
    """Move tokens between the bridge's account and another, in the numbering of the bridge's transfers."""
    accounts = state.accounts.account_of
    for key in (payment.debit, payment.credit):
        if key not in accounts:
            raise ChainError(f"bridge: {key.hex()[:16]}… has no account here; an attester opens one")
    frame = pl.DataFrame(
        {
            "transfer_id": [state.ledger.next_id(BRIDGE)],
            "debit_account": [accounts[payment.debit]],
            "credit_account": [accounts[payment.credit]],
            "asset": [payment.asset],
            "amount": [payment.amount],
            "code": [payment.code],
        }
    )
    state.ledger.apply(frame, sender=BRIDGE, now=call.timestamp)


def _why_unpaid(state: PublicState, call: PublicCall, payment: Payment) -> str | None:
    try:
        _pay(state, call, payment)
    except GridlabError as problem:
        return str(problem)
    return None


BRIDGE_EFFECTS: Mapping[str, PublicEffect] = MappingProxyType(
    {
        "bridge_client": PublicEffect(
            BRIDGE_CLIENTS, _GOVERNANCE, _open_client, _BASE, _HEAVY, "a header of another chain that is trusted"
        ),
        "bridge_channel": PublicEffect(
            BRIDGE_CHANNELS, _GOVERNANCE, _open_channel, _BASE, _HEAVY, "the channel to another chain"
        ),
        "bridge_header": PublicEffect(
            BRIDGE_HEADERS, EVERYONE, _update, _BASE, 2_000, "final headers of another chain, with their proofs"
        ),
        "bridge_conflict": PublicEffect(
            BRIDGE_CONFLICTS, EVERYONE, _freeze, _BASE, 4_000, "proof that another chain contradicts itself"
        ),
        "bridge_transfer": PublicEffect(
            BRIDGE_TRANSFERS, EVERYONE, _send, _BASE, _HEAVY, "tokens locked or burnt here and sent to another chain"
        ),
        "bridge_relay": PublicEffect(
            BRIDGE_RELAYS, EVERYONE, _relay, _BASE, _HEAVY, "a packet executed, settled or paid back, by proof"
        ),
    }
)
