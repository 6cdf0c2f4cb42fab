"""A slow, obvious auction with blocks: every set of blocks and every whole price is tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

import polars as pl

START = datetime(2026, 4, 1, 12)


@dataclass(frozen=True)
class Simple:
    """An order without conditions; `slot` counts from 0."""

    slot: int
    side: str
    price: int
    energy: int


@dataclass(frozen=True)
class Block:
    """An all-or-nothing block; `energy` is slot -> Wh."""

    name: str
    side: str
    price: int
    energy: dict[int, int]
    parent: str | None = None
    group: str | None = None


def orders_frame(orders: list[Simple]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "order_id": pl.Series(range(len(orders)), dtype=pl.UInt64),
            "slot": pl.Series([START + timedelta(minutes=15 * o.slot) for o in orders], dtype=pl.Datetime("us")),
            "zone": pl.Series(["BKK"] * len(orders), dtype=pl.String),
            "account": pl.Series(range(len(orders)), dtype=pl.UInt32),
            "side": pl.Series([o.side for o in orders], dtype=pl.Enum(["buy", "sell"])),
            "price": pl.Series([o.price for o in orders], dtype=pl.Int64),
            "energy": pl.Series([o.energy for o in orders], dtype=pl.Int64),
        }
    )


def blocks_frame(blocks: list[Block], min_fill: float | None = None) -> pl.DataFrame:
    rows = [(b, slot, energy) for b in blocks for slot, energy in b.energy.items()]
    frame = pl.DataFrame(
        {
            "block_id": pl.Series([b.name for b, *_ in rows], dtype=pl.String),
            "slot": pl.Series([START + timedelta(minutes=15 * slot) for _, slot, _ in rows], dtype=pl.Datetime("us")),
            "zone": pl.Series(["BKK"] * len(rows), dtype=pl.String),
            "side": pl.Series([b.side for b, *_ in rows], dtype=pl.String),
            "price": pl.Series([b.price for b, *_ in rows], dtype=pl.Int64),
            "energy": pl.Series([energy for *_, energy in rows], dtype=pl.Int64),
            "parent": pl.Series([b.parent for b, *_ in rows], dtype=pl.String),
            "exclusive_group": pl.Series([b.group for b, *_ in rows], dtype=pl.String),
        }
    )
    return frame if min_fill is None else frame.with_columns(min_fill=pl.lit(min_fill))


def slot_outcome(orders: list[Simple], export: int, prices: range) -> tuple[int, list[int]] | None:
    """Return the best welfare of one slot that sells `export` Wh net to the blocks, and the prices that clear it."""
    bids = sorted((o.price for o in orders if o.side == "buy" for _ in range(o.energy)), reverse=True)
    asks = sorted(o.price for o in orders if o.side == "sell" for _ in range(o.energy))
    best = max(
        (
            (sum(bids[:bought]) - sum(asks[: bought + export]), bought)
            for bought in range(len(bids) + 1)
            if 0 <= bought + export <= len(asks)
        ),
        default=None,
    )
    if best is None:
        return None
    welfare, bought = best
    sold = bought + export
    clearing = [
        p
        for p in prices
        if all(b >= p for b in bids[:bought])
        and all(b <= p for b in bids[bought:])
        and all(a <= p for a in asks[:sold])
        and all(a >= p for a in asks[sold:])
    ]
    return welfare, clearing


def allowed(chosen: list[Block], blocks: list[Block]) -> bool:
    names = {b.name for b in chosen}
    groups = [b.group for b in chosen if b.group]
    return all(b.parent is None or b.parent in names for b in chosen) and len(groups) == len(set(groups))


def family(block: Block, chosen: list[Block]) -> list[Block]:
    return [block, *(m for child in chosen if child.parent == block.name for m in family(child, chosen))]


def supported(chosen: list[Block], price: tuple[int, ...]) -> bool:
    """Whether no chosen block loses money together with its family."""

    def gain(block: Block) -> int:
        worth = sum((price[slot] - block.price) * energy for slot, energy in block.energy.items())
        return worth if block.side == "sell" else -worth

    return all(sum(gain(member) for member in family(block, chosen)) >= 0 for block in chosen)


def best_welfare(orders: list[Simple], blocks: list[Block], slots: int, prices: range) -> int:
    """Return the highest welfare that prices support."""
    best = 0
    for picks in product([False, True], repeat=len(blocks)):
        chosen = [b for b, pick in zip(blocks, picks, strict=True) if pick]
        if not allowed(chosen, blocks):
            continue
        welfare = sum((-1 if b.side == "sell" else 1) * b.price * sum(b.energy.values()) for b in chosen)
        ranges = []
        for slot in range(slots):
            net = sum((1 if b.side == "buy" else -1) * b.energy.get(slot, 0) for b in chosen)
            outcome = slot_outcome([o for o in orders if o.slot == slot], net, prices)
            if outcome is None:
                break
            welfare += outcome[0]
            ranges.append(outcome[1])
        else:
            if welfare > best and any(supported(chosen, price) for price in product(*ranges)):
                best = welfare
    return best
