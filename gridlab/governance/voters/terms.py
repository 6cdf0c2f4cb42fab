"""The voters of GRID as levers: seven populations, and how they act together."""

from __future__ import annotations

from typing import Any

from gridlab.doors import through
from gridlab.governance.voters.group import SYNTHETIC, Group
from gridlab.governance.voters.groups import (
    Apathetic,
    Cooperatives,
    Experts,
    Households,
    Prosumers,
    Utilities,
    Whales,
)
from gridlab.levers import Levers, number, switch

__all__ = ["GROUPS", "Voters"]

# The order of a population's rows.
GROUPS = ("household", "prosumer", "utility", "whale", "cooperative", "expert", "apathetic")
_NOBODY = "nobody: how people are"


class Voters(Levers):
    """Everybody who holds GRID, and what each population is like.

    Every number here is synthetic: chosen to show how rules work, not measured.

    Examples
    --------
    >>> voters = Voters()
    >>> voters.set({"prosumer.turnout": 60.0}).prosumer.turnout
    60.0
    """

    parts = GROUPS

    engagement = number(
        50.0, 0.0, 100.0, 0.1, unit="%", label="How far a large effect closes the gap to full turnout",
        label_th="ผลของส่วนได้เสียต่อการออกมาใช้สิทธิ", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    mood = number(
        50.0, 0.0, 500.0, 1.0, unit="%", label="How far a whole group's mood shifts, in its differences of opinion",
        label_th="ความผันผวนของอารมณ์ร่วมของกลุ่ม", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    spread = number(
        50.0, 0.0, 200.0, 1.0, unit="%", label="How much an effect varies among a group's members (σ of its logarithm)",
        label_th="ความแตกต่างของผลกระทบระหว่างสมาชิก", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    to_experts = number(
        30.0, 0.0, 100.0, 0.1, unit="%", label="Delegations that go to experts, the others to cooperatives",
        label_th="สัดส่วนการมอบสิทธิให้ผู้เชี่ยวชาญ", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
    strategic = switch(
        default=False, label="Whales vote last, with the least conviction that turns the result",
        label_th="ผู้ถือรายใหญ่ลงคะแนนเชิงกลยุทธ์", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip

    def __init__(self, **values: Any) -> None:
        self.household, self.prosumer, self.utility = Households(), Prosumers(), Utilities()
        self.whale, self.cooperative, self.expert = Whales(), Cooperatives(), Experts()
        self.apathetic = Apathetic()
        super().__init__(**values)

    def _repr_html_(self) -> str:
        html: str = through("voters_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``voters.plot.groups(effects)``, ``.outcomes(frame)``, ``.power()``, … (HoloViews)."""
        return through("voters_plot", self)

    @property
    def groups(self) -> dict[str, Group]:
        """The populations by name, in the order of `GROUPS`."""
        return {name: getattr(self, name) for name in GROUPS}
