"""The part of a consortium chain that outlives its rules: releases, approvals, and what was in force at which block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gridlab.chain.arguments import require_int, require_text
from gridlab.chain.chain_views import ChainViews
from gridlab.chain.effects import RuleSet
from gridlab.chain.exchange import Exchange, require_exchange
from gridlab.chain.execution import Context, decode_payload
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.releases import Releases
from gridlab.chain.turning import turned
from gridlab.chain.versions import LONGEST_REFERENCE, Upgrade
from gridlab.errors import ChainError

if TYPE_CHECKING:
    from gridlab.chain.keys import KeyPair
    from gridlab.chain.state import State
    from gridlab.chain.transaction_list import TransactionList
    from gridlab.chain.transactions import Transaction

__all__ = ["VersionedChain"]

MARKET_CHANGES: dict[str, Any] = {
    "height": pl.UInt64,
    "since": pl.UInt64,
    "terms": pl.String,
    "reference": pl.String,
}


class VersionedChain(ChainViews):
    """The half of `ConsortiumChain` that knows by which rules and market terms each block is executed."""

    _releases: Releases

    if TYPE_CHECKING:

        def send(  # noqa: D102 - the chain's own
            self, key_pair: KeyPair, kind: str, frame: pl.DataFrame | pl.LazyFrame, *, valid_for: int = 96
        ) -> Transaction: ...

    # What is known and what is in force.

    def release(self, *released: RuleSet | Exchange) -> None:
        """Make further sets of rules and exchanges known to this node, all or none.

        Nothing changes by that alone. A set of rules comes into force by `approve`, an exchange by `change_market`.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            One is neither a `RuleSet` nor an `Exchange`, or an exchange's terms are not 32 bytes.
        ChainError
            A version of the rules is known here with another content.
        """
        self._releases.add(*released)

    @property
    def rules(self) -> RuleSet:
        """The rules under which the next block is executed; raises ChainError where they are not known here."""
        before = self._state.versions
        return self._releases.require_rules(self.height + 1, before, before.at(self.height + 1))

    @property
    def exchange(self) -> Exchange | None:
        """Who clears orders in the next block, None where nobody does; raises ChainError where he is not known here."""
        return self._releases.require_exchange(self.height + 1, self._state.versions.at(self.height + 1))

    @property
    def upgrade(self) -> Upgrade | None:
        """The approved set of rules that is not in force yet."""
        return self._state.versions.upgrade

    @property
    def market_changes(self) -> pl.DataFrame:
        """Every change of the market's terms.

        ``height`` of the transaction, ``since`` (the first block under the terms), ``terms`` (``0x`` and hexadecimal
        digits), ``reference``. Where a later transaction of the same block changed them again, the last one stood.
        """
        frames = [pl.DataFrame(schema=MARKET_CHANGES)]
        kinds = self.transactions.filter((pl.col("kind") == "market_terms") & pl.col("accepted"))
        for height, index in kinds.select("height", "index").rows():
            payload = self.block(height).transactions[index].payload
            frame = decode_payload(self.rules_of(height).effects["market_terms"], payload)
            row = (height, height + 1, hexadecimal(frame["terms"][0]), frame["reference"][0])
            frames.append(pl.DataFrame([row], schema=MARKET_CHANGES, orient="row"))
        return pl.concat(frames)

    @property
    def lapsed_orders(self) -> pl.DataFrame:
        """Resting orders that could not be carried over to other terms (`gridlab.chain.resting.LAPSES`)."""
        return self._state.resting.lapse_frame()

    # Approving.

    def approve(self, key_pair: KeyPair, version: int, height: int) -> Transaction:
        """Send the regulator's approval of a released set of rules, in force from the block at `height` on.

        Parameters
        ----------
        key_pair : KeyPair
            The regulator's.
        version : int
            Of a set that is known here.
        height : int
            The first block under it, later than the one that takes this transaction.

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            An argument does not fit, or there is no such set.
        """
        released = self._releases.rules
        if require_int("version", version, 1, 2**31) not in released:
            raise ChainError(
                f"version {version} of the rules is not released, released are {list(released)}; chain.release(rules)"
            )
        require_int("height", height, self.height + 2, 2**63 - 1)
        row = {"version": version, "height": height, "rules": released[version].hash}
        return self.send(key_pair, "upgrade", pl.DataFrame([row]))

    def change_market(self, key_pair: KeyPair, exchange: Exchange, reference: str = "") -> Transaction:
        """Send the regulator's order that `exchange` clears from the block on that follows the one that takes it.

        Parameters
        ----------
        key_pair : KeyPair
            The regulator's.
        exchange : Exchange
            Becomes known here (`release`).
        reference : str
            Who decided so and where, for whoever asks later: "public block 812, referendum 3"; at most 200 bytes.

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            An argument does not fit.
        """
        require_text("reference", reference, longest=LONGEST_REFERENCE)
        self._releases.add(require_exchange(exchange))
        return self.send(key_pair, "market_terms", pl.DataFrame([{"terms": exchange.terms, "reference": reference}]))

    def _require_known(self, transactions: TransactionList | Sequence[Transaction]) -> None:
        """Raise ChainError where one approves what is not known here: this node would stop by it."""
        kinds = {"upgrade", "market_terms"}
        single = getattr(transactions, "single", None)
        places = range(len(transactions)) if single is None else np.flatnonzero(~single).tolist()
        for place in places:
            if transactions[place].kind in kinds:
                self._require_approvable(transactions[place])

    def _require_approvable(self, transaction: Transaction) -> None:
        effect = self.rules.effects.get(transaction.kind)
        if effect is None:
            return
        try:
            frame = decode_payload(effect, transaction.payload)
        except ChainError:
            return  # its receipt will say so
        if transaction.kind == "upgrade":
            for version, height, rules in frame.select("version", "height", "rules").rows():
                self._releases.require_released(Upgrade(version, height, rules))
        else:
            for terms in frame["terms"].to_list():
                self._releases.require_terms(terms)

    def _turned(self, timestamp: int) -> tuple[State, Context]:
        """Return the state in which the next block is executed, and what executes it."""
        return turned(self._state, self._releases, self.chain_id, self.height + 1, timestamp)
