"""Who has an account on the public chain: anybody whose identity an attester has checked.

On the chain stand a public key and the state of the identity check, no name and no document: what identifies a person
stays with the attester, as the Personal Data Protection Act asks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.members import KYC
from gridlab.errors import ChainError
from gridlab.frames import Column, Schema, show_rows

__all__ = ["ATTESTATIONS", "EVERYONE", "FEE_POT", "GENESIS_ACCOUNTS", "ISSUANCE", "ROLES", "TREASURY", "PublicAccounts"]

ROLES = pl.Enum(["user", "attester", "governance", "system"])
EVERYONE = ("user", "attester", "governance")

# Accounts that no key can act for: where all GRID comes from, the treasury, the fees of the block that is executed,
# what is bonded, and what the bridge holds or issues for another chain.
SYSTEM_NAMES = ("issuance", "treasury", "fee pot", "staking pot", "bridge")
ISSUANCE, TREASURY, FEE_POT, STAKING_POT, BRIDGE = range(len(SYSTEM_NAMES))
_SYSTEM_DOMAIN = "gridlab/system-account/1"

GENESIS_ACCOUNTS = Schema(
    "genesis_accounts",
    (
        Column("public_key", pl.Binary, "binary", "32 bytes, Ed25519; unique"),
        Column("balance", pl.Int64, "integer", "micro-GRID, 0 or more"),
        Column("role", ROLES, "category", "'user', 'attester' or 'governance'", required=False),
        Column("kyc", KYC, "category", "state of the identity check, 'verified' unless given", required=False),
        Column("name", pl.String, "text", "what people call it here; not on the chain", required=False),
    ),
)

ATTESTATIONS = Schema(
    "attestations",
    (
        Column("public_key", pl.Binary, "binary", "32 bytes, Ed25519; a new key gets an account"),
        Column("kyc", KYC, "category", "state of the identity check from now on"),
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class PublicAccounts:
    """All accounts in their order; never changed, `attested` returns new ones.

    Attributes
    ----------
    frame : polars.DataFrame
        account (UInt32), public_key (Binary), role (`ROLES`), active (Boolean), kyc (`KYC`): the columns that a leaf of
        the state holds, as on the consortium chain.
    roles : tuple of str
    verified : array of bool
        Who may act.
    account_of : dict of bytes to int
    """

    frame: pl.DataFrame
    roles: tuple[str, ...]
    verified: npt.NDArray[np.bool_]
    account_of: dict[bytes, int]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> PublicAccounts:
        """Take columns public_key, role and kyc in the order of accounts.

        Raises
        ------
        ChainError
            A key has another length than 32 bytes, or stands there twice.
        """
        wrong = pl.col("public_key").bin.size() != PUBLIC_KEY_BYTES
        twice = pl.col("public_key").is_duplicated()
        for broken, sentence in (
            (wrong, f"a public key does not have {PUBLIC_KEY_BYTES} bytes"),
            (twice, "a public key stands there twice; one key has one account"),
        ):
            if frame.select(broken.any()).item():
                raise ChainError(f"accounts: {sentence}\n{show_rows(frame, broken)}")
        whole = frame.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("account"),
            "public_key",
            pl.col("role").cast(ROLES),
            pl.lit(True).alias("active"),
            pl.col("kyc").cast(KYC),
        )
        roles = tuple(whole["role"].to_list())
        verified = ((whole["kyc"] == "verified") & (whole["role"] != "system")).to_numpy()
        keys = whole["public_key"].to_list()
        return cls(whole, roles, verified, {key: account for account, key in enumerate(keys)})

    @classmethod
    def genesis(cls, accounts: pl.DataFrame) -> PublicAccounts:
        """Return the system accounts and then those of a checked frame (`GENESIS_ACCOUNTS`)."""
        system = pl.DataFrame(
            {"public_key": [tagged_hash(_SYSTEM_DOMAIN, name.encode()) for name in SYSTEM_NAMES]},
            schema={"public_key": pl.Binary},
        ).with_columns(role=pl.lit("system", ROLES), kyc=pl.lit("verified", KYC))
        return cls.of(pl.concat([system, accounts.select("public_key", "role", "kyc")]))

    def __len__(self) -> int:
        return self.frame.height

    def attested(self, attestations: pl.DataFrame) -> PublicAccounts:
        """Return the accounts after attestations (as `ATTESTATIONS`); a key that is not known yet gets an account.

        Raises
        ------
        ChainError
            A key stands there twice, does not have 32 bytes, or is a system account's.
        """
        twice = pl.col("public_key").is_duplicated()
        if attestations.select(twice.any()).item():
            raise ChainError(f"attestations: a key stands there twice\n{show_rows(attestations, twice)}")
        joined = self.frame.join(attestations, on="public_key", how="left", maintain_order="left", suffix="_new")
        system = pl.col("kyc_new").is_not_null() & (pl.col("role") == "system")
        if joined.select(system.any()).item():
            raise ChainError("attestations: a system account has no identity to attest")
        known = joined.select("public_key", "role", kyc=pl.coalesce("kyc_new", "kyc"))
        new = attestations.join(self.frame, on="public_key", how="anti", maintain_order="left")
        fresh = new.select("public_key", pl.lit("user", ROLES).alias("role"), "kyc")
        return PublicAccounts.of(pl.concat([known, fresh]))
