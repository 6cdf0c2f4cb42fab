"""A whole ledger as canonical bytes, and back.

::

    text(domain) u32(accounts)
    blob(issuers) blob(limits) blob(backing)
    blob(frame of all transfers, with their senders) blob(frame of the open pending ones: sender, transfer_id, expires)
    BLAKE2b-256 of all that, so that damage is seen before anything is believed (32 bytes)

Balances are not written: they are counted anew from the transfers, so that they cannot contradict them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_bytes
from gridlab.chain.encoding import Reader, blob, text, u32
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import HASH_BYTES, tagged_hash
from gridlab.chain.ledger.accounts import POSTED, RESERVED, Accounts
from gridlab.chain.ledger.batches import Parts
from gridlab.chain.ledger.columns import OPTIONAL, Columns
from gridlab.chain.ledger.history import TransferHistory
from gridlab.chain.ledger.leaves import ISSUER, LIMIT, terms
from gridlab.chain.ledger.pairs import pack
from gridlab.chain.ledger.pending import OpenTransfers, opened_rows
from gridlab.chain.ledger.schema import ASSET_NAMES, LARGEST, PENDING, POST, VOID
from gridlab.errors import ChainError, FrameError

__all__ = ["from_bytes", "to_bytes"]

_DOMAIN = "gridlab/ledger/1"

Array = npt.NDArray[np.int64]


def to_bytes(parts: Parts) -> bytes:
    """Return the canonical bytes of a ledger."""
    columns, senders = parts.history.everything()
    unused = [name for name in OPTIONAL if not columns.field(name).any()]
    transfers = columns.frame(optional=True).drop(unused).with_columns(sender=pl.Series(senders))
    pending = parts.pending.rows
    waiting = pl.DataFrame({name: pending[name].copy() for name in ("sender", "transfer_id", "expires")})
    frames = blob(encode_frame(transfers)) + blob(encode_frame(waiting))
    body = text(_DOMAIN) + u32(len(parts.accounts)) + terms(parts.accounts) + frames
    return body + tagged_hash(_DOMAIN, body)


def from_bytes(data: bytes) -> Parts:
    """Read what `to_bytes` wrote.

    Raises
    ------
    ArgumentTypeError
        `data` is not ``bytes``.
    ChainError
        The bytes are damaged, not canonical, or tell of transfers that no ledger would have taken.
    """
    body, seal = require_bytes("ledger", data)[:-HASH_BYTES], data[-HASH_BYTES:]
    if tagged_hash(_DOMAIN, body) != seal:
        raise ChainError(f"ledger: its {len(data)} bytes do not have the hash that they end with; fetch them again")
    reader = Reader(body, "ledger")
    if reader.text() != _DOMAIN:
        raise reader.error(f"it does not begin with {_DOMAIN!r}; these bytes are something else")
    accounts = _read_terms(reader)
    transfers = decode_frame(reader.blob(), "ledger's transfers")
    waiting = decode_frame(reader.blob(), "ledger's pending transfers")
    reader.finish()
    try:
        parts = _rebuilt(accounts, transfers, waiting)
    except ChainError:
        raise
    except (FrameError, TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as problem:
        raise ChainError(f"ledger: its frames are not those of a ledger ({problem}); fetch it again") from problem
    if to_bytes(parts) != data:
        raise ChainError("ledger: the bytes are not the one canonical form; fetch them again from whoever wrote them")
    return parts


def _read_terms(reader: Reader) -> Accounts:
    count = reader.u32()
    issuers, limits, backing = reader.blob(), reader.blob(), reader.blob()
    if len(issuers) % ISSUER.itemsize or len(limits) % LIMIT.itemsize or len(backing) % 2:
        raise reader.error("a list of issuers, limits or backing is cut short")
    pairs = np.frombuffer(backing, "u1").astype(np.int64).reshape(-1, 2)
    who, most = np.frombuffer(issuers, ISSUER), np.frombuffer(limits, LIMIT)
    if max(_highest(who["account"]), _highest(most["account"])) >= count:
        raise reader.error(f"an issuer or a limit is for an account that does not exist, allowed: 0 … {count - 1}")
    if max(_highest(who["asset"]), _highest(most["asset"]), _highest(pairs.reshape(-1))) >= len(ASSET_NAMES):
        raise reader.error(f"an asset is not known, allowed: {list(ASSET_NAMES)}")
    if (most["highest"] < 0).any():
        raise reader.error("a limit is below 0")
    accounts = Accounts.empty(count, pairs)
    accounts.floor[who["account"], who["asset"]] = -LARGEST
    accounts.ceiling[most["account"], most["asset"]] = most["highest"]
    return accounts


def _highest(values: npt.NDArray[np.generic]) -> int:
    return int(values.max()) if len(values) else -1


def _rebuilt(accounts: Accounts, transfers: pl.DataFrame, waiting: pl.DataFrame) -> Parts:
    columns, senders = Columns.of(transfers.drop("sender")), transfers["sender"].to_numpy()
    keys = np.sort(pack(senders, columns.transfer_id))
    _require(not (keys[1:] == keys[:-1]).any(), "a transfer stands there twice")
    _require((columns.debit_account != columns.credit_account).all(), "an account pays itself")
    highest = max(_highest(columns.debit_account), _highest(columns.credit_account))
    _require(highest < len(accounts), "a transfer names an account that does not exist")
    history = TransferHistory()
    history.append(columns, senders)
    moved, is_open = _followed(columns, senders, history)
    if columns.two_phase:
        history = TransferHistory()
        history.append(columns, senders, moved)
    pending = _reopened(columns, senders, history, waiting, is_open)
    accounts.post((columns.debit_account, columns.credit_account, columns.asset, moved))
    accounts.hold(pending.rows)
    accounts.count(pending.rows)
    available = accounts.amounts[:, :, POSTED] - accounts.amounts[:, :, RESERVED]
    _require((available >= accounts.floor).all(), "an account pays more than it holds")
    return Parts(accounts, history, pending)


def _followed(columns: Columns, senders: npt.NDArray[np.uint32], history: TransferHistory) -> tuple[Array, Array]:
    """Return what each transfer moved, and which rows are pending and neither posted nor voided (1, else 0)."""
    moved, phase = columns.amount.copy(), columns.field("phase")
    is_open = (phase == PENDING).astype(np.int64)
    moved[(phase == PENDING) | (phase == VOID)] = 0
    closing = np.flatnonzero(phase >= POST)
    _require((columns.amount[phase < POST] > 0).all(), "an amount is not more than 0")
    if len(closing):
        reserved = history.find(pack(senders[closing], columns.field("pending_id")[closing]))
        _require(((reserved >= 0) & (reserved < closing)).all(), "a post or void comes without its pending one")
        _require((is_open[reserved] == 1).all(), "a post or void names a transfer that is not pending")
        _require(len(np.unique(reserved)) == len(reserved), "a pending transfer is closed twice")
        amount, whole = columns.amount[closing], columns.amount[reserved]
        _require(((amount >= 0) & (amount <= whole)).all(), "a post takes more than was reserved")
        moved[closing] = np.where(phase[closing] == VOID, 0, np.where(amount == 0, whole, amount))
        is_open[reserved] = 0
    return moved, is_open


def _reopened(
    columns: Columns,
    senders: npt.NDArray[np.uint32],
    history: TransferHistory,
    waiting: pl.DataFrame,
    is_open: Array,
) -> OpenTransfers:
    places = history.find(pack(waiting["sender"].to_numpy(), waiting["transfer_id"].to_numpy()))
    _require(len(np.unique(places)) == len(places), "an open transfer stands there twice")
    _require((places >= 0).all() and (is_open[places] == 1).all(), "an open transfer was never pending")
    expires = np.zeros(len(columns), np.int64)
    expires[places] = waiting["expires"].to_numpy()
    return OpenTransfers.of(opened_rows(columns, senders, expires, places))


def _require(holds: object, sentence: str) -> None:
    if not holds:
        raise ChainError(f"ledger: {sentence}; no ledger would have written that, fetch it again")
