"""All hash time locks of one chain, and what they do to its ledger.

A lock is a pending transfer from payer to payee, a claim posts it, a refund voids it. So what is locked is reserved,
cannot be spent twice, and a claim can never fail for want of money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.encoding import Reader, blob, compact, text, u8, u64
from gridlab.chain.hashing import HASH_BYTES, tagged_hash
from gridlab.chain.ledger import ASSETS, Ledger
from gridlab.chain.moments import LATEST
from gridlab.chain.senders import LOCK_SENDER
from gridlab.chain.swaps.hashlock import STATUSES, HashLock, LockTerms, hash_of, require_preimage
from gridlab.chain.swaps.postings import Posting, apply_postings, require_holder, require_ledger
from gridlab.chain.swaps.stops import LONGEST_CHAIN_ID, Stops, require_stops
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["LockBook"]

_DOMAIN = "gridlab/hash-locks/1"


@dataclass(frozen=True, slots=True)
class LockBook:
    """Every lock there has been on a chain. Never changed: its methods return a new book, and change the ledger last.

    Attributes
    ----------
    chain : str
        The chain's id, at most 64 bytes.
    locks : mapping of bytes to HashLock
        By id, in the order of their numbers.
    """

    chain: str
    locks: Mapping[bytes, HashLock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text("chain", self.chain, longest=LONGEST_CHAIN_ID)

    def __getitem__(self, lock_id: bytes) -> HashLock:
        """Return a lock; raises ChainError where there is none with this id."""
        require_bytes("lock_id", lock_id, HASH_BYTES)
        if lock_id not in self.locks:
            raise ChainError(f"lock {lock_id.hex()} is not known on {self.chain!r}, which has {len(self.locks)} locks")
        return self.locks[lock_id]

    def lock(self, ledger: Ledger, terms: LockTerms, now: int, stops: Stops) -> tuple[LockBook, HashLock]:
        """Reserve an amount under a hash, and return the book with the lock, and the lock.

        Parameters
        ----------
        ledger : Ledger
            Is changed, unless an error is raised.
        terms : LockTerms
        now : int
            Of the block, microseconds since 1970.
        stops : Stops

        Raises
        ------
        ArgumentTypeError, ArgumentError
            A wrong type, or an account that does not exist.
        ChainError
            The timeout is not ahead, the chain stands, the preimage of this hash is public on this chain already, or
            the payer issues the asset.
        LedgerError
            The payer has not that much to spend, or the payee may not hold that much.
        """
        require_ledger(ledger)
        if not isinstance(terms, LockTerms):
            raise ArgumentTypeError(f"terms is a {type(terms).__name__}, allowed: LockTerms(…)")
        require_int("now", now, 0, LATEST)
        self._require_running(stops, terms.asset)
        if terms.timeout <= now:
            raise ChainError(f"lock: its timeout {terms.timeout} is not after now, {now}; choose a later one")
        if any(lock.status == "claimed" and lock.terms.hash == terms.hash for lock in self.locks.values()):
            raise ChainError("lock: the preimage of this hash is public already, so anybody could claim; take another")
        require_holder(ledger, terms.payer, terms.asset, "lock")
        require_holder(ledger, terms.payee, terms.asset, "lock")
        made = HashLock(self.chain, len(self.locks), terms, now)
        self._post(ledger, made, "pending", now)
        return self._with(made), made

    def claim(
        self, ledger: Ledger, lock_id: bytes, preimage: bytes, now: int, stops: Stops
    ) -> tuple[LockBook, HashLock]:
        """Pay a lock to its payee; anybody may bring the preimage. Errors as of `HashLock.claim`."""
        require_ledger(ledger)
        claimed = self[lock_id].claim(preimage, now, stops)
        self._post(ledger, claimed, "post", now)
        return self._with(claimed), claimed

    def refund(self, ledger: Ledger, lock_id: bytes, now: int, stops: Stops) -> tuple[LockBook, HashLock]:
        """Give a lock back to its payer; anybody may ask for it. Errors as of `HashLock.refund`."""
        require_ledger(ledger)
        refunded = self[lock_id].refund(now, stops)
        self._post(ledger, refunded, "void", now)
        return self._with(refunded), refunded

    def preimage_of(self, digest: bytes) -> bytes | None:
        """Return the preimage of a hash if a claim has shown it here, else None."""
        found = (lock.preimage for lock in self.locks.values() if lock.terms.hash == digest and lock.preimage)
        return next(found, None)

    def _require_running(self, stops: Stops, asset: str) -> None:
        if require_stops(stops).standing(self.chain, asset):
            raise ChainError(f"lock: {self.chain!r} stands, or {asset} on it; wait until it goes on")

    def _with(self, lock: HashLock) -> LockBook:
        return LockBook(self.chain, {**self.locks, lock.id: lock})

    @staticmethod
    def _post(ledger: Ledger, lock: HashLock, phase: str, now: int) -> None:
        terms, number = lock.terms, 2 * lock.number
        amount, code = (terms.amount, "reservation") if phase == "pending" else (0, "transfer")
        closing = (number + 1, number) if phase != "pending" else (number, 0)
        row = Posting(closing[0], terms.payer, terms.payee, terms.asset, amount, code, phase, closing[1])
        apply_postings(ledger, [row], sender=LOCK_SENDER, now=now)

    @property
    def frame(self) -> pl.DataFrame:
        """One row per lock: number, status, payer, payee, asset, amount, locked_at, timeout (µs), hash, preimage."""
        locks = list(self.locks.values())
        return pl.DataFrame(
            {
                "number": pl.Series([lock.number for lock in locks], dtype=pl.UInt64),
                "status": pl.Series([lock.status for lock in locks], dtype=pl.Enum(STATUSES)),
                "payer": pl.Series([lock.terms.payer for lock in locks], dtype=pl.UInt32),
                "payee": pl.Series([lock.terms.payee for lock in locks], dtype=pl.UInt32),
                "asset": pl.Series([lock.terms.asset for lock in locks], dtype=ASSETS),
                "amount": pl.Series([lock.terms.amount for lock in locks], dtype=pl.Int64),
                "locked_at": pl.Series([lock.locked_at for lock in locks], dtype=pl.Int64),
                "timeout": pl.Series([lock.terms.timeout for lock in locks], dtype=pl.Int64),
                "hash": pl.Series([lock.terms.hash for lock in locks], dtype=pl.Binary),
                "preimage": pl.Series([lock.preimage for lock in locks], dtype=pl.Binary),
            }
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever locked."""
        return not self.locks

    @property
    def hash(self) -> bytes:
        """Hash over all locks, 32 bytes."""
        return tagged_hash(_DOMAIN, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        rows = [
            blob(lock.terms.to_bytes()) + u64(lock.locked_at) + u8(STATUSES.index(lock.status)) + blob(lock.preimage)
            for lock in self.locks.values()
        ]
        return b"".join([text(self.chain), compact(len(rows)), *rows])

    @classmethod
    def from_bytes(cls, data: bytes) -> LockBook:
        """Read what `to_bytes` wrote; raises a GridlabError where the bytes are damaged."""
        reader = Reader(data, "hash locks")
        chain, locks = reader.text(), {}
        for number in range(reader.compact()):
            lock = _read_lock(reader, chain, number)
            locks[lock.id] = lock
        reader.finish()
        return cls(chain, locks)


def _read_lock(reader: Reader, chain: str, number: int) -> HashLock:
    inner = Reader(reader.blob(), "hash lock")
    terms = LockTerms.read(inner)
    inner.finish()
    locked_at, status, preimage = reader.u64(), reader.u8(), reader.blob()
    if status >= len(STATUSES) or (STATUSES[status] == "claimed") != bool(preimage):
        raise reader.error(f"lock {number} has status {status} and a preimage of {len(preimage)} bytes")
    if preimage and hash_of(require_preimage(preimage)) != terms.hash:
        raise reader.error(f"the preimage of lock {number} has another hash")
    return HashLock(chain, number, terms, locked_at, STATUSES[status], preimage)
