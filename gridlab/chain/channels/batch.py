"""Thousands of payments in a row: their messages as one array of bytes, signed and checked on all cores.

Every state is signed by both sides and each side verifies the other's signature, so an update costs two signatures and
two verifications. Nothing of that is left out here; what is saved is Python around it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gridlab.chain.channels.states import STATE_DOMAIN, ChannelState
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, in_slices, open_many, well_formed
from gridlab.chain.encoding import text
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.keys import KeyPair

__all__ = ["messages_of", "sign_and_check"]

Int64Array = npt.NDArray[np.int64]


def messages_of(state: ChannelState, chain: str, balances: Int64Array) -> list[bytes]:
    """Return what is signed of the states that follow `state`, one per row of `balances`.

    Parameters
    ----------
    state : ChannelState
        The one before the first.
    chain : str
    balances : array of int64, shape (n, 2)

    Returns
    -------
    list of bytes
        Those of ``state.next(balances)`` and so on, to the byte.
    """
    template = np.frombuffer(state.message(chain), np.uint8)
    start = len(text(STATE_DOMAIN) + text(chain)) + HASH_BYTES
    rows = np.repeat(template[None, :], len(balances), axis=0)
    versions = np.uint64(state.version + 1) + np.arange(len(balances), dtype=np.uint64)
    rows[:, start : start + 8] = versions.astype("<u8").view(np.uint8).reshape(-1, 8)
    first = start + 8 + 1 + 16
    rows[:, first : first + 16] = np.ascontiguousarray(balances.astype("<i8")).view(np.uint8).reshape(-1, 16)
    whole, size = rows.tobytes(), rows.shape[1]
    return [whole[place : place + size] for place in range(0, len(whole), size)]


def sign_and_check(pair: KeyPair, messages: Sequence[bytes]) -> tuple[bytes, int | None]:
    """Let one side sign messages and the other verify each; return the last signature, and the first bad place.

    Returns
    -------
    signature : bytes
        Of the last message, 64 bytes.
    place : int or None
        Where a signature does not verify; None where all do.
    """
    signed = in_slices(lambda part: [pair.sign(message) + message for message in part], messages)
    keys = [pair.public_key] * len(signed)
    verdicts = in_slices(lambda part: open_many(keys[: len(part)], part), signed)
    signatures = np.frombuffer(b"".join(whole[:SIGNATURE_BYTES] for whole in signed), np.uint8)
    key = np.frombuffer(pair.public_key, np.uint8).reshape(1, PUBLIC_KEY_BYTES)
    shape = signatures.reshape(-1, SIGNATURE_BYTES)
    good = np.array(verdicts) & well_formed(np.repeat(key, len(shape), axis=0), shape)
    return signed[-1][:SIGNATURE_BYTES], None if good.all() else int(np.argmin(good))
