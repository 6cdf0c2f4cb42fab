"""From stakes and nominations to the validators of an era and what stands behind each.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/staking/src/pallet/impls.rs`` (``get_npos_voters``,
``collect_exposures``), 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gridlab.chain.staking.state import Exposure, State
from gridlab.errors import ChainError

__all__ = ["Elect", "Election", "elect_validators", "phragmen", "standing"]

Voter = tuple[int, int, tuple[int, ...]]


class Election(Protocol):
    """What an election gives: winners in order, and how each voter's stake is shared among them."""

    @property
    def winners(self) -> Sequence[tuple[int, int]]:
        """Pairs of winner and its backing stake (micro-GRID)."""

    @property
    def assignments(self) -> Mapping[int, Mapping[int, int]]:
        """Voter -> winner -> stake (micro-GRID)."""


Elect = Callable[[Sequence[int], Sequence[Voter], int], Election]


def phragmen(candidates: Sequence[int], voters: Sequence[Voter], seats: int) -> Election:
    """Elect by sequential Phragmén, as `gridlab.chain.npos.seq_phragmen` does."""
    from gridlab.chain.npos import seq_phragmen

    return seq_phragmen(candidates, voters, seats)


def standing(state: State) -> list[int]:
    """Return the candidates of the next election: those that want to validate and have active stake."""
    return [account for account in state.validators if state.stakes[account].active]


def voters_of(state: State, candidates: Sequence[int]) -> list[Voter]:
    """Return who votes: each candidate for itself, then the nominators for those of their targets that stand."""
    known = dict.fromkeys(candidates)
    voters: list[Voter] = [(account, state.stakes[account].active, (account,)) for account in candidates]
    for account, targets in state.nominations.items():
        chosen = tuple(target for target in targets if target in known)
        active = state.stakes[account].active
        if chosen and active:
            voters.append((account, active, chosen))
    return voters


def elect_validators(state: State, elect: Elect) -> dict[int, Exposure]:
    """Hold an election and return the exposure of each winner, in the order of election.

    Raises
    ------
    ChainError
        The election gave what the voters did not: a stranger, a stake that nobody has, too many winners.
    """
    candidates = standing(state)
    if not candidates:
        return {}
    voters = voters_of(state, candidates)
    seats = min(state.rules.validators, len(candidates))
    election = elect(candidates, voters, seats)
    winners = [winner for winner, _ in election.winners]
    _require_winners(winners, candidates, seats)
    backing: dict[int, dict[int, int]] = {winner: {} for winner in winners}
    for voter, stake, targets in voters:
        shares = election.assignments.get(voter, {})
        _require_shares(voter, stake, targets, shares)
        for winner, share in shares.items():
            if share and winner not in backing:
                raise ChainError(f"election: voter {voter} backs {winner}, which did not win; the rule elect is wrong")
            if share:
                backing[winner][voter] = share
    return {winner: _exposure(winner, backers) for winner, backers in backing.items()}


def _exposure(winner: int, backers: dict[int, int]) -> Exposure:
    others = tuple(sorted((voter, share) for voter, share in backers.items() if voter != winner))
    return Exposure(backers.get(winner, 0), others)


def _require_winners(winners: Sequence[int], candidates: Sequence[int], seats: int) -> None:
    known = dict.fromkeys(candidates)
    strangers = [winner for winner in winners if winner not in known]
    if strangers or len(dict.fromkeys(winners)) != len(winners) or not 1 <= len(winners) <= seats:
        raise ChainError(
            f"election: winners {winners[:8]} for {seats} seats, allowed: 1 … {seats} different candidates; "
            f"no candidates: {strangers[:8]}; the rule elect is wrong"
        )


def _require_shares(voter: int, stake: int, targets: Sequence[int], shares: Mapping[int, int]) -> None:
    wrong = [winner for winner in shares if winner not in targets]
    if wrong or any(share < 0 for share in shares.values()) or sum(shares.values()) > stake:
        raise ChainError(
            f"election: voter {voter} with {stake} micro-GRID for {list(targets)} is said to back {dict(shares)}; "
            "the rule elect is wrong"
        )
