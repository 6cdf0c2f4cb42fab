"""Exact conversion between what people type (kWh, THB/kWh, THB, %) and what the market counts.

=========  ======================  ==============================================
quantity   counted in (Int64)      1 unit that people type
=========  ======================  ==============================================
energy     Wh                      1 kWh = 1 000
price      THB/MWh                 1 THB/kWh = 1 000
money      micro-THB               1 THB = 1 WATT = 1 000 000
share      parts per million       1 % = 10 000
=========  ======================  ==============================================

Since 1 THB/MWh x 1 Wh = 1 micro-THB, price x energy is money without a remainder. A decimal number means what it
says: 0.1 is one tenth here, not the nearest binary fraction.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from numbers import Rational, Real
from typing import TypeAlias

from gridlab.errors import ArgumentError, ArgumentTypeError

__all__ = [
    "MICRO",
    "Number",
    "energy",
    "exact",
    "money",
    "price",
    "share",
    "to_kwh",
    "to_thb",
    "to_thb_per_kwh",
]

Number: TypeAlias = int | float | Decimal | Fraction

MICRO = 1_000_000
_PER_KWH = 1_000
_PPM_PER_PERCENT = 10_000


def exact(value: Number, *, what: str = "value") -> Fraction:
    """Return the number that `value` shows when printed, as an exact fraction.

    Raises
    ------
    ArgumentTypeError
        `value` is not a number (True and False are not).
    ArgumentError
        `value` is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
        raise ArgumentTypeError(f"{what}: expected a number, got {value!r} of type {type(value).__name__}")
    if isinstance(value, Rational):  # integers too; numpy's would overflow inside a fraction
        return Fraction(int(value.numerator), int(value.denominator))
    try:
        return Fraction(value if isinstance(value, Decimal) else str(float(value)))
    except (InvalidOperation, OverflowError, ValueError) as problem:
        raise ArgumentError(f"{what}: {value!r} is not a finite number") from problem


def _whole(value: Number, scale: int, what: str, unit: str, step: str) -> int:
    number = exact(value, what=what) * scale
    if number.denominator != 1:
        raise ArgumentError(f"{what}: {value} {unit} is finer than what is counted; allowed: whole steps of {step}")
    return number.numerator


def energy(kwh: Number) -> int:
    """Return `kwh` (kWh) in Wh."""
    return _whole(kwh, _PER_KWH, "energy", "kWh", "0.001 kWh (1 Wh)")


def price(thb_per_kwh: Number) -> int:
    """Return `thb_per_kwh` (THB/kWh) in THB/MWh."""
    return _whole(thb_per_kwh, _PER_KWH, "price", "THB/kWh", "0.001 THB/kWh (1 THB/MWh)")


def money(thb: Number) -> int:
    """Return `thb` (THB) in micro-THB."""
    return _whole(thb, MICRO, "money", "THB", "0.000001 THB")


def share(percent: Number) -> int:
    """Return `percent` (%) in parts per million."""
    return _whole(percent, _PPM_PER_PERCENT, "share", "%", "0.0001 %")


def to_kwh(wh: int) -> float:
    """Return `wh` (Wh) in kWh, for display."""
    return wh / _PER_KWH


def to_thb(micro: int) -> float:
    """Return `micro` (micro-THB) in THB, for display."""
    return micro / MICRO


def to_thb_per_kwh(thb_per_mwh: int) -> float:
    """Return `thb_per_mwh` (THB/MWh) in THB/kWh, for display."""
    return thb_per_mwh / _PER_KWH
