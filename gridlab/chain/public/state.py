"""What the public chain knows after a block."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.account_tree import AccountTree, account_leaves, licences_of
from gridlab.chain.encoding import compact, text, u32, u64
from gridlab.chain.hashing import ZERO_HASH, tagged_hash
from gridlab.chain.ledger import ASSETS, CODES, Ledger
from gridlab.chain.public.accounts import FEE_POT, ISSUANCE, TREASURY, PublicAccounts
from gridlab.chain.public.authorities import AuthoritySet
from gridlab.chain.public.fees import ONE

if TYPE_CHECKING:
    from gridlab.chain.members import Members

__all__ = ["Part", "PublicState", "Upgrade", "part_prefix"]

_TERMS_DOMAIN = "gridlab/public-state-terms/1"
_PART_DOMAIN = "gridlab/public-state-part/1"


def part_prefix(name: str) -> bytes:
    """Return what the leaf of a part begins with, 32 bytes; the part's hash follows."""
    return tagged_hash(_PART_DOMAIN, text(name))


class Part(Protocol):
    """What a plugged-in register (staking, bridge, channels) must be able to do."""

    @property
    def hash(self) -> bytes:
        """Hash over all that the part holds, 32 bytes."""

    def fork(self) -> Part:
        """Return an independent copy."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An approved set of rules that is not in force yet.

    Attributes
    ----------
    version : int
    height : int
        The first block under it.
    rules : bytes
        Hash of the set, 32 bytes; a node that knows another set under this version stops there.
    """

    version: int
    height: int
    rules: bytes


class _Rooted:
    # Apart from the fields of the state: the tree follows from them.
    __slots__ = ("_tree",)

    def __init__(self) -> None:
        self._tree: AccountTree | None = None

    def _carry(self, parts: tuple[Members, npt.NDArray[np.uint64], Ledger, list[bytes]]) -> AccountTree:
        # What was hashed for the state that this one is forked from is not hashed again.
        self._tree = AccountTree(*parts) if self._tree is None else self._tree.after(*parts)
        return self._tree


@dataclass(slots=True)
class PublicState(_Rooted):
    """The state that a block leads from and to.

    Attributes
    ----------
    accounts : PublicAccounts
    nonces : array of uint64
        Per account, how many of its transactions are in blocks.
    ledger : Ledger
    authorities : AuthoritySet
        Who certifies the next block.
    rules_version : int
        In force at the last block.
    upgrade : Upgrade or None
    multiplier : int
        Of the weight fee in the next block, 10^-18.
    charged : int
        How many transfers of fees there were.
    parts : dict of str to Part
    """

    accounts: PublicAccounts
    nonces: npt.NDArray[np.uint64]
    ledger: Ledger
    authorities: AuthoritySet
    rules_version: int
    upgrade: Upgrade | None = None
    multiplier: int = ONE
    charged: int = 0
    parts: dict[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _Rooted.__init__(self)

    @classmethod
    def genesis(
        cls, accounts: PublicAccounts, balances: list[int], authorities: AuthoritySet, rules_version: int
    ) -> PublicState:
        """Return the state before the first block, with the balances (micro-GRID) issued to the accounts in order."""
        ledger = Ledger(len(accounts), issuers={"GRID": [ISSUANCE]})
        paid = [(account, amount) for account, amount in enumerate(balances) if amount]
        if paid:
            frame = pl.DataFrame(
                {
                    "transfer_id": range(len(paid)),
                    "debit_account": [ISSUANCE] * len(paid),
                    "credit_account": [account for account, _ in paid],
                    "asset": pl.Series(["GRID"] * len(paid), dtype=ASSETS),
                    "amount": [amount for _, amount in paid],
                    "code": pl.Series(["mint"] * len(paid), dtype=CODES),
                }
            )
            ledger.apply(frame, sender=ISSUANCE)
        return cls(accounts, np.zeros(len(accounts), np.uint64), ledger, authorities, rules_version)

    def fork(self) -> PublicState:
        """Return an independent copy."""
        twin = copy(self)
        twin.nonces, twin.ledger = self.nonces.copy(), self.ledger.fork()
        twin.parts = {name: part.fork() for name, part in self.parts.items()}
        return twin

    def restore(self, earlier: PublicState) -> None:
        """Become what `earlier`, a fork of this state, is."""
        for name in (
            "accounts",
            "nonces",
            "ledger",
            "authorities",
            "rules_version",
            "upgrade",
            "multiplier",
            "charged",
        ):
            setattr(self, name, getattr(earlier, name))
        self.parts = earlier.parts

    def set_accounts(self, accounts: PublicAccounts) -> None:
        """Take over changed accounts; new ones start with nonce 0 and no balance."""
        self.nonces = np.pad(self.nonces, (0, len(accounts) - len(self.accounts)))
        self.ledger.grow(len(accounts))
        self.accounts = accounts

    def leaves(self) -> list[bytes]:
        """Return one canonical leaf per account, laid out as on the consortium chain, then those of the registers."""
        members = cast("Members", self.accounts)
        return [*account_leaves(licences_of(members), self.nonces, self.ledger), *self._registers()]

    def _registers(self) -> Iterator[bytes]:
        upgrade = self.upgrade or Upgrade(0, 0, ZERO_HASH)
        yield b"".join(
            [
                text(_TERMS_DOMAIN),
                u32(self.rules_version),
                u32(upgrade.version),
                u64(upgrade.height),
                upgrade.rules,
                compact(self.multiplier),
                u64(self.charged),
                self.authorities.hash,
                self.ledger.commitment,
            ]
        )
        for name, part in self.parts.items():
            yield part_prefix(name) + part.hash

    @property
    def root(self) -> bytes:
        """RFC 6962 root over `leaves`, with BLAKE2b-256; 32 bytes."""
        # The tree asks for the columns of a licence, which the accounts have as well.
        columns = (cast("Members", self.accounts), self.nonces, self.ledger, list(self._registers()))
        return self._carry(columns).root

    @property
    def treasury(self) -> int:
        """What the treasury holds, micro-GRID."""
        return self.ledger.balance(TREASURY, "GRID")

    @property
    def undistributed(self) -> int:
        """Fees of the block that is being executed, micro-GRID; 0 between blocks."""
        return self.ledger.balance(FEE_POT, "GRID")
