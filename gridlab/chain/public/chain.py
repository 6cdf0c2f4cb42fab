"""The public chain as one object: accounts, transactions, slots that pass, blocks that become final."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import polars as pl

from gridlab.chain import keys
from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.bridge.end import BridgeEnd
from gridlab.chain.bridge.registry import PublicRegistry
from gridlab.chain.channels.book import ChannelBook
from gridlab.chain.moments import moment as shown
from gridlab.chain.moments import require_microseconds
from gridlab.chain.public.authorities import AuthoritySet
from gridlab.chain.public.blocks import PublicBlock
from gridlab.chain.public.building import Builder, Node
from gridlab.chain.public.channel_effects import CHANNELS
from gridlab.chain.public.faults import Faults
from gridlab.chain.public.forks import Forks
from gridlab.chain.public.genesis import PublicGenesis, genesis_accounts
from gridlab.chain.public.handover import Keyring
from gridlab.chain.public.network import Network
from gridlab.chain.public.pallets import Pallet, effects_with, pallet_parts, require_pallets
from gridlab.chain.public.parts import (
    BRIDGE_PART,
    REGISTRY_PART,
    BridgePart,
    ChannelPart,
    LockPart,
    RegistryPart,
    staking_part,
)
from gridlab.chain.public.pool import PublicPool
from gridlab.chain.public.record import PublicRecord
from gridlab.chain.public.rules import RuleSet
from gridlab.chain.public.sandbox import sandbox_accounts, sandbox_validators
from gridlab.chain.public.saved import pack, unpack
from gridlab.chain.public.sending import SendingChain
from gridlab.chain.public.staking_effects import STAKING
from gridlab.chain.public.state import Part, PublicState
from gridlab.chain.public.swap_effects import LOCKS
from gridlab.chain.public.terms import PublicTerms
from gridlab.chain.staking import StakingRules
from gridlab.chain.swaps import LockBook, Stops
from gridlab.errors import ArgumentTypeError, ChainError

__all__ = ["PublicChain"]

# No pallet may have one of these names, also where the chain is made without staking.
_OWN_PARTS = (LOCKS, BRIDGE_PART, CHANNELS, REGISTRY_PART, STAKING)


class PublicChain(SendingChain):
    """A chain that anybody with a checked identity may use, run by elected validators.

    Time passes slot by slot (`run`). In each slot one or more validators write a block. They vote, and a block that
    more than two thirds of the stake have voted for is final and gets a certificate.

    Parameters
    ----------
    accounts : polars.DataFrame, optional
        Columns public_key and balance (micro-GRID), and if wanted role, kyc and name
        (`gridlab.chain.public.accounts.GENESIS_ACCOUNTS`). An attester, a governance account and the validators of the
        sandbox are added where no account has their role or key.
    validators : sequence of (KeyPair, int), optional
        Key pair and stake (micro-GRID) of each elected validator; by default as many as `terms` says, with sandbox keys
        and 1,000,000 GRID each.
    terms : PublicTerms, optional
    chain_id : str
    seed : int
        Of the sandbox keys and of the network's delays.
    genesis_time : datetime or int
        Start of slot 0; a datetime without a time zone is Bangkok time.
    rules : sequence of RuleSet, optional
        Further released versions of the rules, above version 1, which follows from `terms`.
    staking : StakingRules, optional
        With it the chain has staking, in which nobody has bonded yet (kinds bond, validate, nominate, …). At the end of
        each era those elected become the chain's validators.
    candidates : sequence of KeyPair, optional
        Further keys that may be elected. This chain writes and votes with these, with those of `validators`, and with
        the sandbox keys of named accounts; an elected validator whose key it does not hold counts as offline.
    pallets : sequence of Pallet, optional
        What rooms above the chain add to it; version 1 of the rules has their kinds of transaction, a further version
        has them if it is made with `effects_with`.
    offline, partitions, equivocators
        What goes wrong on purpose, as for `simulate_public`.

    Raises
    ------
    ArgumentTypeError, ArgumentError, FrameError, ChainError
        An argument does not fit.

    Examples
    --------
    >>> alice, bob = keys.sandbox(0, "alice"), keys.sandbox(0, "bob")
    >>> chain = PublicChain(pl.DataFrame({"public_key": [alice.public_key], "balance": [5_000_000]}),
    ...                     terms=PublicTerms(validators=4))
    >>> _ = chain.attest([bob.public_key])
    >>> _ = chain.run(4)
    >>> _ = chain.pay(alice, bob, 2_000_000)
    >>> _ = chain.run(4)
    >>> chain.balance(bob)
    2000000
    """

    def __init__(
        self,
        accounts: pl.DataFrame | pl.LazyFrame | None = None,
        *,
        validators: Sequence[tuple[keys.KeyPair, int]] | None = None,
        terms: PublicTerms | None = None,
        chain_id: str = "gridlab-public",
        seed: int = 0,
        genesis_time: datetime | int = 0,
        rules: Sequence[RuleSet] = (),
        staking: StakingRules | None = None,
        candidates: Sequence[keys.KeyPair] = (),
        pallets: Sequence[Pallet] = (),
        offline: Sequence[int] | Mapping[int, Sequence[tuple[float, float]]] = (),
        partitions: Sequence[tuple[float, float, Sequence[Sequence[int]]]] = (),
        equivocators: Sequence[int] = (),
    ) -> None:
        terms = PublicTerms() if terms is None else terms
        if not isinstance(terms, PublicTerms):
            raise ArgumentTypeError(f"terms is a {type(terms).__name__}, allowed: PublicTerms(validators=…, …)")
        pairs, stakes = sandbox_validators(validators, seed, terms.validators)
        added = require_pallets(pallets, _OWN_PARTS)
        first = RuleSet(1, terms.fees, effects_with(added))
        whole, self._names = sandbox_accounts(accounts, pairs, seed)
        parts = _parts(chain_id, int(whole["balance"].sum()), staking, added)
        genesis = PublicGenesis(
            chain_id=chain_id,
            timestamp=require_microseconds("genesis_time", genesis_time),
            slot_milliseconds=terms.timing.slot,
            epoch_slots=terms.epoch_length,
            primary_share=terms.primary_share * 10**7,
            rules_version=first.version,
            rules=first.hash,
            accounts=genesis_accounts(whole),
            authorities=AuthoritySet(0, tuple(pair.public_key for pair in pairs), tuple(stakes)),
            parts=tuple((name, part.hash) for name, part in parts.items()),
        )
        faults = Faults.of(len(pairs), offline, partitions, equivocators)
        self.terms, self.seed = terms, seed
        self._slot = 0
        known = _by_version([first, *require_sequence("rules", rules, RuleSet)])
        self._builder = Builder(genesis, known, parts, added)
        draws = self._builder.draws
        network = Network(
            pairs, stakes, draws=draws, timing=terms.timing, faults=faults, seed=seed, idle_slots=terms.idle_slots
        )
        self._network: Network | None = network
        self._pool = PublicPool(chain_id)
        keyring = Keyring(
            _by_key([*pairs, *require_sequence("candidates", candidates, keys.KeyPair)]), self._names, seed
        )
        self._forks: Forks | None = Forks(self._builder, network, self._pool, keyring)
        self._final = self._forks.final
        self._record = PublicRecord(self._final.block)

    # Running

    def run(self, slots: int) -> pl.DataFrame:
        """Let slots pass; return the rows of the blocks that became final (as `blocks`).

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            `slots` is not a whole number of 1 or more, or the chain was read from bytes and has no keys to write with.
        """
        require_int("slots", slots, 1)
        return self._run_to(self._slot + slots)

    def run_until(self, timestamp: datetime | int) -> pl.DataFrame:
        """Let all slots pass that have begun by a moment; return the rows of the blocks that became final.

        Parameters
        ----------
        timestamp : datetime or int
            A datetime without a time zone is Bangkok time; a number counts microseconds since 1970-01-01 UTC. Where
            the moment lies in a slot that has passed already, nothing happens.

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            `timestamp` is no moment or lies before genesis, or the chain was read from bytes.
        """
        moment, start = require_microseconds("timestamp", timestamp), self._builder.genesis.timestamp
        if moment < start:
            raise ChainError(
                f"{self.chain_id!r} cannot run until {shown(moment)}: its slot 0 begins at {shown(start)}; choose a "
                "later moment, or an earlier genesis_time"
            )
        return self._run_to((moment - start) // (self._builder.genesis.slot_milliseconds * 1000))

    def _run_to(self, last: int) -> pl.DataFrame:
        if self._forks is None:
            raise ChainError("this chain was read from bytes and has no keys to write blocks; PublicChain(…) makes one")
        before = len(self._record.blocks)
        while self._slot < last:
            self._slot += 1
            for node in self._forks.advance(self._slot):
                self._record.append(node.block, self._final.state.authorities)
                self._final = node
            self._network = self._forks.network
        return self.blocks.filter(pl.col("height") >= before, pl.col("final"))

    @property
    def state(self) -> PublicState:
        """A copy of the state after the last final block, pallets' parts included."""
        return self._final.state.fork()

    @property
    def best(self) -> Node:
        """The head that is built upon, and its state; not yet final."""
        return self._final if self._forks is None else self._forks.best

    # Replay

    def append_block(self, block: PublicBlock) -> None:
        """Take the next final block from another node, if it is exactly what execution gives and certified.

        Raises
        ------
        ArgumentTypeError, ChainError
            It is no block, or the error names the height and what is wrong; nothing has changed then.
        """
        if not isinstance(block, PublicBlock):
            raise ArgumentTypeError(f"block is a {type(block).__name__}, allowed: a PublicBlock")
        if self._forks is not None:
            raise ChainError("this chain writes its own blocks; PublicChain.from_bytes(data) makes one that follows")
        authorities = self._final.state.authorities
        if block.justification is None:
            raise ChainError(
                f"block {block.height} has no certificate, so it may still be undone; wait until it is final"
            )
        block.justification.require(block.header.to_bytes(), authorities)
        node = self._builder.check(self._final, block)
        self._record.append(node.block, authorities)
        self._final = node

    def replay(self) -> PublicChain:
        """Execute every final block again from genesis and return the chain that results.

        Raises
        ------
        ChainError
            A block is not what execution gives; the error names its height and what differs.
        """
        return PublicChain._followed(self._builder, self._record.blocks[1:])

    @classmethod
    def _followed(cls, builder: Builder, blocks: Iterable[PublicBlock]) -> PublicChain:
        chain = object.__new__(cls)
        chain.terms, chain.seed, chain._slot, chain._names = PublicTerms(), 0, 0, {}
        chain._builder = builder
        chain._network, chain._forks = None, None
        chain._pool = PublicPool(builder.genesis.chain_id)
        chain._final = chain._builder.root()
        chain._record = PublicRecord(chain._final.block)
        for block in blocks:
            chain.append_block(block)
            chain._slot = block.header.slot
        return chain

    def to_bytes(self) -> bytes:
        """Return genesis and all final blocks as canonical bytes."""
        return pack(self._builder.genesis, self._record.blocks[1:])

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        *,
        rules: Sequence[RuleSet] | None = None,
        staking: StakingRules | None = None,
        pallets: Sequence[Pallet] = (),
    ) -> PublicChain:
        """Read a chain that `to_bytes` wrote, executing and verifying every block; it follows, and does not write.

        Parameters
        ----------
        data : bytes
        rules : sequence of RuleSet, optional
            All released versions; by default version 1 with the default prices.
        staking : StakingRules, optional
            Those that the chain was made with, if it has staking.
        pallets : sequence of Pallet, optional
            Those that the chain was made with, in the same order.

        Raises
        ------
        ArgumentTypeError, ChainError
            The bytes are damaged, a block is not what execution gives, or its rules are not known.
        """
        genesis, blocks = unpack(data)
        added = require_pallets(pallets, _OWN_PARTS)
        released = [RuleSet(1, PublicTerms().fees, effects_with(added))] if rules is None else rules
        parts = _parts(genesis.chain_id, int(genesis.accounts["balance"].sum()), staking, added)
        known = _by_version(require_sequence("rules", released, RuleSet))
        return cls._followed(Builder(genesis, known, parts, added), blocks)


def _by_key(pairs: Iterable[keys.KeyPair]) -> dict[bytes, keys.KeyPair]:
    return {pair.public_key: pair for pair in pairs}


def _by_version(rules: Iterable[RuleSet]) -> dict[int, RuleSet]:
    found: dict[int, RuleSet] = {}
    for each in rules:
        if each.version in found:
            raise ChainError(f"rules: version {each.version} stands there twice; give each release its own number")
        found[each.version] = each
    return found


def _parts(
    chain_id: str, issuance: int, staking: StakingRules | None, pallets: Sequence[Pallet]
) -> dict[str, Part]:  # fmt: skip
    parts: dict[str, Part] = {
        LOCKS: LockPart(LockBook(chain_id), Stops()),
        BRIDGE_PART: BridgePart(chain_id, BridgeEnd()),
        CHANNELS: ChannelPart(ChannelBook(chain_id)),
        REGISTRY_PART: RegistryPart(PublicRegistry()),
    }
    if staking is not None:
        parts[STAKING] = staking_part(issuance, staking, chain_id)
    return parts | pallet_parts(pallets, chain_id)
