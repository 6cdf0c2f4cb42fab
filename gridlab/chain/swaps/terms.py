"""The timeouts of an atomic swap as levers, and the inequalities that make it safe.

With F the slower chain's finality (from sending a transaction until nothing can undo it), r the time in which a party
reacts, d how far two clocks may drift apart and n how late a chain learns of the other one's stop::

    answer > 2 F + r + 2 d               the second lock becomes final, its payee reacts, the claim becomes final
    delta  > F + r + n + 2 d             the preimage is seen, the first lock's claim becomes final, a stop is known of
    first  = F + r + answer + delta + 2 d

`answer` is how long the second lock holds, `first` how long the first one does, and `delta` by how much the first must
outlive the second at least.

References
----------
Herlihy, "Atomic cross-chain swaps", PODC 2018 (timeouts fall by delta along the way that claims take).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridlab.levers import Levers, number

__all__ = ["SECOND", "SwapTerms"]

SECOND = 1_000_000
_WHO = "the two parties of a swap"
_CHAINS = "validators of the chains"
_TEACHING = "teaching choice (S)"
_BOUNDED = "teaching choice (S); bounds after Herlihy (2018)"


def _seconds(default: int, bounds: tuple[int, int], labels: tuple[str, str], source: str, governed_by: str) -> Any:
    (low, high), (label, label_th) = bounds, labels
    return number(
        default, low, high, 1, unit="s", label=label, label_th=label_th, source=source, governed_by=governed_by
    )


class SwapTerms(Levers):
    """Timeouts, and what they must allow for.

    Examples
    --------
    >>> terms = SwapTerms()
    >>> terms.least_delta < terms.delta, terms.first_timeout
    (True, 268)
    """

    public_finality = _seconds(
        12, (1, 3600), ("Finality of the public chain", "เวลายืนยันขั้นสุดท้ายของเชนสาธารณะ"), "12 s (project brief)", _CHAINS
    )
    consortium_finality = _seconds(
        3,
        (1, 3600),
        ("Finality of the consortium chain", "เวลายืนยันขั้นสุดท้ายของเชนกลุ่มพันธมิตร"),
        "3 s (project brief)",
        _CHAINS,
    )
    drift = _seconds(
        2, (0, 600), ("Most by which the chains' clocks differ", "ความคลาดเคลื่อนสูงสุดของนาฬิกาเชน"), _TEACHING, _CHAINS
    )
    notice = _seconds(
        30,
        (1, 3600),
        ("Time until a chain knows of the other's stop", "เวลาแจ้งการหยุดฉุกเฉินของอีกเชน"),
        _TEACHING,
        _CHAINS,
    )
    reaction = _seconds(10, (1, 3600), ("Time in which a party reacts", "เวลาตอบสนองของคู่สัญญา"), _TEACHING, _WHO)
    answer = _seconds(120, (2, 86_400), ("How long the second lock holds", "ระยะเวลาของล็อกที่สอง"), _BOUNDED, _WHO)
    delta = _seconds(
        122,
        (2, 86_400),
        ("By how much the first lock outlives the second", "ส่วนต่างระยะเวลาของล็อกแรกกับล็อกที่สอง"),
        _BOUNDED,
        _WHO,
    )
    capital_cost = number(
        5.0,
        0.0,
        50.0,
        0.05,
        unit="%/year",
        label="What locked capital costs",
        label_th="ต้นทุนเงินทุนที่ถูกล็อก",
        source=_TEACHING,
        governed_by=_WHO,
    )

    @property
    def finality(self) -> int:
        """Finality of the slower chain, s."""
        return int(max(self.public_finality, self.consortium_finality))

    @property
    def least_answer(self) -> int:
        """What `answer` must be above, s."""
        return int(2 * self.finality + self.reaction + 2 * self.drift)

    @property
    def least_delta(self) -> int:
        """What `delta` must be above, s."""
        return int(self.finality + self.reaction + self.notice + 2 * self.drift)

    @property
    def first_timeout(self) -> int:
        """How long the first lock holds, s."""
        return int(self.finality + self.reaction + self.answer + self.delta + 2 * self.drift)

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Return why the timeouts would not be safe, or None."""
        slower = max(values["public_finality"], values["consortium_finality"])
        shared = slower + values["reaction"] + 2 * values["drift"]
        answer, delta = values["answer"], values["delta"]
        if answer <= shared + slower:
            return f"answer is {answer} s, allowed: above {shared + slower} s, or the claim may not become final"
        if delta <= shared + values["notice"]:
            least = shared + values["notice"]
            return f"delta is {delta} s, allowed: above {least} s, or the first lock may run out too early"
        return None
