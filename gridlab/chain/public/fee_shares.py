"""Who gets what of every fee on the public chain.

The ledger holds one transfer into the pot per transaction, in the order of the blocks, and for each block what the
treasury and the author got out of it. Of a transaction's fee the treasury gets its share rounded down, the author the
rest and the tip; so the parts of all transactions add up to what left the pot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.fee_account import summed
from gridlab.chain.public.accounts import FEE_POT, TREASURY
from gridlab.chain.public.blocks import PublicBlock
from gridlab.chain.public.rules import RuleSet
from gridlab.chain.senders import FEE_SENDER
from gridlab.errors import ChainError

__all__ = ["earned_on", "paid_for_transactions"]

Int64Array = npt.NDArray[np.int64]


def paid_for_transactions(transfers: pl.DataFrame) -> pl.DataFrame:
    """Return ``account`` and ``paid`` (fee and tip, micro-GRID) of every transaction, in the order of the blocks.

    Parameters
    ----------
    transfers : polars.DataFrame
        As `gridlab.chain.ledger.Ledger.transfers`.
    """
    into_pot = (pl.col("sender") == FEE_SENDER) & (pl.col("credit_account") == FEE_POT)
    return transfers.filter(into_pot).select(account="debit_account", paid="moved")


def earned_on(  # noqa: PLR0917 - all of them are the chain's own parts
    chain_id: str,
    transfers: pl.DataFrame,
    tips: Int64Array,
    blocks: Sequence[PublicBlock],
    account_of: Mapping[bytes, int],
    rules: Mapping[int, RuleSet],
) -> pl.DataFrame:
    """Return who earned which fee from whom, as `gridlab.chain.fee_account.EARNED`.

    Parameters
    ----------
    chain_id : str
    transfers : polars.DataFrame
        Of the ledger after the last of `blocks`.
    tips : array of int64
        Per transaction, micro-GRID.
    blocks : sequence of PublicBlock
        All of them, from genesis on.
    account_of : mapping of bytes to int
        Public key -> account.
    rules : mapping of int to RuleSet
        By version.

    Raises
    ------
    ChainError
        Blocks and ledger do not hold as many transactions.
    """
    paid = paid_for_transactions(transfers)
    counts = [len(block.transactions) for block in blocks]
    if not paid.height == sum(counts) == len(tips):
        raise ChainError(
            f"fees: the ledger has {paid.height} of them, the blocks {sum(counts)} transactions and {len(tips)} tips; "
            "give the blocks from genesis on and the ledger after the last"
        )
    authors = np.repeat([account_of.get(block.header.author, TREASURY) for block in blocks], counts)
    fees = paid["paid"].to_numpy() - tips
    treasury = np.zeros(len(fees), np.int64)
    versions = np.repeat([block.header.rules_version for block in blocks], counts)
    for version in np.unique(versions).tolist():
        own = versions == version
        # Python's integers, because a fee times its share may not fit; many transactions cost the same.
        values, places = np.unique(fees[own], return_inverse=True)
        share = rules[version].fees.treasury_part
        treasury[own] = np.array([share(fee) for fee in values.tolist()], np.int64)[places]
    payer = paid["account"]
    parts = [
        _part(payer, np.full(len(fees), TREASURY), "chain_fee", treasury),
        _part(payer, authors, "chain_fee", fees - treasury),
        _part(payer, authors, "tip", tips),
    ]
    return summed(chain_id, pl.concat(parts))


def _part(payer: pl.Series, earner: npt.NDArray[np.int64], kind: str, amount: Int64Array) -> pl.DataFrame:
    columns = {"payer": payer, "earner": pl.Series(earner, dtype=pl.Int64), "amount": pl.Series(amount, dtype=pl.Int64)}
    frame = pl.DataFrame(columns).with_columns(kind=pl.lit(kind), asset=pl.lit("GRID"))
    return frame.filter(pl.col("amount") > 0)
