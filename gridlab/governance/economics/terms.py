"""The economy of GRID as levers: what neither staking's nor the public chain's own levers say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridlab.doors import through
from gridlab.levers import Levers, number

__all__ = ["GridEconomics"]

_HOLDERS = "GRID holders by vote"
_NOBODY = "nobody: how people behave"
_SYNTHETIC = "teaching choice (S): synthetic, not a published figure"


class GridEconomics(Levers):
    """How much GRID there is, who holds it, and how holders, users and validators behave.

    Inflation, the treasury's share of it and the eras are levers of `StakingTerms`; the price of a transaction and the
    treasury's share of that are levers of `PublicTerms`.

    Examples
    --------
    >>> GridEconomics(burn=0.2).burn
    0.2
    """

    supply = number(
        1_000_000_000, 1_000_000, 10_000_000_000, 1_000_000, unit="GRID", label="GRID at the start",
        label_th="จำนวนเหรียญ GRID เมื่อเริ่มต้น", source=_SYNTHETIC, governed_by="genesis",
    )  # fmt: skip
    staked = number(
        50.0, 0.0, 100.0, 0.1, unit="%", label="Share of all GRID staked at the start",
        label_th="สัดส่วนเหรียญที่วางค้ำประกันเมื่อเริ่มต้น", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    vesting = number(
        20.0, 0.0, 100.0, 0.1, unit="%", label="Share of all GRID that is locked at the start and vests",
        label_th="สัดส่วนเหรียญที่ทยอยปลดล็อก", source=_SYNTHETIC, governed_by="genesis",
    )  # fmt: skip
    vesting_cliff = number(
        365, 0, 3650, 1, unit="days", label="Time before anything vests",
        label_th="ระยะเวลาก่อนเริ่มปลดล็อก", source="usual in token sales (S); rule: pallet-vesting (2024)",
        governed_by="genesis",
    )  # fmt: skip
    vesting_duration = number(
        1095, 1, 3650, 1, unit="days", label="Time over which it vests after the cliff",
        label_th="ระยะเวลาที่ทยอยปลดล็อก", source="usual in token sales (S); rule: pallet-vesting (2024)",
        governed_by="genesis",
    )  # fmt: skip
    spend_period = number(
        24, 1, 365, 1, unit="days", label="Time between payments of the treasury",
        label_th="รอบการจ่ายเงินของคลังกลาง", source="Polkadot 24 days (2020)", governed_by=_HOLDERS,
    )  # fmt: skip
    burn = number(
        1.0, 0.0, 100.0, 0.01, unit="%", label="Share of the unspent treasury burnt each spend period",
        label_th="สัดส่วนเงินคลังที่ไม่ได้ใช้ซึ่งถูกทำลายในแต่ละรอบ", source="Polkadot 1 % (2020)", governed_by=_HOLDERS,
    )  # fmt: skip
    spending = number(
        20.0, 0.0, 200.0, 0.1, unit="%", label="Share of the treasury asked for in a spend period, median",
        label_th="สัดส่วนเงินคลังที่ถูกขอใช้ในแต่ละรอบ (ค่ามัธยฐาน)", source=_SYNTHETIC, governed_by=_HOLDERS,
    )  # fmt: skip
    spending_spread = number(
        50.0, 0.0, 200.0, 1.0, unit="%", label="How much requests vary (standard deviation of their logarithm)",
        label_th="ความผันผวนของการขอใช้เงินคลัง", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    participation = number(
        45.0, 0.0, 100.0, 0.1, unit="%", label="Share of free GRID staked at the yield that holders require",
        label_th="สัดส่วนการวางค้ำประกันเมื่อได้ผลตอบแทนตามที่ต้องการ", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    response = number(
        3.0, 0.0, 50.0, 0.1, unit="points per point", label="Participation gained per point of yield above that",
        label_th="การวางค้ำประกันที่เพิ่มขึ้นต่อผลตอบแทนหนึ่งจุด", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    pace = number(
        1.0, 0.0, 100.0, 0.1, unit="%/day", label="How fast holders move towards it",
        label_th="ความเร็วในการปรับตัวของผู้ถือเหรียญ", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    required_yield = number(
        8.0, 0.0, 50.0, 0.1, unit="%/year", label="Yield that holders require, mean",
        label_th="ผลตอบแทนที่ผู้ถือเหรียญต้องการ (ค่าเฉลี่ย)", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    required_yield_spread = number(
        2.0, 0.0, 20.0, 0.1, unit="%/year", label="How much the required yield varies (standard deviation)",
        label_th="ความผันผวนของผลตอบแทนที่ต้องการ", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    memory = number(
        180, 1, 3650, 1, unit="days", label="How long a change of the required yield lasts",
        label_th="ระยะเวลาที่การเปลี่ยนแปลงผลตอบแทนที่ต้องการคงอยู่", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    compounding = number(
        50.0, 0.0, 100.0, 0.1, unit="%", label="Share of staking rewards staked again at once",
        label_th="สัดส่วนผลตอบแทนที่นำไปวางค้ำประกันต่อ", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    transactions = number(
        100_000, 0, 100_000_000, 100, unit="per day", label="Transactions wanted at the least fee, at the start",
        label_th="จำนวนธุรกรรมต่อวันเมื่อเริ่มต้น", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    growth = number(
        20.0, -50.0, 200.0, 0.1, unit="%/year", label="Growth of transactions, median",
        label_th="อัตราการเติบโตของจำนวนธุรกรรม", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    volatility = number(
        40.0, 0.0, 200.0, 1.0, unit="%/√year", label="How much transactions wander off their growth",
        label_th="ความผันผวนของจำนวนธุรกรรม", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    weight = number(
        150, 1, 1_000_000, 1, unit="µs", label="Weight of a usual transaction",
        label_th="น้ำหนักของธุรกรรมทั่วไป", source="a transfer of gridlab.chain.public: 100 µs and 50 µs per row",
        governed_by=_NOBODY,
    )  # fmt: skip
    size = number(
        452, 1, 1_000_000, 1, unit="bytes", label="Length of a usual transaction",
        label_th="ขนาดของธุรกรรมทั่วไป", source="a transfer of gridlab.chain.public with one row", governed_by=_NOBODY,
    )  # fmt: skip
    offences = number(
        1.0, 0.0, 100.0, 0.1, unit="%/year", label="Chance that a validator equivocates in a year, by accident",
        label_th="โอกาสที่ผู้ตรวจสอบลงนามซ้ำโดยไม่ตั้งใจในหนึ่งปี", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    incidents = number(
        5.0, 0.0, 1000.0, 0.1, unit="%/year", label="Common incidents in which many equivocate at once",
        label_th="เหตุการณ์ที่ผู้ตรวจสอบจำนวนมากลงนามซ้ำพร้อมกัน", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    incident_share = number(
        5.0, 0.0, 100.0, 0.1, unit="%", label="Share of validators that such an incident hits",
        label_th="สัดส่วนผู้ตรวจสอบที่ได้รับผลกระทบจากเหตุการณ์", source=_SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip

    def controls(self, **options: Any) -> Any:
        """Return live controls: levers, and bands that follow (ipywidgets).

        Parameters
        ----------
        **options
            ``staking`` (StakingTerms), ``years``, ``paths``, ``seed``, as `simulate` takes them.
        """
        return through("economics_controls", self, **options)

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Refuse more GRID staked and locked than there is."""
        if values["staked"] + values["vesting"] > 100:
            return (
                f"staked {values['staked']} % and vesting {values['vesting']} % are more than all GRID; what has not "
                "vested is not staked, so lower one of them"
            )
        return None
