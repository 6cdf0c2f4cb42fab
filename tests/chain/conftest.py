"""A small chain with one member of every role, and short ways to write its frames."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering, Transaction, keys
from gridlab.chain.moments import require_microseconds
from gridlab.chain.oracle import NETWORK, OBSERVATIONS, observation_message
from gridlab.chain.oracle.provider_set import sandbox_pair
from gridlab.frames import ORDERS

VECTORS = Path(__file__).parents[1] / "vectors"
ROLES = {
    "bank": "reserve_bank",
    "issuer": "watt_issuer",
    "operator": "market_operator",
    "grid": "grid_operator",
    "regulator": "regulator",
    "alice": "trader",
    "bob": "trader",
}
START = datetime(2026, 4, 1)


def transfers_frame(*rows):
    names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
    return pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows])


def orders_frame(account, /, *, first_id=0, rows=4, **changes):
    frame = pl.DataFrame(
        {
            "order_id": range(first_id, first_id + rows),
            "slot": pl.datetime_range(START, interval="15m", end=datetime(2026, 4, 2), eager=True).head(rows),
            "zone": ["BKK"] * rows,
            "account": [account] * rows,
            "side": ["buy"] * rows,
            "price": range(3_000, 3_000 + rows),
            "energy": [1_000] * rows,
        }
    )
    return ORDERS.check(frame.with_columns(**changes))


def readings(**changes):
    frame = pl.DataFrame(
        {"slot": [datetime(2026, 4, 1)] * 2, "account": [5, 6], "load": [400, 300], "generation": [0, 900]}
    )
    return frame.with_columns(**changes)


def observations_frame(values, /, *, feed="price/MAC", epoch=1, number=1, observed=START, network=NETWORK):
    """What providers say in one round, each signed with its sandbox key; provider -> value."""
    moment = require_microseconds("observed", observed)
    columns = {
        "feed": [feed] * len(values),
        "epoch": [epoch] * len(values),
        "round": [number] * len(values),
        "provider": list(values),
        "value": list(values.values()),
        "observed": [observed] * len(values),
        "signature": [
            sandbox_pair(7, provider).sign(observation_message(network, feed, epoch, number, moment, value))
            for provider, value in values.items()
        ],
    }
    return OBSERVATIONS.check(pl.DataFrame(columns))


def change(chain, name, /, **changes):
    return chain.members.filter(pl.col("name") == name).with_columns(**changes)


def signed(chain, pair, kind, frame, /, **changes):
    """A transaction as the chain would sign it, save for what a test changes."""
    good = chain.sign(pair, kind, frame)
    fields = {"chain_id": good.chain_id, "kind": kind, "nonce": good.nonce, "expiry": good.expiry}
    return Transaction.sign(pair, **(fields | {"payload": good.payload} | changes))


def sealed(chain, transaction):
    """Seal one transaction and return its receipt, having checked that a rejected one changed nothing."""
    before, nonces = chain.ledger.balances, chain._state.nonces.copy()
    root, members = chain.state_root, chain.members
    chain.submit(transaction)
    block = chain.seal(START)
    receipt = block.receipts[0]
    if not receipt.accepted:
        assert receipt.reason
        assert (block.rejected, chain.state_root) == (1, root)
        assert chain.ledger.balances.equals(before)
        assert chain.members.equals(members)
        assert (chain._state.nonces == nonces).all()
    return receipt


@pytest.fixture(scope="session")
def vectors():
    return lambda name: json.loads((VECTORS / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def pairs():
    return {name: keys.sandbox(7, name) for name in ROLES}


@pytest.fixture(scope="session")
def account():
    return {name: number for number, name in enumerate(ROLES)}


@pytest.fixture(scope="session")
def members(pairs):
    return pl.DataFrame(
        {
            "account": range(len(ROLES)),
            "name": list(ROLES),
            "role": list(ROLES.values()),
            "public_key": [pair.public_key for pair in pairs.values()],
        }
    )


@pytest.fixture
def chain(members, pairs, account):
    """A chain on which alice holds 100 WATT and bob 50, at height 1."""
    # Four validators bear one fault and cost less than 21.
    chain = ConsortiumChain(members, ordering=PbftOrdering.of(4))
    deposit = (1, account["bank"], account["issuer"], "THB", 150_000_000, "reserve")
    chain.send(pairs["bank"], "reserve", transfers_frame(deposit))
    minted = [
        (2, account["issuer"], account["alice"], "WATT", 100_000_000, "mint"),
        (3, account["issuer"], account["bob"], "WATT", 50_000_000, "mint"),
    ]
    chain.send(pairs["issuer"], "mint", transfers_frame(*minted))
    assert chain.seal(START).rejected == 0
    return chain


@pytest.fixture(scope="session")
def make():
    """The makers above, as a fixture because test files do not import each other."""
    return SimpleNamespace(
        transfers=transfers_frame,
        orders=orders_frame,
        readings=readings,
        observations=observations_frame,
        change=change,
        signed=signed,
        sealed=sealed,
        start=START,
    )


@pytest.fixture
def pay(make, account):
    """One transfer of micro-THB from alice to bob, unless told otherwise."""

    def pay(number=100, amount=1_000_000, debit="alice", credit="bob", asset="WATT", code="transfer"):
        return make.transfers((number, account[debit], account[credit], asset, amount, code))

    return pay
