"""In which order the movements of one block may go to the shards, so that none of them asks for what is not there yet.

One ledger has executed the block, row by row. In shards, what comes from another shard may be spent only once it has
arrived. So the movements go in rounds, and a row waits for the next one if an earlier row that pays its payer crosses
shards or waits itself, or if an earlier row of the same payer waits. In every round each payer has then all that he had
received before the row on the one ledger, and so no row can fail.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger import ASSETS, CODES

__all__ = ["netted", "waiting"]

Array = npt.NDArray[Any]


def waiting(debit: Array, credit: Array, crossing: npt.NDArray[np.bool_], accounts: int) -> npt.NDArray[np.bool_]:
    """Say of each row whether it must wait for a later round; the first never does.

    Parameters
    ----------
    debit, credit : array of int
        Accounts, in the order in which one ledger has moved.
    crossing : array of bool
        Which rows go from shard to shard.
    accounts : int
        How many there are.
    """
    places, held = np.arange(len(debit)), np.zeros(len(debit), np.bool_)
    while True:
        # The first row from which on an account must not pay in this round.
        first = np.full(accounts, len(debit))
        late = crossing | held
        np.minimum.at(first, credit[late], places[late])
        np.minimum.at(first, debit[held], places[held])
        found = places > first[debit]
        if (found == held).all():
            return held
        held = found


def netted(moves: pl.DataFrame, first: int) -> pl.DataFrame:
    """Return fewer movements with the same outcome, in which nobody pays and is paid in the same asset.

    Parameters
    ----------
    moves : polars.DataFrame
        As `gridlab.chain.ledger.TRANSFERS`.
    first : int
        Number of the first.
    """
    paid = moves.select("asset", account="debit_account", amount=-pl.col("amount"))
    got = moves.select("asset", account="credit_account", amount="amount")
    net = pl.concat([paid, got]).group_by("asset", "account").agg(pl.col("amount").sum()).sort("asset", "account")
    frames = [_matched(net.filter(asset=asset)) for asset in net["asset"].unique(maintain_order=True)]
    numbered = pl.concat(frames).with_columns(transfer_id=pl.int_range(first, first + pl.len(), dtype=pl.UInt64))
    return numbered.select(
        "transfer_id",
        "debit_account",
        "credit_account",
        pl.col("asset").cast(ASSETS),
        "amount",
        pl.lit("transfer", dtype=CODES).alias("code"),
    )


def _matched(net: pl.DataFrame) -> pl.DataFrame:
    """Let those who pay on the whole pay those who receive on the whole, both in the order of accounts."""
    payers, payees = net.filter(pl.col("amount") < 0), net.filter(pl.col("amount") > 0)
    owed, due = (-payers["amount"].to_numpy()).cumsum(), payees["amount"].to_numpy().cumsum()
    # Laid end to end, the payments of one side are cut where those of the other begin.
    ends = np.union1d(owed, due)
    return pl.DataFrame(
        {
            "debit_account": payers["account"].to_numpy()[np.searchsorted(owed, ends)],
            "credit_account": payees["account"].to_numpy()[np.searchsorted(due, ends)],
            "amount": np.diff(ends, prepend=0),
        }
    ).with_columns(asset=pl.lit(net["asset"][0], dtype=pl.String) if net.height else pl.lit("", dtype=pl.String))
