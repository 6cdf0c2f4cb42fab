"""Every movement of money on the ledger, with the transaction that caused it.

The ledger remembers each transfer by its sender and id, in the order in which it was applied; the blocks hold what was
asked for. Most transfers stand in a payload as they are. The rest follow from a rule, and the chain numbers them as
they come: the fee of the k-th transaction that cost one, the payments of the n-th closed gate, the m-th payment of a
contract. So each can be led back to its transaction without executing anything again.
"""

from __future__ import annotations

import polars as pl

from gridlab.chain.chain_views import ChainViews
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.senders import CLEARING_SENDER, CONTRACT_SENDER, FEE_SENDER
from gridlab.chain.terms import FEE_ROLES
from gridlab.compliance.trail import payload_rows

__all__ = ["MOVEMENTS", "movements"]

MOVEMENTS = (
    *("row", "height", "index", "sender", "transfer_id"),
    *("debit_account", "credit_account", "asset", "amount", "code"),
)

_CAUSE = ("sender", "transfer_id", "height", "index")


def movements(chain: ChainViews, trail: pl.DataFrame) -> pl.DataFrame:
    """Return every movement from one balance to another, in the order in which it was applied.

    Parameters
    ----------
    chain : ChainViews
    trail : polars.DataFrame
        As from `gridlab.compliance.trail.trail`.

    Returns
    -------
    polars.DataFrame
        ``row`` (counts from 0), ``height`` and ``index`` of the transaction, ``sender`` (whose the transfer id is),
        ``transfer_id``, ``debit_account``, ``credit_account``, ``asset``, ``amount`` (what moved, more than 0) and
        ``code``. Reservations move nothing and are left out.
    """
    applied = chain.ledger.transfers.filter(pl.col("moved") > 0)
    causes = pl.concat(
        [_from_payloads(chain), _from_contracts(chain), _from_fees(chain, trail), _from_gates(chain, applied)]
    ).unique(["sender", "transfer_id"], keep="first", maintain_order=True)
    placed = applied.join(causes, on=["sender", "transfer_id"], how="left", maintain_order="left")
    return placed.with_columns(amount="moved").with_row_index("row").select(MOVEMENTS)


def _from_payloads(chain: ChainViews) -> pl.DataFrame:
    released = [rules.effects for _, rules in sorted(chain.released.items())]
    kinds = dict.fromkeys(kind for each in released for kind, effect in each.items() if effect.schema is TRANSFERS)
    # In the order of execution: what was sent again did nothing, so the first cause is the right one.
    return pl.concat([payload_rows(chain, kind).select(_CAUSE) for kind in kinds]).sort(
        "height", "index", maintain_order=True
    )


def _from_contracts(chain: ChainViews) -> pl.DataFrame:
    paid = payload_rows(chain, "contract_execution").filter(pl.col("amount") > 0)
    return _numbered(paid, CONTRACT_SENDER)


def _from_fees(chain: ChainViews, trail: pl.DataFrame) -> pl.DataFrame:
    """Return the cause of each fee: the accepted transactions that cost one, in order."""
    changes = [(0, 0, chain.genesis.terms)]
    changed = payload_rows(chain, "terms").partition_by(["height", "index"], as_dict=True, maintain_order=True)
    for (height, index), frame in changed.items():
        changes.append((height, index, changes[-1][2].changed(frame.select("term", "value"))))
    terms = pl.DataFrame(
        [(height, index, each.fee_per_transaction, each.fee_per_kibibyte) for height, index, each in changes],
        schema={"height": pl.UInt64, "index": pl.UInt32, "once": pl.Int64, "kibibyte": pl.Int64},
        orient="row",
    )
    place = (pl.col("height") * 2**32 + pl.col("index").cast(pl.UInt64)).alias("place")
    payers = trail.filter(pl.col("accepted") & pl.col("role").is_in(FEE_ROLES)).with_columns(place)
    # A transaction that changes the terms holds from the next one on.
    fees = payers.join_asof(
        terms.select(place, "once", "kibibyte"), on="place", strategy="backward", allow_exact_matches=True
    ).with_columns(kibibytes=-(-pl.col("bytes").cast(pl.Int64) // 1024))
    return _numbered(fees.filter(pl.col("once") + pl.col("kibibyte") * pl.col("kibibytes") > 0), FEE_SENDER)


def _from_gates(chain: ChainViews, applied: pl.DataFrame) -> pl.DataFrame:
    """Return the cause of each clearing payment, whose id begins with how many gates were closed before."""
    closures = (
        payload_rows(chain, "gate_closure")
        .group_by("height", "index", maintain_order=True)
        .agg(closed=pl.len().cast(pl.UInt64))
        .with_columns(number=pl.col("closed").cum_sum() - pl.col("closed"))
    )
    paid = applied.filter(pl.col("sender") == CLEARING_SENDER).with_columns(number=pl.col("transfer_id") // 2**32)
    return paid.join(closures, on="number", how="inner", maintain_order="left").select(_CAUSE)


def _numbered(frame: pl.DataFrame, sender: int) -> pl.DataFrame:
    return frame.with_columns(
        sender=pl.lit(sender, dtype=pl.UInt32), transfer_id=pl.int_range(pl.len(), dtype=pl.UInt64)
    ).select(_CAUSE)
