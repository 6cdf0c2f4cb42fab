"""The public chain's numbers as levers: slots, validators, space in blocks, prices, the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridlab import units
from gridlab.chain.public.fees import BILLION, ONE, FeeRules
from gridlab.chain.public.network import Timing
from gridlab.chain.public.slots import Draws
from gridlab.levers import Levers, number

__all__ = ["PublicTerms"]

_GOVERNANCE = "GRID holders, by referendum"
_POLKADOT = "polkadot-sdk, polkadot/runtime/common/src/lib.rs (2024)"
_TEACHING = "teaching choice (S)"


class PublicTerms(Levers):
    """How the public chain runs and what it costs to use it.

    Examples
    --------
    >>> PublicTerms(treasury_share=70).fees.treasury_share
    700000000
    """

    slot_time = number(
        6,
        1,
        60,
        1,
        unit="s",
        label="Time between blocks",
        label_th="ระยะเวลาระหว่างบล็อก",
        source="project brief; Polkadot's 6 s",
        governed_by=_GOVERNANCE,
    )
    validators = number(
        100,
        4,
        300,
        1,
        unit="validators",
        label="Elected validators",
        label_th="จำนวนผู้ตรวจสอบธุรกรรมที่ได้รับเลือก",
        source="project brief: at least 100",
        governed_by=_GOVERNANCE,
    )
    idle_slots = number(
        0,
        0,
        14_400,
        1,
        unit="slots",
        label="Slots without a block while nothing waits, 0 for a block in every slot",
        label_th="จำนวนช่วงเวลาที่ไม่มีบล็อกเมื่อไม่มีธุรกรรมรออยู่ (0 คือมีบล็อกทุกช่วง)",
        source="as CometBFT v0.38: create_empty_blocks = false with create_empty_blocks_interval (2023)",
        governed_by="the validators",
    )
    primary_share = number(
        25,
        1,
        90,
        1,
        unit="%",
        label="Share of slots with a primary block",
        label_th="สัดส่วนช่วงเวลาที่มีบล็อกหลัก",
        source="c = 1/4: polkadot-sdk, polkadot/runtime/westend/constants (2024)",
        governed_by=_GOVERNANCE,
    )
    epoch_length = number(
        600,
        10,
        14_400,
        1,
        unit="slots",
        label="Slots of an epoch",
        label_th="จำนวนช่วงเวลาต่อรอบ",
        source="1 hour, as Kusama's epochs (Polkadot: 4 hours)",
        governed_by=_GOVERNANCE,
    )
    gossip_time = number(
        0.5,
        0.1,
        10.0,
        0.1,
        unit="s",
        label="Waiting time of the finality vote",
        label_th="เวลารอของการลงคะแนนยืนยันบล็อก",
        source="0.33 s in polkadot-sdk's templates, 1 s on Polkadot (2024); here the brief's finality within 12 s",
        governed_by=_GOVERNANCE,
    )
    latency = number(
        0.4,
        0.0,
        10.0,
        0.01,
        unit="s",
        label="Mean time of a message between nodes",
        label_th="เวลาเฉลี่ยของข้อความระหว่างโหนด",
        source=_TEACHING,
        governed_by="the network",
    )
    block_weight = number(
        1_500,
        10,
        6_000,
        10,
        unit="ms",
        label="Compute in one block",
        label_th="เวลาประมวลผลสูงสุดต่อบล็อก",
        source=f"75 % of 2 s: {_POLKADOT}",
        governed_by=_GOVERNANCE,
    )
    block_size = number(
        3_840,
        64,
        65_536,
        64,
        unit="KiB",
        label="Transactions in one block",
        label_th="ขนาดธุรกรรมสูงสุดต่อบล็อก",
        source=f"75 % of 5 MiB: {_POLKADOT}",
        governed_by=_GOVERNANCE,
    )
    target_fullness = number(
        25,
        1,
        99,
        1,
        unit="%",
        label="Fullness at which fees stand still",
        label_th="ระดับความเต็มของบล็อกที่ค่าธรรมเนียมคงที่",
        source=_POLKADOT,
        governed_by=_GOVERNANCE,
    )
    adjustment = number(
        0.0075,
        0.0,
        10.0,
        0.0001,
        unit="%",
        label="How fast fees follow demand",
        label_th="ความเร็วในการปรับค่าธรรมเนียมตามความต้องการ",
        source=f"0.000075 per block: {_POLKADOT}",
        governed_by=_GOVERNANCE,
    )
    least_multiplier = number(
        0.1,
        0.001,
        1.0,
        0.001,
        unit="times",
        label="Least fee multiplier",
        label_th="ตัวคูณค่าธรรมเนียมต่ำสุด",
        source=_POLKADOT,
        governed_by=_GOVERNANCE,
    )
    base_fee = number(
        0.001,
        0.000001,
        100.0,
        0.000001,
        unit="GRID",
        label="Fee per transaction",
        label_th="ค่าธรรมเนียมต่อธุรกรรม",
        source=_TEACHING,
        governed_by=_GOVERNANCE,
    )
    byte_fee = number(
        0.00001,
        0.0,
        1.0,
        0.000001,
        unit="GRID/byte",
        label="Fee per byte",
        label_th="ค่าธรรมเนียมต่อไบต์",
        source=_TEACHING,
        governed_by=_GOVERNANCE,
    )
    weight_fee = number(
        0.01,
        0.0,
        100.0,
        0.001,
        unit="GRID/ms",
        label="Fee per millisecond of compute",
        label_th="ค่าธรรมเนียมต่อเวลาประมวลผลหนึ่งมิลลิวินาที",
        source=_TEACHING,
        governed_by=_GOVERNANCE,
    )
    treasury_share = number(
        80, 0, 100, 1, unit="%", label="Share of fees for the treasury", label_th="ส่วนแบ่งค่าธรรมเนียมเข้ากองคลัง",
        source="80 % treasury, 20 % author: polkadot-sdk, polkadot/runtime/common/src/impls.rs (2024)",
        governed_by=_GOVERNANCE,
    )  # fmt: skip

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Return why a vote would not end within two slots, or None."""
        slot, gossip = values["slot_time"], values["gossip_time"]
        if 4 * gossip > 2 * slot:
            return f"a vote takes four waiting times of {gossip} s, which is longer than two slots of {slot} s"
        return None

    @property
    def timing(self) -> Timing:
        """Slot, waiting time and latency in milliseconds."""
        return Timing(
            slot=self.slot_time * 1000, gossip=round(self.gossip_time * 1000), latency=round(self.latency * 1000)
        )

    @property
    def fees(self) -> FeeRules:
        """Prices and limits in the chain's whole units."""
        million = 10**6
        return FeeRules(
            base_fee=int(units.exact(self.base_fee) * million),
            byte_fee=int(units.exact(self.byte_fee) * million),
            # GRID per ms is 1,000 micro-GRID per microsecond.
            weight_fee=int(units.exact(self.weight_fee) * 1000),
            treasury_share=self.treasury_share * BILLION // 100,
            target_fullness=self.target_fullness * BILLION // 100,
            adjustment=int(units.exact(self.adjustment) * BILLION / 100),
            least_multiplier=int(units.exact(self.least_multiplier) * ONE),
            block_weight=self.block_weight * 1000,
            block_bytes=self.block_size * 1024,
        )

    def draws(self, genesis: bytes) -> Draws:
        """Return how authors are drawn, given 32 bytes of randomness."""
        return Draws(genesis, self.epoch_length, self.primary_share * BILLION // 100)
