"""An exchange whose fee and cap are its terms, and short ways to use it."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gridlab.chain.exchange import Outcome
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.trades import TRADES, canonical_trades
from gridlab.errors import ChainError

QUARTER = timedelta(minutes=15)


class Fee:
    """Pairs the i-th buy with the i-th sell of each slot at the buyer's limit and a fee of so many THB/MWh.

    A buyer's order above the cap is not taken.
    """

    def __init__(self, fee=0, cap=10_000):
        self.fee, self.cap = fee, cap

    @property
    def terms(self):
        return f"fee {self.fee}, cap {self.cap}".encode().ljust(32, b".")

    def reserve(self, orders):
        if orders["price"].max() > self.cap:
            raise ChainError(f"orders: a price is above {self.cap} THB/MWh")
        cost = pl.when(pl.col("side") == "buy").then((pl.col("price") + self.fee) * pl.col("energy")).otherwise(0)
        return orders.select(cost=cost)["cost"]

    def close(self, orders):
        if orders.is_empty():
            return Outcome(TRADES.empty(), TRANSFERS.empty())
        # What `reserve` refuses cannot be cleared: a gate with such an order in it would never close.
        assert orders["price"].max() <= self.cap
        place = pl.int_range(pl.len()).over("slot", "side")
        sides = orders.with_columns(place=place, zone=pl.col("zone").cast(pl.String))
        buys, sells = (sides.filter(side=side) for side in ("buy", "sell"))
        met = buys.join(sells, on=["slot", "place"], suffix="_sell").select(
            "slot",
            "zone",
            buyer="account",
            seller="account_sell",
            buy_order="order_id",
            sell_order="order_id_sell",
            energy=pl.min_horizontal("energy", "energy_sell"),
            price="price",
        )
        amount, fee = pl.col("energy") * pl.col("price"), self.fee * pl.col("energy")
        nothing = {name: pl.lit(0, dtype=pl.Int64) for name in ("wheeling", "losses", "vat")}
        sellers = {f"seller_{name}": pl.lit(0, dtype=pl.Int64) for name in ("wheeling", "losses", "vat")}
        sums = {"amount": amount, "amount_buy": amount, "fee": fee, "gross": amount + fee}
        trades = canonical_trades(met.with_columns(**sums, **nothing, **sellers))
        paid = trades.filter(pl.col("gross") > 0, pl.col("buyer") != pl.col("seller")).select(
            transfer_id=pl.int_range(pl.len(), dtype=pl.UInt64),
            debit_account="buyer",
            credit_account="seller",
            asset=pl.lit("WATT"),
            amount="gross",
            code=pl.lit("energy"),
        )
        return Outcome(trades, TRANSFERS.check(paid))


def slots(make, *places):
    return pl.DataFrame({"slot": [make.start + QUARTER * place for place in places]})


def fund(chain, pairs, make, account, **amounts):
    """Give traders micro-WATT."""
    total = sum(amounts.values())
    chain.send(
        pairs["bank"], "reserve", make.transfers((1, account["bank"], account["issuer"], "THB", total, "reserve"))
    )
    rows = [
        (2 + place, account["issuer"], account[name], "WATT", amount, "mint")
        for place, (name, amount) in enumerate(amounts.items())
        if amount
    ]
    chain.send(pairs["issuer"], "mint", make.transfers(*rows))
    assert chain.seal(make.start).rejected == 0
