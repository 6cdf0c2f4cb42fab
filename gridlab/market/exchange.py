"""A market on a chain: clears the orders that rest there, bills the trades and says what is paid.

Every replica of the chain clears for itself, so the exchange is a pure function of orders, levers and accounts; genesis
commits to the last two by `MarketExchange.terms`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.encoding import blob, text
from gridlab.chain.exchange import Outcome
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger import ASSETS, CODES, TRANSFERS
from gridlab.chain.trades import TRADES, canonical_trades
from gridlab.errors import ArgumentTypeError, MarketError
from gridlab.frames import ACCOUNTS, show_rows
from gridlab.market.charges.landed import share_of
from gridlab.market.charges.settlement import Institutions, trade_transfers
from gridlab.market.market import Market

__all__ = ["MarketExchange", "chain_transfers"]

_DOMAIN = "gridlab/market-exchange/1"
# What billing reads of an account.
_PLACE = ("account", "zone", "utility", "area", "substation", "feeder", "transformer", "tariff", "voltage")
# More than all of Thailand uses in a quarter of an hour (a peak of some 36 GW is 9 GWh), Wh.
_LARGEST_ORDER = 10**10
# A slot's energy times its dearest price stays below this, so that charges and VAT on top still fit 64 bits.
_LARGEST_SLOT = 2**60
# Each trade rounds three parts of its bill, by half a micro-THB at most, and has 1 Wh or more.
_ROUNDING = 2


class MarketExchange:
    """What a `ConsortiumChain` asks a `Market` (`gridlab.chain.exchange.Exchange`).

    Parameters
    ----------
    market : Market
        Its levers are read when the exchange is made; moving them later changes nothing here.
    accounts : polars.DataFrame
        As `gridlab.frames.ACCOUNTS`; row i is account i.
    institutions : Institutions
        The accounts on the other side of the charges.

    Raises
    ------
    ArgumentTypeError, FrameError
        An argument does not fit.
    """

    def __init__(self, market: Market, accounts: pl.DataFrame, institutions: Institutions) -> None:
        if not isinstance(market, Market):
            raise ArgumentTypeError(f"market is a {type(market).__name__}, allowed: a Market; gl.Market() makes one")
        if not isinstance(institutions, Institutions):
            raise ArgumentTypeError(f"institutions is a {type(institutions).__name__}, allowed: Institutions(…)")
        self._market = Market().set(market.lever_values())
        self._accounts = ACCOUNTS.check(accounts)
        self._institutions = institutions

    def __repr__(self) -> str:
        return f"MarketExchange(rule={self._market.rule!r}, {self._accounts.height} accounts)"

    @cached_property
    def terms(self) -> bytes:
        """Hash over all levers of the market, where the accounts' meters hang, and the institutions; 32 bytes."""
        levers = json.dumps(self._market.lever_values(), sort_keys=True)
        institutions = json.dumps(asdict(self._institutions), sort_keys=True)
        places = encode_frame(self._accounts.select(_PLACE))
        return tagged_hash(_DOMAIN, text(levers) + text(institutions) + blob(places))

    def reserve(self, orders: pl.DataFrame) -> pl.Series:
        """Return for each order the most that it may cost its account (Int64, micro-WATT).

        A buyer's order of e Wh at a limit of p THB/MWh may cost, with w the dearest wheeling charge, f the fee, s the
        shares of the price that wires and losses take, and VAT v::

            ((p + w + f) e + s p e) (1 + v) + 2 e

        the last term being for rounding. A seller's may cost what he pays at a negative price, and his part of w.

        Raises
        ------
        MarketError
            An order is one that `close` could not clear: the error shows it. One such order would keep the gate from
            closing for everybody.
        """
        self._require_clearable(orders)
        # numpy, because a block brings hundreds of batches, and a query takes longer than such a batch.
        terms, wheeling = self._market.landed_terms(), self._market.wheeling
        energy, price = orders["energy"].to_numpy(), orders["price"].to_numpy()
        paid = np.maximum(price, 0) * energy
        shares = share_of(paid, wheeling.loss_share()) + share_of(paid, wheeling.price_share())
        bought = paid + (wheeling.highest() + terms.fee) * energy + shares
        part = wheeling.sellers_part()
        sold = np.maximum(-price, 0) * energy + -(-wheeling.highest() * part.numerator // part.denominator) * energy
        cost = np.where((orders["side"] == "buy").to_numpy(), bought, sold)
        due = cost + share_of(cost, terms.vat)
        return pl.Series("cost", np.where(due > 0, due + _ROUNDING * energy, 0))

    def _require_clearable(self, orders: pl.DataFrame) -> None:
        price, energy, account = (orders[name].to_numpy() for name in ("price", "energy", "account"))
        (floor, cap), known = self._market.limits(), self._accounts.height
        rules = {
            f"a price is outside the market's floor and cap, {floor} … {cap} THB/MWh": (price < floor) | (price > cap),
            f"an energy is outside 1 … {_LARGEST_ORDER} Wh": (energy < 1) | (energy > _LARGEST_ORDER),
            f"an account has no meter in this market, allowed: 0 … {known - 1}": account >= known,
            f"a zone is not one of this market, allowed: {', '.join(self._zones)}": self._astray(orders["zone"]),
        }
        for sentence, broken in rules.items():
            if broken.any():
                raise MarketError(f"orders: {sentence}\n{show_rows(orders, pl.lit(pl.Series(broken)))}")

    @cached_property
    def _zones(self) -> list[str]:
        zones: list[str] = self._accounts["zone"].dtype.categories.to_list()  # type: ignore[attr-defined]
        return zones

    def _astray(self, zones: pl.Series) -> npt.NDArray[np.bool_]:
        named = zones.dtype.categories.to_list()  # type: ignore[attr-defined]
        astray = np.array([name not in self._zones for name in named], np.bool_)
        found: npt.NDArray[np.bool_] = astray[zones.to_physical().to_numpy()]
        return found

    def close(self, orders: pl.DataFrame) -> Outcome:
        """Clear `orders`, bill what trades and say what is paid.

        A slot whose sums 64 bits could not hold is not cleared: nothing trades there.
        """
        orders = self._countable(orders)
        if orders.is_empty():
            return Outcome(TRADES.empty(), TRANSFERS.empty())
        placed = orders.with_columns(pl.col("zone").cast(pl.String).cast(self._accounts["zone"].dtype))
        clearing, _ = self._market.session(placed, self._accounts)
        billed = self._market.landed_terms().bill(clearing.trades, self._accounts)
        paid = trade_transfers(billed, self._accounts, self._institutions)
        return Outcome(canonical_trades(billed), chain_transfers(paid))

    def _countable(self, orders: pl.DataFrame) -> pl.DataFrame:
        most = _LARGEST_SLOT // max(1, *map(abs, self._market.limits()))
        if orders.height * _LARGEST_ORDER <= most:
            return orders
        return orders.filter(pl.col("energy").cast(pl.Int128).sum().over("slot") <= most)


def chain_transfers(settlement: pl.DataFrame, first: int = 0) -> pl.DataFrame:
    """Return payments (as `gridlab.market.charges.settlement.SETTLEMENT`) as `TRANSFERS` in WATT, ids from `first`.

    What an account would pay itself, because its buying order met its own selling one, is no payment and left out.
    """
    return settlement.filter(pl.col("debit") != pl.col("credit")).select(
        pl.int_range(first, first + pl.len(), dtype=pl.UInt64).alias("transfer_id"),
        pl.col("debit").alias("debit_account"),
        pl.col("credit").alias("credit_account"),
        pl.lit("WATT", dtype=ASSETS).alias("asset"),
        "amount",
        pl.col("kind").cast(pl.String).cast(CODES).alias("code"),
    )
