"""The consortium chain: licensed members send signed transactions, blocks execute them, everything can be replayed.

This is the chain without consensus: an `Ordering` decides the order and finality of transactions, and the one that
exists is a single sequencer. Membership, signatures, execution, receipts, roots and replay are whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from gridlab.chain import keys, views
from gridlab.chain.arguments import require_int
from gridlab.chain.blocks import Block, Header, receipts_root, transactions_root
from gridlab.chain.effects import RULES
from gridlab.chain.execution import Context, effect_of, encode_payload, execute
from gridlab.chain.genesis import Genesis
from gridlab.chain.hashing import hexadecimal, tagged_hash
from gridlab.chain.ledger import Ledger
from gridlab.chain.members import Members
from gridlab.chain.moments import require_microseconds
from gridlab.chain.ordering import Ordering, SingleSequencer, ordering_of, require_ordering
from gridlab.chain.pool import Pool
from gridlab.chain.record import BlockRecord, accepted_payloads
from gridlab.chain.saved_chain import pack, unpack
from gridlab.chain.state import State
from gridlab.chain.transactions import Transaction
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["ConsortiumChain"]

_RULES_VERSION = 1
_FINGERPRINT_DOMAIN = "gridlab/chain-fingerprint/1"


class ConsortiumChain:
    """A permissioned chain of blocks over an exact ledger.

    Parameters
    ----------
    members : polars.DataFrame
        Columns account (0 … n - 1), name, role, public_key; `gridlab.chain.members.MEMBERS` declares them.
    chain_id : str
        Name of the chain; a transaction signed for another name is refused.
    ordering : Ordering, optional
        Who orders transactions; by default a single sequencer with a sandbox key, and no consensus.
    genesis_time : datetime or int
        No block may be older; a datetime, or microseconds since 1970-01-01 UTC. A datetime without a time zone is
        Bangkok time.

    Raises
    ------
    ArgumentTypeError, ArgumentError, FrameError
        `members` or another argument does not fit.

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
        genesis_time: datetime | int = 0,
    ) -> None:
        if ordering is None:
            ordering = SingleSequencer(keys.sandbox(0, "sequencer"))
        require_ordering(ordering)
        moment = require_microseconds("genesis_time", genesis_time)
        checked = Members.of(members)
        self._start(Genesis(chain_id, moment, _RULES_VERSION, ordering.name, ordering.authority, checked), ordering)

    def _start(self, genesis: Genesis, ordering: Ordering) -> None:
        self._genesis, self._ordering = genesis, ordering
        self._effects = RULES[genesis.rules_version]
        self._state = State.of(genesis.members, genesis.chain_id)
        self._head = genesis.header
        self._record = BlockRecord(Block(self._head, (), b""), len(genesis.to_bytes()))
        self._pool = Pool()

    def __repr__(self) -> str:
        return (
            f"ConsortiumChain({self.chain_id!r}, height {self.height}, {len(self._state.members)} members, "
            f"{len(self._pool)} transactions pending)"
        )

    def _repr_html_(self) -> str:
        return views.chain_html(self)

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
    def pending(self) -> tuple[Transaction, ...]:
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
        effect = effect_of(kind, self._effects)
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
        """Queue a `Transaction` for the next block, whose receipt says what became of it; returns its id."""
        if not isinstance(transaction, Transaction):
            raise ArgumentTypeError(
                f"transaction is a {type(transaction).__name__}, allowed: a Transaction; "
                "chain.send(key_pair, kind, frame) makes one, Transaction.from_bytes(data) reads one"
            )
        self._pool.add(transaction)
        return transaction.id

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
            `timestamp` does not fit, or is before the parent's, or the block cannot be certified; nothing has changed.
        """
        moment = require_microseconds("timestamp", timestamp)
        transactions = tuple(self._ordering.arrange(self._pool.waiting))
        state, draft = self._executed(transactions, moment)
        certificate = self._ordering.certify(self.chain_id, draft.hash)
        block = Block(draft.header, transactions, certificate, draft.receipts)
        self._append(state, block)
        self._pool.remove(transactions)
        return block

    def _executed(self, transactions: Sequence[Transaction], timestamp: int) -> tuple[State, Block]:
        if timestamp < self._head.timestamp:
            raise ChainError(
                f"block {self.height + 1} is of {timestamp} µs, its parent of {self._head.timestamp} µs since 1970; "
                "a block is never older than its parent"
            )
        state = self._state.fork()
        height = self.height + 1
        receipts = execute(state, transactions, Context(self.chain_id, height, self._effects))
        header = Header(
            chain_id=self.chain_id,
            height=height,
            parent=self._head.hash,
            timestamp=timestamp,
            transactions_root=transactions_root(transactions),
            receipts_root=receipts_root(receipts),
            state_root=state.root,
            rules_version=self._genesis.rules_version,
        )
        return state, Block(header, tuple(transactions), b"", receipts)

    def _append(self, state: State, block: Block) -> None:
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
        state, own = self._executed(block.transactions, block.header.timestamp)
        block.header.require_equal(own.header)
        if not self._ordering.accepts(self.chain_id, block.hash, block.certificate):
            raise ChainError(f"block {own.height}: its certificate is not one of {self._ordering!r} over this header")
        self._append(state, Block(block.header, block.transactions, block.certificate, own.receipts))

    def replay(self) -> ConsortiumChain:
        """Execute every block again from genesis and return the chain that results.

        Raises
        ------
        ChainError
            A block is not what execution gives; the error names its height and what differs.
        """
        return ConsortiumChain._from_blocks(self._genesis, self._ordering, self._record.blocks[1:])

    @classmethod
    def _from_blocks(cls, genesis: Genesis, ordering: Ordering, blocks: Sequence[Block]) -> ConsortiumChain:
        chain = object.__new__(cls)
        chain._start(genesis, ordering)
        for block in blocks:
            chain.append_block(block)
        return chain

    def to_bytes(self) -> bytes:
        """Return genesis, all blocks and the head's hash as canonical bytes; pending transactions are not in it."""
        return pack(self._genesis, self._record.blocks[1:], self._head.hash)

    @classmethod
    def from_bytes(cls, data: bytes, *, ordering: Ordering | None = None) -> ConsortiumChain:
        """Read a chain that `to_bytes` wrote, executing every block again.

        Parameters
        ----------
        data : bytes
        ordering : Ordering, optional
            Who goes on sealing; without it the chain can be read and checked, and not sealed.

        Raises
        ------
        ArgumentTypeError
            `data` is not ``bytes``, or `ordering` not an Ordering.
        GridlabError
            The bytes are damaged, or a block is not what execution gives; the error says where.
        """
        genesis, blocks, head_hash = unpack(data)
        if ordering is None:
            ordering = ordering_of(genesis.ordering_name, genesis.ordering_authority)
        require_ordering(ordering)
        if (ordering.name, ordering.authority) != (genesis.ordering_name, genesis.ordering_authority):
            raise ChainError(f"{ordering!r} is not the ordering that genesis names, {genesis.ordering_name!r}")
        chain = cls._from_blocks(genesis, ordering, blocks)
        own = chain.head.hash
        if head_hash != own:
            raise ChainError(
                f"block {chain.height}: its hash is {hexadecimal(head_hash)}, replaying gives {hexadecimal(own)}"
            )
        return chain
