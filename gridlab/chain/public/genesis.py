"""What a public chain starts from, and the header at height 0 that commits to it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from gridlab.chain import merkle
from gridlab.chain.arguments import require_int, require_text
from gridlab.chain.encoding import Reader, blob, compact, i64, text, u32, u64
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import HASH_BYTES, ZERO_HASH, tagged_hash
from gridlab.chain.members import KYC
from gridlab.chain.public.accounts import GENESIS_ACCOUNTS, ROLES, SYSTEM_NAMES, PublicAccounts
from gridlab.chain.public.authorities import AuthoritySet
from gridlab.chain.public.blocks import PublicHeader
from gridlab.chain.public.parts import Committed
from gridlab.chain.public.slots import Draws
from gridlab.chain.public.state import PublicState
from gridlab.chain.receipts import receipts_root
from gridlab.errors import ArgumentError, ChainError
from gridlab.frames import show_rows

__all__ = ["PublicGenesis", "genesis_accounts"]

_RANDOMNESS_DOMAIN = "gridlab/public-genesis-randomness/1"


def genesis_accounts(accounts: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Check a frame of accounts and fill in role and KYC state; columns public_key, balance, role, kyc.

    Raises
    ------
    ArgumentTypeError, FrameError, ChainError
        A column is missing or of a wrong dtype, a balance is negative, or a role is the system's.
    """
    if isinstance(accounts, pl.LazyFrame):
        accounts = accounts.collect()
    checked = GENESIS_ACCOUNTS.check(accounts)
    usual = {"role": pl.lit("user", ROLES), "kyc": pl.lit("verified", KYC)}
    whole = checked.with_columns(**{name: value for name, value in usual.items() if name not in checked.columns})
    for broken, sentence in (
        (pl.col("balance") < 0, "a balance is below 0, allowed: 0 micro-GRID or more"),
        (pl.col("role") == "system", "a role is 'system', which is for accounts without a key"),
    ):
        if whole.select(broken.any()).item():
            raise ChainError(f"accounts: {sentence}\n{show_rows(whole, broken)}")
    return whole.select("public_key", "balance", "role", "kyc")


@dataclass(frozen=True)
class PublicGenesis:
    """What all nodes agree on before the first block.

    Attributes
    ----------
    chain_id : str
    timestamp : int
        Start of slot 0, microseconds since 1970-01-01 UTC.
    slot_milliseconds, epoch_slots, primary_share : int
        Length of a slot, slots of an epoch, share of slots with a primary in parts per billion.
    rules_version : int
        In force at the first block.
    rules : bytes
        Hash of that set of rules, 32 bytes.
    accounts : polars.DataFrame
        Columns public_key, balance, role, kyc.
    authorities : AuthoritySet
        Each of its keys has an account.
    parts : tuple of (str, bytes)
        Further registers by name, and the hash of each.
    """

    chain_id: str
    timestamp: int
    slot_milliseconds: int
    epoch_slots: int
    primary_share: int
    rules_version: int
    rules: bytes
    accounts: pl.DataFrame
    authorities: AuthoritySet
    parts: tuple[tuple[str, bytes], ...] = ()

    def __post_init__(self) -> None:
        if not require_text("chain_id", self.chain_id, longest=64):
            raise ArgumentError("chain_id is empty, allowed: a name of 1 to 64 bytes")
        require_int("slot_milliseconds", self.slot_milliseconds, 1, 3_600_000)
        known = set(self.accounts["public_key"].to_list())
        for seat, key in enumerate(self.authorities.keys):
            if key not in known:
                raise ChainError(f"the validator of seat {seat} has no account; add its public key to the accounts")

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        numbers = (self.slot_milliseconds, self.epoch_slots, self.primary_share)
        return b"".join(
            [
                text(self.chain_id),
                i64(self.timestamp),
                *map(u64, numbers),
                u32(self.rules_version),
                self.rules,
                blob(encode_frame(self.accounts)),
                blob(self.authorities.to_bytes()),
                compact(len(self.parts)),
                *(text(name) + digest for name, digest in self.parts),
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> PublicGenesis:
        """Read what `to_bytes` wrote, or raise a GridlabError that says what is wrong with the bytes."""
        reader = Reader(data, "public genesis")
        genesis = cls(
            reader.text(),
            reader.i64(),
            reader.u64(),
            reader.u64(),
            reader.u64(),
            reader.u32(),
            reader.take(HASH_BYTES),
            genesis_accounts(decode_frame(reader.blob(), "accounts")),
            AuthoritySet.from_bytes(reader.blob()),
            tuple((reader.text(), reader.take(HASH_BYTES)) for _ in range(reader.compact())),
        )
        reader.finish()
        if genesis.to_bytes() != data:
            raise reader.error("the frame of accounts does not have the columns and dtypes of genesis")
        return genesis

    @property
    def draws(self) -> Draws:
        """How authors are drawn."""
        return Draws(tagged_hash(_RANDOMNESS_DOMAIN, self.to_bytes()), self.epoch_slots, self.primary_share)

    def time_of(self, slot: int) -> int:
        """Return when a slot begins, microseconds since 1970-01-01 UTC."""
        return self.timestamp + slot * self.slot_milliseconds * 1000

    @property
    def state(self) -> PublicState:
        """The state that the first block starts from; of further registers it holds the hashes only."""
        balances = [0] * len(SYSTEM_NAMES) + self.accounts["balance"].to_list()
        accounts = PublicAccounts.genesis(self.accounts)
        state = PublicState.genesis(accounts, balances, self.authorities, self.rules_version)
        state.parts = {name: Committed(digest) for name, digest in self.parts}
        return state

    @property
    def header(self) -> PublicHeader:
        """The header at height 0; its transactions root covers the canonical bytes of genesis as one leaf."""
        return PublicHeader(
            chain_id=self.chain_id,
            height=0,
            parent=ZERO_HASH,
            slot=0,
            timestamp=self.timestamp,
            seat=0,
            author=bytes(32),
            primary=False,
            claim=bytes(64),
            transactions_root=merkle.root([self.to_bytes()], hash="blake2b-256"),
            receipts_root=receipts_root([]),
            state_root=self.state.root,
            rules_version=self.rules_version,
            authority=self.authorities.hash,
            next_authority=self.authorities.hash,
        )
