"""Contracts on the chain: signed by all parties, registered once, and executed slot by slot, each slot once.

The registry holds the terms, what the meters of the parties read since, and which slots were executed. An execution
claims payments; the chain works them out again from the terms and the readings that it accepted itself, and takes the
claim only where it is the same to the last micro-THB. Reference prices for contracts for difference stand in the
claim; therefore the market operator or an oracle signs it, and nobody else can.

Energy is metered by the grid operator's readings. The registry keeps those of an account from the moment on at which a
contract that needs them is registered; what was read before nobody can execute on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.array_encoding import encode_array, read_array
from gridlab.chain.contract_payments import EXECUTIONS, Meters, payments
from gridlab.chain.contract_terms import MOST_PRICE, SLOT_MICROSECONDS, ContractTerms
from gridlab.chain.encoding import Reader, blob, compact, u64
from gridlab.chain.hashing import hexadecimal, tagged_hash
from gridlab.chain.keys import verify
from gridlab.chain.ledger import ASSETS
from gridlab.chain.members import Members
from gridlab.chain.meters import MOST_GENERATION
from gridlab.chain.moments import require_microseconds
from gridlab.errors import ChainError
from gridlab.frames import SLOT, Column, Schema, show_rows

__all__ = ["CONTRACTS", "EXECUTIONS", "ContractRegistry"]

Int64s = npt.NDArray[np.int64]
Uint64s = npt.NDArray[np.uint64]

CONTRACTS = Schema(
    "contract",
    (
        Column("terms", pl.Binary, "binary", "canonical bytes of the terms, the same in every row"),
        Column("account", pl.UInt32, "integer", "party that signs; one row for each"),
        Column("signature", pl.Binary, "binary", "64 bytes over domain tag, chain id and terms"),
    ),
)

_DOMAIN = "gridlab/contract-registry/1"
_ANNOUNCERS = ("market_operator", "oracle")


_CONTRACT_FRAME: dict[str, Any] = {
    "contract_id": pl.Binary,
    "name": pl.String,
    "template": pl.String,
    "sellers": pl.List(pl.UInt32),
    "buyers": pl.List(pl.UInt32),
    "start": SLOT,
    "end": SLOT,
    "slots": pl.Int64,
    "executed": pl.Int64,
}


def _none() -> Uint64s:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True)
class ContractRegistry:
    """Contracts in force and what was executed of them. Never changed: every act returns a new one.

    Attributes
    ----------
    terms : mapping of bytes to ContractTerms
        By contract id, in the order of registration.
    executed : mapping of bytes to ndarray of int64
        Contract id -> slots that were executed (microseconds since 1970-01-01 UTC), ascending.
    readings : ndarray of uint64, shape (r,)
        Account and slot number since 1970 in one key, ``account << 32 | slot``, ascending: what was read of parties.
    net : ndarray of int64, shape (r,)
        Load less generation of that account and slot (Wh).
    transfers : int
        How many transfers have followed from contracts.
    """

    terms: Mapping[bytes, ContractTerms] = field(default_factory=lambda: MappingProxyType({}))
    executed: Mapping[bytes, Int64s] = field(default_factory=lambda: MappingProxyType({}))
    readings: Uint64s = field(default_factory=_none)
    net: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    transfers: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether no contract was ever registered."""
        return not self.terms

    @cached_property
    def hash(self) -> bytes:
        """BLAKE2b-256 over everything that is remembered, 32 bytes."""
        done = (
            identity + u64(len(self.executed[identity])) + self.executed[identity].astype("<i8").tobytes()
            for identity in self.terms
        )
        read = self.readings.astype("<u8").tobytes() + self.net.astype("<i8").tobytes()
        counts = u64(len(self.terms)) + u64(len(self.readings)) + u64(self.transfers)
        return tagged_hash(_DOMAIN, counts + b"".join(done) + read)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of everything that is remembered."""
        each = (blob(terms.to_bytes()) + encode_array(self.executed[key]) for key, terms in self.terms.items())
        read = encode_array(self.readings) + encode_array(self.net)
        return compact(len(self.terms)) + b"".join(each) + read + u64(self.transfers)

    @classmethod
    def from_bytes(cls, data: bytes) -> ContractRegistry:
        """Read what `to_bytes` wrote, or raise ChainError; that it is the true registry only its hash can prove."""
        reader = Reader(data, "contract registry")
        found = [
            (ContractTerms.from_bytes(reader.blob()), read_array(reader, np.int64)) for _ in range(reader.compact())
        ]
        readings, net, transfers = read_array(reader, np.uint64), read_array(reader, np.int64), reader.u64()
        reader.finish()
        if len(readings) != len(net):
            raise reader.error(f"{len(readings)} readings and {len(net)} energies, allowed: one for each")
        terms = MappingProxyType({each.id: each for each, _ in found})
        return cls(terms, MappingProxyType({each.id: slots for each, slots in found}), readings, net, transfers)

    @property
    def frame(self) -> pl.DataFrame:
        """One row per contract, in the order of registration.

        ``contract_id`` (Binary), ``name``, ``template``, ``sellers``, ``buyers`` (lists of UInt32), ``start``, ``end``,
        ``slots``, ``executed`` (how many).
        """
        rows = [
            (
                *(identity, terms.name, terms.template, list(terms.sellers), list(terms.buyers)),
                *(terms.start, terms.end, terms.slots, len(self.executed[identity])),
            )
            for identity, terms in self.terms.items()
        ]
        return pl.DataFrame(rows, schema=_CONTRACT_FRAME, orient="row")

    @cached_property
    def _metered(self) -> Int64s:
        accounts = {account for terms in self.terms.values() for account in terms.metered}
        return np.array(sorted(accounts), np.int64)

    # Registering.

    def register(self, frame: pl.DataFrame, *, sender: int, members: Members, chain_id: str) -> ContractRegistry:
        """Take in a contract that all its parties have signed.

        Parameters
        ----------
        frame : polars.DataFrame
            As `CONTRACTS`, all rows of one contract.
        sender : int
            A party, or the market operator.
        members : Members
        chain_id : str
            The chain for which the signatures must be.

        Raises
        ------
        ChainError
            A signature is missing, foreign or wrong, the contract is registered already, or a party may not be one.
        ArgumentTypeError, ArgumentError
            The terms do not go together.
        """
        texts = frame["terms"].unique()
        if len(texts) != 1:
            raise ChainError(f"contract: {len(texts)} different terms, allowed: one contract in a transaction")
        terms = ContractTerms.from_bytes(texts[0])
        if terms.id in self.terms:
            raise ChainError(
                f"contract {terms.name!r} is registered already as {hexadecimal(terms.id)}; "
                "a second contract on the same terms needs another name"
            )
        if sender not in terms.parties and members.roles[sender] not in _ANNOUNCERS:
            raise ChainError(f"account {sender} is no party of {terms.name!r}; a party or the market operator sends it")
        _check_members(terms, members)
        _check_signatures(frame, terms, members, chain_id)
        return replace(
            self,
            terms=MappingProxyType({**self.terms, terms.id: terms}),
            executed=MappingProxyType({**self.executed, terms.id: np.zeros(0, np.int64)}),
        )

    # Metering.

    def read(self, readings: pl.DataFrame) -> ContractRegistry:
        """Remember what the meters of parties read; the caller has checked that no slot is read twice.

        Raises
        ------
        ChainError
            A party's load is more than any load can be.
        """
        if not len(self._metered):
            return self
        own = readings.filter(pl.Series(np.isin(readings["account"].to_numpy().astype(np.int64), self._metered)))
        if not own.height:
            return self
        if own["load"].max() > MOST_GENERATION:  # type: ignore[operator]
            raise ChainError(
                f"readings: a contract's party uses more than {MOST_GENERATION} Wh in a slot; look for a wrong unit\n"
                f"{show_rows(own, pl.col('load') > MOST_GENERATION)}"
            )
        keys = _key(own["account"].to_numpy(), own["slot"].to_physical().to_numpy())
        order = np.argsort(keys)
        place = np.searchsorted(self.readings, keys[order])
        net = (own["load"] - own["generation"]).to_numpy()[order]
        return replace(self, readings=np.insert(self.readings, place, keys[order]), net=np.insert(self.net, place, net))

    # Executing.

    def execute(self, frame: pl.DataFrame, *, sender: int, role: str) -> tuple[ContractRegistry, pl.DataFrame]:
        """Check claimed payments against the terms and the accepted readings.

        Parameters
        ----------
        frame : polars.DataFrame
            As `EXECUTIONS`; any contracts, any slots of theirs, each slot whole.
        sender : int
        role : str
            The sender's role.

        Returns
        -------
        registry : ContractRegistry
        transfers : polars.DataFrame
            As `gridlab.chain.ledger.TRANSFERS`: what must move on the ledger.

        Raises
        ------
        ChainError
            A claim is not what the contract says; the error shows the first rows that differ.
        """
        if not frame.height:
            raise ChainError("contract execution: the frame is empty, allowed: every payment of one slot or more")
        executed = dict(self.executed)
        for (identity,), claim in frame.partition_by(["contract_id"], as_dict=True, maintain_order=True).items():
            terms = self._known(identity)
            _check_sender(terms, sender, role)
            slots = self._new_slots(terms, claim)
            due = payments(terms, self._meters(terms, slots), _references(terms, claim, slots))
            _require_same(terms, claim, due)
            executed[identity] = np.union1d(executed[identity], slots)
        transfers = _transfers(frame, self.transfers)
        return (
            replace(self, executed=MappingProxyType(executed), transfers=self.transfers + transfers.height),
            transfers,
        )

    def _known(self, identity: bytes) -> ContractTerms:
        if identity not in self.terms:
            raise ChainError(f"contract {hexadecimal(identity)} is not registered; send it as kind 'contract' first")
        return self.terms[identity]

    def _new_slots(self, terms: ContractTerms, claim: pl.DataFrame) -> Int64s:
        slots = np.unique(claim["slot"].to_physical().to_numpy().astype(np.int64))
        start, end = (require_microseconds(name, getattr(terms, name)) for name in ("start", "end"))
        outside = (slots < start) | (slots >= end) | (slots % SLOT_MICROSECONDS != 0)
        if outside.any():
            raise ChainError(
                f"contract {terms.name!r}: {_shown(slots[outside])} is not a slot of it, "
                f"allowed: quarter hours from {terms.start} to before {terms.end}"
            )
        again = np.isin(slots, self.executed[terms.id])
        if again.any():
            raise ChainError(
                f"contract {terms.name!r}: {_shown(slots[again])} was executed before; a slot is paid once"
            )
        return slots

    def _meters(self, terms: ContractTerms, slots: Int64s) -> Meters:
        """Look up what the parties' meters read, shape (n, metered)."""
        accounts = np.array(terms.metered, np.int64)
        keys = _key(np.tile(accounts, len(slots)), np.repeat(slots, len(accounts)))
        place = np.searchsorted(self.readings, keys)
        known = np.zeros(len(keys), np.bool_)
        inside = place < len(self.readings)
        known[inside] = self.readings[place[inside]] == keys[inside]
        if not known.all():
            missing = int(np.argmin(known))
            raise ChainError(
                f"contract {terms.name!r}: account {accounts[missing % len(accounts)]} was not read in "
                f"{_shown(slots[missing // len(accounts) :])} since a contract of its was registered; "
                "the grid operator's meter_readings must come first"
            )
        return Meters.of(terms, slots, self.net[place].reshape(len(slots), len(accounts)))


def _key(accounts: npt.NDArray[np.integer], microseconds: npt.NDArray[np.integer]) -> Uint64s:
    numbers = microseconds.astype(np.int64) // SLOT_MICROSECONDS
    return accounts.astype(np.uint64) << np.uint64(32) | numbers.astype(np.uint64)


def _shown(slots: Int64s) -> str:
    return f"{np.datetime64(int(slots[0]), 'us')} UTC"


def _check_members(terms: ContractTerms, members: Members) -> None:
    named = [*terms.parties, *(() if terms.grid.operator is None else (terms.grid.operator,))]
    for account in named:
        if account >= len(members):
            allowed = f"allowed: 0 … {len(members) - 1}"
            raise ChainError(f"contract {terms.name!r}: account {account} does not exist, {allowed}")
        if not members.active[account]:
            raise ChainError(f"contract {terms.name!r}: the licence of account {account} is not in force")
    operator = terms.grid.operator
    if operator is not None and members.roles[operator] != "grid_operator":
        raise ChainError(
            f"contract {terms.name!r}: account {operator} is a {members.roles[operator]}, "
            "allowed for wheeling: a grid_operator"
        )


def _check_signatures(frame: pl.DataFrame, terms: ContractTerms, members: Members, chain_id: str) -> None:
    accounts = frame["account"].to_list()
    if sorted(accounts) != sorted(terms.parties):
        raise ChainError(
            f"contract {terms.name!r}: signed by accounts {accounts}, "
            f"allowed: each of its parties {list(terms.parties)} once and nobody else"
        )
    message = terms.message(chain_id)
    keys = members.frame["public_key"]
    for account, signature in zip(accounts, frame["signature"].to_list(), strict=True):
        if not verify(keys[account], message, signature):
            raise ChainError(
                f"contract {terms.name!r}: the signature of account {account} is not over these terms on chain "
                f"{chain_id!r}; whoever changes a byte must have it signed anew"
            )


def _check_sender(terms: ContractTerms, sender: int, role: str) -> None:
    if role in _ANNOUNCERS or (sender in terms.parties and not terms.needs_reference):
        return
    allowed = "the market operator or an oracle" + ("" if terms.needs_reference else ", or a party")
    raise ChainError(f"contract {terms.name!r}: account {sender} is a {role}, it is executed by {allowed}")


def _references(terms: ContractTerms, claim: pl.DataFrame, slots: Int64s) -> Int64s:
    """Return one reference price per slot, the first that is claimed; the comparison refuses any other."""
    if not terms.needs_reference:
        return np.zeros(len(slots), np.int64)
    outside = ~pl.col("reference").is_between(-MOST_PRICE, MOST_PRICE)
    if claim.select(outside.any()).item():
        raise ChainError(
            f"contract {terms.name!r}: a reference price is not within ±{MOST_PRICE} THB/MWh\n"
            f"{show_rows(claim, outside)}"
        )
    first = claim.unique("slot", keep="first", maintain_order=True).sort("slot")
    return first["reference"].to_numpy()


def _require_same(terms: ContractTerms, claim: pl.DataFrame, due: pl.DataFrame) -> None:
    claim = claim.select(due.columns)
    if claim.equals(due):
        return
    if claim.height != due.height:
        raise ChainError(
            f"contract {terms.name!r}: {claim.height} payments are claimed where it says {due.height}; "
            "claim each slot whole, in the order of slot, code, seller and buyer"
        )
    differs = pl.lit(pl.Series(np.any([(claim[name] != due[name]).to_numpy() for name in due.columns], axis=0)))
    shown = [name for name in due.columns if name != "contract_id"]
    raise ChainError(
        f"contract {terms.name!r}: what is claimed is not what the contract says for the accepted readings\n"
        f"claimed:\n{show_rows(claim.select(shown), differs)}\nit says:\n{show_rows(due.select(shown), differs)}"
    )


def _transfers(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    return frame.filter(pl.col("amount") > 0).select(
        pl.int_range(first, first + pl.len(), dtype=pl.UInt64).alias("transfer_id"),
        "debit_account",
        "credit_account",
        pl.lit("WATT", dtype=ASSETS).alias("asset"),
        "amount",
        "code",
    )
