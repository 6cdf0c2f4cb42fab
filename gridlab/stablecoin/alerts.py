"""What an operator or a supervisor should know of WATT on a chain: gaps, old attestations, pauses, queues."""

from __future__ import annotations

import polars as pl

from gridlab.chain.consortium import ConsortiumChain
from gridlab.errors import ArgumentTypeError
from gridlab.frames import SLOT

__all__ = ["WATT_ALERTS", "watt_alerts"]

WATT_ALERTS = pl.Schema({"slot": SLOT, "alert": pl.String(), "severity": pl.String(), "detail": pl.String()})


def watt_alerts(chain: ConsortiumChain) -> pl.DataFrame:
    """Return the alerts after the newest block; none where no rules for WATT are in force.

    Parameters
    ----------
    chain : ConsortiumChain

    Returns
    -------
    polars.DataFrame
        ``slot`` (moment of the block), ``alert``, ``severity`` ("critical", "warning", "notice"), ``detail``, the
        gravest first: "reserve gap", "no attestation", "stale attestation", "WATT paused", "redemptions queue".

    Raises
    ------
    ArgumentTypeError
        `chain` is no `ConsortiumChain`.
    """
    if not isinstance(chain, ConsortiumChain):
        raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a ConsortiumChain")
    watt, ledger, now = chain.watt, chain.ledger, chain.head.timestamp
    if watt.is_empty:
        return WATT_ALERTS.to_frame()
    gap, age, found = watt.gap(ledger), watt.age(now), []
    if gap:
        missing = f"{gap} micro-THB less in reserve than {ledger.circulation('WATT')} in circulation"
        found.append(("reserve gap", "critical", f"{missing}; minting has stopped"))
    if age is None:
        found.append(("no attestation", "warning", "nobody has attested the reserve; nothing can be minted"))
    elif age > watt.in_force.longest_age:
        found.append(("stale attestation", "warning", f"{age} µs old, allowed: {watt.in_force.longest_age}"))
    if watt.pause:
        found.append(("WATT paused", "warning", watt.pause))
    if len(watt.queue):
        found.append(("redemptions queue", "notice", f"{len(watt.queue)} wait for {watt.queue.total} micro-THB"))
    frame = pl.DataFrame([(now, *each) for each in found], schema={**WATT_ALERTS, "slot": pl.Int64}, orient="row")
    return frame.with_columns(pl.col("slot").cast(SLOT))
