"""Who orders and certifies the blocks of a lab, as levers: validators, liars, crashes, timeouts, fees, the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridlab import units
from gridlab.chain.keys import sandbox
from gridlab.chain.ordering import Ordering, SingleSequencer
from gridlab.chain.pbft.quorums import max_faulty, quorum
from gridlab.chain.pbft.wan import WideAreaNetwork
from gridlab.chain.pbft_ordering import PbftOrdering
from gridlab.chain.terms import ChainTerms
from gridlab.levers import Levers, choice, number

__all__ = ["Consensus"]

_CONSORTIUM = "consortium of licensed validators"
_TEACHING = "teaching choice (S)"


class Consensus(Levers):
    """The consortium's validators, how many of them lie or are down, and what a transaction costs.

    Examples
    --------
    >>> consensus = Consensus(liars=6, lie="collude")
    >>> consensus.quorum
    14
    """

    parts = ("network",)

    protocol = choice(
        "pbft",
        ["pbft", "single_sequencer"],
        label="Who puts transactions in order",
        label_th="ผู้จัดลำดับธุรกรรม",
        source="PBFT (Castro and Liskov 1999); a single sequencer for comparison",
        governed_by=_CONSORTIUM,
    )
    validators = number(
        21,
        4,
        40,
        1,
        unit="validators",
        label="Validators",
        label_th="จำนวนผู้ตรวจสอบธุรกรรม",
        source="21 licensed validators (project brief); 4 is the least that bear one fault",
        governed_by=_CONSORTIUM,
    )
    liars = number(
        0,
        0,
        13,
        1,
        unit="validators",
        label="Validators that lie",
        label_th="จำนวนผู้ตรวจสอบธุรกรรมที่โกหก",
        source=_TEACHING,
        governed_by="nobody: what the protocol must bear",
    )
    lie = choice(
        "equivocate",
        ["equivocate", "silent", "delay", "forge", "stale_view", "collude"],
        label="How they lie",
        label_th="วิธีการโกหก",
        source=_TEACHING,
        governed_by="nobody: what the protocol must bear",
    )
    crashed = number(
        0,
        0,
        13,
        1,
        unit="validators",
        label="Validators that are down",
        label_th="จำนวนผู้ตรวจสอบธุรกรรมที่ล่ม",
        source=_TEACHING,
        governed_by="nobody: what the protocol must bear",
    )
    timeout = number(
        2.0,
        0.1,
        60.0,
        0.1,
        unit="s",
        label="Wait for a block before the view changes (doubles each time)",
        label_th="ระยะเวลารอบล็อกใหม่ก่อนเปลี่ยนมุมมอง (เพิ่มเป็นสองเท่าทุกครั้ง)",
        source=_TEACHING,
        governed_by=_CONSORTIUM,
    )
    fee_per_transaction = number(
        0.0,
        0.0,
        10.0,
        0.000001,
        unit="THB",
        label="Fee of a trader's transaction",
        label_th="ค่าธรรมเนียมต่อธุรกรรมของผู้ซื้อขาย",
        source=_TEACHING,
        governed_by=_CONSORTIUM,
    )
    fee_per_kibibyte = number(
        0.0,
        0.0,
        10.0,
        0.000001,
        unit="THB",
        label="Fee for each 1,024 bytes of it",
        label_th="ค่าธรรมเนียมต่อ 1,024 ไบต์",
        source=_TEACHING,
        governed_by=_CONSORTIUM,
    )

    def __init__(self, **levers: Any) -> None:
        self.network = WideAreaNetwork()
        super().__init__(**levers)

    def __repr__(self) -> str:
        return f"Consensus({self.protocol}, {self.validators} validators, {self.liars} lie, {self.crashed} down)"

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Refuse more liars and crashes than there are validators."""
        faulty = values["liars"] + values["crashed"]
        if faulty > values["validators"]:
            return f"liars and crashed are {faulty} together, there are {values['validators']} validators"
        return None

    @property
    def max_faulty(self) -> int:
        """How many validators may lie or be down while the protocol keeps its promises."""
        return max_faulty(int(self.validators))

    @property
    def quorum(self) -> int:
        """How many validators must agree."""
        return quorum(int(self.validators))

    def terms(self) -> ChainTerms:
        """Return the chain's terms under these levers."""
        return ChainTerms(
            fee_per_transaction=units.money(self.fee_per_transaction),
            fee_per_kibibyte=units.money(self.fee_per_kibibyte),
        )

    def ordering(self, seed: int) -> Ordering:
        """Return who orders a chain under these levers; all keys and delays derive from `seed`."""
        if self.protocol == "single_sequencer":
            return SingleSequencer(sandbox(seed, "sequencer"))
        ordering = PbftOrdering.of(
            int(self.validators), seed=seed, network=self.network, timeout_ms=self.timeout * 1000
        )
        # The first ones lie, so that a liar is the primary; the last ones are down.
        for validator in range(int(self.liars)):
            ordering.corrupt(validator, self.lie)
        for validator in range(int(self.validators - self.crashed), int(self.validators)):
            ordering.crash(validator)
        return ordering
