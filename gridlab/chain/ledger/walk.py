"""The rule of the ledger, row after row: what may happen, and what then changes.

Every transfer comes down to two whole numbers: *m*, what moves between posted balances, and *h*, by how much what is
held for pending transfers changes. With *a* its amount and *A* what the pending transfer reserved:

=======  =====  =====
phase    m      h
=======  =====  =====
single   a      0
pending  0      a
post     a      -A
void     0      -A
=======  =====  =====

The account that pays has its posted balance changed by -m and its reserved amount by h; the one that receives has its
posted balance changed by m and its incoming amount by h. Where ``m + h > 0`` somebody's claim grows, and must fit::

    posted - reserved >= floor + (m + h)         of the account that pays: 0, or what Int64 counts for an issuer
    posted + incoming <= ceiling - (m + h)       of the account that receives
    (C - R of the reserve) - (C + I of the token) >= m + h       where the token is issued or its reserve redeemed

with C what circulates, I what pending transfers may still issue and R what they may redeem. A post or void has
``m + h <= 0``: it can break none of these, whatever happened since.

The functions are written in that part of Python which numba compiles. `compiled` makes machine code of them;
`interpreted` runs them as they stand, over lists. So both are the same rule by construction.
"""

# ruff: noqa: C901, PLR0917 - compiled functions take their arrays one by one, and one loop goes over the rows

from __future__ import annotations

from typing import Any, NamedTuple

from gridlab.chain.ledger.results import code_of
from gridlab.chain.ledger.schema import LARGEST, PENDING, SINGLE, VOID

__all__ = ["CLOSED", "FIELDS_OF_PENDING", "MOVED", "OPENED", "UNKNOWN", "Book", "Marks", "Rows", "rewind", "walk"]

# What is known of the transfer that has a key.
UNKNOWN, MOVED, CLOSED, OPENED = range(4)
# Per key of a pending transfer: debit cell, credit cell, asset, amount, expiry.
FIELDS_OF_PENDING = 5

_OK, _EXISTS, _LINKED_FAILED = code_of("ok"), code_of("exists"), code_of("linked_failed")
_DIFFERENT = code_of("exists_with_different_debit_account")
_TOO_LONG = code_of("timeout_too_long")
_NOT_FOUND, _NOT_PENDING = code_of("pending_not_found"), code_of("pending_not_pending")
_CLOSED, _EXPIRED = code_of("pending_closed"), code_of("pending_expired")
_OTHER_DEBIT = code_of("pending_has_different_debit_account")
_OTHER_CREDIT = code_of("pending_has_different_credit_account")
_OTHER_ASSET = code_of("pending_has_different_asset")
_EXCEEDS_PENDING, _VOID_DIFFERS = code_of("exceeds_pending_amount"), code_of("void_amount_differs")
_BALANCE, _LIMIT = code_of("exceeds_balance"), code_of("exceeds_limit")
_INT64, _BACKING = code_of("exceeds_int64"), code_of("exceeds_backing")


class Rows(NamedTuple):
    """A batch: one entry per row in each; `phase`, `linked` and `key` are empty where no row needs them.

    Attributes
    ----------
    debit, credit : int64
        Cells.
    asset, phase : uint8
    amount : int64
    expires : int64
        When a pending row expires, -1 where Int64 cannot hold it; empty without phases.
    linked : bool
    key, content : int64
        Number of the row's sender and id; rows with one key are the same transfer where the content is the same.
    target : int64
        Key of the pending transfer that a post or void names; empty without phases.
    now : int
    """

    debit: Any
    credit: Any
    asset: Any
    amount: Any
    phase: Any
    expires: Any
    linked: Any
    key: Any
    content: Any
    target: Any
    now: int


class Marks(NamedTuple):
    """What the walk writes down.

    Attributes
    ----------
    verdict : uint8
        Per row; not "ok" from the start where something is wrong with the row itself.
    moved, held : int64
        Per row, m and h; empty where no row has a phase, and m is the amount.
    against : int64
        Per row, the earlier row with the same id; empty where all ids are distinct.
    holder : int64
        Per key, the row that was applied, -1 for none.
    state : uint8
        Per key, one of `UNKNOWN`, `MOVED`, `CLOSED`, `OPENED`.
    pending : int64
        Per key `FIELDS_OF_PENDING` numbers, end to end.
    """

    verdict: Any
    moved: Any
    held: Any
    against: Any
    holder: Any
    state: Any
    pending: Any


class Book(NamedTuple):
    """The ledger's arrays as flat sequences: see `gridlab.chain.ledger.accounts.Accounts`."""

    amounts: Any
    floor: Any
    ceiling: Any
    totals: Any
    backing: Any


def _sense(floor: Any, debit: int, credit: int) -> Any:
    """Return 1 where a transfer between these cells issues its asset, -1 where it redeems it, else 0."""
    return (floor[debit] < 0) * 1 - (floor[credit] < 0) * 1


def _shift(amounts: Any, floor: Any, totals: Any, debit: int, credit: int, asset: int, m: int, h: int) -> None:
    """Give a transfer its effect on its two cells and on what circulates; -m and -h take it back."""
    amounts[3 * debit] -= m
    amounts[3 * debit + 1] += h
    amounts[3 * credit] += m
    amounts[3 * credit + 2] += h
    sense = _sense(floor, debit, credit)
    if sense > 0:
        totals[3 * asset] += m
        totals[3 * asset + 1] += h
    elif sense < 0:
        totals[3 * asset] -= m
        totals[3 * asset + 2] += h


def _backed(totals: Any, backing: Any, asset: int, sense: int, claim: int) -> Any:
    """Return "ok" where a claim leaves every token backed that it touches."""
    for pair in range(0, len(backing), 2):
        token, reserve = backing[pair], backing[pair + 1]
        if (asset == token and sense > 0) or (asset == reserve and sense < 0):
            least = totals[3 * reserve] - totals[3 * reserve + 2]
            most = totals[3 * token] + totals[3 * token + 1]
            if least - most < claim:
                return _BACKING
    return _OK


def _fits(
    amounts: Any,
    floor: Any,
    ceiling: Any,
    totals: Any,
    backing: Any,
    debit: int,
    credit: int,
    asset: int,
    m: int,
    h: int,
) -> Any:
    """Return "ok" where a claim fits, or which bound it would break. No sum here can leave Int64."""
    claim = m + h
    if claim <= 0:
        return _OK
    posted, reserved = amounts[3 * debit], amounts[3 * debit + 1]
    if posted - reserved < floor[debit] + claim:
        return _INT64 if floor[debit] < 0 else _BALANCE
    received, incoming = amounts[3 * credit], amounts[3 * credit + 2]
    if received + incoming > ceiling[credit] - claim:
        return _INT64 if ceiling[credit] == LARGEST else _LIMIT
    sense = _sense(floor, debit, credit)
    if sense > 0 and totals[3 * asset] + totals[3 * asset + 1] > LARGEST - claim:
        return _INT64
    if h > 0 and (reserved > LARGEST - h or incoming > LARGEST - h):
        return _INT64
    return _backed(totals, backing, asset, sense, claim) if sense != 0 else _OK


def _resolve(state: Any, pending: Any, row: Any, target: int, expires: int, now: int) -> Any:
    """Return "ok" or what is wrong with the pending transfer of a row, and m and h.

    `row` is phase, debit cell, credit cell, asset and amount.
    """
    phase, debit, credit, asset, amount = row
    if phase <= PENDING:
        verdict = _TOO_LONG if phase == PENDING and expires < 0 else _OK
        return (verdict, amount, 0) if phase == SINGLE else (verdict, 0, amount)
    first, verdict = FIELDS_OF_PENDING * target, _OK
    whole = pending[first + 3]
    if state[target] != OPENED:
        verdict = _NOT_FOUND if state[target] == UNKNOWN else _NOT_PENDING if state[target] == MOVED else _CLOSED
    elif pending[first + 4] <= now:
        verdict = _EXPIRED
    elif pending[first + 2] != asset:
        verdict = _OTHER_ASSET
    elif pending[first] != debit:
        verdict = _OTHER_DEBIT
    elif pending[first + 1] != credit:
        verdict = _OTHER_CREDIT
    elif phase == VOID and 0 < amount != whole:
        verdict = _VOID_DIFFERS
    elif amount > whole:
        verdict = _EXCEEDS_PENDING
    posted = 0 if phase == VOID else whole if amount == 0 else amount
    return verdict, posted, -whole


def _note(state: Any, pending: Any, row: Any, key: int, target: int, expires: int) -> None:
    """Write down that a row was applied, and what pending transfer it makes or closes."""
    phase, debit, credit, asset, amount = row
    if phase == PENDING:
        first = FIELDS_OF_PENDING * key
        pending[first] = debit
        pending[first + 1] = credit
        pending[first + 2] = asset
        pending[first + 3] = amount
        pending[first + 4] = expires
    state[key] = OPENED if phase == PENDING else MOVED
    if phase > PENDING:
        state[target] = CLOSED


def rewind(rows: Rows, marks: Marks, book: Book, start: int, stop: int) -> None:
    """Take back the effects of the rows from `start` to `stop`, the last first."""
    for i in range(stop - 1, start - 1, -1):
        if marks.verdict[i] == _OK:
            m, h = rows.amount[i], 0
            if len(rows.phase):
                m, h = marks.moved[i], marks.held[i]
                marks.state[rows.key[i]] = UNKNOWN
                if rows.phase[i] > PENDING:
                    marks.state[rows.target[i]] = OPENED
            if len(rows.key):
                marks.holder[rows.key[i]] = -1
            _shift(book.amounts, book.floor, book.totals, rows.debit[i], rows.credit[i], rows.asset[i], -m, -h)


def _break(rows: Rows, marks: Marks, book: Book, start: int, stop: int) -> None:
    """Take back the rows of a chain that came before the one that failed."""
    rewind(rows, marks, book, start, stop)
    for i in range(start, stop):
        marks.verdict[i] = _LINKED_FAILED


def _known(holder: Any, content: Any, against: Any, key: int, i: int) -> Any:
    """Return "ok" where the batch has applied no row yet with the id of row i."""
    if holder[key] < 0:
        return _OK
    against[i] = holder[key]
    return _EXISTS if content[i] == content[holder[key]] else _DIFFERENT


def walk(rows: Rows, marks: Marks, book: Book) -> None:
    """Apply row after row; a row that fails takes the rows it is linked to with it."""
    # Taken out of their tuples once: compiled code counts references whenever it takes an array out of one.
    debit, credit, asset, amount, phase, expires, linked, key, content, target, now = rows
    verdict, moved, held, against, holder, state, pending = marks
    amounts, floor, ceiling, totals, backing = book
    start, broken = 0, False
    for i in range(len(verdict)):
        if verdict[i] == _OK and not broken:
            code, m, h = _OK, amount[i], 0
            if len(key):
                code = _known(holder, content, against, key[i], i)
            if len(phase) and code == _OK:
                row = (phase[i], debit[i], credit[i], asset[i], amount[i])
                code, m, h = _resolve(state, pending, row, target[i], expires[i], now)
            if code == _OK:
                code = _fits(amounts, floor, ceiling, totals, backing, debit[i], credit[i], asset[i], m, h)
            if code == _OK:
                _shift(amounts, floor, totals, debit[i], credit[i], asset[i], m, h)
                if len(key):
                    holder[key[i]] = i
                if len(phase):
                    moved[i], held[i] = m, h
                    row = (phase[i], debit[i], credit[i], asset[i], amount[i])
                    _note(state, pending, row, key[i], target[i], expires[i])
            verdict[i] = code
        if broken:
            verdict[i] = _LINKED_FAILED
        elif verdict[i] > _EXISTS:
            _break(rows, marks, book, start, i)
            broken = True
        if not (len(linked) and linked[i]):
            start, broken = i + 1, False
