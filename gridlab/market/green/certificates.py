"""Renewable energy certificates: from meter readings to certificates, and what may be done with them.

One certificate (REC) stands for 1 MWh of metered renewable generation, of one technology, one zone and one month, its
vintage. With G(m) the energy that a device generated up to the end of month m, what was carried in included, the
device has earned ::

    N(m) = floor( G(m) / 1 MWh )            certificates up to month m,
    n(m) = N(m) - N(m - 1)                  of them with vintage m;

the rest, G - N x 1 MWh, is carried forward: never lost, never rounded up. Small devices may be registered
together under one registrant, as tracking systems allow for roofs that would each wait for months for one certificate.

A certificate frame (`gridlab.chain.certificates.CERTIFICATES`) holds ranges of serial numbers: a million are few rows.
The functions here and the transactions of the consortium chain obey one registry, so a frame in a notebook and the
ledger refuse the same things.

References
----------
I-TRACK Foundation, "I-REC(E) product code", 2024; EGAT, issuer for Thailand (fact sheet 6.1, V).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from gridlab.chain.certificates import (
    CERTIFICATES,
    GROUPS,
    INSTRUMENTS,
    ISSUES,
    REC_ENERGY,
    TECHNOLOGY,
    CertificateRegistry,
    grouped,
)
from gridlab.chain.meters import MeterRegister
from gridlab.errors import ArgumentError, ArgumentTypeError, CertificateError, nearest
from gridlab.frames import READINGS, Column, Schema, show_rows

__all__ = ["CARRIED", "Issue", "expand", "issue", "issue_from_readings", "metered", "retire", "transfer"]

CARRIED = Schema(
    "carried energy",
    (
        Column("device", pl.UInt32, "integer", "account whose meter, or whose group of meters, recorded it"),
        Column("technology", TECHNOLOGY, "category", "what generates"),
        Column("zone", pl.String, "text", "province, or bidding zone where the province is not known"),
        Column("energy", pl.Int64, "integer", "not certified yet (Wh)"),
    ),
)
_DEVICES = Schema(
    "accounts",
    (
        Column("account", pl.UInt32, "integer", "index into the accounts frame"),
        Column("zone", pl.String, "text", "bidding zone"),
        Column("province", pl.String, "text", "province", required=False),
        Column("technology", TECHNOLOGY, "category", "what generates", required=False),
        Column("registrant", pl.UInt32, "integer", "account under which it is certified", required=False),
    ),
)
_SOURCE = ["device", "technology", "zone"]
_CARRIED_RULES = {
    "an energy is below 0 Wh": pl.col("energy") < 0,
    "a device of one technology and zone stands there twice": pl.struct(_SOURCE).is_duplicated(),
}


@dataclass(frozen=True, slots=True)
class Issue:
    """What a stretch of meter readings earns.

    Attributes
    ----------
    certificates : polars.DataFrame
        As `gridlab.chain.certificates.ISSUES`: what the issuer sends to the chain as ``certificate_issue``.
    carried : polars.DataFrame
        As `CARRIED`: what to hand to the next call.
    groups : polars.DataFrame
        As `gridlab.chain.certificates.GROUPS`: devices certified under another account; what the issuer sends as
        ``certificate_group``, once per device, before certificates.
    """

    certificates: pl.DataFrame
    carried: pl.DataFrame
    groups: pl.DataFrame

    def __repr__(self) -> str:
        return (
            f"Issue({self.certificates['quantity'].sum()} certificates in {self.certificates.height} rows, "
            f"{self.carried['energy'].sum()} Wh carried forward)"
        )


def issue_from_readings(
    readings: pl.DataFrame | pl.LazyFrame,
    accounts: pl.DataFrame | pl.LazyFrame,
    *,
    technology: str = "solar_roof",
    registrant: int | None = None,
    carried: pl.DataFrame | pl.LazyFrame | None = None,
    first_id: int = 1,
    instrument: str = "REC",
    unit_energy: int = REC_ENERGY,
) -> Issue:
    """Return the certificates that meter readings earn, and the energy that is carried forward.

    Parameters
    ----------
    readings : polars.DataFrame or polars.LazyFrame
        As `gridlab.frames.READINGS`; every slot of an account once.
    accounts : polars.DataFrame or polars.LazyFrame
        ``account`` and ``zone`` of those that generate; optional ``province`` (used in place of the zone),
        ``technology`` and ``registrant``.
    technology : str
        What generates, where `accounts` has no column of that name.
    registrant : int, optional
        Account under which all devices are certified together, by zone and technology. Without it, and without a
        column ``registrant`` in `accounts`, each device is certified alone.
    carried : polars.DataFrame, optional
        As `CARRIED`, of the call before.
    first_id : int
        First serial number to use.
    instrument : str
        "REC", or "T-VER" for carbon credits (`gridlab.market.green.carbon.Carbon.credit_energy` gives `unit_energy`).
    unit_energy : int
        Energy behind one certificate (Wh).

    Returns
    -------
    Issue
        Certificates in the order of vintage, device, technology and zone; each owned by its device's registrant.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.
    FrameError, CertificateError
        A frame does not fit its schema, an account is read twice in a slot or is not among `accounts`.
    """
    _check_terms(technology, registrant, first_id, instrument, unit_energy)
    devices = _devices(accounts, technology, registrant)
    energy = _monthly(readings, devices, carried, unit_energy)
    earned = (pl.col("total") // unit_energy).over(_SOURCE)
    counted = energy.with_columns(total=pl.col("energy").cum_sum().over(_SOURCE)).with_columns(
        quantity=earned - earned.shift(1, fill_value=0).over(_SOURCE)
    )
    rest = counted.group_by(_SOURCE).agg(energy=pl.col("energy").sum() % unit_energy).sort(_SOURCE)
    frame = _numbered(counted.filter(pl.col("quantity") > 0), instrument, unit_energy, first_id)
    groups = devices.filter(pl.col("account") != pl.col("device")).select(device="account", registrant="device")
    return Issue(frame, CARRIED.check(rest), GROUPS.check(groups))


def _check_terms(technology: str, registrant: object, first_id: object, instrument: str, unit_energy: object) -> None:
    for name, value, allowed in (("technology", technology, TECHNOLOGY), ("instrument", instrument, INSTRUMENTS)):
        if not isinstance(value, str):
            raise ArgumentTypeError(f"{name} is {value!r}, allowed: one of {allowed.categories.to_list()}")
        if value not in allowed.categories.to_list():
            raise ArgumentError(f"{name} {value!r} is not known; {nearest(value, allowed.categories)}")
    numbers = {"registrant": registrant or 0, "first_id": first_id, "unit_energy": unit_energy}
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int):
            raise ArgumentTypeError(f"{name} is {number!r} ({type(number).__name__}), allowed: a whole number (int)")
        if number < (REC_ENERGY if name == "unit_energy" else 0):
            raise ArgumentError(f"{name} is {number}, allowed: {REC_ENERGY if name == 'unit_energy' else 0} or more")
    if instrument == "REC" and unit_energy != REC_ENERGY:
        raise ArgumentError(f"unit_energy is {unit_energy}, allowed for a REC: {REC_ENERGY} Wh")


def _devices(accounts: pl.DataFrame | pl.LazyFrame, technology: str, registrant: int | None) -> pl.DataFrame:
    """Return account, device (under which it is certified), technology, zone."""
    given = _DEVICES.check(
        accounts, rules={"an account stands there twice": pl.col("account").is_duplicated()}, error=CertificateError
    )
    device = pl.col("registrant") if "registrant" in given.columns else pl.col("account")
    return given.select(
        "account",
        device=device if registrant is None else pl.lit(registrant, dtype=pl.UInt32),
        technology="technology" if "technology" in given.columns else pl.lit(technology, dtype=TECHNOLOGY),
        zone="province" if "province" in given.columns else "zone",
    )


def _monthly(
    readings: pl.DataFrame | pl.LazyFrame,
    devices: pl.DataFrame,
    carried: pl.DataFrame | pl.LazyFrame | None,
    unit_energy: int,
) -> pl.DataFrame:
    """Return device, technology, zone, month, energy in the order of months; what was carried in comes first."""
    rules = {
        "an account is read twice in one slot": pl.struct("account", "slot").is_duplicated(),
        "an energy is below 0 Wh": pl.col("generation") < 0,
        "an account that generates is not in the accounts frame": (
            (pl.col("generation") > 0) & ~pl.col("account").is_in(devices["account"].implode())
        ),
    }
    checked = READINGS.check(readings, rules=rules, error=CertificateError)
    left = CARRIED.check(CARRIED.empty() if carried is None else carried, rules=_CARRIED_RULES, error=CertificateError)
    whole = pl.col("energy") >= unit_energy
    if left.select(whole.any()).item():
        raise CertificateError(
            f"carried energy: a device carries {unit_energy} Wh or more, whole certificates of no known month; "
            f"hand on the frame that the call before returned\n{show_rows(left, whole)}"
        )
    generated = (
        checked.lazy()
        .filter(pl.col("generation") > 0)
        .join(devices.lazy(), on="account")
        .group_by(*_SOURCE, month=pl.col("slot").dt.truncate("1mo"))
        .agg(energy=pl.col("generation").sum())
    )
    # A null month sorts first, so what is carried in is there before the first month's own energy.
    return (
        pl.concat([left.lazy().select(*_SOURCE, "energy"), generated], how="diagonal").sort("month", *_SOURCE).collect()
    )


def _numbered(counted: pl.DataFrame, instrument: str, unit_energy: int, first_id: int) -> pl.DataFrame:
    quantity = pl.col("quantity")
    month = pl.col("month")
    return ISSUES.check(
        counted.with_columns(
            certificate_id=(quantity.cum_sum() - quantity + first_id).cast(pl.UInt64),
            instrument=pl.lit(instrument, dtype=INSTRUMENTS),
            energy=quantity * unit_energy,
            vintage_start=month,
            vintage_end=month.dt.offset_by("1mo"),
            owner="device",
        ).select(column.name for column in ISSUES.columns)
    )


def metered(readings: pl.DataFrame | pl.LazyFrame, groups: pl.DataFrame | None = None) -> MeterRegister:
    """Return the register of what meters recorded, against which `issue` checks certificates.

    Parameters
    ----------
    readings : polars.DataFrame or polars.LazyFrame
        As `gridlab.frames.READINGS`.
    groups : polars.DataFrame, optional
        Devices certified under another account, as `Issue.groups`.

    Raises
    ------
    ArgumentTypeError, FrameError, ChainError
        A frame does not fit, or an account is read twice in a slot.
    """
    rules = {
        "an account is read twice in one slot": pl.struct("account", "slot").is_duplicated(),
        "an energy is below 0 Wh": pl.col("generation") < 0,
    }
    register = MeterRegister().read(READINGS.check(readings, rules=rules, error=CertificateError))
    return register if groups is None or groups.is_empty() else grouped(register, groups)


def issue(certificates: pl.DataFrame | None, issues: pl.DataFrame, meters: MeterRegister) -> pl.DataFrame:
    """Return `certificates` (None: there are none yet) with `issues` added.

    Parameters
    ----------
    certificates : polars.DataFrame or None
        As `gridlab.chain.certificates.CERTIFICATES`.
    issues : polars.DataFrame
        As `gridlab.chain.certificates.ISSUES`.
    meters : MeterRegister
        What `metered` returns.

    Raises
    ------
    ArgumentTypeError, CertificateError
        Issued twice, or beyond the metered energy; the frames given are never changed.
    """
    registry = CertificateRegistry() if certificates is None else CertificateRegistry.of(certificates)
    return registry.issue(issues, meters).frame


def transfer(certificates: pl.DataFrame, moves: pl.DataFrame, *, sender: int) -> pl.DataFrame:
    """Return `certificates` after account `sender` gave ranges away.

    Parameters
    ----------
    certificates : polars.DataFrame
        As `gridlab.chain.certificates.CERTIFICATES`.
    moves : polars.DataFrame
        ``certificate_id`` (first of the range), ``quantity``, ``new_owner``.
    sender : int

    Raises
    ------
    ArgumentTypeError, ArgumentError, CertificateError
        A range was never issued, belongs to another owner, or is retired; the frames given are never changed.
    """
    return CertificateRegistry.of(certificates).transfer(moves, sender=sender).frame


def retire(certificates: pl.DataFrame, retirements: pl.DataFrame, *, sender: int) -> pl.DataFrame:
    """Return `certificates` after account `sender` retired ranges for good.

    Parameters
    ----------
    certificates : polars.DataFrame
        As `gridlab.chain.certificates.CERTIFICATES`.
    retirements : polars.DataFrame
        ``certificate_id`` (first of the range), ``quantity``, ``beneficiary``.
    sender : int

    Raises
    ------
    ArgumentTypeError, ArgumentError, CertificateError
        As `transfer`.
    """
    return CertificateRegistry.of(certificates).retire(retirements, sender=sender).frame


def expand(certificates: pl.DataFrame) -> pl.DataFrame:
    """Return one row per certificate, each with its own serial number, quantity 1 and energy."""
    frame = CERTIFICATES.check(certificates, error=CertificateError)
    serials = pl.int_ranges(pl.col("certificate_id"), pl.col("certificate_id") + pl.col("quantity"), dtype=pl.UInt64)
    return (
        frame.with_columns(certificate_id=serials, energy=pl.col("energy") // pl.col("quantity"))
        .explode("certificate_id")
        .with_columns(quantity=pl.lit(1, dtype=pl.Int64))
    )
