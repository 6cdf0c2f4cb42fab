"""Checking a proof with nothing but the file: `gl.verify("proof.json")`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from gridlab.chain.arguments import require_bytes
from gridlab.chain.frame_encoding import decode_frame
from gridlab.chain.hashing import HASH_BYTES, hexadecimal
from gridlab.chain.pbft.quorums import max_faulty
from gridlab.chain.trades import NO_ACCOUNT, NO_ORDER, trade_leaves
from gridlab.chain.transactions import Transaction
from gridlab.compliance.proof_checks import (
    Certified,
    check_certified,
    check_path,
    read_receipt,
    read_trade,
    read_transaction,
)
from gridlab.compliance.proof_reading import (
    LARGEST_PROOF,
    RefusedError,
    bytes_of,
    moment_text,
    object_of,
    parse,
    text_of,
)
from gridlab.compliance.verdict import Verdict
from gridlab.errors import ArgumentError, ArgumentTypeError, GridlabError, MissingProofError

__all__ = ["FORMAT", "KINDS", "check_bytes", "verify"]

FORMAT = "gridlab-proof/1"
_COMMON = (
    *("format", "kind", "chain_id", "genesis", "genesis_header", "ordering", "authority", "handovers"),
    *("ancestry", "ancestors", "header", "certificate", "receipt", "receipt_path"),
)
KINDS: Mapping[str, tuple[str, ...]] = {
    "trade": (*_COMMON, "trade", "trade_path"),
    "transaction": (*_COMMON, "transaction", "transaction_path"),
}


def verify(proof: str | os.PathLike[str], *, genesis: str | bytes | None = None) -> Verdict:
    """Check a proof that somebody else made. Nothing but the file is needed.

    Parameters
    ----------
    proof : str or path
        The JSON file that `Proof.save` wrote.
    genesis : str or bytes, optional
        Hash of the genesis that you know, ``0x`` and 64 hexadecimal digits or 32 bytes. Without it the verdict says
        from which genesis the proof starts, and whether that is the right one is for you to say.

    Returns
    -------
    Verdict
        True where everything holds; otherwise false, with the first thing that fails as the reason.

    Raises
    ------
    MissingProofError
        There is no such file.
    ArgumentTypeError, ArgumentError
        `proof` is not a path, or `genesis` not a hash. A bad proof raises nothing.
    """
    if not isinstance(proof, (str, os.PathLike)):
        raise ArgumentTypeError(
            f"proof is a {type(proof).__name__}, allowed: the name of a file; run.prove_trade(row).save('proof.json') "
            "writes one"
        )
    known = _known_genesis(genesis)
    try:
        with Path(proof).open("rb") as file:
            data = file.read(LARGEST_PROOF + 1)
    except FileNotFoundError as problem:
        raise MissingProofError(
            f"{proof}: no such file; run.prove_trade(row).save({str(proof)!r}) writes one"
        ) from problem
    except (OSError, ValueError) as problem:
        return Verdict(valid=False, reason=f"the file cannot be read ({problem})")
    return check_bytes(data, known)


def _known_genesis(genesis: object) -> bytes | None:
    if genesis is None:
        return None
    if isinstance(genesis, str):
        try:
            return bytes_of(genesis, "genesis", HASH_BYTES)
        except RefusedError as problem:
            raise ArgumentError(f"{problem}; chain.block(0).hash is the hash of genesis") from problem
    return require_bytes("genesis", genesis, HASH_BYTES)


def check_bytes(data: bytes, genesis: bytes | None = None) -> Verdict:
    """Check the bytes of a proof; `genesis` is the hash that the reader knows."""
    try:
        return _checked(parse(data), genesis)
    except RefusedError as problem:
        return Verdict(valid=False, reason=str(problem))


def _checked(content: object, genesis: bytes | None) -> Verdict:
    if not isinstance(content, dict):
        raise RefusedError(f"the proof is a {type(content).__name__}, allowed: an object")
    kind = text_of(content.get("kind"), "kind", tuple(KINDS))
    object_of(content, "the proof", KINDS[kind])
    text_of(content["format"], "format", (FORMAT,))
    certified = check_certified(content)
    if genesis is not None and certified.genesis != genesis:
        raise RefusedError(
            f"the proof starts from the genesis {hexadecimal(certified.genesis)}, yours is {hexadecimal(genesis)}"
        )
    receipt = read_receipt(content["receipt"])
    check_path(content["receipt_path"], "receipt_path", receipt.to_bytes(), certified.header.receipts_root)
    facts: dict[str, Any]
    if kind == "trade":
        facts = _check_trade(content, receipt.accepted, receipt.output)
    else:
        facts = _check_transaction(content, certified, receipt.transaction_id, receipt.code)
    return _verdict(kind, certified, facts, checked=genesis is not None)


def _check_trade(content: Mapping[str, Any], accepted: bool, output: bytes) -> dict[str, Any]:  # noqa: FBT001
    if not accepted or not output:
        raise RefusedError("receipt is not one of an accepted transaction that made trades")
    trade = read_trade(content["trade"])
    check_path(content["trade_path"], "trade_path", trade_leaves(trade)[0], output)
    return {"trade": _human(trade)}


def _human(trade: pl.DataFrame) -> dict[str, Any]:
    """Return a trade in kWh, THB/kWh and THB, as exact decimals."""
    row = {name: trade[name][0] for name in trade.columns}
    shown: dict[str, Any] = {"slot": row["slot"].isoformat(), "zone": row["zone"]}
    for side in ("buyer", "seller"):
        shown[side] = "the grid" if row[side] == NO_ACCOUNT else row[side]
    for order in ("buy_order", "sell_order"):
        shown[order] = None if row[order] == NO_ORDER else row[order]
    shown["energy_kwh"] = Decimal(row["energy"]).scaleb(-3)
    shown["price_thb_per_kwh"] = Decimal(row["price"]).scaleb(-3)
    money = [name for name in trade.columns if name not in {*shown, "energy", "price"}]
    return shown | {f"{name}_thb": Decimal(row[name]).scaleb(-6) for name in money}


def _check_transaction(content: Mapping[str, Any], certified: Certified, named: bytes, code: str) -> dict[str, Any]:
    transaction = read_transaction(content["transaction"])
    if transaction.id != named:
        raise RefusedError(f"receipt is of the transaction {hexadecimal(named)}, not of this one")
    root = certified.header.transactions_root
    check_path(content["transaction_path"], "transaction_path", transaction.id, root)
    if code == "accepted" and not (transaction.is_signed and transaction.chain_id == certified.header.chain_id):
        raise RefusedError("transaction: it is not signed by its sender for this chain, and yet it was accepted")
    shown = {
        "id": hexadecimal(transaction.id),
        "chain_id": transaction.chain_id,
        "kind": transaction.kind,
        "sender": hexadecimal(transaction.sender),
        "nonce": transaction.nonce,
        "expiry": transaction.expiry,
        "code": code,
        "signed_by_sender": transaction.is_signed,
    }
    return {"transaction": shown, "payload": _payload(transaction)}


def _payload(transaction: Transaction) -> pl.DataFrame | None:
    try:
        return decode_frame(transaction.payload, "payload")
    except GridlabError:
        return None


def _verdict(kind: str, certified: Certified, facts: dict[str, Any], *, checked: bool) -> Verdict:
    header, genesis = certified.header, hexadecimal(certified.genesis)
    signed = f"{len(certified.signers)} of {certified.validators} validators signed it"
    what = "this trade" if kind == "trade" else f"this transaction, with the outcome {facts['transaction']['code']!r}"
    known = "" if checked else f"that {genesis} is the genesis you know: pass genesis= to have it checked; "
    most = max_faulty(certified.validators)
    honest = f"at most {most} of the {certified.validators} validators lie" if most else "the validators do not lie"
    line = f"; every header from genesis {genesis} to it is there" if certified.descends else ""
    alone = "" if certified.descends else "; that they sign for one chain of this name only, and for none once replaced"
    since = f", nor too many of any set in the {certified.handovers} before" if certified.handovers else ""
    return Verdict(
        valid=True,
        kind=kind,
        chain_id=header.chain_id,
        height=header.height,
        slot=moment_text(header.timestamp),
        validators=certified.validators,
        signers=tuple(hexadecimal(key) for key in certified.signers),
        handovers=certified.handovers,
        descends=certified.descends,
        genesis=genesis,
        genesis_checked=checked,
        proved=f"block {header.height} of the chain {header.chain_id!r} holds {what}; {signed}{line}",
        trusted=f"{known}that {honest}{since}{alone}",
        **facts,
    )
