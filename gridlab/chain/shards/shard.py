"""One shard: a state machine without input or output, fed with one piece of work per block.

In a block it first posts and voids what its letters close, then credits what they bring, each in the order of the
letters; then it applies the transfers of its own accounts in the order of the block. What a letter brings may be spent
by the transfers of the same block; what they send to another shard arrives there in a later block.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain import merkle
from gridlab.chain.bridge.inclusion import HASH, Inclusion, inclusion_of
from gridlab.chain.bridge.ranges import Ranges
from gridlab.chain.ledger import Columns
from gridlab.chain.ledger.results import OK
from gridlab.chain.ledger.schema import ASSET_NAMES
from gridlab.chain.shards.letters import AbsenceLetter, BlockMark, KnownBlocks, Letter, ParcelLetter, ReceiptLetter
from gridlab.chain.shards.memory import TransferMemory, repeated_rows
from gridlab.chain.shards.parcels import MOVES, Key, Parcel, Receipt
from gridlab.chain.shards.postings import Founding, OpenParcel, ShardBook
from gridlab.chain.shards.summary import Received, ShardSummary
from gridlab.errors import ArgumentTypeError, ChainError, GridlabError

__all__ = ["Done", "Shard", "Work"]

Array = npt.NDArray[Any]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What a shard is to do in a block.

    Attributes
    ----------
    now, timeout : int
        The block's moment, and from which one on its parcels may not be executed; microseconds.
    marks : tuple of BlockMark
        Blocks that the shard has not been told of yet.
    letters : tuple of letters
    rows : Columns
        Transfers that its own accounts pay, sound by themselves.
    """

    now: int
    timeout: int
    marks: tuple[BlockMark, ...]
    letters: tuple[Letter, ...]
    rows: Columns


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What a shard did in a block.

    Attributes
    ----------
    codes : array of uint8
        What became of each transfer.
    refused : tuple of (str or None)
        Per letter why it was refused, None where it was not.
    parcels, receipts : tuple of pairs
        What the block sends, each with its proof under the summary.
    summary : ShardSummary
    """

    codes: Codes
    refused: tuple[str | None, ...]
    parcels: tuple[tuple[Parcel, Inclusion], ...]
    receipts: tuple[tuple[Receipt, Inclusion], ...]
    summary: ShardSummary


@dataclass(slots=True)
class _Mail:
    """What the letters of a block ask for."""

    arrived: list[Parcel] = field(default_factory=list)
    closed: list[tuple[OpenParcel, npt.NDArray[np.bool_]]] = field(default_factory=list)


class Shard:
    """The accounts of one area.

    Parameters
    ----------
    founding : Founding
    """

    __slots__ = ("_blocks", "_book", "_memory", "_open", "_received", "_sent", "founding")

    def __init__(self, founding: Founding) -> None:
        self.founding = founding
        self._book = ShardBook(founding)
        self._memory = TransferMemory()
        self._blocks = KnownBlocks()
        self._open: dict[Key, OpenParcel] = {}
        self._sent = [0] * len(founding.homes.names)
        self._received = [Ranges()] * len(founding.homes.names)

    def __repr__(self) -> str:
        return f"Shard({self.founding.homes.names[self.founding.shard]!r}, {len(self._open)} parcels open)"

    def fork(self) -> Shard:
        """Return an independent copy."""
        twin = copy(self)
        twin._book, twin._memory = self._book.fork(), self._memory.fork()  # noqa: SLF001 - of its own kind
        twin._blocks, twin._open = self._blocks.fork(), dict(self._open)  # noqa: SLF001 - of its own kind
        twin._sent, twin._received = list(self._sent), list(self._received)  # noqa: SLF001 - of its own kind
        return twin

    def execute(self, work: Work) -> Done:
        """Do the work of one block."""
        self._blocks.learn(work.marks)
        mail = _Mail()
        refused = tuple(self._outcome(letter, work.now, mail) for letter in work.letters)
        receipts = self._book_mail(mail, work.now)
        codes, leaving = self._send(work.rows, work.now)
        parcels = self._pack(leaving, work.timeout)
        outbox, answers = [each.leaf for each in parcels], [each.leaf for each in receipts]
        return Done(
            codes,
            refused,
            tuple((each, inclusion_of(outbox, place)) for place, each in enumerate(parcels)),
            tuple((each, inclusion_of(answers, place)) for place, each in enumerate(receipts)),
            self._summary(outbox, answers),
        )

    def _outcome(self, letter: Letter, now: int, mail: _Mail) -> str | None:
        try:
            if isinstance(letter, ParcelLetter):
                self._receive(letter, now, mail)
            elif isinstance(letter, ReceiptLetter):
                self._close(letter, mail)
            else:
                self._return(letter, mail)
        except GridlabError as problem:
            return str(problem)
        return None

    def _receive(self, letter: ParcelLetter, now: int, mail: _Mail) -> None:
        parcel, shards = letter.parcel, len(self._sent)
        letter.require(self._blocks, shards)
        if parcel.sequence in self._received[parcel.source]:
            raise ChainError(f"parcel {parcel.key} was received before; it is executed once")
        if now >= parcel.timeout:
            raise ChainError(f"parcel {parcel.key} timed out at {parcel.timeout}, and it is {now}; it is refunded")
        self._received[parcel.source] = self._received[parcel.source].add(parcel.sequence)
        mail.arrived.append(parcel)

    def _opened(self, key: Key) -> OpenParcel:
        if key not in self._open:
            raise ChainError(f"parcel {key} is not waiting for an answer: never sent, or posted or voided already")
        return self._open[key]

    def _close(self, letter: ReceiptLetter, mail: _Mail) -> None:
        sent = self._opened(letter.key)
        letter.require(self._blocks, len(self._sent))
        if len(letter.receipt.codes) != len(sent.parcel):
            raise ChainError(f"receipt of parcel {letter.key}: another number of transfers than the parcel has")
        mail.closed.append((self._open.pop(letter.key), letter.receipt.codes == OK))

    def _return(self, letter: AbsenceLetter, mail: _Mail) -> None:
        if not isinstance(letter, AbsenceLetter):
            raise ArgumentTypeError(f"letter is a {type(letter).__name__}, allowed: ParcelLetter, ReceiptLetter, …")
        sent = self._opened(letter.key)
        letter.require(self._blocks, len(self._sent), timeout=sent.parcel.timeout)
        mail.closed.append((self._open.pop(letter.key), np.zeros(len(sent.parcel), np.bool_)))

    def _book_mail(self, mail: _Mail, now: int) -> list[Receipt]:
        # Closing comes first, since it only ever frees: a void gives back, a post makes room below a limit.
        self._book.write_closings([self._book.closings(sent, accepted) for sent, accepted in mail.closed], now)
        codes, _ = self._book.write([self._book.arrivals(parcel) for parcel in mail.arrived], now)
        ends = np.cumsum([len(parcel) for parcel in mail.arrived], dtype=np.int64)
        parts = np.split(codes, ends[:-1]) if len(ends) else []
        return [Receipt(*parcel.key, part.copy()) for parcel, part in zip(mail.arrived, parts, strict=True)]

    def _send(self, rows: Columns, now: int) -> tuple[Codes, list[tuple[Array, Array, Array]]]:
        """Apply the shard's own transfers; return their results and what leaves: moves, destinations, numbers.

        A row that has the payer and id of an earlier one is judged when that one is. So the rows are taken in
        stretches, each of which ends before the first such row that the memory does not know by then.
        """
        payers = self.founding.homes.local[rows.debit_account].astype(np.uint32)
        codes, again = self._memory.known(rows, payers), repeated_rows(rows)
        leaving: list[tuple[Array, Array, Array]] = []
        start = 0
        while start < len(rows):
            later = start + 1 + np.flatnonzero(again[start + 1 :] & (codes[start + 1 :] == OK))
            stop = int(later[0]) if len(later) else len(rows)
            chosen = start + np.flatnonzero(codes[start:stop] == OK)
            whole = len(chosen) == len(rows)
            stretch = (rows, payers) if whole else (rows.rows(chosen), payers[chosen])
            codes[chosen] = self._apply(*stretch, now, leaving)
            if len(later):
                codes[later] = self._memory.known(rows.rows(later), payers[later])
            start = stop
        return codes, leaving

    def _apply(self, rows: Columns, payers: Array, now: int, leaving: list[tuple[Array, Array, Array]]) -> Codes:
        if not len(rows):
            return np.empty(0, np.uint8)
        destinations = self.founding.homes.shard[rows.credit_account]
        codes, numbers = self._book.write([self._book.departures(rows, destinations)], now)
        done = codes == OK
        if done.all():
            self._memory.add(rows, payers)
        else:
            self._memory.add(rows.rows(done), payers[done])
        out = np.flatnonzero(done & (destinations != self.founding.shard))
        if len(out):
            moves = np.empty(len(out), MOVES)
            for name in MOVES.names or ():
                moves[name] = getattr(rows, name)[out]
            leaving.append((moves, destinations[out], numbers[out]))
        return codes

    def _pack(self, leaving: Sequence[tuple[Array, Array, Array]], timeout: int) -> list[Parcel]:
        if not leaving:
            return []
        moves, destinations, numbers = (np.concatenate(parts) for parts in zip(*leaving, strict=True))
        parcels = []
        for destination in np.unique(destinations).tolist():
            own = destinations == destination
            parcel = Parcel(self.founding.shard, destination, self._sent[destination], timeout, moves[own])
            self._open[parcel.key] = OpenParcel(parcel, numbers[own])
            self._sent[destination] += 1
            parcels.append(parcel)
        return parcels

    def _summary(self, outbox: list[bytes], answers: list[bytes]) -> ShardSummary:
        homes, shard = self.founding.homes, self.founding.shard
        return ShardSummary(
            shard,
            homes.names[shard],
            len(self._book),
            self._book.accounts_root(),
            self._book.ledger.commitment,
            self._memory.digest,
            len(outbox),
            merkle.root(outbox, hash=HASH),
            len(answers),
            merkle.root(answers, hash=HASH),
            tuple(self._sent),
            tuple(Received.of(each) for each in self._received),
        )

    def amounts(self) -> tuple[Array, Array]:
        """Return posted and reserved amounts of its accounts, int64 arrays of shape (accounts, assets)."""
        frames = self._book.ledger.balances, self._book.ledger.reservations
        posted, reserved = (frame.drop("account").to_numpy()[: self._book.abroad] for frame in frames)
        return posted, reserved

    def amounts_of(self, account: int) -> tuple[list[int], list[int]]:
        """Return what is posted and reserved for one account, per asset."""
        ledger, place = self._book.ledger, int(self.founding.homes.local[account])
        posted = [ledger.balance(place, asset) for asset in ASSET_NAMES]
        return posted, [ledger.reserved(place, asset) for asset in ASSET_NAMES]

    def received_count(self) -> int:
        """Return how many parcels it has executed."""
        return sum(len(each) for each in self._received)

    def counts(self) -> tuple[int, int]:
        """Return how many transfers its accounts sent, and how many of its parcels are open."""
        return len(self._memory), len(self._open)

    def account_inclusion(self, account: int) -> Inclusion:
        """Return the proof that an account's leaf is under the summary's `accounts_root`."""
        return inclusion_of(self._book.leaves(), self._book.leaf_place(account))

    def absence(self, source: int, sequence: int) -> tuple[Inclusion, ...]:
        """Return the ranges between which a parcel of `source` is missing; raises ArgumentError where it is not."""
        return self._received[source].prove_absent(sequence)

    def set_limit(self, account: int, asset: str, highest: int | None) -> None:
        """Limit what an account may hold of an asset; None lifts the limit."""
        self._book.ledger.set_limit(int(self.founding.homes.local[account]), asset, highest)

    def limit(self, account: int, asset: str) -> int | None:
        """Return the most that an account may hold of an asset."""
        return self._book.ledger.limit(int(self.founding.homes.local[account]), asset)
