"""Contracts as JSON: the terms, the chain, the id and the signatures, so that a person can read what is signed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gridlab.chain.arguments import require_text
from gridlab.chain.contract_terms import ContractTerms, GridIntegration, SettlementTerms, TradingRules
from gridlab.chain.hashing import hexadecimal
from gridlab.errors import ArgumentError, ArgumentTypeError, ChainError, nearest

__all__ = ["contract_of_json", "contract_to_json"]

_FORMAT = "gridlab/contract/1"
_FIELDS = ("format", "chain_id", "id", "terms", "signatures")
_TERMS = ("name", "template", "sellers", "buyers", "start", "end", "trading", "settlement", "grid")
_PARTS = {
    "trading": (TradingRules, ("volume", "energy", "shares")),
    "settlement": (SettlementTerms, ("pricing", "price")),
    "grid": (GridIntegration, ("operator", "wheeling", "payer")),
}
_SIGNATURE = ("account", "public_key", "signature")

Signatures = Mapping[int, tuple[bytes, bytes]]


def contract_to_json(terms: ContractTerms, chain_id: str, signatures: Signatures) -> str:
    """Return a contract as indented JSON."""
    signed = [
        {"account": account, "public_key": hexadecimal(key), "signature": hexadecimal(signature)}
        for account, (key, signature) in signatures.items()
    ]
    values = (_FORMAT, chain_id, hexadecimal(terms.id), terms.to_dict(), signed)
    return json.dumps(dict(zip(_FIELDS, values, strict=True)), ensure_ascii=False, indent=2)


def contract_of_json(text: str) -> tuple[ContractTerms, str, dict[int, tuple[bytes, bytes]]]:
    """Return terms, chain id and signatures; whether the signatures are good is for the contract to say.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        It is not text, not JSON, or a field is missing, unknown or does not fit.
    ChainError
        The id is not that of the terms.
    """
    try:
        found = json.loads(require_text("contract", text))
    except (json.JSONDecodeError, RecursionError) as problem:
        raise ArgumentError(f"contract: the text is not JSON ({problem}); contract.to_json() writes it") from problem
    form, chain_id, identity, terms_fields, signed = _fields("contract", found, _FIELDS)
    if form != _FORMAT:
        raise ArgumentError(f"contract.format is {form!r}, allowed: {_FORMAT!r}")
    terms = _terms(terms_fields)
    if identity != hexadecimal(terms.id):
        raise ChainError(
            f"contract.id is {identity!r}, the terms hash to {hexadecimal(terms.id)}; "
            "something was changed after it was written"
        )
    if not isinstance(signed, list):
        raise ArgumentTypeError(f"contract.signatures is a {type(signed).__name__}, allowed: a list")
    signatures: dict[int, tuple[bytes, bytes]] = {}
    for place, each in enumerate(signed):
        where = f"contract.signatures[{place}]"
        account, key, signature = _fields(where, each, _SIGNATURE)
        if not isinstance(account, int) or account in signatures:
            raise ArgumentError(f"{where}.account is {account!r}, allowed: a party's account, each once")
        signatures[account] = (_bytes(f"{where}.public_key", key), _bytes(f"{where}.signature", signature))
    return terms, require_text("contract.chain_id", chain_id), signatures


def _fields(where: str, found: Any, names: tuple[str, ...]) -> list[Any]:
    if not isinstance(found, dict):
        raise ArgumentTypeError(f"{where} is a {type(found).__name__}, allowed: an object with {', '.join(names)}")
    for name in found:
        if name not in names:
            raise ArgumentError(f"{where} has an unknown field {name!r}; {nearest(name, names)}")
    for name in names:
        if name not in found:
            raise ArgumentError(f"{where} lacks the field {name!r}; it needs {', '.join(names)}")
    return [found[name] for name in names]


def _terms(found: Any) -> ContractTerms:
    values = dict(zip(_TERMS, _fields("contract.terms", found, _TERMS), strict=True))
    for name, (kind, fields) in _PARTS.items():
        values[name] = kind(*_fields(f"contract.terms.{name}", values[name], fields))
    for name in ("start", "end"):
        try:
            values[name] = datetime.fromisoformat(require_text(f"contract.terms.{name}", values[name]))
        except ArgumentTypeError:
            raise
        except ValueError as problem:
            raise ArgumentError(
                f"contract.terms.{name} is {values[name]!r}, allowed: ISO 8601, such as '2026-05-06T18:00:00+07:00'"
            ) from problem
    return ContractTerms(**values)


def _bytes(where: str, value: Any) -> bytes:
    digits = require_text(where, value)
    try:
        return bytes.fromhex(digits.removeprefix("0x"))
    except ValueError as problem:
        raise ArgumentError(f"{where} is {value!r}, allowed: 0x and hexadecimal digits") from problem
