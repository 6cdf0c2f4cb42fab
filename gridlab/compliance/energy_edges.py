"""The edges along which energy is followed: meter, trade, buyer; and meter, month, certificate, whoever used it up.

Every node is three whole numbers, so that a day's million edges join as fast as numbers do:

===========  ====================  =================
kind         a                     b
===========  ====================  =================
meter        account               slot (µs)
trade        row in chain.trades   0
account      account               0
month        device                start (µs)
certificate  first serial number   how many
beneficiary  place among names     0
===========  ====================  =================

A month's generation is laid end to end per device, and so are the certificates of that device, by vintage and serial
number: the oldest energy is certified first. The chain's rule that certificates up to a month never exceed what was
metered up to its end (`gridlab.chain.certificates`) makes every certificate lie in its own month or an earlier one,
from which energy was carried forward.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from gridlab.chain.chain_views import ChainViews
from gridlab.chain.contract_terms import ContractTerms
from gridlab.compliance.intervals import laid_out, overlaps
from gridlab.compliance.trail import payload_rows

__all__ = ["ACCOUNT", "BENEFICIARY", "CERTIFICATE", "EDGE_KINDS", "METER", "MONTH", "NODES", "TRADE", "EnergyEdges"]

NODES = ("meter", "trade", "account", "month", "certificate", "beneficiary")
METER, TRADE, ACCOUNT, MONTH, CERTIFICATE, BENEFICIARY = range(len(NODES))
EDGE_KINDS = pl.Enum(["sold", "bought", "contracted", "metered", "certified", "issued", "transferred", "retired"])

_KEY: Mapping[str, pl.DataType] = {"kind": pl.UInt8(), "a": pl.UInt64(), "b": pl.Int64()}


def _key(end: str, kind: int, a: str | pl.Expr, b: str | pl.Expr | int = 0) -> list[pl.Expr]:
    parts = (pl.lit(kind), pl.col(a) if isinstance(a, str) else a, pl.col(b) if isinstance(b, str) else b)
    return [
        (part if isinstance(part, pl.Expr) else pl.lit(part)).cast(dtype).alias(f"{end}_{name}")
        for part, (name, dtype) in zip(parts, _KEY.items(), strict=True)
    ]


def _edges(frame: pl.DataFrame, kind: str, source: list[pl.Expr], target: list[pl.Expr]) -> pl.DataFrame:
    return frame.select(
        *source,
        *target,
        pl.lit(kind, dtype=EDGE_KINDS).alias("edge"),
        pl.col("energy").cast(pl.Int64),
        pl.col("height").cast(pl.UInt64),
        pl.col("index").cast(pl.UInt32),
    )


def _contracted(chain: ChainViews) -> pl.DataFrame:
    """Return the energy on which contracts were settled, from the seller's meter to the buyer.

    A payment turns round where its price is negative, so who sells is read off the contract's terms.
    """
    signed = payload_rows(chain, "contract")["terms"].unique(maintain_order=True).to_list()
    terms = [ContractTerms.from_bytes(each) for each in signed]
    sellers = pl.DataFrame(
        [(each.id, seller, True) for each in terms for seller in each.sellers],
        schema={"contract_id": pl.Binary, "credit_account": pl.UInt32, "straight": pl.Boolean},
        orient="row",
    )
    settled = payload_rows(chain, "contract_execution").filter((pl.col("code") == "energy") & (pl.col("energy") > 0))
    placed = settled.join(sellers, on=["contract_id", "credit_account"], how="left", maintain_order="left")
    straight = pl.col("straight").fill_null(value=False)
    ends = placed.with_columns(
        seller=pl.when(straight).then("credit_account").otherwise("debit_account"),
        buyer=pl.when(straight).then("debit_account").otherwise("credit_account"),
    )
    source = _key("source", METER, "seller", pl.col("slot").to_physical())
    return _edges(ends, "contracted", source, _key("target", ACCOUNT, "buyer"))


class EnergyEdges:
    """All edges of a chain's energy, made once.

    Parameters
    ----------
    chain : ChainViews

    Attributes
    ----------
    frame : polars.DataFrame
        ``source_kind``, ``source_a``, ``source_b``, ``target_kind``, ``target_a``, ``target_b``, ``edge``, ``energy``
        (Wh), ``height``, ``index``.
    beneficiaries : tuple of str
        Names, by place.
    trades : polars.DataFrame
        As `chain.trades`, with ``row``.
    pieces : polars.DataFrame
        Certificates cut where one was ever handed on or retired: ``first``, ``quantity``, ``energy``, ``device``,
        ``vintage`` (µs), ``owner`` at issue, ``height``, ``index``.
    """

    def __init__(self, chain: ChainViews) -> None:
        self.trades = chain.trades.with_row_index("row")
        self._moves = payload_rows(chain, "certificate_transfer")
        self._retirements = payload_rows(chain, "certificate_retire")
        self.beneficiaries = tuple(self._retirements["beneficiary"].unique().sort().to_list())
        self.pieces = self._cut(payload_rows(chain, "certificate_issue"))
        readings = self._readings(chain)
        generated = readings.group_by("device", "month").agg(energy=pl.col("energy").sum()).sort("device", "month")
        parts = [
            *self._traded(),
            _contracted(chain),
            self._metered(readings),
            self._certified(generated),
            *self._held(),
        ]
        self.frame = pl.concat(parts)

    def _traded(self) -> list[pl.DataFrame]:
        trade = ("row", 0)
        slot = pl.col("slot").to_physical()
        return [
            _edges(self.trades, "sold", _key("source", METER, "seller", slot), _key("target", TRADE, *trade)),
            _edges(self.trades, "bought", _key("source", TRADE, *trade), _key("target", ACCOUNT, "buyer")),
        ]

    @staticmethod
    def _readings(chain: ChainViews) -> pl.DataFrame:
        """Return what was generated: account, slot, device under which it is certified, month (µs), energy, place."""
        groups = payload_rows(chain, "certificate_group").select(account="device", device="registrant")
        read = payload_rows(chain, "meter_readings").filter(pl.col("generation") > 0)
        return read.join(groups, on="account", how="left", maintain_order="left").select(
            "account",
            pl.col("slot").to_physical(),
            pl.coalesce("device", "account").alias("device"),
            pl.col("slot").dt.truncate("1mo").to_physical().alias("month"),
            pl.col("generation").alias("energy"),
            "height",
            "index",
        )

    @staticmethod
    def _metered(readings: pl.DataFrame) -> pl.DataFrame:
        source, target = _key("source", METER, "account", "slot"), _key("target", MONTH, "device", "month")
        return _edges(readings, "metered", source, target)

    def _cut(self, issues: pl.DataFrame) -> pl.DataFrame:
        """Cut issued ranges wherever a range that was handed on or retired begins or ends."""
        ranges = pl.concat(
            [each.select("certificate_id", "quantity") for each in (issues, self._moves, self._retirements)]
        )
        first = ranges["certificate_id"].to_numpy().astype(np.int64)
        bounds = np.unique(np.concatenate([first, first + ranges["quantity"].to_numpy()]))
        ordered = issues.sort("certificate_id")
        starts = ordered["certificate_id"].to_numpy().astype(np.int64)
        ends = starts + ordered["quantity"].to_numpy()
        owner = np.searchsorted(starts, bounds[:-1], side="right") - 1
        inside = (owner >= 0) & (bounds[:-1] < np.append(ends, 0)[owner])
        sizes = (bounds[1:] - bounds[:-1])[inside]
        unit = pl.col("energy") // pl.col("quantity")
        return ordered.with_columns(unit=unit)[owner[inside]].select(
            pl.Series("first", bounds[:-1][inside], dtype=pl.Int64),
            pl.Series("quantity", sizes, dtype=pl.Int64),
            pl.Series("energy", sizes, dtype=pl.Int64) * pl.col("unit"),
            "device",
            pl.col("vintage_start").to_physical().alias("vintage"),
            "owner",
            "height",
            "index",
        )

    def _certified(self, generated: pl.DataFrame) -> pl.DataFrame:
        flows = laid_out(generated, "device", size="energy", prefix="flow_").drop("energy")
        ordered = self.pieces.sort("device", "vintage", "first")
        # Which piece an interval belongs to is looked up by where it starts, since intervals carry nothing else.
        lines = laid_out(ordered, "device", size="energy")
        met = overlaps(lines.select("device", "start", "end"), flows, "device")
        placed = met.join(lines.drop("end", "energy"), on=["device", "start"], how="left").with_columns(
            energy=pl.col("high") - pl.col("low")
        )
        source = _key("source", MONTH, "device", "month")
        return _edges(placed, "certified", source, _key("target", CERTIFICATE, "first", "quantity"))

    def _held(self) -> list[pl.DataFrame]:
        place = pl.col("beneficiary").replace_strict(
            list(self.beneficiaries), list(range(len(self.beneficiaries))), return_dtype=pl.UInt64
        )
        moved, gone = self._of_pieces(self._moves), self._of_pieces(self._retirements)
        held = _key("source", CERTIFICATE, "first", "quantity")
        used = gone if gone.is_empty() else gone.with_columns(place=place)
        name = pl.lit(0) if gone.is_empty() else pl.col("place")
        return [
            _edges(self.pieces, "issued", held, _key("target", ACCOUNT, "owner")),
            _edges(moved, "transferred", held, _key("target", ACCOUNT, "new_owner")),
            _edges(used, "retired", held, _key("target", BENEFICIARY, name)),
        ]

    def _of_pieces(self, ranges: pl.DataFrame) -> pl.DataFrame:
        """Return one row for each range and each piece inside it."""
        first = self.pieces["first"].to_numpy()
        start = ranges["certificate_id"].to_numpy().astype(np.int64)
        low = np.searchsorted(first, start, side="left")
        high = np.searchsorted(first, start + ranges["quantity"].to_numpy(), side="left")
        placed = ranges.drop("quantity").with_columns(
            piece=pl.int_ranges(pl.Series(low, dtype=pl.Int64), pl.Series(high, dtype=pl.Int64), dtype=pl.UInt32)
        )
        inside = self.pieces.select("first", "quantity", "energy").with_row_index("piece")
        return placed.explode("piece").join(inside, on="piece", how="inner", maintain_order="left")
