"""A finished run: its frames, its key figures, its chain and its fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from gridlab.chain.encoding import blob
from gridlab.chain.hashing import tagged_hash
from gridlab.doors import through
from gridlab.kpis import balances, key_figures

if TYPE_CHECKING:
    from gridlab.chain.consortium import ConsortiumChain
    from gridlab.chain.public.chain import PublicChain
    from gridlab.compliance.audit import Audit
    from gridlab.compliance.proving import Proof

__all__ = ["Run", "RunFacts"]

_FINGERPRINT_DOMAIN = "gridlab/run/1"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run was started with, and the one thing that was measured.

    Attributes
    ----------
    title, title_th : str
    seed : int
    prosumers : int
    start : str
        First slot, ISO 8601 with offset.
    slots : int
    levers : Mapping[str, object]
        Lever path -> value in force.
    carbon_factor : float
        kgCO2e/kWh.
    clearing_seconds : float
        Wall-clock time of the clearing call.
    best_welfare : int
        The highest welfare that the orders allowed (micro-THB).
    """

    title: str
    title_th: str
    seed: int
    prosumers: int
    start: str
    slots: int
    levers: Mapping[str, object]
    carbon_factor: float
    clearing_seconds: float
    best_welfare: int


@dataclass(frozen=True)
class Run:
    """What `Lab.run` returns.

    The frames of the contract are attributes: ``prices``, ``trades``, ``settlement``, ``readings``, ``blocks``,
    ``certificates``, ``alerts``; beside them ``accounts``, ``orders``, ``fills``, ``statements``, ``without_market``.
    """

    facts: RunFacts
    frames: Mapping[str, pl.DataFrame] = field(repr=False)
    chain: ConsortiumChain = field(repr=False)
    public: PublicChain = field(repr=False)

    @property
    def accounts(self) -> pl.DataFrame:
        """The prosumers, as `gridlab.frames.ACCOUNTS`."""
        return self.frames["accounts"]

    @property
    def institutions(self) -> pl.DataFrame:
        """The accounts on the other side of the charges: ``account``, ``name``, ``role``."""
        return self.frames["institutions"]

    @property
    def readings(self) -> pl.DataFrame:
        """Per slot and account (Wh): load, generation, imported, exported, bought, sold, from_utility, to_utility."""
        return self.frames["readings"]

    @property
    def orders(self) -> pl.DataFrame:
        """Every order, as `gridlab.frames.ORDERS`."""
        return self.frames["orders"]

    @property
    def fills(self) -> pl.DataFrame:
        """What became of every order, and why."""
        return self.frames["fills"]

    @property
    def prices(self) -> pl.DataFrame:
        """Per slot and zone: price (THB/MWh), energy (Wh), demand, supply, welfare and surpluses (micro-THB)."""
        return self.frames["prices"]

    @property
    def trades(self) -> pl.DataFrame:
        """Every trade with the parts of its landed bill (micro-THB)."""
        return self.frames["trades"]

    @property
    def settlement(self) -> pl.DataFrame:
        """Every payment: ``slot``, ``debit``, ``credit``, ``kind``, ``amount`` (micro-THB)."""
        return self.frames["settlement"]

    @property
    def statements(self) -> pl.DataFrame:
        """Daily statements with the utility for what was not traded (micro-THB)."""
        return self.frames["statements"]

    @property
    def without_market(self) -> pl.DataFrame:
        """Daily statements as they would be if nobody traded (micro-THB)."""
        return self.frames["without_market"]

    @property
    def certificates(self) -> pl.DataFrame:
        """Renewable energy certificates issued in the run, ranges of serial numbers (`gridlab.chain.certificates`)."""
        return self.frames["certificates"]

    @property
    def alerts(self) -> pl.DataFrame:
        """What an operator should look at: ``slot``, ``zone``, ``alert``, ``detail``."""
        return self.frames["alerts"]

    @property
    def blocks(self) -> pl.DataFrame:
        """The consortium chain's blocks, one row each."""
        return self.chain.blocks

    @property
    def public_blocks(self) -> pl.DataFrame:
        """The public chain's final blocks, one row each, with ``finality_ms``: from writing until they were final."""
        return self.frames["public_blocks"]

    @property
    def anchors(self) -> pl.DataFrame:
        """The consortium's roots that the public chain was told: ``height``, ``slot``, ``hash``, ``state_root``."""
        return self.frames["anchors"]

    @cached_property
    def earned(self) -> pl.DataFrame:
        """Who earned which fee from whom on both chains, as `gridlab.chain.fee_account.EARNED`, with their names.

        ``payer_name``, ``earner_name``: on the public chain empty for an account that was opened without one.
        """
        from gridlab.chain.fee_account import earned

        named = {
            self.chain.chain_id: self.chain.members.select("account", "name"),
            self.public.chain_id: self.public.accounts.select("account", "name"),
        }
        names = pl.concat([frame.with_columns(chain=pl.lit(chain)) for chain, frame in named.items()])
        found = earned(self.chain, self.public)
        for party in ("payer", "earner"):
            part = names.select("chain", pl.col("account").alias(party), pl.col("name").alias(f"{party}_name"))
            found = found.join(part, on=["chain", party], how="left", maintain_order="left")
        return found

    @property
    def fingerprint(self) -> str:
        """``0x`` and 64 hex digits over both chains' last blocks and state roots: equal runs, equal fingerprints."""
        parts = [self.chain.fingerprint, self.public.finalised.hash, self.public.state_root]
        return "0x" + tagged_hash(_FINGERPRINT_DOMAIN, b"".join(blob(part) for part in parts)).hex()

    @cached_property
    def balances(self) -> pl.DataFrame:
        """Per account what it pays without and with the market, and what it saves (micro-THB)."""
        return balances(self.frames)

    @cached_property
    def _kpis(self) -> pl.DataFrame:
        return key_figures(
            self.frames,
            carbon_factor=self.facts.carbon_factor,
            clearing_seconds=self.facts.clearing_seconds,
            best_welfare=self.facts.best_welfare,
        )

    def kpis(self) -> pl.DataFrame:
        """Return the key figures: ``kpi``, ``value``, ``unit``; see `gridlab.kpis` for what each means."""
        return self._kpis

    def kpi(self, name: str) -> float:
        """Return one key figure."""
        found = self._kpis.filter(pl.col("kpi") == name)["value"]
        if found.is_empty():
            from gridlab.errors import ArgumentError, nearest

            raise ArgumentError(f"no key figure {name!r}; {nearest(name, self._kpis['kpi'])}")
        return float(found[0])

    @cached_property
    def audit(self) -> Audit:
        """The auditor's desk over this run's chain: the trail of all transactions, tracing of money and of energy."""
        from gridlab.compliance.audit import Audit

        return Audit(self.chain, self.accounts)

    def prove_trade(self, row: int, *, ancestry: bool = True) -> Proof:
        """Prove the trade in this row of ``run.chain.trades`` to an outsider; `save` it, and `gl.verify` checks it.

        Without `ancestry` the file is short, and whoever checks it must trust more (`gridlab.compliance.proving`).
        """
        return self.audit.prove_trade(row, ancestry=ancestry)

    @property
    def plot(self) -> Any:
        """HoloViews pictures of the run, such as ``run.plot.prices()``; its repr lists them all."""
        return through("plot", self)

    def report(self, path: str | Path) -> Path:
        """Write an HTML report that opens without a network, and return its path."""
        written: Path = through("report", self, path)
        return written

    def save(self, path: str | Path) -> Path:
        """Write the run, chain included, to one file that `gl.load` opens; returns its path."""
        from gridlab.run_file import save

        return save(self, path)

    def __repr__(self) -> str:
        return (
            f"Run({self.facts.title!r}, {self.facts.slots} slots, {self.trades.height} trades, "
            f"fingerprint={self.fingerprint[:10]}…)"
        )

    def _repr_html_(self) -> str:
        html: str = through("run_html", self)
        return html
