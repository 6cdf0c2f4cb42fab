"""Trades on the chain: their frame, and the tree of leaves with which one trade is proved alone.

A gate closure clears the resting orders; its receipt commits to every trade that came of it by the root of a Merkle
tree whose leaves are the trades. Whoever knows a final block header can so be shown one trade and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from gridlab.chain import merkle
from gridlab.chain.encoding import text
from gridlab.chain.hashing import tagged_hash
from gridlab.frames import SLOT, Column, Schema

__all__ = ["NO_ACCOUNT", "NO_ORDER", "TRADES", "canonical_trades", "trade_leaves", "trades_root"]

# The grid's side of a trade across zones has neither account nor order.
NO_ACCOUNT = 2**32 - 1
NO_ORDER = 2**64 - 1
_ZONE_DOMAIN = "gridlab/zone/1"
_LEAF_DOMAIN = text("gridlab/trade/1")

_MONEY = {
    "amount": "what the seller gets before his charges",
    "amount_buy": "what the buyer pays before charges",
    "wheeling": "use of the wires",
    "losses": "energy lost on the way",
    "fee": "trading fee",
    "vat": "value-added tax",
    "seller_wheeling": "the seller's part of wheeling",
    "seller_losses": "the seller's part of losses",
    "seller_vat": "the seller's part of value-added tax",
    "gross": "the buyer's whole bill",
}

TRADES = Schema(
    "trades",
    (
        Column("slot", SLOT, "datetime", "start of the 15-minute delivery interval"),
        Column("zone", pl.String, "text", "bidding zone"),
        Column("buyer", pl.UInt32, "integer", f"account that buys; {NO_ACCOUNT}: the grid"),
        Column("seller", pl.UInt32, "integer", f"account that sells; {NO_ACCOUNT}: the grid"),
        Column("buy_order", pl.UInt64, "integer", f"order of the buyer; {NO_ORDER}: none"),
        Column("sell_order", pl.UInt64, "integer", f"order of the seller; {NO_ORDER}: none"),
        Column("energy", pl.Int64, "integer", "Wh, more than 0"),
        Column("price", pl.Int64, "integer", "THB/MWh"),
        *(Column(name, pl.Int64, "integer", f"micro-THB: {meaning}") for name, meaning in _MONEY.items()),
    ),
)

_NOTHING: Mapping[str, int] = {
    "buyer": NO_ACCOUNT,
    "seller": NO_ACCOUNT,
    "buy_order": NO_ORDER,
    "sell_order": NO_ORDER,
}


def canonical_trades(billed: pl.DataFrame) -> pl.DataFrame:
    """Return billed trades (`gridlab.market`'s landed bills) as `TRADES`, the grid's side filled in.

    Raises
    ------
    ArgumentTypeError, FrameError
        `billed` is not a frame, or lacks a column.
    """
    filled = billed.with_columns(pl.col(name).fill_null(value) for name, value in _NOTHING.items())
    names = [column.name for column in TRADES.columns]
    return TRADES.check(filled.with_columns(pl.col("zone").cast(pl.String))).select(names)


def trade_leaves(trades: pl.DataFrame) -> list[bytes]:
    """Return one canonical leaf per trade: a tag, the hash of its zone's name, then every number little-endian.

    Parameters
    ----------
    trades : polars.DataFrame
        As `TRADES`.
    """
    numbers = [(column.name, "<i8") for column in TRADES.columns if column.name != "zone"]
    layout = np.dtype([("tag", f"V{len(_LEAF_DOMAIN)}"), ("zone", "V32"), *numbers])
    rows = np.empty(trades.height, layout)
    rows["tag"] = np.void(_LEAF_DOMAIN)
    names = trades["zone"].unique().sort()
    digests = np.array([np.void(tagged_hash(_ZONE_DOMAIN, text(name))) for name in names.to_list()], "V32")
    codes = trades["zone"].cast(pl.Enum(names)).to_physical().to_numpy()
    rows["zone"] = digests[codes] if trades.height else rows["zone"]
    for name, _ in numbers:
        # The eight bytes of an unsigned order number, whatever sign they would have.
        rows[name] = trades[name].to_physical().to_numpy().astype("<i8")
    packed = rows.tobytes()
    return [packed[start : start + layout.itemsize] for start in range(0, len(packed), layout.itemsize)]


def trades_root(trades: pl.DataFrame) -> bytes:
    """Return the RFC 6962 root over `trade_leaves`, with BLAKE2b-256; 32 bytes."""
    return merkle.root(trade_leaves(trades), hash="blake2b-256")
