"""What the oracle network does on the consortium chain of a run: stakes, reports, slashes and data fees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import KeyPair
from gridlab.market.charges.settlement import SETTLEMENT
from gridlab.oracle.oracle import Oracle
from gridlab.oracle.run import OracleRun
from gridlab.units import money

__all__ = ["OracleDesk", "provider_names"]

_SLOT = timedelta(minutes=15)


def provider_names(oracle: Oracle) -> list[str]:
    """Return what the providers' accounts are called."""
    return [f"Oracle provider {provider}" for provider in range(int(oracle.providers))]


@dataclass(frozen=True)
class OracleDesk:
    """Signs for the network on the chain.

    Attributes
    ----------
    oracle : Oracle
    network : OracleRun
        Signed.
    sender : int
        Account of the oracle's licence, which carries reports.
    payer : int
        Account of the market operator, who buys the data.
    accounts : list of int
        Where each provider's stake lies and its fees are paid: licences that are not in force.
    seed : int
        Of the providers' keys.
    """

    oracle: Oracle
    network: OracleRun
    sender: int
    payer: int
    accounts: list[int]
    seed: int

    @property
    def deposits(self) -> pl.DataFrame:
        """What lies in place before the first report: ``credit_account``, ``amount`` (micro-WATT)."""
        stake = money(self.oracle.stake)
        rows = [(account, stake) for account in self.accounts if stake] + [(self.payer, self._fees)]
        schema = {"credit_account": pl.UInt32, "amount": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row").filter(pl.col("amount") > 0)

    @property
    def _fees(self) -> int:
        return int(self.network.scores["fees"].sum())

    def appoint(self, chain: ConsortiumChain, regulator: KeyPair) -> None:
        """Send the regulator's list of providers; their stakes lie there already."""
        frame = self.oracle.appointment(self.accounts, self.seed, epoch=self.network.providers.epoch)
        chain.send(regulator, "oracle_providers", frame)

    def report(self, chain: ConsortiumChain, key: KeyPair, slot: datetime) -> None:
        """Send what the network has published within a slot."""
        frame = self.network.transactions(slot, slot + _SLOT)
        if not frame.is_empty():
            chain.send(key, "oracle_report", frame)

    def accuse(self, chain: ConsortiumChain, key: KeyPair) -> None:
        """Send the evidence against every provider that signed two values in a round, once each."""
        evidence = self.network.evidence
        for provider in evidence["provider"].unique().sort():
            pair = evidence.filter(provider=provider).head(2)
            chain.send(key, "oracle_evidence", pair)

    def fees(self, slot: datetime) -> pl.DataFrame:
        """Return what the market operator pays the providers at the end, as `SETTLEMENT`."""
        earned = self.network.scores.select(amount="fees", credit=pl.Series(self.accounts, dtype=pl.UInt32))
        rows = earned.filter(pl.col("amount") > 0).select(
            slot=pl.lit(slot, dtype=SETTLEMENT.empty()["slot"].dtype),
            debit=pl.lit(self.payer, dtype=pl.UInt32),
            credit="credit",
            kind=pl.lit("oracle_fee").cast(SETTLEMENT.empty()["kind"].dtype),
            amount=pl.col("amount").cast(pl.Int64),
        )
        return SETTLEMENT.check(rows)
