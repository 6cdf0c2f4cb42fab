"""The numbers of staking as levers, in the units people speak of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridlab.chain.perbill import BILLION
from gridlab.chain.staking.curve import Inflation
from gridlab.chain.staking.rules import StakingRules
from gridlab.levers import Levers, number
from gridlab.units import exact

__all__ = ["StakingTerms"]

_HOLDERS = "GRID holders by vote"


class StakingTerms(Levers):
    """How many validate, for how long, what it earns, and what an offence costs.

    Examples
    --------
    >>> StakingTerms(commission_floor=5).rules().commission_floor
    50000000
    """

    validators = number(
        100,
        100,
        1000,
        1,
        unit="",
        label="Validators elected",
        label_th="จำนวนผู้ตรวจสอบที่ได้รับเลือก",
        source="at least 100 (project brief); Polkadot 297 (2021)",
        governed_by=_HOLDERS,
    )
    session_length = number(
        2400,
        10,
        14400,
        1,
        unit="slots",
        label="Length of a session",
        label_th="ความยาวของรอบงาน",
        source="Polkadot 4 h of 6 s slots (2020)",
        governed_by=_HOLDERS,
    )
    sessions_per_era = number(
        6,
        1,
        48,
        1,
        unit="sessions",
        label="Length of an era",
        label_th="ความยาวของยุค",
        source="Polkadot 6 sessions, 24 h (2020)",
        governed_by=_HOLDERS,
    )
    bonding_duration = number(
        28,
        1,
        112,
        1,
        unit="eras",
        label="Wait between unbonding and withdrawing",
        label_th="ระยะเวลารอถอนเหรียญที่วางค้ำประกัน",
        source="Polkadot 28 eras (2020)",
        governed_by=_HOLDERS,
    )
    slash_defer_duration = number(
        27,
        0,
        111,
        1,
        unit="eras",
        label="Wait before a slash is applied, in which it may be cancelled",
        label_th="ระยะเวลาก่อนบังคับใช้บทลงโทษ ซึ่งยังยกเลิกได้",
        source="Polkadot 27 eras (2020); 0 applies at once",
        governed_by=_HOLDERS,
    )
    ideal_stake = number(
        75.0,
        10.0,
        95.0,
        0.1,
        unit="%",
        label="Share of all GRID that should be staked",
        label_th="สัดส่วนเหรียญ GRID ที่ควรวางค้ำประกัน",
        source="Polkadot 75 % (Web3 Foundation 2020)",
        governed_by=_HOLDERS,
    )
    minimum_inflation = number(
        2.5,
        0.0,
        20.0,
        0.1,
        unit="%/year",
        label="Inflation when nothing is staked",
        label_th="อัตราเงินเฟ้อเมื่อไม่มีการวางค้ำประกัน",
        source="Polkadot 2.5 % (Web3 Foundation 2020)",
        governed_by=_HOLDERS,
    )
    maximum_inflation = number(
        10.0,
        0.0,
        50.0,
        0.1,
        unit="%/year",
        label="Inflation at the ideal stake",
        label_th="อัตราเงินเฟ้อเมื่อวางค้ำประกันตามสัดส่วนที่เหมาะสม",
        source="Polkadot 10 % (Web3 Foundation 2020)",
        governed_by=_HOLDERS,
    )
    falloff = number(
        5.0,
        1.0,
        100.0,
        0.1,
        unit="%",
        label="Stake above the ideal that halves the reward curve",
        label_th="ส่วนเกินของสัดส่วนที่ทำให้เส้นผลตอบแทนลดลงครึ่งหนึ่ง",
        source="Polkadot 5 % (Web3 Foundation 2020)",
        governed_by=_HOLDERS,
    )
    commission_floor = number(
        0.0,
        0.0,
        100.0,
        0.1,
        unit="%",
        label="Least commission of a validator",
        label_th="ค่าธรรมเนียมขั้นต่ำของผู้ตรวจสอบ",
        source="pallet-staking, MinCommission, 0 unless governance raises it (Substrate 2022)",
        governed_by=_HOLDERS,
    )
    reporter_share = number(
        10.0,
        0.0,
        100.0,
        0.1,
        unit="%",
        label="Most of a slash that reporters get, half of it for the first report",
        label_th="ส่วนแบ่งสูงสุดของผู้แจ้งเบาะแสจากค่าปรับ",
        source="Polkadot slash_reward_fraction 10 % (2020)",
        governed_by=_HOLDERS,
    )
    treasury_share = number(
        15.0,
        0.0,
        100.0,
        0.1,
        unit="%",
        label="Share of new GRID that goes to the treasury",
        label_th="สัดส่วนเหรียญใหม่ที่เข้าคลังกลาง",
        source="Polkadot 15 % (referendum 1139, 2024)",
        governed_by=_HOLDERS,
    )
    rewarded_nominators = number(
        512,
        1,
        10000,
        1,
        unit="",
        label="Nominators of a validator that are rewarded, the largest first",
        label_th="จำนวนผู้เสนอชื่อต่อผู้ตรวจสอบที่ได้รับผลตอบแทน",
        source="Polkadot 512 (2022)",
        governed_by=_HOLDERS,
    )

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Refuse a slash that comes after the stake has left, and a minimum above the maximum."""
        if values["slash_defer_duration"] >= values["bonding_duration"]:
            return (
                f"slash_defer_duration {values['slash_defer_duration']} must be below bonding_duration "
                f"{values['bonding_duration']}, or stake leaves before a slash reaches it"
            )
        if values["minimum_inflation"] > values["maximum_inflation"]:
            return (
                f"minimum_inflation {values['minimum_inflation']} is above maximum_inflation "
                f"{values['maximum_inflation']}"
            )
        return None

    def rules(self) -> StakingRules:
        """Return the rules under these levers, in the units of the chain."""
        return StakingRules(
            validators=self.validators,
            session_length=self.session_length,
            sessions_per_era=self.sessions_per_era,
            bonding_duration=self.bonding_duration,
            slash_defer_duration=self.slash_defer_duration,
            history_depth=max(StakingRules().history_depth, self.bonding_duration),
            inflation=Inflation(
                minimum=_parts(self.minimum_inflation),
                maximum=_parts(self.maximum_inflation),
                ideal=_parts(self.ideal_stake),
                falloff=_parts(self.falloff),
            ),
            commission_floor=_parts(self.commission_floor),
            reporter_share=_parts(self.reporter_share),
            treasury_share=_parts(self.treasury_share),
            rewarded_nominators=self.rewarded_nominators,
        )


def _parts(percent: float) -> int:
    return int(exact(percent) * BILLION / 100)
