"""The keys to lesson 06, "Green on paper, green by the hour", each worked out from a fresh Thai lab run for two days.

The mall and the condominium are synthetic accounts of the default population, both in Bangkok's zone and without solar
panels. Certificates carry no hour, so the lesson gives those that somebody buys the hours of all roofs together.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache

import polars as pl

from gridlab.chain.certificates import REC_ENERGY
from gridlab.chain.keys import sandbox
from gridlab.errors import CertificateError
from gridlab.lab import Lab
from gridlab.learn.answers import Key
from gridlab.market.green.certificates import issue, issue_from_readings, metered
from gridlab.market.green.green_products import GreenProduct, green_product
from gridlab.market.green.matching_24_7 import match
from gridlab.run import Run

__all__ = [
    "CONDOMINIUM",
    "HOURS",
    "MALL",
    "bought_hours",
    "hourly_share",
    "mixed_rest",
    "nearest_zone",
    "reader_who_issues",
    "ugt_or_certificates",
    "uncertified",
    "used_hours",
]

MALL, CONDOMINIUM = 55, 58
HOURS = 48
_KWH = 1000  # Wh


@cache
def _run() -> Run:
    return Lab.thailand(prosumers=200).run(hours=HOURS, progress=False)


def bought_hours(readings: pl.DataFrame, certificates: int) -> pl.DataFrame:
    """Return ``slot``, ``energy`` (Wh): so many certificates, spread over the slots as all roofs' generation is."""
    whole = int(readings["generation"].sum())
    part = pl.col("generation").sum() * (certificates * REC_ENERGY) // whole
    return readings.group_by("slot").agg(energy=part).sort("slot")


def used_hours(readings: pl.DataFrame, account: int) -> pl.DataFrame:
    """Return ``slot``, ``account``, ``energy`` (Wh): what an account draws from the grid."""
    return readings.filter(pl.col("account") == account).select("slot", "account", energy="imported")


def _carried(readings: pl.DataFrame) -> pl.DataFrame:
    """Return ``zone``, ``energy``: what is in no certificate, roofs of a zone together."""
    roofs = _run().accounts.filter(pl.col("pv_kw") > 0)
    return issue_from_readings(readings, roofs, registrant=_registrant()).carried


def _registrant() -> int:
    return int(_run().institutions.filter(pl.col("name") == "EGAT")["account"].item())


@cache
def uncertified() -> Key:
    """Work out how much energy is in no certificate after the two days (kWh)."""
    readings = _run().readings
    midnight = readings["slot"].min() + timedelta(days=1)  # type: ignore[operator]
    rest = int(_run().frames["certificates_carried"]["energy"].sum())
    generated = int(readings["generation"].sum())
    first_day = int(_carried(readings.filter(pl.col("slot") < midnight))["energy"].sum())
    return Key(
        Fraction(rest, _KWH),
        {
            "generated": Fraction(generated, _KWH),
            "first_day": Fraction(first_day, _KWH),
            "all_zones_as_one": Fraction(generated % REC_ENERGY, _KWH),
        },
        {"rest": rest / _KWH, "generated": generated / _KWH, "certificates": (generated - rest) // REC_ENERGY},
    )


@cache
def nearest_zone() -> Key:
    """Work out where the roofs lack least for one more certificate."""
    carried = _run().frames["certificates_carried"].sort("energy")
    farthest, nearest = carried["zone"][0], carried["zone"][-1]
    issued = _run().certificates.group_by("zone").agg(pl.col("quantity").sum())
    fewest = carried.join(issued, on="zone", how="left").sort(pl.col("quantity").fill_null(0))["zone"][0]
    return Key(
        nearest,
        {"farthest": farthest, "fewest": fewest},
        {"missing": (REC_ENERGY - carried["energy"][-1]) / _KWH, "zone": nearest},
    )


@cache
def hourly_share() -> Key:
    """Work out which share of the condominium's use one certificate matches by the hour (%)."""
    readings = _run().readings
    generation = bought_hours(readings, certificates=1)
    use = used_hours(readings, CONDOMINIUM)

    def share(every: str, account: int = CONDOMINIUM) -> Fraction:
        cells = match(generation, used_hours(readings, account), every=every).cells
        return Fraction(100 * int(cells["matched"].sum()), int(cells["consumption"].sum()))

    return Key(
        share("1h"),
        {"paper": share("1y"), "quarter_hour": share("15m"), "mall": share("1h", MALL)},
        {"share": float(share("1h")), "times": REC_ENERGY / int(use["energy"].sum())},
    )


def _month() -> int:
    """Return what the mall uses in a month (Wh)."""
    return int(_run().accounts["monthly_kwh"][MALL] * _KWH)


def _premium(product: GreenProduct, energy: int) -> Fraction:
    return Fraction(product.price) * energy / _KWH


@cache
def ugt_or_certificates() -> Key:
    """Work out how much more UGT1 costs the mall in a month than whole certificates at the mean of 2025 (THB)."""
    energy = _month()
    tariff, proposed = green_product("UGT1"), green_product("UGT1, proposed")
    price = Fraction(green_product("I-REC, hydro, average of 2025").price)
    whole = -(-energy // REC_ENERGY)
    certificates, dear = price * whole, _premium(tariff, energy)
    return Key(
        dear - certificates,
        {
            "parts_of_certificates": dear - price * energy / REC_ENERGY,
            "proposed": _premium(proposed, energy) - certificates,
            "tariff_alone": dear,
            "certificates_alone": certificates,
        },
        {"tariff": float(dear), "certificates": float(certificates), "whole": whole},
    )


@cache
def mixed_rest() -> Key:
    """Work out how many certificates the register would still back, zones put together."""
    roofs = _run().accounts.filter(pl.col("pv_kw") > 0)
    readings = _run().readings.join(roofs.select("account"), on="account", how="semi")
    earned = issue_from_readings(readings, roofs, registrant=_registrant())
    meters = metered(readings, earned.groups)
    held = issue(None, earned.certificates, meters)
    first = int(earned.certificates["quantity"].sum()) + 1

    def accepted(quantity: int) -> bool:
        more = earned.certificates.head(1).with_columns(
            certificate_id=pl.lit(first, dtype=pl.UInt64),
            quantity=pl.lit(quantity, dtype=pl.Int64),
            energy=pl.lit(quantity * REC_ENERGY, dtype=pl.Int64),
        )
        try:
            issue(held, more, meters)
        except CertificateError:
            return False
        return True

    most = 0
    while accepted(most + 1):
        most += 1
    rest = int(earned.carried["energy"].sum())
    return Key(Fraction(most), {"by_zone": Fraction(0), "rounded_up": Fraction(most + 1)}, {"rest": rest / _KWH})


@cache
def reader_who_issues() -> Key:
    """Let PEA, which reads meters, send the issuer's certificates, and work out what the receipt says."""
    chain = _run().chain.replay()
    certificates = _run().certificates.drop("status", "beneficiary")
    chain.send(sandbox(_run().facts.seed, "PEA"), "certificate_issue", certificates)
    code = chain.seal(datetime(2026, 5, 8)).receipts[0].code  # noqa: DTZ001 - the chain reads it as Bangkok time
    return Key(code, {name: name for name in ("accepted", "rule_broken", "not_a_member", "bad_signature")})
