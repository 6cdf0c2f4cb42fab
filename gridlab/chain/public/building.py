"""From one block to the next: writing a block upon its parent, and checking one that another node wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from gridlab.chain import merkle
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.keys import KeyPair
from gridlab.chain.public.batch import Batch
from gridlab.chain.public.blocks import PublicBlock, PublicHeader
from gridlab.chain.public.execution import Outcome, PublicContext, execute
from gridlab.chain.public.genesis import PublicGenesis
from gridlab.chain.public.handover import author_account, session_of
from gridlab.chain.public.pallets import AskedUpgrade, Pallet, UpgradingPallet
from gridlab.chain.public.parts import STAKING, checked_parts
from gridlab.chain.public.rules import RuleSet
from gridlab.chain.public.slots import Claim
from gridlab.chain.public.state import Part, PublicState
from gridlab.chain.receipts import receipts_root
from gridlab.chain.transaction_list import TransactionList
from gridlab.errors import ChainError

__all__ = ["Builder", "Node"]


@dataclass(frozen=True, slots=True)
class Node:
    """A block and the state after it.

    Attributes
    ----------
    block : PublicBlock
    state : PublicState
    """

    block: PublicBlock
    state: PublicState

    @property
    def header(self) -> PublicHeader:
        """The block's header."""
        return self.block.header


class Builder:
    """What is needed to execute blocks.

    Parameters
    ----------
    genesis : PublicGenesis
    rules : mapping of int to RuleSet
        Released versions.
    parts : mapping of str to Part, optional
        Registers as they were at genesis.
    pallets : sequence of Pallet, optional
        Those whose parts are among `parts`, in the order in which they act in a block.

    Raises
    ------
    ChainError
        Genesis names other rules or other parts.
    """

    __slots__ = ("_pallets", "_parts", "draws", "genesis", "rules")

    def __init__(
        self,
        genesis: PublicGenesis,
        rules: Mapping[int, RuleSet],
        parts: Mapping[str, Part] | None = None,
        pallets: Sequence[Pallet] = (),
    ) -> None:
        first = rules.get(genesis.rules_version)
        if first is None or first.hash != genesis.rules:
            raise ChainError(
                f"genesis asks for version {genesis.rules_version} of the rules with another hash than the one given; "
                "give the rules that the chain was made with"
            )
        self.genesis, self.rules, self.draws = genesis, dict(rules), genesis.draws
        self._parts, self._pallets = checked_parts(parts or {}, dict(genesis.parts)), tuple(pallets)

    def asked_for_upgrades(self, kind: str) -> Callable[[str, pl.DataFrame], Iterable[AskedUpgrade]] | None:
        """Return what tells the upgrades that a transaction of a pallet's kind asks for, None where nothing does."""
        owner = next((each for each in self._pallets if kind in each.effects), None)
        return owner.upgrades_in if isinstance(owner, UpgradingPallet) else None

    def root(self) -> Node:
        """Return genesis as a node."""
        block = PublicBlock(self.genesis.header, bytes(64), TransactionList(self.genesis.chain_id))
        state = self.genesis.state
        state.parts = {name: part.fork() for name, part in self._parts.items()}
        return Node(block, state)

    def write(
        self, parent: Node, slot: int, claim: Claim, pair: KeyPair, choose: Callable[[PublicState, RuleSet, int], Batch]
    ) -> Node:
        """Write and seal a block.

        Parameters
        ----------
        parent : Node
        slot : int
        claim : Claim
        pair : KeyPair
            The author's.
        choose : callable
            ``choose(state, rules, height)`` returns the transactions to try, best paid first.
        """
        state = self._forked(parent)
        batch = choose(state, self.rules[state.rules_version], parent.block.height + 1)
        outcome = self._execute(state, parent, slot, claim.seat, batch)
        header = self._header(state, parent, slot, claim, outcome)
        chosen = batch.transactions.take(outcome.included.tolist())
        block = PublicBlock.sealed(header, pair, chosen, session_of(state))
        return Node(_executed(block, outcome), state)

    def check(self, parent: Node, block: PublicBlock) -> Node:
        """Execute a block that was written elsewhere, and take it only if it is exactly what execution gives.

        Raises
        ------
        ChainError
            The error names the height and what is wrong.
        """
        header, authorities = block.header, parent.state.authorities
        height = parent.block.height + 1
        if header.slot <= parent.header.slot:
            raise ChainError(f"block {height}: slot {header.slot} is not after its parent's, {parent.header.slot}")
        claim = Claim(header.seat, header.primary, header.claim)
        reason = self.draws.why_not(claim, header.slot, authorities.keys)
        if reason:
            raise ChainError(f"block {height}: {reason}")
        state = self._forked(parent)
        if STAKING not in state.parts:
            _require_seal(block)
        batch = Batch.of(block.transactions)
        outcome = self._execute(state, parent, header.slot, header.seat, batch)
        if outcome.invalid:
            place, why = next(iter(outcome.invalid.items()))
            raise ChainError(f"block {height}: transaction {place} must not stand in a block: {why}")
        self._require_room(height, state, batch, outcome)
        # In which session it was sealed is known only now.
        block = replace(block, session=session_of(state))
        _require_seal(block)
        header.require_equal(self._header(state, parent, header.slot, claim, outcome))
        return Node(_executed(block, outcome), state)

    def _forked(self, parent: Node) -> PublicState:
        """Return the state in which the block after `parent` is executed, under the rules that are in force then."""
        state = parent.state.fork()
        approved = state.upgrade
        if approved and parent.block.height + 1 >= approved.height:
            known = self.rules.get(approved.version)
            if known is None or known.hash != approved.rules:
                raise ChainError(
                    f"block {parent.block.height + 1} is under version {approved.version} of the rules with the hash "
                    f"{hexadecimal(approved.rules)}, known are {list(self.rules)}; give the released rules"
                )
            state.rules_version, state.upgrade = approved.version, None
        return state

    def _execute(self, state: PublicState, parent: Node, slot: int, seat: int, batch: Batch) -> Outcome:
        context = PublicContext(
            chain_id=self.genesis.chain_id,
            height=parent.block.height + 1,
            slot=slot,
            timestamp=self.genesis.time_of(slot),
            rules=self.rules[state.rules_version],
            author=author_account(parent.state, seat),
            pallets=self._pallets,
        )
        return execute(state, batch, context)

    def _require_room(self, height: int, state: PublicState, batch: Batch, outcome: Outcome) -> None:
        limits = self.rules[state.rules_version].fees
        size = int(np.sum(batch.size))
        for what, found, most in (("µs", outcome.weight, limits.block_weight), ("bytes", size, limits.block_bytes)):
            if found > most:
                raise ChainError(f"block {height}: its transactions take {found} {what}, allowed: {most}")

    def _header(self, state: PublicState, parent: Node, slot: int, claim: Claim, outcome: Outcome) -> PublicHeader:
        authorities, ids = parent.state.authorities, outcome.receipts.transaction_ids
        return PublicHeader(
            chain_id=self.genesis.chain_id,
            height=parent.block.height + 1,
            parent=parent.block.hash,
            slot=slot,
            timestamp=self.genesis.time_of(slot),
            seat=claim.seat,
            author=authorities.keys[claim.seat],
            primary=claim.primary,
            claim=claim.signature,
            transactions_root=merkle.root(ids, hash="blake2b-256"),
            receipts_root=receipts_root(outcome.receipts),
            state_root=state.root,
            rules_version=state.rules_version,
            authority=authorities.hash,
            next_authority=state.authorities.hash,
        )


def _require_seal(block: PublicBlock) -> None:
    if not block.is_sealed:
        raise ChainError(f"block {block.height}: the seal is not its author’s over this header")


def _executed(block: PublicBlock, outcome: Outcome) -> PublicBlock:
    return replace(
        block, receipts=outcome.receipts, weight=outcome.weight, fees=outcome.fees, tips=outcome.tips
    )  # fmt: skip
