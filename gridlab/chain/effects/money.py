"""What moves money: issuing it against reserves, paying it, settling the market's results."""

from __future__ import annotations

import numpy as np
import polars as pl

from gridlab.chain.effects.effect import Act, Call, forbid
from gridlab.chain.state import State
from gridlab.errors import ChainError
from gridlab.frames import show_rows

__all__ = ["forbid_issuing", "issue", "settle", "transfer"]


def issue(asset: str) -> Act:
    """Return the effect of issuing `asset`."""

    def act(state: State, call: Call) -> None:
        account = call.account
        forbid(call.frame, pl.col("debit_account") != account, f"an issuer issues from its own account {account} only")
        forbid(call.frame, pl.col("asset") != asset, f"this kind issues {asset} only")
        state.ledger.apply(call.frame, sender=account, now=call.timestamp)

    return act


def forbid_issuing(state: State, frame: pl.DataFrame) -> None:
    """Raise ChainError where a row would make new money."""
    accounts = frame["debit_account"].to_numpy().astype(np.int64)
    assets = frame["asset"].to_physical().to_numpy().astype(np.int64)
    issued = state.ledger.issues(accounts, assets)
    if issued.any():
        raise ChainError(
            "a row pays from an issuer's account in the asset that it issues, which would make new money; "
            f"only the kinds 'mint' and 'reserve' may\n{show_rows(frame, pl.lit(pl.Series(issued)))}"
        )


def settle(state: State, call: Call) -> None:
    """Move what the market's results are."""
    forbid_issuing(state, call.frame)
    state.ledger.apply(call.frame, sender=call.account, now=call.timestamp)


def transfer(state: State, call: Call) -> None:
    """Pay from the sender's own account."""
    account = call.account
    forbid(call.frame, pl.col("debit_account") != account, f"a member pays from its own account {account} only")
    forbid_issuing(state, call.frame)
    state.ledger.apply(call.frame, sender=account, now=call.timestamp)
