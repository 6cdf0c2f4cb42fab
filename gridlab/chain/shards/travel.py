"""What is between shards: parcels that were sent and are neither posted nor voided, and what came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger.results import OK, RESULTS
from gridlab.chain.ledger.schema import ASSET_NAMES, TRANSFERS
from gridlab.chain.shards.letters import AbsenceLetter, Letter, ParcelLetter, ReceiptLetter, prove_shard
from gridlab.chain.shards.parcels import Key, Parcel, moves_frame
from gridlab.chain.shards.shard import Done

__all__ = ["IN_FLIGHT", "REFUNDS", "Travelling", "Voyages"]

Array = npt.NDArray[Any]

# Written down and not read off a frame: that would start polars' threads on import, for which a forked process waits.
_MOVES: dict[str, Any] = {column.name: column.dtype for column in TRANSFERS.columns if column.required}
_KEY: dict[str, Any] = {"source": pl.String, "destination": pl.String, "sequence": pl.UInt64}
IN_FLIGHT: dict[str, Any] = {**_KEY, "height": pl.UInt64, "timeout": pl.Int64, "state": pl.String, **_MOVES}
REFUNDS: dict[str, Any] = {**_KEY, **_MOVES, "reason": pl.String}


@dataclass(frozen=True, slots=True, eq=False)
class Travelling:
    """A parcel on its way.

    Attributes
    ----------
    height : int
        Block that sent it.
    letter : ParcelLetter
    answer : ReceiptLetter or None
        Since it was executed.
    """

    height: int
    letter: ParcelLetter
    answer: ReceiptLetter | None = None

    @property
    def parcel(self) -> Parcel:
        """The parcel."""
        return self.letter.parcel

    @property
    def credited(self) -> npt.NDArray[np.bool_]:
        """Which of its transfers the destination has credited."""
        return np.zeros(len(self.parcel), np.bool_) if self.answer is None else self.answer.receipt.codes == OK


@dataclass(slots=True)
class Voyages:
    """All parcels on their way, in the order in which they were sent, and all refunds.

    Attributes
    ----------
    names : tuple of str
        The shards.
    """

    names: tuple[str, ...]
    travelling: dict[Key, Travelling] = field(default_factory=dict)
    _refunds: list[pl.DataFrame] = field(default_factory=list)

    def fork(self) -> Voyages:
        """Return an independent copy."""
        return Voyages(self.names, dict(self.travelling), list(self._refunds))

    def note(self, height: int, done: Sequence[Done], letters: Sequence[Letter]) -> None:
        """Take note of a block: what it sent and answered, and which letters closed a parcel."""
        summaries = [each.summary for each in done]
        roots = [each.root for each in summaries]
        for letter in letters:
            if not isinstance(letter, ParcelLetter):
                self._close(self.travelling.pop(letter.key), timed_out=isinstance(letter, AbsenceLetter))
        for shard, each in enumerate(done):
            if each.parcels or each.receipts:
                proof = prove_shard(height, summaries, shard, roots=roots)
                for receipt, inclusion in each.receipts:
                    answer = ReceiptLetter(proof, receipt, inclusion)
                    self.travelling[receipt.key] = replace(self.travelling[receipt.key], answer=answer)
                for parcel, inclusion in each.parcels:
                    self.travelling[parcel.key] = Travelling(height, ParcelLetter(proof, parcel, inclusion))

    def _close(self, closed: Travelling, *, timed_out: bool) -> None:
        back = ~closed.credited
        if not back.any():
            return
        reason = pl.Series("reason", ["timed out"]).new_from_index(0, len(closed.parcel))
        if closed.answer is not None and not timed_out:
            reason = RESULTS.categories.gather(closed.answer.receipt.codes.astype(np.uint32)).rename("reason")
        rows = self._rows(closed.parcel).with_columns(reason).filter(pl.Series(back))
        self._refunds.append(rows.select(list(REFUNDS)))

    def _rows(self, parcel: Parcel) -> pl.DataFrame:
        return moves_frame(parcel.moves).with_columns(
            source=pl.lit(self.names[parcel.source]),
            destination=pl.lit(self.names[parcel.destination]),
            sequence=pl.lit(parcel.sequence, pl.UInt64),
        )

    def in_flight(self) -> pl.DataFrame:
        """Return every transfer that is neither posted nor voided at its source; columns as `IN_FLIGHT`."""
        frames = [pl.DataFrame(schema=IN_FLIGHT)]
        for each in self.travelling.values():
            later = pl.lit("sent") if each.answer is None else pl.lit("refused")
            state = pl.when(pl.Series(each.credited)).then(pl.lit("credited")).otherwise(later)
            about = {"height": pl.lit(each.height, pl.UInt64), "timeout": pl.lit(each.parcel.timeout, pl.Int64)}
            frames.append(self._rows(each.parcel).with_columns(state=state, **about).select(list(IN_FLIGHT)))
        return pl.concat(frames)

    def refunds(self) -> pl.DataFrame:
        """Return every transfer that was voided, and why; columns as `REFUNDS`."""
        return pl.concat([pl.DataFrame(schema=REFUNDS), *self._refunds])

    def uncredited(self) -> npt.NDArray[np.int64]:
        """Return per asset how much was sent and neither credited nor given back, int64 of shape (assets,)."""
        amounts = np.zeros(len(ASSET_NAMES), np.int64)
        for each in self.travelling.values():
            waiting = each.parcel.moves[~each.credited]
            np.add.at(amounts, waiting["asset"], waiting["amount"])
        return amounts
