"""The table of all kinds of transaction; a new kind is a new row, the loop that executes blocks never changes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gridlab.chain.authority import VALIDATORS
from gridlab.chain.certificates import GROUPS, ISSUES, MOVES, RETIREMENTS
from gridlab.chain.channels import wire as channels
from gridlab.chain.contracts import CONTRACTS, EXECUTIONS
from gridlab.chain.effects import (
    administration,
    agreements,
    bridging,
    green,
    links,
    locking,
    metering,
    money,
    observing,
    stopping,
    trading,
    upgrading,
    watt,
)
from gridlab.chain.effects.channelling import on_channels
from gridlab.chain.effects.effect import EVERYONE, Effect
from gridlab.chain.emergency.wire import EMERGENCY_APPROVALS, EMERGENCY_COUNCIL, EMERGENCY_RESUMPTIONS
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.members import MEMBERS
from gridlab.chain.oracle.observations import OBSERVATIONS
from gridlab.chain.oracle.provider_set import ORACLE_PROVIDERS
from gridlab.chain.packets import PACKETS
from gridlab.chain.swaps import wire as swaps
from gridlab.chain.terms import CHANGES
from gridlab.chain.trades import TRADES
from gridlab.chain.versions import MARKET_TERMS, UPGRADES
from gridlab.chain.watt.wire import AMOUNTS, ATTESTATIONS, PAUSES, WATT_RULES
from gridlab.frames import ORDERS, READINGS

__all__ = ["RULES"]

_VERSION_1 = MappingProxyType(
    {
        "membership": Effect(
            MEMBERS, ("regulator",), administration.change_members, "licences, keys and KYC states given and withdrawn"
        ),
        "validators": Effect(
            VALIDATORS, ("regulator",), administration.appoint_validators, "who certifies blocks from a checkpoint on"
        ),
        "terms": Effect(
            CHANGES, ("regulator",), administration.change_terms, "fees and limits of the chain"
        ),
        "upgrade": Effect(
            UPGRADES, ("regulator",), upgrading.approve_rules, "a released set of rules in force from a later block on"
        ),
        "market_terms": Effect(
            MARKET_TERMS, ("regulator",), upgrading.change_market, "other terms of the market from the next block on"
        ),
        "reserve": Effect(
            TRANSFERS, ("reserve_bank",), watt.book, "baht booked as paid into the reserve"
        ),
        "mint": Effect(
            TRANSFERS, ("watt_issuer",), watt.mint, "WATT issued, never more than baht in reserve"
        ),
        "watt_rules": Effect(
            WATT_RULES, ("regulator",), watt.set_rules, "who attests the reserve, and how WATT is redeemed"
        ),
        "reserve_attestation": Effect(
            ATTESTATIONS, EVERYONE, watt.attest, "baht found in reserve at a moment, signed by the attestor"
        ),
        "redeem": Effect(
            AMOUNTS, EVERYONE, watt.redeem, "WATT given back, in a queue for baht"
        ),
        "redemption_payout": Effect(
            AMOUNTS, ("watt_issuer", "reserve_bank"), watt.pay_out, "the front of the queue paid, its WATT burned"
        ),
        "reserve_release": Effect(
            AMOUNTS, ("watt_issuer", "reserve_bank"), watt.release, "baht that back no WATT taken off the reserve"
        ),
        "watt_pause": Effect(
            PAUSES, ("regulator", "watt_issuer"), watt.pause, "no minting, payouts or releases from now on"
        ),
        "watt_resume": Effect(
            PAUSES, ("regulator",), watt.resume, "the end of a pause"
        ),
        "transfer": Effect(
            TRANSFERS, EVERYONE, money.transfer, "payments from the sender's own account"
        ),
        "settlement": Effect(
            TRANSFERS, ("market_operator",), money.settle, "what the market's results move between accounts"
        ),
        "order_batch": Effect(
            ORDERS, ("trader",), trading.take_orders, "many orders of one trader under one signature"
        ),
        "gate_closure": Effect(
            trading.CLOSURES, ("market_operator",), trading.close_gates, "slots whose orders are cleared and settled"
        ),
        "trade": Effect(
            TRADES, ("market_operator",), trading.record_trades, "trades that were made elsewhere"
        ),
        "meter_readings": Effect(
            READINGS, ("grid_operator",), metering.read_meters, "metered energy per slot"
        ),
        "certificate_group": Effect(
            GROUPS, ("certificate_issuer",), green.group_devices, "small devices certified together under one account"
        ),
        "certificate_issue": Effect(
            ISSUES, ("certificate_issuer",), green.issue_certificates, "certificates and credits for metered energy"
        ),
        "certificate_transfer": Effect(
            MOVES, EVERYONE, green.transfer_certificates, "certificates given to a new owner by their own"
        ),
        "certificate_retire": Effect(
            RETIREMENTS, EVERYONE, green.retire_certificates, "certificates used up for a beneficiary, for good"
        ),
        "contract": Effect(
            CONTRACTS, EVERYONE, agreements.register_contract, "an energy trading contract, signed by all its parties"
        ),
        "contract_execution": Effect(
            EXECUTIONS, EVERYONE, agreements.execute_contract, "payments that follow from a contract and meters"
        ),
        "oracle_providers": Effect(
            ORACLE_PROVIDERS, ("regulator",), observing.appoint_providers, "who observes from now on, and their stakes"
        ),
        "oracle_report": Effect(
            OBSERVATIONS, ("oracle",), observing.report_observations, "observations, signed, of which it makes reports"
        ),
        "oracle_evidence": Effect(
            OBSERVATIONS, EVERYONE, observing.slash_provider, "proof that a provider signed two values in one round"
        ),
        "bridge_packet": Effect(
            PACKETS, ("bridge_operator",), links.send_packets, "packets for another chain"
        ),
        "bridge_client": Effect(
            bridging.BRIDGE_CLIENTS, ("regulator",), bridging.open_client, "headers of other chains to trust"
        ),
        "bridge_channel": Effect(
            bridging.BRIDGE_CHANNELS, ("regulator",), bridging.open_channel, "channels to other chains"
        ),
        "bridge_header": Effect(
            bridging.BRIDGE_HEADERS, EVERYONE, bridging.update_client, "final headers of other chains, proved"
        ),
        "bridge_conflict": Effect(
            bridging.BRIDGE_CONFLICTS, EVERYONE, bridging.freeze_client, "proof that another chain contradicts itself"
        ),
        "bridge_transfer": Effect(
            bridging.BRIDGE_TRANSFERS, EVERYONE, bridging.send_tokens, "tokens sent to another chain"
        ),
        "bridge_relay": Effect(
            bridging.BRIDGE_RELAYS, EVERYONE, bridging.relay, "packets received, answered and paid back, proved"
        ),
        "hash_lock": Effect(
            swaps.HASH_LOCKS, EVERYONE, locking.lock, "amounts locked under hashes"
        ),
        "hash_claim": Effect(
            swaps.HASH_CLAIMS, EVERYONE, locking.claim, "locks paid to their payees by preimages"
        ),
        "hash_refund": Effect(
            swaps.HASH_REFUNDS, EVERYONE, locking.refund, "locks given back after their timeouts"
        ),
        "emergency_stop": Effect(
            swaps.EMERGENCY_STOPS, ("regulator",), locking.tell_stops, "chains that stand, or go on"
        ),
        "emergency_council": Effect(
            EMERGENCY_COUNCIL, ("regulator",), stopping.seat_council, "who may stop the market, the chain or a part"
        ),
        "emergency_approve": Effect(
            EMERGENCY_APPROVALS, EVERYONE, stopping.approve, "a seat's approval of a stop, or of a vote on its end"
        ),
        "emergency_resume": Effect(
            EMERGENCY_RESUMPTIONS, EVERYONE, stopping.resume, "the end of a stop, as a referendum decided"
        ),
        "channel_open": Effect(
            channels.CHANNEL_OPENINGS, EVERYONE, on_channels("channel_open"), "a channel that both sides have signed"
        ),
        "channel_top_up": Effect(
            channels.CHANNEL_TOP_UPS, EVERYONE, on_channels("channel_top_up"), "more put into a channel by a side of it"
        ),
        "channel_close_together": Effect(
            channels.CHANNEL_STATES, EVERYONE, on_channels("channel_close_together"), "a channel paid by a final state"
        ),
        "channel_close": Effect(
            channels.CHANNEL_STATES, EVERYONE, on_channels("channel_close"), "a channel that one side closes alone"
        ),
        "channel_dispute": Effect(
            channels.CHANNEL_STATES, EVERYONE, on_channels("channel_dispute"), "a newer state than the one that stands"
        ),
        "channel_reveal": Effect(
            channels.CHANNEL_PREIMAGES, EVERYONE, on_channels("channel_reveal"), "a conditional payment won in a close"
        ),
        "channel_settle": Effect(
            channels.CHANNEL_SETTLEMENTS, EVERYONE, on_channels("channel_settle"), "a channel paid after its window"
        ),
    }
)  # fmt: skip

# By version, because blocks made under older rules are replayed under those.
RULES: Mapping[int, Mapping[str, Effect]] = MappingProxyType({1: _VERSION_1})
