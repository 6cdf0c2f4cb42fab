"""Making a proof of a trade or of a transaction, which an outsider checks with one file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from gridlab.chain import merkle
from gridlab.chain.arguments import require_int
from gridlab.chain.authority import authority_hash, pack_validators
from gridlab.chain.blocks import Block, Header
from gridlab.chain.chain_views import ChainViews
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.trades import TRADES, trade_leaves
from gridlab.compliance.ancestry import FULL, NONE, ancestors
from gridlab.compliance.pages import facts_html
from gridlab.compliance.proof_reading import LARGEST_PROOF, header_json, moment_text
from gridlab.compliance.trail import payload_rows
from gridlab.compliance.verdict import Verdict
from gridlab.compliance.verifying import FORMAT, check_bytes
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, ReportError
from gridlab.frames import SLOT

__all__ = ["Proof", "prove_trade", "prove_transaction"]


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that a trade or a transaction stands in a final block; made by `prove_trade` and `prove_transaction`.

    Attributes
    ----------
    content : mapping
        What the JSON file holds.
    """

    content: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        header = self.content["header"]
        return f"Proof({self.content['kind']} in block {header['height']} of {header['chain_id']!r})"

    def _repr_html_(self) -> str:
        verdict = self.verdict
        return facts_html(repr(self), [("proves", verdict.proved), ("trusts", verdict.trusted)])

    @property
    def verdict(self) -> Verdict:
        """What whoever checks it is told."""
        return check_bytes(self.to_json().encode())

    def to_json(self) -> str:
        """Return the file's text; equal proofs give equal texts."""
        return json.dumps(self.content, ensure_ascii=False, indent=1)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the JSON file and return its path; a file that was there stays until the new one is complete.

        Raises
        ------
        ArgumentTypeError
            `path` is not one.
        ReportError
            It cannot be written.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise ArgumentTypeError(f"path is a {type(path).__name__}, allowed: the name of a file")
        target = Path(path)
        partial = target.with_name(target.name + ".part")
        try:
            partial.write_text(self.to_json(), encoding="utf-8")
            partial.replace(target)
        except OSError as problem:
            partial.unlink(missing_ok=True)
            raise ReportError(f"{target}: cannot be written ({problem.strerror}); choose another folder") from problem
        return target


def prove_trade(chain: ChainViews, height: int, index: int, place: int, *, ancestry: bool = True) -> Proof:
    """Prove that a trade stands in a final block; ``chain.trades`` has these three numbers of every trade.

    Parameters
    ----------
    chain : ConsortiumChain
    height : int
        Of the block.
    index : int
        Place of the transaction in its block.
    place : int
        Place of the trade among those of that transaction.
    ancestry : bool
        Show every header from genesis on, which binds the proof to this one chain; without them it is short.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        There is no such block, transaction or trade.
    ChainError
        The proof would be larger than `gridlab.compliance.proof_reading.LARGEST_PROOF`.
    """
    block, index = _block(chain, height, index)
    trades = block.receipts[index].trades
    if trades is None or trades.is_empty():
        raise ArgumentError(
            f"transaction {index} of block {height} made no trades; chain.trades lists height, index and place of each"
        )
    require_int("place", place, 0, trades.height - 1)
    own = {"trade": _trade_json(trades[place]), "trade_path": _path(trade_leaves(trades), place)}
    return _proof(chain, block, index, own, ancestry=ancestry)


def prove_transaction(chain: ChainViews, height: int, index: int, *, ancestry: bool = True) -> Proof:
    """Prove that a transaction, such as a payment, stands in a final block, and what became of it.

    Parameters
    ----------
    chain : ConsortiumChain
    height : int
        Of the block.
    index : int
        Place of the transaction in its block.
    ancestry : bool
        As for `prove_trade`.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        There is no such block or transaction.
    ChainError
        The proof would be larger than `gridlab.compliance.proof_reading.LARGEST_PROOF`.
    """
    block, index = _block(chain, height, index)
    transaction = block.transactions[index]
    names = ("chain_id", "kind", "sender", "nonce", "expiry", "payload", "signature")
    fields = {name: _plain(getattr(transaction, name)) for name in names}
    ids = [each.id for each in block.transactions]
    own = {"transaction": fields, "transaction_path": _path(ids, index)}
    return _proof(chain, block, index, own, ancestry=ancestry)


def _block(chain: object, height: int, index: int) -> tuple[Block, int]:
    if not isinstance(chain, ChainViews):
        raise ArgumentTypeError(f"chain is a {type(chain).__name__}, allowed: a ConsortiumChain such as run.chain")
    require_int("height", height, 1, chain.height)
    block = chain.block(height)
    if not block.transactions:
        raise ArgumentError(f"block {height} holds no transactions; chain.transactions lists height and index of all")
    return block, require_int("index", index, 0, len(block.transactions) - 1)


def _plain(value: Any) -> Any:
    return hexadecimal(value) if isinstance(value, bytes) else value


def _trade_json(trade: pl.DataFrame) -> dict[str, Any]:
    return {
        column.name: moment_text(trade[column.name].to_physical()[0]) if column.dtype == SLOT else trade[column.name][0]
        for column in TRADES.columns
    }


def _path(leaves: Sequence[bytes], place: int) -> list[dict[str, str]]:
    """Return the siblings from a leaf to the root, each with the side on which it stands."""
    hashes = merkle.prove_inclusion(leaves, place, hash="blake2b-256")
    sides, size = [], len(leaves)
    while size > 1:
        if place % 2:
            sides.append("left")
        elif place + 1 < size:
            sides.append("right")
        place, size = place // 2, (size + 1) // 2
    return [{"side": side, "hash": hexadecimal(each)} for side, each in zip(sides, hashes, strict=True)]


def _proof(chain: ChainViews, block: Block, index: int, own: Mapping[str, Any], *, ancestry: bool) -> Proof:
    if not isinstance(ancestry, bool):
        raise ArgumentTypeError(f"ancestry is {ancestry!r}, allowed: True or False")
    receipt, shown = block.receipts[index], ancestry or block.height == 1
    content = {
        "format": FORMAT,
        "kind": next(iter(own)),
        "chain_id": chain.chain_id,
        "genesis": hexadecimal(chain.block(0).hash),
        "genesis_header": header_json(chain.block(0).header),
        "ordering": chain.genesis.ordering_name,
        "authority": hexadecimal(chain.genesis.ordering_authority),
        "handovers": _handovers(chain, block.height),
        "ancestry": FULL if shown else NONE,
        "ancestors": ancestors(chain, block.height) if shown else [],
        "header": header_json(block.header),
        "certificate": hexadecimal(block.certificate),
        **own,
        "receipt": {name: _plain(getattr(receipt, name)) for name in ("transaction_id", "code", "output")},
        "receipt_path": _path([each.to_bytes() for each in block.receipts], index),
    }
    proof = Proof(content)
    if len(proof.to_json().encode()) > LARGEST_PROOF:
        raise ChainError(
            f"the proof of transaction {index} of block {block.height} would have more than {LARGEST_PROOF} bytes; "
            "ancestry=False leaves out the headers below; a transaction as large as that is shown by its id alone"
        )
    # Whoever hands out a proof should be the first to have checked it.
    verdict = proof.verdict
    if not verdict:
        raise ChainError(f"block {block.height}: no proof can be made of this chain, {verdict.reason}")
    return proof


def _handovers(chain: ChainViews, height: int) -> list[dict[str, Any]]:
    """Return the headers below `height` that commit to other validators than the one before, with those validators."""
    appointed = _appointed(chain)
    reached, found = chain.block(0).header.next_authority, []
    for below in range(1, height):
        block = chain.block(below)
        following = block.header.next_authority
        if following != reached:
            found.append(_handover(block.header, block.certificate, appointed[following]))
            reached = following
    return found


def _appointed(chain: ChainViews) -> dict[bytes, bytes]:
    """Return hash -> authority of every set that was ever appointed."""
    first = chain.genesis.ordering_authority
    sets = payload_rows(chain, "validators").partition_by(["height", "index"], maintain_order=True)
    return {authority_hash(each): each for each in (first, *(pack_validators(s["public_key"].to_list()) for s in sets))}


def _handover(header: Header, certificate: bytes, authority: bytes) -> dict[str, Any]:
    return {
        "header": header_json(header),
        "certificate": hexadecimal(certificate),
        "authority": hexadecimal(authority),
    }
