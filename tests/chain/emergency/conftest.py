"""A small market with an emergency council, and short ways to act on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from gridlab.chain import ChainTerms, ConsortiumChain, SingleSequencer, keys
from gridlab.chain.emergency import approval_frame, council_frame, resume_frame
from gridlab.chain.exchange import Outcome
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.moments import require_microseconds
from gridlab.chain.trades import canonical_trades
from gridlab.frames import ORDERS

START = datetime(2026, 4, 1)
MINUTE = 60_000_000
ROLES = {
    "bank": "reserve_bank",
    "issuer": "watt_issuer",
    "operator": "market_operator",
    "grid": "grid_operator",
    "regulator": "regulator",
    "monitor": "oracle",
    "voters": "treasury",
    "alice": "trader",
    "bob": "trader",
}
SEATS = ("regulator", "bank", "grid", "operator")
WATT = 1_000_000


class Pairs:
    """Pairs the i-th buy with the i-th sell of each slot and zone at the buyer's limit, and charges nothing."""

    terms = b"pairs by zone".ljust(32, b".")

    def reserve(self, orders):
        cost = pl.when(pl.col("side") == "buy").then(pl.col("price") * pl.col("energy")).otherwise(0)
        return orders.select(cost=cost)["cost"]

    def close(self, orders):
        place = pl.int_range(pl.len()).over("slot", "zone", "side")
        sides = orders.with_columns(pl.col("zone").cast(pl.String)).with_columns(place=place)
        buys, sells = (sides.filter(side=side) for side in ("buy", "sell"))
        met = buys.join(sells, on=["slot", "zone", "place"], suffix="_sell").select(
            "slot",
            "zone",
            "price",
            buyer="account",
            seller="account_sell",
            buy_order="order_id",
            sell_order="order_id_sell",
            energy=pl.min_horizontal("energy", "energy_sell"),
        )
        amount = pl.col("energy") * pl.col("price")
        names = ("wheeling", "losses", "fee", "vat", "seller_wheeling", "seller_losses", "seller_vat")
        zeros = {name: pl.lit(0, dtype=pl.Int64) for name in names}
        trades = canonical_trades(met.with_columns(amount=amount, amount_buy=amount, gross=amount, **zeros))
        paid = trades.filter(pl.col("buyer") != pl.col("seller")).select(
            transfer_id=pl.int_range(pl.len(), dtype=pl.UInt64),
            debit_account="buyer",
            credit_account="seller",
            asset=pl.lit("WATT"),
            amount="amount",
            code=pl.lit("energy"),
        )
        return Outcome(trades, TRANSFERS.check(paid))


class Stage:
    """A chain on which alice and bob hold 100 WATT each, and the council of four seats, monitor and governance."""

    def __init__(self, terms):
        self.pairs = {name: keys.sandbox(7, name) for name in ROLES}
        self.account = {name: number for number, name in enumerate(ROLES)}
        self.start = require_microseconds("start", START)
        self.now = self.start
        members = pl.DataFrame(
            {
                "account": range(len(ROLES)),
                "name": list(ROLES),
                "role": list(ROLES.values()),
                "public_key": [pair.public_key for pair in self.pairs.values()],
            }
        )
        ordering = SingleSequencer(keys.sandbox(7, "sequencer"))
        self.chain = ConsortiumChain(members, ordering=ordering, exchange=Pairs(), terms=terms)
        self._number = 0
        account = self.account
        self.send("bank", "reserve", self.transfer("bank", "issuer", 300 * WATT, asset="THB", code="reserve"))
        for name in ("alice", "bob"):
            self.send("issuer", "mint", self.transfer("issuer", name, 100 * WATT, code="mint"))
        council = council_frame(
            {name: account[name] for name in SEATS},
            monitor={"monitor": account["monitor"]},
            governance={"voters": account["voters"]},
        )
        self.send("regulator", "emergency_council", council)
        assert self.seal().rejected == 0

    def at(self, minutes):
        """Let time pass until so many minutes after the start."""
        self.now = max(self.now, self.start + round(minutes * MINUTE))
        return self

    def moment(self, minutes):
        return START + timedelta(minutes=minutes)

    def send(self, name, kind, frame):
        self.chain.send(self.pairs[name], kind, frame)

    def seal(self):
        return self.chain.seal(self.now)

    def do(self, name, kind, frame):
        """Seal one transaction; a refused one has changed nothing."""
        self.seal()  # what the block itself changes, such as a stop that ends, is not the transaction's doing
        root = self.chain.state_root
        self.send(name, kind, frame)
        receipt = self.seal().receipts[0]
        assert receipt.accepted or self.chain.state_root == root
        return receipt

    def must(self, name, kind, frame):
        receipt = self.do(name, kind, frame)
        assert receipt.accepted, receipt.reason
        return receipt

    def transfer(self, debit, credit, amount, asset="WATT", code="transfer", **more):
        self._number += 1
        row = {
            "transfer_id": self._number,
            "debit_account": self.account[debit],
            "credit_account": self.account[credit],
            "asset": asset,
            "amount": amount,
            "code": code,
        }
        return TRANSFERS.check(pl.DataFrame([row | more]))

    def orders(self, name, side, minutes, zone="BKK", price=3_000, energy=1_000):
        self._number += 1
        row = {
            "order_id": self._number,
            "slot": self.moment(minutes),
            "zone": zone,
            "account": self.account[name],
            "side": side,
            "price": price,
            "energy": energy,
        }
        return ORDERS.check(pl.DataFrame([row]))

    def gate(self, *minutes):
        return pl.DataFrame({"slot": [self.moment(each) for each in minutes]})

    def stop(self, scope, target="", minutes=120, seats=("regulator", "bank", "grid"), reason="fault"):
        """Have seats approve of a stop that ends so many minutes after the start."""
        frame = approval_frame(scope, target, reason=reason, until=self.moment(minutes))
        for name in seats:
            self.must(name, "emergency_approve", frame)
        return self.chain.emergency.stops[-1]

    def resume(self, referendum=1):
        """End every stop in force by a vote."""
        self.seal()  # ends what is over anyway
        for stop in self.chain.emergency.standing:
            self.must("voters", "emergency_resume", resume_frame(stop, referendum, f"block 5, referendum {referendum}"))

    def held(self, name, asset="WATT"):
        return self.chain.ledger.balance(self.account[name], asset)

    def free(self, name, asset="WATT"):
        return self.chain.ledger.available(self.account[name], asset)


@pytest.fixture
def stage():
    """Return a maker of stages, of which an argument changes a term."""
    return lambda **terms: Stage(ChainTerms(**terms))


@pytest.fixture
def make():
    return SimpleNamespace(start=START, minute=MINUTE, watt=WATT, seats=SEATS)


@pytest.fixture(scope="session")
def make_stage():
    """Return the maker of stages itself, for tests that hypothesis calls many times."""
    return Stage
