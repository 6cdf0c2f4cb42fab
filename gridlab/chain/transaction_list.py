"""Transactions in a row, kept as the bytes that were signed, so that ten thousand of them are not ten thousand objects.

A `TransactionList` is a sequence of `Transaction` like a tuple of them. It holds the canonical bytes; an object is made
when somebody asks for one. Ids and verdicts on signatures are worked out once, on all processor cores, and stay with
the list through every slice and sum of lists.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, Verdicts, in_slices, open_many, well_formed
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.single_transfers import KIND, SENDER, layout_of, recognise
from gridlab.chain.transactions import ID_PREFIX, MESSAGE_PREFIX, Transaction
from gridlab.errors import ArgumentTypeError, GridlabError

__all__ = ["TransactionList"]

_verdicts = Verdicts(1 << 16)
_COLUMNS = ("_encoded", "_senders", "_objects", "_ids", "_signed")


class TransactionList(Sequence[Transaction]):
    """Transactions in order; made by `TransactionList.of`, joined with ``+``, cut by slices.

    Two lists are equal where their transactions are, and so is a list and a tuple of transactions.

    Attributes
    ----------
    chain_id : str
        The chain whose transactions are expected.
    """

    __slots__ = ("_encoded", "_ids", "_objects", "_senders", "_signed", "_single", "chain_id")

    def __init__(self, chain_id: str) -> None:
        self.chain_id = chain_id
        self._encoded: list[bytes] = []
        self._senders: list[bytes] = []
        self._single: npt.NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._objects: list[Transaction | None] = []
        self._ids: list[bytes] | None = None
        self._signed: list[bool] | None = None

    @classmethod
    def of(cls, items: Iterable[Transaction | bytes], chain_id: str) -> TransactionList:
        """Read transactions, or canonical bytes of transactions.

        Parameters
        ----------
        items : iterable of Transaction or bytes
            A `TransactionList` of this chain is returned as it is.
        chain_id : str
            The chain whose transactions are expected; those of another one are read as well, and more slowly.

        Raises
        ------
        ArgumentTypeError
            `items` cannot be gone through, or an item is neither; the error gives its place.
        GridlabError
            Bytes are not those of a transaction; the error gives the place and what is wrong.
        """
        if not isinstance(items, Iterable) or isinstance(items, (str, bytes)):
            raise ArgumentTypeError(
                f"transactions is a {type(items).__name__}, allowed: a list of Transaction, or of the bytes of each"
            )
        if isinstance(items, cls) and items.chain_id == chain_id:
            return items
        given = list(items)
        own = cls(chain_id)
        own._objects = [item if isinstance(item, Transaction) else None for item in given]
        own._encoded = [
            _bytes_of(item, place) if known is None else known.to_bytes()
            for place, (item, known) in enumerate(zip(given, own._objects, strict=True))
        ]
        own._single = recognise(own._encoded, chain_id)
        for place in np.flatnonzero(~own._single).tolist():
            own._objects[place] = own._objects[place] or _read(own._encoded[place], place)
        start = layout_of(chain_id).fields.fields[SENDER][1]  # type: ignore[index]
        end = start + PUBLIC_KEY_BYTES
        own._senders = [
            whole[start:end] if single else known.sender  # type: ignore[union-attr]
            for whole, single, known in zip(own._encoded, own._single.tolist(), own._objects, strict=True)
        ]
        return own

    def __repr__(self) -> str:
        return f"TransactionList({len(self)} transactions)"

    def __len__(self) -> int:
        return len(self._encoded)

    def __iter__(self) -> Iterator[Transaction]:
        return (self[place] for place in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Transaction: ...

    @overload
    def __getitem__(self, index: slice) -> TransactionList: ...

    def __getitem__(self, index: int | slice) -> Transaction | TransactionList:
        if isinstance(index, slice):
            return self._each(lambda column: column[index], self._single[index])
        known = self._objects[index]
        if known is None:
            known = self._objects[index] = Transaction.from_bytes(self._encoded[index])
        return known

    def __add__(self, other: TransactionList) -> TransactionList:
        if not isinstance(other, TransactionList):
            return NotImplemented
        return TransactionList.joined([self, other], self.chain_id)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TransactionList):
            return self._encoded == other._encoded
        if isinstance(other, tuple):
            return tuple(self) == other
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    @classmethod
    def joined(cls, lists: Sequence[TransactionList], chain_id: str) -> TransactionList:
        """Return the transactions of all lists, end to end, as a list of this chain."""
        # An empty list knows no ids and no verdicts, and must not make the others forget theirs.
        lists = [cls.of(each, chain_id) for each in lists if len(each)]
        own = cls(chain_id)
        for name in _COLUMNS:
            columns = [getattr(each, name) for each in lists]
            known = all(column is not None for column in columns)
            setattr(own, name, list(itertools.chain.from_iterable(columns)) if known else None)
        own._single = np.concatenate([own._single, *(each.single for each in lists)])
        return own

    def take(self, places: Sequence[int]) -> TransactionList:
        """Return the transactions at these places, in this order."""
        return self._each(lambda column: [column[place] for place in places], self._single[list(places)])

    def _each(self, choose: Callable[[list[Any]], list[Any]], single: npt.NDArray[np.bool_]) -> TransactionList:
        own = TransactionList(self.chain_id)
        own._single = single
        for name in _COLUMNS:
            column = getattr(self, name)
            setattr(own, name, None if column is None else choose(column))
        return own

    @property
    def encoded(self) -> Sequence[bytes]:
        """The canonical bytes of each; not to be changed."""
        return self._encoded

    @property
    def senders(self) -> Sequence[bytes]:
        """The public key of each sender; not to be changed."""
        return self._senders

    @property
    def single(self) -> npt.NDArray[np.bool_]:
        """Which of them are a single transfer of the expected chain (`gridlab.chain.single_transfers`)."""
        return self._single

    @property
    def kinds(self) -> list[str]:
        """The kind of each."""
        return [KIND if single else self[place].kind for place, single in enumerate(self._single.tolist())]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """How many canonical bytes each has."""
        return np.fromiter(map(len, self._encoded), np.int64, len(self))

    @property
    def ids(self) -> Sequence[bytes]:
        """The id of each, 32 bytes; not to be changed."""
        if self._ids is None:
            self._ids = _ids(self._encoded, [None if each is None else each.id for each in self._objects])
        return self._ids

    @property
    def signed(self) -> Sequence[bool]:
        """Whether the signature of each is its sender's; not to be changed."""
        if self._signed is None:
            self._check()
        return self._signed or []

    def _check(self) -> None:
        known = [None if each is None else each.id for each in self._objects] if self._ids is None else self._ids
        found = in_slices(_checked, list(zip(self._senders, self._encoded, known, strict=True)))
        self._ids = [name for name, _ in found]
        self._signed = [verdict for _, verdict in found]


def _bytes_of(item: object, place: int) -> bytes:
    if not isinstance(item, bytes):
        raise ArgumentTypeError(
            f"transactions[{place}] is a {type(item).__name__}, allowed: a Transaction, or the bytes that its "
            "to_bytes() returns"
        )
    return item


def _read(data: bytes, place: int) -> Transaction:
    try:
        return Transaction.from_bytes(data)
    except GridlabError as problem:
        raise type(problem)(f"transactions[{place}]: {problem}") from problem


def _ids(encoded: Sequence[bytes], known: Sequence[bytes | None]) -> list[bytes]:
    constructor = hashlib.blake2b
    return [
        name or constructor(ID_PREFIX + whole, digest_size=HASH_BYTES).digest()
        for whole, name in zip(encoded, known, strict=True)
    ]


def _checked(rows: Sequence[tuple[bytes, bytes, bytes | None]]) -> list[tuple[bytes, bool]]:
    # Hashing goes with the signatures, because there the interpreter is free while a signature is being checked.
    ids = _ids([whole for _, whole, _ in rows], [name for *_, name in rows])
    # An id commits to the key, the message and the signature, and so can stand for the three of them.
    known = _verdicts.get_many(ids)
    fresh = [place for place, verdict in enumerate(known) if verdict is None]
    if fresh:
        chosen = [rows[place][:2] for place in fresh]
        for place, verdict in zip(fresh, _verdicts_of(chosen), strict=True):
            known[place] = verdict
        _verdicts.put_many([ids[place] for place in fresh], [bool(known[place]) for place in fresh])
    return [(name, bool(verdict)) for name, verdict in zip(ids, known, strict=True)]


def _verdicts_of(pairs: Sequence[tuple[bytes, bytes]]) -> list[bool]:
    keys = [key for key, _ in pairs]
    signatures = b"".join(whole[-SIGNATURE_BYTES:] for _, whole in pairs)
    sound = well_formed(
        np.frombuffer(b"".join(keys), np.uint8).reshape(-1, PUBLIC_KEY_BYTES),
        np.frombuffer(signatures, np.uint8).reshape(-1, SIGNATURE_BYTES),
    )
    # A transaction is the chain's name, the body and the signature; its message is a tag, the name and the body.
    signed = [whole[-SIGNATURE_BYTES:] + MESSAGE_PREFIX + whole[:-SIGNATURE_BYTES] for _, whole in pairs]
    if sound.all():
        return open_many(keys, signed)
    verdicts = np.zeros(len(pairs), np.bool_)
    chosen = np.flatnonzero(sound).tolist()
    verdicts[chosen] = open_many([keys[place] for place in chosen], [signed[place] for place in chosen])
    return verdicts.tolist()
