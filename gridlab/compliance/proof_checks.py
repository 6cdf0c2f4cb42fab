"""The steps by which a proof is checked: from genesis to the validators, to the header, to the leaf.

::

    genesis hash
      -> its header commits to the first validators
      -> each hand-over: a header that the validators before have certified, and that commits to the next ones
      -> the header of the block, certified by those in force
         (and, where the proof shows them, all headers between, each holding the hash of the one below)
      -> its receipts root -> the receipt -> its output root -> the trade
      -> or its transactions root -> the transaction

A path names for each hash the side on which it stands. The place of a leaf and the number of leaves are not claimed,
because a path of RFC 6962 does not bind them: the same hashes prove leaf 0 of a tree of 3 and of one of 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from gridlab.chain.authority import authority_hash, unpack_validators
from gridlab.chain.blocks import Header, Receipt
from gridlab.chain.effects import RULES
from gridlab.chain.hashing import HASH_BYTES, ZERO_HASH, blake2b_256, hexadecimal
from gridlab.chain.ordering import SingleSequencer, ordering_of
from gridlab.chain.trades import TRADES
from gridlab.chain.transactions import Transaction
from gridlab.compliance.ancestry import check_ancestry
from gridlab.compliance.proof_reading import (
    RefusedError,
    bytes_of,
    items_of,
    object_of,
    read_header,
    read_moment,
    text_of,
    whole_of,
)
from gridlab.errors import GridlabError
from gridlab.frames import SLOT

__all__ = [
    "ORDERINGS",
    "Certified",
    "check_certified",
    "check_path",
    "read_receipt",
    "read_trade",
    "read_transaction",
]

ORDERINGS = (SingleSequencer.name, "pbft")
_LONGEST_PATH = 64
_MOST_HANDOVERS = 10_000
_BOUNDS = {pl.UInt32: (0, 2**32 - 1), pl.UInt64: (0, 2**64 - 1), pl.Int64: (-(2**63), 2**63 - 1)}
_TRANSACTION = ("chain_id", "kind", "sender", "nonce", "expiry", "payload", "signature")


@dataclass(frozen=True, slots=True)
class Certified:
    """A header that is final.

    Attributes
    ----------
    header : Header
    genesis : bytes
        Hash of the genesis from which it was reached.
    validators : int
    signers : tuple of bytes
    handovers : int
    descends : bool
        Whether the proof shows every header from genesis on.
    """

    header: Header
    genesis: bytes
    validators: int
    signers: tuple[bytes, ...]
    handovers: int
    descends: bool


def check_certified(content: Mapping[str, Any]) -> Certified:
    """Go from genesis to the certified header of a proof, or raise RefusedError at the first step that fails."""
    name = text_of(content["ordering"], "ordering", ORDERINGS)
    first = _genesis(content)
    reached, handed = _committed(content["authority"], "authority", first), [first]
    for place, each in enumerate(items_of(content["handovers"], "handovers", _MOST_HANDOVERS)):
        reached, last = _hand_over(each, f"handovers[{place}]", name, reached, handed[-1])
        handed.append(last)
    header = read_header(content["header"], "header")
    _require_follows(header, "header", handed[-1])
    certificate = bytes_of(content["certificate"], "certificate")
    _require_certified(header, "header", certificate, name, reached)
    if header.rules_version not in RULES:
        raise RefusedError(f"header: rules version {header.rules_version} is not known, allowed: {list(RULES)}")
    descends = check_ancestry(content, first, header, handed[1:])
    validators, signers = _signers(name, reached, certificate)
    return Certified(header, first.hash, validators, signers, len(handed) - 1, descends)


def _genesis(content: Mapping[str, Any]) -> Header:
    first = read_header(content["genesis_header"], "genesis_header")
    if first.hash != bytes_of(content["genesis"], "genesis", HASH_BYTES):
        raise RefusedError(f"genesis_header has the hash {hexadecimal(first.hash)}, and genesis says another one")
    if first.height or first.parent != ZERO_HASH:
        raise RefusedError("genesis_header is not of height 0 without a parent")
    if first.chain_id != text_of(content["chain_id"], "chain_id"):
        raise RefusedError(f"genesis_header is of the chain {first.chain_id!r}, and chain_id says another one")
    return first


def _committed(value: object, where: str, header: Header) -> bytes:
    authority = bytes_of(value, where)
    if authority_hash(authority) != header.next_authority:
        raise RefusedError(f"{where} is not the one to which the header at height {header.height} commits")
    return authority


def _hand_over(value: object, where: str, name: str, reached: bytes, last: Header) -> tuple[bytes, Header]:
    content = object_of(value, where, ("header", "certificate", "authority"))
    header = read_header(content["header"], f"{where}.header")
    _require_follows(header, f"{where}.header", last)
    _require_certified(
        header, f"{where}.header", bytes_of(content["certificate"], f"{where}.certificate"), name, reached
    )
    following = _committed(content["authority"], f"{where}.authority", header)
    if following == reached:
        raise RefusedError(f"{where} hands over to the same validators, so it belongs to no proof")
    return following, header


def _require_follows(header: Header, where: str, last: Header) -> None:
    if header.height <= last.height or header.timestamp < last.timestamp or header.chain_id != last.chain_id:
        raise RefusedError(f"{where} does not come after the header at height {last.height} on the same chain")


def _require_certified(header: Header, where: str, certificate: bytes, name: str, authority: bytes) -> None:
    try:
        accepted = ordering_of(name, authority).accepts(header, certificate, authority)
    except GridlabError as problem:
        raise RefusedError(f"{where}: the certificate cannot be checked ({problem})") from problem
    if not accepted:
        raise RefusedError(f"{where}: the certificate is not one of the validators in force over this header")


def _signers(name: str, authority: bytes, certificate: bytes) -> tuple[int, tuple[bytes, ...]]:
    if name == SingleSequencer.name:
        return 1, (authority,)
    from gridlab.chain.pbft_ordering import unpack_certificate

    validators = unpack_validators(authority)
    _, _, signatures = unpack_certificate(certificate, validators)
    return len(validators), tuple(signatures)


def check_path(value: object, where: str, leaf: bytes, root: bytes) -> None:
    """Climb from a leaf to the root by the hashes beside the way, or raise RefusedError."""
    running = blake2b_256(b"\x00" + leaf)
    for place, each in enumerate(items_of(value, where, _LONGEST_PATH)):
        step = object_of(each, f"{where}[{place}]", ("side", "hash"))
        beside = bytes_of(step["hash"], f"{where}[{place}].hash", HASH_BYTES)
        left = text_of(step["side"], f"{where}[{place}].side", ("left", "right")) == "left"
        running = blake2b_256(b"\x01" + beside + running if left else b"\x01" + running + beside)
    if running != root:
        raise RefusedError(f"{where} leads to another root than the one that is committed to, {hexadecimal(root)}")


def read_receipt(value: object) -> Receipt:
    """Read a receipt."""
    content = object_of(value, "receipt", ("transaction_id", "code", "output"))
    output = bytes_of(content["output"], "receipt.output")
    if len(output) not in (0, HASH_BYTES):
        raise RefusedError(f"receipt.output has {len(output)} bytes, allowed: {HASH_BYTES}, or none")
    return Receipt(
        bytes_of(content["transaction_id"], "receipt.transaction_id", HASH_BYTES),
        text_of(content["code"], "receipt.code"),
        output=output,
    )


def read_trade(value: object) -> pl.DataFrame:
    """Read a trade as a frame of one row, as `gridlab.chain.trades.TRADES`."""
    content = object_of(value, "trade", [column.name for column in TRADES.columns])
    row: dict[str, pl.Series] = {}
    for column in TRADES.columns:
        name, where = column.name, f"trade.{column.name}"
        if column.dtype == SLOT:
            row[name] = pl.Series([read_moment(content[name], where)], dtype=pl.Int64).cast(SLOT)
        elif column.dtype == pl.String:
            row[name] = pl.Series([text_of(content[name], where)], dtype=pl.String)
        else:
            low, high = _BOUNDS[column.dtype]
            row[name] = pl.Series([whole_of(content[name], where, low, high)], dtype=column.dtype)
    return pl.DataFrame(row)


def read_transaction(value: object) -> Transaction:
    """Read a transaction; one that was signed for another chain may stand in a block, refused."""
    content = object_of(value, "transaction", _TRANSACTION)
    try:
        return Transaction(
            text_of(content["chain_id"], "transaction.chain_id"),
            text_of(content["kind"], "transaction.kind"),
            bytes_of(content["sender"], "transaction.sender"),
            whole_of(content["nonce"], "transaction.nonce", 0, 2**64 - 1),
            whole_of(content["expiry"], "transaction.expiry", 0, 2**64 - 1),
            bytes_of(content["payload"], "transaction.payload"),
            bytes_of(content["signature"], "transaction.signature"),
        )
    except GridlabError as problem:
        raise RefusedError(f"transaction: {problem}") from problem
