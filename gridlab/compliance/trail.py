"""The trail: every transaction of a chain as one row, and every row of every payload with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from gridlab.chain.blocks import Block
from gridlab.chain.chain_views import ChainViews
from gridlab.chain.effects import Effect
from gridlab.chain.encoding import Reader
from gridlab.chain.payloads import decode_payload
from gridlab.chain.single_transfers import SingleTransfers
from gridlab.chain.transaction_list import TransactionList
from gridlab.errors import GridlabError
from gridlab.frames import SLOT, Column, Schema

__all__ = ["TRAIL", "names_of", "payload_rows", "trail"]

TRAIL = Schema(
    "audit trail",
    (
        Column("height", pl.UInt64, "integer", "block"),
        Column("index", pl.UInt32, "integer", "place of the transaction in its block"),
        Column("slot", SLOT, "datetime", "moment of the block"),
        Column("id", pl.String, "text", "transaction id, 0x and hexadecimal digits"),
        Column("kind", pl.String, "text", "what was asked for"),
        Column("account", pl.UInt32, "integer", "sender's account; null where the key is no member's", nullable=True),
        Column("name", pl.String, "text", "sender's name", nullable=True),
        Column("role", pl.String, "text", "sender's role", nullable=True),
        Column("nonce", pl.UInt64, "integer", "how many of the sender's transactions were accepted before"),
        Column(
            "rows", pl.UInt64, "integer", "rows that the payload says it has; null where it says none", nullable=True
        ),
        Column("bytes", pl.UInt64, "integer", "canonical bytes of the transaction"),
        Column("accepted", pl.Boolean, "boolean", "whether it took effect"),
        Column("code", pl.String, "text", "'accepted', or why not"),
        Column("reason", pl.String, "text", "the same in words; empty where accepted"),
    ),
)

_NAMES = Schema(
    "accounts",
    (
        Column("account", pl.UInt32, "integer", "account on the chain"),
        Column("name", pl.String, "text", "what to call it"),
    ),
)
# Reading single transfers as columns pays from so many on.
_FEW = 16
_PLACE: Mapping[str, Any] = {"height": pl.UInt64, "index": pl.UInt32, "sender": pl.UInt32}


def names_of(chain: ChainViews, accounts: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return ``account``, ``name``, ``role`` of every member; names from `accounts` where it has them.

    Raises
    ------
    ArgumentTypeError, FrameError
        `accounts` is no frame, has no such columns, or names an account twice.
    """
    members = chain.members.select("account", "name", pl.col("role").cast(pl.String))
    if accounts is None:
        return members
    twice = {"an account stands there twice": pl.col("account").is_duplicated()}
    own = _NAMES.check(accounts, rules=twice).select("account", own="name")
    named = members.join(own, on="account", how="left", maintain_order="left")
    return named.select("account", pl.coalesce("own", "name").alias("name"), "role")


def trail(chain: ChainViews, names: pl.DataFrame) -> pl.DataFrame:
    """Return every transaction of every block in order, as `TRAIL`; `names` as from `names_of`."""
    blocks = chain.blocks.select("height", "slot")
    sizes = [rows for height in range(1, chain.height + 1) for rows in _sizes(chain.block(height))]
    return (
        chain.transactions.with_columns(rows=pl.Series(sizes, dtype=pl.UInt64))
        .join(blocks, on="height", how="left", maintain_order="left")
        .join(names, on="account", how="left", maintain_order="left")
        .select(column.name for column in TRAIL.columns)
    )


def _listed(block: Block) -> TransactionList:
    return TransactionList.of(block.transactions, block.header.chain_id)


def _sizes(block: Block) -> Iterator[int | None]:
    """Yield the rows of each payload; a single transfer is known to have one, and is not read for it."""
    listed = _listed(block)
    for place, single in enumerate(listed.single.tolist()):
        yield 1 if single else _rows(listed[place].payload)


def _rows(payload: bytes) -> int | None:
    reader = Reader(payload, "payload")
    try:
        reader.compact()
        rows = reader.compact()
    except GridlabError:
        return None
    # A stranger may write any number there; one that the bytes could not hold is none.
    return rows if rows <= len(payload) else None


def payload_rows(chain: ChainViews, kind: str) -> pl.DataFrame:
    """Return every row of every accepted payload of one kind, in the order of execution.

    Parameters
    ----------
    chain : ChainViews
    kind : str
        "transfer", "meter_readings", …

    Returns
    -------
    polars.DataFrame
        ``height``, ``index``, ``sender`` (account), then the columns of that kind's schema, with ``payload_`` in
        front where they have one of these three names; an Enum that each sender chose for itself comes as String.

    Raises
    ------
    ArgumentTypeError, ChainError
        `kind` is not text, or no kind has that name.
    """
    effects = chain.effects_of(kind)
    first = effects[min(effects)]
    chosen = chain.transactions.filter((pl.col("kind") == kind) & pl.col("accepted"))
    placed = chosen.select("height", "index", sender="account").partition_by("height", maintain_order=True)
    frames = [frame for places in placed for frame in _payloads(effects, chain.block(places["height"][0]), places)]
    nothing = pl.concat([pl.DataFrame(schema=dict(_PLACE)), _free(first, first.schema.empty())], how="horizontal")
    # Diagonal, because a column that is not required may be in one payload and not in the next; relaxed, because
    # another version of the rules may count in another dtype.
    return pl.concat([nothing, *frames], how="diagonal_relaxed")


def _payloads(effects: Mapping[int, Effect], block: Block, places: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the payloads of transactions of one kind in one block; `places` as `_PLACE`, one row for each."""
    # Accepted under the rules of its block, so these have the kind.
    effect = effects[block.header.rules_version]
    listed, indices = _listed(block), places["index"].to_list()
    single = listed.single[indices]
    if single.sum() < _FEW:
        return [_placed(effect, listed[index].payload, places[row]) for row, index in enumerate(indices)]
    rest = [
        _placed(effect, listed[index].payload, places[row])
        for row, (index, alone) in enumerate(zip(indices, single.tolist(), strict=True))
        if not alone
    ]
    alone = places.filter(pl.Series(single))
    columns = SingleTransfers.of([listed.encoded[index] for index in alone["index"]], block.header.chain_id).frame()
    joined = pl.concat([alone, columns], how="horizontal")
    return [pl.concat([joined, *rest], how="diagonal").sort("index", maintain_order=True)]


def _free(effect: Effect, frame: pl.DataFrame) -> pl.DataFrame:
    chosen = [column.name for column in effect.schema.columns if column.dtype is None and column.name in frame.columns]
    taken = {name: f"payload_{name}" for name in _PLACE}
    return frame.with_columns(pl.col(chosen).cast(pl.String)).rename(taken, strict=False)


def _placed(effect: Effect, payload: bytes, place: pl.DataFrame) -> pl.DataFrame:
    frame = _free(effect, decode_payload(effect, payload))
    return frame.select(
        [*(pl.lit(place[name][0], dtype=dtype).alias(name) for name, dtype in _PLACE.items()), pl.all()]
    )
