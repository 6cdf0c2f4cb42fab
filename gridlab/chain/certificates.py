"""Certificates of renewable energy and carbon credits on the ledger: issued once, owned, retired once.

A row is a range of serial numbers that share everything else, so a million certificates are few rows. Certificates of
both instruments draw on one budget, the energy that meters recorded: with C(m) the energy of all certificates and
credits of a device with vintages up to month m, and G(m) what its meter recorded up to the end of m, ::

    C(m) <= G(m)    for every month m

holds at all times. Energy left over in one month may thus complete a certificate of a later one, never of an earlier;
and no megawatt-hour backs two certificates, or a certificate and a carbon credit.

References
----------
I-TRACK Foundation, "I-REC(E) product code", 2024 (a certificate is 1 MWh; retiring, there called redeeming, is final).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.certificate_ranges import MOST_CERTIFICATES, joined, overlapping, selected
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.meters import NO_GROUP, MeterRegister
from gridlab.errors import ArgumentTypeError, CertificateError
from gridlab.frames import SLOT, Column, Schema, show_rows

__all__ = [
    "CERTIFICATES",
    "GROUPS",
    "INSTRUMENTS",
    "ISSUES",
    "MOVES",
    "REC_ENERGY",
    "RETIREMENTS",
    "STATUS",
    "TECHNOLOGY",
    "CertificateRegistry",
    "grouped",
]

INSTRUMENTS = pl.Enum(["REC", "T-VER"])
TECHNOLOGY = pl.Enum(["solar_ground", "solar_roof", "wind", "hydro", "biomass"])
STATUS = pl.Enum(["issued", "retired"])
REC_ENERGY = 1_000_000

_LONGEST_TEXT = 200
_FIRST_SERIAL = Column("certificate_id", pl.UInt64, "integer", "first serial number of the range")
_QUANTITY = Column("quantity", pl.Int64, "integer", "how many certificates the range holds, more than 0")

ISSUES = Schema(
    "certificate issue",
    (
        _FIRST_SERIAL,
        Column("instrument", INSTRUMENTS, "category", "'REC' (1 MWh) or 'T-VER' (1 tCO2e)"),
        _QUANTITY,
        Column("energy", pl.Int64, "integer", "metered energy behind the whole range (Wh)"),
        Column("device", pl.UInt32, "integer", "account whose meter, or whose group of meters, recorded it"),
        Column("technology", TECHNOLOGY, "category", "what generates"),
        Column("zone", pl.String, "text", "province, or bidding zone where the province is not known"),
        Column("vintage_start", SLOT, "datetime", "first moment of the month of generation"),
        Column("vintage_end", SLOT, "datetime", "first moment after it"),
        Column("owner", pl.UInt32, "integer", "account that holds them"),
    ),
)
CERTIFICATES = Schema(
    "certificates",
    (
        *ISSUES.columns,
        Column("status", STATUS, "category", "'issued' or 'retired'"),
        Column("beneficiary", pl.String, "text", "for whom they were retired; empty before"),
    ),
)
MOVES = Schema(
    "certificate transfer",
    (_FIRST_SERIAL, _QUANTITY, Column("new_owner", pl.UInt32, "integer", "account that receives them")),
)
RETIREMENTS = Schema(
    "certificate retirement",
    (_FIRST_SERIAL, _QUANTITY, Column("beneficiary", pl.String, "text", "who may say to have used the energy")),
)
GROUPS = Schema(
    "certificate group",
    (
        Column("device", pl.UInt32, "integer", "account whose meter joins the group"),
        Column("registrant", pl.UInt32, "integer", "account under which the group's energy is certified"),
    ),
)

# The chain's whole register holds less than 2^62 Wh, so no sum of energies below can leave Int64.
_COARSE_BITS, _MOST_COARSE = 20, 2**42

_ISSUE_RULES = {
    f"a quantity is not 1 … {MOST_CERTIFICATES}": ~pl.col("quantity").is_between(1, MOST_CERTIFICATES),
    "a serial number is above 2^62": pl.col("certificate_id") > 2**62,
    "an energy is not more than 0 Wh": pl.col("energy") <= 0,
    f"a REC does not stand for exactly {REC_ENERGY} Wh": (
        (pl.col("instrument") == "REC") & (pl.col("energy") != pl.col("quantity") * REC_ENERGY)
    ),
    f"a T-VER credit does not stand for one whole number of Wh, the same for each, of {REC_ENERGY} or more": (
        (pl.col("instrument") == "T-VER")
        & ((pl.col("energy") % pl.col("quantity") != 0) | (pl.col("energy") // pl.col("quantity") < REC_ENERGY))
    ),
    f"a zone is empty or longer than {_LONGEST_TEXT} bytes": ~pl.col("zone")
    .str.len_bytes()
    .is_between(1, _LONGEST_TEXT),
    "a vintage is not one calendar month, from its first midnight to the next month's, Bangkok time": (
        (pl.col("vintage_start") != pl.col("vintage_start").dt.truncate("1mo"))
        | (pl.col("vintage_end") != pl.col("vintage_start").dt.offset_by("1mo"))
    ),
}


@dataclass(frozen=True)
class CertificateRegistry:
    """All certificates and credits ever issued. Never changed: each act returns a new registry, or raises.

    Attributes
    ----------
    frame : polars.DataFrame
        As `CERTIFICATES`, in the order of serial numbers; neighbours that differ in nothing are one row.
    """

    frame: pl.DataFrame = field(default_factory=CERTIFICATES.empty)

    @classmethod
    def of(cls, certificates: pl.DataFrame | pl.LazyFrame) -> Self:
        """Check a certificate frame and make a registry of it.

        Raises
        ------
        ArgumentTypeError, CertificateError
            It is not a frame, does not fit `CERTIFICATES`, or holds a serial number twice.
        """
        frame = CERTIFICATES.check(certificates, rules=_ISSUE_RULES, error=CertificateError)
        frame = frame.select(column.name for column in CERTIFICATES.columns).sort("certificate_id")
        _refuse(frame, overlapping(frame), "certificates: a serial number stands there twice")
        return cls(joined(frame))

    def __repr__(self) -> str:
        retired = self.frame.filter(status="retired")["quantity"].sum()
        return f"CertificateRegistry({self.frame['quantity'].sum()} certificates, {retired} of them retired)"

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever issued."""
        return self.frame.is_empty()

    @cached_property
    def hash(self) -> bytes:
        """BLAKE2b-256 over the canonical bytes of the frame, 32 bytes."""
        return tagged_hash("gridlab/certificates/1", self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of the frame."""
        return encode_frame(self.frame)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote, or raise ChainError; every rule of a certificate frame is checked again."""
        registry = cls.of(decode_frame(data, "certificates"))
        if registry.to_bytes() != data:
            raise CertificateError("certificates: the bytes are not the canonical form of the frame that they hold")
        return registry

    def issue(self, issues: pl.DataFrame | pl.LazyFrame, meters: MeterRegister) -> Self:
        """Return the registry with new certificates, backed by metered energy that backs no other.

        Parameters
        ----------
        issues : polars.DataFrame or polars.LazyFrame
            As `ISSUES`.
        meters : MeterRegister

        Raises
        ------
        CertificateError
            A row breaks a rule, a serial number is issued already, or the energy goes beyond what was metered.
        """
        if not isinstance(meters, MeterRegister):
            raise ArgumentTypeError(f"meters is a {type(meters).__name__}, allowed: a MeterRegister")
        frame = ISSUES.check(issues, rules=_ISSUE_RULES, error=CertificateError)
        grouped_devices = meters.group_of(frame["device"]) != frame["device"]
        _refuse(
            frame,
            grouped_devices.to_numpy(),
            "certificate issue: a device belongs to a group; issue under the group's registrant",
        )
        added = frame.select(column.name for column in ISSUES.columns).with_columns(
            status=pl.lit("issued", dtype=STATUS), beneficiary=pl.lit("")
        )
        both = pl.concat([self.frame, added]).sort("certificate_id", maintain_order=True)
        _refuse(both, overlapping(both), "certificate issue: a serial number is issued already; it is issued once")
        self._require_metered(both, added, meters)
        return type(self)(joined(both))

    @staticmethod
    def _require_metered(both: pl.DataFrame, added: pl.DataFrame, meters: MeterRegister) -> None:
        if int((both["energy"].to_numpy() >> _COARSE_BITS).sum()) > _MOST_COARSE:
            raise CertificateError(
                "certificate issue: more energy in all than meters can record; look for a wrong unit"
            )
        short = _beyond_metered(both, meters).join(added.select("device").unique(), on="device", how="semi")
        if short.height:
            raise CertificateError(
                "certificate issue: certificates and credits up to a month would stand for more energy than was "
                "metered until its end, and energy is certified once; issue fewer, or record the readings first\n"
                f"{show_rows(short, pl.lit(True))}"
            )

    def transfer(self, moves: pl.DataFrame | pl.LazyFrame, *, sender: int) -> Self:
        """Return the registry after `sender` gave ranges (`MOVES`) to new owners.

        Raises
        ------
        ArgumentTypeError, ArgumentError, CertificateError
            A range was never issued, is named twice, belongs to another owner, or is retired.
        """
        frame, request, moves = self._own(MOVES, moves, sender)
        new = moves["new_owner"].gather(pl.Series(np.maximum(request, 0))).alias("new")
        moved = pl.Series("moved", request >= 0)
        frame = frame.with_columns(owner=pl.when(moved).then(new).otherwise("owner"))
        return type(self)(joined(frame))

    def retire(self, retirements: pl.DataFrame | pl.LazyFrame, *, sender: int) -> Self:
        """Return the registry after `sender` retired ranges (`RETIREMENTS`) for good, each for a beneficiary.

        Raises
        ------
        ArgumentTypeError, ArgumentError, CertificateError
            As `transfer`, or a beneficiary has no name.
        """
        frame, request, retirements = self._own(RETIREMENTS, retirements, sender)
        named = retirements["beneficiary"].gather(pl.Series(np.maximum(request, 0))).alias("named")
        gone = pl.Series("gone", request >= 0)
        frame = frame.with_columns(
            status=pl.when(gone).then(pl.lit("retired", dtype=STATUS)).otherwise("status"),
            beneficiary=pl.when(gone).then(named).otherwise("beneficiary"),
        )
        return type(self)(joined(frame))

    def _own(
        self, schema: Schema, requests: pl.DataFrame | pl.LazyFrame, sender: int
    ) -> tuple[pl.DataFrame, np.ndarray, pl.DataFrame]:
        require_int("sender", sender, 0, 2**32 - 1)
        checked = schema.check(requests, rules=_request_rules(schema), error=CertificateError)
        if checked.is_empty():
            raise CertificateError(f"{schema.name}: no row says which certificates; name at least one range")
        frame, request = selected(self.frame, checked, schema.name)
        mine = request >= 0
        _refuse(
            frame,
            mine & (frame["owner"].to_numpy() != sender),
            f"{schema.name}: these belong to another owner than the sender, account {sender}",
        )
        _refuse(
            frame,
            mine & (frame["status"] == "retired").to_numpy(),
            f"{schema.name}: these are retired already; a certificate is retired once and never moves again",
        )
        return frame, request, checked


def _request_rules(schema: Schema) -> dict[str, pl.Expr]:
    rules = {name: _ISSUE_RULES[name] for name in list(_ISSUE_RULES)[:2]}
    if schema is RETIREMENTS:
        size = pl.col("beneficiary").str.len_bytes()
        rules[f"a beneficiary has no name, or one of over {_LONGEST_TEXT} bytes"] = ~size.is_between(1, _LONGEST_TEXT)
    return rules


def _beyond_metered(certificates: pl.DataFrame, meters: MeterRegister) -> pl.DataFrame:
    """Return where C(m) > G(m): device, month, certified and metered up to then (Wh)."""
    claimed = certificates.select(
        meters.group_of(certificates["device"]), pl.col("vintage_start").dt.date().alias("month"), certified="energy"
    )
    monthly = meters.monthly
    metered = monthly.select(
        meters.group_of(monthly["account"]).alias("device"), "month", pl.col("generation").alias("metered")
    )
    both = pl.concat([claimed, metered], how="diagonal").with_columns(pl.col("certified", "metered").fill_null(0))
    return (
        both.group_by("device", "month")
        .agg(pl.col("certified", "metered").sum())
        .sort("device", "month")
        .with_columns(pl.col("certified", "metered").cum_sum().over("device"))
        .filter(pl.col("certified") > pl.col("metered"))
    )


def _refuse(frame: pl.DataFrame, broken: np.ndarray, sentence: str) -> None:
    if broken.any():
        raise CertificateError(f"{sentence}\n{show_rows(frame, pl.lit(pl.Series(broken)))}")


def grouped(meters: MeterRegister, groups: pl.DataFrame | pl.LazyFrame) -> MeterRegister:
    """Return the meters after devices joined groups (`GROUPS`), so that small roofs make up certificates together.

    Tracking systems let small devices of one region and technology be registered as one: below 250 kW each and 5 MW
    together in TIGR's operating procedures, section 6.3 (2024). The chain cannot see size, region or technology; the
    issuer attests them.

    Raises
    ------
    CertificateError
        A device stands there twice, has a group already, or is itself a registrant; or a registrant is in a group.
    """
    if not isinstance(meters, MeterRegister):
        raise ArgumentTypeError(f"meters is a {type(meters).__name__}, allowed: a MeterRegister")
    frame = GROUPS.check(
        groups,
        rules={
            "a device is its own registrant, which needs no group": pl.col("device") == pl.col("registrant"),
            "a device stands there twice": pl.col("device").is_duplicated(),
            "a device is a registrant, too": pl.col("device").is_in(pl.col("registrant").implode()),
        },
        error=CertificateError,
    )
    for column, sentence in {
        "device": "a device has a group already; it is registered once",
        "registrant": "a registrant belongs to a group itself",
    }.items():
        taken = meters.group_of(frame[column]) != frame[column]
        _refuse(frame, taken.to_numpy(), f"certificate group: {sentence}")
    leads = np.isin(frame["device"].to_numpy(), meters.groups[meters.groups != NO_GROUP])
    _refuse(frame, leads, "certificate group: a device leads a group already")
    return meters.group(frame["device"], frame["registrant"])
