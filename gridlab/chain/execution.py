"""Executing a block's transactions, in order, each whole or not at all.

What a transaction may do depends on all before it, so they go one after another. A stretch of single transfers goes in
one piece where that is faster (`gridlab.chain.transfer_runs`), with the same outcome to the letter.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from gridlab.chain.effects import money
from gridlab.chain.effects.stopping import begin_block
from gridlab.chain.one_transaction import Context, RefusalError, bad_nonce, execute_one
from gridlab.chain.payloads import decode_payload, effect_of, encode_payload
from gridlab.chain.receipts import ACCEPTED, ReceiptList
from gridlab.chain.single_transfers import KIND
from gridlab.chain.state import State
from gridlab.chain.trades import trades_root
from gridlab.chain.transaction_list import TransactionList
from gridlab.chain.transactions import Transaction
from gridlab.chain.transfer_runs import Settled, TransferRun

__all__ = ["Context", "decode_payload", "effect_of", "encode_payload", "execute"]

# A run takes about as long as this many transactions one by one.
_RUN_PAYS = 8
# So many stretches of a block may be settled as runs; a block made to break them up is executed one by one from there.
_RUNS_PER_BLOCK = 64


def execute(state: State, transactions: Sequence[Transaction], context: Context) -> ReceiptList:
    """Execute transactions in order and say what became of each.

    Parameters
    ----------
    state : State
        Changed in place by the transactions that are accepted; the others change nothing.
    transactions : sequence of Transaction
    context : Context

    Returns
    -------
    ReceiptList
        One receipt per transaction, in the same order.
    """
    execution = _Execution(state, TransactionList.of(transactions, context.chain_id), context)
    begin_block(state, context.timestamp)
    for start, stop, single in _stretches(execution.transactions):
        if single and execution.runs_left and stop - start >= _RUN_PAYS and execution.transfers_are_plain:
            execution.run(start, stop)
        else:
            execution.alone(range(start, stop))
    return execution.receipts()


def _stretches(transactions: TransactionList) -> Iterator[tuple[int, int, bool]]:
    """Cut the list into stretches of single transfers and stretches of all others."""
    single = transactions.single
    cuts = [0, *(np.flatnonzero(single[1:] != single[:-1]) + 1).tolist(), len(single)]
    for start, stop in itertools.pairwise(cuts):
        if start < stop:
            yield start, stop, bool(single[start])


class _Execution:
    """One block on its way into the state, and what is known of its receipts."""

    def __init__(self, state: State, transactions: TransactionList, context: Context) -> None:
        self.state, self.transactions, self.context = state, transactions, context
        self.runs_left = _RUNS_PER_BLOCK
        count = len(transactions)
        self._signed = transactions.signed
        self._codes, self._reasons = [ACCEPTED] * count, [""] * count
        self._accounts: list[int | None] = [None] * count
        self._outputs: dict[int, bytes] = {}
        self._trades: dict[int, pl.DataFrame] = {}

    @property
    def transfers_are_plain(self) -> bool:
        """Whether the rules in force give transfers the effect that runs give them, and no stop may refuse one."""
        effect = self.context.effects.get(KIND)
        return effect is not None and effect.act is money.transfer and not self.state.emergency.standing

    def alone(self, places: Sequence[int]) -> None:
        """Execute the transactions at these places one after another."""
        for place in places:
            transaction = self.transactions[place]
            self._accounts[place] = self.state.members.account_of.get(transaction.sender)
            try:
                trades = execute_one(self.state, transaction, self.context, signed=self._signed[place])
            except RefusalError as refusal:
                self._refuse(place, refusal)
            else:
                if trades is not None:
                    self._outputs[place], self._trades[place] = trades_root(trades), trades

    def _refuse(self, place: int, refusal: RefusalError) -> None:
        self._codes[place], self._reasons[place] = refusal.code, refusal.reason

    def run(self, start: int, stop: int) -> None:
        """Execute a stretch of single transfers."""
        context, part = self.context, self.transactions[start:stop]
        roles = context.effects[KIND].roles
        run = TransferRun(self.state, part, roles=roles, height=context.height, timestamp=context.timestamp)
        self._accounts[start:stop] = [account if account >= 0 else None for account in run.accounts.tolist()]
        # Refused whatever the state is, so when that is said makes no difference.
        self.alone([start + place for place in np.flatnonzero(~run.sound).tolist()])
        place = 0
        for odd in [*np.flatnonzero(~run.plain).tolist(), len(run)]:
            while place < odd:
                place = self._settle(run, start, place, odd)
            if odd < len(run):
                self.alone([start + odd])
            place = odd + 1

    def _settle(self, run: TransferRun, offset: int, place: int, stop: int) -> int:
        """Execute rows from `place` on, at most up to `stop`; return the first that is left."""
        if not self.runs_left or stop - place < _RUN_PAYS:
            self.alone([offset + row for row in range(place, stop) if run.sound[row]])
            return stop
        self.runs_left -= 1
        settled = run.settle(self.state, place, stop)
        self._note(run, offset, settled)
        if settled.stop < stop and run.sound[settled.stop]:
            self.alone([offset + settled.stop])
        return min(settled.stop + 1, stop)

    def _note(self, run: TransferRun, offset: int, settled: Settled) -> None:
        for row, expected in settled.out_of_turn.items():
            self._refuse(offset + row, bad_nonce(run.nonces[row], expected))
        for row, reason in settled.refused.items():
            self._refuse(offset + row, RefusalError("ledger_refused", reason))

    def receipts(self) -> ReceiptList:
        """Return what became of each transaction."""
        columns = (self.transactions.ids, self._codes, self._reasons, self._accounts)
        return ReceiptList(*columns, self._outputs, trades=self._trades)
