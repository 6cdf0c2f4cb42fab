"""A block as a row of the store, and what is wrong with a row that is damaged.

Receipts stand beside the block's bytes, because executing them again is the only other way to know them. A header
commits to their codes and trades; the reasons, which are for people, stand under the row's checksum alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gridlab.chain.blocks import Block, transactions_root
from gridlab.chain.encoding import Reader, blob, compact, u32
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.receipts import Receipt, ReceiptList, decode_receipts, encode_receipts, listed, receipts_root
from gridlab.chain.store.layout import checksum
from gridlab.chain.trades import TRADES, trades_root
from gridlab.errors import GridlabError, StoreError

__all__ = ["COLUMNS", "block_of", "block_row", "require_whole"]

COLUMNS = "height, hash, parent, body, receipts, checksum"


def block_row(block: Block) -> tuple[int, bytes, bytes, bytes, bytes, bytes]:
    """Return a block with its receipts as a row, in the order of `COLUMNS`."""
    fields = (block.height, block.hash, block.header.parent, block.to_bytes(), _encoded(block.receipts))
    return (*fields, checksum("blocks", *fields))


def _encoded(receipts: Sequence[Receipt]) -> bytes:
    columns = receipts if isinstance(receipts, ReceiptList) else listed(receipts)
    frames = [u32(place) + blob(encode_frame(trades)) for place, trades in columns.trades.items()]
    return b"".join([blob(encode_receipts(columns)), compact(len(frames)), *frames])


def _receipts(data: bytes, transaction_ids: Sequence[bytes]) -> ReceiptList:
    reader = Reader(data, "receipts")
    found = decode_receipts(reader.blob(), transaction_ids)
    trades = {reader.u32(): TRADES.check(decode_frame(reader.blob(), "trades")) for _ in range(reader.compact())}
    reader.finish()
    return ReceiptList(found.transaction_ids, found.codes, found.reasons, found.accounts, found.outputs, trades=trades)


def block_of(row: tuple[Any, ...], height: int, parent: bytes) -> Block:
    """Return the block in a row, once the row is whole and continues the chain.

    Parameters
    ----------
    row : tuple
        In the order of `COLUMNS`.
    height : int
        Where the block must stand.
    parent : bytes
        Hash of the block before it.

    Raises
    ------
    StoreError
        The error names the height and what differs: hash, parent, transactions, receipts, certificate.
    """
    if not isinstance(row[0], int) or not all(isinstance(each, bytes) for each in row[1:]):
        raise StoreError(f"block {height}: a field of its row has changed its type, so the row is damaged")
    if row[0] != height:
        raise StoreError(f"block {height} is missing, block {row[0]} stands in its place")
    try:
        block = Block.from_bytes(row[3])
        receipts = _receipts(row[4], block.transaction_ids)
    except GridlabError as problem:
        raise StoreError(f"block {height}: its bytes are damaged ({problem})") from problem
    block = Block(block.header, block.transactions, block.certificate, receipts)
    for name, found, expected in (
        ("hash", row[1], block.hash),
        ("parent", row[2], block.header.parent),
        ("height", block.height, height),
        ("parent", block.header.parent, parent),
    ):
        if found != expected:
            raise StoreError(f"block {height}: its {name} is {_shown(found)}, allowed here: {_shown(expected)}")
    if checksum("blocks", *row[:5]) != row[5]:
        require_whole(block)
        raise StoreError(f"block {height}: its certificate, a reason in its receipts or its checksum is damaged")
    return block


def require_whole(block: Block) -> None:
    """Raise StoreError unless transactions and receipts are those to which the block's header commits."""
    found = {
        "transactions": (transactions_root(block.transactions), block.header.transactions_root),
        "receipts": (receipts_root(block.receipts), block.header.receipts_root),
    }
    columns = block.receipts if isinstance(block.receipts, ReceiptList) else listed(block.receipts)
    for place, trades in columns.trades.items():
        found[f"trades of transaction {place}"] = trades_root(trades), columns.outputs.get(place, b"")
    for name, (own, expected) in found.items():
        if own != expected:
            raise StoreError(
                f"block {block.height}: its {name}, or a signature in them, are damaged; their root is "
                f"{hexadecimal(own)}, allowed: {hexadecimal(expected)}, to which its header commits"
            )


def _shown(value: int | bytes) -> str:
    return hexadecimal(value) if isinstance(value, bytes) else str(value)
