"""What a public chain shows of its fees: per transaction, per account, and who earned them from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from gridlab.chain.public.fee_shares import earned_on, paid_for_transactions

if TYPE_CHECKING:
    from gridlab.chain.public.building import Builder, Node
    from gridlab.chain.public.record import PublicRecord

__all__ = ["FeeViews"]


class FeeViews:
    """The part of `PublicChainViews` that accounts for fees; all of it is after the last final block."""

    _builder: Builder
    _record: PublicRecord
    _final: Node

    @property
    def transactions(self) -> pl.DataFrame:
        """One row per transaction in a final block, with its ``fee`` and its ``tip`` (micro-GRID)."""
        rows = self._record.transaction_frame().clone()  # what follows changes it in place
        paid = paid_for_transactions(self._final.state.ledger.transfers)["paid"]
        fee = (paid - rows["tip"]).alias("fee")
        return rows.insert_column(rows.columns.index("tip"), fee)

    @property
    def earned(self) -> pl.DataFrame:
        """Who earned which fee from whom, as `gridlab.chain.fee_account.EARNED`.

        The kind "chain_fee" is a fee without its tip, of which treasury and author each have a row; "tip" is the
        author's alone.
        """
        state, record = self._final.state, self._record
        return earned_on(
            self._builder.genesis.chain_id,
            state.ledger.transfers,
            record.transaction_frame()["tip"].to_numpy(),
            record.blocks,
            state.accounts.account_of,
            self._builder.rules,
        )

    @property
    def fees(self) -> pl.DataFrame:
        """What each account has paid for transactions and earned by them, micro-GRID.

        Columns account, fees, tips (paid), earned (fees and tips).
        """
        earned = self.earned
        tip, total = pl.col("kind") == "tip", pl.col("amount").sum()
        amount = pl.col("amount")
        paid = earned.group_by(account="payer").agg(fees=amount.filter(~tip).sum(), tips=amount.filter(tip).sum())
        got = earned.group_by(account="earner").agg(earned=total)
        joined = paid.join(got, on="account", how="full", coalesce=True)
        return joined.with_columns(pl.col("fees", "tips", "earned").fill_null(0)).sort("account")
