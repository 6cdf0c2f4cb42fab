"""Signing and submitting: how a transaction comes to wait for a block of the public chain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import polars as pl

from gridlab.chain import keys
from gridlab.chain.arguments import require_int
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.payloads import decode_payload
from gridlab.chain.public.batch import Batch
from gridlab.chain.public.envelope import open_envelope, seal_envelope
from gridlab.chain.public.evidence_effects import report_frame
from gridlab.chain.public.failing import FailingChain
from gridlab.chain.public.pallets import AskedUpgrade
from gridlab.chain.staking import EquivocationProof
from gridlab.chain.transaction_list import TransactionList
from gridlab.chain.transactions import Transaction
from gridlab.errors import ArgumentTypeError, ChainError, nearest

if TYPE_CHECKING:
    from gridlab.chain.effects import Effect

__all__ = ["SendingChain"]


class SendingChain(FailingChain):
    """A chain that takes transactions; `PublicChain` is one."""

    def sign(
        self,
        key_pair: keys.KeyPair,
        kind: str,
        frame: pl.DataFrame | pl.LazyFrame,
        *,
        tip: int = 0,
        valid_for: int = 600,
    ) -> Transaction:
        """Check a frame, encode it and sign it as the sender's next transaction, without submitting it.

        Parameters
        ----------
        key_pair : KeyPair
            The sender.
        kind : str
            A kind of transaction (`kinds` lists them).
        frame : polars.DataFrame or polars.LazyFrame
            As the kind's schema declares.
        tip : int
            micro-GRID for the block's author, which buys priority.
        valid_for : int
            How many blocks from the next on may hold it.

        Raises
        ------
        ArgumentTypeError, ArgumentError, FrameError, ChainError
            An argument does not fit, the kind is not known, or the sender has no account.
        """
        keys.require_key_pair("key_pair", key_pair)
        state, effects = self.best.state, self.rules.effects
        if kind not in effects:
            raise ChainError(f"kind {kind!r} is not known; {nearest(kind, effects)}")
        account = self.account(key_pair)
        schema = effects[kind].schema
        checked = schema.check(frame)
        columns = [column.name for column in schema.columns if column.name in checked.columns]
        require_int("valid_for", valid_for, 1, self.rules.fees.lifetime)
        return Transaction.sign(
            key_pair,
            chain_id=self.chain_id,
            kind=kind,
            nonce=self._pool.next_nonce(key_pair.public_key, int(state.nonces[account])),
            expiry=self.best.block.height + valid_for,
            payload=seal_envelope(encode_frame(checked.select(columns)), tip),
        )

    def send(
        self,
        key_pair: keys.KeyPair,
        kind: str,
        frame: pl.DataFrame | pl.LazyFrame,
        *,
        tip: int = 0,
        valid_for: int = 600,
    ) -> Transaction:
        """Sign a frame as `sign` does and submit it."""
        transaction = self.sign(key_pair, kind, frame, tip=tip, valid_for=valid_for)
        self.submit(transaction)
        return transaction

    def report(self, proof: EquivocationProof, reporter: keys.KeyPair, *, tip: int = 0) -> Transaction:
        """Send a proof that a validator signed two things for one place; slashes it once it stands in a block.

        Parameters
        ----------
        proof : EquivocationProof
            `evidence` lists those at hand.
        reporter : KeyPair
            Anybody with an account; is due a share of the slash when that is applied.
        tip : int
            micro-GRID.

        Raises
        ------
        ArgumentTypeError, ChainError
            An argument does not fit, or the reporter has no account.
        """
        return self.send(reporter, "report_equivocation", report_frame(proof), tip=tip)

    def submit(self, transaction: Transaction) -> bytes:
        """Let a transaction wait for a block; returns its id.

        Raises
        ------
        ArgumentTypeError, ChainError
            It is no transaction, can never stand in a block of this chain, or there is no room for it.
        """
        if not isinstance(transaction, Transaction):
            raise ArgumentTypeError(
                f"transaction is a {type(transaction).__name__}, allowed: a Transaction; "
                "chain.send(key_pair, kind, frame) makes one, Transaction.from_bytes(data) reads one"
            )
        self.submit_many([transaction])
        return transaction.id

    def submit_many(self, transactions: Iterable[Transaction | bytes]) -> TransactionList:
        """Let many transactions wait, all or none, and check their signatures.

        Raises
        ------
        ArgumentTypeError, ChainError
            One is no transaction, or can never stand in a block: another chain's, a bad signature, an unknown kind, too
            large. The error gives its place. Or there is no room for all.
        """
        listed = TransactionList.of(transactions, self.chain_id)
        batch = Batch.of(listed)
        self._require_possible(batch)
        self._pool.add(batch)
        return listed

    def _require_possible(self, batch: Batch) -> None:
        signed, effects, limits = batch.transactions.signed, self.rules.effects, self.rules.fees
        for place, (good, single) in enumerate(zip(signed, batch.single.tolist(), strict=True)):
            if not good:
                raise ChainError(f"transactions[{place}]: the signature is not its sender's over this transaction")
            if single:
                continue
            one = batch.transactions[place]
            if one.chain_id != self.chain_id:
                raise ChainError(f"transactions[{place}] is for the chain {one.chain_id!r}, this is {self.chain_id!r}")
            if one.kind not in effects:
                raise ChainError(f"transactions[{place}]: kind {one.kind!r} is not known; {nearest(one.kind, effects)}")
            self._require_released(place, one)
            weight = effects[one.kind].weight_of(int(batch.rows[place]))
            if weight > limits.block_weight or batch.size[place] > limits.block_bytes:
                raise ChainError(
                    f"transactions[{place}] takes {weight} µs and {batch.size[place]} bytes, a block holds "
                    f"{limits.block_weight} µs and {limits.block_bytes} bytes; split its frame"
                )

    def _require_released(self, place: int, transaction: Transaction) -> None:
        # Not a rule of the chain, which does not know who has released what; but this node would have to stop.
        for version, _, rules in self._upgrades_in(transaction):
            known = self._builder.rules.get(version)
            if known is None or known.hash != rules:
                raise ChainError(
                    f"transactions[{place}]: version {version} of the rules is not released under this hash, released "
                    f"are {list(self._builder.rules)}; give PublicChain(rules=…) the set first"
                )

    def _upgrades_in(self, transaction: Transaction) -> list[AskedUpgrade]:
        kind = transaction.kind
        if kind == "upgrade":
            _, payload = open_envelope(transaction.payload)
            return decode_frame(payload, "upgrades").select("version", "height", "rules").rows()
        asked = self._builder.asked_for_upgrades(kind)
        if asked is None:
            return []
        _, payload = open_envelope(transaction.payload)
        # The reader asks for a schema and nothing else.
        return list(asked(kind, decode_payload(cast("Effect", self.rules.effects[kind]), payload)))
