"""A small chain with one member of every role, and short ways to write its frames."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, keys
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
    chain = ConsortiumChain(members)
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
    """The frame makers, as a fixture because test files do not import each other."""
    return SimpleNamespace(transfers=transfers_frame, orders=orders_frame, start=START)
