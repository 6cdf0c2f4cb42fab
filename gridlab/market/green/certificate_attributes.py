"""What a certificate says about its energy: the I-REC(E) codes of source and technology, issuer, vintage and place."""

from __future__ import annotations

import polars as pl

from gridlab.chain.certificates import CERTIFICATES, TECHNOLOGY
from gridlab.errors import CertificateError

__all__ = ["attributes", "technologies"]

# technology, energy source, technology code ("" where the fact sheet names none), English, Thai
_TECHNOLOGIES = (
    ("solar_ground", "ES100", "TC110", "Solar, ground-mounted", "แสงอาทิตย์ ติดตั้งบนพื้นดิน"),
    ("solar_roof", "ES100", "TC120", "Solar, on a roof", "แสงอาทิตย์ ติดตั้งบนหลังคา"),
    ("wind", "ES200", "", "Wind", "ลม"),
    ("hydro", "ES300", "", "Hydro", "พลังน้ำ"),
    ("biomass", "ES570", "", "Solid biomass", "ชีวมวลแข็ง"),
)
_SOURCE = "Evident SD-02, as reported by Capsolar, 2026 (fact sheet 6.1, V2)"
_COUNTRY = "TH"
# Instrument -> who issues and registers it in Thailand (fact sheet 6.1 and 6.2, V).
_ISSUERS = {"REC": "EGAT", "T-VER": "TGO"}


def technologies() -> pl.DataFrame:
    """Return the technologies that a certificate may name.

    Returns
    -------
    polars.DataFrame
        ``technology`` (Enum), ``energy_source`` and ``technology_code`` (I-REC codes; an empty code was not found),
        ``label``, ``label_th``, ``source``.
    """
    names = ("technology", "energy_source", "technology_code", "label", "label_th")
    columns = dict(zip(names, zip(*_TECHNOLOGIES, strict=True), strict=True))
    return pl.DataFrame(columns, schema_overrides={"technology": TECHNOLOGY}).with_columns(source=pl.lit(_SOURCE))


def attributes(certificates: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return what is printed on each range of certificates.

    Parameters
    ----------
    certificates : polars.DataFrame or polars.LazyFrame
        As `gridlab.chain.certificates.CERTIFICATES`.

    Returns
    -------
    polars.DataFrame
        ``first_certificate``, ``last_certificate`` (UInt64), ``instrument``, ``issuer``, ``country``, ``zone``,
        ``device``, ``energy_source``, ``technology_code``, ``label``, ``label_th``, ``production_start``,
        ``production_end`` (Date, both inclusive, as a registry prints them), ``energy_mwh`` (Float64), ``status``,
        ``beneficiary``.

    Raises
    ------
    ArgumentTypeError, CertificateError
        It is no certificate frame.
    """
    frame = CERTIFICATES.check(certificates, error=CertificateError)
    issuer = pl.col("instrument").replace_strict(list(_ISSUERS), list(_ISSUERS.values()), return_dtype=pl.String)
    return (
        frame.join(technologies(), on="technology", how="left", maintain_order="left")
        .with_columns(
            first_certificate="certificate_id",
            last_certificate=pl.col("certificate_id") + pl.col("quantity").cast(pl.UInt64) - 1,
            issuer=issuer,
            country=pl.lit(_COUNTRY),
            production_start=pl.col("vintage_start").dt.date(),
            production_end=pl.col("vintage_end").dt.date().dt.offset_by("-1d"),
            energy_mwh=pl.col("energy") / 1_000_000,
        )
        .select(
            *("first_certificate", "last_certificate", "instrument", "issuer", "country", "zone", "device"),
            *("energy_source", "technology_code", "label", "label_th"),
            *("production_start", "production_end", "energy_mwh", "status", "beneficiary"),
        )
    )
