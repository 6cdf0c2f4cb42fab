"""A track's numbers as levers; the four tracks differ in their defaults.

The defaults let a proposal go all the way within a day of the sandbox. The sources name what Polkadot has, so that a
class can set those and see how long a decision takes there.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from gridlab.errors import GovernanceError
from gridlab.governance.curves import Curve, Linear, Reciprocal, Stepped
from gridlab.governance.tracks import Track
from gridlab.governance.voting import QUORUM_RULES
from gridlab.levers import Levers, choice, number
from gridlab.units import Number, exact

__all__ = [
    "HOLDERS",
    "MINUTE",
    "EmergencyTrack",
    "ParameterTrack",
    "TrackTerms",
    "TreasuryTrack",
    "UpgradeTrack",
    "grid",
]

HOLDERS = "GRID holders, by referendum"
MINUTE = 60_000_000
_MICRO = 1_000_000
_SANDBOX = "teaching choice for a day in the sandbox (S)"
_POLKADOT = "polkadot-fellows/runtimes, relay/polkadot/src/governance/tracks.rs (2024)"
_SHAPES = ("linear", "stepped", "reciprocal")


def grid(amount: Number) -> int:
    """Return GRID in micro-GRID."""
    return int(exact(amount) * _MICRO)


def _minutes(default: int, label: str, label_th: str, polkadot: str, *, least: int = 0) -> Any:
    source = f"{_SANDBOX}; {polkadot}: {_POLKADOT}"
    return number(
        default, least, 100_000, 1, unit="min", label=label, label_th=label_th, source=source, governed_by=HOLDERS
    )


def prepare(default: int, polkadot: str) -> Any:
    """Declare the least time before deciding."""
    return _minutes(default, "Time before a proposal may be decided", "ระยะเวลาเตรียมการก่อนตัดสิน", polkadot)


def decision(default: int, polkadot: str) -> Any:
    """Declare the longest time of deciding."""
    return _minutes(default, "Time in which it must pass", "ระยะเวลาตัดสิน", polkadot, least=1)


def confirm(default: int, polkadot: str) -> Any:
    """Declare how long it must pass without interruption."""
    return _minutes(default, "Time for which it must keep passing", "ระยะเวลายืนยันผล", polkadot)


def enactment(default: int, polkadot: str) -> Any:
    """Declare the timelock."""
    return _minutes(default, "Time from approval to enactment (timelock)", "ระยะเวลาก่อนมีผลบังคับใช้", polkadot)


def capacity(default: int, polkadot: str) -> Any:
    """Declare how many are decided at once."""
    return number(
        default,
        1,
        1000,
        1,
        unit="proposals",
        label="Proposals decided at the same time; others wait",
        label_th="จำนวนข้อเสนอที่ตัดสินพร้อมกันได้",
        source=f"teaching choice (S); {polkadot}: {_POLKADOT}",
        governed_by=HOLDERS,
    )


def decision_deposit(default: float, polkadot: str) -> Any:
    """Declare the deposit that brings a proposal to a decision."""
    return number(
        default,
        0.0,
        1_000_000.0,
        0.1,
        unit="GRID",
        label="Deposit for bringing a proposal to a decision",
        label_th="เงินมัดจำเพื่อเข้าสู่การตัดสิน",
        source=f"teaching choice (S); {polkadot}: {_POLKADOT}",
        governed_by=HOLDERS,
    )


def shape(default: str, what: str, what_th: str) -> Any:
    """Declare the form of a curve."""
    return choice(
        default,
        _SHAPES,
        label=f"How the {what} asked for falls",
        label_th=f"รูปแบบการลดลงของ{what_th}ที่ต้องการ",
        source="the three shapes of pallet-referenda (2024)",
        governed_by=HOLDERS,
    )


def percent(default: float, label: str, label_th: str, source: str, *, least: float = 0.0) -> Any:
    """Declare a share."""
    return number(
        default, least, 100.0, 0.1, unit="%", label=label, label_th=label_th, source=source, governed_by=HOLDERS
    )


def start(default: float, what: str, what_th: str, source: str) -> Any:
    """Declare where a curve begins."""
    return percent(default, f"{what} asked for at first", f"{what_th}ที่ต้องการตอนเริ่ม", source)


def end(default: float, what: str, what_th: str, source: str) -> Any:
    """Declare where a curve ends."""
    return percent(default, f"{what} asked for at the end", f"{what_th}ที่ต้องการตอนสิ้นสุด", source)


def at(default: float, what: str, what_th: str, source: str) -> Any:
    """Declare when a curve reaches its level."""
    label = f"{what}: share of the time until the end (linear), a step (stepped) or the level (reciprocal) is reached"
    return percent(default, label, f"{what_th}: เวลาที่ถึงระดับ", source, least=0.1)


def level(default: float, what: str, what_th: str, source: str) -> Any:
    """Declare a curve's level."""
    label = f"{what}: height of a step (stepped), or level at that time (reciprocal); a linear one does not read it"
    return percent(default, label, f"{what_th}: ระดับ", source, least=0.1)


_APPROVAL, _APPROVAL_TH = "Approval", "สัดส่วนเห็นชอบ"
_SUPPORT, _SUPPORT_TH = "Support", "สัดส่วนผู้มีสิทธิ์ที่สนับสนุน"
_LINE = f"17/28 of the time from 100 to 50 %, the small spender's curve: {_POLKADOT}"
_LOW = f"1 % at 12/28 of the time, the small spender's curve: {_POLKADOT}"
_ROOT = f"80 % at 4/28 of the time, Root's curve: {_POLKADOT}"
_ROOT_SUPPORT = f"from 50 to 0 % in a straight line, Root's curve: {_POLKADOT}"
_QUICK = f"96 % at 16/672 of the time, the whitelisted caller's curve: {_POLKADOT}"
_QUICK_SUPPORT = f"20 % at 1/28 of the time, the whitelisted caller's curve: {_POLKADOT}"


class TrackTerms(Levers):
    """One track's levers, with the defaults of the parameter track."""

    capacity = capacity(10, "10 for general administration")
    decision_deposit = decision_deposit(100.0, "5,000 DOT for general administration")
    prepare = prepare(10, "2 hours for general administration")
    decision = decision(120, "28 days for every track")
    confirm = confirm(10, "3 hours for general administration")
    enactment = enactment(10, "10 minutes for general administration")
    approval_shape = shape("reciprocal", "approval", _APPROVAL_TH)
    approval_start = start(100.0, _APPROVAL, _APPROVAL_TH, _ROOT)
    approval_end = end(50.0, _APPROVAL, _APPROVAL_TH, _ROOT)
    approval_at = at(14.3, _APPROVAL, _APPROVAL_TH, _ROOT)
    approval_level = level(80.0, _APPROVAL, _APPROVAL_TH, _ROOT)
    support_shape = shape("reciprocal", "support", _SUPPORT_TH)
    support_start = start(50.0, _SUPPORT, _SUPPORT_TH, f"10 % at 7/28 of the time: {_POLKADOT}")
    support_end = end(0.0, _SUPPORT, _SUPPORT_TH, f"10 % at 7/28 of the time: {_POLKADOT}")
    support_at = at(25.0, _SUPPORT, _SUPPORT_TH, f"10 % at 7/28 of the time: {_POLKADOT}")
    support_level = level(10.0, _SUPPORT, _SUPPORT_TH, f"10 % at 7/28 of the time: {_POLKADOT}")
    quorum = choice(
        "none",
        ("none", *QUORUM_RULES),
        label="Adaptive quorum that has to be met beside the curves",
        label_th="องค์ประชุมแบบปรับตามผู้มาใช้สิทธิ์ ที่ต้องผ่านควบคู่กับเส้นโค้ง",
        source="rules of pallet-democracy (2023); Polkadot's referenda have none",
        governed_by=HOLDERS,
    )

    def conflict(self, values: Mapping[str, Any]) -> str | None:
        """Refuse levers from which a curve cannot be drawn."""
        for what in ("approval", "support"):
            try:
                _curve(values, what)
            except GovernanceError as problem:
                return f"the {what} curve: {problem}"
        return None

    def curve(self, what: str) -> Curve:
        """Return the curve of "approval" or "support"."""
        return _curve(self.values(), what)

    def track(self, name: str) -> Track:
        """Return the track under these levers, in the units of the chain."""
        return Track(
            name=name,
            capacity=self.capacity,
            decision_deposit=grid(self.decision_deposit),
            prepare=self.prepare * MINUTE,
            decision=self.decision * MINUTE,
            confirm=self.confirm * MINUTE,
            enactment=self.enactment * MINUTE,
            approval=self.curve("approval"),
            support=self.curve("support"),
            quorum="" if self.quorum == "none" else self.quorum,
        )


class ParameterTrack(TrackTerms):
    """For proposals that move levers."""


class TreasuryTrack(TrackTerms):
    """For spending from the treasury."""

    decision_deposit = decision_deposit(50.0, "100 DOT for the small spender")
    prepare = prepare(20, "4 hours for the small spender")
    confirm = confirm(20, "2 days for the small spender")
    enactment = enactment(20, "1 day for the small spender")
    approval_shape = shape("linear", "approval", _APPROVAL_TH)
    approval_start = start(100.0, _APPROVAL, _APPROVAL_TH, _LINE)
    approval_at = at(60.7, _APPROVAL, _APPROVAL_TH, _LINE)
    support_at = at(42.9, _SUPPORT, _SUPPORT_TH, _LOW)
    support_level = level(1.0, _SUPPORT, _SUPPORT_TH, _LOW)


class UpgradeTrack(TrackTerms):
    """For sets of rules, which change everything: the strictest."""

    capacity = capacity(1, "1 for Root")
    decision_deposit = decision_deposit(1000.0, "100,000 DOT for Root")
    prepare = prepare(30, "2 hours for Root")
    confirm = confirm(60, "1 day for Root")
    enactment = enactment(60, "1 day for Root")
    support_shape = shape("linear", "support", _SUPPORT_TH)
    support_start = start(50.0, _SUPPORT, _SUPPORT_TH, _ROOT_SUPPORT)
    support_at = at(100.0, _SUPPORT, _SUPPORT_TH, _ROOT_SUPPORT)


class EmergencyTrack(TrackTerms):
    """For stopping and resuming: the quickest, and it asks for many."""

    decision_deposit = decision_deposit(500.0, "10,000 DOT for the whitelisted caller")
    prepare = prepare(1, "30 minutes for the whitelisted caller")
    decision = decision(60, "28 days for every track")
    confirm = confirm(1, "10 minutes for the whitelisted caller")
    enactment = enactment(1, "10 minutes for the whitelisted caller")
    approval_at = at(2.4, _APPROVAL, _APPROVAL_TH, _QUICK)
    approval_level = level(96.0, _APPROVAL, _APPROVAL_TH, _QUICK)
    support_end = end(5.0, _SUPPORT, _SUPPORT_TH, _QUICK_SUPPORT)
    support_at = at(3.6, _SUPPORT, _SUPPORT_TH, _QUICK_SUPPORT)
    support_level = level(20.0, _SUPPORT, _SUPPORT_TH, _QUICK_SUPPORT)


def _curve(values: Mapping[str, Any], what: str) -> Curve:
    names = ("start", "end", "at", "level")
    first, last, when, height = (Fraction(exact(values[f"{what}_{name}"]), 100) for name in names)
    form = values[f"{what}_shape"]
    if form == "linear":
        return Linear(when, last, first)
    if form == "stepped":
        return Stepped(first, last, height, when)
    return Reciprocal.through(when, height, last, first)
