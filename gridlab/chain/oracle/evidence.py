"""Proof that a provider signed two values in one round.

The two signed observations are the whole proof. Whoever has the provider's public key checks them alone, and needs to
trust nobody who shows them.
"""

from __future__ import annotations

import polars as pl

from gridlab.chain.oracle.checking import ROUND, forbid, forbid_moments, signed_well
from gridlab.chain.oracle.observations import OBSERVATIONS
from gridlab.chain.oracle.provider_set import ProviderSet, require_providers
from gridlab.errors import OracleError

__all__ = ["find_equivocations", "require_equivocation"]

_OWN = (*ROUND, "provider")


def find_equivocations(observations: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return the pairs of observations in which a provider has two values in one round.

    Parameters
    ----------
    observations : polars.DataFrame or polars.LazyFrame
        As `OBSERVATIONS`; signatures are not looked at.

    Returns
    -------
    polars.DataFrame
        As `OBSERVATIONS`, two rows for each provider and round in question: the one that came first, and the first
        one of another value.

    Raises
    ------
    ArgumentTypeError, OracleError
        `observations` is no frame or does not fit the schema.
    """
    frame = OBSERVATIONS.check(observations, error=OracleError).select(c.name for c in OBSERVATIONS.columns)
    distinct = frame.unique([*_OWN, "value"], keep="first", maintain_order=True)
    suspects = distinct.filter(pl.len().over(_OWN) > 1)
    return suspects.group_by(_OWN, maintain_order=True).head(2).select(frame.columns)


def require_equivocation(pair: pl.DataFrame | pl.LazyFrame, providers: ProviderSet) -> int:
    """Return the provider that two observations convict.

    Parameters
    ----------
    pair : polars.DataFrame or polars.LazyFrame
        Two rows, as `OBSERVATIONS`.
    providers : ProviderSet
        The public keys of the epoch.

    Raises
    ------
    ArgumentTypeError
        An argument is of another type.
    OracleError
        There are not two observations of one provider, feed, epoch and round with different values, both signed by
        the provider, or they are of another epoch than the providers.
    """
    require_providers(providers)
    frame = OBSERVATIONS.check(pair, error=OracleError).select(column.name for column in OBSERVATIONS.columns)
    if frame.height != 2:
        raise OracleError(f"oracle_evidence: {frame.height} observations, allowed: the two that contradict each other")
    for name in _OWN:
        if frame[name][0] != frame[name][1]:
            raise OracleError(
                f"oracle_evidence: {name} is {frame[name].to_list()}, allowed: the same in both observations"
            )
    if frame["value"][0] == frame["value"][1]:
        raise OracleError(f"oracle_evidence: both say {frame['value'][0]}; the same value twice is no offence")
    provider: int = frame["provider"][0]
    forbid(frame, pl.col("provider") >= len(providers), f"a provider is not in the set of {len(providers)}")
    forbid(frame, pl.col("epoch") != providers.epoch, f"an epoch is not that of the providers, {providers.epoch}")
    forbid_moments(frame)
    forbid(frame, ~pl.lit(signed_well(frame, providers)), "a signature is not the provider's")
    return provider
