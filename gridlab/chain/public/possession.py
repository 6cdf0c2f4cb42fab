"""Proof that a candidate holds the key that it names, so that nobody claims another's key and with it its seat.

References
----------
Ristenpart, Yilek, "The power of proofs-of-possession", EUROCRYPT 2007.
"""

from __future__ import annotations

import polars as pl

from gridlab.chain.arguments import require_bytes, require_int, require_text
from gridlab.chain.ed25519 import PUBLIC_KEY_BYTES, verify
from gridlab.chain.encoding import text, u32
from gridlab.chain.keys import KeyPair, require_key_pair
from gridlab.chain.public.parts import StakingPart
from gridlab.chain.public.state import PublicState
from gridlab.chain.staking import Staking
from gridlab.errors import ChainError

__all__ = ["candidacy_frame", "possession_message", "require_own_key"]

_TAG = text("gridlab/proof-of-possession/1")


def possession_message(chain_id: str, account: int) -> bytes:
    """Return what a key signs to say that it serves an account's candidacy on a chain.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.
    """
    return _TAG + text(require_text("chain_id", chain_id)) + u32(require_int("account", account, 0, 2**32 - 1))


def candidacy_frame(
    chain_id: str, account: int, signing: KeyPair, *, commission: int = 0, blocked: bool = False
) -> pl.DataFrame:
    """Return the frame of a transaction ``validate``, with the proof that `signing` is the candidate's.

    Parameters
    ----------
    chain_id : str
    account : int
        Of the candidate, which signs the transaction itself.
    signing : KeyPair
        With which it will sign blocks; its account's own pair, or one that is no account's.
    commission : int
        Parts per billion that it keeps of each reward.
    blocked : bool
        Whether nobody new may nominate it.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.
    """
    pair = require_key_pair("signing", signing)
    proof = pair.sign(possession_message(chain_id, account))
    row = {"commission": [commission], "public_key": [pair.public_key], "blocked": [blocked], "proof": [proof]}
    return pl.DataFrame(row)


def require_own_key(state: PublicState, part: StakingPart, account: int, key: bytes, proof: bytes) -> None:
    """Raise ChainError (ArgumentError for no 32 bytes) unless a candidate may sign blocks with a key.

    Parameters
    ----------
    state : PublicState
    part : StakingPart
        Of that state.
    account : int
        Of the candidate.
    key : bytes
    proof : bytes
        The key's signature of `possession_message`; empty where the key is the account's own.
    """
    require_bytes("public_key", key, PUBLIC_KEY_BYTES)
    chain_id = part.chain_id
    shown, owner = f"public_key 0x{key.hex()[:16]}…", state.accounts.account_of.get(key)
    if owner is not None and owner != account:
        raise ChainError(f"{shown} is the key of account {owner}; name your own account's, or one that is no account's")
    if (proof or owner is None) and not verify(key, possession_message(chain_id, account), proof):
        raise ChainError(
            f"{shown}: proof is not its signature for account {account} on {chain_id!r}; "
            "candidacy_frame(chain_id, account, signing) makes one"
        )
    if owner is None and key in state.authorities.keys and key not in _declared(part.staking, account):
        raise ChainError(f"{shown} is in office for another account; name one that is not")


def _declared(staking: Staking, account: int) -> list[bytes]:
    """Return the keys that an account is elected or stands with."""
    return [keys[account] for keys in (staking.keys, staking.declared) if account in keys]
