"""The institutions of a lab: the accounts on the other side of the prosumers' bills."""

from __future__ import annotations

import polars as pl

from gridlab.market.charges.settlement import Institutions

__all__ = ["GOVERNANCE_SEAT", "INSTITUTIONS", "SEATS", "account_of", "institutions_frame", "institutions_of"]

# name -> role on the chain; their accounts follow those of the prosumers in this order
INSTITUTIONS = {
    "Reserve bank": "reserve_bank",
    "WATT issuer": "watt_issuer",
    "Market operator": "market_operator",
    "MEA": "grid_operator",
    "PEA": "grid_operator",
    "Revenue Department": "treasury",
    "ERC": "regulator",
    "EGAT": "certificate_issuer",
    "Reserve plant": "trader",
    "Bridge vault": "bridge_operator",
    "Oracle network": "oracle",
    "SEC": "regulator",
    "GRID holders": "treasury",
}

# Seat of the emergency council -> whose account signs for it. Its make-up is a teaching choice: no Thai rule names one.
SEATS = {"ERC": "ERC", "BOT": "Reserve bank", "SEC": "SEC", "EGAT": "EGAT", "market operator": "Market operator"}
# Brings to the consortium what GRID holders have voted on the public chain.
GOVERNANCE_SEAT = "GRID holders"


def account_of(institution: str, prosumers: int) -> int:
    """Return the account of an institution in a lab of so many prosumers."""
    return prosumers + list(INSTITUTIONS).index(institution)


def institutions_of(accounts: pl.DataFrame) -> Institutions:
    """Return whom the settlement pays; `accounts` are the prosumers'."""
    return Institutions(
        market_operator=account_of("Market operator", accounts.height),
        grid=account_of("EGAT", accounts.height),
        revenue_department=account_of("Revenue Department", accounts.height),
        utilities={name: account_of(name, accounts.height) for name in ("MEA", "PEA")},
    )


def institutions_frame(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return ``account``, ``name``, ``role`` of the institutions beside these prosumers."""
    first = accounts.height
    return pl.DataFrame(
        {
            "account": range(first, first + len(INSTITUTIONS)),
            "name": list(INSTITUTIONS),
            "role": list(INSTITUTIONS.values()),
        },
        schema_overrides={"account": pl.UInt32},
    )
