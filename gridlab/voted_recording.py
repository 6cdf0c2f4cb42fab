"""Recording a day in which votes move levers: each slot's gate closes alone, so that the next slot has the new terms.

Before each slot the public chain is asked what it has enacted. A lever that was moved goes through the lab's own door;
the regulator puts the market's new terms on the consortium chain, with the public block and the referendum that moved
them; and what is left of the day is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl
from tqdm.auto import tqdm

from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import KeyPair
from gridlab.chain.moments import require_microseconds
from gridlab.council_recording import CouncilDesk
from gridlab.day import MarketDay
from gridlab.errors import GridlabError
from gridlab.market.charges.settlement import statement_transfers
from gridlab.market.exchange import MarketExchange, chain_transfers
from gridlab.market.market import Market
from gridlab.moved_day import cut, joined, numbered_from
from gridlab.public_side import MOVES, Moved, PublicSide
from gridlab.recording import Recorder

__all__ = ["Again", "VotedRecorder"]

# Levers that were moved, the slots that are left, zones that stand still -> the market under them, and the day.
Again = Callable[[Mapping[str, Any], pl.Series, frozenset[str]], tuple[Market, MarketDay]]

@dataclass
class _Piece:
    """The part of the day that is being recorded: its market, the day for all slots left, and where it began.

    In `stopped` zones an emergency stop keeps orders away.
    """

    market: Market
    day: MarketDay
    first: int
    stopped: frozenset[str] = frozenset()


@dataclass(frozen=True)
class VotedRecorder(Recorder):
    """Signs and seals a market day whose levers votes may move.

    Attributes
    ----------
    again : callable
        Moves levers and computes the rest of the day.
    pieces : list of MarketDay
        Filled while recording: what was recorded under one set of levers each.
    moves : list of tuple
        Filled while recording: rows of `MOVES`.
    """

    again: Again = field(kw_only=True)
    pieces: list[MarketDay] = field(default_factory=list, kw_only=True)
    moves: list[tuple[Any, ...]] = field(default_factory=list, kw_only=True)

    @property
    def whole(self) -> MarketDay:
        """The day as it was recorded."""
        return joined(self.pieces)

    @property
    def _session(self) -> pl.Expr:
        return pl.col("slot").alias("session")

    @property
    def moved(self) -> pl.DataFrame:
        """Levers that votes moved, as `MOVES`."""
        return pl.DataFrame(self.moves, schema=MOVES, orient="row")

    def _fill(self, chain: ConsortiumChain, side: PublicSide, keys: list[KeyPair], *, progress: bool) -> None:
        start = require_microseconds("start", self._start())
        council = CouncilDesk(self.agenda.council, keys, self.day.accounts.height, start)
        self._deposit(chain, keys)
        council.appoint(chain)
        self._seal(side, self._start())
        piece, readings, slots = _Piece(self.market, self.day, 0), self._readings(), self.day.slots
        with tqdm(total=slots.len(), unit="slot", desc="sealing", disable=not progress, leave=False) as bar:
            for place, slot in enumerate(slots):
                side.advance(require_microseconds("slot", slot))
                for moved in side.moved():
                    piece = self._turn(chain, keys, piece, place, moved)
                if council.send_due(chain, side, require_microseconds("slot", slot)) or piece.first == place:
                    self._seal(side, slot)
                stopped = council.stopped(chain)
                if stopped != piece.stopped:
                    piece = self._under(chain, keys, piece, place, stopped)
                    self._seal(side, slot)
                self._close_gate(chain, keys, piece, slot)
                self._seal(side, slot)
                for utility, frame in readings[slot]:
                    chain.send(keys[utility], "meter_readings", frame)
                if place + 1 == slots.len() or slots[place + 1].date() != slot.date():
                    self._bill(chain, keys, cut(piece.day, slots[piece.first : place + 1]), slot)
                if place + 1 == slots.len() and not self.issue.certificates.is_empty():
                    chain.send(keys[self._account("EGAT")], "certificate_issue", self.issue.certificates)
                self._seal(side, slot)
                bar.update()
        self.pieces.append(cut(piece.day, slots[piece.first :]))
        side.finish()

    def _close_gate(self, chain: ConsortiumChain, keys: list[KeyPair], piece: _Piece, slot: datetime) -> None:
        if chain.emergency.shuts_market():
            return
        orders = piece.day.orders.filter(pl.col("slot") == slot)
        for (account,), batch in orders.sort("account").partition_by("account", as_dict=True).items():
            chain.send(keys[account], "order_batch", batch)
        chain.send(keys[self.institutions.market_operator], "gate_closure", pl.DataFrame({"slot": [slot]}))

    def _bill(self, chain: ConsortiumChain, keys: list[KeyPair], part: MarketDay, slot: datetime) -> None:
        """Pay the statements that end with `slot`."""
        ended = part.statements.filter(pl.col("slot") == slot)
        paid = statement_transfers(ended, part.accounts, self.institutions)
        operator = self.institutions.market_operator
        frame = chain_transfers(paid, first=chain.ledger.next_id(operator))
        if not frame.is_empty():
            chain.send(keys[operator], "settlement", frame)

    def _turn(
        self,
        chain: ConsortiumChain,
        keys: list[KeyPair],
        piece: _Piece,
        place: int,
        moved: Moved,
    ) -> _Piece:
        """End a piece before the slot at `place`, and begin the next one under the levers that were moved."""
        slots = self.day.slots
        slot = slots[place]
        try:
            market, day = self.again(moved.levers, slots[place:], piece.stopped)
        except GridlabError as problem:
            # A vote on levers that exclude each other: it was counted, and nothing is moved by halves.
            self._note(slot, moved, str(problem))
            return piece
        self._note(slot, moved)
        self._end(chain, keys, piece, place)
        self._change_market(chain, keys, market, f"public block {moved.height}, referendum {moved.referendum}")
        return self._begin(chain, keys, _Piece(market, day, place, piece.stopped))

    def _under(
        self, chain: ConsortiumChain, keys: list[KeyPair], piece: _Piece, place: int, stopped: frozenset[str]
    ) -> _Piece:
        """End a piece before the slot at `place`, and begin the next one with other zones standing still."""
        market, day = self.again({}, self.day.slots[place:], stopped)
        self._end(chain, keys, piece, place)
        return self._begin(chain, keys, _Piece(market, day, place, stopped))

    def _end(self, chain: ConsortiumChain, keys: list[KeyPair], piece: _Piece, place: int) -> None:
        slots = self.day.slots
        if place > piece.first:
            ended = cut(piece.day, slots[piece.first : place])
            self.pieces.append(ended)
            if slots[place - 1].date() == slots[place].date():
                self._bill(chain, keys, ended, slots[place - 1])

    def _begin(self, chain: ConsortiumChain, keys: list[KeyPair], piece: _Piece) -> _Piece:
        day = numbered_from(piece.day, sum(part.orders.height for part in self.pieces))
        self._top_up(chain, keys, piece.market, day)
        return replace(piece, day=day)

    def _note(self, slot: datetime, moved: Moved, failed: str = "") -> None:
        head = (slot, moved.height, moved.referendum)
        self.moves.extend((*head, path, value, failed) for path, value in moved.written.items())

    def _change_market(self, chain: ConsortiumChain, keys: list[KeyPair], market: Market, reference: str) -> None:
        exchange = MarketExchange(market, self.day.accounts, self.institutions)
        if chain.exchange is None or exchange.terms != chain.exchange.terms:
            chain.change_market(keys[self._account("ERC")], exchange, reference)

    def _top_up(self, chain: ConsortiumChain, keys: list[KeyPair], market: Market, day: MarketDay) -> None:
        """Deposit what accounts may have to pay under the new levers and do not have yet."""
        there = replace(self, market=market, day=day, settlement=day.transfers(self.institutions), pieces=[], moves=[])
        held = chain.ledger.balances.select(credit_account="account", held="WATT")
        lacking = (
            there.deposits.join(held, on="credit_account", how="left", maintain_order="left")
            .select("credit_account", amount=pl.col("amount") - pl.col("held"))
            .filter(pl.col("amount") > 0)
        )
        if not lacking.is_empty():
            self._lay_down(chain, keys, lacking)

    def _require_same_trades(self, chain: ConsortiumChain) -> None:
        self._compare_trades(chain, self.whole)
