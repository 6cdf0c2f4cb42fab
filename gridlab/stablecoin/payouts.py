"""What each redemption brought, as the chain's ledger has it."""

from __future__ import annotations

import polars as pl

from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.senders import PAYOUT_SENDER, REDEMPTION_SENDER
from gridlab.errors import ArgumentTypeError

__all__ = ["payouts_of"]


def payouts_of(chain: ConsortiumChain) -> pl.DataFrame:
    """Return every payout so far, in the order of the queue.

    A redemption that was paid in parts has a row for each.

    Parameters
    ----------
    chain : ConsortiumChain

    Returns
    -------
    polars.DataFrame
        account (UInt32), redeemed (WATT burned, Int64), received (baht after the fee, Int64), both in micro-THB.

    Raises
    ------
    ArgumentTypeError
        `chain` is no `ConsortiumChain`.
    """
    if not isinstance(chain, ConsortiumChain):
        raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a ConsortiumChain")
    transfers = chain.ledger.transfers
    burned = transfers.filter((pl.col("sender") == REDEMPTION_SENDER) & (pl.col("phase") == "post"))
    baht = transfers.filter((pl.col("sender") == PAYOUT_SENDER) & (pl.col("code") == "redeem"))
    joined = burned.join(baht.select("transfer_id", paid="moved"), on="transfer_id", how="left", maintain_order="left")
    return joined.select(account="debit_account", redeemed="moved", received=pl.col("paid").fill_null(0))
