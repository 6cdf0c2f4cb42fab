"""What a transfer is: the assets, the codes, the phases and the columns of the transfer frame.

Every amount is a whole number of an asset's smallest unit:

======  ==========  ==============================================================================================
asset   unit        what it is
======  ==========  ==============================================================================================
WATT    micro-THB   settlement token, 1 WATT = 1 THB
THB     micro-THB   baht attested to lie in reserve
GRID    micro-GRID  governance token
REC     Wh          renewable energy of certificates that were deposited; 1 certificate is 1,000,000 Wh
CARBON  kgCO2e      emissions of credits or allowances that were deposited; 1 credit is 1,000 kgCO2e
======  ==========  ==============================================================================================

A certificate itself, with its serial number, device and month, lives in `gridlab.chain.certificates`. What lies on the
ledger is a share in a deposit of such certificates, of which one watt-hour is as good as another.
"""

from __future__ import annotations

import polars as pl

from gridlab.frames import Column, Schema

__all__ = ["ASSETS", "ASSET_NAMES", "CODES", "LARGEST", "PENDING", "PHASES", "POST", "SINGLE", "TRANSFERS", "VOID"]

# Largest amount, balance and moment that Int64 counts.
LARGEST = 2**63 - 1

ASSETS = pl.Enum(["WATT", "THB", "GRID", "REC", "CARBON"])
ASSET_NAMES: tuple[str, ...] = tuple(ASSETS.categories)
CODES = pl.Enum(
    [
        *("energy", "wheeling", "losses", "fee", "vat"),  # a trade's landed bill
        *("retail", "retail_vat", "buy_back"),  # the utility's daily statement
        *("transfer", "reserve", "mint", "redeem"),
        *("imbalance", "balancing"),
        *("reservation", "chain_fee"),  # funds held for an order; what a transaction costs its sender
        *("grid", "certificate", "carbon"),  # payments for, or movements of, the further assets
        *("deposit", "withdrawal", "refund", "reward", "penalty"),
        "carbon_tax",  # on energy from the grid, beside the daily statement
        "oracle_fee",  # what providers are paid for data
    ]
)
PHASES = pl.Enum(["single", "pending", "post", "void"])
SINGLE, PENDING, POST, VOID = range(4)

TRANSFERS = Schema(
    "transfers",
    (
        Column("transfer_id", pl.UInt64, "integer", "unique for ever among its sender's; sent again it does nothing"),
        Column("debit_account", pl.UInt32, "integer", "account that pays"),
        Column("credit_account", pl.UInt32, "integer", "account that receives"),
        Column("asset", ASSETS, "category", "'WATT' (1 WATT is 1 THB), 'THB' (attested reserve), GRID, REC or CARBON"),
        Column("amount", pl.Int64, "integer", "more than 0, in the asset's smallest unit; 0 posts or voids the whole"),
        Column("code", CODES, "category", "what is paid for"),
        Column("phase", PHASES, "category", "'single', 'pending' (reserves), 'post' or 'void'", required=False),
        Column("pending_id", pl.UInt64, "integer", "the pending transfer that is posted or voided", required=False),
        Column("timeout", pl.UInt64, "integer", "µs after which a pending one expires; 0 never", required=False),
        Column("linked", pl.Boolean, "boolean", "stands or falls with the next row", required=False),
    ),
)
