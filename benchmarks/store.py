"""How fast blocks go into the store, and how fast a stored chain opens, as ratios to plain writing of the same bytes.

::

    python -m benchmarks.store                  # the table
    python -m benchmarks.store --blocks 50 --rows 1000 --repeat 3 --json

- **append**: `Store.append` of blocks that are final, each confirmed by the disk before the next.
- **file**: the same blocks' bytes appended to one file, with ``flush`` and ``os.fsync`` after each.
- **open**: `ConsortiumChain.open` from genesis, every block executed again.

Contenders are timed in turn, repetition after repetition; a ratio is the median of the ratios within one.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import polars as pl

from gridlab.chain import ConsortiumChain, SingleSequencer, keys
from gridlab.chain.store import Store

ROLES = {"bank": "reserve_bank", "issuer": "watt_issuer", "operator": "market_operator", "trader": "trader"}
SEQUENCER = SingleSequencer(keys.sandbox(0, "sequencer"))


def make_chain(blocks: int, rows: int) -> ConsortiumChain:
    """Return a chain in memory whose blocks hold one signed settlement of so many payments each."""
    pairs = {name: keys.sandbox(0, name) for name in ROLES}
    chain = ConsortiumChain(
        pl.DataFrame(
            {
                "account": range(len(ROLES)),
                "name": list(ROLES),
                "role": list(ROLES.values()),
                "public_key": [pair.public_key for pair in pairs.values()],
            }
        ),
        ordering=SEQUENCER,
    )
    chain.send(pairs["bank"], "reserve", payments(1, 0, 1, asset="THB", code="reserve", amount=10**15))
    chain.send(pairs["issuer"], "mint", payments(1, 1, 3, asset="WATT", code="mint", amount=10**15))
    for height in range(1, blocks + 1):
        paid = payments(rows, 3, 2, asset="WATT", code="energy", amount=7, first=height * rows)
        chain.send(pairs["operator"], "settlement", paid)
        assert chain.seal(height).rejected == 0
    return chain


def payments(rows: int, debit: int, credit: int, *, asset: str, code: str, amount: int, first: int = 0) -> pl.DataFrame:
    """Return so many equal payments with growing ids."""
    return pl.select(transfer_id=pl.int_range(first, first + rows, dtype=pl.UInt64)).with_columns(
        debit_account=pl.lit(debit), credit_account=pl.lit(credit), asset=pl.lit(asset), amount=pl.lit(amount),
        code=pl.lit(code),
    )  # fmt: skip


def seconds(act: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = perf_counter()
    act()
    return perf_counter() - start


def write_plainly(path: Path, bodies: list[bytes]) -> None:
    """Append blocks to a file, each confirmed by the disk."""
    with path.open("wb") as file:
        for body in bodies:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())


def append_all(store: Store, chain: ConsortiumChain) -> None:
    """Append all blocks of a chain."""
    for height in range(1, chain.height + 1):
        store.append(chain.block(height))


def measure(blocks: int, rows: int, repeat: int) -> dict[str, float]:
    """Return the figures of one size of block."""
    chain = make_chain(blocks, rows)
    bodies = [chain.block(height).to_bytes() for height in range(1, blocks + 1)]
    times: dict[str, list[float]] = {"append": [], "file": [], "open": []}
    with TemporaryDirectory() as folder:
        for number in range(repeat):
            path = Path(folder) / f"{number}.db"
            with Store.create(path, chain.genesis) as store:
                times["append"].append(seconds(lambda store=store: append_all(store, chain)))
            times["file"].append(seconds(lambda: write_plainly(Path(folder) / "plain", bodies)))
            times["open"].append(seconds(lambda path=path: ConsortiumChain.open(path).close()))
            path.unlink()
    size = sum(map(len, bodies))
    return {
        "rows": rows,
        "blocks": blocks,
        "megabytes": size / 1e6,
        "append_ms_per_block": 1000 * median(times["append"]) / blocks,
        "append/file": median(one / other for one, other in zip(times["append"], times["file"], strict=True)),
        "open_ms_per_block": 1000 * median(times["open"]) / blocks,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 1_000, 100_000])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = [measure(options.blocks, rows, options.repeat) for rows in options.rows]
    if options.json:
        print(json.dumps(found))
        return
    for figures in found:
        print("  ".join(f"{name} {value:,.3f}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
