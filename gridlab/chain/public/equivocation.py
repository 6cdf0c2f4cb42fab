"""A lie that was seen: two things of one kind from one validator, of which the rules allow one."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Equivocation"]


@dataclass(frozen=True, slots=True)
class Equivocation:
    """A validator that the observer has caught doing two things of which the rules allow one.

    Attributes
    ----------
    seat : int
    what : str
        "block", "prevote" or "precommit".
    number : int
        The slot of the blocks, the round of the votes.
    first, second : int
        Numbers of the two blocks in the tree.
    key : bytes
        The validator's public key.
    """

    seat: int
    what: str
    number: int
    first: int
    second: int
    key: bytes
