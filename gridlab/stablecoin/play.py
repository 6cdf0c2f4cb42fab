"""Playing a run on the real chain: every redemption a signed transaction, every payout computed by the chain itself.

The model says who asks and how much is paid out of the queue; the chain says what each holder gets for it. After every
slot both must agree to the micro-baht: on what circulates, queues and lies in reserve, and on every holder's balance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain import keys
from gridlab.chain.arguments import require_int
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.ledger import ASSETS, CODES
from gridlab.chain.moments import require_microseconds
from gridlab.chain.ordering import Ordering
from gridlab.chain.watt import ReserveAttestation
from gridlab.chain.watt.wire import amount_frame, attestation_frame, pause_frame, rules_frame
from gridlab.errors import ArgumentTypeError, StablecoinError
from gridlab.stablecoin.payouts import payouts_of
from gridlab.stablecoin.run import WattRun
from gridlab.stablecoin.slots import Step

__all__ = ["PLAYED", "Cast", "chain_for", "play_on"]

Int64Array = npt.NDArray[np.int64]

SLOT_US = 15 * 60 * 1_000_000
_START = datetime(2026, 4, 1)  # noqa: DTZ001 - Bangkok time, as everywhere
# The accounts before the holders'.
_OFFICES = {"reserve bank": "reserve_bank", "WATT issuer": "watt_issuer", "regulator": "regulator"}
_BANK, _ISSUER, _FIRST_HOLDER = 0, 1, 3

PLAYED = {
    "slot": pl.Int64,
    "height": pl.UInt64,
    "transactions": pl.UInt32,
    "queued": pl.Int64,
    "circulation": pl.Int64,
    "booked": pl.Int64,
    "reserve": pl.Int64,
    "paid": pl.Int64,
    "gap": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Cast:
    """Who signs.

    Attributes
    ----------
    bank, issuer, regulator, auditor : KeyPair
        The auditor attests the reserve and is no member of the chain.
    holders : tuple of KeyPair
        By their numbers in the run.
    """

    bank: keys.KeyPair
    issuer: keys.KeyPair
    regulator: keys.KeyPair
    auditor: keys.KeyPair
    holders: tuple[keys.KeyPair, ...]

    @classmethod
    def sandbox(cls, holders: int, seed: int = 0) -> Cast:
        """Return sandbox keys for so many holders."""
        require_int("holders", holders, 1, 10**6)
        bank, issuer, regulator, auditor = (keys.sandbox(seed, name) for name in (*_OFFICES, "auditor"))
        people = tuple(keys.sandbox(seed, f"holder {number}") for number in range(holders))
        return cls(bank, issuer, regulator, auditor, people)

    @property
    def members(self) -> pl.DataFrame:
        """The members of a chain on which they act: bank, issuer, regulator, then the holders."""
        pairs = (self.bank, self.issuer, self.regulator, *self.holders)
        return pl.DataFrame(
            {
                "account": range(len(pairs)),
                "name": [*_OFFICES, *(f"holder {number}" for number in range(len(self.holders)))],
                "role": [*_OFFICES.values(), *["trader"] * len(self.holders)],
                "public_key": [pair.public_key for pair in pairs],
            }
        )


def chain_for(run: WattRun, cast: Cast, *, ordering: Ordering | None = None) -> ConsortiumChain:
    """Return a chain on which the holders of a run hold what they hold before it, under its rules.

    Parameters
    ----------
    run : WattRun
    cast : Cast
        With as many holders.
    ordering : Ordering, optional
        By default 21 validators.

    Raises
    ------
    ArgumentTypeError
        An argument is of a wrong type.
    StablecoinError
        The cast has another number of holders.
    """
    _require(run, cast)
    chain = ConsortiumChain(cast.members, chain_id="gridlab-watt-run", ordering=ordering)
    moment = require_microseconds("start", _START) - SLOT_US
    holders = np.arange(len(run.holders)) + _FIRST_HOLDER
    chain.send(cast.bank, "reserve", _transfers([_BANK], [_ISSUER], "THB", [run.reserve], "reserve"))
    rules = run.watt.rules(cast.auditor.public_key, run.circulation)
    chain.send(cast.regulator, "watt_rules", rules_frame(rules))
    _attest(chain, cast, ReserveAttestation(moment, run.reserve, run.reserve))
    minted = _transfers([_ISSUER] * len(holders), holders, "WATT", run.holders.balance, "mint")
    chain.send(cast.issuer, "mint", minted)
    _seal(chain, moment, "before the run")
    return chain


def play_on(chain: ConsortiumChain, run: WattRun, cast: Cast, *, slots: int | None = None) -> pl.DataFrame:
    """Play the first slots of a run on a chain from `chain_for`, one block a slot.

    Parameters
    ----------
    chain : ConsortiumChain
    run : WattRun
    cast : Cast
    slots : int, optional
        How many; by default all.

    Returns
    -------
    polars.DataFrame
        One row per slot as the chain has it, `PLAYED`: slot, height, transactions, queued, circulation, booked (THB on
        the ledger), reserve (attested and carried on), paid (to holders in this slot), gap; micro-THB.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of a wrong type or out of bounds.
    StablecoinError
        The chain refuses a transaction, or it and the model differ; the error says in which slot and by how much.
    """
    _require(run, cast)
    if not isinstance(chain, ConsortiumChain):
        raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: chain_for(run, cast)")
    count = require_int("slots", run.slots.height if slots is None else slots, 1, run.slots.height)
    rows: list[dict[str, int]] = []
    received = 0
    for slot, step in enumerate(run.steps[:count]):
        moment = require_microseconds("start", _START) + slot * SLOT_US
        sent = _send(chain, run, cast, step, moment)
        _seal(chain, moment, f"slot {slot}")
        before, received = received, int(payouts_of(chain)["received"].sum())
        row = _row(chain, slot, sent, received - before)
        _compare(run, slot, row)
        rows.append(row)
    if count == run.slots.height:
        _compare_people(chain, run)
    return pl.DataFrame(rows, schema=PLAYED)


def _require(run: WattRun, cast: Cast) -> None:
    for name, value, kind in (("run", run, WattRun), ("cast", cast, Cast)):
        if not isinstance(value, kind):
            raise ArgumentTypeError(f"{name} is a {type(value).__name__}, allowed: {kind.__name__}")
    if len(cast.holders) != len(run.holders):
        raise StablecoinError(
            f"cast: it has {len(cast.holders)} holders, the run {len(run.holders)}; make it by "
            f"Cast.sandbox({len(run.holders)})"
        )


def _transfers(debit: Any, credit: Any, asset: str, amounts: Any, code: str) -> pl.DataFrame:
    frame = pl.DataFrame({"debit_account": debit, "credit_account": credit, "amount": amounts})
    return frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt64).alias("transfer_id"),
        pl.col("debit_account", "credit_account").cast(pl.UInt32),
        pl.lit(asset, dtype=ASSETS).alias("asset"),
        pl.col("amount").cast(pl.Int64),
        pl.lit(code, dtype=CODES).alias("code"),
    )


def _attest(chain: ConsortiumChain, cast: Cast, statement: ReserveAttestation) -> None:
    frame = attestation_frame(statement, statement.sign(cast.auditor, chain.chain_id))
    chain.send(cast.bank, "reserve_attestation", frame)


def _send(chain: ConsortiumChain, run: WattRun, cast: Cast, step: Step, moment: int) -> int:
    """Send what happens in a slot, in its order; return how many transactions that are."""
    before = len(chain.pending)
    if step.attested is not None:
        _attest(chain, cast, ReserveAttestation(moment, *step.attested))
    if step.resumes:
        chain.send(cast.regulator, "watt_resume", pause_frame("the pause is over"))
    if step.pauses:
        chain.send(cast.issuer, "watt_pause", pause_frame("attested coverage below the threshold"))
    for holder in step.asked.tolist():
        chain.send(cast.holders[holder], "redeem", amount_frame(int(run.holders.balance[holder])))
    if step.burned:
        chain.send(cast.bank, "redemption_payout", amount_frame(step.burned))
    return len(chain.pending) - before


def _seal(chain: ConsortiumChain, moment: int, when: str) -> None:
    block = chain.seal(moment)
    refused = [receipt for receipt in block.receipts if not receipt.accepted]
    if refused:
        raise StablecoinError(f"{when}: the chain refuses a transaction ({refused[0].code}: {refused[0].reason})")
    if len(chain.pending):
        left = len(chain.pending)
        raise StablecoinError(f"{when}: {left} transactions found no room in the block; play fewer holders")


def _row(chain: ConsortiumChain, slot: int, transactions: int, paid: int) -> dict[str, int]:
    ledger, watt = chain.ledger, chain.watt
    values = (slot, chain.height, transactions, watt.queue.total, ledger.circulation("WATT"), ledger.circulation("THB"))
    return dict(zip(PLAYED, (*values, watt.reserve(ledger), paid, watt.gap(ledger)), strict=True))


def _compare(run: WattRun, slot: int, row: dict[str, int]) -> None:
    model = run.slots.row(slot, named=True)
    expected = {name: model[name] for name in ("queued", "circulation", "paid")} | {"reserve": model["attested"]}
    differs = {name: (row[name], value) for name, value in expected.items() if row[name] != value}
    if differs:
        raise StablecoinError(f"slot {slot}: chain and model differ, as (chain, model) in micro-THB: {differs}")


def _compare_people(chain: ConsortiumChain, run: WattRun) -> None:
    balances = chain.ledger.balances["WATT"].to_numpy()[_FIRST_HOLDER:]
    held = (run.people["held"] + run.people["queued"]).to_numpy()
    astray = np.flatnonzero(balances != held)
    got = payouts_of(chain).group_by("account").agg(pl.col("received").sum())
    received = np.zeros(len(held), np.int64)
    received[got["account"].to_numpy().astype(np.int64) - _FIRST_HOLDER] = got["received"].to_numpy()
    unpaid = np.flatnonzero(received != run.people["received"].to_numpy())
    if len(unpaid):
        holder = int(unpaid[0])
        raise StablecoinError(
            f"holder {holder}: received {received[holder]} micro-THB by the chain's rules and "
            f"{run.people['received'][holder]} in the model"
        )
    if len(astray):
        holder = int(astray[0])
        raise StablecoinError(
            f"holder {holder}: holds {balances[holder]} micro-THB on the chain and {held[holder]} in the model"
        )
