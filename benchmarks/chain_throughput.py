"""How many transactions a second the consortium chain takes, and what that is of what its parts can do alone.

::

    python -m benchmarks.chain_throughput
    python -m benchmarks.chain_throughput --blocks 9 --json

**one by one**: transactions of one transfer each, by thousands of members, come in as bytes. Timed is everything from
there to the stored block: reading, verifying, queueing, ordering by 21 validators (PBFT, simulated in this process),
executing, all roots, writing to disk. *bare* is the checking of the same signatures and nothing else:
``nacl.bindings.crypto_sign_open`` on two threads. Both are timed in turn, block by block, so that a busy moment of the
machine falls on both; a ratio is the median over the blocks of the ratio within one.

**in batches**: orders in batches of thousands, each batch under one signature, likewise from bytes to the stored block
in which they rest, with what they may cost reserved. *bare* is `gridlab.clear` of the same orders and nothing else.

Signing is the work of those who send, and is not timed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from nacl.bindings import crypto_sign_open

import gridlab as gl
from gridlab.chain import ConsortiumChain, Transaction, keys
from gridlab.chain.ledger import CODES
from gridlab.chain.pbft_ordering import PbftOrdering
from gridlab.chain.single_transfers import layout_of
from gridlab.chain.transactions import MESSAGE_PREFIX
from gridlab.market.charges.settlement import Institutions
from gridlab.market.exchange import MarketExchange

CHAIN = "gridlab-consortium"
START = 1_775_000_700_000_000  # microseconds since 1970; a delivery slot
SLOT = 15 * 60 * 1_000_000
FUNDS = 10**13  # micro-WATT for each trader
INSTITUTIONS = (
    ("reserve bank", "reserve_bank"),
    ("issuer", "watt_issuer"),
    ("market operator", "market_operator"),
    ("regulator", "regulator"),
)
THREADS = 2


@dataclass(frozen=True)
class Community:
    """Members and their keys; the institutions come first."""

    pairs: list[keys.KeyPair]
    frame: pl.DataFrame

    @classmethod
    def of(cls, traders: int) -> Community:
        """Return four institutions and so many traders."""
        names = [name for name, _ in INSTITUTIONS] + [f"trader {number}" for number in range(traders)]
        pairs = [keys.sandbox(0, name) for name in names]
        roles = [role for _, role in INSTITUTIONS] + ["trader"] * traders
        public_keys = [pair.public_key for pair in pairs]
        columns = {"account": range(len(names)), "name": names, "role": roles, "public_key": public_keys}
        return cls(pairs, pl.DataFrame(columns))

    @property
    def traders(self) -> range:
        """Accounts of the traders."""
        return range(len(INSTITUTIONS), len(self.pairs))


def funded_chain(community: Community, folder: str, exchange: MarketExchange | None = None) -> ConsortiumChain:
    """Return a chain with 21 validators and a store, at height 1, on which every trader holds `FUNDS`."""
    ordering = PbftOrdering.of(21)
    chain = ConsortiumChain(community.frame, chain_id=CHAIN, ordering=ordering, exchange=exchange, genesis_time=START)
    chain.store_in(Path(folder, "chain.db"))
    bank, issuer, *_ = community.pairs
    traders = list(community.traders)
    total = FUNDS * len(traders)

    def transfers(debit: int, credit: list[int], asset: str, amount: int, code: str) -> pl.DataFrame:
        count = len(credit)
        columns = {"transfer_id": range(count), "debit_account": [debit] * count, "credit_account": credit}
        return pl.DataFrame(columns | {"asset": [asset] * count, "amount": [amount] * count, "code": [code] * count})

    chain.send(bank, "reserve", transfers(0, [1], "THB", total, "reserve"))
    chain.send(issuer, "mint", transfers(1, traders, "WATT", FUNDS, "mint"))
    if chain.seal(START).rejected:
        raise AssertionError("the traders could not be funded")
    return chain


def signed_transfers(community: Community, count: int, first_round: int) -> list[bytes]:
    """Return one transfer of each trader in turn until there are `count`, signed, as bytes.

    Their bytes are written by the column, as they are read; signing each through a frame would take minutes.
    """
    layout = layout_of(CHAIN)
    random = np.random.default_rng(first_round)
    traders = np.array(community.traders)
    order = np.arange(count)
    senders = traders[order % len(traders)]
    rows = np.tile(layout.template, (count, 1)).view(layout.fields).reshape(count)
    rows["sender"] = np.frombuffer(b"".join(community.pairs[sender].public_key for sender in senders), "V32")
    rows["nonce"] = rows["transfer_id"] = first_round + order // len(traders)
    rows["expiry"] = 1_000_000
    rows["debit_account"], rows["amount"] = senders, random.integers(1, 1_000, count)
    rows["credit_account"] = traders[(order + random.integers(1, len(traders), count)) % len(traders)]
    rows["code"] = CODES.categories.to_list().index("transfer")
    packed, size = rows.tobytes(), layout.length
    unsigned = [packed[size * row : size * (row + 1) - 64] for row in range(count)]
    return [
        body + community.pairs[sender].sign(MESSAGE_PREFIX + body)
        for sender, body in zip(senders.tolist(), unsigned, strict=True)
    ]


def verify_bare(encoded: list[bytes]) -> Callable[[], None]:
    """Return a call that checks the signatures of these transactions with PyNaCl on two threads, and no more."""
    opened = [Transaction.from_bytes(each) for each in encoded]
    pairs = [(each.signature + each.message, each.sender) for each in opened]
    size = -(-len(pairs) // THREADS)

    def check(part: list[tuple[bytes, bytes]]) -> None:
        for signed, public_key in part:
            crypto_sign_open(signed, public_key)

    def call() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(check, [pairs[start : start + size] for start in range(0, len(pairs), size)]))

    return call


def seconds(act: Callable[[], Any]) -> float:
    """Time one call."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def in_turn(bare: Callable[[], Any], chain: dict[str, Callable[[], Any]], times: dict[str, list[float]]) -> None:
    """Time the bare call and the steps of the chain, one after another."""
    for name, act in {"bare": bare, **chain}.items():
        times.setdefault(name, []).append(seconds(act))


def summary(case: str, count: int, times: dict[str, list[float]]) -> dict[str, Any]:
    """Return rates (medians over the blocks) and the ratio of the whole to the bare (median of ratios)."""
    whole = [sum(parts) for parts in zip(*(taken for name, taken in times.items() if name != "bare"), strict=True)]
    ratios = [bare / all_of_it for bare, all_of_it in zip(times["bare"], whole, strict=True)]
    micro = {f"{name}_us": round(median(taken) / count * 1e6, 2) for name, taken in times.items()}
    rates = {"per_second": round(count / median(whole)), "bare_per_second": round(count / median(times["bare"]))}
    return {"case": case, "per_block": count, **rates, "chain/bare": round(median(ratios), 2), **micro}


def measure_single(traders: int, count: int, blocks: int) -> dict[str, Any]:
    """Time blocks of `count` transactions signed one by one by `traders` members."""
    community = Community.of(traders)
    times: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        chain = funded_chain(community, folder)
        for block in range(blocks + 1):
            encoded = signed_transfers(community, count, block * -(-count // traders))
            steps = {
                "submit": lambda encoded=encoded: chain.submit_many(encoded),
                "seal": lambda block=block: chain.seal(START + block * SLOT),
            }
            # The first block loads what a first block loads.
            in_turn(verify_bare(encoded), steps, times if block else {})
            if chain.block(chain.height).rejected or len(chain.block(chain.height).transactions) != count:
                raise AssertionError("a transaction of the benchmark was rejected, or left for a later block")
    return summary("one by one", count, times)


def exchange_of(community: Community) -> MarketExchange:
    """Return an exchange over the default market for these members, all at one transformer."""
    count = len(community.pairs)
    places = {
        "area": 0,
        "substation": 0,
        "feeder": 0,
        "transformer": 0,
        "monthly_kwh": 0.0,
        "peak_kw": 0.0,
        "pv_kw": 0.0,
    }
    texts = {"kind": "household", "zone": "MAC", "utility": "MEA", "tariff": "1.1.2", "voltage": "low"}
    names = community.frame["name"]
    accounts = pl.DataFrame({"account": range(count), "name": names}).with_columns(
        **{name: pl.lit(value) for name, value in (places | texts).items()}
    )
    operator = next(place for place, (_, role) in enumerate(INSTITUTIONS) if role == "market_operator")
    return MarketExchange(gl.Market(), accounts, Institutions(operator, operator, operator, {"MEA": operator}))


def orders_of(account: int, first: int, count: int, block: int) -> pl.DataFrame:
    """Return a batch of random orders of one account for the 96 slots of a day."""
    random = np.random.default_rng((block, account))
    slots = START + (96 * block + np.sort(random.integers(0, 96, count))) * SLOT
    return pl.DataFrame(
        {
            "order_id": np.arange(first, first + count, dtype=np.uint64),
            "slot": pl.Series(slots).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "zone": pl.repeat("MAC", count, eager=True).cast(pl.Enum(["MAC"])),
            "account": np.full(count, account, np.uint32),
            "side": pl.Series(random.integers(0, 2, count, dtype=np.uint8)).cat.to(pl.Enum(["buy", "sell"])),
            "price": random.integers(1_500, 6_000, count),
            "energy": random.integers(1, 20_000, count),
        }
    ).with_columns(pl.col("slot").dt.convert_time_zone("Asia/Bangkok"))


def measure_batches(orders: int, batch: int, blocks: int) -> dict[str, Any]:
    """Time blocks of `orders` orders in batches of `batch`, one trader each."""
    community = Community.of(-(-orders // batch))
    times: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        chain = funded_chain(community, folder, exchange_of(community))
        for block in range(blocks + 1):
            frames = [
                orders_of(account, place * batch, batch, block) for place, account in enumerate(community.traders)
            ]
            signed = [
                chain.sign(community.pairs[account], "order_batch", frame).to_bytes()
                for account, frame in zip(community.traders, frames, strict=True)
            ]
            steps = {
                "submit": lambda signed=signed: chain.submit_many(signed),
                "seal": lambda block=block: chain.seal(START + block * SLOT),
            }
            whole = pl.concat(frames, rechunk=True)
            in_turn(lambda whole=whole: gl.clear(whole), steps, times if block else {})
            if chain.block(chain.height).rejected:
                raise AssertionError(chain.block(chain.height).receipts[0].reason)
    return summary("in batches", len(community.traders) * batch, times)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traders", type=int, default=5_000, help="members who sign (default: %(default)s)")
    parser.add_argument(
        "--transactions", type=int, default=10_000, help="single ones in a block (default: %(default)s)"
    )
    parser.add_argument("--orders", type=int, default=1_000_000, help="orders in a block (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=10_000, help="orders under one signature (default: %(default)s)")
    parser.add_argument("--blocks", type=int, default=5, help="timed blocks of each case (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = []
    for measure, sizes in (
        (measure_single, (options.traders, options.transactions)),
        (measure_batches, (options.orders, options.batch)),
    ):
        found.append(measure(*sizes, options.blocks))
        if options.json:
            print(json.dumps(found[-1]), flush=True)
    if not options.json:
        with pl.Config(tbl_cols=-1, tbl_width_chars=200, tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True,
                       tbl_formatting="MARKDOWN"):  # fmt: skip
            print(pl.DataFrame(found))


if __name__ == "__main__":
    main()
