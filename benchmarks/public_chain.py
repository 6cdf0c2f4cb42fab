"""How much faster than real time the public chain is simulated: 1,000 signed transfers a second, 100 validators.

Run ``python -m benchmarks.public_chain``. Wallets sign beforehand, which is not counted: that is their work. Counted is
everything that the chain does: reading, checking signatures, drawing authors (each validator signs for each slot),
executing every block of every branch, voting, certifying every final block with a hundred signatures. Then a fresh
process reads the chain's bytes and verifies all of it again.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import polars as pl

from gridlab.chain import keys
from gridlab.chain.ledger import ASSETS, CODES
from gridlab.chain.public import PublicChain, PublicTerms, simulate_public
from gridlab.chain.single_transfers import layout_of
from gridlab.chain.transactions import MESSAGE_PREFIX

PEOPLE = 1_000
PER_SECOND = 1_000


def signed_transfers(chain: PublicChain, people: list[keys.KeyPair], count: int, first_nonce: int) -> list[bytes]:
    """Return canonical bytes of `count` signed transfers, the senders in turn; written by the column."""
    layout = layout_of(chain.chain_id)
    rows = np.tile(layout.template, (count, 1))
    values = rows.reshape(-1).view(layout.fields)
    account_of = chain.best.state.accounts.account_of
    accounts = np.array([account_of[pair.public_key] for pair in people])
    sender = np.arange(count) % len(people)
    values["sender"] = np.frombuffer(b"".join(pair.public_key for pair in people), "V32")[sender]
    values["nonce"] = first_nonce + np.arange(count) // len(people)
    values["expiry"] = 4_000
    values["transfer_id"] = values["nonce"]
    values["debit_account"] = accounts[sender]
    values["credit_account"] = accounts[(sender + 1) % len(people)]
    values["asset"] = ASSETS.categories.to_list().index("GRID")
    values["amount"] = 1_000 + np.arange(count)
    values["code"] = CODES.categories.to_list().index("transfer")
    whole = rows.tobytes()
    size = layout.length
    bodies = [whole[size * row : size * (row + 1) - 64] for row in range(count)]
    return [
        body + people[place].sign(MESSAGE_PREFIX + body) for body, place in zip(bodies, sender.tolist(), strict=True)
    ]


def throughput(slots: int, validators: int) -> None:
    """Print the ratio of simulated to real time at 1,000 transfers a second."""
    people = [keys.sandbox(0, f"person {number}") for number in range(PEOPLE)]
    frame = pl.DataFrame({"public_key": [pair.public_key for pair in people], "balance": [10**12] * PEOPLE})
    chain = PublicChain(frame, terms=PublicTerms(validators=validators))
    seconds = int(chain.terms.slot_time)
    per_slot = PER_SECOND * seconds
    batches = [signed_transfers(chain, people, per_slot, slot * per_slot // PEOPLE) for slot in range(slots)]
    started = time.perf_counter()
    for batch in batches:
        chain.submit_many(batch)
        chain.run(1)
    chain.run(3)
    took = time.perf_counter() - started
    final = chain.transactions
    simulated = (slots + 3) * seconds
    accepted = final["accepted"].sum()
    print(f"transfers that became final  {final.height:,} of {slots * per_slot:,}, {accepted:,} accepted")
    print(f"simulated / real time        {simulated} s / {took:.2f} s = {simulated / took:.1f} times real time")
    print(f"transfers per second of real time  {final.height / took:,.0f}")
    print(chain.kpis())
    # In a fresh process, because this one remembers which signatures it has found valid.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        took, root = pool.submit(verified, chain.to_bytes()).result()
    if root != chain.state_root:
        raise SystemExit("the chain that was read has another state root")
    print(f"bytes to verified chain      {took:.2f} s, {final.height / took:,.0f} transfers per second")


def verified(data: bytes) -> tuple[float, bytes]:
    """Return how many seconds reading and verifying a whole chain takes, and its state root."""
    started = time.perf_counter()
    chain = PublicChain.from_bytes(data)
    return time.perf_counter() - started, chain.state_root


def consensus(slots: int) -> None:
    """Print the speed of block production and finality alone, and its figures."""
    for validators in (10, 100, 300):
        started = time.perf_counter()
        trace = simulate_public(validators, slots=slots)
        took = time.perf_counter() - started
        print(f"{validators:4} validators, {slots} slots: {slots * 6 / took:6.0f} times real time, {trace}")


def main() -> None:
    """Run both."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--slots", type=int, default=20)
    reader.add_argument("--validators", type=int, default=100)
    options = reader.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, polars {pl.__version__}")
    consensus(options.slots)
    throughput(options.slots, options.validators)


if __name__ == "__main__":
    main()
