"""The energy trading contract: terms that its parties sign, carry as JSON, register on the chain and execute there.

A contract is data. What it says follows from its terms, the meters and, for a contract for difference, a reference
price; nobody's discretion is in it. Four templates compose the usual kinds::

    contract = EnergyTradingContract.p2p(seller=5, buyer=6, price=3.2, start="2026-05-06", end="2026-05-07")
    contract = contract.sign(alice, 5).sign(bob, 6)
    chain.send(alice, "contract", contract.registration())
    chain.send(alice, "contract_execution", contract.payments(readings))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import polars as pl

from gridlab.chain.arguments import require_int, require_text
from gridlab.chain.contract_payments import meters_of, payments, references_of
from gridlab.chain.contract_terms import ContractTerms
from gridlab.chain.contracts import CONTRACTS
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.keys import KeyPair, require_key_pair, verify
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.market.agreements.contract_json import contract_of_json, contract_to_json
from gridlab.market.agreements.contract_summary import contract_html
from gridlab.market.agreements.contract_templates import ContractDraft

__all__ = ["EnergyTradingContract"]


@dataclass(frozen=True, repr=False)
class EnergyTradingContract(ContractDraft):
    """An energy trading contract and the signatures it has so far.

    Parameters
    ----------
    terms : ContractTerms
        Trading rules, settlement terms and grid integration; made by one of the templates `ppa`, `p2p`, `community`
        and `block_trade`.
    chain_id : str
        The one chain on which it counts.
    signatures : mapping of int to tuple of bytes
        Account -> (public key, signature).

    Raises
    ------
    ArgumentTypeError
        A part is of another type.
    ChainError
        A signature is a stranger's, or not one over these terms for this chain.

    Examples
    --------
    >>> from gridlab.chain.keys import sandbox
    >>> contract = EnergyTradingContract.block_trade(
    ...     seller=0, buyer=1, price=3.05, energy=50, start="2026-05-06T18:00", end="2026-05-06T22:00")
    >>> signed = contract.sign(sandbox(0, "plant"), 0).sign(sandbox(0, "mill"), 1)
    >>> contract.missing, signed.is_signed, EnergyTradingContract.from_json(signed.to_json()) == signed
    ((0, 1), True, True)
    """

    signatures: Mapping[int, tuple[bytes, bytes]] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if not isinstance(self.terms, ContractTerms):
            raise ArgumentTypeError(
                f"terms is a {type(self.terms).__name__}, allowed: ContractTerms; "
                "EnergyTradingContract.ppa(…), .p2p(…), .community(…) and .block_trade(…) make them"
            )
        require_text("chain_id", self.chain_id)
        if not isinstance(self.signatures, Mapping):
            raise ArgumentTypeError(f"signatures is a {type(self.signatures).__name__}, allowed: a mapping by account")
        for account, pair in self.signatures.items():
            self._check_signature(account, pair)
        ordered = {account: self.signatures[account] for account in self.terms.parties if account in self.signatures}
        object.__setattr__(self, "signatures", MappingProxyType(ordered))

    def _check_signature(self, account: int, pair: object) -> None:
        if account not in self.terms.parties:
            raise ChainError(f"account {account} signs and is no party, allowed: {list(self.terms.parties)}")
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ArgumentTypeError(f"signature of account {account} is {pair!r}, allowed: (public key, signature)")
        if not verify(pair[0], self.message, pair[1]):
            raise ChainError(
                f"the signature of account {account} is not over these terms on chain {self.chain_id!r}; "
                "whoever changes a byte must have it signed anew"
            )

    def __hash__(self) -> int:
        return hash((self.terms, self.chain_id, tuple(self.signatures.items())))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.terms, self.chain_id, dict(self.signatures))

    @property
    def id(self) -> str:
        """``0x`` and 64 hexadecimal digits: the hash of the terms."""
        return hexadecimal(self.terms.id)

    @property
    def message(self) -> bytes:
        """What a signature covers: domain tag, chain id and canonical bytes of the terms."""
        return self.terms.message(self.chain_id)

    @property
    def missing(self) -> tuple[int, ...]:
        """Parties that have not signed yet."""
        return tuple(account for account in self.terms.parties if account not in self.signatures)

    @property
    def is_signed(self) -> bool:
        """Whether every party has signed."""
        return not self.missing

    def sign(self, key_pair: KeyPair, account: int) -> Self:
        """Return the contract with the signature of one more party.

        Raises
        ------
        ArgumentTypeError
            `key_pair` is not a KeyPair, or `account` not an int.
        ChainError
            `account` is no party.
        """
        require_key_pair("key_pair", key_pair)
        require_int("account", account)
        own = {account: (key_pair.public_key, key_pair.sign(self.message))}
        signed = type(self)(self.terms, self.chain_id, own)
        # The others were verified when they came: a community of hundreds signs in one pass over its members.
        everybody = {**self.signatures, **signed.signatures}
        ordered = {each: everybody[each] for each in self.terms.parties if each in everybody}
        object.__setattr__(signed, "signatures", MappingProxyType(ordered))
        return signed

    def to_json(self) -> str:
        """Return terms and signatures as JSON; `from_json` reads it back."""
        return contract_to_json(self.terms, self.chain_id, self.signatures)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote, or somebody else in the same form.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `text` is not text, not JSON, or a field is missing, unknown or does not fit.
        ChainError
            The id or a signature is not that of the terms: something was changed after signing.
        """
        return cls(*contract_of_json(text))

    def registration(self) -> pl.DataFrame:
        """Return the frame for a transaction of kind ``contract``.

        Raises
        ------
        ChainError
            A party has not signed.
        """
        if self.missing:
            raise ChainError(
                f"contract {self.terms.name!r} lacks the signatures of accounts {list(self.missing)}; "
                "contract.sign(key_pair, account) returns it with one more"
            )
        frame = {
            "terms": [self.terms.to_bytes()] * len(self.signatures),
            "account": list(self.signatures),
            "signature": [signature for _, signature in self.signatures.values()],
        }
        return CONTRACTS.check(pl.DataFrame(frame))

    def payments(
        self, readings: pl.DataFrame | pl.LazyFrame, *, reference: pl.DataFrame | pl.LazyFrame | None = None
    ) -> pl.DataFrame:
        """Return what is due for some readings: the frame for a transaction of kind ``contract_execution``.

        Parameters
        ----------
        readings : polars.DataFrame or polars.LazyFrame
            As `gridlab.frames.READINGS`. Other accounts and slots outside the contract are left out; every slot in
            which a party was read must have all whose meters count. A fixed volume reads only which slots there are.
        reference : polars.DataFrame or polars.LazyFrame, optional
            ``slot``, ``price`` (THB/MWh); for a contract for difference.

        Returns
        -------
        polars.DataFrame
            As `gridlab.chain.contract_payments.EXECUTIONS`.

        Raises
        ------
        ArgumentTypeError, FrameError, ChainError
            A frame does not fit, or a reading or a price is missing.
        """
        meters = meters_of(self.terms, readings)
        return payments(self.terms, meters, references_of(self.terms, meters.slots, reference))

    def balances(
        self, readings: pl.DataFrame | pl.LazyFrame, *, reference: pl.DataFrame | pl.LazyFrame | None = None
    ) -> pl.DataFrame:
        """Return what each account gains (Int64 ``amount``, micro-THB, below 0 where it pays); sums to 0."""
        due = self.payments(readings, reference=reference)
        sides = [
            due.select(account="debit_account", amount=-pl.col("amount")),
            due.select(account="credit_account", amount="amount"),
        ]
        return pl.concat(sides).group_by("account").agg(pl.col("amount").sum()).sort("account")

    def __repr__(self) -> str:
        signed = len(self.signatures)
        return (
            f"EnergyTradingContract({self.terms.name!r}, {self.terms.template}, {self.terms.slots} slots, "
            f"{signed} of {len(self.terms.parties)} signatures, {self.id[:18]}…)"
        )

    def _repr_html_(self) -> str:
        return contract_html(self.terms, self.id, self.chain_id, self.missing)
