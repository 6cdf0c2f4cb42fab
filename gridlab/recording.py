"""Recording a market day on the consortium chain: licences, deposits, signed orders, gate closure, settlement.

The first block puts deposits in place and registers the roofs that are certified together. Then, for each delivery day,
a block at its start takes one signed batch of orders from every trader and closes the day's gates: executing it clears
the orders and pays for every trade. A block for each slot takes the meter readings, signed by the utilities, and what
the market operator settles beside the trades. The last block issues the certificates that the readings earned. Where
agents trade on forecasts, the day is more than one auction; then the market operator records its trades and settles
them slot by slot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import polars as pl
from tqdm.auto import tqdm

from gridlab.chain.consensus import Consensus
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.ledger import ASSETS, CODES
from gridlab.chain.trades import canonical_trades
from gridlab.day import MarketDay
from gridlab.errors import ChainError
from gridlab.institutions import INSTITUTIONS, account_of, institutions_frame
from gridlab.market.charges.landed import share_of
from gridlab.market.charges.settlement import Institutions
from gridlab.market.exchange import MarketExchange, chain_transfers
from gridlab.market.green.certificates import Issue, issue_from_readings
from gridlab.market.market import Market
from gridlab.units import MICRO, share

__all__ = ["Recorder"]

# No order batch is larger: names of columns and zones, signature and header; then at most 52 bytes an order.
_BATCH_BYTES = 2_048
_ORDER_BYTES = 52


@dataclass(frozen=True)
class Recorder:
    """Signs and seals a market day.

    Attributes
    ----------
    day : MarketDay
    market : Market
        Whose levers the chain's exchange reads.
    consensus : Consensus
        Who orders and certifies the blocks.
    settlement : polars.DataFrame
        Every payment of the day, ordered by slot (`MarketDay.transfers`).
    institutions : Institutions
    seed : int
        All keys derive from it.
    margin : float
        Deposit above the expected bill, %.
    """

    day: MarketDay
    market: Market
    consensus: Consensus
    settlement: pl.DataFrame
    institutions: Institutions
    seed: int
    margin: float

    def record(self, *, progress: bool, keep: Callable[[ConsortiumChain], None] | None = None) -> ConsortiumChain:
        """Return the chain on which everything of the day is signed, sealed and settled.

        Parameters
        ----------
        progress : bool
            Show a progress bar.
        keep : callable, optional
            Is given the chain before its first block, to put it into a store, which is closed after the last one.

        Raises
        ------
        ChainError
            A transaction was refused, or the store refuses a block; nothing of the day counts then.
        """
        keys = self._keys()
        chain = ConsortiumChain(
            self._members(keys),
            ordering=self.consensus.ordering(self.seed),
            exchange=self._exchange,
            terms=self.consensus.terms(),
            genesis_time=self._start(),
        )
        if keep is not None:
            keep(chain)
        try:
            self._fill(chain, keys, progress=progress)
        finally:
            chain.close()
        self._require_same_trades(chain)
        return chain

    def _fill(self, chain: ConsortiumChain, keys: list[KeyPair], *, progress: bool) -> None:
        self._deposit(chain, keys)
        operator = keys[self.institutions.market_operator]
        batches, rest, readings = self._order_batches(), self._transfers(), self._readings()
        trades = self._trades_elsewhere()
        total = self.day.slots.len()
        with tqdm(total=total, unit="slot", desc="sealing", disable=not progress, leave=False) as bar:
            previous: date | None = None
            for slot in self.day.slots:
                if slot.date() != previous:
                    previous = slot.date()
                    self._open_day(chain, keys, previous, batches.get(previous, []))
                    self._seal(chain, slot)
                for utility, frame in readings[slot]:
                    chain.send(keys[utility], "meter_readings", frame)
                if slot in trades:
                    chain.send(operator, "trade", trades[slot])
                if slot in rest:
                    chain.send(operator, "settlement", rest[slot])
                if slot == self.day.slots[-1] and not self.issue.certificates.is_empty():
                    chain.send(keys[self._account("EGAT")], "certificate_issue", self.issue.certificates)
                self._seal(chain, slot)
                bar.update()

    def _open_day(
        self, chain: ConsortiumChain, keys: list[KeyPair], day: date, batches: list[tuple[int, pl.DataFrame]]
    ) -> None:
        for account, orders in batches:
            chain.send(keys[account], "order_batch", orders)
        if self._exchange is not None:
            slots = self.day.slots.filter(self.day.slots.dt.date() == day)
            chain.send(keys[self.institutions.market_operator], "gate_closure", slots.alias("slot").to_frame())

    @cached_property
    def _exchange(self) -> MarketExchange | None:
        """Who clears the orders on the chain; nobody, where the day is a sequence of markets."""
        if self.day.stages is not None:
            return None
        return MarketExchange(self.market, self.day.accounts, self.institutions)

    def _require_same_trades(self, chain: ConsortiumChain) -> None:
        order = ["slot", "zone", "buy_order", "sell_order", "energy", "price"]
        recorded = chain.trades.drop("height", "index", "place").sort(order)
        if not recorded.equals(canonical_trades(self.day.trades).sort(order)):
            raise ChainError(
                f"the chain holds {recorded.height} trades, the market made {self.day.trades.height}, and they are not "
                "the same; this is a defect of gridlab, please report it with the lab's levers and seed"
            )

    def _trades_elsewhere(self) -> dict[datetime, pl.DataFrame]:
        """Return slot -> the trades that the chain did not clear itself."""
        if self._exchange is not None:
            return {}
        parts = canonical_trades(self.day.trades).partition_by(["slot"], as_dict=True, maintain_order=True)
        return {slot: part for (slot,), part in parts.items()}

    @cached_property
    def issue(self) -> Issue:
        """The certificates that the run's readings earn: roofs of a zone certified together under the issuer."""
        roofs = self.day.accounts.filter(pl.col("pv_kw") > 0)
        generating = self.day.readings.join(roofs.select("account"), on="account", how="semi")
        return issue_from_readings(generating, roofs, registrant=self._account("EGAT"))

    def _account(self, institution: str) -> int:
        return account_of(institution, self.day.accounts.height)

    def _readings(self) -> dict[datetime, list[tuple[int, pl.DataFrame]]]:
        """Return slot -> (utility, the readings of its meters)."""
        utility = self.institutions.utility_of(self.day.accounts).gather(self.day.readings["account"])
        parts = self.day.readings.with_columns(utility.alias("utility")).partition_by(
            ["slot", "utility"], as_dict=True, maintain_order=True
        )
        found: dict[datetime, list[tuple[int, pl.DataFrame]]] = {}
        for (slot, sender), frame in parts.items():
            found.setdefault(slot, []).append((sender, frame.drop("utility")))
        return found

    def _start(self) -> datetime:
        start: datetime = self.day.slots[0]
        return start

    @staticmethod
    def _seal(chain: ConsortiumChain, slot: datetime) -> None:
        block = chain.seal(slot)
        for receipt in block.receipts:
            if not receipt.accepted:
                raise ChainError(f"block {block.height}, {slot:%Y-%m-%d %H:%M}: {receipt.code}: {receipt.reason}")

    def _keys(self) -> list[KeyPair]:
        names = [*self.day.accounts["name"], *INSTITUTIONS]
        return [sandbox(self.seed, name) for name in names]

    def _members(self, keys: list[KeyPair]) -> pl.DataFrame:
        traders = self.day.accounts.select("account", "name", role=pl.lit("trader"))
        members = pl.concat([traders, institutions_frame(self.day.accounts)])
        return members.with_columns(public_key=pl.Series([pair.public_key for pair in keys]))

    def _deposit(self, chain: ConsortiumChain, keys: list[KeyPair]) -> None:
        bank, issuer, deposits = self._account("Reserve bank"), self._account("WATT issuer"), self._deposits
        reserve = pl.DataFrame({"credit_account": [issuer], "amount": [deposits["amount"].sum()]})
        chain.send(keys[bank], "reserve", _chain_frame(reserve, debit=bank, asset="THB", code="reserve", first=0))
        chain.send(keys[issuer], "mint", _chain_frame(deposits, debit=issuer, asset="WATT", code="mint", first=1))
        if not self.issue.groups.is_empty():
            chain.send(keys[self._account("EGAT")], "certificate_group", self.issue.groups)
        self._seal(chain, self._start())

    @cached_property
    def _deposits(self) -> pl.DataFrame:
        """Return ``credit_account``, ``amount``: what an account may have to pay, a margin, and one WATT.

        That is its bill without the market or, where that is more, what it pays in this run (imbalance, a utility's
        buy-back, the deficit of an auction included) and what is reserved for its orders.
        """
        usual = self.day.without_market.group_by("account").agg(due=pl.col("retail").sum() + pl.col("retail_vat").sum())
        paid = self.settlement.group_by(account="debit").agg(due=pl.col("amount").sum())
        held = pl.concat([paid, self._reserved, self._fees]).group_by("account").agg(pl.col("due").sum())
        due = pl.concat([usual, held]).group_by("account").agg(pl.col("due").max()).sort("account")
        amount = pl.col("due") + share_of(pl.col("due"), share(self.margin)) + MICRO
        return due.select(credit_account="account", amount=amount)

    @property
    def _fees(self) -> pl.DataFrame:
        """Return ``account``, ``due``: the most that an account's order batches may cost in fees."""
        batches = self.day.orders.group_by("account", pl.col("slot").dt.date().alias("day")).agg(
            rows=pl.len().cast(pl.Int64)
        )
        terms = self.consensus.terms()
        kibibytes = -(-(_BATCH_BYTES + _ORDER_BYTES * pl.col("rows")) // 1024)
        fee = terms.fee_per_transaction + terms.fee_per_kibibyte * kibibytes
        return batches.group_by("account").agg(due=fee.sum())

    @property
    def _reserved(self) -> pl.DataFrame:
        """Return ``account``, ``due``: the most that is reserved at once for an account's orders."""
        if self._exchange is None:
            return pl.DataFrame(schema={"account": pl.UInt32, "due": pl.Int64})
        costs = self.day.orders.select(
            "account", pl.col("slot").dt.date().alias("day"), due=self._exchange.reserve(self.day.orders)
        )
        daily = costs.group_by("account", "day").agg(pl.col("due").sum())
        return daily.group_by("account").agg(pl.col("due").max())

    def _order_batches(self) -> dict[date, list[tuple[int, pl.DataFrame]]]:
        """Return day -> (account, its orders of that day), in the order of accounts."""
        parts = (
            self.day.orders.with_columns(day=pl.col("slot").dt.date())
            .sort("day", "account", "slot")
            .partition_by(["day", "account"], as_dict=True, include_key=True)
        )
        batches: dict[date, list[tuple[int, pl.DataFrame]]] = {}
        for (day, account), orders in parts.items():
            batches.setdefault(day, []).append((account, orders.drop("day")))
        return batches

    def _transfers(self) -> dict[datetime, pl.DataFrame]:
        """Return slot -> what the market operator settles, as the chain's transfer frame."""
        own = self.settlement if self._exchange is None else self.day.transfers(self.institutions, trades=False)
        frame = chain_transfers(own, first=1 + self._deposits.height).with_columns(own["slot"])
        return {slot: part for (slot,), part in _by_slot(frame)}


def _by_slot(frame: pl.DataFrame) -> Iterator[tuple[tuple[datetime], pl.DataFrame]]:
    parts = frame.partition_by(["slot"], as_dict=True, include_key=False, maintain_order=True)
    return iter(parts.items())


def _chain_frame(
    frame: pl.DataFrame,
    *,
    asset: str,
    first: int,
    debit: int,
    code: str,
) -> pl.DataFrame:
    """Return ``credit_account``, ``amount`` as the chain's transfer frame, ids counted from `first`."""
    return frame.select(
        pl.int_range(first, first + pl.len(), dtype=pl.UInt64).alias("transfer_id"),
        pl.lit(debit, dtype=pl.UInt32).alias("debit_account"),
        "credit_account",
        pl.lit(asset, dtype=ASSETS).alias("asset"),
        "amount",
        pl.lit(code, dtype=CODES).alias("code"),
    )
