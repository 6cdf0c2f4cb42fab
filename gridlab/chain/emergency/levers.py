"""Emergency stops as levers: how many must sign, how long a stop lasts, and when a machine proposes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gridlab.chain.terms import ChainTerms, require_terms
from gridlab.levers import Levers, number, switch

__all__ = ["Emergency"]

_COUNCIL = "regulator (ERC), who seats the council"
_TEACHING = "teaching choice (S); no Thai rule is published for a stop of a market on a chain"
_HOUR = 3_600
_SLOT_SECONDS = 900


class Emergency(Levers):
    """Who must sign a stop, how long it may last, and when the market monitor proposes one.

    Examples
    --------
    >>> Emergency(threshold=4).terms().stop_threshold
    4
    """

    threshold = number(
        3,
        1,
        15,
        1,
        unit="seats",
        label="Signatures that stop the market",
        label_th="จำนวนลายเซ็นที่ใช้หยุดตลาดฉุกเฉิน",
        source=_TEACHING,
        governed_by=_COUNCIL,
    )
    longest_stop = number(
        24.0,
        0.25,
        720.0,
        0.25,
        unit="h",
        label="Longest stop before it ends by itself",
        label_th="ระยะเวลาหยุดฉุกเฉินสูงสุดก่อนสิ้นสุดเอง",
        source=_TEACHING,
        governed_by=_COUNCIL,
    )
    motion_lifetime = number(
        1.0,
        0.25,
        24.0,
        0.25,
        unit="h",
        label="How long signatures for a stop are collected",
        label_th="ระยะเวลารวบรวมลายเซ็น",
        source=_TEACHING,
        governed_by=_COUNCIL,
    )
    proposed_stop = number(
        4.0,
        0.25,
        24.0,
        0.25,
        unit="h",
        label="Length of a stop that the monitor proposes",
        label_th="ระยะเวลาหยุดที่ระบบเฝ้าระวังเสนอ",
        source=_TEACHING,
        governed_by=_COUNCIL,
    )
    breaker_halts = number(
        3,
        1,
        96,
        1,
        unit="halts",
        label="Circuit breaker: halts of a zone after which the monitor proposes its stop",
        label_th="จำนวนครั้งที่ Circuit breaker ทำงานก่อนเสนอหยุดพื้นที่",
        source=_TEACHING,
        governed_by=_COUNCIL,
    )
    breaker_window = number(
        24,
        1,
        672,
        1,
        unit="slots",
        label="Circuit breaker: within so many slots",
        label_th="ภายในจำนวนช่วงเวลา",
        source=_TEACHING,
        governed_by=_COUNCIL,
    )
    monitor_alone = number(
        4,
        0,
        96,
        1,
        unit="slots",
        label="How long the monitor stops a zone without people (0: not at all)",
        label_th="ระยะเวลาที่ระบบเฝ้าระวังหยุดพื้นที่ได้เอง (0 คือไม่ได้)",
        source=_TEACHING,
        governed_by=_COUNCIL,
    )
    on_jump = switch(
        default=True,
        label="The monitor proposes a stop when the oracle refuses a jump",
        label_th="เสนอหยุดเมื่อออราเคิลปฏิเสธค่าที่กระโดดผิดปกติ",
        source=_TEACHING,
        governed_by=_COUNCIL,
    )
    on_reserve_gap = switch(
        default=True,
        label="The monitor proposes to stop WATT when the reserve falls short",
        label_th="เสนอหยุด WATT เมื่อเงินสำรองไม่พอ",
        source=_TEACHING,
        governed_by=_COUNCIL,
    )

    def __repr__(self) -> str:
        return f"Emergency({self.threshold} signatures, at most {self.longest_stop} h)"

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Refuse a monitor that proposes a longer stop than there may be."""
        if values["proposed_stop"] > values["longest_stop"]:
            return f"proposed_stop is {values['proposed_stop']} h, longest_stop {values['longest_stop']} h"
        return None

    def terms(self, terms: ChainTerms | None = None) -> ChainTerms:
        """Return `terms` (by default those of a free chain) with these levers in it.

        Raises
        ------
        ArgumentTypeError
            `terms` is not `ChainTerms`.
        """
        return replace(
            ChainTerms() if terms is None else require_terms(terms),
            stop_threshold=int(self.threshold),
            stop_longest=round(self.longest_stop * _HOUR),
            motion_lifetime=round(self.motion_lifetime * _HOUR),
            monitor_stop=int(self.monitor_alone) * _SLOT_SECONDS,
        )
