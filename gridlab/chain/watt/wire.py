"""Frames in which the kinds of WATT go into transactions."""

from __future__ import annotations

import polars as pl

from gridlab.chain.watt.attestation import ReserveAttestation
from gridlab.chain.watt.rules import GAP_RULES, WattRules
from gridlab.errors import ArgumentTypeError
from gridlab.frames import SLOT, Column, Schema

__all__ = [
    "AMOUNTS",
    "ATTESTATIONS",
    "PAUSES",
    "WATT_RULES",
    "amount_frame",
    "attestation_frame",
    "pause_frame",
    "rules_frame",
]

WATT_RULES = Schema(
    "watt_rules",
    (
        Column("attestor", pl.Binary, "binary", "public key of who attests the reserve, 32 bytes"),
        Column("longest_age", pl.UInt64, "integer", "how old an attestation may be for minting (µs), 1 or more"),
        Column("gap_rule", pl.Enum(GAP_RULES), "category", "payouts while baht are missing: 'stop', 'haircut', 'par'"),
        Column("gate", pl.Int64, "integer", "most WATT redeemed in a slot, micro-THB; 0 sets no limit"),
        Column("fee_ppb", pl.UInt32, "integer", "fee on what is paid out, parts per billion"),
        Column("least", pl.Int64, "integer", "smallest redemption, micro-THB"),
    ),
)
ATTESTATIONS = Schema(
    "reserve_attestations",
    (
        Column("as_of", SLOT, "datetime", "moment for which it holds; later than the one before, not after the block"),
        Column("reserve", pl.Int64, "integer", "baht found in reserve, micro-THB"),
        Column("booked", pl.Int64, "integer", "THB in circulation on the ledger at that moment, micro-THB"),
        Column("signature", pl.Binary, "binary", "the attestor's, 64 bytes"),
    ),
)
AMOUNTS = Schema("watt_amounts", (Column("amount", pl.Int64, "integer", "more than 0, micro-THB"),))
PAUSES = Schema("watt_pauses", (Column("reason", pl.String, "text", "1 to 200 bytes"),))


def rules_frame(rules: WattRules) -> pl.DataFrame:
    """Return the frame of a transaction of kind ``watt_rules``."""
    if not isinstance(rules, WattRules):
        raise ArgumentTypeError(f"rules is a {type(rules).__name__}, allowed: WattRules(attestor, longest_age, …)")
    names = [column.name for column in WATT_RULES.columns]
    return WATT_RULES.check(pl.DataFrame({name: [getattr(rules, name)] for name in names}))


def attestation_frame(attestation: ReserveAttestation, signature: bytes) -> pl.DataFrame:
    """Return the frame of a transaction of kind ``reserve_attestation``."""
    if not isinstance(attestation, ReserveAttestation):
        raise ArgumentTypeError(f"attestation is a {type(attestation).__name__}, allowed: ReserveAttestation(…)")
    frame = pl.DataFrame(
        {
            "as_of": pl.Series([attestation.as_of], dtype=pl.Int64).cast(SLOT),
            "reserve": [attestation.reserve],
            "booked": [attestation.booked],
            "signature": [signature],
        }
    )
    return ATTESTATIONS.check(frame)


def amount_frame(amount: int) -> pl.DataFrame:
    """Return the frame of ``redeem``, ``redemption_payout`` and ``reserve_release``: one amount in micro-THB."""
    return AMOUNTS.check(pl.DataFrame({"amount": [amount]}, schema={"amount": pl.Int64}))


def pause_frame(reason: str) -> pl.DataFrame:
    """Return the frame of ``watt_pause`` and ``watt_resume``."""
    return PAUSES.check(pl.DataFrame({"reason": [reason]}))
