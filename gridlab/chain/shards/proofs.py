"""What an account holds, proved by a block's root alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridlab.chain import merkle
from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.bridge.inclusion import HASH, Inclusion
from gridlab.chain.encoding import Reader
from gridlab.chain.ledger.schema import ASSET_NAMES
from gridlab.chain.shards.letters import ShardProof
from gridlab.chain.shards.summary import ShardSummary
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["AccountProof", "amounts_under", "verify_account"]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """A leaf of a shard's accounts, its way to the shard's summary, and that one's way to the block's root.

    Attributes
    ----------
    account : int
    inclusion : Inclusion
    shard : ShardProof
    """

    account: int
    inclusion: Inclusion = field(repr=False)
    shard: ShardProof


def verify_account(root: bytes, proof: AccountProof, *, shards: int) -> dict[str, tuple[int, int]]:
    """Return what an account held, if the proof leads to `root`.

    Parameters
    ----------
    root : bytes
        Of a block that the reader trusts.
    proof : AccountProof
    shards : int
        How many shards the ledger has.

    Returns
    -------
    dict of str to (int, int)
        Asset -> what was posted, and what of it was reserved for transfers on their way.

    Raises
    ------
    ArgumentTypeError
        `root` is not ``bytes``, or `proof` no proof.
    ChainError
        The proof does not lead to the root, or is of another account.
    """
    require_bytes("root", root)
    if not isinstance(proof, AccountProof) or not isinstance(proof.inclusion, Inclusion):
        raise ArgumentTypeError(f"proof is a {type(proof).__name__}, allowed: an AccountProof")
    if not isinstance(proof.shard, ShardProof):
        raise ArgumentTypeError(f"proof.shard is a {type(proof.shard).__name__}, allowed: a ShardProof")
    claimed = getattr(proof.shard.summary, "shard", None)
    summary = proof.shard.require(root, shard=require_int("shard", claimed, 0), shards=require_int("shards", shards, 1))
    return amounts_under(summary, proof.account, proof.inclusion)


def amounts_under(summary: ShardSummary, account: int, inclusion: Inclusion) -> dict[str, tuple[int, int]]:
    """Return what an account's leaf says, posted and reserved by asset, if it is under the root of a summary.

    Raises
    ------
    ChainError
        The leaf is not there, or is of another account.
    """
    leaf, path = inclusion.leaf, list(inclusion.path)
    found = (summary.accounts_root, leaf, inclusion.index, summary.accounts, path)
    if not merkle.verify_inclusion(*found, hash=HASH):
        raise ChainError(f"account proof: the leaf of {account} is not under its shard's root; ask for it again")
    reader = Reader(leaf, "account leaf")
    if reader.u32() != account:
        raise ChainError(f"account proof: the leaf is of another account than {account}; ask for it again")
    reader.u32()  # its number within the shard
    amounts = np.frombuffer(reader.take(2 * 8 * len(ASSET_NAMES)), "<i8").reshape(2, -1).T.tolist()
    reader.finish()
    return {asset: (posted, reserved) for asset, (posted, reserved) in zip(ASSET_NAMES, amounts, strict=True)}
