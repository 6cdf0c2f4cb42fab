"""The consortium chain: licensed members send signed transactions, blocks execute them, everything can be replayed.

Membership, signatures, execution, receipts, roots and replay are here. Who puts transactions in order and what makes a
block final is the business of an `Ordering`: by default twenty-one validators that agree by PBFT.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from gridlab.chain import keys
from gridlab.chain.arguments import require_int
from gridlab.chain.authority import authority_hash
from gridlab.chain.blocks import Block, Header, receipts_root, transactions_root
from gridlab.chain.effects import RuleSet
from gridlab.chain.exchange import Exchange, require_exchange
from gridlab.chain.execution import effect_of, encode_payload, execute
from gridlab.chain.genesis import Genesis
from gridlab.chain.genesis_parts import checked_ordering
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.members import Members
from gridlab.chain.moments import require_microseconds
from gridlab.chain.ordering import Ordering, require_ordering
from gridlab.chain.pbft_ordering import PbftOrdering
from gridlab.chain.pool import Pool
from gridlab.chain.record import BlockRecord
from gridlab.chain.releases import Releases
from gridlab.chain.saved_chain import pack, unpack
from gridlab.chain.shards.plan import ShardPlan
from gridlab.chain.shards.terms import ShardTerms
from gridlab.chain.state import State
from gridlab.chain.store.stored_chain import StoredChain
from gridlab.chain.terms import ChainTerms, require_terms
from gridlab.chain.transaction_list import TransactionList
from gridlab.chain.transactions import Transaction
from gridlab.chain.versioned_chain import VersionedChain
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["ConsortiumChain"]

_RULES_VERSION = 1


class ConsortiumChain(StoredChain, VersionedChain):
    """A permissioned chain of blocks over an exact ledger.

    Parameters
    ----------
    members : polars.DataFrame
        Columns account (0 … n - 1), name, role, public_key; `gridlab.chain.members.MEMBERS` declares them.
    chain_id : str
        Name of the chain; a transaction signed for another name is refused.
    ordering : Ordering, optional
        Who orders transactions; by default 21 validators with sandbox keys that agree by PBFT.
    exchange : Exchange, optional
        Who clears orders when a gate closes; without one, order batches are recorded and cleared elsewhere.
    exchanges : sequence of Exchange, optional
        Others that may clear later (`change_market`); `release` makes more of them known.
    rules : sequence of RuleSet, optional
        Released versions of the rules beside the package's own (`approve`).
    terms : ChainTerms, optional
        Fees and limits; by default transactions are free.
    shards : polars.DataFrame, optional
        Account and shard (`gridlab.chain.shards.home_shards`): with it balances live in shards, and every block commits
        to the root of each. Members without a row live in a shard of their own, ``institutions``.
    shard_terms : ShardTerms, optional
        How long a transfer may travel between shards.
    genesis_time : datetime or int
        No block may be older; a datetime, or microseconds since 1970-01-01 UTC. A datetime without a time zone is
        Bangkok time.
    store : str or Path, optional
        A new file in which every block is kept (`store_in`); `ConsortiumChain.open` goes on in one that is there.

    Raises
    ------
    ArgumentTypeError, ArgumentError, FrameError
        `members` or another argument does not fit.
    StoreError
        There is something at `store`, or it cannot be written there.

    Examples
    --------
    >>> bank, issuer, trader = (keys.sandbox(0, name) for name in ("bank", "issuer", "trader"))
    >>> chain = ConsortiumChain(pl.DataFrame({
    ...     "account": [0, 1, 2], "name": ["bank", "issuer", "trader"],
    ...     "role": ["reserve_bank", "watt_issuer", "trader"],
    ...     "public_key": [bank.public_key, issuer.public_key, trader.public_key]}))
    >>> def transfer(id, debit, credit, asset, code):
    ...     return pl.DataFrame({"transfer_id": [id], "debit_account": [debit], "credit_account": [credit],
    ...                          "asset": [asset], "amount": [100_000_000], "code": [code]})
    >>> _ = chain.send(bank, "reserve", transfer(1, 0, 1, "THB", "reserve"))
    >>> _ = chain.send(issuer, "mint", transfer(2, 1, 2, "WATT", "mint"))
    >>> chain.seal(datetime(2026, 4, 1)).rejected, chain.ledger.balance(2, "WATT")
    (0, 100000000)
    """

    def __init__(
        self,
        members: pl.DataFrame | pl.LazyFrame,
        *,
        chain_id: str = "gridlab-consortium",
        ordering: Ordering | None = None,
        exchange: Exchange | None = None,
        exchanges: Sequence[Exchange] = (),
        rules: Sequence[RuleSet] = (),
        terms: ChainTerms | None = None,
        shards: pl.DataFrame | pl.LazyFrame | None = None,
        shard_terms: ShardTerms | None = None,
        genesis_time: datetime | int = 0,
        store: str | Path | None = None,
    ) -> None:
        ordering = PbftOrdering.of(21) if ordering is None else require_ordering(ordering)
        listed = Members.of(members)
        genesis = Genesis(
            chain_id,
            require_microseconds("genesis_time", genesis_time),
            _RULES_VERSION,
            ordering.name,
            ordering.authority,
            listed,
            ChainTerms() if terms is None else require_terms(terms),
            b"" if exchange is None else require_exchange(exchange).terms,
            None if shards is None else ShardPlan.of(shards, len(listed), shard_terms),
        )
        self._start(genesis, ordering, Releases.of(genesis, exchange, exchanges, rules))
        if store is not None:
            self.store_in(store)

    def _start(self, genesis: Genesis, ordering: Ordering, releases: Releases) -> None:
        self._genesis, self._ordering, self._releases = genesis, ordering, releases
        self._state = genesis.state
        self._head = genesis.header
        self._record = BlockRecord(Block(self._head, (), b""), len(genesis.to_bytes()))
        self._pool = Pool(genesis.chain_id)

    def sign(
        self,
        key_pair: keys.KeyPair,
        kind: str,
        frame: pl.DataFrame | pl.LazyFrame,
        *,
        valid_for: int = 96,
    ) -> Transaction:
        """Check a frame, encode it and sign it as the sender's next transaction, without submitting it.

        The nonce counts on from what the sender has pending, so a rejected one among those makes this one fail, too.

        Parameters
        ----------
        key_pair : KeyPair
            The sender.
        kind : str
            A row of the table of effects.
        frame : polars.DataFrame or polars.LazyFrame
            As the kind's schema declares.
        valid_for : int
            How many blocks from the next on may accept it, 1 or more.

        Raises
        ------
        ArgumentTypeError, ArgumentError, FrameError, ChainError
            An argument does not fit, the kind is not known, or the sender is not a member.
        """
        keys.require_key_pair("key_pair", key_pair)
        effect = effect_of(kind, self.rules.effects)
        sender = key_pair.public_key
        account = self._state.members.account_of.get(sender)
        if account is None:
            raise ChainError(f"{key_pair} is not a member of {self.chain_id!r}; a regulator can license it")
        return Transaction.sign(
            key_pair,
            chain_id=self.chain_id,
            kind=kind,
            nonce=int(self._state.nonces[account]) + self._pool.of_sender(sender),
            expiry=self.height + require_int("valid_for", valid_for, 1, 2**32),
            payload=encode_payload(effect, frame),
        )

    def send(
        self,
        key_pair: keys.KeyPair,
        kind: str,
        frame: pl.DataFrame | pl.LazyFrame,
        *,
        valid_for: int = 96,
    ) -> Transaction:
        """Sign a frame as `sign` does and submit it."""
        transaction = self.sign(key_pair, kind, frame, valid_for=valid_for)
        self.submit(transaction)
        return transaction

    def submit(self, transaction: Transaction) -> bytes:
        """Queue a `Transaction` for the next block, whose receipt says what became of it; returns its id.

        Raises
        ------
        ArgumentTypeError, ChainError
            It is no transaction, is too large, there is no room for it, or it approves what is not known here.
        """
        if not isinstance(transaction, Transaction):
            raise ArgumentTypeError(
                f"transaction is a {type(transaction).__name__}, allowed: a Transaction; "
                "chain.send(key_pair, kind, frame) makes one, Transaction.from_bytes(data) reads one"
            )
        self._require_known([transaction])
        self._pool.add(transaction, self._state.terms)
        return transaction.id

    def submit_many(self, transactions: Iterable[Transaction | bytes]) -> TransactionList:
        """Queue many transactions for the next blocks, all or none, and check their signatures meanwhile.

        Parameters
        ----------
        transactions : iterable of Transaction or bytes
            The bytes are those that `Transaction.to_bytes` returns. One that waits already is not taken twice.

        Returns
        -------
        TransactionList
            All of them; ``.ids`` gives their ids, ``.signed`` which signatures are valid. A transaction with a bad one
            is queued as well: its receipt tells its sender so.

        Raises
        ------
        ArgumentTypeError, ChainError
            One is no transaction or too large (the error gives its place), there is no room for all of them, or one
            approves what is not known here.
        """
        listed = TransactionList.of(transactions, self.chain_id)
        _ = listed.signed
        self._require_known(listed)
        self._pool.add_many(listed, self._state.terms)
        return listed

    def seal(self, timestamp: datetime | int) -> Block:
        """Execute the pending transactions and append the block.

        Parameters
        ----------
        timestamp : datetime or int
            Start of the slot: a datetime (Bangkok time where it has no zone), or microseconds since 1970-01-01 UTC.
            Not before the block before it.

        Returns
        -------
        Block
            With one receipt per transaction; a rejected one says why and changes nothing.

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            `timestamp` does not fit, or is before the parent's, or no block became final; nothing has changed.
        StoreError
            The store refuses the block. It is final and waits: once there is room, the next call writes and returns it.
        """
        moment = require_microseconds("timestamp", timestamp)
        if self._unwritten is not None:
            return self._finish(*self._unwritten)
        drafts: dict[bytes, tuple[State, Block]] = {}

        def executed(transactions: Sequence[Transaction]) -> Block:
            state, draft = self._executed(transactions, moment)
            drafts[draft.hash] = state, draft
            return draft

        proposed = executed(self._ordering.arrange(self._pool.next_block(self._state.terms)))
        decided, certificate = self._ordering.decide(proposed, executed, self._state.authority.at(proposed.height))
        # What stands may have been offered before, when no quorum answered, and have its own moment.
        state, draft = drafts.get(decided.hash) or self._executed(decided.transactions, decided.header.timestamp)
        block = Block(draft.header, draft.transactions, certificate, draft.receipts)
        return self._finish(state, block)

    def _finish(self, state: State, block: Block) -> Block:
        # Final whatever the disk says: until it is written, no other block can have this height.
        self._unwritten = state, block
        self._append(state, block)
        self._unwritten = None
        self._pool.remove(block.transactions)
        return block

    def _executed(self, transactions: Sequence[Transaction], timestamp: int) -> tuple[State, Block]:
        if timestamp < self._head.timestamp:
            raise ChainError(
                f"block {self.height + 1} is of {timestamp} µs, its parent of {self._head.timestamp} µs since 1970; "
                "a block is never older than its parent"
            )
        state, context = self._turned(timestamp)
        height = context.height
        receipts = execute(state, transactions, context)
        state.authority = state.authority.after(height)
        if state.shards is not None:
            state.shards.move(self._state.ledger, state.ledger, timestamp)
        header = Header(
            chain_id=self.chain_id,
            height=height,
            parent=self._head.hash,
            timestamp=timestamp,
            transactions_root=transactions_root(transactions),
            receipts_root=receipts_root(receipts),
            state_root=state.root,
            rules_version=state.versions.rules,
            next_authority=authority_hash(state.authority.at(height + 1)),
        )
        return state, Block(header, transactions, b"", receipts)

    def _append(self, state: State, block: Block) -> None:
        self._write(block, state)
        self._record.append(block)
        self._state = state
        self._head = block.header

    def append_block(self, block: Block) -> None:
        """Execute a block that was sealed elsewhere and append it, if it is exactly what execution gives.

        Raises
        ------
        ArgumentTypeError
            It is not a `Block`.
        ChainError
            The error names the height and what differs. Nothing has changed then.
        """
        if not isinstance(block, Block):
            raise ArgumentTypeError(f"block is a {type(block).__name__}, allowed: a Block")
        self._state.terms.require_room(block.height, len(block.transactions), block.size)
        state, own = self._executed(block.transactions, block.header.timestamp)
        block.header.require_equal(own.header)
        if not self._ordering.accepts(block.header, block.certificate, self._state.authority.at(block.height)):
            raise ChainError(f"block {own.height}: its certificate does not make this header final")
        self._append(state, Block(block.header, block.transactions, block.certificate, own.receipts))

    def replay(self) -> ConsortiumChain:
        """Execute every block again from genesis and return the chain that results, an independent copy of this one.

        Raises
        ------
        ChainError
            A block is not what execution gives; the error names its height and what differs.
        """
        blocks, ordering = self._record.blocks[1:], self._ordering.twin()
        return ConsortiumChain._from_blocks(self._genesis, blocks, ordering, self._releases)

    @classmethod
    def _from_blocks(
        cls, genesis: Genesis, blocks: Sequence[Block], ordering: Ordering | None, releases: Releases
    ) -> ConsortiumChain:
        chain = object.__new__(cls)
        chain._start(genesis, checked_ordering(genesis, ordering), releases.copy())
        for block in blocks:
            chain.append_block(block)
        return chain

    def to_bytes(self) -> bytes:
        """Return genesis, all blocks and the head's hash as canonical bytes; pending transactions are not in it."""
        return pack(self._genesis, self._record.blocks[1:], self._head.hash)

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        *,
        ordering: Ordering | None = None,
        exchange: Exchange | None = None,
        exchanges: Sequence[Exchange] = (),
        rules: Sequence[RuleSet] = (),
    ) -> ConsortiumChain:
        """Read a chain that `to_bytes` wrote, executing every block again.

        Parameters
        ----------
        data : bytes
        ordering : Ordering, optional
            Who goes on sealing; without it the chain can be read and checked, and not sealed.
        exchange : Exchange, optional
            The one that genesis names, where it names one: orders are cleared again.
        exchanges, rules : sequence, optional
            What came into force later: exchanges, and rules beside the package's own.

        Raises
        ------
        ArgumentTypeError
            `data` is not ``bytes``, or an argument is of a wrong type.
        GridlabError
            The bytes are damaged, or a block is not what execution gives; the error says where.
        """
        genesis, blocks, head_hash = unpack(data)
        chain = cls._from_blocks(genesis, blocks, ordering, Releases.of(genesis, exchange, exchanges, rules))
        own = chain.head.hash
        if head_hash != own:
            raise ChainError(
                f"block {chain.height}: its hash is {hexadecimal(head_hash)}, replaying gives {hexadecimal(own)}"
            )
        return chain
