"""What one account has bonded: what is active, and what is on its way out.

Stake that is unbonded stays within reach of slashing for the bonding duration, so that nobody can misbehave and leave.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/staking/src/ledger.rs`` (``StakingLedger``), 2024.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from gridlab.chain.perbill import QUINTILLION, ceiling_of

__all__ = ["Chunk", "Stake"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a stake that is being unbonded.

    Attributes
    ----------
    amount : int
        micro-GRID.
    era : int
        From this era on it may be withdrawn.
    """

    amount: int
    era: int


@dataclass(frozen=True, slots=True)
class Stake:
    """One account's bonded GRID; every change gives a new one.

    Attributes
    ----------
    active : int
        What counts in elections (micro-GRID).
    unlocking : tuple of Chunk
        What is being unbonded, the earliest first.
    """

    active: int
    unlocking: tuple[Chunk, ...] = ()

    @property
    def total(self) -> int:
        """All that is bonded and may be slashed (micro-GRID)."""
        return self.active + sum(chunk.amount for chunk in self.unlocking)

    def unbonded(self, amount: int, era: int) -> Stake:
        """Return the stake with `amount` (at most `active`) on its way out until `era`."""
        last = self.unlocking[-1] if self.unlocking else None
        if last is not None and last.era == era:
            chunks = (*self.unlocking[:-1], Chunk(last.amount + amount, era))
        else:
            chunks = (*self.unlocking, Chunk(amount, era))
        return Stake(self.active - amount, chunks)

    def rebonded(self, amount: int) -> Stake:
        """Return the stake with `amount` (at most what is unlocking) active again, the latest unbonded first."""
        chunks, left = list(self.unlocking), amount
        while left:
            last = chunks.pop()
            back = min(last.amount, left)
            left -= back
            if back < last.amount:
                chunks.append(Chunk(last.amount - back, last.era))
        return Stake(self.active + amount, tuple(chunks))

    def withdrawn(self, era: int) -> tuple[Stake, int]:
        """Return the stake without the chunks whose time has come at `era`, and their sum (micro-GRID)."""
        kept = tuple(chunk for chunk in self.unlocking if chunk.era > era)
        out = sum(chunk.amount for chunk in self.unlocking if chunk.era <= era)
        return replace(self, unlocking=kept), out

    def slashed(self, amount: int, era: int, bonding: int, minimum: int = 0) -> tuple[Stake, int]:
        """Return the stake after a slash, and what was taken.

        Chunks that were unbonded in or after the era of the offence were at stake in it: they and the active stake lose
        the same share. Older chunks are touched only where that is not enough, the latest first.

        Parameters
        ----------
        amount : int
            What to take; all there is, where there is less (micro-GRID).
        era : int
            Era of the offence.
        bonding : int
            Bonding duration in eras.
        minimum : int
            A remainder smaller than this is taken too (micro-GRID).
        """
        if amount <= 0:
            return self, 0
        first = next((place for place, chunk in enumerate(self.unlocking) if chunk.era >= era + bonding), None)
        older = range(len(self.unlocking) if first is None else first)
        affected = range(len(older), len(self.unlocking))
        share = self._share(amount, affected) if affected else None
        cut = _Cut(amount, share, minimum)
        active = cut.out_of(self.active)
        left = [chunk.amount for chunk in self.unlocking]
        for place in (*affected, *reversed(older)):
            left[place] = cut.out_of(left[place])
        chunks = tuple(Chunk(rest, chunk.era) for rest, chunk in zip(left, self.unlocking, strict=True) if rest)
        return Stake(active, chunks), self.total - active - sum(left)

    def _share(self, amount: int, affected: range) -> Fraction:
        """Return the share that the affected parts lose, rounded up to parts of 10^18, at most the whole."""
        reachable = self.active + sum(self.unlocking[place].amount for place in affected)
        if amount >= reachable:
            return Fraction(1)
        return Fraction(-(-amount * QUINTILLION // reachable), QUINTILLION)


class _Cut:
    """What is still to be taken, and how much of each part."""

    __slots__ = ("_minimum", "_remaining", "_share")

    def __init__(self, amount: int, share: Fraction | None, minimum: int) -> None:
        self._remaining, self._share, self._minimum = amount, share, minimum

    def out_of(self, part: int) -> int:
        """Return what is left of `part`."""
        if not self._remaining:
            return part
        wanted = self._remaining if self._share is None else ceiling_of(self._share, part)
        left = part - min(wanted, part, self._remaining)
        if left < self._minimum:
            left = 0
        self._remaining = max(0, self._remaining - (part - left))
        return left
