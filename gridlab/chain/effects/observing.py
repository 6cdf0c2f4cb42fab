"""What the oracle network does on this chain: providers appointed, reports checked and taken, liars slashed.

A provider's stake is WATT on the ledger, in the account of an oracle's licence that is not in force: nobody can sign
for it, so it stays until two values in one round cost a share of it, or until the provider has left the set and a
regulator puts the licence in force for the owner's key.
"""

from __future__ import annotations

import polars as pl

from gridlab.chain.effects.effect import Call
from gridlab.chain.oracle.provider_set import ORACLE_PROVIDERS, ProviderSet
from gridlab.chain.perbill import floor_of
from gridlab.chain.state import State
from gridlab.chain.swaps.postings import Posting, apply_postings
from gridlab.errors import OracleError
from gridlab.frames import show_rows

__all__ = ["STAKE_ASSET", "appoint_providers", "report_observations", "slash_provider"]

STAKE_ASSET = "WATT"


def appoint_providers(state: State, call: Call) -> None:
    """Let another set of providers observe, each with its stake where nobody can take it away."""
    providers = ProviderSet.of_frame(call.frame)
    reports = state.reports.appoint(providers)
    _require_stakes(state, call.frame)
    state.reports = reports


def _require_stakes(state: State, frame: pl.DataFrame) -> None:
    members, ledger = state.members, state.ledger
    for provider, account in enumerate(frame["account"].to_list()):
        if account not in members.with_role("oracle") or members.active[account]:
            raise OracleError(
                f"oracle_providers: provider {provider} has its stake in account {account}, which is no oracle's "
                "licence or one in force; a stake lies where nobody can sign"
            )
    held = pl.Series([ledger.available(account, STAKE_ASSET) for account in frame["account"].to_list()], dtype=pl.Int64)
    low = pl.lit(held) < pl.col("stake")
    if frame.select(low.any()).item():
        names = frame.select("provider", "account", "stake", held=held)
        raise OracleError(
            f"{ORACLE_PROVIDERS.name}: a stake is not there yet (micro-WATT); pay it into the account first\n"
            f"{show_rows(names, pl.col('held') < pl.col('stake'))}"
        )


def report_observations(state: State, call: Call) -> None:
    """Take the reports that signed observations make, each of a later round than the one before."""
    state.reports = state.reports.add(call.frame)


def slash_provider(state: State, call: Call) -> None:
    """Strike off a provider that has signed two values in one round, and take a share of its stake.

    The stake and the share are those of the epoch of the round, which may be an earlier one.
    """
    reports, providers, provider = state.reports.convict(call.frame)
    if not providers.accounts:  # the chain appoints none without accounts
        raise OracleError("oracle_evidence: the providers have no stake on this chain")
    account, receiver = providers.accounts[provider], _receiver(state)
    amount = floor_of(providers.slash, state.ledger.available(account, STAKE_ASSET))
    if amount:
        fine = Posting(state.ledger.next_id(account), account, receiver, STAKE_ASSET, amount, "penalty")
        apply_postings(state.ledger, [fine], sender=account, now=call.timestamp)
    state.reports = reports


def _receiver(state: State) -> int:
    """Return the account of the first treasury, or that of the first regulator where there is none."""
    return [*state.members.with_role("treasury"), *state.members.with_role("regulator")][0]
