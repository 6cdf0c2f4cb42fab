"""Following a kilowatt-hour: from the meter through trades to the buyer, and through certificates to who used it up.

References
----------
I-TRACK Foundation, "I-REC(E) product code", 2024 (a certificate names device and month, not the quarter-hour).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.moments import require_microseconds
from gridlab.chain.trades import NO_ACCOUNT
from gridlab.compliance.energy_edges import (
    ACCOUNT,
    BENEFICIARY,
    CERTIFICATE,
    METER,
    MONTH,
    NODES,
    TRADE,
    EnergyEdges,
)
from gridlab.compliance.funds_door import require_choice, require_window
from gridlab.compliance.pages import table_html
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.frames import SLOT

__all__ = ["DIRECTIONS", "EnergyTrace", "trace_energy"]

DIRECTIONS = ("both", "forward", "backward")
_ENDS = {"source": ["source_kind", "source_a", "source_b"], "target": ["target_kind", "target_a", "target_b"]}


@dataclass(frozen=True)
class EnergyTrace:
    """Energy that was followed.

    Attributes
    ----------
    start : str
        The node from which it was followed.
    direction : str
    nodes : polars.DataFrame
        ``node``, ``kind`` (meter, trade, account, month, certificate, beneficiary), ``account`` and its ``name`` where
        there is one, ``slot`` (a meter's or trade's; a month's start).
    edges : polars.DataFrame
        ``source``, ``target`` (nodes, in the direction in which energy went), ``edge`` (sold, bought, contracted,
        metered, certified, issued, transferred, retired), ``energy`` (Wh), ``height``, ``transaction`` (id).
    """

    start: str
    direction: str
    nodes: pl.DataFrame = field(repr=False)
    edges: pl.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        return f"EnergyTrace({self.start}, {self.direction}, {self.nodes.height} nodes, {self.edges.height} edges)"

    def _repr_html_(self) -> str:
        title = f"{self.start}, {self.direction}: {self.nodes.height} nodes, {self.edges.height} edges"
        heads = {"source": "from", "edge": "", "target": "to", "energy": "Wh", "height": "block"}
        return table_html(title, self.edges, heads)


def trace_energy(
    energy: EnergyEdges,
    trail: pl.DataFrame,
    names: pl.DataFrame,
    *,
    trade: int | None,
    meter: tuple[int, object] | None,
    certificate: int | None,
    buyer: int | None,
    direction: str,
    since: int | None,
    until: int | None,
) -> EnergyTrace:
    """Follow energy from one node; see `gridlab.compliance.Audit.trace_energy`."""
    require_choice("direction", direction, DIRECTIONS)
    low, high = require_window(since, until)
    given = {"trade": trade, "meter": meter, "certificate": certificate, "buyer": buyer}
    asked = [name for name, value in given.items() if value is not None]
    if len(asked) != 1:
        raise ArgumentTypeError(
            f"give exactly one of {', '.join(given)}, so that it is clear what to follow; got {asked}"
        )
    kind, a, b = _START[asked[0]](energy, names, given[asked[0]])
    edges = energy.frame.filter(pl.col("height").is_between(low, high)).with_row_index("edge_row")
    start = pl.DataFrame({"kind": [kind], "a": [a], "b": [b]}, schema={"kind": pl.UInt8, "a": pl.UInt64, "b": pl.Int64})
    ways = ("forward", "backward") if direction == "both" else (direction,)
    met = pl.concat([edges.clear(), *(_reach(edges, start, way) for way in ways)]).unique("edge_row").sort("edge_row")
    nodes, edges = _shown(met, start, energy, names)
    ids = trail.select("height", "index", transaction="id")
    edges = edges.join(ids, on=["height", "index"], how="left", maintain_order="left").drop("index")
    own = nodes.join(start, left_on=["kind_code", "a", "b"], right_on=start.columns, how="semi")["node"][0]
    return EnergyTrace(own, direction, nodes.select("node", "kind", "account", "name", "slot"), edges)


def _trade_node(energy: EnergyEdges, _: pl.DataFrame, value: object) -> tuple[int, int, int]:
    if energy.trades.is_empty():
        raise ArgumentError(f"trade is {value!r}, and this chain has no trades")
    return TRADE, require_int("trade", value, 0, energy.trades.height - 1), 0


def _meter_node(_: EnergyEdges, names: pl.DataFrame, value: object) -> tuple[int, int, int]:
    if not isinstance(value, tuple) or len(value) != 2:
        raise ArgumentTypeError(f"meter is {value!r}, allowed: (account, slot), the slot as datetime")
    account = require_int("account", value[0], 0, names.height - 1)
    return METER, account, require_microseconds("slot", value[1])


def _certificate_node(energy: EnergyEdges, _: pl.DataFrame, value: object) -> tuple[int, int, int]:
    serial = require_int("certificate", value, 0, 2**62)
    found = energy.pieces.filter((pl.col("first") <= serial) & (serial < pl.col("first") + pl.col("quantity")))
    if found.is_empty():
        raise ArgumentError(f"certificate {serial} was never issued on this chain; chain.certificates lists all ranges")
    return CERTIFICATE, int(found["first"][0]), int(found["quantity"][0])


def _buyer_node(_: EnergyEdges, names: pl.DataFrame, value: object) -> tuple[int, int, int]:
    return ACCOUNT, require_int("buyer", value, 0, names.height - 1), 0


_START = {"trade": _trade_node, "meter": _meter_node, "certificate": _certificate_node, "buyer": _buyer_node}


def _reach(edges: pl.DataFrame, start: pl.DataFrame, way: str) -> pl.DataFrame:
    """Return all edges on the way from `start`: each step leads to another kind of node, so steps are few."""
    here, there = ("source", "target") if way == "forward" else ("target", "source")
    key = start.columns
    front, found = start, [edges.clear()]
    while front.height:
        step = edges.join(front, left_on=_ENDS[here], right_on=key, how="semi")
        found.append(step)
        front = step.select(_ENDS[there]).unique().rename(dict(zip(_ENDS[there], key, strict=True)))
    return pl.concat(found)


def _shown(
    met: pl.DataFrame, start: pl.DataFrame, energy: EnergyEdges, names: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    ends = [met.select(columns).rename(dict(zip(columns, start.columns, strict=True))) for columns in _ENDS.values()]
    nodes = _described(pl.concat([start, *ends]).unique().sort("kind", "a", "b"), energy, names)
    labels = nodes.select("kind_code", "a", "b", "node")
    edges = met
    for end, columns in _ENDS.items():
        named = labels.rename({"node": end, **dict(zip(labels.columns, columns, strict=False))})
        edges = edges.join(named, on=columns, how="left", maintain_order="left")
    return nodes, edges.select("source", "target", "edge", "energy", "height", "index")


def _described(keys: pl.DataFrame, energy: EnergyEdges, names: pl.DataFrame) -> pl.DataFrame:
    """Give every node a name that people read, its account and its slot."""
    kind, a, b = pl.col("kind"), pl.col("a"), pl.col("b")
    traded = energy.trades.select(a=pl.col("row").cast(pl.UInt64), traded=pl.col("slot"))
    joined = keys.join(traded, on="a", how="left", maintain_order="left").with_columns(
        account=pl.when(kind.is_in([METER, ACCOUNT, MONTH])).then(a).cast(pl.UInt32),
        slot=pl.when(kind.is_in([METER, MONTH])).then(b.cast(SLOT)).when(kind == TRADE).then("traded"),
    )
    named = joined.join(names.select("account", "name"), on="account", how="left", maintain_order="left").with_columns(
        name=pl.when(pl.col("account") == NO_ACCOUNT).then(pl.lit("the grid")).otherwise("name"),
        person=pl.when(pl.col("account") == NO_ACCOUNT)
        .then(pl.lit("grid"))
        .otherwise(pl.col("account").cast(pl.String)),
    )
    names_by_place = pl.Series("used", energy.beneficiaries, dtype=pl.String)
    used = pl.DataFrame({"a": pl.int_range(len(names_by_place), dtype=pl.UInt64, eager=True), "used": names_by_place})
    labels = [
        (METER, pl.format("meter {} {}", "person", pl.col("slot").dt.strftime("%Y-%m-%d %H:%M"))),
        (TRADE, pl.format("trade {}", a)),
        (ACCOUNT, pl.format("account {}", "person")),
        (MONTH, pl.format("generation {} {}", "person", pl.col("slot").dt.strftime("%Y-%m"))),
        (CERTIFICATE, pl.format("certificates {} to {}", a, a.cast(pl.Int64) + b - 1)),
        (BENEFICIARY, pl.format("beneficiary {}", "used")),
    ]
    node = pl.coalesce([pl.when(kind == code).then(label) for code, label in labels])
    words = kind.replace_strict(range(len(NODES)), list(NODES), return_dtype=pl.String)
    return named.join(used, on="a", how="left", maintain_order="left").select(
        node.alias("node"), words.alias("kind"), "account", "name", "slot", kind.alias("kind_code"), "a", "b"
    )
