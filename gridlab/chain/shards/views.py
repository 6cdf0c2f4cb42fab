"""A sharded ledger for people: frames and a small table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.hashing import hexadecimal
from gridlab.chain.ledger.doors import require_asset
from gridlab.chain.ledger.schema import ASSET_NAMES
from gridlab.chain.shards.homes import Homes
from gridlab.chain.shards.summary import ShardSummary
from gridlab.chain.shards.travel import Voyages

__all__ = ["ShardViews"]

Int64Array = npt.NDArray[np.int64]


class ShardViews:
    """What can be read of a sharded ledger; `gridlab.chain.shards.ShardedLedger` is one."""

    _homes: Homes
    _issuers: tuple[tuple[str, int], ...]
    _summaries: list[ShardSummary]
    _voyages: Voyages

    def _ask(self, shard: int, method: str, *arguments: Any) -> Any:
        raise NotImplementedError

    def _home(self, account: int) -> int:
        raise NotImplementedError

    @property
    def names(self) -> tuple[str, ...]:
        """The shards' names; their numbers are the places in it."""
        return self._homes.names

    def home(self, account: int) -> str:
        """Return the name of an account's shard."""
        return self._homes.names[self._home(account)]

    def _amounts(self) -> tuple[Int64Array, Int64Array]:
        """Return posted and reserved amounts of all accounts, shape (accounts, assets)."""
        posted = np.zeros((len(self._homes), len(ASSET_NAMES)), np.int64)
        reserved = np.zeros_like(posted)
        for shard in range(len(self._homes.names)):
            members = self._homes.members(shard)
            posted[members], reserved[members] = self._ask(shard, "amounts")
        return posted, reserved

    def _frame(self, amounts: Int64Array) -> pl.DataFrame:
        columns = {name: np.ascontiguousarray(amounts[:, code]) for code, name in enumerate(ASSET_NAMES)}
        return pl.DataFrame({"account": np.arange(len(amounts), dtype=np.uint32), **columns})

    @property
    def balances(self) -> pl.DataFrame:
        """All posted balances: account (UInt32) and one Int64 column per asset; as of an unsharded ledger."""
        return self._frame(self._amounts()[0])

    @property
    def reservations(self) -> pl.DataFrame:
        """What accounts have on its way to other shards: account (UInt32) and one Int64 column per asset."""
        return self._frame(self._amounts()[1])

    def balance(self, account: int, asset: str) -> int:
        """Return the posted balance in the asset's smallest unit (WATT: micro-THB)."""
        return self._of_account(account, asset)[0]

    def reserved(self, account: int, asset: str) -> int:
        """Return how much of `asset` the account has on its way to other shards."""
        return self._of_account(account, asset)[1]

    def available(self, account: int, asset: str) -> int:
        """Return what `account` may spend of `asset`: what is posted less what is on its way."""
        posted, reserved = self._of_account(account, asset)
        return posted - reserved

    def _of_account(self, account: int, asset: str) -> tuple[int, int]:
        code = require_asset(asset)
        posted, reserved = self._ask(self._home(account), "amounts_of", account)
        return int(posted[code]), int(reserved[code])

    @property
    def supply(self) -> pl.DataFrame:
        """Per asset what its issuers have put out, what accounts may spend of it, and what is between shards.

        ``circulating = held + in_flight`` after every block: a transfer counts as in flight from its block until it is
        credited at its destination or given back at its source.
        """
        posted, reserved = self._amounts()
        free, issuing = posted - reserved, np.zeros(posted.shape, np.bool_)
        for asset, account in self._issuers:
            issuing[account, ASSET_NAMES.index(asset)] = True
        return pl.DataFrame(
            {
                "asset": list(ASSET_NAMES),
                "circulating": -np.where(issuing, free, 0).sum(axis=0),
                "held": np.where(issuing, 0, free).sum(axis=0),
                "in_flight": self._voyages.uncredited(),
            }
        )

    @property
    def in_flight(self) -> pl.DataFrame:
        """Transfers between shards that are neither posted nor voided.

        source, destination, sequence, height of the block that sent it, timeout (microseconds), state ("sent",
        "credited", "refused"), and the transfer.
        """
        return self._voyages.in_flight()

    @property
    def refunds(self) -> pl.DataFrame:
        """Transfers between shards that were given back: source, destination, sequence, the transfer, reason."""
        return self._voyages.refunds()

    @property
    def shards(self) -> pl.DataFrame:
        """One row per shard: shard, accounts, transfers sent by them, parcels sent, received and open, root (hex)."""
        counts = [self._ask(shard, "counts") for shard in range(len(self._homes.names))]
        sent, received, roots = self._traffic()
        return pl.DataFrame(
            {
                "shard": self._homes.names,
                "accounts": np.bincount(self._homes.shard, minlength=len(counts)),
                "transfers": [each[0] for each in counts],
                "parcels_sent": sent,
                "parcels_received": received,
                "parcels_open": [each[1] for each in counts],
                "root": roots,
            }
        )

    def _traffic(self) -> tuple[list[int], list[int], list[str]]:
        if not self._summaries:
            nothing = [0] * len(self._homes.names)
            return nothing, nothing, [""] * len(nothing)
        received = [self._ask(shard, "received_count") for shard in range(len(self._homes.names))]
        return [sum(e.sent) for e in self._summaries], received, [hexadecimal(e.root) for e in self._summaries]

    def _repr_html_(self) -> str:
        frame = self.shards.with_columns(pl.col("root").str.head(12))
        head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in frame.columns)
        rows = ("".join(f"<td>{_escaped(value)}</td>" for value in row) for row in frame.rows())
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        waiting = sum(len(each.parcel) for each in self._voyages.travelling.values())
        caption = f"<caption>{len(self._homes):,} accounts, {waiting:,} transfers between shards</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _escaped(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
