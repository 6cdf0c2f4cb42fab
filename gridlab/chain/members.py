"""Who may act on the consortium chain: licensed members, each with an account, a role and a key."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.errors import ChainError
from gridlab.frames import Column, Schema, show_rows

__all__ = ["KYC", "MEMBERS", "ROLES", "Members"]

ROLES = pl.Enum(
    [
        *("trader", "market_operator", "grid_operator", "watt_issuer"),
        *("reserve_bank", "regulator", "oracle", "treasury"),
        "certificate_issuer",  # EGAT for I-REC(E), TGO for T-VER
        "bridge_operator",
    ]
)
# Know your customer: who acts has been identified, and has not been lost sight of since.
KYC = pl.Enum(["verified", "pending", "expired", "refused"])

_LONGEST_NAME = 200

MEMBERS = Schema(
    "members",
    (
        Column("account", pl.UInt32, "integer", "index, 0 upwards without gaps"),
        Column("name", pl.String, "text", "what people call the member; unique"),
        Column("role", ROLES, "category", "what the licence is for"),
        Column("public_key", pl.Binary, "binary", "32 bytes, Ed25519; unique"),
        Column("active", pl.Boolean, "boolean", "whether the licence is in force"),
        Column("kyc", KYC, "category", "state of the identity check; only who is 'verified' may act"),
    ),
)


@dataclass(frozen=True, slots=True)
class Members:
    """All members ever licensed, in the order of their accounts.

    Attributes
    ----------
    frame : polars.DataFrame
        As `MEMBERS` declares.
    roles : tuple of str
    active : array of bool
    verified : array of bool
        Whose identity is verified.
    account_of : dict of bytes to int
        Public key -> account.
    """

    frame: pl.DataFrame
    roles: tuple[str, ...]
    active: npt.NDArray[np.bool_]
    verified: npt.NDArray[np.bool_]
    account_of: dict[bytes, int]

    @classmethod
    def of(cls, members: pl.DataFrame | pl.LazyFrame) -> Members:
        """Check a members frame; without a column `active` every licence is in force, without `kyc` all are verified.

        Raises
        ------
        ArgumentTypeError
            `members` is not a frame.
        FrameError
            A column is missing or of a wrong dtype, or an account, name or key breaks its rule.
        """
        if isinstance(members, pl.LazyFrame):
            members = members.collect()
        if isinstance(members, pl.DataFrame):
            usual = {"active": pl.lit(True), "kyc": pl.lit("verified", dtype=KYC)}
            members = members.with_columns(**{n: e for n, e in usual.items() if n not in members.columns})
        rules = {
            "an account is not the row's own number; number the members 0, 1, 2, … in order": (
                pl.col("account") != pl.int_range(pl.len())
            ),
            f"a name is empty or longer than {_LONGEST_NAME} bytes": (
                ~pl.col("name").str.len_bytes().is_between(1, _LONGEST_NAME)
            ),
            "a name stands there twice": pl.col("name").is_duplicated(),
            f"a public key does not have {PUBLIC_KEY_BYTES} bytes": pl.col("public_key").bin.size() != PUBLIC_KEY_BYTES,
            "a public key stands there twice": pl.col("public_key").is_duplicated(),
        }
        frame = MEMBERS.check(members, rules=rules).select(column.name for column in MEMBERS.columns)
        keys = frame["public_key"].to_list()
        return cls(
            frame,
            tuple(frame["role"].to_list()),
            frame["active"].to_numpy(),
            (frame["kyc"] == "verified").to_numpy(),
            {key: account for account, key in enumerate(keys)},
        )

    def __len__(self) -> int:
        return self.frame.height

    def with_role(self, role: str) -> list[int]:
        """Return the accounts that have this role."""
        return [account for account, own in enumerate(self.roles) if own == role]

    def changed(self, changes: pl.DataFrame) -> Members:
        """Return the members after licences were granted, withdrawn or given a new key or KYC state.

        Parameters
        ----------
        changes : polars.DataFrame
            As `MEMBERS` declares; one row per account, new accounts numbered on from the last.

        Raises
        ------
        ChainError
            An account stands there twice, a role would change, or no active regulator would be left.
        FrameError
            The members after the change would break a rule of `MEMBERS`.
        """
        changes = MEMBERS.check(changes)
        twice = pl.col("account").is_duplicated()
        if changes.select(twice.any()).item():
            raise ChainError(f"membership: an account stands there twice\n{show_rows(changes, twice)}")
        joined = changes.join(self.frame.select("account", was="role"), on="account", how="left", maintain_order="left")
        moved = pl.col("was").is_not_null() & (pl.col("was") != pl.col("role"))
        if joined.select(moved.any()).item():
            raise ChainError(
                f"membership: a role cannot change, because balances depend on it; license a new account\n"
                f"{show_rows(joined, moved)}"
            )
        members = Members.of(pl.concat([self.frame, changes]).unique("account", keep="last").sort("account"))
        acting = members.active & members.verified
        if not any(acting[account] for account in members.with_role("regulator")):
            raise ChainError("membership: no regulator who may act would be left, and nobody could license one")
        return members
