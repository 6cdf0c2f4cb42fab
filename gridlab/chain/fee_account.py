"""Fees accounted: who earned which fee from whom, on both chains, to the smallest unit.

Nothing is estimated. On the consortium chain every fee is a transfer from its payer to its earner, and the account is
the sum of those. On the public chain fees go through a pot, which each block empties to the treasury and the block's
author; there the account splits every single fee by the rule that the block was executed under
(`gridlab.chain.public.fee_shares`), and its sums are again those of the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import polars as pl

from gridlab.chain.ledger import ASSETS
from gridlab.chain.senders import FEE_SENDER
from gridlab.errors import ArgumentTypeError

__all__ = ["EARNED", "FEE_CODES", "earned", "fee_transfers", "summed"]

FEE_CODES = ("chain_fee", "fee", "wheeling", "oracle_fee")
"""What counts as a fee: a transaction's, the market's trading fee, the use of the wires, and what oracles are paid."""

EARNED: Mapping[str, Any] = {
    "chain": pl.String,
    "payer": pl.UInt32,
    "earner": pl.UInt32,
    "kind": pl.String,
    "asset": ASSETS,
    "amount": pl.Int64,
    "transactions": pl.UInt32,
}


@runtime_checkable
class _Accounted(Protocol):
    @property
    def earned(self) -> pl.DataFrame: ...


def earned(*chains: object) -> pl.DataFrame:
    """Return who earned which fee from whom.

    Parameters
    ----------
    *chains : ConsortiumChain or PublicChain

    Returns
    -------
    polars.DataFrame
        ``chain``, ``payer``, ``earner`` (accounts of that chain), ``kind`` (a code of `FEE_CODES`; "tip" on the public
        chain), ``asset``, ``amount`` (its smallest unit), ``transactions`` (payments that it is the sum of), by chain
        in the order given, kind, asset, payer and earner.

    Raises
    ------
    ArgumentTypeError
        An argument is no chain.
    """
    parts = [pl.DataFrame(schema=dict(EARNED))]
    for place, chain in enumerate(chains):
        if not isinstance(chain, _Accounted):
            raise ArgumentTypeError(
                f"chains[{place}] is a {type(chain).__name__}, allowed: a ConsortiumChain or a PublicChain"
            )
        parts.append(chain.earned)
    return pl.concat(parts)


def fee_transfers(transfers: pl.DataFrame, labellers: Sequence[int]) -> pl.DataFrame:
    """Return the ledger's transfers that are fees.

    Parameters
    ----------
    transfers : polars.DataFrame
        As `gridlab.chain.ledger.Ledger.transfers`.
    labellers : sequence of int
        Accounts whose own transfers do not count, whatever they call them: a trader may write "wheeling" on a gift.

    Returns
    -------
    polars.DataFrame
        The rows that moved anything; a transaction's fee counts only where the chain itself took it.
    """
    by_chain = (pl.col("code") != "chain_fee") | (pl.col("sender") == FEE_SENDER)
    labelled = pl.col("sender").is_in(pl.Series(labellers, dtype=pl.UInt32).implode())
    return transfers.filter(pl.col("code").is_in(list(FEE_CODES)), pl.col("moved") > 0, by_chain, ~labelled)


def summed(chain: str, payments: pl.DataFrame) -> pl.DataFrame:
    """Return payments (``payer``, ``earner``, ``kind``, ``asset``, ``amount``) added up as `EARNED`."""
    keys = ["kind", "asset", "payer", "earner"]
    totals = payments.group_by(keys).agg(pl.col("amount").sum(), transactions=pl.len()).sort(keys)
    return totals.with_columns(chain=pl.lit(chain)).select(list(EARNED)).cast(pl.Schema(EARNED))
