"""From one block to the next: what comes into force with a block comes before its first transaction."""

from __future__ import annotations

from gridlab.chain.effects.carrying import carry_orders
from gridlab.chain.one_transaction import Context
from gridlab.chain.releases import Releases
from gridlab.chain.state import State

__all__ = ["turned"]


def turned(state: State, releases: Releases, chain_id: str, height: int, timestamp: int) -> tuple[State, Context]:
    """Return a fork of the state on which the block at `height` is executed, and the context that executes it.

    Parameters
    ----------
    state : State
        After the block before; not changed.
    releases : Releases
    chain_id : str
    height, timestamp : int
        Of the block; microseconds since 1970-01-01 UTC.

    Raises
    ------
    ChainError
        The rules or the market's terms that come into force are not known here.
    """
    before, later = state.versions, state.fork()
    now = before.at(height)
    rules = releases.require_rules(height, before, now)
    exchange = releases.require_exchange(height, now)
    later.versions = now
    if exchange is not None and now.exchange != before.exchange:
        carry_orders(later, exchange, height=height, now=timestamp)
    return later, Context(chain_id, height, timestamp, rules.effects, exchange)
