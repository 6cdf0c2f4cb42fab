"""A holder's check of a proof of liabilities as something to look at: whether it holds, why not, and on what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.doors import through
from gridlab.errors import GridlabError, StablecoinError
from gridlab.stablecoin.proofs import LiabilityProof, LiabilityStatement, check_holding

__all__ = ["HoldingVerdict", "judge_holding"]

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class HoldingVerdict:
    """What came of a holder's check.

    Attributes
    ----------
    holds : bool
        Whether the balance is part of the total that the issuer has signed.
    reason : str
        Why it is not; empty where it is.
    balance : int
        What the holder knows to be his, micro-THB.
    chain_id : str
    height : int
        The block at which he knows it.
    proof : LiabilityProof or None
        None where its bytes do not read.
    statement : LiabilityStatement or None
        None where its bytes do not read.
    """

    holds: bool
    reason: str
    balance: int
    chain_id: str
    height: int
    proof: LiabilityProof | None
    statement: LiabilityStatement | None

    def __repr__(self) -> str:
        told = "holds" if self.holds else f"does not hold: {self.reason}"
        return f"HoldingVerdict({self.balance} micro-THB at block {self.height} of {self.chain_id!r}: {told})"

    def __bool__(self) -> bool:
        return self.holds

    def _repr_html_(self) -> str:
        html: str = through("holding_html", self)
        return html


def judge_holding(
    proof: bytes, statement: bytes, *, issuer: bytes, chain_id: str, height: int, public_key: bytes, balance: int
) -> HoldingVerdict:
    """Check a holder's part from bytes alone, and return the outcome instead of raising it.

    Parameters
    ----------
    proof, statement, issuer, chain_id, height, public_key, balance
        As of `gridlab.stablecoin.check_holding`.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument of the call is of a wrong type or length.

    Examples
    --------
    >>> known = {"issuer": bytes(32), "chain_id": "a chain", "height": 7, "public_key": bytes(32), "balance": 70}
    >>> judge_holding(b"", b"", **known).holds
    False
    """
    require_bytes("proof", proof)
    require_bytes("statement", statement)
    require_bytes("issuer", issuer, PUBLIC_KEY_BYTES)
    require_bytes("public_key", public_key, PUBLIC_KEY_BYTES)
    require_int("balance", balance)
    try:
        check_holding(
            proof,
            statement,
            issuer=issuer,
            chain_id=chain_id,
            height=height,
            public_key=public_key,
            balance=balance,
        )
        reason = ""
    except StablecoinError as problem:
        reason = str(problem)
    own, word = _read(LiabilityProof.from_bytes, proof), _read(LiabilityStatement.from_bytes, statement)
    return HoldingVerdict(not reason, reason, balance, chain_id, height, own, word)


def _read(reader: Callable[[bytes], _Read], data: bytes) -> _Read | None:
    try:
        return reader(data)
    except GridlabError:
        return None
