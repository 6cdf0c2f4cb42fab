"""All blocks of a chain, and the frames in which people look at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from gridlab.chain.blocks import Block
from gridlab.chain.effects import Effect
from gridlab.chain.execution import decode_payload
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.trades import TRADES
from gridlab.frames import SLOT

__all__ = ["BLOCKS", "TRANSACTIONS", "BlockRecord", "accepted_payloads"]

BLOCKS: Mapping[str, Any] = {
    "height": pl.UInt64,
    "slot": SLOT,
    "hash": pl.String,
    "parent": pl.String,
    "transactions": pl.UInt32,
    "rejected": pl.UInt32,
    "bytes": pl.UInt64,
    "transactions_root": pl.String,
    "receipts_root": pl.String,
    "state_root": pl.String,
    "rules_version": pl.UInt32,
}

TRANSACTIONS: Mapping[str, Any] = {
    "height": pl.UInt64,
    "index": pl.UInt32,
    "id": pl.String,
    "kind": pl.String,
    "sender": pl.String,
    "account": pl.UInt32,
    "nonce": pl.UInt64,
    "expiry": pl.UInt64,
    "bytes": pl.UInt64,
    "accepted": pl.Boolean,
    "code": pl.String,
    "reason": pl.String,
}


class BlockRecord:
    """The blocks of a chain by height, and a row for each block and each transaction.

    Parameters
    ----------
    genesis : Block
        Height 0.
    size : int
        Bytes of what genesis commits to.
    """

    __slots__ = ("_block_rows", "_transaction_rows", "blocks")

    def __init__(self, genesis: Block, size: int) -> None:
        self.blocks = [genesis]
        self._block_rows = [_block_row(genesis, size)]
        self._transaction_rows: list[tuple[Any, ...]] = []

    def append(self, block: Block) -> None:
        """Add the next block, with its receipts."""
        self._transaction_rows += _transaction_rows(block)
        self._block_rows.append(_block_row(block, len(block.to_bytes())))
        self.blocks.append(block)

    def block_frame(self) -> pl.DataFrame:
        """Return one row per block, as `BLOCKS`."""
        rows = pl.DataFrame(self._block_rows, schema={**BLOCKS, "slot": pl.Int64}, orient="row")
        return rows.with_columns(pl.col("slot").cast(SLOT))

    def trade_frame(self) -> pl.DataFrame:
        """Return one row per trade: ``height``, ``index``, ``place`` and the columns of `TRADES`."""
        frames = [
            receipt.trades.select(
                pl.lit(block.height, dtype=pl.UInt64).alias("height"),
                pl.lit(index, dtype=pl.UInt32).alias("index"),
                pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"),
                pl.all(),
            )
            for block in self.blocks
            for index, receipt in enumerate(block.receipts)
            if receipt.trades is not None
        ]
        places = {"height": pl.UInt64, "index": pl.UInt32, "place": pl.UInt32}
        nothing = pl.concat([pl.DataFrame(schema=places), TRADES.empty()], how="horizontal")
        return pl.concat([nothing, *frames])

    def transaction_frame(self) -> pl.DataFrame:
        """Return one row per transaction, as `TRANSACTIONS`."""
        return pl.DataFrame(self._transaction_rows, schema=dict(TRANSACTIONS), orient="row")


def _block_row(block: Block, size: int) -> tuple[Any, ...]:
    header = block.header
    return (
        header.height,
        header.timestamp,
        hexadecimal(header.hash),
        hexadecimal(header.parent),
        len(block.transactions),
        block.rejected,
        size,
        hexadecimal(header.transactions_root),
        hexadecimal(header.receipts_root),
        hexadecimal(header.state_root),
        header.rules_version,
    )


def _transaction_rows(block: Block) -> list[tuple[Any, ...]]:
    return [
        (
            block.height,
            index,
            hexadecimal(each.id),
            each.kind,
            hexadecimal(each.sender),
            receipt.account,
            each.nonce,
            each.expiry,
            len(each.to_bytes()),
            receipt.accepted,
            receipt.code,
            receipt.reason,
        )
        for index, (each, receipt) in enumerate(zip(block.transactions, block.receipts, strict=True))
    ]


def accepted_payloads(kind: str, effect: Effect, blocks: Iterable[Block]) -> pl.DataFrame:
    """Return the rows of all accepted payloads of one kind, in the order of execution.

    A column whose categories each sender chose for itself (bidding zones) comes as String.
    """
    chosen = [column.name for column in effect.schema.columns if column.dtype is None]
    frames = [
        decode_payload(effect, transaction.payload).with_columns(pl.col(chosen).cast(pl.String))
        for block in blocks
        for transaction, receipt in zip(block.transactions, block.receipts, strict=True)
        if receipt.accepted and transaction.kind == kind
    ]
    nothing = effect.schema.empty().with_columns(pl.col(chosen).cast(pl.String))
    # Diagonal, because a column that is not required may be in one payload and not in the next.
    return pl.concat([nothing, *frames], how="diagonal")
