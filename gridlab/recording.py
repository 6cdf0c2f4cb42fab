"""Recording a market day on the consortium chain: licences, deposits, signed orders, gate closure, settlement.

The first block puts deposits in place and registers the roofs that are certified together. Then, for each delivery day,
a block at its start takes one signed batch of orders from every trader and closes the day's gates: executing it clears
the orders and pays for every trade. A block for each slot takes the meter readings, signed by the utilities, and what
the market operator settles beside the trades. The last block issues the certificates that the readings earned. Where
agents trade on forecasts, the day is more than one auction; then the market operator records its trades and settles
them slot by slot. Beside it runs the public chain, which is told the consortium's roots and at the end its certificates
(`gridlab.public_side`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import polars as pl
from tqdm.auto import tqdm

from gridlab.chain.bridge import BridgeTerms
from gridlab.chain.consensus import Consensus
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.emergency.levers import Emergency
from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.ledger import ASSETS, CODES
from gridlab.chain.moments import require_microseconds
from gridlab.chain.public import PublicChain
from gridlab.chain.public.pallets import Pallet
from gridlab.chain.public.terms import PublicTerms
from gridlab.chain.trades import canonical_trades
from gridlab.day import MarketDay
from gridlab.errors import ChainError
from gridlab.governance.agenda import Agenda
from gridlab.holders import holders
from gridlab.institutions import INSTITUTIONS, account_of, institutions_frame
from gridlab.market.charges.landed import share_of
from gridlab.market.charges.settlement import SETTLEMENT, Institutions
from gridlab.market.exchange import MarketExchange, chain_transfers
from gridlab.market.green.certificates import Issue, issue_from_readings
from gridlab.market.market import Market
from gridlab.oracle.oracle import Oracle
from gridlab.oracle_recording import OracleDesk, provider_names
from gridlab.public_side import MOVES, PublicSide, public_chain_of
from gridlab.units import MICRO, share

__all__ = ["Keep", "Recorder"]

# Puts a chain into a store, and returns who keeps the public one.
Keep = Callable[[ConsortiumChain], Callable[[PublicChain], None]]

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
    public : PublicTerms
        How the public chain runs.
    bridge : BridgeTerms
        How often it is told the consortium's roots.
    oracle : Oracle
        Whose providers are appointed where the day was observed.
    emergency : Emergency
        How many seats of the council stop the market, and for how long.
    pallets : list of Pallet
        What the public chain has beside its own: governance.
    agenda : Agenda
        What holders of GRID will do.
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
    public: PublicTerms
    bridge: BridgeTerms
    oracle: Oracle
    emergency: Emergency
    pallets: list[Pallet]
    agenda: Agenda
    settlement: pl.DataFrame
    institutions: Institutions
    seed: int
    margin: float

    def record(self, *, progress: bool, keep: Keep | None = None) -> tuple[ConsortiumChain, PublicSide]:
        """Return the two chains on which everything of the day is signed, sealed, settled and anchored.

        Parameters
        ----------
        progress : bool
            Show a progress bar.
        keep : callable, optional
            Is given the consortium chain before its first block, to put it into a store, which is closed after the last
            one; what it returns is called with the public chain whenever a block there may have become final.

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
            terms=self.emergency.terms(self.consensus.terms()),
            genesis_time=self._start(),
        )
        try:
            side = self._beside(chain, keys, None if keep is None else keep(chain))
            self._fill(chain, side, keys, progress=progress)
        finally:
            chain.close()
        self._require_same_trades(chain)
        return chain, side

    def _beside(
        self, chain: ConsortiumChain, keys: list[KeyPair], keep: Callable[[PublicChain], None] | None
    ) -> PublicSide:
        relayer, regulator = keys[self.institutions.market_operator], keys[self._account("ERC")]
        public = public_chain_of(
            self.public,
            self.pallets,
            holders(self.day.accounts),
            seed=self.seed,
            genesis_time=require_microseconds("start", self._start()),
            keys=dict(zip(self._names, keys, strict=True)),
        )
        vault = self._account("Bridge vault")
        return PublicSide(
            chain, public, self.bridge, regulator=regulator, relayer=relayer, vault=vault, agenda=self.agenda, keep=keep
        )

    @cached_property
    def _desk(self) -> OracleDesk | None:
        """Who signs for the oracle network; nobody, where nobody reads it."""
        if self.day.observed is None:
            return None
        first = self.day.accounts.height + len(INSTITUTIONS)
        return OracleDesk(
            self.oracle,
            self.day.observed.network,
            self._account("Oracle network"),
            self.institutions.market_operator,
            list(range(first, first + int(self.oracle.providers))),
            self.seed,
        )

    @property
    def oracle_fees(self) -> pl.DataFrame:
        """What the market operator pays for data in the last slot, as `SETTLEMENT`."""
        return SETTLEMENT.empty() if self._desk is None else self._desk.fees(self.day.slots[-1])

    def _fill(self, chain: ConsortiumChain, side: PublicSide, keys: list[KeyPair], *, progress: bool) -> None:
        self._deposit(chain, keys)
        self._seal(side, self._start())
        if self._desk is not None:
            self._desk.appoint(chain, keys[self._account("ERC")])
            self._seal(side, self._start())
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
                    self._seal(side, slot)
                for utility, frame in readings[slot]:
                    chain.send(keys[utility], "meter_readings", frame)
                if slot in trades:
                    chain.send(operator, "trade", trades[slot])
                if slot in rest:
                    chain.send(operator, "settlement", rest[slot])
                if self._desk is not None:
                    self._desk.report(chain, keys[self._desk.sender], slot)
                    if slot == self.day.slots[-1]:
                        self._desk.accuse(chain, keys[self._desk.sender])
                if slot == self.day.slots[-1] and not self.issue.certificates.is_empty():
                    chain.send(keys[self._account("EGAT")], "certificate_issue", self.issue.certificates)
                self._seal(side, slot)
                bar.update()
        side.finish()

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

    @property
    def moved(self) -> pl.DataFrame:
        """Levers that votes moved within the run, as `MOVES`; none, since nobody looks for them here."""
        return pl.DataFrame(schema=MOVES)

    def _require_same_trades(self, chain: ConsortiumChain) -> None:
        self._compare_trades(chain, self.day)

    @staticmethod
    def _compare_trades(chain: ConsortiumChain, day: MarketDay) -> None:
        order = ["slot", "zone", "buy_order", "sell_order", "energy", "price"]
        recorded = chain.trades.drop("height", "index", "place").sort(order)
        if not recorded.equals(canonical_trades(day.trades).sort(order)):
            raise ChainError(
                f"the chain holds {recorded.height} trades, the market made {day.trades.height}, and they are not "
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
    def _seal(side: PublicSide, slot: datetime) -> None:
        side.step(require_microseconds("slot", slot))

    def _keys(self) -> list[KeyPair]:
        return [sandbox(self.seed, name) for name in self._names]

    @property
    def _names(self) -> list[str]:
        providers = [] if self._desk is None else provider_names(self.oracle)
        return [*self.day.accounts["name"], *INSTITUTIONS, *providers]

    def _members(self, keys: list[KeyPair]) -> pl.DataFrame:
        traders = self.day.accounts.select("account", "name", role=pl.lit("trader"))
        institutions = institutions_frame(self.day.accounts)
        first = traders.height + institutions.height
        added = self._names[first:]
        providers = pl.DataFrame(
            {"account": range(first, first + len(added)), "name": added, "role": ["oracle"] * len(added)},
            schema=institutions.schema,
        )
        return pl.concat([traders, institutions, providers]).with_columns(
            public_key=pl.Series([pair.public_key for pair in keys]),
            # Nobody signs for the bridge's account, where what is locked moves by proof alone, nor for those with
            # the providers' stakes.
            active=(pl.col("role") != "bridge_operator") & (pl.col("account") < first),
        )

    def _deposit(self, chain: ConsortiumChain, keys: list[KeyPair]) -> None:
        stakes = [] if self._desk is None else [self._desk.deposits]
        self._lay_down(chain, keys, pl.concat([self.deposits, *stakes]))
        if not self.issue.groups.is_empty():
            chain.send(keys[self._account("EGAT")], "certificate_group", self.issue.groups)

    def _lay_down(self, chain: ConsortiumChain, keys: list[KeyPair], deposits: pl.DataFrame) -> None:
        """Send baht to the reserve and WATT to the accounts (``credit_account``, ``amount``)."""
        bank, issuer = self._account("Reserve bank"), self._account("WATT issuer")
        reserve = pl.DataFrame({"credit_account": [issuer], "amount": [deposits["amount"].sum()]})
        for sender, kind, frame, asset in ((bank, "reserve", reserve, "THB"), (issuer, "mint", deposits, "WATT")):
            first = chain.ledger.next_id(sender)
            chain.send(keys[sender], kind, _chain_frame(frame, debit=sender, asset=asset, code=kind, first=first))

    @cached_property
    def deposits(self) -> pl.DataFrame:
        """Return ``credit_account``, ``amount``: what an account may have to pay, a margin, and one WATT.

        That is its bill without the market or, where that is more, what it pays in this run (imbalance, a utility's
        buy-back, the deficit of an auction included) and what is reserved for its orders.
        """
        usual = self.day.without_market.group_by("account").agg(
            due=pl.sum_horizontal(pl.col("retail", "retail_vat", "carbon_tax").sum())
        )
        paid = self.settlement.group_by(account="debit").agg(due=pl.col("amount").sum())
        held = pl.concat([paid, self._reserved, self._fees]).group_by("account").agg(pl.col("due").sum())
        due = pl.concat([usual, held]).group_by("account").agg(pl.col("due").max()).sort("account")
        amount = pl.col("due") + share_of(pl.col("due"), share(self.margin)) + MICRO
        return due.select(credit_account="account", amount=amount)

    @property
    def _session(self) -> pl.Expr:
        """What orders have in common that an account sends under one signature: their day."""
        return pl.col("slot").dt.date().alias("session")

    @property
    def _fees(self) -> pl.DataFrame:
        """Return ``account``, ``due``: the most that an account's order batches may cost in fees."""
        batches = self.day.orders.group_by("account", self._session).agg(rows=pl.len().cast(pl.Int64))
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
        own = pl.concat([own, self.oracle_fees])
        frame = chain_transfers(own).with_columns(own["slot"])
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
