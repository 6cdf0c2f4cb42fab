"""What the chain knows after a block: members, the next nonce of each, the ledger, meters and certificates."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gridlab.chain import merkle
from gridlab.chain.certificates import CertificateRegistry
from gridlab.chain.contracts import ContractRegistry
from gridlab.chain.encoding import text
from gridlab.chain.ledger import Ledger
from gridlab.chain.members import ROLES, Members
from gridlab.chain.meters import MeterRegister

__all__ = ["BACKING", "ISSUER_ROLES", "State"]

# Which role may bring an asset into being, and what must lie in reserve for it.
ISSUER_ROLES = {"WATT": "watt_issuer", "THB": "reserve_bank"}
BACKING = {"WATT": "THB"}

_RECORDS_DOMAIN = "gridlab/state-records/1"
_CONTRACTS_DOMAIN = "gridlab/state-contracts/1"
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
    meters : MeterRegister
        What readings were accepted.
    certificates : CertificateRegistry
    contracts : ContractRegistry
    chain_id : str
        The chain for which signatures inside a payload must be.
    """

    members: Members
    nonces: npt.NDArray[np.uint64]
    ledger: Ledger
    meters: MeterRegister = field(default_factory=MeterRegister)
    certificates: CertificateRegistry = field(default_factory=CertificateRegistry)
    contracts: ContractRegistry = field(default_factory=ContractRegistry)
    chain_id: str = ""

    @classmethod
    def of(cls, members: Members, chain_id: str = "") -> State:
        """Return the state at genesis: all balances zero."""
        issuers = {asset: members.with_role(role) for asset, role in ISSUER_ROLES.items()}
        ledger = Ledger(len(members), issuers=issuers, backing=BACKING)
        return cls(members, np.zeros(len(members), np.uint64), ledger, chain_id=chain_id)

    def fork(self) -> State:
        """Return an independent copy."""
        kept = (self.meters, self.certificates, self.contracts, self.chain_id)
        return State(self.members, self.nonces.copy(), self.ledger.fork(), *kept)

    def set_members(self, members: Members) -> None:
        """Take over changed members; new ones get an account, and issuers the right to issue."""
        self.nonces = np.pad(self.nonces, (0, len(members) - len(self.members)))
        self.ledger.grow(len(members))
        for asset, role in ISSUER_ROLES.items():
            for account in members.with_role(role):
                self.ledger.declare_issuer(account, asset)
        self.members = members

    def leaves(self) -> list[bytes]:
        """Return one canonical leaf per account, one over meters and certificates and one over contracts where any are.

        An account's leaf is account (4 bytes), balances (8 each), public key (32), role (1), active (1), nonce (8). The
        other two have other lengths and begin with a tag: the hashes of the meter register and of the certificates (32
        bytes each) follow, or that of the contract registry.
        """
        keys = self.members.frame["public_key"].to_list()
        roles = [_ROLE_CODE[role] for role in self.members.roles]
        active = self.members.active.tolist()
        tails = self.nonces.astype("<u8").tobytes()
        accounts = [
            leaf + key + bytes((role, licensed)) + tails[8 * account : 8 * account + 8]
            for account, (leaf, key, role, licensed) in enumerate(
                zip(self.ledger.leaves(), keys, roles, active, strict=True)
            )
        ]
        leaves = accounts
        if not (self.meters.is_empty and self.certificates.is_empty):
            leaves = [*leaves, text(_RECORDS_DOMAIN) + self.meters.hash + self.certificates.hash]
        if not self.contracts.is_empty:
            leaves = [*leaves, text(_CONTRACTS_DOMAIN) + self.contracts.hash]
        return leaves

    @property
    def root(self) -> bytes:
        """RFC 6962 root over `leaves`, with BLAKE2b-256; 32 bytes."""
        return merkle.root(self.leaves(), hash="blake2b-256")
