"""What a root commits to: a leaf per account, and one hash over all else that decides what the ledger will do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.encoding import blob, u64
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger.accounts import RESERVED, Accounts
from gridlab.chain.ledger.batches import Parts
from gridlab.chain.ledger.schema import ASSET_NAMES, LARGEST

__all__ = ["ISSUER", "LIMIT", "account_leaves", "changed", "commitment", "terms"]

_DOMAIN = "gridlab/ledger-terms/1"
_LEAF = np.dtype([("account", "<u4"), ("amounts", "<i8", (2, len(ASSET_NAMES)))])
ISSUER = np.dtype([("account", "<u4"), ("asset", "u1")])
LIMIT = np.dtype([("account", "<u4"), ("asset", "u1"), ("highest", "<i8")])


def account_leaves(accounts: Accounts, chosen: npt.NDArray[Any]) -> list[bytes]:
    """Return the leaf of each chosen account: index (4 bytes), posted amounts, reserved amounts (8 bytes each)."""
    rows = np.empty(len(chosen), _LEAF)
    rows["account"] = chosen
    rows["amounts"] = accounts.amounts[chosen, :, : RESERVED + 1].swapaxes(1, 2)
    packed = rows.tobytes()
    return [packed[start : start + _LEAF.itemsize] for start in range(0, len(packed), _LEAF.itemsize)]


def changed(accounts: Accounts, earlier: Accounts) -> npt.NDArray[np.int64]:
    """Return the accounts whose leaves differ, those included that are only in `accounts`."""
    common = min(len(accounts), len(earlier))
    now, before = accounts.amounts[:common, :, : RESERVED + 1], earlier.amounts[:common, :, : RESERVED + 1]
    return np.concatenate([np.flatnonzero((now != before).any(axis=(1, 2))), np.arange(common, len(accounts))])


def terms(accounts: Accounts) -> bytes:
    """Return the canonical bytes of issuers, limits and backing."""
    issuers, limits = np.nonzero(accounts.floor < 0), np.nonzero(accounts.ceiling < LARGEST)
    who = np.empty(len(issuers[0]), ISSUER)
    who["account"], who["asset"] = issuers
    most = np.empty(len(limits[0]), LIMIT)
    most["account"], most["asset"] = limits
    most["highest"] = accounts.ceiling[limits]
    backing = accounts.backing.astype("u1")
    return b"".join(blob(part.tobytes()) for part in (who, most, backing))


def commitment(parts: Parts) -> bytes:
    """Return the hash over terms, open pending transfers and history, 32 bytes."""
    count = u64(len(parts.history))
    body = blob(terms(parts.accounts)) + blob(parts.pending.rows.tobytes()) + count + parts.history.digest
    return tagged_hash(_DOMAIN, body)
