"""The parts that a chain needs to go on from a genesis: its ordering and its exchange, checked against it."""

from __future__ import annotations

from gridlab.chain.exchange import Exchange, require_exchange
from gridlab.chain.genesis import Genesis
from gridlab.chain.ordering import Ordering, ordering_of, require_ordering
from gridlab.errors import ChainError

__all__ = ["checked_exchange", "checked_ordering"]


def checked_ordering(genesis: Genesis, ordering: Ordering | None) -> Ordering:
    """Return `ordering` if genesis names it; without one, an ordering that checks certificates and cannot seal.

    Raises
    ------
    ArgumentTypeError, ChainError
        It is no `Ordering`, or another one than genesis names.
    """
    if ordering is None:
        return ordering_of(genesis.ordering_name, genesis.ordering_authority)
    require_ordering(ordering)
    if (ordering.name, ordering.authority) != (genesis.ordering_name, genesis.ordering_authority):
        raise ChainError(f"{ordering!r} is not the ordering that genesis names, {genesis.ordering_name!r}")
    return ordering


def checked_exchange(genesis: Genesis, exchange: Exchange | None) -> None:
    """Raise ChainError unless `exchange` has the terms that genesis names, or is None where it names none."""
    terms = b"" if exchange is None else require_exchange(exchange).terms
    if terms == genesis.exchange_terms:
        return
    if exchange is None:
        raise ChainError(
            "genesis names an exchange, which clears the orders again; give exchange=MarketExchange(market, accounts, "
            "institutions) with the levers of that run"
        )
    raise ChainError(f"{exchange!r} has other terms than genesis names; take the levers and accounts of the run")
