"""Executing a block's transactions: who is in a block pays for it, whatever comes of the transaction.

A transaction may stand in a block only if it is *valid*: signed by an account whose identity is attested, next by
nonce, in time, and able to pay its fee. Then the fee is taken and the nonce counts on. What it asks for may still fail;
it then changes nothing else, and its receipt says why. An author leaves out what is not valid; a block that holds an
invalid transaction is refused as a whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.ledger import ASSETS, CODES
from gridlab.chain.payloads import decode_payload
from gridlab.chain.public.accounts import FEE_POT, TREASURY
from gridlab.chain.public.batch import Batch
from gridlab.chain.public.effects import transfer
from gridlab.chain.public.envelope import open_envelope
from gridlab.chain.public.pallets import Pallet, run_pallets
from gridlab.chain.public.rules import PublicCall, PublicEffect, RuleSet
from gridlab.chain.public.staking_effects import begin_block
from gridlab.chain.public.state import PublicState
from gridlab.chain.public.transfer_runs import TransferRun
from gridlab.chain.receipts import ACCEPTED, ReceiptList
from gridlab.chain.senders import FEE_SENDER
from gridlab.chain.single_transfers import KIND
from gridlab.errors import GridlabError, LedgerError

if TYPE_CHECKING:
    from gridlab.chain.effects import Effect

__all__ = ["Outcome", "PublicContext", "execute"]

Int64Array = npt.NDArray[np.int64]

# A run takes about as long as this many transactions one by one; and so many stretches of a block may go as runs.
_RUN_PAYS, _RUNS_PER_BLOCK = 8, 64


@dataclass(frozen=True, slots=True)
class PublicContext:
    """The block in which transactions are executed.

    Attributes
    ----------
    chain_id : str
    height, slot : int
    timestamp : int
        Microseconds since 1970-01-01 UTC.
    rules : RuleSet
        In force.
    author : int
        Account of the block's author.
    pallets : tuple of Pallet
        What acts in every block before its transactions.
    """

    chain_id: str
    height: int
    slot: int
    timestamp: int
    rules: RuleSet
    author: int
    pallets: tuple[Pallet, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch.

    Attributes
    ----------
    included : array of int64
        Places of the valid transactions.
    receipts : ReceiptList
        One for each of them.
    invalid : dict of int to str
        Place -> why it must not stand in a block.
    weight : int
        Microseconds.
    fees, tips : int
        Paid in all, micro-GRID.
    """

    included: Int64Array
    receipts: ReceiptList
    invalid: dict[int, str]
    weight: int
    fees: int
    tips: int


def execute(state: PublicState, batch: Batch, context: PublicContext) -> Outcome:
    """Execute a block: what time and pallets do, then the transactions in order, then fees and tips are given.

    Parameters
    ----------
    state : PublicState
        Changed in place.
    batch : Batch
    context : PublicContext
    """
    state.ledger.expire(context.timestamp)
    begin_block(state, context.slot, context.author, context.timestamp)
    run_pallets(context.pallets, state, context.height, context.timestamp)
    execution = _Execution(state, batch, context)
    effect = context.rules.effects.get(KIND)
    plain = effect is not None and effect.act is transfer
    single = batch.single & plain
    cuts = [0, *(np.flatnonzero(single[1:] != single[:-1]) + 1).tolist(), len(single)]
    for start, stop in itertools.pairwise(cuts):
        if start < stop:
            execution.stretch(start, stop, single=bool(single[start]))
    execution.distribute()
    state.multiplier = context.rules.fees.next_multiplier(state.multiplier, execution.weight)
    return execution.outcome()


class _InvalidError(Exception):
    """Why a transaction must not stand in a block; reaches no user as such."""


class _Execution:
    def __init__(self, state: PublicState, batch: Batch, context: PublicContext) -> None:
        self.state, self.batch, self.context = state, batch, context
        self.weight = self._fees = self._tips = self._treasury = 0
        self._runs_left = _RUNS_PER_BLOCK
        self._codes: dict[int, tuple[str, str]] = {}
        self._invalid: dict[int, str] = {}
        self._accounts: dict[int, int] = {}
        self._signed = batch.transactions.signed

    def stretch(self, start: int, stop: int, *, single: bool) -> None:
        """Execute the transactions from `start` to before `stop`, all single transfers or none."""
        while single and self._runs_left and stop - start >= _RUN_PAYS:
            self._runs_left -= 1
            start = self._run(start, stop)
        for place in range(start, stop):
            try:
                self._one(place)
            except _InvalidError as problem:
                self._invalid[place] = str(problem)

    # Many single transfers at once

    def _run(self, start: int, stop: int) -> int:
        """Execute a run; return the place after the last that is decided."""
        effect = self.context.rules.effects[KIND]
        run = TransferRun(self.state, self.batch, (start, stop), self.context, effect.weight_of(1))
        settled = run.settle()
        count = len(settled.paid)
        self.weight += effect.weight_of(1) * count
        fees = run.fees[settled.paid - start]
        self._fees += int(fees.sum())
        self._tips += int(self.batch.tip[settled.paid].sum())
        share = self.context.rules.fees.treasury_part
        for fee, times in zip(*(column.tolist() for column in np.unique(fees, return_counts=True)), strict=True):
            self._treasury += share(fee) * times
        self._accounts.update(zip(settled.paid.tolist(), run.accounts[settled.paid - start].tolist(), strict=True))
        self._codes.update(settled.failed)
        self._invalid.update(settled.invalid)
        return settled.stop

    # One transaction of any kind

    def _one(self, place: int) -> None:
        transaction, state, context = self.batch.transactions[place], self.state, self.context
        account = state.accounts.account_of.get(transaction.sender)
        if account is None or not self._signed[place]:
            raise _InvalidError("its sender has no account" if account is None else "its signature is not its sender's")
        if not state.accounts.verified[account]:
            raise _InvalidError(f"the identity of account {account} is not attested")
        if transaction.chain_id != context.chain_id:
            raise _InvalidError(f"it is for the chain {transaction.chain_id!r}, this is {context.chain_id!r}")
        effect = context.rules.effects.get(transaction.kind)
        if effect is None:
            raise _InvalidError(f"kind {transaction.kind!r} is not known to version {context.rules.version}")
        frame, payload = self._decoded(effect, transaction.payload)
        if not context.height <= transaction.expiry <= context.height + context.rules.fees.lifetime:
            raise _InvalidError(f"it is good until block {transaction.expiry}, this is block {context.height}")
        if transaction.nonce != state.nonces[account]:
            raise _InvalidError(f"nonce {transaction.nonce}, the sender's next one is {state.nonces[account]}")
        weight = effect.weight_of(frame.height)
        self._charge(account, weight, int(self.batch.size[place]), int(self.batch.tip[place]))
        state.nonces[account] += 1
        self.weight += weight
        self._accounts[place] = account
        self._act(place, effect, PublicCall(
            account, frame, payload, context.height, context.slot, context.timestamp
        ))  # fmt: skip

    def _decoded(self, effect: PublicEffect, payload: bytes) -> tuple[pl.DataFrame, bytes]:
        try:
            _, inner = open_envelope(payload)
            # The reader asks for a schema and nothing else.
            return decode_payload(cast("Effect", effect), inner), inner
        except GridlabError as problem:
            raise _InvalidError(f"its payload is malformed: {problem}") from problem

    def _charge(self, account: int, weight: int, size: int, tip: int) -> None:
        rules = self.context.rules.fees
        fee = rules.fee(weight, size, self.state.multiplier)
        held = self.state.ledger.available(account, "GRID")
        if held < fee + tip:
            raise _InvalidError(f"fee and tip are {fee + tip} micro-GRID, account {account} has {held} to spend")
        self._pay([(account, FEE_POT, fee + tip)])
        self._fees += fee
        self._tips += tip
        self._treasury += rules.treasury_part(fee)

    def _act(self, place: int, effect: PublicEffect, call: PublicCall) -> None:
        role = self.state.accounts.roles[call.account]
        if role not in effect.roles:
            allowed = ", ".join(effect.roles)
            self._codes[place] = "not_permitted", f"account {call.account} is a {role}, this kind is for: {allowed}"
            return
        before = self.state.fork()
        try:
            effect.act(self.state, call)
        except GridlabError as problem:
            self.state.restore(before)
            refused = isinstance(problem, LedgerError)
            reason = str(problem).partition("\n")[0] if refused and call.frame.height == 1 else str(problem)
            self._codes[place] = "ledger_refused" if refused else "rule_broken", reason
        except (Exception, pl.exceptions.PanicException) as problem:  # noqa: BLE001 - no sender must stop the chain
            # Its text may differ from one release of a library to the next, and every node must write the same.
            self.state.restore(before)
            self._codes[place] = "rule_broken", f"its rule failed unexpectedly, {type(problem).__name__}"

    # Fees

    def _pay(self, rows: Sequence[tuple[int, int, int]]) -> None:
        """Move fees; rows of 0 are left out, because a transfer moves something."""
        rows = [row for row in rows if row[2]]
        if not rows:
            return
        columns: dict[str, Any] = {
            "transfer_id": range(self.state.charged, self.state.charged + len(rows)),
            "debit_account": [row[0] for row in rows],
            "credit_account": [row[1] for row in rows],
            "asset": pl.Series(["GRID"] * len(rows), dtype=ASSETS),
            "amount": [row[2] for row in rows],
            "code": pl.Series(["chain_fee"] * len(rows), dtype=CODES),
        }
        self.state.ledger.apply(pl.DataFrame(columns), sender=FEE_SENDER)
        self.state.charged += len(rows)

    def distribute(self) -> None:
        """Give the treasury its part of each fee, and the author the rest and all tips."""
        author = self._fees - self._treasury + self._tips
        self._pay([(FEE_POT, TREASURY, self._treasury), (FEE_POT, self.context.author, author)])

    def outcome(self) -> Outcome:
        """Return what became of each transaction."""
        included = [place for place in range(len(self.batch)) if place not in self._invalid]
        verdicts = [self._codes.get(place, (ACCEPTED, "")) for place in included]
        receipts = ReceiptList(
            [self.batch.transactions.ids[place] for place in included],
            [code for code, _ in verdicts],
            [reason for _, reason in verdicts],
            [self._accounts[place] for place in included],
            {},
        )
        return Outcome(
            np.array(included, np.int64), receipts, self._invalid, self.weight, self._fees, self._tips
        )  # fmt: skip
