"""What moves money: issuing it against reserves, paying it, settling the market's results."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import polars as pl

from gridlab.chain.effects.effect import Act, Call, forbid
from gridlab.chain.state import State
from gridlab.errors import ChainError
from gridlab.frames import show_rows

__all__ = ["SETTLED_ROLES", "TAX_CODES", "forbid_issuing", "forbid_redeeming", "issue", "settle", "transfer"]

# Whose accounts a settlement may debit. Not the others': a bridge's vault pays by proof alone, the reserve is paid out
# by WATT's own kinds, and authorities and oracle are no party to trades. The treasury gives tax back where a price is
# negative, and pays for nothing else.
SETTLED_ROLES = ("trader", "market_operator", "grid_operator", "certificate_issuer")
TAX_CODES = ("vat", "retail_vat", "carbon_tax")
_INSTEAD: Mapping[str, str] = MappingProxyType({"WATT": "'redeem'", "THB": "'redemption_payout' or 'reserve_release'"})


def issue(asset: str) -> Act:
    """Return the effect of issuing `asset`."""

    def act(state: State, call: Call) -> None:
        account = call.account
        forbid(call.frame, pl.col("debit_account") != account, f"an issuer issues from its own account {account} only")
        forbid(call.frame, pl.col("asset") != asset, f"this kind issues {asset} only")
        state.require_room(asset, call.frame["amount"].to_list())
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


def forbid_redeeming(state: State, frame: pl.DataFrame, credit: str = "credit_account") -> None:
    """Raise ChainError where a row would take WATT or baht back past the rules that are in force.

    Parameters
    ----------
    state : State
    frame : polars.DataFrame
        With the columns `credit` (account that receives) and asset.
    credit : str
    """
    if state.watt.is_empty:
        return
    accounts = frame[credit].to_numpy().astype(np.int64)
    back = state.ledger.issues(accounts, frame["asset"].to_physical().to_numpy().astype(np.int64))
    back &= frame["asset"].is_in(list(_INSTEAD)).to_numpy()
    if back.any():
        asset = frame["asset"].to_list()[int(np.argmax(back))]
        raise ChainError(
            f"a row gives {asset} back to who issues it, for which under WATT's rules there is the kind "
            f"{_INSTEAD[asset]}\n{show_rows(frame, pl.lit(pl.Series(back)))}"
        )


def _forbid_debiting_others(state: State, frame: pl.DataFrame) -> None:
    """Raise ChainError where a row debits an account that is no party to a market."""
    roles, debit = state.members.frame["role"], frame["debit_account"].to_numpy().clip(max=len(state.members))
    # One more for accounts that do not exist, which the ledger refuses.
    other, treasury = (
        np.append(which.to_numpy(), [False])[debit]
        for which in (~roles.is_in([*SETTLED_ROLES, "treasury"]), roles == "treasury")
    )
    astray = pl.Series(other | (treasury & ~frame["code"].is_in(list(TAX_CODES)).to_numpy()))
    if astray.any():
        raise ChainError(
            "settlement: a row debits an account that is no party to a market (a bridge's vault, the reserve, an "
            f"authority); allowed: {', '.join(SETTLED_ROLES)}, and a treasury that gives back tax "
            f"({', '.join(TAX_CODES)})\n{show_rows(frame, pl.lit(astray))}"
        )


def settle(state: State, call: Call) -> None:
    """Move what the market's results are, between those who take part in it."""
    forbid_issuing(state, call.frame)
    _forbid_debiting_others(state, call.frame)
    forbid_redeeming(state, call.frame)
    state.ledger.apply(call.frame, sender=call.account, now=call.timestamp)


def transfer(state: State, call: Call) -> None:
    """Pay from the sender's own account."""
    account = call.account
    forbid(call.frame, pl.col("debit_account") != account, f"a member pays from its own account {account} only")
    forbid_issuing(state, call.frame)
    forbid_redeeming(state, call.frame)
    state.ledger.apply(call.frame, sender=account, now=call.timestamp)
