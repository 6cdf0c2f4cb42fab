"""Bringing rounded parts back to the sum they came from, unit by unit, in Substrate's order.

Source: ``normalize``, paritytech/polkadot-sdk, substrate/primitives/arithmetic/src/lib.rs (2024). Where units are
missing the smallest parts get them, where there are too many the largest give them up; equal parts in their order.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["normalise"]


def normalise(parts: Sequence[int], total: int) -> list[int]:
    """Return `parts` changed as little as the rule allows so that they sum to `total`.

    Parameters
    ----------
    parts : sequence of int
        >= 0, any unit. May be empty, and stays so.
    total : int
        >= 0, of the same unit.

    Returns
    -------
    list of int
        As long as `parts`, in its order.

    Examples
    --------
    >>> normalise([30, 33, 30], 100)
    [34, 33, 33]
    """
    gap = total - sum(parts)
    if not parts or gap == 0:
        return list(parts)
    least = min(parts)
    if 0 < gap < len(parts) and least + gap <= total // len(parts):
        # What rounding left: the smallest part takes it all without reaching the level. No need to sort.
        raised = list(parts)
        raised[raised.index(least)] += gap
        return raised
    order = sorted(range(len(parts)), key=parts.__getitem__)
    if gap > 0:
        return _raised(list(parts), order, gap, total // len(parts))
    return _lowered(list(parts), order, -gap)


def _raised(parts: list[int], order: list[int], gap: int, level: int) -> list[int]:
    """Give `gap` units to the parts in `order`, going on to the next once one has reached `level`."""
    count, place = len(parts), 0
    step, left = divmod(gap, count)
    for amount in [step] * count * (step > 0) + [1] * left:
        parts[order[place]] += amount
        if parts[order[place]] >= level:
            place = (place + 1) % count
    return parts


def _lowered(parts: list[int], order: list[int], gap: int) -> list[int]:
    """Take `gap` units from the parts in reverse `order`, going on once one is down at what the least was."""
    count = place = len(parts)
    place -= 1
    step, left = divmod(gap, count)
    level = parts[order[0]]
    for _ in range(count * (step > 0)):
        taken = min(step, parts[order[place]])
        parts[order[place]] -= taken
        left += step - taken
        place -= parts[order[place]] <= level
        place %= count
    while left:
        taken = min(1, parts[order[place]])
        parts[order[place]] -= taken
        left -= taken
        place -= parts[order[place]] <= level
        place %= count
    return parts
