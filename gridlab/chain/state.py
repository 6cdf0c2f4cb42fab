"""What the chain knows after a block: members, nonces, the ledger, orders, meters, certificates, contracts, terms."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gridlab.chain.account_tree import AccountTree, account_leaves, licences_of
from gridlab.chain.authority import Authority
from gridlab.chain.certificates import CertificateRegistry
from gridlab.chain.contracts import ContractRegistry
from gridlab.chain.encoding import text, u64
from gridlab.chain.frame_encoding import encode_frame
from gridlab.chain.hashing import tagged_hash
from gridlab.chain.ledger import Ledger
from gridlab.chain.locked import Locked
from gridlab.chain.members import Members
from gridlab.chain.meters import MeterRegister
from gridlab.chain.packets import Packets
from gridlab.chain.reports import OracleReports
from gridlab.chain.resting import RestingOrders
from gridlab.chain.terms import ChainTerms
from gridlab.errors import ChainError

__all__ = ["BACKING", "ISSUER_ROLES", "State"]

# Which role may bring an asset into being, and what must lie in reserve for it.
ISSUER_ROLES = {"WATT": "watt_issuer", "THB": "reserve_bank"}
BACKING = {"WATT": "THB"}

_TERMS_DOMAIN = "gridlab/state-terms/1"
_RETIRED_DOMAIN = "gridlab/state-retired-keys/1"
_NAMES_DOMAIN = "gridlab/state-names/1"
_RECORDS_DOMAIN = "gridlab/state-records/1"
_CONTRACTS_DOMAIN = "gridlab/state-contracts/1"
_ORDERS_DOMAIN = "gridlab/state-orders/1"
_LINKS_DOMAIN = "gridlab/state-links/1"
_LOCKED_DOMAIN = "gridlab/state-locked/1"


class _Rooted:
    # Apart from the fields of the state, which a snapshot holds: the tree follows from them.
    __slots__ = ("_tree",)

    def __init__(self) -> None:
        self._tree: AccountTree | None = None

    def _carry(self, parts: tuple[Members, npt.NDArray[np.uint64], Ledger, list[bytes]]) -> AccountTree:
        # What was hashed for the state that this one is forked from is not hashed again.
        self._tree = AccountTree(*parts) if self._tree is None else self._tree.after(*parts)
        return self._tree


@dataclass(slots=True)
class State(_Rooted):
    """The state that a block leads from and to.

    Attributes
    ----------
    members : Members
    nonces : array of uint64
        Per account, how many of its transactions have been accepted.
    ledger : Ledger
    terms : ChainTerms
    authority : Authority
        Who certifies blocks.
    charged : int
        How many fees were taken.
    resting : RestingOrders
    meters : MeterRegister
        What readings were accepted.
    certificates : CertificateRegistry
    contracts : ContractRegistry
    reports : OracleReports
    packets : Packets
    chain_id : str
        The chain for which signatures inside a payload must be.
    retired : tuple of bytes
        Public keys that members gave up. None may come back: what it signed would count again under another nonce.
    locked : Locked
        Hash time locks, channels and emergency stops.
    """

    members: Members
    nonces: npt.NDArray[np.uint64]
    ledger: Ledger
    terms: ChainTerms = field(default_factory=ChainTerms)
    authority: Authority = field(default_factory=lambda: Authority(b""))
    charged: int = 0
    resting: RestingOrders = field(default_factory=RestingOrders)
    meters: MeterRegister = field(default_factory=MeterRegister)
    certificates: CertificateRegistry = field(default_factory=CertificateRegistry)
    contracts: ContractRegistry = field(default_factory=ContractRegistry)
    reports: OracleReports = field(default_factory=OracleReports)
    packets: Packets = field(default_factory=Packets)
    chain_id: str = ""
    retired: tuple[bytes, ...] = ()
    locked: Locked = field(default_factory=lambda: Locked.on(""))

    def __post_init__(self) -> None:
        _Rooted.__init__(self)

    @classmethod
    def of(cls, members: Members, terms: ChainTerms, authority: Authority, chain_id: str) -> State:
        """Return the state at genesis: all balances zero."""
        issuers = {asset: members.with_role(role) for asset, role in ISSUER_ROLES.items()}
        ledger = Ledger(len(members), issuers=issuers, backing=BACKING)
        nonces = np.zeros(len(members), np.uint64)
        locked = Locked.on(chain_id)
        return cls(members, nonces, ledger, terms=terms, authority=authority, chain_id=chain_id, locked=locked)

    def fork(self) -> State:
        """Return an independent copy."""
        twin = copy(self)
        twin.nonces, twin.ledger = self.nonces.copy(), self.ledger.fork()
        return twin

    @property
    def operator_account(self) -> int | None:
        """The account that receives fees and to which reservations are made: the first market operator's."""
        operators = self.members.with_role("market_operator")
        return operators[0] if operators else None

    def set_members(self, members: Members) -> None:
        """Take over changed members; new ones get an account, and issuers the right to issue.

        Raises
        ------
        ChainError
            A member is to get a key that somebody has given up; nothing has changed then.
        """
        retired = (*self.retired, *(key for key in self.members.account_of if not self._keeps(key, members)))
        back = [members.account_of[key] for key in retired if key in members.account_of]
        if back:
            raise ChainError(
                f"membership: account {back[0]} is to get a key that was given up, and what that key has signed would "
                "count a second time; make a new key"
            )
        self.retired = retired
        self.nonces = np.pad(self.nonces, (0, len(members) - len(self.members)))
        self.ledger.grow(len(members))
        for asset, role in ISSUER_ROLES.items():
            for account in members.with_role(role):
                self.ledger.declare_issuer(account, asset)
        self.members = members

    def _keeps(self, key: bytes, members: Members) -> bool:
        return members.account_of.get(key) == self.members.account_of[key]

    def leaves(self) -> list[bytes]:
        """Return one canonical leaf per account, then one per register that holds anything.

        An account's leaf is what the ledger says of it, public key (32 bytes), role, active, KYC state (1 each), nonce
        (8). The others begin with a tag, and hold the hashes of what they stand for.
        """
        return [*account_leaves(licences_of(self.members), self.nonces, self.ledger), *self._registers()]

    def _registers(self) -> Iterator[bytes]:
        names = tagged_hash(_NAMES_DOMAIN, encode_frame(self.members.frame.select("name")))
        held = self.authority.hash + u64(self.charged) + self.ledger.commitment + names
        yield text(_TERMS_DOMAIN) + self.terms.to_bytes() + held
        if not (self.meters.is_empty and self.certificates.is_empty):
            yield text(_RECORDS_DOMAIN) + self.meters.hash + self.certificates.hash
        if not self.contracts.is_empty:
            yield text(_CONTRACTS_DOMAIN) + self.contracts.hash
        if not self.resting.is_empty:
            yield text(_ORDERS_DOMAIN) + self.resting.hash
        if self.retired:
            yield text(_RETIRED_DOMAIN) + b"".join(self.retired)
        if not (self.reports.is_empty and self.packets.is_empty):
            yield text(_LINKS_DOMAIN) + self.reports.hash + self.packets.hash
        if not self.locked.is_empty:
            yield text(_LOCKED_DOMAIN) + self.locked.hash

    @property
    def root(self) -> bytes:
        """RFC 6962 root over `leaves`, with BLAKE2b-256; 32 bytes."""
        return self._carry((self.members, self.nonces, self.ledger, list(self._registers()))).root
