"""A report as the payload of a bridge packet, so that another chain has it with its proof.

The bridge shows that the payload was sent; the signatures in it show that it is true. Whoever receives it needs the
providers' public keys and nothing else.
"""

from __future__ import annotations

from gridlab.chain.encoding import Reader, blob, text
from gridlab.chain.oracle.provider_set import ProviderSet
from gridlab.chain.oracle.report import Report
from gridlab.errors import ArgumentTypeError

__all__ = ["read_report_payload", "report_payload"]

_DOMAIN = "gridlab/oracle-packet/1"


def report_payload(report: Report) -> bytes:
    """Return the payload of a transaction of kind ``bridge_packet`` that carries `report`.

    Raises
    ------
    ArgumentTypeError
        `report` is no `Report`.
    """
    if not isinstance(report, Report):
        raise ArgumentTypeError(f"report is a {type(report).__name__}, allowed: a Report; aggregation.report makes one")
    return text(_DOMAIN) + blob(report.to_bytes())


def read_report_payload(payload: bytes, providers: ProviderSet) -> Report:
    """Return the report in the payload of a packet, if `providers` vouch for it.

    Raises
    ------
    ArgumentTypeError
        An argument is of another type.
    ChainError
        The payload is damaged or something else.
    OracleError
        `Report.require` refuses the report.
    """
    reader = Reader(payload, "packet of an oracle report")
    if (domain := reader.text()) != _DOMAIN:
        raise reader.error(f"begins with {domain!r}, allowed: {_DOMAIN!r}")
    report = Report.from_bytes(reader.blob())
    reader.finish()
    return report.require(providers)
