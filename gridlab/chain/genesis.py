"""Genesis: what a chain starts from, and the header at height 0 that commits to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridlab.chain import merkle
from gridlab.chain.arguments import require_text
from gridlab.chain.authority import Authority, authority_hash
from gridlab.chain.blocks import Header, receipts_root
from gridlab.chain.effects import RULES
from gridlab.chain.encoding import Reader, blob, i64, text, u32
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import ZERO_HASH
from gridlab.chain.members import Members
from gridlab.chain.ordering import SingleSequencer
from gridlab.chain.shards.in_chain import ChainShards
from gridlab.chain.shards.plan import ShardPlan
from gridlab.chain.state import State
from gridlab.chain.terms import ChainTerms
from gridlab.chain.versions import Versions
from gridlab.errors import ArgumentError, ChainError

__all__ = ["Genesis"]


@dataclass(frozen=True, slots=True)
class Genesis:
    """What all replicas agree on before the first block.

    Attributes
    ----------
    chain_id : str
    timestamp : int
        Microseconds since 1970-01-01 UTC; no block is older.
    rules_version : int
    ordering_name : str
    ordering_authority : bytes
        What certificates are checked against.
    members : Members
    terms : ChainTerms
    exchange_terms : bytes
        What decides how orders are cleared (`gridlab.chain.exchange.Exchange.terms`); empty without an exchange.
    shards : ShardPlan or None
        Who lives in which shard, on a chain with shards.
    """

    chain_id: str
    timestamp: int
    rules_version: int
    ordering_name: str
    ordering_authority: bytes
    members: Members
    terms: ChainTerms = field(default_factory=ChainTerms)
    exchange_terms: bytes = b""
    shards: ShardPlan | None = None

    def __post_init__(self) -> None:
        if not require_text("chain_id", self.chain_id, longest=64):
            raise ArgumentError("chain_id is empty, allowed: a name of 1 to 64 bytes")
        if self.rules_version not in RULES:
            raise ChainError(f"rules version {self.rules_version} is not known, allowed: {list(RULES)}")
        if (self.exchange_terms or not self.terms.free) and not self.members.with_role("market_operator"):
            raise ChainError(
                "members: none is a market_operator, who receives fees and closes gates; add one, or leave out the "
                "exchange and the fees"
            )

        if self.shards is not None and self.shards.homes.height < len(self.members):
            raise ChainError(
                f"shards: {self.shards.homes.height} homes for {len(self.members)} members; ShardPlan.of gives each one"
            )

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        return b"".join(
            [
                text(self.chain_id),
                i64(self.timestamp),
                u32(self.rules_version),
                text(self.ordering_name),
                blob(self.ordering_authority),
                blob(encode_frame(self.members.frame)),
                self.terms.to_bytes(),
                blob(self.exchange_terms),
                blob(b"" if self.shards is None else self.shards.to_bytes()),
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Genesis:
        """Read what `to_bytes` wrote.

        Raises
        ------
        ChainError
            Bytes are missing, left over or not canonical.
        FrameError
            The members break a rule.
        """
        reader = Reader(data, "genesis")
        genesis = cls(
            reader.text(),
            reader.i64(),
            reader.u32(),
            reader.text(),
            reader.blob(),
            Members.of(decode_frame(reader.blob(), "members")),
            ChainTerms.read(reader),
            reader.blob(),
            ShardPlan.from_bytes(shards) if (shards := reader.blob()) else None,
        )
        reader.finish()
        if genesis.to_bytes() != data:
            raise reader.error("the members or the homes do not have the columns and dtypes of genesis")
        return genesis

    @property
    def state(self) -> State:
        """The state that the first block starts from."""
        authority = Authority(self.ordering_authority, replaceable=self.ordering_name != SingleSequencer.name)
        versions = Versions(self.rules_version, exchange=self.exchange_terms)
        state = State.of(self.members, self.terms, authority, self.chain_id, versions)
        if self.shards is not None:
            state.take_shards(ChainShards(self.shards, state.issuing_accounts, self.timestamp))
        return state

    @property
    def header(self) -> Header:
        """The header at height 0; its transactions root covers the canonical bytes of genesis as one leaf."""
        return Header(
            chain_id=self.chain_id,
            height=0,
            parent=ZERO_HASH,
            timestamp=self.timestamp,
            transactions_root=merkle.root([self.to_bytes()], hash="blake2b-256"),
            receipts_root=receipts_root([]),
            state_root=self.state.root,
            rules_version=self.rules_version,
            next_authority=authority_hash(self.ordering_authority),
        )
