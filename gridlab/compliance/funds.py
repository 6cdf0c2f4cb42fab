"""Following money: where it went and where it came from, to the micro-baht.

Money in an account is mixed, so which payment used up which receipt is a convention. Here it is *first in, first out*:
what came first is spent first, as in Clayton's Case. Each micro-WATT then has exactly one way through the ledger, so
amounts are whole numbers, none is counted twice, and what is followed forward of an account lies, to the last unit,
where the trace says. (The other convention, pro rata or "haircut", gives every unit a share of every receipt: fractions
that grow at each hop and soon touch every account.)

A trace follows the ledger's own order. Reservations move nothing; a refused payment never was.

References
----------
Devaynes v Noble, Clayton's Case (1816) 1 Mer 572.
Anderson, Shumailov, Ahmed, "Making Bitcoin legal", Security Protocols 2018 (first in, first out for ledgers).
Möser, Böhme, Breuker, "Towards risk scoring of Bitcoin transactions", Financial Cryptography workshops 2014 (haircut).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from gridlab.compliance.intervals import joined, laid_out, overlaps
from gridlab.compliance.pages import table_html

__all__ = ["DIRECTIONS", "FundsTrace", "follow"]

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True)
class FundsTrace:
    """Money that was followed.

    Attributes
    ----------
    start : str
        What was followed.
    direction : str
        "forward" or "backward".
    asset : str
    edges : polars.DataFrame
        One row per hop and transfer: ``hop`` (from 1), ``source``, ``target`` (accounts, in the direction in which the
        money went), ``source_name``, ``target_name``, ``asset``, ``amount`` (the part of the transfer that belongs to
        the trace), ``code``, ``height``, ``index``, ``sender``, ``transfer_id``.
    ends : polars.DataFrame
        ``account``, ``name``, ``amount``: forward, where the money lies at the end of the trace; backward, where it
        came from. The sum is `total`.
    total : int
        What was followed, in the asset's smallest unit.
    """

    start: str
    direction: str
    asset: str
    edges: pl.DataFrame = field(repr=False)
    ends: pl.DataFrame = field(repr=False)
    total: int

    def __repr__(self) -> str:
        hops = self.edges["hop"].n_unique()
        return (
            f"FundsTrace({self.start}, {self.direction}, {self.total} of {self.asset}, {self.edges.height} edges, "
            f"{hops} hops)"
        )

    def _repr_html_(self) -> str:
        lies = "lies now at" if self.direction == "forward" else "came from"
        return table_html(
            f"{self.start}: {self.total:,} of {self.asset}, {self.direction}, {self.edges.height} edges",
            self.ends.sort("amount", descending=True),
            {"account": "account", "name": lies, "amount": "amount"},
        )


def follow(
    moved: pl.DataFrame,
    begin: pl.Expr,
    *,
    direction: str,
    stops: list[int],
    hops: int | None,
    window: tuple[int, int],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Follow some movements hop by hop.

    Parameters
    ----------
    moved : polars.DataFrame
        Every movement of one asset (`gridlab.compliance.movements`), whole: the order of all of them decides.
    begin : polars.Expr
        True for the movements to start with.
    direction : str
        "forward" or "backward".
    stops : list of int
        Accounts beyond which nothing is followed: issuers, where money begins and ends, and the account asked about.
    hops : int or None
        At most so many.
    window : tuple of int
        First and last height to follow.

    Returns
    -------
    edges : polars.DataFrame
        ``hop``, ``row`` of the movement, ``amount``.
    ends : polars.DataFrame
        ``account``, ``amount``.
    """
    flows = _flows(moved, direction).filter(pl.col("height").is_between(*window))
    piece = flows.filter(begin).with_columns(low=pl.col("flow_start"), high=pl.col("flow_end"))
    onward = flows.filter(~pl.col("account").is_in(stops))
    edges, ends, hop = [], [], 1
    while piece.height:
        edges.append(piece.group_by("row").agg(amount=(pl.col("high") - pl.col("low")).sum()).with_columns(hop=hop))
        front = _arrived(piece)
        piece = overlaps(front, onward, "account") if hops is None or hop < hops else flows.clear()
        ends.append(_left(front, piece))
        hop += 1
    return _summed(edges, ends)


def _flows(moved: pl.DataFrame, direction: str) -> pl.DataFrame:
    """Lay payments and receipts of every account end to end, and name them as the direction sees them.

    ``account`` is where a row is met and ``flow_start`` … ``flow_end`` its place there; ``next`` is where it leads, and
    ``next_start`` its place there.
    """
    paid = laid_out(moved, "debit_account", prefix="paid_")
    both = laid_out(paid, "credit_account", prefix="got_")
    here, there = ("debit_account", "credit_account") if direction == "forward" else ("credit_account", "debit_account")
    met, leads = ("paid", "got") if direction == "forward" else ("got", "paid")
    return both.select(
        *("row", "height", "sender", "transfer_id", "debit_account", "credit_account"),
        account=here,
        flow_start=f"{met}_start",
        flow_end=f"{met}_end",
        next=there,
        next_start=f"{leads}_start",
    )


def _arrived(piece: pl.DataFrame) -> pl.DataFrame:
    start = pl.col("next_start") + pl.col("low") - pl.col("flow_start")
    placed = piece.select(account="next", start=start, end=start + pl.col("high") - pl.col("low"))
    return joined(placed, "account")


def _left(front: pl.DataFrame, piece: pl.DataFrame) -> pl.DataFrame:
    """Return what arrived and does not go on: account, amount."""
    came = front.select("account", amount=pl.col("end") - pl.col("start"))
    if piece.is_empty():
        return came
    return pl.concat([came, piece.select("account", amount=pl.col("low") - pl.col("high"))])


def _summed(edges: list[pl.DataFrame], ends: list[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    no_edges = pl.DataFrame(schema={"row": pl.UInt32, "amount": pl.Int64, "hop": pl.Int32})
    no_ends = pl.DataFrame(schema={"account": pl.UInt32, "amount": pl.Int64})
    along = pl.concat(
        [no_edges, *(each.select(pl.col(n).cast(t) for n, t in no_edges.schema.items()) for each in edges)]
    )
    where = pl.concat([no_ends, *ends]).group_by("account").agg(pl.col("amount").sum())
    return along.sort("hop", "row").select("hop", "row", "amount"), where.filter(pl.col("amount") > 0).sort("account")
