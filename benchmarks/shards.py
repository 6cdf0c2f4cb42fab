"""What shards gain over one, against the share of transfers that cross between them.

::

    python -m benchmarks.shards                  # the table
    python -m benchmarks.shards --rows 20000 --blocks 4 --json

Every contender is given the same blocks of transfers, in turn, block after block, so that a busy moment of the machine
falls on all of them; a figure is the median over the blocks, a ratio the median of the ratios within one block. A block
is everything: results, balances, memory of ids, roots; and, from shard to shard, the parcels and receipts of the blocks
before. The first blocks, in which these are not there yet, are not counted.

- **one**: `ShardedLedger` with all accounts in one area, in this process.
- **bare**: `Ledger.apply_each` and a kept tree over its accounts, without anything of shards: what one costs at least.
- **2 / 2**, **13 / 2**: that many areas in two worker processes; **13 / 0**: thirteen areas in this process.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from gridlab.chain.ledger import ASSETS, CODES, Ledger
from gridlab.chain.merkle_tree import MerkleTree
from gridlab.chain.shards import SHARD_NAMES, ShardedLedger

SHARES = (0, 5, 20, 50)
FUNDS = 10**12
CONTENDERS = {"one": (1, 0), "2 / 2": (2, 2), "13 / 2": (13, 2), "13 / 0": (13, 0)}
WARM_BLOCKS = 3


def homes(accounts: int, areas: int) -> pl.DataFrame:
    """Return homes of accounts 0 (the issuer) to `accounts` - 1, dealt to the areas in turn."""
    names = pl.Series(SHARD_NAMES[:areas])
    account = pl.int_range(accounts, dtype=pl.UInt32, eager=True).alias("account")
    return pl.DataFrame({"account": account, "shard": names.gather(account % areas)})


def make_block(rows: int, accounts: int, areas: int, share: int, number: int) -> pl.DataFrame:
    """Return payments of which `share` per cent go into another of `areas` areas, as `homes` deals them."""
    random = np.random.default_rng([number, share, areas])
    each = accounts // areas - 1
    area, crosses = random.integers(0, areas, rows), random.random(rows) < share / 100
    other = (area + random.integers(1, max(areas, 2), rows)) % areas
    # From the second account of an area on, since the first one of the first area issues.
    payer = random.integers(1, each, rows)
    payee = (payer + random.integers(1, each - 1, rows) - 1) % (each - 1) + 1
    debit, credit = payer * areas + area, payee * areas + np.where(crosses, other, area)
    return frame(debit, credit, random.integers(1, 100_000, rows), first_id=number * rows)


def frame(debit: Any, credit: Any, amount: Any, *, first_id: int) -> pl.DataFrame:
    """Return a frame of payments in WATT with growing ids."""
    rows = len(debit)
    return pl.DataFrame(
        {
            "transfer_id": np.arange(first_id, first_id + rows, dtype=np.uint64),
            "debit_account": debit.astype(np.uint32),
            "credit_account": credit.astype(np.uint32),
            "asset": pl.Series(["WATT"], dtype=ASSETS).new_from_index(0, rows),
            "amount": amount,
            "code": pl.Series(["energy"], dtype=CODES).new_from_index(0, rows),
        }
    )


class Bare:
    """A ledger and a tree over its accounts."""

    def __init__(self, accounts: int) -> None:
        self.book = Ledger(accounts, issuers={"WATT": [0]})
        self.tree = MerkleTree(self.book.leaves())

    def apply(self, transfers: pl.DataFrame) -> tuple[bytes, bytes]:
        """Apply a block and return the root over the accounts and the ledger's commitment."""
        before = self.book.fork()
        self.book.apply_each(transfers, transfers["debit_account"].to_numpy())
        changed = self.book.changed_accounts(before)
        self.tree.update(changed, self.book.leaf_bytes(changed))
        return self.tree.root, self.book.commitment


def seconds(act: Callable[[], object]) -> float:
    """Return how long `act` takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def measure(rows: int, accounts: int, share: int, blocks: int) -> list[dict[str, Any]]:
    """Return a row per contender: milliseconds of a block, and how many times as fast as one shard it is."""
    results = []
    for areas in (2, 13):
        chosen = {name: kind for name, kind in CONTENDERS.items() if kind[0] in (1, areas)}
        books = {
            name: ShardedLedger(homes(accounts, parts), issuers={"WATT": [0]}, workers=workers)
            for name, (parts, workers) in chosen.items()
        }
        bare = Bare(accounts)
        everybody = np.arange(1, accounts)
        mint = frame(np.zeros(accounts - 1), everybody, np.full(accounts - 1, FUNDS), first_id=0)
        bare.apply(mint)
        for book in books.values():
            book.apply_each(mint)
            book.settle()
        times: dict[str, list[float]] = {name: [] for name in [*books, "bare"]}
        for number in range(1, WARM_BLOCKS + blocks + 1):
            block = make_block(rows, accounts, areas, share, number)
            took = {name: seconds(partial(book.apply_each, block)) for name, book in books.items()}
            took["bare"] = seconds(partial(bare.apply, block))
            if number > WARM_BLOCKS:
                for name, each in took.items():
                    times[name].append(each)
        for book in books.values():
            book.settle()
            assert book.balances["WATT"].equals(bare.book.balances["WATT"])
            book.close()
        results += [row(share, areas, name, times) for name in times]
    return results


def row(share: int, areas: int, name: str, times: dict[str, list[float]]) -> dict[str, Any]:
    """Return one line of the table."""
    gains = [one / own for one, own in zip(times["one"], times[name], strict=True)]
    return {
        "crossing (%)": share,
        "blocks for areas": areas,
        "contender": name,
        "block (ms)": round(1e3 * median(times[name]), 1),
        "gain over one": round(median(gains), 2),
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="transfers of a block (default: %(default)s)")
    parser.add_argument("--accounts", type=int, default=100_000, help="accounts (default: %(default)s)")
    parser.add_argument("--blocks", type=int, default=7, help="blocks that are timed (default: %(default)s)")
    parser.add_argument("--share", type=int, choices=range(101), metavar="PERCENT", help="instead of the usual shares")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    shares = SHARES if options.share is None else (options.share,)
    results = [each for share in shares for each in measure(options.rows, options.accounts, share, options.blocks)]
    if options.json:
        for result in results:
            print(json.dumps(result))
        return
    with pl.Config(tbl_cols=-1, tbl_rows=-1, tbl_width_chars=200, tbl_hide_dataframe_shape=True):
        print(pl.DataFrame(results))


if __name__ == "__main__":
    main()
