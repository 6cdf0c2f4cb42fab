"""The kinds of transaction that every public chain has: payments, attestations, upgrades."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.public.accounts import ATTESTATIONS, EVERYONE
from gridlab.chain.public.rules import PublicCall, PublicEffect
from gridlab.chain.public.state import PublicState, Upgrade
from gridlab.errors import ChainError
from gridlab.frames import Column, Schema, show_rows

__all__ = ["BASE_EFFECTS", "BASE_WEIGHT", "UPGRADES", "transfer"]

# Microseconds. The first is what checking and charging any transaction takes on Polkadot's reference machine: 99.7 µs,
# polkadot-sdk, polkadot/runtime/westend/constants/src/weights/extrinsic_weights.rs, 2023. The weights of the kinds
# themselves are teaching choices of the same order as those that Polkadot measures.
BASE_WEIGHT = 100
_LIGHT, _HEAVY = 50, 500

UPGRADES = Schema(
    "upgrades",
    (
        Column("version", pl.UInt32, "integer", "released version of the rules, above the one in force"),
        Column("height", pl.UInt64, "integer", "first block under it, later than this one"),
        Column("rules", pl.Binary, "binary", "hash of that set of rules, 32 bytes"),
    ),
)


def transfer(state: PublicState, call: PublicCall) -> None:
    """Pay from the sender's own account."""
    foreign = pl.col("debit_account") != call.account
    if call.frame.select(foreign.any()).item():
        raise ChainError(
            f"transfers: account {call.account} pays from its own account only\n{show_rows(call.frame, foreign)}"
        )
    state.ledger.apply(call.frame, sender=call.account, now=call.timestamp)


def attest(state: PublicState, call: PublicCall) -> None:
    """Give keys an account, or another state of their identity check."""
    state.set_accounts(state.accounts.attested(call.frame))


def upgrade(state: PublicState, call: PublicCall) -> None:
    """Approve a released set of rules from a height on; a later approval replaces one that is not in force yet."""
    if call.frame.height != 1:
        raise ChainError(f"upgrades: {call.frame.height} rows, allowed: one version and its height")
    version, height, rules = call.frame.row(0)
    if version <= state.rules_version:
        raise ChainError(f"upgrades: version {version} is not above {state.rules_version}, which is in force")
    if height <= call.height:
        raise ChainError(f"upgrades: block {height} is not after this one, block {call.height}")
    if len(rules) != HASH_BYTES:
        raise ChainError(f"upgrades: the hash of the rules has {len(rules)} bytes, allowed: {HASH_BYTES}")
    state.upgrade = Upgrade(version, height, rules)


BASE_EFFECTS: Mapping[str, PublicEffect] = MappingProxyType(
    {
        "transfer": PublicEffect(
            TRANSFERS, EVERYONE, transfer, BASE_WEIGHT, _LIGHT, "payments from the sender's own account"
        ),
        "kyc_attestation": PublicEffect(
            ATTESTATIONS, ("attester",), attest, BASE_WEIGHT, _HEAVY, "identities checked: accounts opened and closed"
        ),
        "upgrade": PublicEffect(
            UPGRADES, ("governance",), upgrade, BASE_WEIGHT, _HEAVY, "a released set of rules approved for a height"
        ),
    }
)  # fmt: skip
