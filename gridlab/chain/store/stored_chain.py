"""A chain that lives in a store: each final block is on disk before `seal` returns it, and opening proves all of it.

Opening executes every block again from genesis: signatures, receipts, roots and certificates are those that a stranger
would find. Whoever knows the hash of a block, from a colleague or an earlier day, may trust that instead. All hashes
lead back from it, so its ancestors' headers, transactions and receipts are proved by hashing alone; the state after one
of them is taken from a snapshot whose root stands in its header; and only what comes later is executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gridlab.chain.arguments import require_bytes
from gridlab.chain.blocks import Block
from gridlab.chain.chain_views import ChainViews
from gridlab.chain.effects import RuleSet
from gridlab.chain.exchange import Exchange
from gridlab.chain.genesis import Genesis
from gridlab.chain.genesis_parts import checked_ordering
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.ordering import Ordering
from gridlab.chain.releases import Releases
from gridlab.chain.snapshot import decode_state
from gridlab.chain.state import State
from gridlab.chain.store.rows import require_whole
from gridlab.chain.store.store import SNAPSHOT_EVERY, Store
from gridlab.errors import ArgumentTypeError, GridlabError, StoreError

__all__ = ["StoredChain"]


class StoredChain(ChainViews):
    """The half of `ConsortiumChain` that keeps blocks in a file; without a store it does nothing."""

    _store: Store | None = None
    _unwritten: tuple[State, Block] | None = None

    if TYPE_CHECKING:

        def _start(self, genesis: Genesis, ordering: Ordering, releases: Releases) -> None: ...

        def append_block(self, block: Block) -> None: ...  # noqa: D102 - the chain's own

    @property
    def store(self) -> Store | None:
        """The store in which the chain lives, if it lives in one."""
        return self._store

    def store_in(
        self,
        path: str | Path,
        *,
        notes: Mapping[str, bytes] | None = None,
        snapshot_every: int = SNAPSHOT_EVERY,
    ) -> Store:
        """Make a store with all blocks so far, and write every later one to it before `seal` returns it.

        Parameters
        ----------
        path : str or Path
            Where nothing is yet.
        notes : mapping of str to bytes, optional
            What somebody wants to know when the store is opened again.
        snapshot_every : int
            Blocks between two snapshots of the state, 1 or more; they make `open` with a checkpoint fast.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument has a wrong type or is out of bounds.
        StoreError
            The chain lives in a store already, there is something at `path`, or it cannot be written there.
        """
        self._require_no_store()
        blocks = self._record.blocks[1:]
        self._store = Store.create(path, self._genesis, blocks=blocks, notes=notes, snapshot_every=snapshot_every)
        return self._store

    def resume_in(self, path: str | Path) -> Store:
        """Go on in a store that an earlier run of the same chain left: what it holds must come again, then more.

        Every block that is sealed from now on at a height that the store has must be the stored one to the last byte;
        the first one beyond is written, as with `store_in`. So a run that is repeatable is finished after it was
        killed, and each of its stored blocks is proved on the way.

        Raises
        ------
        ArgumentTypeError
            `path` is no file name.
        MissingStoreError
            There is no such file.
        StoreError
            The chain lives in a store already; or this one is damaged, in use, or of another genesis.
        """
        self._require_no_store()
        store = Store.open(path)
        with _closed_on_error(store):
            store.check()
            store.confirm_genesis(self._genesis)
            for block in self._record.blocks[1:]:
                store.confirm(block)
        self._store = store
        return store

    def _require_no_store(self) -> None:
        if self._store is not None:
            raise StoreError(f"the chain lives in {self._store.path} already; close it, or copy that file")

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        ordering: Ordering | None = None,
        exchange: Exchange | None = None,
        exchanges: Sequence[Exchange] = (),
        rules: Sequence[RuleSet] = (),
        checkpoint: bytes | None = None,
        read_only: bool = False,
    ) -> Self:
        """Open the chain in a store, once everything in it is proved, and go on where it stopped.

        Parameters
        ----------
        path : str or Path
        ordering : Ordering, optional
            Who goes on sealing; without it the chain can be read and checked, and not sealed.
        exchange : Exchange, optional
            The one that genesis names, where it names one.
        exchanges, rules : sequence, optional
            What came into force later: exchanges, and rules beside the package's own.
        checkpoint : bytes, optional
            Hash of a block that you trust, 32 bytes. Without it every block is executed again from genesis.
        read_only : bool
            Only look, which is allowed while another process writes.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument has a wrong type or length.
        MissingStoreError
            There is no such file.
        StoreError
            The store is damaged, in use, or not one of this chain; the error names what differs, and at which height.
        """
        if checkpoint is not None:
            require_bytes("checkpoint", checkpoint, HASH_BYTES)
        store = Store.open(path, read_only=read_only)
        with _closed_on_error(store):
            store.check_registers()
            chain = object.__new__(cls)
            releases = Releases.of(store.genesis, exchange, exchanges, rules)
            chain._start(store.genesis, checked_ordering(store.genesis, ordering), releases)
            chain._take(store, checkpoint)
        chain._store = store
        return chain

    def _take(self, store: Store, checkpoint: bytes | None) -> None:
        trusted = 0 if checkpoint is None else store.height_of(checkpoint)
        start = max((height for height in store.snapshot_heights() if height <= trusted), default=0)
        for block in store.blocks():
            if block.height > start:
                self.append_block(block)
                continue
            require_whole(block)
            self._releases.require_version(block.height, block.header.rules_version)
            self._record.append(block)
            self._head = block.header
            if block.height == start:
                self._state = decode_state(store.snapshot(start), block.header)

    def _write(self, block: Block, state: State) -> None:
        if self._store is None:
            return
        if block.height <= self._store.head.height:
            self._store.confirm(block)
        else:
            self._store.append(block, state)

    def close(self) -> None:
        """Let the store go, so that another process may write to it; the chain in memory stays as it is."""
        if self._store is not None:
            self._store.close()


@contextmanager
def _closed_on_error(store: Store) -> Iterator[None]:
    """Close the store if something goes wrong, and say of which file it was said."""
    try:
        yield
    except BaseException as problem:
        store.close()
        # What a caller did wrong stays what it is; what the file says wrong is an error of the store.
        if isinstance(problem, GridlabError) and not isinstance(problem, (StoreError, ArgumentTypeError)):
            raise StoreError(f"{store.path}: {problem}") from problem
        raise
