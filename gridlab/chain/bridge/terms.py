"""The levers of the bridge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridlab.levers import Levers, number

__all__ = ["BridgeTerms"]

_GOVERNED = "both chains: the consortium's regulator and the public chain's governance"
_TEACHING = "teaching choice (S)"
_SECOND = 1_000_000


class BridgeTerms(Levers):
    """How often roots are anchored, how long headers are trusted, and how long a packet may take.

    Examples
    --------
    >>> BridgeTerms(anchor_every=8).anchor_every
    8
    """

    anchor_every = number(
        4,
        1,
        1_000,
        1,
        unit="blocks",
        label="Consortium blocks from one anchored root to the next",
        label_th="จำนวนบล็อกของเชนคอนซอร์เทียมระหว่างการบันทึกรากแต่ละครั้ง",
        source=_TEACHING,
        governed_by=_GOVERNED,
    )
    trusting_period = number(
        14.0,
        0.1,
        365.0,
        0.1,
        unit="days",
        label="How long a header of the other chain is trusted",
        label_th="ระยะเวลาที่เชื่อถือส่วนหัวบล็อกของอีกเชนหนึ่ง",
        source="two thirds of an unbonding period of 21 days, as light clients of ICS-007 use; " + _TEACHING,
        governed_by=_GOVERNED,
    )
    clock_drift = number(
        15.0,
        0.0,
        1_440.0,
        1.0,
        unit="min",
        label="How far a header may be ahead of this chain's clock",
        label_th="ส่วนหัวบล็อกล้ำหน้านาฬิกาของเชนนี้ได้ไม่เกิน",
        source="one delivery slot; " + _TEACHING,
        governed_by=_GOVERNED,
    )
    longest_skip = number(
        10_000,
        1,
        1_000_000,
        1,
        unit="blocks",
        label="Most heights from one trusted header to the next",
        label_th="จำนวนบล็อกสูงสุดระหว่างส่วนหัวที่เชื่อถือสองรายการ",
        source=_TEACHING,
        governed_by=_GOVERNED,
    )
    timeout = number(
        6.0,
        0.25,
        168.0,
        0.25,
        unit="h",
        label="Time a packet has, by the clock of its destination",
        label_th="เวลาที่แพ็กเกตมีตามนาฬิกาของเชนปลายทาง",
        source=_TEACHING,
        governed_by="the sender of the packet",
    )

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Refuse a packet that outlives the trust in the headers which would settle it, and anchors out of reach."""
        if values["timeout"] >= 24 * values["trusting_period"]:
            return f"a timeout of {values['timeout']} h outlasts the trusting period, {values['trusting_period']} days"
        if values["anchor_every"] > values["longest_skip"]:
            return f"anchors every {values['anchor_every']} blocks are further apart than longest_skip allows"
        return None

    @property
    def client_options(self) -> dict[str, int]:
        """What `LightClient.trusting` takes, in microseconds and blocks."""
        return {
            "trusting_period": round(self.trusting_period * 24 * 3_600 * _SECOND),
            "clock_drift": round(self.clock_drift * 60 * _SECOND),
            "longest_skip": int(self.longest_skip),
        }

    @property
    def timeout_microseconds(self) -> int:
        """The lever `timeout` in microseconds."""
        microseconds: int = round(self.timeout * 3_600 * _SECOND)
        return microseconds
