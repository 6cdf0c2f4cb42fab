"""The rules of an oracle network as levers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridlab import units
from gridlab.levers import Levers, choice, number
from gridlab.oracle.roster import KINDS
from gridlab.oracle.run import ON_STALE
from gridlab.oracle.scores import ScoreRules

__all__ = ["OracleTerms"]

_NETWORK = "oracle network, by governance"
_NOBODY = "nobody: what the network must bear"
_TEACHING = "teaching choice (S)"
_OCR = "Chainlink off-chain reporting (Breidenbach et al. 2021) has the rule; the figure is a teaching choice (S)"


class OracleTerms(Levers):
    """Who observes, when that becomes a report, what is believed, and what providers earn and lose."""

    providers = number(
        15,
        4,
        100,
        1,
        unit="providers",
        label="Oracle providers",
        label_th="จำนวนผู้ให้ข้อมูลออราเคิล",
        source="15 providers (project brief); 4 is the least that bear one liar",
        governed_by=_NETWORK,
    )
    liars = number(
        0,
        0,
        50,
        1,
        unit="providers",
        label="Providers that do not report honestly",
        label_th="จำนวนผู้ให้ข้อมูลที่ไม่ซื่อสัตย์",
        source=_TEACHING,
        governed_by=_NOBODY,
    )
    lie = choice(
        "lying",
        [kind for kind in KINDS if kind != "honest"],
        label="What they do",
        label_th="พฤติกรรมของผู้ให้ข้อมูลที่ไม่ซื่อสัตย์",
        source=_TEACHING,
        governed_by=_NOBODY,
    )
    bias = number(
        20.0,
        -1_000.0,
        1_000.0,
        0.1,
        unit="%",
        label="How far a lie is from the truth",
        label_th="ขนาดของการบิดเบือนข้อมูล",
        source=_TEACHING,
        governed_by=_NOBODY,
    )
    noise = number(
        0.1,
        0.0,
        10.0,
        0.01,
        unit="%",
        label="Honest error (standard deviation)",
        label_th="ความคลาดเคลื่อนโดยสุจริต (ส่วนเบี่ยงเบนมาตรฐาน)",
        source=_TEACHING,
        governed_by=_NOBODY,
    )
    stale_rounds = number(
        8,
        1,
        96,
        1,
        unit="rounds",
        label="How far a stale provider is behind",
        label_th="จำนวนรอบที่ผู้ให้ข้อมูลค้างล้าหลัง",
        source=_TEACHING,
        governed_by=_NOBODY,
    )
    latency = number(
        120.0,
        1.0,
        5_000.0,
        1.0,
        unit="ms",
        label="Time until an observation arrives (median)",
        label_th="เวลาที่ข้อมูลใช้เดินทาง (มัธยฐาน)",
        source=_TEACHING,
        governed_by=_NOBODY,
    )
    window = number(
        800.0,
        1.0,
        60_000.0,
        1.0,
        unit="ms",
        label="How long a round waits for observations",
        label_th="เวลาที่แต่ละรอบรอข้อมูล",
        source="below one second (project brief: sub-second updates)",
        governed_by=_NETWORK,
    )
    deviation = number(
        0.5,
        0.0,
        100.0,
        0.01,
        unit="%",
        label="Change that makes a new report",
        label_th="การเปลี่ยนแปลงที่ทำให้ต้องรายงานใหม่",
        source=_OCR,
        governed_by=_NETWORK,
    )
    heartbeat = number(
        900.0,
        0.1,
        86_400.0,
        0.1,
        unit="s",
        label="Age at which a report is repeated",
        label_th="อายุของรายงานที่ต้องรายงานซ้ำ",
        source=f"one delivery slot; {_OCR}",
        governed_by=_NETWORK,
    )
    jump_limit = number(
        30.0,
        0.1,
        1_000.0,
        0.1,
        unit="%",
        label="Jump that is not believed at once, as a share of the range between the bounds (of the value, without)",
        label_th="การกระโดดที่ยังไม่เชื่อทันที เทียบกับช่วงค่าที่ยอมรับ (หรือเทียบกับค่าเดิมถ้าไม่กำหนดช่วง)",
        source=_TEACHING,
        governed_by=_NETWORK,
    )
    jump_rounds = number(
        3,
        1,
        96,
        1,
        unit="rounds",
        label="Rounds in a row that confirm a jump (1: every jump is believed)",
        label_th="จำนวนรอบต่อเนื่องที่ยืนยันการกระโดด (1 คือเชื่อทันที)",
        source=_TEACHING,
        governed_by=_NETWORK,
    )
    staleness = number(
        1_800.0,
        0.1,
        604_800.0,
        0.1,
        unit="s",
        label="Age from which on a value is stale",
        label_th="อายุที่ถือว่าข้อมูลค้าง",
        source=f"two delivery slots; {_TEACHING}",
        governed_by=_NETWORK,
    )
    on_stale = choice(
        "raise",
        list(ON_STALE),
        label="What reading a stale value does",
        label_th="เมื่ออ่านข้อมูลค้าง",
        source=_TEACHING,
        governed_by=_NETWORK,
    )
    stake = number(
        100_000.0,
        0.0,
        100_000_000.0,
        1.0,
        unit="THB",
        label="Stake of a provider",
        label_th="เงินวางประกันของผู้ให้ข้อมูล",
        source=_TEACHING,
        governed_by=_NETWORK,
    )
    slash = number(
        50.0,
        0.0,
        100.0,
        0.1,
        unit="%",
        label="Share of the stake that two values in a round cost",
        label_th="สัดส่วนเงินประกันที่ถูกริบเมื่อลงนามสองค่าในรอบเดียว",
        source=_TEACHING,
        governed_by=_NETWORK,
    )
    data_fee = number(
        0.5,
        0.0,
        1_000.0,
        0.000001,
        unit="THB",
        label="Data fee of a report, shared among the providers of accepted observations",
        label_th="ค่าข้อมูลต่อรายงาน แบ่งให้ผู้ให้ข้อมูลที่ได้รับการยอมรับ",
        source=_TEACHING,
        governed_by=_NETWORK,
    )
    outlier_distance = number(
        6.0,
        1.0,
        100.0,
        0.1,
        unit="MADs",
        label="Distance from which on an observation is an outlier",
        label_th="ระยะห่างที่ถือว่าเป็นค่าผิดปกติ",
        source=f"median absolute deviations (Hampel 1974); {_TEACHING}",
        governed_by=_NETWORK,
    )
    least_spread = number(
        0.1,
        0.0,
        10.0,
        0.01,
        unit="%",
        label="Least MAD that distances are counted in, as a share of the value",
        label_th="ค่าเบี่ยงเบนขั้นต่ำที่ใช้วัดระยะห่าง เทียบกับค่าที่รายงาน",
        source="the honest error, so that a round of nearly equal observations makes no outliers (S)",
        governed_by=_NETWORK,
    )
    outliers = number(
        3,
        1,
        96,
        1,
        unit="rounds",
        label="Outliers (m of w) that cost reputation",
        label_th="จำนวนค่าผิดปกติ (m จาก w) ที่ทำให้เสียชื่อเสียง",
        source=_TEACHING,
        governed_by=_NETWORK,
    )
    outlier_window = number(
        10,
        1,
        96,
        1,
        unit="rounds",
        label="Rounds (w) in which outliers are counted",
        label_th="จำนวนรอบ (w) ที่นับค่าผิดปกติ",
        source=_TEACHING,
        governed_by=_NETWORK,
    )
    reputation_loss = number(
        5,
        0,
        100,
        1,
        unit="points",
        label="Reputation lost for each such outlier (of 100 points)",
        label_th="คะแนนชื่อเสียงที่เสียต่อครั้ง (จาก 100 คะแนน)",
        source=_TEACHING,
        governed_by=_NETWORK,
    )

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Refuse more liars than providers, more outliers than rounds, and values that are stale before the next."""
        if values["liars"] > values["providers"]:
            return f"liars are {values['liars']}, there are {values['providers']} providers"
        if values["outliers"] > values["outlier_window"]:
            return (
                f"outliers {values['outliers']} of outlier_window {values['outlier_window']} rounds are never reached"
            )
        if values["staleness"] < values["heartbeat"]:
            return (
                f"staleness {values['staleness']} s is below heartbeat {values['heartbeat']} s, so that a value which "
                "does not change would be stale before it is repeated; move both in one call"
            )
        return None

    def score_rules(self) -> ScoreRules:
        """Return what providers earn and lose under these levers."""
        return ScoreRules(
            fee=units.money(self.data_fee),
            distance=float(self.outlier_distance),
            outliers=int(self.outliers),
            window=int(self.outlier_window),
            loss=int(self.reputation_loss),
            stake=units.money(self.stake),
            slash=round(units.exact(self.slash) * 10**7),
        )
