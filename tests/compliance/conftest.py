"""A small town on a chain: deposits, trades cleared at gates, meters, certificates, fees, refused transactions."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, SingleSequencer, keys
from gridlab.chain.exchange import Outcome
from gridlab.chain.ledger import ASSETS, CODES, TRANSFERS
from gridlab.chain.trades import TRADES
from gridlab.frames import ORDERS

ROLES = {
    "alice": "trader",
    "bob": "trader",
    "carol": "trader",
    "dan": "trader",
    "bank": "reserve_bank",
    "issuer": "watt_issuer",
    "operator": "market_operator",
    "grid": "grid_operator",
    "regulator": "regulator",
    "egat": "certificate_issuer",
}
ACCOUNT = {name: number for number, name in enumerate(ROLES)}
PAIRS = {name: keys.sandbox(3, name) for name in ROLES}
START = datetime(2026, 4, 30, 20)
MAY = datetime(2026, 5, 1)
QUARTER = timedelta(minutes=15)


class PairingExchange:
    """Pairs the n-th buy with the n-th sell of a slot, at the seller's limit, where energy and price fit."""

    terms = b"pairing".ljust(32, b".")

    def reserve(self, orders):
        cost = pl.when(pl.col("side") == "buy").then(pl.col("price") * pl.col("energy")).otherwise(0)
        return orders.select(cost.alias("cost"))["cost"]

    def close(self, orders):
        place = pl.int_range(pl.len()).over("slot")
        sides = [
            orders.filter(pl.col("side") == side).with_columns(place=place).rename({"account": who, "order_id": order})
            for side, who, order in (("buy", "buyer", "buy_order"), ("sell", "seller", "sell_order"))
        ]
        pairs = sides[0].join(sides[1], on=["slot", "place"], suffix="_sell", maintain_order="left")
        pairs = pairs.filter(
            (pl.col("price") >= pl.col("price_sell"))
            & (pl.col("energy") == pl.col("energy_sell"))
            & (pl.col("buyer") != pl.col("seller"))
        )
        zero = [pl.lit(0, dtype=pl.Int64).alias(column.name) for column in TRADES.columns[10:]]
        paid = pl.col("price_sell") * pl.col("energy")
        trades = pairs.select(
            *("slot", pl.col("zone").cast(pl.String), "buyer", "seller", "buy_order", "sell_order", "energy"),
            *(pl.col("price_sell").alias("price"), paid.alias("amount"), paid.alias("amount_buy")),
            *zero,
        ).with_columns(gross="amount_buy")
        return Outcome(TRADES.check(trades), transfers_of(trades))


def transfers_of(trades):
    return TRANSFERS.check(
        trades.filter(pl.col("amount") > 0).select(
            pl.int_range(pl.len(), dtype=pl.UInt64).alias("transfer_id"),
            debit_account="buyer",
            credit_account="seller",
            asset=pl.lit("WATT", dtype=ASSETS),
            amount="amount",
            code=pl.lit("energy", dtype=CODES),
        )
    )


def members():
    return pl.DataFrame(
        {
            "account": range(len(ROLES)),
            "name": list(ROLES),
            "role": list(ROLES.values()),
            "public_key": [pair.public_key for pair in PAIRS.values()],
        }
    )


def transfers(*rows, code="transfer", asset="WATT"):
    """Rows of (id, payer, payee, amount)."""
    names = ("transfer_id", "debit_account", "credit_account", "amount")
    rows = [(number, ACCOUNT[payer], ACCOUNT[payee], amount) for number, payer, payee, amount in rows]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(asset=pl.lit(asset), code=pl.lit(code))


def order(name, side, slot, price, energy, number):
    row = {
        "order_id": number,
        "slot": slot,
        "zone": "MAC",
        "account": ACCOUNT[name],
        "side": side,
        "price": price,
        "energy": energy,
    }
    return ORDERS.check(pl.DataFrame([row]))


def readings(*rows):
    """Rows of (slot, name, load, generation)."""
    rows = [(slot, ACCOUNT[name], load, generation) for slot, name, load, generation in rows]
    return pl.DataFrame(rows, schema=["slot", "account", "load", "generation"], orient="row")


def issue(first, quantity, device, vintage, owner):
    return pl.DataFrame(
        {
            "certificate_id": [first],
            "instrument": ["REC"],
            "quantity": [quantity],
            "energy": [quantity * 1_000_000],
            "device": [ACCOUNT[device]],
            "technology": ["solar_roof"],
            "zone": ["MAC"],
            "vintage_start": [vintage],
            "vintage_end": [(vintage + timedelta(days=32)).replace(day=1)],
            "owner": [ACCOUNT[owner]],
        }
    )


def new_chain(ordering=None, **options):
    ordering = SingleSequencer(keys.sandbox(3, "sequencer")) if ordering is None else ordering
    return ConsortiumChain(members(), ordering=ordering, exchange=PairingExchange(), genesis_time=START, **options)


def deposit(chain, *, amount=50_000_000):
    names = ("alice", "bob", "carol", "dan")
    chain.send(PAIRS["bank"], "reserve", transfers((1, "bank", "issuer", 4 * amount), asset="THB", code="reserve"))
    minted = transfers(*((n, "issuer", name, amount) for n, name in enumerate(names, 2)), code="mint")
    chain.send(PAIRS["issuer"], "mint", minted)
    assert chain.seal(START).rejected == 0


def trade_some(chain):
    """Two slots with three trades, closed in one block."""
    for number, (name, side, slot, price) in enumerate(
        [
            ("alice", "buy", START, 4_000),
            ("bob", "sell", START, 3_000),
            ("carol", "buy", START, 5_000),
            ("dan", "sell", START, 3_500),
            ("bob", "buy", START + QUARTER, 4_500),
            ("alice", "sell", START + QUARTER, 2_500),
        ]
    ):
        chain.send(PAIRS[name], "order_batch", order(name, side, slot, price, 1_000, number))
    chain.seal(START)
    closed = pl.DataFrame({"slot": [START, START + QUARTER]})
    chain.send(PAIRS["operator"], "gate_closure", closed)
    block = chain.seal(START)
    assert block.rejected == 0
    assert block.receipts[0].trades.height == 3


def metered_and_certified(chain):
    """Meters over two months, certificates with energy carried over, handed on, and retired."""
    april = [(START + QUARTER * n, "bob", 0, 700_000) for n in range(2)]
    chain.send(PAIRS["egat"], "certificate_group", pl.DataFrame({"device": [1, 3], "registrant": [9, 9]}))
    chain.send(PAIRS["grid"], "meter_readings", readings(*april, (START, "alice", 1_000, 0)))
    may = [(MAY + QUARTER * n, "dan", 10, 900_000) for n in range(4)]
    chain.send(PAIRS["grid"], "meter_readings", readings(*may))
    chain.seal(MAY)
    chain.send(PAIRS["egat"], "certificate_issue", issue(1, 1, "egat", datetime(2026, 4, 1), "egat"))
    chain.send(PAIRS["egat"], "certificate_issue", issue(2, 4, "egat", MAY, "egat"))
    given = pl.DataFrame({"certificate_id": [1, 4], "quantity": [2, 1], "new_owner": [ACCOUNT["carol"]] * 2})
    chain.send(PAIRS["egat"], "certificate_transfer", given)
    used = pl.DataFrame({"certificate_id": [2], "quantity": [1], "beneficiary": ["Siam Cement Works"]})
    chain.send(PAIRS["carol"], "certificate_retire", used)
    assert chain.seal(MAY).rejected == 0


def pay_and_fail(chain):
    """Payments with and without a fee, and transactions that are refused."""
    chain.send(PAIRS["alice"], "transfer", transfers((10, "alice", "bob", 7_000_000)))
    chain.send(PAIRS["bob"], "transfer", transfers((10, "bob", "carol", 20_000_000), (11, "bob", "dan", 1)))
    chain.seal(MAY)
    fees = pl.DataFrame({"term": ["fee_per_transaction", "fee_per_kibibyte"], "value": [50, 3]})
    chain.send(PAIRS["carol"], "transfer", transfers((5, "carol", "alice", 100)))
    chain.send(PAIRS["regulator"], "terms", fees)
    chain.send(PAIRS["carol"], "transfer", transfers((6, "carol", "alice", 200)))
    chain.send(PAIRS["dan"], "transfer", transfers((7, "dan", "alice", 10**12)))
    chain.send(PAIRS["operator"], "settlement", transfers((1, "dan", "bob", 3_000_000), code="energy"))
    assert chain.seal(MAY).rejected == 1
    chain.send(PAIRS["carol"], "transfer", transfers((6, "carol", "alice", 200), (8, "carol", "bob", 300)))
    chain.seal(MAY)


def build():
    chain = new_chain()
    deposit(chain)
    trade_some(chain)
    metered_and_certified(chain)
    pay_and_fail(chain)
    return chain


@pytest.fixture(scope="session")
def town():
    """The whole town; tests must not add to it."""
    return build()


@pytest.fixture(scope="session")
def make():
    """The makers above, as a fixture because test files do not import each other."""
    return SimpleNamespace(
        account=ACCOUNT,
        build=build,
        chain=new_chain,
        deposit=deposit,
        issue=issue,
        may=MAY,
        order=order,
        pairs=PAIRS,
        quarter=QUARTER,
        readings=readings,
        start=START,
        trade_some=trade_some,
        transfers=transfers,
    )


def places(value, path=()):
    """Every place in a JSON tree, the root left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def at(content, path):
    for key in path:
        content = content[key]
    return content


def changed(content, path, act):
    """A copy of the tree in which `act(parent, key)` was done at a place."""
    twin = copy.deepcopy(content)
    act(at(twin, path[:-1]), path[-1])
    return twin


def others(value):
    """Values that are not this one: near misses first, then every other type."""
    if isinstance(value, str):
        if value.startswith("0x") and len(value) > 2:
            flipped = "1" if value[-1] != "1" else "2"
            yield from (value[:-1] + flipped, "0x" + flipped + value[3:], value[:-2], value + "00", value[2:], "0x")
            yield from (value.upper(), "0X" + value[2:], value[:-1], value + " ", value[:2] + " " + value[2:])
            if value[2:].upper() != value[2:]:
                yield "0x" + value[2:].upper()
        else:
            yield from (value + "x", value[:-1], value.upper() if value.upper() != value else value.lower(), "\ud800")
    elif isinstance(value, int):
        yield from (value + 1, value - 1, -value - 1, value + 2**32, 2**64, 10**400, float(value), str(value))
    elif isinstance(value, list):
        yield from (value[:-1], value[::-1], [*value, *value[-1:]], value[1:], [*value, None])
    elif isinstance(value, dict):
        yield from ({**value, "extra": 0}, list(value.items()))
    yield from (None, True, False, 0, 1, -1, "", "0", "0x00", [], {}, [value], {"": value}, 1.5)


def mutations(content, under=()):
    """Trees that differ from the proof in one place, at or below the place `under`."""
    for path in places(content):
        if path[: len(under)] != under:
            continue
        value = at(content, path)
        for other in others(value):
            if type(other) is not type(value) or other != value:
                yield changed(content, path, lambda parent, key, other=other: parent.__setitem__(key, other))
        yield changed(content, path, lambda parent, key: parent.__delitem__(key))
        if isinstance(path[-1], str):
            yield changed(content, path, lambda parent, key: parent.__setitem__(key + "_", parent.pop(key)))
    yield from swaps(content, under)


def swaps(content, under):
    """Trees in which two neighbours have changed places."""
    for path in [(), *places(content)]:
        holder = at(content, path)
        if path[: len(under)] != under or not isinstance(holder, (dict, list)):
            continue
        keys_ = list(holder) if isinstance(holder, dict) else range(len(holder))
        for one in keys_:
            for two in keys_:
                if str(one) < str(two) and holder[one] != holder[two]:
                    twin = copy.deepcopy(content)
                    inner = at(twin, path)
                    inner[one], inner[two] = inner[two], inner[one]
                    yield twin


@pytest.fixture(scope="session")
def trees():
    """Ways of spoiling a JSON tree in one place."""
    return SimpleNamespace(at=at, changed=changed, mutations=mutations, places=places)
