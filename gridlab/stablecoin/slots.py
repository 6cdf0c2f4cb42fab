"""One slot of a run after the other: what is attested, who queues, what is paid, what the market says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.perbill import BILLION, from_rational
from gridlab.chain.watt import WattRules, share_of
from gridlab.stablecoin.holders import Holders, Signals
from gridlab.stablecoin.terms import SLOTS_PER_HOUR, WattTerms
from gridlab.stablecoin.vault import Vault
from gridlab.units import share

__all__ = ["Course", "Step", "Steps"]

Int64Array = npt.NDArray[np.int64]
_PAR = 1_000_000
_LONGEST_WAIT_H = 168.0
_NOBODY = bytes(32)


class Step(NamedTuple):
    """What happened in a slot, as instructions to a chain.

    Attributes
    ----------
    attested : tuple of int or None
        Reserve found and THB booked then; None where nothing was attested.
    pauses, resumes : bool
    asked : array of int64
        Holders who queued, in order.
    burned : int
        WATT paid out from the front of the queue, micro-THB; 0 for no payout.
    """

    attested: tuple[int, int] | None
    pauses: bool
    resumes: bool
    asked: Int64Array
    burned: int


Steps = tuple[Step, ...]


@dataclass(slots=True)
class Course:
    """The state of a run between two slots. `advance` is the only thing that changes it.

    Attributes
    ----------
    watt : WattTerms
    holders : Holders
    rules : WattRules
        The chain's, which say the same as the levers.
    vault : Vault
        The reserve as it is.
    circulation, booked : int
        WATT and THB on the ledger.
    difference : int
        Between the newest attestation and what was booked then.
    initial_reserve : int
    redeemed, received, places : array of int64
        Per holder: WATT burned, baht received after fees, place in the queue (-1 who never asked).
    """

    watt: WattTerms
    holders: Holders
    rules: WattRules
    vault: Vault
    circulation: int
    booked: int
    initial_reserve: int
    redeemed: Int64Array
    received: Int64Array
    places: Int64Array
    difference: int = 0
    price: int = _PAR
    fees: int = 0
    queue: Int64Array = field(default_factory=lambda: np.zeros(0, np.int64))
    attested_at: int = 0
    paused_until: int | None = None
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    _steps: list[Step] = field(default_factory=list)

    @classmethod
    def begun(cls, watt: WattTerms, holders: Holders, circulation: int) -> Course:
        """Return the state before the first slot."""
        reserve = circulation + share(watt.buffer) * circulation // 1_000_000
        cash = share(watt.cash_share) * reserve // 1_000_000
        nothing = np.zeros(len(holders), np.int64)
        rules = watt.rules(_NOBODY, circulation)
        vault = Vault(cash, reserve - cash)
        return cls(
            watt, holders, rules, vault, circulation, reserve, reserve, nothing.copy(), nothing.copy(), nothing - 1
        )

    @property
    def attested(self) -> int:
        """The reserve as the chain carries it on, micro-THB."""
        return max(0, self.booked + self.difference)

    @property
    def waiting(self) -> int:
        """WATT in the queue, micro-THB."""
        return int((self.holders.balance[self.queue] - self.redeemed[self.queue]).sum())

    @property
    def paused(self) -> bool:
        """Whether redemption is paused."""
        return self.paused_until is not None and self.paused_until >= 0

    def advance(self, slot: int) -> None:
        """Let one slot pass."""
        self.vault.settle(slot)
        if slot == round(self.holders.terms.shock_hour * SLOTS_PER_HOUR):
            self.vault.lose(share(self.holders.terms.shock_loss) * self.vault.total // 1_000_000)
        attested = self._attest(slot)
        resumes, pauses = self._resume(slot), self._pause(slot)
        asked = self._ask(slot)
        burned, paid = self._pay(slot)
        self.price = self._market()
        self._steps.append(Step(attested, pauses, resumes, asked, burned))
        self._note(slot, (len(asked), burned, paid, attested is not None, pauses, resumes))

    def _attest(self, slot: int) -> tuple[int, int] | None:
        if slot % round(self.watt.attestation_hours * SLOTS_PER_HOUR):
            return None
        found = (self.vault.total, self.booked)
        self.difference, self.attested_at = found[0] - found[1], slot
        return found

    def _resume(self, slot: int) -> bool:
        if not self.paused or slot < (self.paused_until or 0):
            return False
        self.paused_until = -1  # once in a run: what a pause is for has happened then
        return True

    def _pause(self, slot: int) -> bool:
        below = self.attested * 1_000_000 < share(self.watt.pause_below) * self.circulation
        if self.paused_until is not None or not below:
            return False
        self.paused_until = slot + round(self.watt.pause_hours * SLOTS_PER_HOUR)
        return True

    def _ask(self, slot: int) -> Int64Array:
        whole = max(self.circulation, 1)
        stale = slot - self.attested_at > self.watt.longest_age * SLOTS_PER_HOUR
        coverage = self.attested / whole if self.circulation else 1.0
        seen = Signals(slot, self.waiting / whole, self.price / _PAR, coverage, stale)
        asked = self.holders.asking(seen, self.places >= 0)
        first = int(self.places.max()) + 1
        self.places[asked] = np.arange(first, first + len(asked))
        self.queue = np.concatenate([self.queue, asked])
        return asked

    def _rate(self) -> int:
        """Return what one WATT is redeemed for, parts per billion, as the chain does; 0 where nothing is paid."""
        if self.paused:
            return 0
        if self.circulation <= self.attested or self.rules.gap_rule == "par":
            return BILLION
        return 0 if self.rules.gap_rule == "stop" else from_rational(self.attested, self.circulation)

    def _pay(self, slot: int) -> tuple[int, int]:
        """Pay the front of the queue; return WATT burned and baht paid to holders."""
        rate, wanted = self._rate(), self.waiting
        if self.rules.gate:
            wanted = min(wanted, self.rules.gate)
        if not rate or not wanted:
            return 0, 0
        # More than the attested reserve is never paid, at whatever rate.
        wanted = min(wanted, self.attested * BILLION // rate)
        self._raise_cash(wanted * rate // BILLION, slot)
        amount = min(wanted, self.vault.cash * BILLION // rate)
        return (amount, self._burn(amount, rate)) if amount else (0, 0)

    def _raise_cash(self, wanted: int, slot: int) -> None:
        if self.watt.bond_sale == "fire":
            self.vault.raise_at_once(wanted, share(self.watt.fire_discount) * 1_000)
        else:
            self.vault.sell_in_order(wanted, slot + round(self.watt.bond_days * 24 * SLOTS_PER_HOUR))

    def _burn(self, amount: int, rate: int) -> int:
        left = self.holders.balance[self.queue] - self.redeemed[self.queue]
        before = np.cumsum(left) - left
        touched = int(np.searchsorted(before, amount))
        who, burned = self.queue[:touched], np.minimum(left[:touched], amount - before[:touched])
        gross = share_of(burned, rate)
        fees = share_of(gross, self.rules.fee_ppb)
        self.redeemed[who] += burned
        self.received[who] += gross - fees
        total, fee = int(gross.sum()), int(fees.sum())
        self.circulation, self.booked = self.circulation - amount, self.booked - total
        self.vault.cash, self.fees = self.vault.cash - total, self.fees + fee
        done = touched - int(burned[-1] < left[touched - 1])
        self.queue = self.queue[done:]
        return total - fee

    def _market(self) -> int:
        """Return the price in the secondary market, micro-THB per WATT.

        A buyer pays what he expects to get (the attested coverage, at most par), less what waiting costs him: as many
        hours as the queue takes at the gate, or as bonds need to be paid where cash is short; at most a week.
        """
        if not self.circulation:
            return _PAR
        value, waiting = min(1.0, self.attested / self.circulation), self.waiting
        hours: float = waiting / self.rules.gate / SLOTS_PER_HOUR if self.rules.gate else 0.0
        if waiting > self.vault.cash:
            hours = max(hours, self.watt.bond_days * 24)
        if self.paused:
            hours = max(hours, self.watt.pause_hours)
        discount = self.holders.terms.patience / 100 * min(hours, _LONGEST_WAIT_H)
        price: int = round(_PAR * max(0.0, value - discount))
        return price

    def _note(self, slot: int, happened: tuple[Any, ...]) -> None:
        asked, burned, paid, attests, pauses, resumes = happened
        whole = self.circulation
        shares = [reserve / whole if whole else 1.0 for reserve in (self.vault.total, self.attested)]
        bonds = self.vault.total - self.vault.cash
        flows = (slot, slot / SLOTS_PER_HOUR, asked, self.waiting, burned, paid, self.fees)
        levels = (self.vault.cash, bonds, self.vault.total, self.attested, whole, self.price, *shares)
        self._rows.append((*flows, *levels, attests, pauses, resumes, self.paused, self.vault.lost))

    def frame(self) -> pl.DataFrame:
        """Return one row per slot."""
        flows = ("slot", "hour", "asked", "queued", "burned", "paid", "fees")
        levels = ("cash", "bonds", "reserve", "attested", "circulation", "price", "coverage", "attested_coverage")
        names = (*flows, *levels, "attests", "pauses", "resumes", "paused", "lost")
        frame = pl.DataFrame(self._rows, schema=names, orient="row", infer_schema_length=None)
        # Collected so far; a row says what its slot added.
        return frame.with_columns(fees=pl.col("fees").diff().fill_null(pl.col("fees")))

    def steps(self) -> Steps:
        """Return what happened as instructions to a chain."""
        return tuple(self._steps)

    def queued_by_holder(self) -> Int64Array:
        """Return what each holder still has in the queue, micro-THB."""
        queued = np.zeros(len(self.holders), np.int64)
        queued[self.queue] = self.holders.balance[self.queue] - self.redeemed[self.queue]
        return queued

    def worth(self, left: Int64Array) -> Int64Array:
        """Return what WATT that are left are worth at the end: the same share of the reserve for all, at most par."""
        rate = from_rational(self.vault.total, self.circulation) if self.circulation else BILLION
        return share_of(left, rate)
