"""The levers of WATT: what lies in reserve, how it is paid out, and how its holders take fright.

References
----------
Diamond and Dybvig, "Bank runs, deposit insurance, and liquidity", Journal of Political Economy 91, 1983.
Goldstein and Pauzner, "Demand-deposit contracts and the probability of bank runs", Journal of Finance 60, 2005 (each
depositor acts on a noisy signal and runs beyond a threshold).
Granovetter, "Threshold models of collective behavior", American Journal of Sociology 83, 1978.
Regulation (EU) 2023/1114 (MiCA), articles 46 and 55, 2023 (fees, limits and suspension of redemptions).
"""

from __future__ import annotations

from typing import Any

from gridlab.chain.watt import GAP_RULES, WattRules
from gridlab.levers import Levers, choice, number
from gridlab.units import share

__all__ = ["SLOTS_PER_HOUR", "HolderTerms", "WattTerms"]

SLOTS_PER_HOUR = 4
_SLOT_US = 15 * 60 * 1_000_000
_ISSUER, _BOT = "the issuer", "Bank of Thailand"
_SANDBOX = "BOT sandbox: 100 % unencumbered baht, always redeemable (Baker McKenzie, 2026-01, V)"
_MICA = "MiCA art. 46(1) with 55 (2023) names the tool; value a teaching choice (S)"
_TEACHING = "teaching choice (S)"


def _lever(  # noqa: PLR0917 - a lever a line
    default: float, bounds: tuple[float, float, float], unit: str, labels: tuple[str, str], source: str, who: str
) -> Any:
    (low, high, step), (label, label_th) = bounds, labels
    return number(
        default, low, high, step, unit=unit, label=label, label_th=label_th, source=source, governed_by=who
    )


class WattTerms(Levers):
    """The issuer's side.

    Examples
    --------
    >>> WattTerms(gate=2.5, gap_rule="haircut").rules(bytes(32), circulation=1_000_000).gate
    25000
    """

    cash_share = _lever(
        40.0, (0.0, 100.0, 0.5), "%", ("Reserve in cash", "สัดส่วนเงินสดในเงินสำรอง"), f"{_TEACHING}; {_SANDBOX}", _BOT
    )
    buffer = _lever(
        0.0, (0.0, 50.0, 0.1), "%", ("Reserve above circulation", "เงินสำรองส่วนเกินจากยอดหมุนเวียน"), _SANDBOX, _BOT
    )
    bond_days = _lever(
        2.0,
        (0.25, 30.0, 0.25),
        "days",
        ("Time until bonds sold in order are paid", "เวลารับเงินจากการขายพันธบัตรตามปกติ"),
        "T+2, the usual settlement of government bonds (G)",
        "bond market",
    )
    fire_discount = _lever(
        4.0,
        (0.0, 50.0, 0.1),
        "%",
        ("Discount of a fire sale of bonds", "ส่วนลดเมื่อเร่งขายพันธบัตร"),
        _TEACHING,
        "bond market",
    )
    bond_sale = choice(
        "fire",
        ["fire", "orderly"],
        label="How bonds are sold when cash runs out",
        label_th="วิธีขายพันธบัตรเมื่อเงินสดหมด",
        source=_TEACHING,
        governed_by=_ISSUER,
    )
    gate = _lever(
        0.0,
        (0.0, 100.0, 0.1),
        "% of circulation per slot",
        ("Most redeemed in 15 minutes (0: no limit)", "เพดานไถ่ถอนต่อ 15 นาที (0: ไม่จำกัด)"),
        _MICA,
        _BOT,
    )
    fee = _lever(0.0, (0.0, 10.0, 0.05), "%", ("Fee on redemptions", "ค่าธรรมเนียมไถ่ถอน"), _MICA, _BOT)
    gap_rule = choice(
        "stop",
        GAP_RULES,
        label="Payouts while baht are missing",
        label_th="กติกาการจ่ายเมื่อเงินสำรองขาด",
        source="haircut: the same share for all; par: sequential service (Diamond and Dybvig, 1983)",
        governed_by=_BOT,
    )
    pause_below = _lever(
        0.0,
        (0.0, 100.0, 0.1),
        "% attested coverage",
        ("Coverage below which redemption pauses once (0: never)", "หยุดไถ่ถอนชั่วคราวเมื่อความครอบคลุมต่ำกว่า (0: ไม่หยุด)"),
        _MICA,
        _BOT,
    )
    pause_hours = _lever(24.0, (0.25, 720.0, 0.25), "h", ("Length of the pause", "ระยะเวลาหยุดชั่วคราว"), _MICA, _BOT)
    attestation_hours = _lever(
        24.0, (0.25, 8760.0, 0.25), "h", ("Time between attestations", "ระยะห่างการรับรองเงินสำรอง"), _TEACHING, _BOT
    )
    longest_age = _lever(
        48.0,
        (0.25, 8760.0, 0.25),
        "h",
        ("Oldest attestation on which WATT is minted", "อายุสูงสุดของการรับรองที่ใช้ออกเหรียญได้"),
        _TEACHING,
        _BOT,
    )

    def rules(self, attestor: bytes, circulation: int) -> WattRules:
        """Return the rules of the chain that say the same.

        Parameters
        ----------
        attestor : bytes
            Public key, 32 bytes.
        circulation : int
            WATT from which the gate is counted, micro-THB.
        """
        # A gate of next to nothing is still a gate.
        gate = max(share(self.gate) * circulation // 1_000_000, 1) if self.gate else 0
        age = int(self.longest_age * SLOTS_PER_HOUR) * _SLOT_US
        return WattRules(attestor, age, self.gap_rule, gate=gate, fee_ppb=share(self.fee) * 1_000)


class HolderTerms(Levers):
    """The holders' side: what they hear of, and what they fear.

    A holder who has not asked yet runs in a slot where his fear is above his own threshold::

        fear = news · heard + queue · Q / C + price · (1 - P) + cover · max(0, 1 - coverage - noise) + stale · too old

    with Q queued and C circulating in the slot before, P the price then, coverage as last attested, and noise his own
    reading of it.
    """

    shock_hour = _lever(6.0, (0.0, 720.0, 0.25), "h", ("When bad news comes", "เวลาที่เกิดข่าวร้าย"), _TEACHING, "the world")
    shock_loss = _lever(
        8.3,
        (0.0, 100.0, 0.1),
        "% of the reserve",
        ("Loss of the reserve at that moment", "ความเสียหายของเงินสำรอง"),
        "USDC, 10 March 2023: 3.3 of 40 billion dollars of reserve stuck in a failed bank (Circle)",
        "the world",
    )
    half_life = _lever(
        12.0, (0.25, 720.0, 0.25), "h", ("Half-life of news", "ครึ่งชีวิตของข่าว"), _TEACHING, "the world"
    )
    news = _lever(0.6, (0.0, 5.0, 0.05), "", ("Weight of news", "น้ำหนักของข่าว"), _TEACHING, "holders")
    queue = _lever(4.0, (0.0, 20.0, 0.1), "", ("Weight of the queue seen", "น้ำหนักของคิวที่เห็น"), _TEACHING, "holders")
    price = _lever(
        3.0, (0.0, 20.0, 0.1), "", ("Weight of the price discount", "น้ำหนักของส่วนลดราคา"), _TEACHING, "holders"
    )
    cover = _lever(
        8.0, (0.0, 50.0, 0.1), "", ("Weight of missing coverage", "น้ำหนักของเงินสำรองที่ขาด"), _TEACHING, "holders"
    )
    stale = _lever(
        0.2, (0.0, 5.0, 0.05), "", ("Weight of an attestation too old", "น้ำหนักของการรับรองที่หมดอายุ"), _TEACHING, "holders"
    )
    noise = _lever(
        1.0,
        (0.0, 20.0, 0.1),
        "% of coverage",
        ("Noise of what a holder reads", "ความคลาดเคลื่อนของสัญญาณ"),
        _TEACHING,
        "holders",
    )
    ordinary = _lever(
        1.0, (0.0, 50.0, 0.1), "%/day", ("Holders who redeem without fear", "ผู้ไถ่ถอนตามปกติ"), _TEACHING, "holders"
    )
    patience = _lever(
        0.2,
        (0.0, 10.0, 0.05),
        "%/h",
        ("Discount per hour of waiting in the secondary market", "ส่วนลดต่อชั่วโมงที่ต้องรอในตลาดรอง"),
        f"{_TEACHING}; USDC fell to 0.88 dollars on 11 March 2023",
        "secondary market",
    )
