"""A ledger in shards by region: each shard keeps its accounts, what goes between them takes two phases.

A block gives every shard its letters, then the transfers that its own accounts pay. Within a shard they are applied row
by row as `gridlab.chain.ledger.Ledger.apply_each` does. A transfer into another shard

1. is *pending* at its source, so that its payer cannot spend the amount again, and travels in a parcel, which is proved
   to be in the source's outbox;
2. is *credited* by the destination, once by (source, destination, sequence), before its timeout by the destination's
   clock; or refused there (a limit, a reserve), or timed out;
3. is *posted* at the source when a receipt proves that it was credited, or *voided* when a receipt proves that it was
   refused, or when the parcel is proved not to have been received by its timeout.

The rule about order: **what arrives from another shard may be spent from the block on that receives it.** With this
rule one ledger that does the same (every transfer between shards pending towards a transit account, the letters of a
block before its transfers) has the same refusals and the same balances, block by block, however many shards and
processes there are.

References
----------
Bernstein, Hadzilacos, Goodman, "Concurrency control and recovery in database systems", 1987, chapter 7 (two phases).
Kokoris-Kogias et al., "OmniLedger: a secure, scale-out, decentralized ledger via sharding", IEEE S&P 2018, section IV
(atomic commit between shards by proofs of acceptance and rejection).
Interchain Standards, "ICS-004: Channel and packet semantics", 2019 (timeouts, proof of non-receipt).
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int, require_mapping
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.ledger import Columns, Results
from gridlab.chain.ledger.doors import require_asset, require_moment
from gridlab.chain.ledger.results import OK
from gridlab.chain.ledger.schema import LARGEST, TRANSFERS
from gridlab.chain.shards.doors import checked, own_faults
from gridlab.chain.shards.homes import Homes
from gridlab.chain.shards.hosts import Host, LocalHost, WorkerHost
from gridlab.chain.shards.letters import AbsenceLetter, BlockMark, Letter, ParcelLetter, ReceiptLetter, prove_shard
from gridlab.chain.shards.parcels import Key, require_key
from gridlab.chain.shards.postings import Founding
from gridlab.chain.shards.proofs import AccountProof
from gridlab.chain.shards.shard import Done, Work
from gridlab.chain.shards.summary import ShardSummary, block_root
from gridlab.chain.shards.travel import Voyages
from gridlab.chain.shards.views import ShardViews
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError

__all__ = ["ShardBlock", "ShardedLedger"]

Int64Array = npt.NDArray[np.int64]

_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ShardBlock:
    """What a block did.

    Attributes
    ----------
    height : int
        Counts from 0.
    timestamp : int
        Microseconds since 1970-01-01 UTC.
    root : bytes
        RFC 6962 root over the shards' roots, 32 bytes.
    results : Results
        What became of each transfer; "ok" of one between shards says that it is on its way.
    crossing : int
        How many of them left their shard.
    refused : polars.DataFrame
        Letters that were not believed: letter (its place in `deliver`), kind, reason.
    """

    height: int
    timestamp: int
    root: bytes = field(repr=False)
    results: Results
    crossing: int
    refused: pl.DataFrame = field(repr=False)


class ShardedLedger(ShardViews):
    """Accounts in shards.

    Parameters
    ----------
    homes : polars.DataFrame or polars.LazyFrame
        Account and shard, as `gridlab.chain.shards.home_shards` gives them or as you like.
    issuers, backing : mapping, optional
        As for `gridlab.chain.ledger.Ledger`. Issuers live in a shard of their own, named ``supply``.
    timeout : int
        How long a parcel may be executed after its block, microseconds.
    workers : int
        Processes among which the shards are divided; 0 keeps all in this one.

    Raises
    ------
    ArgumentTypeError, ArgumentError, FrameError, ChainError
        A wrong type, an unknown asset, accounts with gaps, or more workers than shards.

    Examples
    --------
    >>> homes = pl.DataFrame({"account": [0, 1, 2], "shard": ["MEA", "MEA", "N1"]})
    >>> book = ShardedLedger(homes, issuers={"WATT": [0]})
    >>> def pay(number, debit, credit, amount):
    ...     return pl.DataFrame({"transfer_id": [number], "debit_account": [debit], "credit_account": [credit],
    ...                          "asset": ["WATT"], "amount": [amount], "code": ["transfer"]})
    >>> book.apply_each(pay(1, 0, 1, 5_000_000)).results, book.balance(1, "WATT")
    (Results(1 applied, 0 existing, 0 refused), 0)
    >>> book.settle(), book.balance(1, "WATT")
    (2, 5000000)
    """

    def __init__(
        self,
        homes: pl.DataFrame | pl.LazyFrame,
        *,
        issuers: Mapping[str, Sequence[int]] | None = None,
        backing: Mapping[str, str] | None = None,
        timeout: int = _MINUTE,
        workers: int = 0,
    ) -> None:
        self._homes = Homes.of(homes, issuers or {})
        self._timeout = require_int("timeout", timeout, 1, LARGEST)
        count = len(self._homes.names)
        require_int("workers", workers, 0, count)
        pairs = tuple(require_mapping("backing", backing or {}).items())
        for token, reserve in pairs:
            if require_asset(token) == require_asset(reserve):
                raise ArgumentError(f"backing: {token} backs itself, allowed: another asset as reserve")
        issuing = tuple((asset, int(account)) for asset, accounts in (issuers or {}).items() for account in accounts)
        self._issuers = issuing
        foundings = [Founding(shard, self._homes, issuing, pairs) for shard in range(count)]
        self._host: Host = WorkerHost(foundings, workers) if workers else LocalHost(foundings)
        self._finish = weakref.finalize(self, self._host.close)
        self._workers = workers
        self._marks: list[BlockMark] = []
        self._summaries: list[ShardSummary] = []
        self._voyages = Voyages(self._homes.names)
        self._broken = ""

    def __len__(self) -> int:
        return len(self._homes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fork(self) -> ShardedLedger:
        """Return an independent copy; raises ChainError where the shards live in worker processes."""
        self._require_whole()
        if not isinstance(self._host, LocalHost):
            raise ChainError("sharded ledger: its shards live in worker processes; make it with workers=0 to copy it")
        twin, host = copy(self), self._host.fork()
        twin._host, twin._finish = host, weakref.finalize(twin, host.close)  # noqa: SLF001 - of its own kind
        twin._marks, twin._summaries = list(self._marks), list(self._summaries)  # noqa: SLF001 - of its own kind
        twin._voyages = self._voyages.fork()  # noqa: SLF001 - of its own kind
        return twin

    def close(self) -> None:
        """End the worker processes; the ledger cannot be used any more."""
        self._finish()
        self._broken = self._broken or "it was closed"

    @property
    def height(self) -> int:
        """How many blocks there are."""
        return len(self._marks)

    @property
    def summaries(self) -> tuple[ShardSummary, ...]:
        """What each shard's root commits to after the last block."""
        return tuple(self._summaries)

    @property
    def root(self) -> bytes:
        """RFC 6962 root over the shards' roots after the last block, with BLAKE2b-256; 32 bytes.

        Raises
        ------
        ChainError
            There is no block yet.
        """
        return self._last().root

    def _last(self) -> BlockMark:
        if not self._marks:
            raise ChainError("sharded ledger: there is no block yet; apply_each makes one")
        return self._marks[-1]

    def _ask(self, shard: int, method: str, *arguments: Any) -> Any:
        self._require_whole()
        return self._host.ask(shard, method, *arguments)

    def _require_whole(self) -> None:
        if self._broken:
            raise ChainError(f"sharded ledger: it cannot be used, since {self._broken}; make it anew")

    def apply_each(
        self,
        transfers: pl.DataFrame | pl.LazyFrame,
        *,
        now: int | None = None,
        deliver: Sequence[Letter] | None = None,
    ) -> ShardBlock:
        """Make a block: deliver letters, then apply each transfer by itself.

        Parameters
        ----------
        transfers : polars.DataFrame or polars.LazyFrame
            As `gridlab.chain.ledger.TRANSFERS`, without phases and links; the order of rows is the order of events. A
            transfer's id belongs to the account that pays.
        now : int, optional
            The block's moment, microseconds since 1970-01-01 UTC, not before the last block's; by default that one's.
        deliver : sequence of letters, optional
            What messengers bring, in this order; by default every letter that is due.

        Returns
        -------
        ShardBlock

        Raises
        ------
        ArgumentTypeError, ArgumentError, FrameError, LedgerError
            A wrong type, a moment before the last block's, a frame that is none, or a row with a phase; then nothing
            has changed.
        ChainError
            A worker process has ended, or the ledger was closed.
        """
        self._require_whole()
        columns, moment = checked(transfers), self._moment(now)
        letters = self._due(moment) if deliver is None else _require_letters(deliver)
        routed = [each for each in range(len(letters)) if letters[each].reader < len(self._homes.names)]
        codes = own_faults(columns, len(self))
        works, places = self._works(columns, codes, moment, [letters[each] for each in routed])
        done = self._executed(works)
        for rows, each in zip(places, done, strict=True):
            codes[rows] = each.codes
        reasons: list[str | None] = ["no such shard"] * len(letters)
        for shard, each in enumerate(done):
            own = [place for place in routed if letters[place].reader == shard]
            for place, reason in zip(own, each.refused, strict=True):
                reasons[place] = reason
        root = self._seal(moment, done, [each for each, why in zip(letters, reasons, strict=True) if why is None])
        crossing = sum(len(parcel) for each in done for parcel, _ in each.parcels)
        return ShardBlock(self.height - 1, moment, root, Results(codes), crossing, _refused_frame(letters, reasons))

    def _moment(self, now: int | None) -> int:
        last = self._marks[-1].timestamp if self._marks else 0
        moment = last if now is None else require_moment(now)
        if moment < last:
            raise ArgumentError(f"now is {moment}, allowed: at least {last}, the moment of the last block")
        if moment + self._timeout > LARGEST:
            latest = LARGEST - self._timeout
            raise ArgumentError(f"now is {moment}, allowed: at most {latest}, so that a timeout fits in Int64")
        return moment

    def _works(
        self, columns: Columns, codes: npt.NDArray[np.uint8], moment: int, letters: list[Letter]
    ) -> tuple[list[Work], list[Int64Array]]:
        """Return per shard its work, and the places of its rows in the batch."""
        sound = np.flatnonzero(codes == OK)
        shard = self._homes.shard[columns.debit_account[sound]]
        order = np.argsort(shard.astype(np.uint16), kind="stable")
        bounds = np.searchsorted(shard[order], np.arange(len(self._homes.names) + 1))
        places = [sound[order[start:stop]] for start, stop in pairwise(bounds)]
        news = tuple(self._marks[-1:])
        works = [
            Work(moment, moment + self._timeout, news, tuple(each for each in letters if each.reader == shard), rows)
            for shard, rows in enumerate(columns.rows(own) for own in places)
        ]
        return works, places

    def _executed(self, works: list[Work]) -> list[Done]:
        try:
            return self._host.execute(works)
        except BaseException:
            # Some shards have done the block and others have not.
            self._broken = f"block {self.height} failed in one of its shards"
            raise

    def _seal(self, moment: int, done: list[Done], believed: list[Letter]) -> bytes:
        self._summaries = [each.summary for each in done]
        self._marks.append(BlockMark(block_root(self._summaries), moment))
        self._voyages.note(self.height - 1, done, believed)
        return self._marks[-1].root

    @property
    def letters(self) -> list[ParcelLetter | ReceiptLetter]:
        """What waits for a messenger: receipts of parcels that were executed, the other parcels themselves."""
        return [each.answer or each.letter for each in self._voyages.travelling.values()]

    def absence(self, key: Key) -> AbsenceLetter:
        """Return the proof that a parcel had not been received by the last block.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `key` is not (source, destination, sequence), or the parcel was received.
        """
        source, destination, sequence = require_key(key)
        for name, shard in (("source", source), ("destination", destination)):
            require_int(name, shard, 0, len(self._homes.names) - 1)
        self._last()
        proof = prove_shard(self.height - 1, self._summaries, destination)
        neighbours = self._ask(destination, "absence", source, sequence)
        return AbsenceLetter(proof, key, neighbours)

    def _due(self, moment: int) -> list[Letter]:
        found: list[Letter] = []
        for key, each in self._voyages.travelling.items():
            if each.answer is not None or moment < each.parcel.timeout:
                found.append(each.answer or each.letter)
            elif self._last().timestamp >= each.parcel.timeout:
                found.append(self.absence(key))
        return found

    def settle(self, *, now: int | None = None) -> int:
        """Make empty blocks until nothing is in flight; return how many it took.

        Parameters
        ----------
        now : int, optional
            Moment of these blocks; by default the last block's.
        """
        start = self.height
        while self._voyages.travelling:
            self.apply_each(TRANSFERS.empty(), now=now)
        return self.height - start

    def set_limit(self, account: int, asset: str, highest: int | None) -> None:
        """Let `account` hold at most `highest` of `asset`, as `gridlab.chain.ledger.Ledger.set_limit` does.

        A transfer from another shard that would exceed it is refused there and refunded.
        """
        require_asset(asset)
        self._ask(self._home(account), "set_limit", account, asset, highest)

    def limit(self, account: int, asset: str) -> int | None:
        """Return the most that `account` may hold of `asset`, None where it has no limit."""
        require_asset(asset)
        bound: int | None = self._ask(self._home(account), "limit", account, asset)
        return bound

    def prove_account(self, account: int) -> AccountProof:
        """Return the proof of what an account held after the last block, up to that block's root.

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            There is no such account, or no block yet.
        """
        self._last()
        shard = self._home(account)
        inclusion = self._ask(shard, "account_inclusion", account)
        return AccountProof(account, inclusion, prove_shard(self.height - 1, self._summaries, shard))

    def _home(self, account: int) -> int:
        return int(self._homes.shard[require_int("account", account, 0, len(self) - 1)])

    def __repr__(self) -> str:
        where = f"{self._workers} workers" if self._workers else "this process"
        last = hexadecimal(self.root)[:12] + "…" if self._marks else "no block"
        return f"ShardedLedger({len(self)} accounts, {len(self._homes.names)} shards in {where}, {last})"


def _require_letters(deliver: object) -> list[Letter]:
    if not isinstance(deliver, Sequence) or isinstance(deliver, (bytes, str)):
        raise ArgumentTypeError(f"deliver is a {type(deliver).__name__}, allowed: a list of letters, None for all due")
    for place, each in enumerate(deliver):
        if not isinstance(each, (ParcelLetter, ReceiptLetter, AbsenceLetter)):
            raise ArgumentTypeError(f"deliver[{place}] is a {type(each).__name__}, allowed: what `letters` holds")
    return list(deliver)


def _refused_frame(letters: Sequence[Letter], reasons: Sequence[str | None]) -> pl.DataFrame:
    rows = [(place, why) for place, why in enumerate(reasons) if why is not None]
    kinds = [type(letters[place]).__name__.removesuffix("Letter").lower() for place, _ in rows]
    schema: dict[str, Any] = {"letter": pl.UInt32, "kind": pl.String, "reason": pl.String}
    return pl.DataFrame([[place for place, _ in rows], kinds, [why for _, why in rows]], schema=schema)
