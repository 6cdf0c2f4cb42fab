"""What a node has been given: released sets of rules by version, and exchanges by their terms.

A chain's state says by hash what is in force. A node that does not have it must stop there: whatever it did instead
would be another chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from gridlab.chain.arguments import require_bytes, require_sequence
from gridlab.chain.effects import RULES, RuleSet
from gridlab.chain.exchange import Exchange, require_exchange
from gridlab.chain.genesis import Genesis
from gridlab.chain.hashing import HASH_BYTES, hexadecimal
from gridlab.chain.versions import Upgrade, Versions
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["Releases"]


class Releases:
    """Rules and exchanges that are known here; the package's own rules always are.

    Parameters
    ----------
    exchanges : sequence of Exchange
    rules : sequence of RuleSet

    Raises
    ------
    ArgumentTypeError, ArgumentError, ChainError
        As `add` does.
    """

    __slots__ = ("_exchanges", "_rules")

    def __init__(self, exchanges: Sequence[Exchange] = (), rules: Sequence[RuleSet] = ()) -> None:
        self._rules = {version: RuleSet(version, effects) for version, effects in RULES.items()}
        self._exchanges: dict[bytes, Exchange] = {}
        self.add(*require_sequence("exchanges", exchanges, object), *require_sequence("rules", rules, RuleSet))

    @classmethod
    def of(
        cls,
        genesis: Genesis,
        exchange: Exchange | None = None,
        exchanges: Sequence[Exchange] = (),
        rules: Sequence[RuleSet] = (),
    ) -> Self:
        """Return what is known for a chain that starts from `genesis`.

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            As `add` does; or the exchange that genesis names is not among them, or `exchange` is another one.
        """
        first = [] if exchange is None else [require_exchange(exchange)]
        releases = cls([*first, *require_sequence("exchanges", exchanges, object)], rules)  # type: ignore[list-item]
        named = genesis.exchange_terms
        if exchange is not None and exchange.terms != named:
            raise ChainError(
                f"{exchange!r} has other terms than genesis names; take the levers and accounts of the run"
            )
        if named and named not in releases.exchanges:
            raise ChainError(
                "genesis names an exchange, which clears the orders again; give exchange=MarketExchange(market, "
                "accounts, institutions) with the levers of that run"
            )
        return releases

    def copy(self) -> Self:
        """Return an independent copy."""
        return type(self)(tuple(self._exchanges.values()), tuple(self._rules.values()))

    def __repr__(self) -> str:
        return f"Releases(rules {list(self._rules)}, {len(self._exchanges)} exchanges)"

    @property
    def rules(self) -> Mapping[int, RuleSet]:
        """The known sets of rules by version."""
        return dict(self._rules)

    @property
    def exchanges(self) -> Mapping[bytes, Exchange]:
        """The known exchanges by their terms."""
        return dict(self._exchanges)

    def add(self, *released: object) -> None:
        """Make rules and exchanges known, all or none; one that is known already does nothing.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            One is neither a RuleSet nor an Exchange, or an exchange's terms are not 32 bytes.
        ChainError
            A version of the rules is known with another content.
        """
        rules, exchanges = dict(self._rules), dict(self._exchanges)
        for each in released:
            if isinstance(each, RuleSet):
                known = rules.setdefault(each.version, each)
                if known.hash != each.hash:
                    raise ChainError(
                        f"rules: version {each.version} is known with another content; give each release its own number"
                    )
            elif isinstance(each, Exchange):
                exchanges[require_bytes(f"terms of {each!r}", each.terms, HASH_BYTES)] = each
            else:
                raise ArgumentTypeError(
                    f"a release is a {type(each).__name__}, allowed: a RuleSet, or an Exchange such as "
                    "gridlab.market.exchange.MarketExchange(market, accounts, institutions)"
                )
        self._rules, self._exchanges = rules, exchanges

    def require_version(self, height: int, version: int) -> None:
        """Raise ChainError unless the rules that executed the block at `height` are known here."""
        if version not in self._rules:
            raise ChainError(
                f"block {height} is under version {version} of the rules, known here are {list(self._rules)}; give the "
                "released set: rules=[…] where the chain is opened"
            )

    def require_rules(self, height: int, before: Versions, now: Versions) -> RuleSet:
        """Return the rules under which the block at `height` is executed.

        Parameters
        ----------
        height : int
        before, now : Versions
            After the block before, and in this one.

        Raises
        ------
        ChainError
            They are not known here, or under another hash than was approved.
        """
        known = self._rules.get(now.rules)
        approved = before.upgrade if now.rules != before.rules else None
        if known is None or (approved is not None and known.hash != approved.rules):
            wanted = f" with the hash {hexadecimal(approved.rules)}" if approved else ""
            raise ChainError(
                f"block {height} is under version {now.rules} of the rules{wanted}, known here are "
                f"{list(self._rules)}{'' if known is None else ', that one with another hash'}; give the released set: "
                "chain.release(rules), or rules=[…] where the chain is made or opened"
            )
        return known

    def require_exchange(self, height: int, now: Versions) -> Exchange | None:
        """Return the exchange that clears in the block at `height`, None on a chain without one.

        Raises
        ------
        ChainError
            It is not known here.
        """
        if not now.exchange:
            return None
        if now.exchange not in self._exchanges:
            raise ChainError(
                f"block {height} is under the market's terms {hexadecimal(now.exchange)}, and {len(self._exchanges)} "
                "others are known here; give the exchange with these terms: chain.release(exchange), or exchanges=[…] "
                "where the chain is made or opened"
            )
        return self._exchanges[now.exchange]

    def require_released(self, approval: Upgrade) -> None:
        """Raise ChainError unless an approval names a set of rules that is known here under this hash."""
        known = self._rules.get(approval.version)
        if known is None or known.hash != approval.rules:
            raise ChainError(
                f"version {approval.version} of the rules is not released under the hash "
                f"{hexadecimal(approval.rules)}, released are {list(self._rules)}; "
                "once it is in force every node without it stops, so chain.release(rules) first"
            )

    def require_terms(self, terms: bytes) -> None:
        """Raise ChainError unless an exchange with these terms is known here."""
        if terms not in self._exchanges:
            raise ChainError(
                f"no exchange is known with the terms {hexadecimal(terms)}; once they are in force every node without "
                "it stops, so chain.release(exchange) first"
            )
