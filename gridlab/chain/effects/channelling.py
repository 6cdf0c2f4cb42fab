"""What the steps of a channel do to a chain, the same on both chains.

The two parties open, top up and close. Beyond that anybody may act, as a watchtower does, since a state that both have
signed says by itself what is due. The keys that sign a channel's states are those of its accounts when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int
from gridlab.chain.channels.book import ChannelBook
from gridlab.chain.channels.record import Opening
from gridlab.chain.channels.signed import SignedState
from gridlab.chain.effects.effect import Act, Call
from gridlab.chain.effects.money import forbid_redeeming
from gridlab.chain.ledger import Ledger
from gridlab.chain.state import State
from gridlab.chain.swaps.postings import require_holder
from gridlab.chain.swaps.stops import Stops
from gridlab.errors import ChainError

__all__ = ["Scene", "on_channels", "take_step"]


class _Accounts(Protocol):
    @property
    def frame(self) -> pl.DataFrame: ...
    @property
    def verified(self) -> npt.NDArray[np.bool_]: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when a step happens, and who takes it.

    Attributes
    ----------
    ledger : Ledger
        Is changed by steps that succeed, and by no other.
    stops : Stops
    now : int
        Of the block, microseconds since 1970.
    sender : int
        Account.
    accounts : Members or PublicAccounts
        Whose keys sign.
    """

    ledger: Ledger
    stops: Stops
    now: int
    sender: int
    accounts: _Accounts


# Is given the book, the one row of the frame and the scene, and returns the book after the step.
_Step = Callable[[ChannelBook, dict[str, Any], Scene], ChannelBook]


def _open(book: ChannelBook, row: dict[str, Any], scene: Scene) -> ChannelBook:
    accounts = (row["account_0"], row["account_1"])
    if scene.sender not in accounts:
        raise ChainError(f"channel_open: account {scene.sender} is neither of {accounts}; one of the two sends it")
    keys = (_key(accounts[0], scene), _key(accounts[1], scene))
    deposits = (row["deposit_0"], row["deposit_1"])
    opening = Opening(accounts, keys, row["asset"], deposits, row["window"], row["longest_lock"])
    signatures = (row["signature_0"], row["signature_1"])
    book, _ = book.open(scene.ledger, opening, signatures, scene.now, scene.stops)
    return book


def _key(account: int, scene: Scene) -> bytes:
    frame = scene.accounts.frame
    require_int("account", account, 0, frame.height - 1)
    if not (frame["active"][account] and scene.accounts.verified[account]):
        raise ChainError(
            f"channel_open: account {account} may not act now, so it cannot be a side of a new channel; its licence "
            "and its identity check must be in force"
        )
    key: bytes = frame["public_key"][account]
    return key


def _top_up(book: ChannelBook, row: dict[str, Any], scene: Scene) -> ChannelBook:
    opening = book[row["channel"]].opening
    side = _side(book, row["channel"], scene, "channel_top_up")
    # It may have become an issuer since the channel was opened.
    require_holder(scene.ledger, scene.sender, opening.asset, "channel_top_up")
    book, _ = book.top_up(scene.ledger, row["channel"], side, row["amount"], scene.now, scene.stops)
    return book


def _side(book: ChannelBook, channel: bytes, scene: Scene, what: str) -> int:
    record = book[channel]
    if scene.sender not in record.opening.accounts:
        raise ChainError(
            f"{what}: account {scene.sender} is no side of channel {record.number}, allowed: "
            f"{list(record.opening.accounts)}"
        )
    return record.opening.accounts.index(scene.sender)


def _close_together(book: ChannelBook, row: dict[str, Any], scene: Scene) -> ChannelBook:
    signed = SignedState.from_bytes(row["signed"])
    book, _ = book.close_together(scene.ledger, row["channel"], signed, scene.now, scene.stops)
    return book


def _close(book: ChannelBook, row: dict[str, Any], scene: Scene) -> ChannelBook:
    _side(book, row["channel"], scene, "channel_close")
    signed = SignedState.from_bytes(row["signed"]) if row["signed"] else None
    book, _ = book.close(row["channel"], signed, scene.now, scene.stops)
    return book


def _dispute(book: ChannelBook, row: dict[str, Any], scene: Scene) -> ChannelBook:
    book, _ = book.dispute(row["channel"], SignedState.from_bytes(row["signed"]), scene.now, scene.stops)
    return book


def _reveal(book: ChannelBook, row: dict[str, Any], scene: Scene) -> ChannelBook:
    book, _ = book.reveal(row["channel"], row["preimage"], scene.now, scene.stops)
    return book


def _settle(book: ChannelBook, row: dict[str, Any], scene: Scene) -> ChannelBook:
    book, _ = book.settle(scene.ledger, row["channel"], scene.now, scene.stops)
    return book


# By kind of transaction.
_STEPS: Mapping[str, _Step] = MappingProxyType(
    {
        "channel_open": _open,
        "channel_top_up": _top_up,
        "channel_close_together": _close_together,
        "channel_close": _close,
        "channel_dispute": _dispute,
        "channel_reveal": _reveal,
        "channel_settle": _settle,
    }
)


def take_step(kind: str, book: ChannelBook, frame: pl.DataFrame, scene: Scene) -> ChannelBook:
    """Take the step of a channel that a transaction asks for, whole or not at all.

    Parameters
    ----------
    kind : str
        Of the transaction.
    book : ChannelBook
    frame : polars.DataFrame
        The payload, one row.
    scene : Scene

    Returns
    -------
    ChannelBook

    Raises
    ------
    ArgumentTypeError, ArgumentError, ChainError, LedgerError
        As the steps of `ChannelBook` do, or the sender may not take this one.
    """
    if frame.height != 1:
        raise ChainError(f"{kind}: {frame.height} rows, allowed: one step of one channel in a transaction")
    return _STEPS[kind](book, frame.row(0, named=True), scene)


def on_channels(kind: str) -> Act:
    """Return the effect of a kind of transaction on the channels of the consortium chain."""

    def act(state: State, call: Call) -> None:
        if kind == "channel_open":
            for side in ("account_0", "account_1"):
                forbid_redeeming(state, call.frame, side)
        locked = state.locked
        scene = Scene(state.ledger, locked.stops, call.timestamp, call.account, state.members)
        state.locked = replace(locked, channels=take_step(kind, locked.channels, call.frame, scene))

    return act
