"""What the check of a proof says: whether it holds, what follows, and what remains to be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from gridlab.compliance.pages import facts_html

__all__ = ["Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a proof holds; true where it does.

    Attributes
    ----------
    valid : bool
    reason : str
        The first thing that fails; empty where the proof holds.
    kind : str
        "trade" or "transaction".
    chain_id : str
    height : int
        Of the block.
    slot : str
        Moment of the block, Bangkok time.
    trade : mapping
        The trade in human units (kWh, THB/kWh, THB, exact decimals); empty for another kind.
    transaction : mapping
        The transaction's fields and what became of it; empty for another kind.
    payload : polars.DataFrame or None
        What the transaction's payload holds, where it is a frame.
    validators : int
        How many there are at this height.
    signers : tuple of str
        Public keys of those who signed.
    handovers : int
        How many changes of the validators were followed from genesis.
    descends : bool
        Whether every header from genesis to the block was there and led from one to the next.
    genesis : str
        Hash of the genesis from which the proof starts.
    genesis_checked : bool
        Whether the reader gave that hash.
    proved, trusted : str
        What follows, and what the reader still has to believe, in plain words.
    """

    valid: bool
    reason: str = ""
    kind: str = ""
    chain_id: str = ""
    height: int = 0
    slot: str = ""
    trade: Mapping[str, Any] = field(default_factory=dict)
    transaction: Mapping[str, Any] = field(default_factory=dict)
    payload: pl.DataFrame | None = field(default=None, compare=False)
    validators: int = 0
    signers: tuple[str, ...] = ()
    handovers: int = 0
    descends: bool = False
    genesis: str = ""
    genesis_checked: bool = False
    proved: str = ""
    trusted: str = ""

    def __bool__(self) -> bool:
        return self.valid

    def __repr__(self) -> str:
        if not self.valid:
            return f"Verdict(false: {self.reason})"
        return (
            f"Verdict(true: {self.kind} in block {self.height} of {self.chain_id!r}, "
            f"{len(self.signers)} of {self.validators} signed)"
        )

    def _repr_html_(self) -> str:
        if not self.valid:
            return facts_html("The proof does not hold", [("reason", self.reason)])
        facts = [*self.trade.items(), *self.transaction.items()]
        return facts_html(
            "The proof holds",
            [("proved", self.proved), ("to be trusted", self.trusted), ("genesis", self.genesis), *facts],
        )
