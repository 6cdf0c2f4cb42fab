"""What one population of voters is described by, as levers; `groups` gives each population its numbers."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

from gridlab.levers import Levers, choice, number

__all__ = ["DISTRIBUTIONS", "SYNTHETIC", "Group"]

SYNTHETIC = "teaching choice (S): synthetic, not a survey"
DISTRIBUTIONS = ("lognormal", "pareto")
_NOBODY = "nobody: how people are"


class Group(Levers):
    """A population of voters; each subclass declares the same levers with defaults of its own."""

    def body(self) -> tuple[str, float, float]:
        r"""Return the distribution of balances, with its two numbers.

        A Gini coefficient :math:`G` and a median :math:`m` fix both kinds: a lognormal has
        :math:`\sigma = \sqrt{2}\,\Phi^{-1}((G + 1)/2)` and :math:`\mu = \ln m`; a Pareto has
        :math:`\alpha = (1 + 1/G)/2` and the least value :math:`m / 2^{1/\alpha}`.

        Returns
        -------
        (str, float, float)
            ``"lognormal"``, μ and σ; or ``"pareto"``, the least value (GRID) and α.

        References
        ----------
        Cowell, "Measuring Inequality", 3rd ed., Oxford University Press 2011, appendix A.
        """
        values = self.values()
        median, gini = float(values["balance"]), float(values["inequality"]) / 100
        if values["distribution"] == "lognormal":
            return "lognormal", math.log(median), math.sqrt(2.0) * NormalDist().inv_cdf((gini + 1) / 2)
        alpha = (1 + 1 / gini) / 2
        return "pareto", median / 2 ** (1 / alpha), alpha


def members(default: int) -> Any:
    """Declare how many there are."""
    return number(
        default, 0, 100_000, 1, unit="voters", label="Voters", label_th="จำนวนผู้มีสิทธิออกเสียง", source=SYNTHETIC,
        governed_by=_NOBODY,
    )  # fmt: skip


def distribution(default: str) -> Any:
    """Declare the shape of the distribution of balances."""
    return choice(
        default, DISTRIBUTIONS, label="Distribution of balances", label_th="รูปแบบการกระจายของยอดเหรียญ",
        source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip


def balance(default: int) -> Any:
    """Declare the median balance."""
    return number(
        default, 1, 100_000_000, 1, unit="GRID", label="Median balance", label_th="ยอดเหรียญค่ามัธยฐาน",
        source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip


def inequality(default: float) -> Any:
    """Declare the Gini coefficient of balances."""
    return number(
        default, 1.0, 90.0, 0.1, unit="%", label="Gini coefficient of balances",
        label_th="ค่าสัมประสิทธิ์จีนีของยอดเหรียญ", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip


def turnout(default: float) -> Any:
    """Declare the turnout when nothing is at stake."""
    return number(
        default, 0.0, 100.0, 0.1, unit="%", label="Turnout of those who vote themselves, when nothing is at stake",
        label_th="อัตราการออกเสียงเมื่อไม่มีส่วนได้เสีย", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip


def delegating(default: float) -> Any:
    """Declare how many hand on their vote."""
    return number(
        default, 0.0, 100.0, 0.1, unit="%", label="Voters who delegate", label_th="สัดส่วนผู้มอบสิทธิออกเสียง",
        source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip


def conviction(default: float) -> Any:
    """Declare the mean level of conviction."""
    return number(
        default, 0.0, 6.0, 0.1, unit="level", label="Conviction, mean of the levels 0 (a tenth) to 6",
        label_th="ระดับความเชื่อมั่นเฉลี่ย", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip


def noise(default: float) -> Any:
    """Declare how far members differ in what a proposal means to them."""
    return number(
        default, 1.0, 1_000_000_000.0, 1.0, unit="THB/month", label="How far opinions differ (logistic scale)",
        label_th="ความแตกต่างของความเห็น", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip


def wheeled(default: float) -> Any:
    """Declare the energy on which a member pays for wheeling."""
    return number(
        default, 0.0, 1_000_000.0, 1.0, unit="kWh/month", label="Energy on which a member pays wheeling, mean",
        label_th="พลังงานที่ต้องชำระค่าใช้สายเฉลี่ย", source=SYNTHETIC, governed_by=_NOBODY,
    )  # fmt: skip
