"""What the chain knows after a block: members, the next nonce of each, and the ledger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridlab.chain import merkle
from gridlab.chain.ledger import Ledger
from gridlab.chain.members import ROLES, Members

__all__ = ["BACKING", "ISSUER_ROLES", "State"]

# Which role may bring an asset into being, and what must lie in reserve for it.
ISSUER_ROLES = {"WATT": "watt_issuer", "THB": "reserve_bank"}
BACKING = {"WATT": "THB"}

_ROLE_CODE = {role: code for code, role in enumerate(ROLES.categories)}


@dataclass(slots=True)
class State:
    """The state that a block leads from and to.

    Attributes
    ----------
    members : Members
    nonces : array of uint64
        Per account, how many of its transactions have been accepted.
    ledger : Ledger
    """

    members: Members
    nonces: npt.NDArray[np.uint64]
    ledger: Ledger

    @classmethod
    def of(cls, members: Members) -> State:
        """Return the state at genesis: all balances zero."""
        issuers = {asset: members.with_role(role) for asset, role in ISSUER_ROLES.items()}
        ledger = Ledger(len(members), issuers=issuers, backing=BACKING)
        return cls(members, np.zeros(len(members), np.uint64), ledger)

    def fork(self) -> State:
        """Return an independent copy."""
        return State(self.members, self.nonces.copy(), self.ledger.fork())

    def set_members(self, members: Members) -> None:
        """Take over changed members; new ones get an account, and issuers the right to issue."""
        self.nonces = np.pad(self.nonces, (0, len(members) - len(self.members)))
        self.ledger.grow(len(members))
        for asset, role in ISSUER_ROLES.items():
            for account in members.with_role(role):
                self.ledger.declare_issuer(account, asset)
        self.members = members

    def leaves(self) -> list[bytes]:
        """Return one canonical leaf per account.

        A leaf is account (4 bytes), balances (8 each), public key (32), role (1), active (1), nonce (8).
        """
        keys = self.members.frame["public_key"].to_list()
        roles = [_ROLE_CODE[role] for role in self.members.roles]
        active = self.members.active.tolist()
        tails = self.nonces.astype("<u8").tobytes()
        return [
            leaf + key + bytes((role, licensed)) + tails[8 * account : 8 * account + 8]
            for account, (leaf, key, role, licensed) in enumerate(
                zip(self.ledger.leaves(), keys, roles, active, strict=True)
            )
        ]

    @property
    def root(self) -> bytes:
        """RFC 6962 root over `leaves`, with BLAKE2b-256; 32 bytes."""
        return merkle.root(self.leaves(), hash="blake2b-256")
