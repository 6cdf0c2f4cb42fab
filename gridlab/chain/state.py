"""What the chain knows after a block: members, nonces, the ledger, orders, meters, certificates, contracts, terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gridlab.chain.account_tree import AccountTree, account_leaves, licences_of
from gridlab.chain.authority import Authority
from gridlab.chain.certificates import CertificateRegistry
from gridlab.chain.contracts import ContractRegistry
from gridlab.chain.emergency.book import EmergencyBook
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
from gridlab.chain.versions import Versions
from gridlab.chain.watt.register import WattRegister
from gridlab.errors import ChainError

if TYPE_CHECKING:
    from gridlab.chain.shards.in_chain import ChainShards

__all__ = ["BACKING", "ISSUER_ROLES", "MOST_IN_SHARDS", "State"]

# Which role may bring an asset into being, and what must lie in reserve for it.
ISSUER_ROLES = {"WATT": "watt_issuer", "THB": "reserve_bank"}
BACKING = {"WATT": "THB"}
# A bridge's vault issues what stands for another chain's tokens.
_ISSUING_ROLES = (*ISSUER_ROLES.values(), "bridge_operator")
# Smallest units of an asset: a quarter of what Int64 counts.
MOST_IN_SHARDS = 1 << 61

_TERMS_DOMAIN = "gridlab/state-terms/1"
_RETIRED_DOMAIN = "gridlab/state-retired-keys/1"
_NAMES_DOMAIN = "gridlab/state-names/1"
_RECORDS_DOMAIN = "gridlab/state-records/1"
_CONTRACTS_DOMAIN = "gridlab/state-contracts/1"
_ORDERS_DOMAIN = "gridlab/state-orders/1"
_LINKS_DOMAIN = "gridlab/state-links/1"
_LOCKED_DOMAIN = "gridlab/state-locked/1"
_EMERGENCY_DOMAIN = "gridlab/state-emergency/1"
_VERSIONS_DOMAIN = "gridlab/state-versions/1"
_WATT_DOMAIN = "gridlab/state-watt/1"


class _Rooted:
    # Apart from the fields of the state, which a snapshot holds: the tree follows from them.
    __slots__ = ("_tree", "shards")

    def __init__(self) -> None:
        self._tree: AccountTree | None = None
        # Apart as well: blocks executed from genesis on make them, whatever a snapshot holds.
        self.shards: ChainShards | None = None

    def take_shards(self, shards: ChainShards | None) -> None:
        """Let balances live in these shards as well; the state forks them from then on."""
        self.shards = shards

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
    versions : Versions
        The rules and the terms of the market that are in force, and those that follow.
    watt : WattRegister
        Rules of WATT, the attested reserve, the queue of redemptions.
    emergency : EmergencyBook
        Who may stop what, and what stands.
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
    versions: Versions = field(default_factory=Versions)
    watt: WattRegister = field(default_factory=WattRegister)
    emergency: EmergencyBook = field(default_factory=EmergencyBook)

    def __post_init__(self) -> None:
        _Rooted.__init__(self)

    @classmethod
    def of(
        cls,
        members: Members,
        terms: ChainTerms,
        authority: Authority,
        chain_id: str,
        versions: Versions = Versions(),  # noqa: B008 - it is frozen
    ) -> State:
        """Return the state at genesis: all balances zero."""
        issuers = {asset: members.with_role(role) for asset, role in ISSUER_ROLES.items()}
        ledger = Ledger(len(members), issuers=issuers, backing=BACKING)
        nonces = np.zeros(len(members), np.uint64)
        locked = Locked.on(chain_id)
        return cls(
            members,
            nonces,
            ledger,
            terms=terms,
            authority=authority,
            chain_id=chain_id,
            locked=locked,
            versions=versions,
        )

    def fork(self) -> State:
        """Return an independent copy."""
        twin = copy(self)
        twin.nonces, twin.ledger = self.nonces.copy(), self.ledger.fork()
        twin.take_shards(None if self.shards is None else self.shards.fork())
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
            A member is to get a key that somebody has given up, or a new one has no home in a shard; nothing has
            changed then.
        """
        self._require_homes(members)
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

    def _require_homes(self, members: Members) -> None:
        if self.shards is None:
            return
        if len(members) > len(self.shards):
            raise ChainError(
                f"membership: there would be {len(members)} members, and the chain's shards have homes for "
                f"{len(self.shards)}; genesis fixes them, also for those who come later"
            )
        for role in _ISSUING_ROLES:
            if members.with_role(role) != self.members.with_role(role):
                raise ChainError(
                    f"membership: a new {role} may issue, and on a chain with shards only those of genesis do"
                )

    @property
    def issuing_accounts(self) -> list[int]:
        """The accounts that issue an asset, or may come to: issuers and the vaults of bridges."""
        return sorted(account for role in _ISSUING_ROLES for account in self.members.with_role(role))

    def require_room(self, asset: str, amounts: Sequence[int]) -> None:
        """Raise ChainError where on a chain with shards more of an asset would circulate than they can count.

        In a round of a block a shard's ledger may hold what is issued on top of what has not come back yet.
        """
        most = self.ledger.circulation(asset) + sum(max(amount, 0) for amount in amounts)
        if self.shards is not None and most > MOST_IN_SHARDS:
            raise ChainError(
                f"{asset}: {most} units would circulate, allowed on a chain with shards: {MOST_IN_SHARDS}, so that "
                "every shard can count what is on its way"
            )

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
        yield text(_VERSIONS_DOMAIN) + self.versions.hash
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
        if not self.watt.is_empty:
            yield text(_WATT_DOMAIN) + self.watt.hash
        if not self.emergency.is_empty:
            yield text(_EMERGENCY_DOMAIN) + self.emergency.hash
        if self.shards is not None:
            yield from self.shards.leaves()

    @property
    def root(self) -> bytes:
        """RFC 6962 root over `leaves`, with BLAKE2b-256; 32 bytes."""
        return self._carry((self.members, self.nonces, self.ledger, list(self._registers()))).root
