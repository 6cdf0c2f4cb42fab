"""What each kind of transaction may do: one row of a table per kind.

A kind names the frame that its payload holds, the roles that may send it, and the function that gives it its effect.
The function checks first and changes the state last, in one call that takes everything or nothing; so a refused
transaction changes nothing. A new kind is a new row: the loop that executes blocks never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import polars as pl

from gridlab.chain.certificates import GROUPS, ISSUES, MOVES, RETIREMENTS, grouped
from gridlab.chain.contracts import CONTRACT_SENDER, CONTRACTS, EXECUTIONS
from gridlab.chain.ledger import TRANSFERS
from gridlab.chain.members import MEMBERS, ROLES
from gridlab.chain.state import State
from gridlab.errors import ChainError
from gridlab.frames import ORDERS, READINGS, Schema, show_rows

__all__ = ["RULES", "Effect"]

_EVERYONE: tuple[str, ...] = tuple(ROLES.categories)
_SLOT_MICROSECONDS = 15 * 60 * 1_000_000

# Takes the state, the sender's account and the payload.
Act = Callable[[State, int, pl.DataFrame], None]


@dataclass(frozen=True, slots=True)
class Effect:
    """The rule of one kind of transaction.

    Attributes
    ----------
    schema : Schema
        The frame that the payload holds, in exactly these dtypes.
    roles : tuple of str
        Who may send it.
    act : callable
        ``act(state, account, frame)``: gives the effect, or raises a GridlabError and changes nothing.
    meaning : str
        One sentence.
    """

    schema: Schema
    roles: tuple[str, ...]
    act: Act
    meaning: str


def _forbid(frame: pl.DataFrame, broken: pl.Expr, sentence: str) -> None:
    if frame.select(broken.any()).item():
        raise ChainError(f"{sentence}\n{show_rows(frame, broken)}")


def _change_members(state: State, _account: int, frame: pl.DataFrame) -> None:
    state.set_members(state.members.changed(frame))


def _issue(asset: str) -> Act:
    def act(state: State, account: int, frame: pl.DataFrame) -> None:
        _forbid(frame, pl.col("debit_account") != account, f"an issuer issues from its own account {account} only")
        _forbid(frame, pl.col("asset") != asset, f"this kind issues {asset} only")
        state.ledger.apply(frame, sender=account)

    return act


def _forbid_issuing(state: State, frame: pl.DataFrame) -> None:
    accounts = frame["debit_account"].to_numpy().astype(np.int64)
    assets = frame["asset"].to_physical().to_numpy().astype(np.int64)
    issued = state.ledger.issues(accounts, assets)
    if issued.any():
        raise ChainError(
            "a row pays from an issuer's account in the asset that it issues, which would make new money; "
            f"only the kinds 'mint' and 'reserve' may\n{show_rows(frame, pl.lit(pl.Series(issued)))}"
        )


def _settle(state: State, account: int, frame: pl.DataFrame) -> None:
    _forbid_issuing(state, frame)
    state.ledger.apply(frame, sender=account)


def _transfer(state: State, account: int, frame: pl.DataFrame) -> None:
    _forbid(frame, pl.col("debit_account") != account, f"a member pays from its own account {account} only")
    _forbid_issuing(state, frame)
    state.ledger.apply(frame, sender=account)


def _check_orders(_state: State, account: int, frame: pl.DataFrame) -> None:
    # numpy, because hundreds of small batches come per day and a polars query costs more than such a batch.
    checks = {
        f"orders: a row names another account than the sender's own, {account}": (
            frame["account"].to_numpy() != account
        ),
        "orders: an energy is not more than 0 Wh": frame["energy"].to_numpy() <= 0,
        "orders: a slot does not start on a quarter of an hour": (
            frame["slot"].to_physical().to_numpy() % _SLOT_MICROSECONDS != 0
        ),
    }
    for sentence, broken in checks.items():
        if broken.any():
            raise ChainError(f"{sentence}\n{show_rows(frame, pl.lit(pl.Series(broken)))}")
    if len(np.unique(frame["order_id"].to_numpy())) != frame.height:
        raise ChainError(
            f"orders: an order_id stands there twice\n{show_rows(frame, pl.col('order_id').is_duplicated())}"
        )


def _read_meters(state: State, _account: int, frame: pl.DataFrame) -> None:
    _forbid(frame, pl.col("account") >= len(state.members), "readings: an account does not exist")
    _forbid(
        frame,
        (pl.col("load") < 0) | (pl.col("generation") < 0),
        "readings: an energy is below 0 Wh; what is generated belongs in the column generation",
    )
    _forbid(
        frame,
        pl.col("slot").to_physical() % _SLOT_MICROSECONDS != 0,
        "readings: a slot does not start on a quarter of an hour",
    )
    _forbid(
        frame,
        pl.struct("account", "slot").is_duplicated(),
        "readings: an account is read twice in one slot",
    )
    state.meters, state.contracts = state.meters.read(frame), state.contracts.read(frame)


def _require_accounts(state: State, frame: pl.DataFrame, *columns: str) -> None:
    missing = pl.any_horizontal(pl.col(columns) >= len(state.members))
    _forbid(frame, missing, f"certificates: an account does not exist, allowed: 0 … {len(state.members) - 1}")


def _group_devices(state: State, _account: int, frame: pl.DataFrame) -> None:
    _require_accounts(state, frame, "device", "registrant")
    state.meters = grouped(state.meters, frame)


def _issue_certificates(state: State, _account: int, frame: pl.DataFrame) -> None:
    _require_accounts(state, frame, "device", "owner")
    state.certificates = state.certificates.issue(frame, state.meters)


def _transfer_certificates(state: State, account: int, frame: pl.DataFrame) -> None:
    _require_accounts(state, frame, "new_owner")
    state.certificates = state.certificates.transfer(frame, sender=account)


def _retire_certificates(state: State, account: int, frame: pl.DataFrame) -> None:
    state.certificates = state.certificates.retire(frame, sender=account)


def _register_contract(state: State, account: int, frame: pl.DataFrame) -> None:
    state.contracts = state.contracts.register(frame, sender=account, members=state.members, chain_id=state.chain_id)


def _execute_contract(state: State, account: int, frame: pl.DataFrame) -> None:
    contracts, transfers = state.contracts.execute(frame, sender=account, role=state.members.roles[account])
    _forbid_issuing(state, transfers)
    state.ledger.apply(transfers, sender=CONTRACT_SENDER)
    state.contracts = contracts


_VERSION_1 = MappingProxyType(
    {
        "membership": Effect(
            MEMBERS, ("regulator",), _change_members, "licences granted, withdrawn or given a new key"
        ),
        "reserve": Effect(
            TRANSFERS, ("reserve_bank",), _issue("THB"), "baht attested to lie in reserve"
        ),
        "mint": Effect(
            TRANSFERS, ("watt_issuer",), _issue("WATT"), "WATT issued, never more than baht in reserve"
        ),
        "transfer": Effect(
            TRANSFERS, _EVERYONE, _transfer, "payments from the sender's own account"
        ),
        "settlement": Effect(
            TRANSFERS, ("market_operator",), _settle, "what the market's results move between accounts"
        ),
        "order_batch": Effect(
            ORDERS, ("trader",), _check_orders, "many orders of one trader under one signature"
        ),
        "meter_readings": Effect(
            READINGS, ("grid_operator",), _read_meters, "metered energy per slot"
        ),
        "certificate_group": Effect(
            GROUPS, ("certificate_issuer",), _group_devices, "small devices certified together under one account"
        ),
        "certificate_issue": Effect(
            ISSUES, ("certificate_issuer",), _issue_certificates, "certificates and credits for metered energy"
        ),
        "certificate_transfer": Effect(
            MOVES, _EVERYONE, _transfer_certificates, "certificates given to a new owner by their own"
        ),
        "certificate_retire": Effect(
            RETIREMENTS, _EVERYONE, _retire_certificates, "certificates used up for a beneficiary, for good"
        ),
        "contract": Effect(
            CONTRACTS, _EVERYONE, _register_contract, "an energy trading contract, signed by all its parties"
        ),
        "contract_execution": Effect(
            EXECUTIONS, _EVERYONE, _execute_contract, "payments that follow from a contract and its parties' meters"
        ),
    }
)  # fmt: skip

# By version, because blocks made under older rules are replayed under those.
RULES: Mapping[int, Mapping[str, Effect]] = MappingProxyType({1: _VERSION_1})
