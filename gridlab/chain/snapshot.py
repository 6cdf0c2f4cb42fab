"""The state after a block as canonical bytes, so that a chain can be opened without executing its whole past.

::

    text(domain) then for each register of the state, in the order of `State`: text(name) blob(bytes)

Bytes are believed only as far as their state root goes: `decode_state` computes it again from what it has read, and the
caller compares it with a header that it trusts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from gridlab.chain.array_encoding import encode_array, read_array
from gridlab.chain.authority import Authority
from gridlab.chain.blocks import Header
from gridlab.chain.certificates import CertificateRegistry
from gridlab.chain.contracts import ContractRegistry
from gridlab.chain.emergency.book import EmergencyBook
from gridlab.chain.encoding import Reader, blob, text, u64
from gridlab.chain.frame_encoding import decode_frame, encode_frame
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.ledger import Ledger
from gridlab.chain.locked import Locked
from gridlab.chain.members import Members
from gridlab.chain.meters import MeterRegister
from gridlab.chain.packets import Packets
from gridlab.chain.reports import OracleReports
from gridlab.chain.resting import RestingOrders
from gridlab.chain.state import State
from gridlab.chain.terms import ChainTerms
from gridlab.chain.versions import Versions
from gridlab.chain.watt.register import WattRegister
from gridlab.errors import ChainError

__all__ = ["decode_state", "encode_state"]

_DOMAIN = "gridlab/state-snapshot/1"


@dataclass(frozen=True, slots=True)
class _Codec:
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


def _of(kind: Any) -> _Codec:
    return _Codec(lambda register: register.to_bytes(), kind.from_bytes)


def _read(what: str, read: Callable[[Reader], Any]) -> Callable[[bytes], Any]:
    def decode(data: bytes) -> Any:
        reader = Reader(data, what)
        found = read(reader)
        reader.finish()
        return found

    return decode


# One line for each register of `State`; tests/chain/test_snapshot.py holds the two together.
_CODECS: dict[str, _Codec] = {
    "members": _Codec(lambda each: encode_frame(each.frame), lambda data: Members.of(decode_frame(data, "members"))),
    "nonces": _Codec(encode_array, _read("nonces", lambda reader: read_array(reader, np.uint64))),
    "ledger": _of(Ledger),
    "terms": _Codec(ChainTerms.to_bytes, _read("terms", ChainTerms.read)),
    "authority": _of(Authority),
    "charged": _Codec(u64, _read("charged", Reader.u64)),
    "resting": _of(RestingOrders),
    "meters": _of(MeterRegister),
    "certificates": _of(CertificateRegistry),
    "contracts": _of(ContractRegistry),
    "reports": _of(OracleReports),
    "packets": _of(Packets),
    "chain_id": _Codec(text, _read("chain_id", Reader.text)),
    "retired": _Codec(b"".join, lambda data: tuple(data[at : at + 32] for at in range(0, len(data), 32))),
    "locked": _of(Locked),
    "versions": _of(Versions),
    "watt": _of(WattRegister),
    "emergency": _of(EmergencyBook),
}


def encode_state(state: State) -> bytes:
    """Return the canonical bytes of everything that a state holds."""
    parts = [text(each.name) + blob(_CODECS[each.name].encode(getattr(state, each.name))) for each in fields(State)]
    return text(_DOMAIN) + b"".join(parts)


def decode_state(data: bytes, header: Header) -> State:
    """Read what `encode_state` wrote, and check that it is the state after the block of `header`.

    Parameters
    ----------
    data : bytes
    header : Header
        One that is trusted.

    Returns
    -------
    State

    Raises
    ------
    ChainError
        The bytes are damaged or not canonical, or are those of another state.
    """
    try:
        state = _decoded(data)
        own, canonical = state.root, encode_state(state) == data
    except (ValueError, LookupError, MemoryError, pl.exceptions.PolarsError) as problem:
        raise ChainError(f"snapshot of block {header.height}: does not read ({problem})") from problem
    if state.chain_id != header.chain_id:
        raise ChainError(f"snapshot of block {header.height}: is of chain {state.chain_id!r}, not {header.chain_id!r}")
    if state.locked.chain != state.chain_id:
        # Not under the root while nothing is locked.
        raise ChainError(
            f"snapshot of block {header.height}: its locks are of {state.locked.chain!r}, not {state.chain_id!r}"
        )
    if own != header.state_root:
        raise ChainError(
            f"snapshot of block {header.height}: its state root is {hexadecimal(own)}, the block's header says "
            f"{hexadecimal(header.state_root)}"
        )
    if not canonical:
        raise ChainError(f"snapshot of block {header.height}: is not written in the one canonical form")
    return state


def _decoded(data: bytes) -> State:
    reader = Reader(data, "snapshot")
    if (domain := reader.text()) != _DOMAIN:
        raise reader.error(f"begins with {domain!r}, allowed: {_DOMAIN!r}")
    found: dict[str, Any] = {}
    for each in fields(State):
        if (name := reader.text()) != each.name:
            raise reader.error(f"register {name!r} stands where {each.name!r} should")
        found[name] = _CODECS[name].decode(reader.blob())
    reader.finish()
    return State(**found)
