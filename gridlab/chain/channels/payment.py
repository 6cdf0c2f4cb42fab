"""A payment channel: a meter pays its seller for every reading, and the chain sees two transactions, open and close.

Both ends live in one object here, so that a lesson can look at both. They exchange nothing but signed states, and each
checks the other's as if it came over a wire (`gridlab.chain.channels.endpoint`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.channels.batch import messages_of, sign_and_check
from gridlab.chain.channels.endpoint import Agree, endpoints, gives_me_no_less
from gridlab.chain.channels.record import ChannelRecord
from gridlab.chain.channels.signed import SignedState
from gridlab.chain.channels.states import LATEST_VERSION, ChannelState, Pair, paid, require_side
from gridlab.chain.keys import KeyPair
from gridlab.chain.ledger.schema import LARGEST
from gridlab.doors import through
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["PaymentChannel"]

Int64Array = npt.NDArray[np.int64]


class PaymentChannel:
    """Both ends of an open channel.

    Parameters
    ----------
    chain : str
        Id of the chain.
    channel : bytes
        Id of the channel, as `ChannelBook.open` returns it.
    pairs : sequence of KeyPair
        Of side 0 and side 1.
    record : ChannelRecord
        What the chain knows of the channel.

    Raises
    ------
    ArgumentTypeError
        A wrong type.
    ChainError
        The channel is not open, or the pairs are not those that opened it.
    """

    def __init__(self, chain: str, channel: bytes, pairs: Sequence[KeyPair], record: ChannelRecord) -> None:
        require_sequence("pairs", pairs, KeyPair)
        if not isinstance(record, ChannelRecord):
            raise ArgumentTypeError(f"record is a {type(record).__name__}, allowed: a ChannelRecord")
        if record.phase != "open" or record.opening.id(chain, record.number) != channel:
            raise ChainError(f"channel {record.number} is {record.phase}, or has another id on {chain!r}; open one")
        if tuple(pair.public_key for pair in pairs) != record.opening.public_keys:
            raise ChainError(f"pairs: not those that opened channel {record.number}, allowed: both, in order of sides")
        self.chain, self.channel = chain, channel
        first = ChannelState(channel, 0, record.deposited, record.deposited)
        self.ends = endpoints(chain, pairs, first)
        self._versions: list[Int64Array] = [np.zeros(1, np.int64)]
        self._balances: list[Int64Array] = [np.array([first.balances], np.int64)]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.channel.hex()[:8]}, version {self.version}, balances {self.balances})"

    @property
    def plot(self) -> Any:
        """Pictures: ``channel.plot.balances()`` (HoloViews)."""
        return through("channel_plot", self)

    @property
    def latest(self) -> SignedState:
        """The newest state that both have signed."""
        return max(self.ends, key=lambda end: end.latest.state.version).latest

    @property
    def version(self) -> int:
        """Of the newest state."""
        return self.latest.state.version

    @property
    def balances(self) -> Pair:
        """What each side holds in the newest state, the asset's smallest unit."""
        return self.latest.state.balances

    def pay(self, amount: int, *, payer: int = 0) -> SignedState:
        """Pay the other side `amount` (smallest unit); return the state that both have signed.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            The amount is not a whole number above 0, or the payer not 0 or 1.
        ChainError
            The payer holds less.
        """
        return self.update(self.following(paid(self.balances, payer, amount)), proposer=payer)

    def following(self, balances: Pair, **changes: object) -> ChannelState:
        """Return a state that both would sign next, of a version that neither has signed yet."""
        version = max(end.next_version for end in self.ends)
        return self.latest.state.next(balances, version=version, **changes)

    def update(self, state: ChannelState, *, proposer: int, agree: Agree = gives_me_no_less) -> SignedState:
        """Let one side propose a state and the other answer by its own check."""
        mine, yours = self.ends[require_side(proposer)], self.ends[1 - proposer]
        half = mine.propose(state)
        try:
            whole = yours.answer(half, agree)
        except ChainError:
            mine.withdraw()
            raise
        mine.complete(whole)
        self._note(np.array([state.version], np.int64), np.array([state.balances], np.int64))
        return whole

    def pay_many(self, amounts: Sequence[int] | npt.NDArray[np.int64] | pl.Series, *, payer: int = 0) -> SignedState:
        """Pay amount after amount, each in a state of its own that both sign and both verify.

        Parameters
        ----------
        amounts : sequence, array or Series of int
            Smallest unit, each above 0.
        payer : int

        Returns
        -------
        SignedState
            The last state. The chain needs no other.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An amount is not a whole number above 0, or there is none.
        ChainError
            The payer does not hold the sum. Nothing was paid.
        """
        require_side(payer)
        column = _amounts(amounts)
        latest = self.latest.state
        self._require_ready(len(column))
        totals = np.cumsum(column)
        # A sum that Int64 cannot hold wraps around, and so falls.
        if (np.diff(totals, prepend=0) < 0).any() or totals[-1] > latest.balances[payer]:
            raise ChainError(
                f"payments of {sum(map(int, column))} in all: side {payer} holds {latest.balances[payer]} in the "
                "channel; pay less, or top up"
            )
        change = np.stack([totals, -totals] if payer else [-totals, totals], axis=1)
        balances = np.array(latest.balances, np.int64) + change
        self._agree(balances, payer)
        return self.latest

    def _agree(self, balances: Int64Array, payer: int) -> None:
        latest, count = self.latest.state, len(balances)
        # The states go on from the last version that anybody has signed.
        latest = replace(latest, version=max(end.next_version for end in self.ends) - 1)
        messages = messages_of(latest, self.chain, balances)
        signatures = [b"", b""]
        for side in (payer, 1 - payer):
            signatures[side], bad = sign_and_check(self.ends[side].pair, messages)
            if bad is not None:
                raise ChainError(f"pay_many: side {side}'s signature of state {latest.version + 1 + bad} is bad")
        last = (int(balances[-1, 0]), int(balances[-1, 1]))
        state = replace(latest, version=latest.version + count, balances=last)
        whole = SignedState(state, (signatures[0], signatures[1]))
        for end in self.ends:
            end.adopt(whole)
        self._note(latest.version + 1 + np.arange(count), balances)

    def _require_ready(self, count: int) -> None:
        if any(end.offered is not None for end in self.ends) or self.ends[0].latest != self.ends[1].latest:
            raise ChainError("pay_many: a state is signed by one side only; let the other answer first")
        latest = self.latest.state
        if latest.final:
            raise ChainError(f"state {latest.version} is final: the channel closes with it, nothing may follow")
        require_int("version", latest.version + count, 1, min(LATEST_VERSION, LARGEST))

    def topped_up(self, record: ChannelRecord) -> SignedState:
        """Agree on a state that counts on what the chain says was deposited since.

        Raises
        ------
        ChainError
            The record is of another channel, or the chain holds nothing new.
        """
        latest = self.latest.state
        if record.opening.id(self.chain, record.number) != self.channel or record.deposited == latest.deposits:
            raise ChainError("topped_up: the record is of another channel, or holds no new deposit; top up first")
        for end in self.ends:
            end.deposits = record.deposited
        added = [now - before for now, before in zip(record.deposited, latest.deposits, strict=True)]
        balances = (latest.balances[0] + added[0], latest.balances[1] + added[1])
        return self.update(self.following(balances, deposits=record.deposited), proposer=0)

    def finish(self) -> SignedState:
        """Agree that the newest balances are final; the chain then pays out at once."""
        return self.update(self.following(self.balances, final=True), proposer=0)

    def _note(self, versions: Int64Array, balances: Int64Array) -> None:
        self._versions.append(versions)
        self._balances.append(balances)

    @property
    def history(self) -> pl.DataFrame:
        """Balances over versions: version, balance_0, balance_1 (Int64, smallest unit)."""
        balances = np.concatenate(self._balances)
        return pl.DataFrame(
            {
                "version": np.concatenate(self._versions),
                "balance_0": np.ascontiguousarray(balances[:, 0]),
                "balance_1": np.ascontiguousarray(balances[:, 1]),
            }
        )


def _amounts(amounts: object) -> Int64Array:
    column = amounts.to_numpy() if isinstance(amounts, pl.Series) else amounts
    if not isinstance(column, np.ndarray):
        for place, amount in enumerate(require_sequence("amounts", column, int)):
            require_int(f"amounts[{place}]", amount, 1, LARGEST)
        column = np.array(column, np.int64)
    if column.dtype.kind not in "iu" or column.ndim != 1:
        raise ArgumentTypeError(f"amounts is {column.dtype} in {column.ndim} dimensions, allowed: integers in 1")
    require_int("how many amounts there are", len(column), 1)
    require_int("the least of the amounts", int(column.min()), 1)
    require_int("the largest of the amounts", int(column.max()), 1, LARGEST)
    return column.astype(np.int64)
