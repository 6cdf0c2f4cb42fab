"""The final blocks of a public chain, and the frames in which people look at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from gridlab.chain.hashing import hexadecimal
from gridlab.chain.public.authorities import AuthoritySet
from gridlab.chain.public.batch import Batch
from gridlab.chain.public.blocks import PublicBlock
from gridlab.chain.receipts import ACCEPTED
from gridlab.frames import SLOT

__all__ = ["PUBLIC_BLOCKS", "PUBLIC_TRANSACTIONS", "PublicRecord"]

PUBLIC_BLOCKS: Mapping[str, Any] = {
    "height": pl.UInt64,
    "slot": pl.UInt64,
    "time": SLOT,
    "hash": pl.String,
    "parent": pl.String,
    "seat": pl.UInt32,
    "primary": pl.Boolean,
    "transactions": pl.UInt32,
    "failed": pl.UInt32,
    "weight": pl.UInt64,
    "bytes": pl.UInt64,
    "fees": pl.Int64,
    "tips": pl.Int64,
    "state_root": pl.String,
    "rules_version": pl.UInt32,
    "final": pl.Boolean,
    "signatures": pl.UInt32,
    "stake_ppb": pl.UInt32,
}

PUBLIC_TRANSACTIONS: Mapping[str, Any] = {
    "height": pl.UInt64,
    "index": pl.UInt32,
    "id": pl.String,
    "kind": pl.String,
    "sender": pl.String,
    "account": pl.UInt32,
    "nonce": pl.UInt64,
    "tip": pl.Int64,
    "bytes": pl.Int64,
    "accepted": pl.Boolean,
    "code": pl.String,
    "reason": pl.String,
}


class PublicRecord:
    """Blocks by height, and their rows.

    Parameters
    ----------
    genesis : PublicBlock
        Height 0.
    """

    __slots__ = ("_authorities", "_rows", "_transactions", "_until", "blocks")

    def __init__(self, genesis: PublicBlock) -> None:
        self.blocks = [genesis]
        # The set that certified each block, height 1 first.
        self._authorities: list[AuthoritySet] = []
        self._rows = [_block_row(genesis, None)]
        self._transactions, self._until = pl.DataFrame(schema=dict(PUBLIC_TRANSACTIONS)), 1

    def append(self, block: PublicBlock, authorities: AuthoritySet) -> None:
        """Add the next final block, which this set has certified."""
        self._rows.append(_block_row(block, authorities))
        self._authorities.append(authorities)
        self.blocks.append(block)

    def authorities(self, height: int) -> AuthoritySet:
        """Return the set that certified the block at a height of 1 or more."""
        return self._authorities[height - 1]

    def block_frame(self, branch: Iterable[PublicBlock] = ()) -> pl.DataFrame:
        """Return one row per block, as `PUBLIC_BLOCKS`, with those of a branch that is not final behind them."""
        rows = [*self._rows, *(_block_row(block, None) for block in branch)]
        frame = pl.DataFrame(rows, schema={**PUBLIC_BLOCKS, "time": pl.Int64}, orient="row")
        return frame.with_columns(pl.col("time").cast(SLOT))

    def transaction_frame(self) -> pl.DataFrame:
        """Return one row per final transaction, as `PUBLIC_TRANSACTIONS`."""
        later = self.blocks[self._until :]
        self._transactions = pl.concat([self._transactions, *map(_transaction_rows, later)])
        self._until = len(self.blocks)
        return self._transactions


def _block_row(block: PublicBlock, authorities: AuthoritySet | None) -> tuple[Any, ...]:
    header, proof = block.header, block.justification
    signed = len(proof.signatures) if proof else 0
    stake = proof.weight(authorities) * 10**9 // authorities.total if proof and authorities else 0
    return (
        header.height,
        header.slot,
        header.timestamp,
        hexadecimal(header.hash),
        hexadecimal(header.parent),
        header.seat,
        header.primary,
        len(block.transactions),
        block.failed,
        block.weight,
        int(block.transactions.sizes.sum()),
        block.fees,
        block.tips,
        hexadecimal(header.state_root),
        header.rules_version,
        proof is not None or header.height == 0,
        signed,
        stake,
    )


def _transaction_rows(block: PublicBlock) -> pl.DataFrame:
    batch, receipts = Batch.of(block.transactions), block.receipts
    count = len(batch)
    columns: dict[str, Any] = {
        "height": np.full(count, block.height, np.uint64),
        "index": np.arange(count, dtype=np.uint32),
        "id": _hexadecimal(batch.transactions.ids),
        "kind": pl.Series(batch.kinds, dtype=pl.String),
        "sender": _hexadecimal(batch.transactions.senders),
        "account": pl.Series(receipts.accounts if receipts else [None] * count, dtype=pl.UInt32),
        "nonce": batch.nonce,
        "tip": batch.tip,
        "bytes": batch.size,
        "accepted": pl.Series(receipts.codes if receipts else [], dtype=pl.String) == ACCEPTED,
        "code": pl.Series(receipts.codes if receipts else [], dtype=pl.String),
        "reason": pl.Series(receipts.reasons if receipts else [], dtype=pl.String),
    }
    return pl.DataFrame(columns, schema=dict(PUBLIC_TRANSACTIONS))


def _hexadecimal(names: Iterable[bytes]) -> pl.Series:
    return "0x" + pl.Series(list(names), dtype=pl.Binary).bin.encode("hex")
