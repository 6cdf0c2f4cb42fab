"""Signing many observations with sandbox keys, on all processor cores."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from gridlab.chain.arguments import require_text
from gridlab.chain.ed25519 import in_slices
from gridlab.chain.keys import KeyPair
from gridlab.chain.oracle.observations import LONGEST_FEED, OBSERVATIONS, messages_of
from gridlab.chain.oracle.provider_set import sandbox_pair

__all__ = ["sign_observations"]


def sign_observations(observations: pl.DataFrame, *, seed: int, network: str) -> pl.DataFrame:
    """Return observations with the signatures of their providers.

    Parameters
    ----------
    observations : polars.DataFrame
        As `gridlab.chain.oracle.OBSERVATIONS` without the column ``signature``.
    seed : int
        Of the sandbox keys.
    network : str

    Returns
    -------
    polars.DataFrame
        As `gridlab.chain.oracle.OBSERVATIONS`; each row costs one signature.
    """
    require_text("network", network, longest=LONGEST_FEED)
    providers = observations["provider"].to_list()
    pairs = {provider: sandbox_pair(seed, provider) for provider in sorted(set(providers))}
    work = [
        (pairs[provider], message)
        for provider, message in zip(providers, messages_of(observations, network), strict=True)
    ]
    signatures = pl.Series("signature", in_slices(_sign_all, work), dtype=pl.Binary)
    return observations.with_columns(signatures).select(column.name for column in OBSERVATIONS.columns)


def _sign_all(work: Sequence[tuple[KeyPair, bytes]]) -> list[bytes]:
    return [pair.sign(message) for pair, message in work]
