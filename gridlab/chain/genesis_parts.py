"""The ordering that a chain needs to go on from a genesis, checked against it."""

from __future__ import annotations

from gridlab.chain.genesis import Genesis
from gridlab.chain.ordering import Ordering, ordering_of, require_ordering
from gridlab.errors import ChainError

__all__ = ["checked_ordering"]


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
