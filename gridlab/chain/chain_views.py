"""What a chain shows of itself: its registers and its blocks as frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.blocks import Block, Header
from gridlab.chain.bridge.end import BridgeEnd
from gridlab.chain.channels.book import ChannelBook
from gridlab.chain.effects import Effect
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger import Ledger
from gridlab.chain.payloads import effect_of
from gridlab.chain.pool import Pool
from gridlab.chain.record import BlockRecord, accepted_payloads
from gridlab.chain.state import State
from gridlab.chain.swaps.lock_book import LockBook
from gridlab.chain.swaps.stops import Stops
from gridlab.chain.terms import ChainTerms
from gridlab.chain.transactions import Transaction
from gridlab.doors import through

if TYPE_CHECKING:
    from gridlab.chain.exchange import Exchange
    from gridlab.chain.genesis import Genesis
    from gridlab.chain.ordering import Ordering

__all__ = ["ChainViews"]

_FINGERPRINT_DOMAIN = "gridlab/chain-fingerprint/1"


class ChainViews:
    """The reading half of `ConsortiumChain`; nothing here changes anything."""

    _genesis: Genesis
    _ordering: Ordering
    _exchange: Exchange | None
    _effects: Mapping[str, Effect]
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
    def exchange(self) -> Exchange | None:
        """Who clears orders when a gate closes; None where nobody does."""
        return self._exchange

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
    def stops(self) -> Stops:
        """The emergency stops that the chain was told of, its own among them."""
        return self._state.locked.stops

    def state_leaves(self) -> list[bytes]:
        """Return the leaves under the newest block's state root (`gridlab.chain.state.State.leaves`), for proofs."""
        return self._state.leaves()

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
        paid = self._state.ledger.transfers.filter(pl.col("code") == "chain_fee")
        totals = paid.group_by(account="debit_account").agg(fees=pl.col("amount").sum())
        return totals.sort("account")

    @property
    def rounds(self) -> pl.DataFrame:
        """How each block that was sealed here became final, as `gridlab.chain.ordering.ROUNDS`."""
        return self._ordering.rounds

    def block(self, height: int) -> Block:
        """Return the block at `height`; 0 is genesis, another one than the chain has raises ArgumentError."""
        return self._record.blocks[require_int("height", height, 0, self.height)]

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
        effect = effect_of(kind, self._effects)
        return accepted_payloads(kind, effect, self._record.blocks if height is None else [self.block(height)])
