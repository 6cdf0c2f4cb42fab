"""The public chain of a lab: it keeps the consortium's roots and the certificates, and its holders of GRID vote.

Between two blocks of the consortium the public chain runs through its own slots. Every so many blocks the relayer
tells it the newest one (an anchor), and at the end the last one and every certificate. What stands in the agenda of
governance is signed and sent at its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from gridlab.chain.blocks import Block
from gridlab.chain.bridge import Bridge, BridgeTerms
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.moments import moment
from gridlab.chain.public import PublicChain, RuleSet
from gridlab.chain.public.pallets import Pallet, effects_with
from gridlab.chain.public.sandbox import GOVERNANCE as OFFICE
from gridlab.chain.public.terms import PublicTerms
from gridlab.errors import ChainError, GridlabError, nearest
from gridlab.frames import SLOT, TIME_ZONE
from gridlab.governance.agenda import Act, Agenda
from gridlab.governance.pallet import GovernancePart, governance_part

__all__ = ["MOVES", "Moved", "PublicSide", "public_chain_of", "require_accepted", "rules_of"]

# Slots in which the last anchor and the last certificates must have become final; a healthy chain takes three.
_PATIENCE = 600
_MINUTE = 60_000_000
MOVES: dict[str, Any] = {
    "slot": SLOT,
    "public_block": pl.UInt64,
    "referendum": pl.UInt32,
    "path": pl.String,
    "value": pl.String,
    "failed": pl.String,
}
# A stop that stands already, or is over, costs its askers nothing but the asking.
_IN_VAIN = frozenset({"emergency_approve", "emergency_resume"})
_REFUSALS = {"time": pl.String, "holder": pl.String, "kind": pl.String, "reason": pl.String}


@dataclass(frozen=True, slots=True)
class Moved:
    """Levers that a referendum moved.

    Attributes
    ----------
    height : int
        Of the public chain's block that enacted it.
    referendum : int
    levers : dict of str to object
        Path -> value.
    written : dict of str to str
        The same as the chain writes it.
    """

    height: int
    referendum: int
    levers: dict[str, Any]
    written: dict[str, str]


class PublicSide:
    """A public chain beside a consortium chain, with the bridge between them.

    Parameters
    ----------
    chain : ConsortiumChain
        Nothing is sealed yet.
    public : PublicChain
    terms : BridgeTerms
        How often roots are anchored.
    regulator, relayer : KeyPair
        Members of the consortium; the relayer has GRID on the public chain.
    vault : int
        Account of the bridge on the consortium chain.
    agenda : Agenda, optional
        What holders of GRID will do.
    keep : callable, optional
        Is called after every step, to put what is final into a store.
    """

    def __init__(
        self,
        chain: ConsortiumChain,
        public: PublicChain,
        terms: BridgeTerms,
        *,
        regulator: KeyPair,
        relayer: KeyPair,
        vault: int,
        agenda: Agenda | None = None,
        keep: Callable[[PublicChain], None] | None = None,
    ) -> None:
        self.public = public
        # Roots go one way: what the consortium does hangs on nothing that the public chain's validators say.
        self.bridge = Bridge(
            chain, regulator=regulator, relayer=relayer, vault=vault, public=public, terms=terms, tell_back=False
        )
        self._keep = keep
        self._acts = list(agenda or ())
        self._holders = public.accounts.filter(pl.col("name") != "").select("name", "account")
        self._names = dict(self._holders.rows())
        self._start = public.header(0).timestamp
        self._refused: list[tuple[str, str, str, str]] = []
        self._seen = -1

    # Time

    def step(self, timestamp: int) -> list[Block]:
        """Seal a block of the consortium and let the public chain's slots pass; return what was sealed.

        Parameters
        ----------
        timestamp : int
            Microseconds since 1970-01-01 UTC.

        Raises
        ------
        ChainError
            A transaction of the block was refused.
        """
        self.advance(timestamp)
        chain = self.bridge.chain
        before = chain.height
        self.bridge.step(timestamp)
        sealed = [chain.block(height) for height in range(before + 1, chain.height + 1)]
        for block in sealed:
            self._refused += require_accepted(block)
        self._kept()
        return sealed

    def advance(self, timestamp: int) -> None:
        """Let the public chain's slots pass until `timestamp`, and send what the agenda has for that time."""
        while self._acts and self._start + self._acts[0].minute * _MINUTE <= timestamp:
            act = self._acts.pop(0)
            self.public.run_until(self._start + act.minute * _MINUTE)
            self._send(act)
        self.public.run_until(timestamp)

    def _send(self, act: Act) -> None:
        key = sandbox(self.public.seed, OFFICE if act.holder == OFFICE else act.holder)
        try:
            self.public.send(key, act.kind, act.frame(self._account))
        except GridlabError as problem:
            # A holder who asks for what cannot be has asked in vain; the others' day goes on.
            self._refused.append((f"{act.minute // 60:02d}:{act.minute % 60:02d}", act.holder, act.kind, str(problem)))

    def _account(self, name: str) -> int:
        if name not in self._names:
            raise ChainError(f"no holder {name!r}; {nearest(name, self._names)}")
        return int(self._names[name])

    def finish(self) -> None:
        """Anchor the consortium's last block, enter every certificate, and let all of that become final.

        Raises
        ------
        ChainError
            The public chain cannot make it final: too many of its validators are down or lie.
        """
        if not self.bridge.is_open:
            self._until(lambda: self.bridge.is_open, "the bridge is not open")
        last = self.bridge.chain.height
        if self.bridge.anchors.newest.height < last:
            self.bridge.anchor()
            self._until(lambda: self.bridge.anchors.newest.height >= last, f"block {last} is not anchored")
        self.bridge.publish()
        self._until(self._idle, "the certificates are not registered")
        lost = self.public.transactions.filter(
            ~pl.col("accepted"), pl.col("kind").is_in(["bridge_header", "registry_entry"])
        )
        if not lost.is_empty():
            row = lost.row(0, named=True)
            raise ChainError(f"public block {row['height']}: {row['kind']}: {row['code']}: {row['reason']}")

    def _until(self, done: Callable[[], bool], what: str) -> None:
        for _ in range(_PATIENCE):
            if done():
                return
            self.public.run(1)
            self._kept()
        raise ChainError(
            f"{self.public.chain_id!r}: {what} after {_PATIENCE} more slots; {self.public!r}; more than a third of its "
            "stake does not vote"
        )

    def _idle(self) -> bool:
        return self.public.waiting.is_empty()

    def _kept(self) -> None:
        if self._keep is not None:
            self._keep(self.public)

    # What came of it

    @property
    def governance(self) -> GovernancePart:
        """Governance after the public chain's last final block."""
        return governance_part(self.public.state)

    def moved(self) -> list[Moved]:
        """Return what votes have moved since the last call."""
        governance = self.governance
        found = [
            Moved(height, number, levers, dict(governance.book.table.action(levers).levers))
            for height, number, levers in governance.moved(after=self._seen)
        ]
        self._seen = max([self._seen, *(each.height for each in found)])
        return found

    @property
    def refused(self) -> pl.DataFrame:
        """What the agenda asked for in vain: ``time``, ``holder``, ``kind``, ``reason``."""
        blocks = self.public.blocks.select("height", "time")
        lost = (
            self.public.transactions.filter(~pl.col("accepted"))
            .join(blocks, on="height", how="left")
            .join(self._holders, on="account", how="left")
            .select(pl.col("time").dt.strftime("%H:%M"), pl.col("name").fill_null("").alias("holder"), "kind", "reason")
        )
        return pl.concat([pl.DataFrame(self._refused, schema=_REFUSALS, orient="row"), lost])

    @property
    def blocks(self) -> pl.DataFrame:
        """The public chain's final blocks above genesis, with ``finality_ms``."""
        public = self.public
        waited = public.trace.blocks.filter("final").select(pl.col("height").cast(pl.UInt64), "finality_ms")
        final = public.blocks.filter("final", pl.col("height") > 0)
        return final.join(waited, on="height", how="left", maintain_order="left")

    @property
    def anchors(self) -> pl.DataFrame:
        """The consortium's roots that the public chain was told, as `gridlab.chain.bridge.signed_header.ANCHORS`."""
        return self.bridge.anchored


def require_accepted(block: Block) -> list[tuple[str, str, str, str]]:
    """Raise ChainError with the first transaction of a block that was refused, if one was.

    What seats of the council and voters ask for in vain is returned, as rows of `PublicSide.refused`.
    """
    refused = []
    for place, receipt in enumerate(block.receipts):
        if receipt.accepted:
            continue
        kind = block.transactions[place].kind
        if kind not in _IN_VAIN:
            raise ChainError(f"block {block.height}: {receipt.code}: {receipt.reason}")
        refused.append((_clock_of(block.header.timestamp), "", kind, f"block {block.height}: {receipt.reason}"))
    return refused


def _clock_of(timestamp: int) -> str:
    return moment(timestamp).astimezone(ZoneInfo(TIME_ZONE)).strftime("%H:%M")


def public_chain_of(
    terms: PublicTerms,
    pallets: Sequence[Pallet],
    holders: pl.DataFrame,
    *,
    seed: int,
    genesis_time: int,
    keys: Mapping[str, KeyPair],
) -> PublicChain:
    """Return a lab's public chain before its first slot.

    Parameters
    ----------
    terms : PublicTerms
    pallets : sequence of Pallet
    holders : polars.DataFrame
        ``name`` and ``balance`` (micro-GRID), as `gridlab.holders.holders`.
    seed : int
        Of the validators' keys and of the network's delays.
    genesis_time : int
        Microseconds since 1970-01-01 UTC.
    keys : mapping of str to KeyPair
        Of the members of the consortium by name; another holder's follows from the seed.
    """
    pairs = [keys.get(name) or sandbox(seed, name) for name in holders["name"]]
    accounts = holders.select("balance", "name", public_key=pl.Series([pair.public_key for pair in pairs]))
    return PublicChain(accounts, terms=terms, seed=seed, genesis_time=genesis_time, pallets=pallets)


def rules_of(terms: PublicTerms, pallets: Sequence[Pallet]) -> RuleSet:
    """Return the rules of a lab's public chain, for whoever reads its blocks."""
    return RuleSet(1, terms.fees, effects_with(pallets))
