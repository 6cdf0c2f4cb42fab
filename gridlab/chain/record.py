"""All blocks of a chain, and the frames in which people look at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.blocks import Block
from gridlab.chain.effects import Effect
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.payloads import decode_payload
from gridlab.chain.receipts import ACCEPTED, listed
from gridlab.chain.single_transfers import SingleTransfers
from gridlab.chain.trades import TRADES
from gridlab.chain.transaction_list import TransactionList
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

    __slots__ = ("_block_rows", "_transactions", "_transactions_until", "blocks")

    def __init__(self, genesis: Block, size: int) -> None:
        self.blocks = [genesis]
        self._block_rows = [_block_row(genesis, size)]
        # Made when somebody looks: the rows of the blocks before this place.
        self._transactions, self._transactions_until = pl.DataFrame(schema=dict(TRANSACTIONS)), 0

    def append(self, block: Block) -> None:
        """Add the next block, with its receipts."""
        self._block_rows.append(_block_row(block, block.size))
        self.blocks.append(block)

    def block_frame(self) -> pl.DataFrame:
        """Return one row per block, as `BLOCKS`."""
        rows = pl.DataFrame(self._block_rows, schema={**BLOCKS, "slot": pl.Int64}, orient="row")
        return rows.with_columns(pl.col("slot").cast(SLOT))

    def trade_frame(self) -> pl.DataFrame:
        """Return one row per trade: ``height``, ``index``, ``place`` and the columns of `TRADES`."""
        frames = [
            trades.select(
                pl.lit(block.height, dtype=pl.UInt64).alias("height"),
                pl.lit(index, dtype=pl.UInt32).alias("index"),
                pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"),
                pl.all(),
            )
            for block in self.blocks
            for index, trades in listed(block.receipts).trades.items()
        ]
        places = {"height": pl.UInt64, "index": pl.UInt32, "place": pl.UInt32}
        nothing = pl.concat([pl.DataFrame(schema=places), TRADES.empty()], how="horizontal")
        return pl.concat([nothing, *frames])

    def transaction_frame(self) -> pl.DataFrame:
        """Return one row per transaction, as `TRANSACTIONS`."""
        later = self.blocks[self._transactions_until :]
        self._transactions = pl.concat([self._transactions, *map(_transaction_rows, later)])
        self._transactions_until = len(self.blocks)
        return self._transactions


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


def _transaction_rows(block: Block) -> pl.DataFrame:
    transactions, receipts = TransactionList.of(block.transactions, block.header.chain_id), listed(block.receipts)
    nonces, expiries = _lifetimes(transactions)
    count = len(transactions)
    return pl.DataFrame(
        {
            "height": np.full(count, block.height, np.uint64),
            "index": np.arange(count, dtype=np.uint32),
            "id": _hexadecimal(transactions.ids),
            "kind": transactions.kinds,
            "sender": _hexadecimal(transactions.senders),
            "account": receipts.accounts,
            "nonce": nonces,
            "expiry": expiries,
            "bytes": transactions.sizes.astype(np.uint64),
            "accepted": pl.Series(receipts.codes, dtype=pl.String) == ACCEPTED,
            "code": receipts.codes,
            "reason": receipts.reasons,
        },
        schema=dict(TRANSACTIONS),
    )


def _hexadecimal(names: Sequence[bytes]) -> pl.Series:
    return "0x" + pl.Series(names, dtype=pl.Binary).bin.encode("hex")


def _lifetimes(transactions: TransactionList) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return nonce and expiry of each transaction."""
    found = np.zeros((2, len(transactions)), np.uint64)
    single = np.flatnonzero(transactions.single)
    columns = SingleTransfers.of(transactions.take(single.tolist()).encoded, transactions.chain_id)
    for row, name in enumerate(("nonce", "expiry")):
        found[row, single] = columns.column(name)
        for place in np.flatnonzero(~transactions.single).tolist():
            found[row, place] = getattr(transactions[place], name)
    return found[0], found[1]


def accepted_payloads(kind: str, effects: Mapping[int, Effect], blocks: Iterable[Block]) -> pl.DataFrame:
    """Return the rows of all accepted payloads of one kind, in the order of execution.

    A column whose categories each sender chose for itself (bidding zones) comes as String. `effects` is
    what the kind does by version of the rules; each block is read by those that executed it.
    """
    first = effects[min(effects)]
    frames = [_free(first, first.schema.empty())]
    for block in blocks:
        effect = effects.get(block.header.rules_version)
        if effect is None:
            continue
        transactions = TransactionList.of(block.transactions, block.header.chain_id)
        codes = listed(block.receipts).codes
        for place, (own, code) in enumerate(zip(transactions.kinds, codes, strict=True)):
            if own == kind and code == ACCEPTED:
                frames.append(_free(effect, decode_payload(effect, transactions[place].payload)))
    # Diagonal, because a column that is not required may be in one payload and not in the next; relaxed, because
    # another version of the rules may count in another dtype.
    return pl.concat(frames, how="diagonal_relaxed")


def _free(effect: Effect, frame: pl.DataFrame) -> pl.DataFrame:
    chosen = [column.name for column in effect.schema.columns if column.dtype is None and column.name in frame.columns]
    return frame.with_columns(pl.col(chosen).cast(pl.String))
