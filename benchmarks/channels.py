"""What an off-chain update costs: updates per second, and the ratio to bare signing and verifying.

::

    python -m benchmarks.channels
    python -m benchmarks.channels --updates 100000 --repeat 3 --json

An update is a state that both sides sign and whose other signature each side verifies: two signatures and two
verifications. ``pay_many`` makes all of them, on all cores. ``pay`` makes a tenth as many updates one by one. ``bare``
does the same number of signatures and verifications of equally long messages with PyNaCl, on one core; ``bare on all
cores`` shares them out as ``pay_many`` does. Each repetition has keys of its own, so that no verdict is known. A ratio
is the median over the repetitions of the ratio within one.
"""

from __future__ import annotations

import argparse
import json
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair

from benchmarks.clearing import seconds
from gridlab.chain import keys
from gridlab.chain.channels import ChannelBook, PaymentChannel, open_channel
from gridlab.chain.ed25519 import in_slices
from gridlab.chain.ledger import Ledger
from gridlab.chain.swaps import Stops

_DEPOSIT = 10**12


def opened(seed: int) -> tuple[Ledger, ChannelBook, PaymentChannel]:
    """Return a ledger with one open channel of a meter and a seller."""
    ledger = Ledger(3, issuers={"WATT": [0]})
    row = {"transfer_id": 1, "debit_account": 0, "credit_account": 1, "asset": "WATT", "amount": _DEPOSIT}
    ledger.apply(pl.DataFrame([row | {"code": "mint"}]))
    pairs = [keys.sandbox(seed, "meter"), keys.sandbox(seed, "seller")]
    book, channel = open_channel(ChannelBook("benchmark"), ledger, pairs, (1, 2), (_DEPOSIT, 0))
    return ledger, book, PaymentChannel("benchmark", channel, pairs, book[channel])


def sign_and_open(numbers: range, pairs: list[tuple[bytes, bytes]], filler: bytes) -> list[None]:
    """Sign and verify one message per number and key pair, with nothing around it."""
    for number in numbers:
        message = number.to_bytes(8, "little") + filler
        for public, secret in pairs:
            crypto_sign_open(crypto_sign(message, secret), public)
    return []


def one_by_one(channel: PaymentChannel, amounts: list[int]) -> None:
    """Pay each amount by a call of its own."""
    for amount in amounts:
        channel.pay(amount)


def measure(updates: int, repeat: int) -> dict[str, Any]:
    """Time all four, interleaved; return updates per second and ratios (medians)."""
    times: dict[str, list[float]] = {"many": [], "one": [], "bare": [], "all": []}
    for seed in range(repeat):
        ledger, book, channel = opened(seed)
        amounts = np.random.default_rng(seed).integers(1, 1_000, updates)
        few = amounts[: max(updates // 10, 1)].tolist()
        pairs = [crypto_sign_seed_keypair(bytes([seed, side]) * 16) for side in (0, 1)]
        filler = bytes(len(channel.latest.state.message("benchmark")) - 8)
        times["many"].append(seconds(lambda: channel.pay_many(amounts)))  # noqa: B023 - called at once
        times["bare"].append(seconds(lambda: sign_and_open(range(updates), pairs, filler)))  # noqa: B023
        times["all"].append(seconds(lambda: in_slices(lambda part: sign_and_open(part, pairs, filler), range(updates))))  # noqa: B023
        times["one"].append(seconds(lambda: one_by_one(channel, few)) * updates / len(few))  # noqa: B023
        before = len(ledger.transfers)
        book, _ = book.close_together(ledger, channel.channel, channel.finish(), 0, Stops())
        assert ledger.balance(2, "WATT") == int(amounts.sum()) + sum(few)
        assert len(ledger.transfers) == before + 1
    return {
        "updates": updates,
        "signatures/update": 2,
        "verifications/update": 2,
        "pay_many updates/s": round(updates / median(times["many"]), 1),
        "pay updates/s": round(updates / median(times["one"]), 1),
        "bare updates/s": round(updates / median(times["bare"]), 1),
        "pay_many/bare": _ratio(times["many"], times["bare"]),
        "pay_many/bare on all cores": _ratio(times["many"], times["all"]),
        "pay/bare": _ratio(times["one"], times["bare"]),
        "transactions to settle": 1,
    }


def _ratio(one: list[float], other: list[float]) -> float:
    return round(median([a / b for a, b in zip(one, other, strict=True)]), 2)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=20_000, help="off-chain payments (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = measure(options.updates, options.repeat)
    if options.json:
        print(json.dumps(found))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame([found]))


if __name__ == "__main__":
    main()
