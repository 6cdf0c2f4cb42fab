"""What became of each transaction of a block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

import polars as pl

from gridlab.chain import merkle
from gridlab.chain.encoding import Reader, blob, text
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.errors import ArgumentError

__all__ = ["ACCEPTED", "Receipt", "ReceiptList", "decode_receipts", "encode_receipts", "receipts_root"]

ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction.

    Attributes
    ----------
    transaction_id : bytes
    code : str
        "accepted", or why not; this is what the block commits to.
    reason : str
        The same for people to read; not hashed, so that wording and table drawing never change a block.
    account : int or None
        The sender's account when the transaction was executed; None where the key was no member's.
    output : bytes
        Root over the trades that came of it (`gridlab.chain.trades.trades_root`); empty where none can.
    trades : polars.DataFrame or None
        Those trades; recomputed wherever the block is executed.
    """

    transaction_id: bytes
    code: str
    reason: str = ""
    account: int | None = None
    output: bytes = b""
    trades: pl.DataFrame | None = field(default=None, repr=False, compare=False)

    @property
    def accepted(self) -> bool:
        """Whether the transaction took effect."""
        return self.code == ACCEPTED

    def to_bytes(self) -> bytes:
        """Return the canonical bytes that `receipts_root` covers."""
        return self.transaction_id + text(self.code) + blob(self.output)


class ReceiptList(Sequence[Receipt]):
    """Receipts in order, kept by the column; a `Receipt` is made when somebody asks for one.

    Two lists are equal where their receipts are, and so is a list and a tuple of receipts.

    Parameters
    ----------
    transaction_ids : sequence of bytes
    codes, reasons : sequence of str
    accounts : sequence of int or None
    outputs : mapping of int to bytes
        Place -> root over the trades, where there can be any.
    trades : mapping of int to polars.DataFrame, optional
        Place -> those trades, where they are known.

    Raises
    ------
    ArgumentError
        The columns are not of one length.
    """

    __slots__ = ("accounts", "codes", "outputs", "reasons", "trades", "transaction_ids")

    def __init__(
        self,
        transaction_ids: Sequence[bytes],
        codes: Sequence[str],
        reasons: Sequence[str],
        accounts: Sequence[int | None],
        outputs: Mapping[int, bytes],
        *,
        trades: Mapping[int, pl.DataFrame] | None = None,
    ) -> None:
        lengths = [len(transaction_ids), len(codes), len(reasons), len(accounts)]
        if len(set(lengths)) > 1:
            raise ArgumentError(f"the columns of the receipts have {lengths} rows, allowed: one length")
        self.transaction_ids = transaction_ids
        self.codes, self.reasons, self.accounts = codes, reasons, accounts
        self.outputs, self.trades = outputs, trades or {}

    def __repr__(self) -> str:
        return f"ReceiptList({len(self)} receipts, {self.rejected} rejected)"

    def __len__(self) -> int:
        return len(self.transaction_ids)

    def __iter__(self) -> Iterator[Receipt]:
        return (self[place] for place in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Receipt: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Receipt, ...]: ...

    def __getitem__(self, index: int | slice) -> Receipt | tuple[Receipt, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        place = range(len(self))[index]
        return Receipt(
            self.transaction_ids[place],
            self.codes[place],
            self.reasons[place],
            self.accounts[place],
            self.outputs.get(place, b""),
            self.trades.get(place),
        )

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, (ReceiptList, tuple)) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    @property
    def rejected(self) -> int:
        """How many of the transactions changed nothing."""
        return len(self.codes) - sum(code == ACCEPTED for code in self.codes)

    def leaves(self) -> list[bytes]:
        """Return what `Receipt.to_bytes` returns for each."""
        tails = {code: text(code) + blob(b"") for code in dict.fromkeys(self.codes)}
        leaves = [name + tails[code] for name, code in zip(self.transaction_ids, self.codes, strict=True)]
        for place in self.outputs:
            leaves[place] = self[place].to_bytes()
        return leaves


def receipts_root(receipts: Sequence[Receipt]) -> bytes:
    """Return the RFC 6962 root over the receipts, with BLAKE2b-256."""
    leaves = receipts.leaves() if isinstance(receipts, ReceiptList) else [receipt.to_bytes() for receipt in receipts]
    return merkle.root(leaves, hash="blake2b-256")


def encode_receipts(receipts: Sequence[Receipt]) -> bytes:
    """Write receipts without their ids (which the transactions have) and without their trades.

    Parameters
    ----------
    receipts : sequence of Receipt

    Returns
    -------
    bytes
        Two frames: code, reason, known and account by receipt; place and output of those that have an output.
    """
    receipts = listed(receipts)
    codes = pl.Enum(list(dict.fromkeys(receipts.codes)))
    accounts = pl.Series("account", receipts.accounts, pl.UInt32)
    whole = pl.DataFrame(
        {
            "code": pl.Series(receipts.codes, dtype=codes),
            "reason": pl.Series(receipts.reasons, dtype=pl.String),
            "known": accounts.is_not_null(),
            "account": accounts.fill_null(0),
        }
    )
    outputs = pl.DataFrame(
        {
            "place": pl.Series(list(receipts.outputs), dtype=pl.UInt32),
            "output": pl.Series(list(receipts.outputs.values()), dtype=pl.Binary),
        }
    )
    return blob(encode_frame(whole)) + blob(encode_frame(outputs))


def listed(receipts: Sequence[Receipt]) -> ReceiptList:
    """Return receipts as a `ReceiptList`."""
    if isinstance(receipts, ReceiptList):
        return receipts
    return ReceiptList(
        [each.transaction_id for each in receipts],
        [each.code for each in receipts],
        [each.reason for each in receipts],
        [each.account for each in receipts],
        {place: each.output for place, each in enumerate(receipts) if each.output},
        trades={place: each.trades for place, each in enumerate(receipts) if each.trades is not None},
    )


def decode_receipts(data: bytes, transaction_ids: Sequence[bytes]) -> ReceiptList:
    """Read what `encode_receipts` wrote.

    Parameters
    ----------
    data : bytes
    transaction_ids : sequence of bytes
        Of the block's transactions, in order.

    Raises
    ------
    ChainError
        The bytes are damaged, or are those of another number of receipts.
    """
    reader = Reader(data, "receipts")
    whole, outputs = decode_frame(reader.blob(), "receipts"), decode_frame(reader.blob(), "outputs of receipts")
    reader.finish()
    code = whole.dtypes[0]
    own = {"code": code, "reason": pl.String(), "known": pl.Boolean(), "account": pl.UInt32()}
    if not isinstance(code, pl.Enum) or dict(whole.schema) != own or list(whole.schema) != list(own):
        raise reader.error(f"columns {dict(whole.schema)} are not those of receipts")
    if list(outputs.schema.items()) != [("place", pl.UInt32()), ("output", pl.Binary())]:
        raise reader.error(f"columns {dict(outputs.schema)} are not those of the outputs of receipts")
    if whole.height != len(transaction_ids):
        raise reader.error(f"{whole.height} receipts for {len(transaction_ids)} transactions")
    receipts = ReceiptList(
        list(transaction_ids),
        whole["code"].cast(pl.String).to_list(),
        whole["reason"].to_list(),
        whole.select(pl.when("known").then("account").alias("account"))["account"].to_list(),
        dict(zip(outputs["place"].to_list(), outputs["output"].to_list(), strict=True)),
    )
    places = list(receipts.outputs)
    outside = any(place >= len(receipts) for place in places) or not all(receipts.outputs.values())
    if outside or places != sorted(places) or encode_receipts(receipts) != data:
        raise reader.error("they are not written in the one canonical form")
    return receipts
