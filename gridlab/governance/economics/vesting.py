r"""What is locked and vests: nothing before the cliff, then the same amount in every block, as pallet-vesting has it.

.. math:: \text{locked}(n) = \max(L - r \cdot \max(n - s, 0),\ 0)

with the amount :math:`L`, the rate :math:`r` per block and the block :math:`s` at which vesting starts.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/vesting/src/vesting_info.rs`` (``locked_at``,
``ending_block_as_balance``, ``correct``), 2024.
"""

from __future__ import annotations

from dataclasses import dataclass

from gridlab.chain.arguments import require_int

__all__ = ["Vesting"]


@dataclass(frozen=True, slots=True)
class Vesting:
    """One schedule.

    Attributes
    ----------
    locked : int
        What is locked at the start (micro-GRID), 0 or more.
    per_block : int
        What each block after `start` sets free (micro-GRID), at least 1.
    start : int
        The cliff: the last block at which everything is still locked.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A value is not a whole number or outside its bounds.

    Examples
    --------
    >>> schedule = Vesting(locked=100, per_block=30, start=10)
    >>> [schedule.locked_at(block) for block in (0, 10, 11, 13, 14)], schedule.end
    ([100, 100, 70, 10, 0], 14)
    """

    locked: int
    per_block: int
    start: int = 0

    def __post_init__(self) -> None:
        require_int("locked (micro-GRID)", self.locked, 0)
        require_int("per_block (micro-GRID)", self.per_block, 1)
        require_int("start (block)", self.start, 0)

    @classmethod
    def linear(cls, locked: int, cliff: int, blocks: int) -> Vesting:
        """Return the schedule that vests everything within `blocks` blocks after the `cliff`, with a last smaller part.

        Parameters
        ----------
        locked : int
            micro-GRID.
        cliff : int
            Blocks before anything vests.
        blocks : int
            1 or more.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A value is not a whole number or outside its bounds.
        """
        require_int("locked (micro-GRID)", locked, 0)
        require_int("blocks", blocks, 1)
        # Rounded up, so that it ends in time; a rate of 0 would lock for ever, which the pallet corrects to 1.
        return cls(locked, max(-(-locked // blocks), 1), cliff)

    @property
    def end(self) -> int:
        """The first block at which nothing is locked."""
        if self.per_block >= self.locked:
            return self.start + 1
        return self.start + -(-self.locked // self.per_block)

    def locked_at(self, block: int) -> int:
        """Return what is locked at `block` (micro-GRID).

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `block` is not a whole number of 0 or more.
        """
        require_int("block", block, 0)
        return max(self.locked - self.per_block * max(block - self.start, 0), 0)
