"""What a proof of liabilities costs: building the tree and checking proofs, as ratios to bare hashing and signing.

::

    python -m benchmarks.liabilities
    python -m benchmarks.liabilities --holders 100000 --repeat 3 --json

``bare`` hashes as many messages of the same lengths as the tree does, with ``hashlib.blake2b`` in a plain loop: a salt
and an id per holder, a leaf per holder, a node per pair. ``one by one`` builds the same tree node by node with
`gridlab.stablecoin.sums`, as the reference in the tests does, and must give the same root. ``proof`` makes one holder's
proof and checks it from bytes, the signature's verification included; its ratio is to verifying one signature with
PyNaCl. A ratio is the median over the repetitions of the ratio within one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair

from benchmarks.clearing import seconds
from gridlab.chain import keys
from gridlab.stablecoin import LiabilityTree, check_holding
from gridlab.stablecoin.sums import HOLDER_TAG, SALT_TAG, Node, holder_hash, join, leaf, salt_of

_SECRET = bytes(range(32))
_PROOFS = 200


def holders(count: int, seed: int) -> pl.DataFrame:
    """Return so many holders with random keys and balances."""
    draws = np.random.default_rng(seed)
    data = draws.bytes(32 * count)
    public_keys = [data[at : at + 32] for at in range(0, len(data), 32)]
    return pl.DataFrame({"public_key": public_keys, "balance": draws.integers(0, 10**12, count)})


def bare(count: int) -> None:
    """Hash what the tree hashes, with nothing around it."""
    lengths = {len(SALT_TAG) + 64: count, len(HOLDER_TAG) + 64: count, 41: count, 81: count - 1}
    for length, messages in lengths.items():
        data = bytes(length)
        for _ in range(messages):
            hashlib.blake2b(data, digest_size=32).digest()


def one_by_one(frame: pl.DataFrame) -> Node:
    """Build the tree node by node and return its top."""
    pairs = zip(frame["public_key"].to_list(), frame["balance"].to_list(), strict=True)
    level = [leaf(*each) for each in sorted((holder_hash(salt_of(_SECRET, key), key), owed) for key, owed in pairs)]
    while len(level) > 1:
        odd = level[len(level) - len(level) % 2 :]
        level = [join(*pair) for pair in zip(level[::2], level[1::2], strict=False)] + odd
    return level[0]


def check_many(tree: LiabilityTree, frame: pl.DataFrame) -> None:
    """Make and check proofs, each under a statement of its own so that no verdict is known."""
    issuer = keys.sandbox(0, "issuer")
    for height, (key, balance) in enumerate(frame.head(_PROOFS).rows()):
        statement = tree.sign(issuer, "benchmark", height).to_bytes()
        known = {"issuer": issuer.public_key, "chain_id": "benchmark", "height": height}
        check_holding(tree.prove(key).to_bytes(), statement, **known, public_key=key, balance=balance)


def sign_and_open(messages: int) -> None:
    """Sign and verify so many messages."""
    public, secret = crypto_sign_seed_keypair(bytes(32))
    for number in range(messages):
        crypto_sign_open(crypto_sign(number.to_bytes(120, "little"), secret), public)


def measure(count: int, repeat: int) -> dict[str, Any]:
    """Time all, interleaved; return times and ratios (medians)."""
    times: dict[str, list[float]] = {"tree": [], "bare": [], "slow": [], "proof": [], "signature": []}
    for seed in range(repeat):
        frame, found = holders(count, seed), []
        times["tree"].append(seconds(lambda: found.append(LiabilityTree.of(frame, secret=_SECRET))))  # noqa: B023
        times["bare"].append(seconds(lambda: bare(count)))
        times["slow"].append(seconds(lambda: found.append(one_by_one(frame))))  # noqa: B023 - called at once
        tree, top = found
        assert (tree.root, tree.total) == top
        times["proof"].append(seconds(lambda: check_many(tree, frame)))  # noqa: B023
        times["signature"].append(seconds(lambda: sign_and_open(_PROOFS)))
    return {
        "holders": count,
        "tree s": round(median(times["tree"]), 3),
        "tree/bare": _ratio(times["tree"], times["bare"]),
        "one by one/tree": _ratio(times["slow"], times["tree"]),
        "proof bytes": len(tree.prove(frame["public_key"][0]).to_bytes()),
        "proofs/s": round(_PROOFS / median(times["proof"]), 1),
        "proof/signature": _ratio(times["proof"], times["signature"]),
    }


def _ratio(one: list[float], other: list[float]) -> float:
    return round(median([a / b for a, b in zip(one, other, strict=True)]), 2)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holders", type=int, default=100_000, help="leaves of the tree (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="interleaved repetitions (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    options = parser.parse_args()
    found = measure(options.holders, options.repeat)
    if options.json:
        print(json.dumps(found))
        return
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True,
                   tbl_hide_dataframe_shape=True, tbl_formatting="MARKDOWN"):  # fmt: skip
        print(pl.DataFrame([found]))


if __name__ == "__main__":
    main()
