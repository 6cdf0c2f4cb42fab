"""The tree whose root a header commits to, kept from block to block.

A block changes some accounts of many. The tree is therefore carried on with the state, and only the leaves of accounts
whose balances, nonce or licence are others than before are hashed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.ledger import Ledger
from gridlab.chain.members import Members
from gridlab.chain.merkle_tree import MerkleTree

__all__ = ["AccountTree", "account_leaves", "licences_of"]

_LICENCE = np.dtype([("public_key", "V32"), ("role", "u1"), ("active", "u1"), ("kyc", "u1")])
_TAIL = np.dtype([("licence", _LICENCE), ("nonce", "<u8")])


def licences_of(members: Members) -> npt.NDArray[Any]:
    """Return what a leaf says of each member: public key (32 bytes), role, active, KYC state (1 byte each)."""
    rows = np.empty(len(members), _LICENCE)
    rows["public_key"] = np.frombuffer(b"".join(members.frame["public_key"].to_list()), "V32")
    for name in ("role", "active", "kyc"):
        rows[name] = members.frame[name].to_physical().to_numpy()
    return rows


def account_leaves(
    licences: npt.NDArray[Any],
    nonces: npt.NDArray[np.uint64],
    ledger: Ledger,
    accounts: npt.NDArray[np.int64] | None = None,
) -> list[bytes]:
    """Return the canonical leaf of each account, or of these.

    What the ledger says of it, then its licence (`licences_of`), then its nonce (8 bytes).
    """
    chosen = np.arange(len(licences)) if accounts is None else accounts
    tails = np.empty(len(chosen), _TAIL)
    tails["licence"], tails["nonce"] = licences[chosen], nonces[chosen]
    packed, size = tails.tobytes(), _TAIL.itemsize
    return [leaf + packed[size * row : size * (row + 1)] for row, leaf in enumerate(ledger.leaf_bytes(chosen))]


class AccountTree:
    """The tree over the accounts of one state, and what that state was; made anew by `after`, never changed.

    Parameters
    ----------
    members : Members
    nonces : array of uint64
    ledger : Ledger
    registers : sequence of bytes
        Leaves behind those of the accounts.
    """

    __slots__ = ("_ledger", "_licences", "_members", "_nonces", "_tree")

    def __init__(
        self, members: Members, nonces: npt.NDArray[np.uint64], ledger: Ledger, registers: Sequence[bytes]
    ) -> None:
        self._hold(members, nonces, ledger)
        self._licences = licences_of(members)
        self._tree = MerkleTree([*account_leaves(self._licences, nonces, ledger), *registers])

    def __repr__(self) -> str:
        return f"AccountTree({len(self._members)} accounts, {len(self._tree)} leaves)"

    def _hold(self, members: Members, nonces: npt.NDArray[np.uint64], ledger: Ledger) -> None:
        # Copies, because the state may go on changing its own.
        self._members, self._nonces, self._ledger = members, nonces.copy(), ledger.fork()

    @property
    def root(self) -> bytes:
        """RFC 6962 root over all leaves, with BLAKE2b-256; 32 bytes."""
        return self._tree.root

    def after(
        self, members: Members, nonces: npt.NDArray[np.uint64], ledger: Ledger, registers: Sequence[bytes]
    ) -> AccountTree:
        """Return the tree of a later state.

        Parameters
        ----------
        members : Members
        nonces : array of uint64
        ledger : Ledger
            Forked from the one before.
        registers : sequence of bytes
            As for the class.
        """
        if members is not self._members:
            return AccountTree(members, nonces, ledger, registers)
        moved = np.union1d(ledger.changed_accounts(self._ledger), np.flatnonzero(nonces != self._nonces))
        later = object.__new__(AccountTree)
        later._hold(members, nonces, ledger)
        later._licences, later._tree = self._licences, self._tree.fork()
        later._tree.update(moved, account_leaves(self._licences, nonces, ledger, moved))
        later._tree.resize(len(members))
        later._tree.resize(len(members) + len(registers), registers)
        return later
