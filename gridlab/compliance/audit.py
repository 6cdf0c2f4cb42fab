"""The auditor's desk: everything that a chain knows, as a trail, as a log that cannot be bent, and as traces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.chain_views import ChainViews
from gridlab.chain.hashing import hexadecimal
from gridlab.compliance import history_log
from gridlab.compliance.energy import EnergyTrace, trace_energy
from gridlab.compliance.energy_edges import EnergyEdges
from gridlab.compliance.funds import FundsTrace
from gridlab.compliance.funds_door import trace_funds
from gridlab.compliance.movements import movements
from gridlab.compliance.pages import facts_html
from gridlab.compliance.proving import Proof, prove_trade, prove_transaction
from gridlab.compliance.trail import names_of, payload_rows, trail
from gridlab.errors import ArgumentError, ArgumentTypeError

__all__ = ["Audit"]


@dataclass(frozen=True)
class _Books:
    """What is read off a chain at one height, each part when it is first needed."""

    chain: ChainViews
    names: pl.DataFrame
    height: int

    @cached_property
    def trail(self) -> pl.DataFrame:
        return trail(self.chain, self.names)

    @cached_property
    def movements(self) -> pl.DataFrame:
        return movements(self.chain, self.trail)

    @cached_property
    def energy(self) -> EnergyEdges:
        return EnergyEdges(self.chain)


class Audit:
    """An audit of a chain, always as the chain stands.

    Parameters
    ----------
    chain : ConsortiumChain
    accounts : polars.DataFrame, optional
        ``account`` and ``name``: names to show in place of those that the members have on the chain.

    Raises
    ------
    ArgumentTypeError, FrameError
        An argument does not fit.

    Examples
    --------
    >>> from gridlab.chain import ConsortiumChain, SingleSequencer, keys
    >>> bank = keys.sandbox(0, "bank")
    >>> members = pl.DataFrame({"account": [0, 1], "name": ["bank", "issuer"], "role": ["reserve_bank", "watt_issuer"],
    ...                         "public_key": [bank.public_key, keys.sandbox(0, "issuer").public_key]})
    >>> chain = ConsortiumChain(members, ordering=SingleSequencer(bank))
    >>> Audit(chain)
    Audit('gridlab-consortium', blocks 0 to 0, 0 transactions)
    """

    def __init__(self, chain: ChainViews, accounts: pl.DataFrame | None = None) -> None:
        if not isinstance(chain, ChainViews):
            raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a ConsortiumChain such as run.chain")
        self._chain, self._accounts = chain, accounts
        self._read = self._opened()

    def _opened(self) -> _Books:
        return _Books(self._chain, names_of(self._chain, self._accounts), self._chain.height)

    @property
    def _books(self) -> _Books:
        if self._read.height != self._chain.height:
            self._read = self._opened()
        return self._read

    def __repr__(self) -> str:
        height = self._chain.height
        return f"Audit({self._chain.chain_id!r}, blocks 0 to {height}, {self._books.trail.height} transactions)"

    def _repr_html_(self) -> str:
        refused = self._books.trail.filter(~pl.col("accepted")).height
        kinds = self._books.trail.group_by("kind").len().sort("len", "kind", descending=[True, False])
        counted = ", ".join(f"{kind} {count}" for kind, count in zip(kinds["kind"], kinds["len"], strict=True))
        return facts_html(
            f"Audit of {self._chain.chain_id}",
            [
                ("blocks", f"0 to {self._chain.height}"),
                ("transactions", f"{self._books.trail.height}, of which {refused} refused"),
                ("by kind", counted),
                ("movements of money", self.movements.height),
                ("log root, to keep", hexadecimal(self.log_root())),
            ],
        )

    def trail(self, kind: str | None = None) -> pl.DataFrame:
        """Return every transaction that ever stood in a block, refused ones included, in order.

        Parameters
        ----------
        kind : str, optional
            Only those of this kind.

        Returns
        -------
        polars.DataFrame
            As `gridlab.compliance.trail.TRAIL`.

        Raises
        ------
        ArgumentTypeError
            `kind` is not text.
        """
        if kind is None:
            return self._books.trail
        if not isinstance(kind, str):
            raise ArgumentTypeError(f"kind is a {type(kind).__name__}, allowed: text such as 'transfer'")
        # A kind that the chain does not know may stand in a refused transaction, so any text may be looked for.
        return self._books.trail.filter(pl.col("kind") == kind)

    def rows(self, kind: str) -> pl.DataFrame:
        """Return every row of every accepted payload of one kind, with ``height``, ``index`` and ``sender`` in front.

        Raises
        ------
        ArgumentTypeError, ChainError
            No kind has that name.
        """
        return payload_rows(self._chain, kind)

    @property
    def movements(self) -> pl.DataFrame:
        """Every movement of money with its transaction (`gridlab.compliance.movements.movements`)."""
        return self._books.movements

    def log_root(self, height: int | None = None) -> bytes:
        """Return the root of the log of blocks 0 … `height` (the newest unless given), 32 bytes: what to keep.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            The chain has no block at `height`.
        """
        return history_log.log_root(self._chain, self._chain.height if height is None else height)

    def prove_extension(self, old_height: int, new_height: int | None = None) -> list[bytes]:
        """Return the proof that the log of `new_height` (the newest unless given) begins with that of `old_height`.

        `gridlab.compliance.verify_extension` checks it against two roots.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            The chain has no such block, or the first height is above the second.
        """
        return history_log.prove_extension(
            self._chain, old_height, self._chain.height if new_height is None else new_height
        )

    def trace_funds(
        self,
        *,
        account: int | None = None,
        transfer: tuple[int, int] | None = None,
        direction: str = "forward",
        asset: str = "WATT",
        hops: int | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> FundsTrace:
        """Follow money hop by hop, first in first out (`gridlab.compliance.funds` says why).

        Parameters
        ----------
        account : int, optional
            Follow all that it paid (forward) or got (backward). What comes back to it ends there.
        transfer : tuple of int, optional
            ``(sender, transfer_id)``: follow this transfer.
        direction : str
            "forward", where it went, or "backward", where it came from.
        asset : str
            "WATT", "THB", …
        hops : int, optional
            At most so many.
        since, until : int, optional
            Follow only what moved in blocks of these heights, both included.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit, or there is no such account or transfer.
        """
        return trace_funds(
            self.movements,
            self._books.names,
            account=account,
            transfer=transfer,
            direction=direction,
            asset=asset,
            hops=hops,
            since=since,
            until=until,
        )

    def trace_energy(
        self,
        *,
        trade: int | None = None,
        meter: tuple[int, datetime] | None = None,
        certificate: int | None = None,
        buyer: int | None = None,
        direction: str = "both",
        since: int | None = None,
        until: int | None = None,
    ) -> EnergyTrace:
        """Follow energy: meter to trade to buyer, and meter to month to certificate to owner and beneficiary.

        Parameters
        ----------
        trade : int, optional
            Row of ``chain.trades``.
        meter : tuple, optional
            ``(account, slot)``: what this meter recorded in this quarter-hour.
        certificate : int, optional
            Serial number.
        buyer : int, optional
            Account that bought energy, or held certificates.
        direction : str
            "forward", with the energy; "backward", to its source; or "both".
        since, until : int, optional
            Only edges made in blocks of these heights, both included.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit, or there is no such trade, account or certificate.
        """
        return trace_energy(
            self._books.energy,
            self._books.trail,
            self._books.names,
            trade=trade,
            meter=meter,
            certificate=certificate,
            buyer=buyer,
            direction=direction,
            since=since,
            until=until,
        )

    def prove_trade(self, row: int, *, ancestry: bool = True) -> Proof:
        """Prove the trade in this row of ``chain.trades``; `gridlab.compliance.prove_trade` says how.

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            There is no such trade, or its proof would be too large.
        """
        trades = self._chain.trades
        if trades.is_empty():
            raise ArgumentError("this chain has no trades, so there is none to prove")
        place = trades.select("height", "index", "place").row(require_int("row", row, 0, trades.height - 1))
        return prove_trade(self._chain, *place, ancestry=ancestry)

    def prove_transaction(self, height: int, index: int, *, ancestry: bool = True) -> Proof:
        """Prove a transaction, such as a payment, and what became of it (`gridlab.compliance.prove_transaction`).

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            There is no such transaction, or its proof would be too large.
        """
        return prove_transaction(self._chain, height, index, ancestry=ancestry)
