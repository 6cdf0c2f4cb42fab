"""What a chain shows of itself: its registers and its blocks as frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.blocks import Block, Header
from gridlab.chain.bridge.end import BridgeEnd
from gridlab.chain.channels.book import ChannelBook
from gridlab.chain.effects import Effect, RuleSet
from gridlab.chain.emergency.book import EmergencyBook
from gridlab.chain.fee_account import fee_transfers, summed
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger import Ledger
from gridlab.chain.oracle.provider_set import ProviderSet
from gridlab.chain.payloads import effect_of
from gridlab.chain.pool import Pool
from gridlab.chain.record import BlockRecord, accepted_payloads
from gridlab.chain.senders import FEE_SENDER
from gridlab.chain.state import State
from gridlab.chain.swaps.lock_book import LockBook
from gridlab.chain.swaps.stops import Stops
from gridlab.chain.terms import ChainTerms
from gridlab.chain.transactions import Transaction
from gridlab.chain.watt.register import WattRegister
from gridlab.doors import through
from gridlab.errors import ChainError

if TYPE_CHECKING:
    from gridlab.chain.genesis import Genesis
    from gridlab.chain.ordering import Ordering
    from gridlab.chain.releases import Releases
    from gridlab.chain.shards import ChainAccountProof, ChainShards

__all__ = ["ChainViews"]

_FINGERPRINT_DOMAIN = "gridlab/chain-fingerprint/1"


class ChainViews:
    """The reading half of `ConsortiumChain`; nothing here changes anything."""

    _genesis: Genesis
    _ordering: Ordering
    _releases: Releases
    _state: State
    _head: Header
    _record: BlockRecord
    _pool: Pool

    def __repr__(self) -> str:
        return (
            f"ConsortiumChain({self.chain_id!r}, height {self.height}, {len(self._state.members)} members, "
            f"{len(self._pool)} transactions pending)"
        )

    def _repr_html_(self) -> str:
        html: str = through("chain_html", self)
        return html

    @property
    def plot(self) -> Any:
        """HoloViews pictures of the chain, such as ``chain.plot.finality()``; its repr lists them all."""
        return through("chain_plot", self)

    def controls(self) -> Any:
        """Return live controls (ipywidgets): make validators lie or crash, cut their network, stop, seal a block."""
        return through("chain_controls", self)

    @property
    def chain_id(self) -> str:
        """Name of the chain."""
        return self._genesis.chain_id

    @property
    def genesis(self) -> Genesis:
        """What the chain started from."""
        return self._genesis

    @property
    def head(self) -> Header:
        """Header of the newest block, or of genesis."""
        return self._head

    @property
    def height(self) -> int:
        """Height of the newest block; 0 is genesis."""
        return self._head.height

    @property
    def state_root(self) -> bytes:
        """State root of the newest block, 32 bytes."""
        return self._head.state_root

    @property
    def fingerprint(self) -> bytes:
        """BLAKE2b-256 over the newest block's hash and its state root: equal chains, equal fingerprints."""
        return tagged_hash(_FINGERPRINT_DOMAIN, self._head.hash + self._head.state_root)

    @property
    def ordering(self) -> Ordering:
        """Who orders the transactions."""
        return self._ordering

    @property
    def terms(self) -> ChainTerms:
        """Fees and limits in force."""
        return self._state.terms

    @property
    def members(self) -> pl.DataFrame:
        """All members as `gridlab.chain.members.MEMBERS` declares them."""
        return self._state.members.frame

    @property
    def ledger(self) -> Ledger:
        """A copy of the ledger after the newest block; changing it does not change the chain."""
        return self._state.ledger.fork()

    @property
    def certificates(self) -> pl.DataFrame:
        """All certificates and credits, as `gridlab.chain.certificates.CERTIFICATES`."""
        return self._state.certificates.frame

    @property
    def contracts(self) -> pl.DataFrame:
        """All contracts and how many slots of each were executed (`gridlab.chain.contracts.ContractRegistry.frame`)."""
        return self._state.contracts.frame

    @property
    def reports(self) -> pl.DataFrame:
        """The newest oracle report of each feed, as `gridlab.chain.reports.REPORTS`."""
        return self._state.reports.frame

    @property
    def oracle_providers(self) -> ProviderSet | None:
        """Whose observations count; None before a regulator has appointed anybody."""
        return self._state.reports.providers

    @property
    def bridge_end(self) -> BridgeEnd:
        """The end of the bridge on this side after the newest block: light clients, channels, packets."""
        return self._state.packets.end

    @property
    def lock_book(self) -> LockBook:
        """All hash time locks after the newest block."""
        return self._state.locked.locks

    @property
    def channel_book(self) -> ChannelBook:
        """All channels after the newest block; `gridlab.chain.channels.channels_frame` shows them."""
        return self._state.locked.channels

    @property
    def watt(self) -> WattRegister:
        """Rules of WATT, its attested reserve and the queue of redemptions after the newest block."""
        return self._state.watt

    @property
    def stops(self) -> Stops:
        """The emergency stops that the chain was told of, its own among them."""
        return self._state.locked.stops

    @property
    def emergency(self) -> EmergencyBook:
        """The emergency council, what it is voting on, and every stop: ``.frame``, ``.motion_frame``, ``.council``."""
        return self._state.emergency

    def state_leaves(self) -> list[bytes]:
        """Return the leaves under the newest block's state root (`gridlab.chain.state.State.leaves`), for proofs."""
        return self._state.leaves()

    @property
    def shards(self) -> ChainShards | None:
        """A copy of the shards after the newest block; None on a chain without."""
        return None if self._state.shards is None else self._state.shards.fork()

    def prove_account(self, account: int) -> ChainAccountProof:
        """Return the proof of what an account holds, from its shard's root up to the newest block's state root.

        `gridlab.chain.shards.verify_chain_account` checks it against a header alone.

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            There is no such account, or the chain has no shards.
        """
        if self._state.shards is None:
            raise ChainError("this chain has no shards; ConsortiumChain(members, shards=homes) makes one with them")
        require_int("account", account, 0, len(self._state.members) - 1)
        return self._state.shards.prove(account, self.state_leaves())

    @property
    def pending(self) -> Sequence[Transaction]:
        """Transactions that wait for the next block, in the order of arrival."""
        return self._pool.waiting

    @property
    def blocks(self) -> pl.DataFrame:
        """One row per block, genesis first.

        Columns height, slot, hash, parent, transactions, rejected, bytes, transactions_root, receipts_root,
        state_root, rules_version; hashes as ``0x`` and hexadecimal digits.
        """
        return self._record.block_frame()

    @property
    def transactions(self) -> pl.DataFrame:
        """One row per transaction in a block.

        Columns height, index, id, kind, sender, account (null where the sender is no member), nonce, expiry, bytes,
        accepted, code, reason.
        """
        return self._record.transaction_frame()

    @property
    def trades(self) -> pl.DataFrame:
        """Every trade that the chain cleared or recorded.

        Columns height, index (of the transaction in its block), place (of the trade among that transaction's), then
        those of `gridlab.chain.trades.TRADES`.
        """
        return self._record.trade_frame()

    @property
    def fees(self) -> pl.DataFrame:
        """What each account has paid for its transactions: ``account``, ``fees`` (micro-WATT)."""
        own = (pl.col("code") == "chain_fee") & (pl.col("sender") == FEE_SENDER)
        paid = self._state.ledger.transfers.filter(own)
        totals = paid.group_by(account="debit_account").agg(fees=pl.col("amount").sum())
        return totals.sort("account")

    @property
    def earned(self) -> pl.DataFrame:
        """Who earned which fee from whom, as `gridlab.chain.fee_account.EARNED`; traders' own labels do not count."""
        traders = self._state.members.with_role("trader")
        paid = fee_transfers(self._state.ledger.transfers, traders)
        parties = {"payer": "debit_account", "earner": "credit_account", "kind": "code"}
        return summed(self.chain_id, paid.select("asset", amount="moved", **parties))

    @property
    def rounds(self) -> pl.DataFrame:
        """How each block that was sealed here became final, as `gridlab.chain.ordering.ROUNDS`."""
        return self._ordering.rounds

    def block(self, height: int) -> Block:
        """Return the block at `height`; 0 is genesis, another one than the chain has raises ArgumentError."""
        return self._record.blocks[require_int("height", height, 0, self.height)]

    def rules_of(self, height: int) -> RuleSet:
        """Return the rules that executed the block at `height`, or raise ArgumentError where there is none."""
        return self._releases.rules[self.block(height).header.rules_version]

    @property
    def released(self) -> Mapping[int, RuleSet]:
        """All sets of rules that are known here, by version; not all of them need be in force or ever be."""
        return self._releases.rules

    def effects_of(self, kind: str) -> dict[int, Effect]:
        """Return what a kind of transaction does, by version of the rules; one that does not have it is left out.

        Raises
        ------
        ArgumentTypeError, ChainError
            `kind` is not text, or no version has it.
        """
        sets = sorted(self.released.items())
        effect_of(kind, {name: effect for _, rules in sets for name, effect in rules.effects.items()})
        return {version: rules.effects[kind] for version, rules in sets if kind in rules.effects}

    def payloads(self, kind: str, height: int | None = None) -> pl.DataFrame:
        """Return the rows of all accepted payloads of one kind, in the order of execution.

        Parameters
        ----------
        kind : str
            "order_batch", "settlement", …
        height : int, optional
            Only those of this block.

        Returns
        -------
        polars.DataFrame
            The columns of that kind's schema; an Enum that each sender chose for itself comes as String.

        Raises
        ------
        ChainError, ArgumentError
            The kind or the block does not exist.
        """
        effects = self.effects_of(kind)
        return accepted_payloads(kind, effects, self._record.blocks if height is None else [self.block(height)])
