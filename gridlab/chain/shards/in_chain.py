"""The shards of a consortium chain: they execute in two phases what a block moved, and every block commits to them.

One ledger puts a block's transactions in order and decides each of them, as on any chain; so receipts are those of a
chain without shards. What moved between posted balances then goes to the shards, with one number for each movement.
Within a shard it moves at once. Between shards it is pending, credited and posted, proved by the roots on the way. The
rounds that this takes end with the block, so that after every block nothing travels and the shards hold to the last
unit what the one ledger holds.

What is only reserved (orders, locks, two-phase transfers) stays with the one ledger until it moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Self

import polars as pl

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.bridge.inclusion import Inclusion, ProofSpec, inclusion_of
from gridlab.chain.encoding import text, u32
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.ledger import TRANSFERS, Ledger
from gridlab.chain.ledger.schema import ASSET_NAMES
from gridlab.chain.shards.homes import Homes
from gridlab.chain.shards.plan import ShardPlan
from gridlab.chain.shards.proofs import amounts_under
from gridlab.chain.shards.rounds import netted, waiting
from gridlab.chain.shards.sharded import ShardedLedger
from gridlab.chain.shards.summary import ShardSummary
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["ChainAccountProof", "ChainShards", "verify_chain_account"]

_PREFIX = text("gridlab/state-shard/1")
# A round takes three blocks of all shards, and a block can be made whose every payment waits for the one before. So
# what is left after a few rounds goes net: a payer's sum to the payees' sums.
_MOST_ROUNDS = 4
# Above the numbers that the one ledger gives.
_NETTED = 1 << 63


class ChainShards:
    """The shards after a block; made by `of`, and moved on by `move`.

    Parameters
    ----------
    plan : ShardPlan
    issuers : sequence of int
        Accounts that may owe an asset; whether one may, the one ledger has decided by the time that a shard is asked.
    now : int
        Moment of genesis, microseconds since 1970-01-01 UTC.
    """

    __slots__ = ("_book", "_homes")

    def __init__(self, plan: ShardPlan, issuers: Sequence[int], now: int) -> None:
        owing = dict.fromkeys(ASSET_NAMES, issuers)
        self._homes = Homes.of(plan.homes, owing)
        self._book = ShardedLedger(plan.homes, issuers=owing, timeout=plan.timeout)
        self._book.apply_each(TRANSFERS.empty(), now=now)

    def __repr__(self) -> str:
        return f"ChainShards({len(self._homes)} accounts, {len(self._homes.names)} shards)"

    def __len__(self) -> int:
        return len(self._homes)

    def fork(self) -> Self:
        """Return an independent copy."""
        twin = copy(self)
        twin._book = self._book.fork()  # noqa: SLF001 - of its own kind
        return twin

    @property
    def names(self) -> tuple[str, ...]:
        """The shards; their numbers are the places in it."""
        return self._homes.names

    @property
    def balances(self) -> pl.DataFrame:
        """Posted balances of all accounts that have a home: account (UInt32) and one Int64 column per asset."""
        return self._book.balances

    @property
    def frame(self) -> pl.DataFrame:
        """One row per shard (`ShardedLedger.shards`)."""
        return self._book.shards

    @property
    def summaries(self) -> tuple[ShardSummary, ...]:
        """What each shard's root commits to."""
        return self._book.summaries

    def leaves(self) -> Iterator[bytes]:
        """Yield one leaf per shard: number (4 bytes) and root, behind a tag."""
        for each in self.summaries:
            yield _PREFIX + u32(each.shard) + each.root

    def move(self, before: Ledger, after: Ledger, now: int) -> None:
        """Execute what a block moved.

        Parameters
        ----------
        before, after : Ledger
            The one ledger before and after the block; the second is forked from the first.
        now : int
            The block's moment, microseconds since 1970-01-01 UTC.

        Raises
        ------
        ChainError
            A shard refuses what the one ledger took, which is an error of the program; no block is made then.
        """
        left = after.moves_since(before)
        for _ in range(_MOST_ROUNDS):
            if left.is_empty():
                return
            debit, credit = (left[side].to_numpy() for side in ("debit_account", "credit_account"))
            crossing = self._homes.shard[debit] != self._homes.shard[credit]
            held = pl.Series(waiting(debit, credit, crossing, len(self._homes)))
            self._execute(left.filter(~held), now)
            left = left.filter(held)
        if not left.is_empty():
            self._execute(netted(left, _NETTED + 2 * int(left["transfer_id"][0])), now)

    def _execute(self, moves: pl.DataFrame, now: int) -> None:
        if moves.is_empty():
            return
        results = self._book.apply_each(moves, now=now).results
        if results.applied != moves.height:
            raise ChainError(f"shards: {results!r} of {moves.height} movements that the ledger took; none may fail")
        self._book.settle(now=now)
        if not self._book.refunds.is_empty():
            raise ChainError("shards: a shard refused what the ledger took; none may fail")

    def prove(self, account: int, leaves: Sequence[bytes]) -> ChainAccountProof:
        """Return the proof of what an account holds.

        Parameters
        ----------
        account : int
        leaves : sequence of bytes
            All leaves under the state root.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            There is no such account.
        """
        require_int("account", account, 0, len(self) - 1)
        proof = self._book.prove_account(account)
        summary = proof.shard.summary
        place = list(leaves).index(_PREFIX + u32(summary.shard) + summary.root)
        return ChainAccountProof(account, proof.inclusion, summary, inclusion_of(leaves, place))


@dataclass(frozen=True, slots=True)
class ChainAccountProof:
    """The way from an account to its shard's root, and from that to the state root of a block.

    Attributes
    ----------
    account : int
    inclusion : Inclusion
        The account's leaf under the root of its shard's accounts.
    summary : ShardSummary
        What the shard's root commits to.
    shard : Inclusion
        The shard's leaf under the state root.
    """

    account: int
    inclusion: Inclusion = field(repr=False)
    summary: ShardSummary
    shard: Inclusion = field(repr=False)


_SPEC = ProofSpec("a shard", _PREFIX, 4 + HASH_BYTES, 4 + HASH_BYTES, 40)


def verify_chain_account(state_root: bytes, proof: ChainAccountProof) -> dict[str, int]:
    """Return what an account held after a block, if the proof leads to that block's state root.

    Parameters
    ----------
    state_root : bytes
        From a header that the reader trusts.
    proof : ChainAccountProof

    Returns
    -------
    dict of str to int
        Asset -> posted balance in its smallest unit.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `state_root` is not 32 bytes, or `proof` no proof.
    ChainError
        The proof does not lead to the root, or is of another account.
    """
    require_bytes("state_root", state_root, HASH_BYTES)
    parts = {"inclusion": Inclusion, "summary": ShardSummary, "shard": Inclusion}
    if not isinstance(proof, ChainAccountProof) or any(
        not isinstance(getattr(proof, name), kind) for name, kind in parts.items()
    ):
        raise ArgumentTypeError(f"proof is a {type(proof).__name__}, allowed: what chain.prove_account gives")
    found = _SPEC.require(proof.shard, state_root)
    if found != u32(proof.summary.shard) + proof.summary.root:
        raise ChainError("account proof: its shard's summary is not the one under the state root; ask for it again")
    amounts = amounts_under(proof.summary, proof.account, proof.inclusion)
    return {asset: posted for asset, (posted, _) in amounts.items()}
