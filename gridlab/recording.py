"""Recording a market day on the consortium chain: licences, deposits, signed order batches, settlement slot by slot.

The first block puts deposits in place and registers the roofs that are certified together. Then, for each delivery day,
a block at its start takes one signed batch of orders from every trader, and a block for each slot takes the meter
readings, signed by the utilities, and the payments, signed by the market operator. The last block issues the
certificates that the readings earned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import polars as pl
from tqdm.auto import tqdm

from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.transfers import ASSETS, CODES
from gridlab.day import MarketDay
from gridlab.errors import ChainError
from gridlab.institutions import INSTITUTIONS, account_of, institutions_frame
from gridlab.market.charges.landed import share_of
from gridlab.market.charges.settlement import Institutions
from gridlab.market.green.certificates import Issue, issue_from_readings
from gridlab.units import MICRO, share

__all__ = ["Recorder"]


@dataclass(frozen=True)
class Recorder:
    """Signs and seals a market day.

    Attributes
    ----------
    day : MarketDay
    settlement : polars.DataFrame
        Every payment of the day, ordered by slot (`MarketDay.transfers`).
    institutions : Institutions
    seed : int
        All keys derive from it.
    margin : float
        Deposit above the expected bill, %.
    """

    day: MarketDay
    settlement: pl.DataFrame
    institutions: Institutions
    seed: int
    margin: float

    def record(self, *, progress: bool) -> ConsortiumChain:
        """Return the chain on which everything of the day is signed, sealed and settled.

        Raises
        ------
        ChainError
            A transaction was refused; nothing of the day counts then.
        """
        keys = self._keys()
        chain = ConsortiumChain(self._members(keys), genesis_time=self._start())
        self._deposit(chain, keys)
        batches = self._order_batches()
        transfers = self._transfers()
        readings = self._readings()
        total = self.day.slots.len()
        with tqdm(total=total, unit="slot", desc="sealing", disable=not progress, leave=False) as bar:
            previous: date | None = None
            for slot in self.day.slots:
                if slot.date() != previous:
                    previous = slot.date()
                    for account, orders in batches.get(previous, ()):
                        chain.send(keys[account], "order_batch", orders)
                    self._seal(chain, slot)
                for utility, frame in readings[slot]:
                    chain.send(keys[utility], "meter_readings", frame)
                if slot in transfers:
                    chain.send(keys[self.institutions.market_operator], "settlement", transfers[slot])
                if slot == self.day.slots[-1] and not self.issue.certificates.is_empty():
                    chain.send(keys[self._account("EGAT")], "certificate_issue", self.issue.certificates)
                self._seal(chain, slot)
                bar.update()
        return chain

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

        That is its bill without the market, or what it pays in this run where that is more: imbalance, a utility's
        buy-back, the deficit of an auction.
        """
        usual = self.day.without_market.group_by("account").agg(due=pl.col("retail").sum() + pl.col("retail_vat").sum())
        paid = self.settlement.group_by(account="debit").agg(due=pl.col("amount").sum())
        due = pl.concat([usual, paid]).group_by("account").agg(pl.col("due").max()).sort("account")
        amount = pl.col("due") + share_of(pl.col("due"), share(self.margin)) + MICRO
        return due.select(credit_account="account", amount=amount)

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
        """Return slot -> its payments as the chain's transfer frame."""
        paid = self.settlement.rename({"debit": "debit_account", "credit": "credit_account"}).with_columns(
            code=pl.col("kind").cast(pl.String).cast(CODES)
        )
        frame = _chain_frame(paid, asset="WATT", first=1 + self._deposits.height, keep=("slot",))
        return {slot: part for (slot,), part in _by_slot(frame)}


def _by_slot(frame: pl.DataFrame) -> Iterator[tuple[tuple[datetime], pl.DataFrame]]:
    parts = frame.partition_by(["slot"], as_dict=True, include_key=False, maintain_order=True)
    return iter(parts.items())


def _chain_frame(
    frame: pl.DataFrame,
    *,
    asset: str,
    first: int,
    debit: int | None = None,
    code: str | None = None,
    keep: tuple[str, ...] = (),
) -> pl.DataFrame:
    """Return `frame` as the chain's transfer frame, ids counted from `first`."""
    given = {} if debit is None else {"debit_account": pl.lit(debit, dtype=pl.UInt32)}
    if code is not None:
        given["code"] = pl.lit(code, dtype=CODES)
    return frame.with_columns(
        transfer_id=pl.int_range(first, first + pl.len(), dtype=pl.UInt64),
        asset=pl.lit(asset, dtype=ASSETS),
        **given,
    ).select(*keep, "transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
