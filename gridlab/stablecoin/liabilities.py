"""Proof of liabilities: every holder checks that what is owed to him is part of the total that the issuer signs.

The issuer builds a Merkle sum tree over all holders (`gridlab.stablecoin.sums`) and signs its root and total for one
block of the chain. A holder gets 40 bytes per level and checks by himself that his balance is in it. The total must be
the WATT in circulation at that block, which anybody reads off the chain. So an issuer that leaves out a holder, or
shows one a smaller balance, is found out by that holder; one whose total is not what circulates, by everybody.

What a proof tells besides: the sums of the subtrees beside the path, one of which is another holder's balance. Salted
hashes keep from the reader whose it is. Holders stand in the order of their hashes, which tells nothing either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain import keys
from gridlab.chain.arguments import require_bytes
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES
from gridlab.chain.hashing import HASH_BYTES, ZERO_HASH
from gridlab.chain.ledger.schema import LARGEST
from gridlab.errors import ArgumentTypeError, StablecoinError
from gridlab.frames import Column, Schema
from gridlab.stablecoin.proofs import LiabilityProof, LiabilityStatement
from gridlab.stablecoin.sums import HOLDER_TAG, SALT_BYTES, SALT_TAG, Node, salt_of

__all__ = ["HOLDERS", "LiabilityTree", "holders_of"]

Int64Array = npt.NDArray[np.int64]

HOLDERS = Schema(
    "holders",
    (
        Column("public_key", pl.Binary, "binary", "32 bytes; unique"),
        Column("balance", pl.Int64, "integer", "WATT, queued ones included, micro-THB; 0 or more"),
    ),
)
_NODE_BYTES = HASH_BYTES + 8


def holders_of(chain: ConsortiumChain) -> pl.DataFrame:
    """Return everybody who holds WATT on a chain after its newest block, as `HOLDERS`.

    What waits in the queue of redemptions, in a lock, a channel or a vault is still its holder's. Issuers hold none:
    their balances are what they owe.
    """
    if not isinstance(chain, ConsortiumChain):
        raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a ConsortiumChain")
    balances = chain.ledger.balances.select("account", balance="WATT")
    found = chain.members.select("account", "public_key").join(balances, on="account", how="inner")
    return HOLDERS.check(found.filter(pl.col("balance") > 0).select("public_key", "balance"))


class LiabilityTree:
    """The Merkle sum tree of an issuer.

    Attributes
    ----------
    root : bytes
        Hash of the uppermost node, 32 bytes; zeros without holders.
    total : int
        What is owed to all holders, micro-THB.

    Examples
    --------
    >>> alice, bob = (keys.sandbox(0, name).public_key for name in ("alice", "bob"))
    >>> tree = LiabilityTree.of(pl.DataFrame({"public_key": [alice, bob], "balance": [70, 30]}), secret=bytes(32))
    >>> statement = tree.sign(keys.sandbox(0, "issuer"), "a chain", 7)
    >>> known = {"issuer": keys.sandbox(0, "issuer").public_key, "chain_id": "a chain", "height": 7}
    >>> tree.total, tree.prove(alice).check(statement, **known, public_key=alice, balance=70)
    (100, 70)
    """

    __slots__ = ("_hashes", "_places", "_secret", "_sums", "root", "total")

    def __init__(self, ids: list[bytes], places: dict[bytes, int], balances: Int64Array, secret: bytes) -> None:
        self._places, self._secret = places, secret
        self._sums, self._hashes = _levels(ids, balances)
        self.total = int(self._sums[-1][0]) if places else 0
        self.root = self._hashes[-1][0] if places else ZERO_HASH

    @classmethod
    def of(cls, holders: pl.DataFrame | pl.LazyFrame, *, secret: bytes) -> LiabilityTree:
        """Build the tree.

        Parameters
        ----------
        holders : polars.DataFrame or polars.LazyFrame
            As `HOLDERS`, in any order.
        secret : bytes
            32 bytes from which the holders' salts follow; new ones for each tree, or two trees could be compared.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            The secret is not 32 bytes.
        FrameError
            A balance is negative, a key is no key or stands there twice.
        StablecoinError
            All balances together are more than Int64 counts.
        """
        require_bytes("secret", secret, SALT_BYTES)
        rules = {
            "a balance is below 0": pl.col("balance") < 0,
            "a public key does not have 32 bytes": pl.col("public_key").bin.size() != PUBLIC_KEY_BYTES,
            "a public key stands there twice": pl.col("public_key").is_duplicated(),
        }
        frame = HOLDERS.check(holders, rules=rules)
        owned, balances = frame["public_key"].to_list(), frame["balance"].to_numpy().astype(np.int64)
        _require_total(balances)
        ids = _ids(owned, secret)
        order = sorted(range(len(ids)), key=ids.__getitem__)
        places = {owned[row]: place for place, row in enumerate(order)}
        return cls([ids[row] for row in order], places, balances[order], secret)

    @classmethod
    def of_chain(cls, chain: ConsortiumChain, *, secret: bytes) -> LiabilityTree:
        """Build the tree over everybody who holds WATT on a chain after its newest block."""
        return cls.of(holders_of(chain), secret=secret)

    def __repr__(self) -> str:
        return f"LiabilityTree({len(self)} holders, {self.total} micro-THB)"

    def __len__(self) -> int:
        return len(self._places)

    def prove(self, public_key: bytes) -> LiabilityProof:
        """Return the proof for one holder, which only he should get: his salt is in it.

        Raises
        ------
        StablecoinError
            Nothing is owed to this key.
        """
        require_bytes("public_key", public_key, PUBLIC_KEY_BYTES)
        if public_key not in self._places:
            raise StablecoinError(f"liabilities: the key {public_key.hex()[:16]}… is none of the {len(self)} holders'")
        place = index = self._places[public_key]
        beside = []
        for sums, hashes in zip(self._sums[:-1], self._hashes[:-1], strict=True):
            if (other := index ^ 1) < len(hashes):
                beside.append(Node(hashes[other], int(sums[other])))
            index >>= 1
        salt, balance = salt_of(self._secret, public_key), int(self._sums[0][place])
        return LiabilityProof(salt, balance, place, len(self), tuple(beside))

    def sign(self, issuer: keys.KeyPair, chain_id: str, height: int) -> LiabilityStatement:
        """Sign root and total for one block of one chain."""
        return LiabilityStatement.sign(issuer, chain_id, height, self.root, self.total, len(self))

    def sign_for(self, issuer: keys.KeyPair, chain: ConsortiumChain) -> LiabilityStatement:
        """Sign root and total for the newest block of `chain`.

        Raises
        ------
        ArgumentTypeError
            It is no `ConsortiumChain`.
        StablecoinError
            The total is not what circulates there.
        """
        if not isinstance(chain, ConsortiumChain):
            raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a ConsortiumChain")
        statement = self.sign(issuer, chain.chain_id, chain.height)
        statement.require_circulation(chain)
        return statement


def _ids(owned: Sequence[bytes], secret: bytes) -> list[bytes]:
    """Return the salted hash of every holder, as `holder_hash` over `salt_of` gives it one by one."""
    public_keys = _as_bytes(owned)
    salts = _as_bytes(_hashed(_beside(SALT_TAG + secret, public_keys)))
    return _hashed(_beside(HOLDER_TAG, np.hstack([salts, public_keys])))


def _beside(tag: bytes, rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    front = np.broadcast_to(np.frombuffer(tag, np.uint8), (len(rows), len(tag)))
    return np.hstack([front, rows])


def _require_total(balances: Int64Array) -> None:
    # In halves, because the whole may be what does not fit.
    total = (int((balances >> 32).sum()) << 32) + int((balances & 0xFFFFFFFF).sum())
    if total > LARGEST:
        raise StablecoinError(f"liabilities: all balances together are {total}, allowed: at most {LARGEST}")


def _levels(ids: Sequence[bytes], balances: Int64Array) -> tuple[list[Int64Array], list[list[bytes]]]:
    """Return sums and hashes of all levels, leaves first; an odd node at the end of a level goes up as it is.

    That is the shape of RFC 6962. The messages of a level are one array of bytes, cut into rows when they are hashed.
    """
    sums = [balances]
    rows = np.empty((len(ids), 1 + _NODE_BYTES), np.uint8)
    rows[:, 0] = 0
    rows[:, 1 : 1 + HASH_BYTES] = _as_bytes(ids)
    rows[:, 1 + HASH_BYTES :] = _sum_bytes(balances)
    hashes = [_hashed(rows)]
    while len(hashes[-1]) > 1:
        below, pairs = len(hashes[-1]), len(hashes[-1]) // 2
        nodes = np.hstack([_as_bytes(hashes[-1]), _sum_bytes(sums[-1])])
        rows = np.empty((pairs, 1 + 2 * _NODE_BYTES), np.uint8)
        rows[:, 0] = 1
        rows[:, 1:] = nodes[: 2 * pairs].reshape(pairs, 2 * _NODE_BYTES)
        odd = below % 2
        above = sums[-1][: 2 * pairs].reshape(pairs, 2).sum(axis=1)
        hashes.append(_hashed(rows) + hashes[-1][below - odd :])
        sums.append(np.append(above, sums[-1][below - odd :]))
    return sums, hashes


def _as_bytes(hashes: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), HASH_BYTES)


def _sum_bytes(sums: Int64Array) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(sums, "<i8").view(np.uint8).reshape(len(sums), 8)


def _hashed(rows: npt.NDArray[np.uint8]) -> list[bytes]:
    data: Any = memoryview(rows.tobytes())
    width, blake2b = rows.shape[1], hashlib.blake2b
    return [blake2b(data[at : at + width], digest_size=HASH_BYTES).digest() for at in range(0, len(data), width)]
