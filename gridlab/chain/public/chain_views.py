"""How people look at a public chain: frames, figures, proofs, and the shortest ways to pay and to attest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from gridlab.chain.arguments import require_bytes, require_int, require_sequence
from gridlab.chain.bridge.end import BridgeEnd
from gridlab.chain.bridge.registry import PublicRegistry
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.channels.book import ChannelBook
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.keys import KeyPair, sandbox, ss58_encode
from gridlab.chain.ledger import ASSETS, CODES, Ledger
from gridlab.chain.members import KYC
from gridlab.chain.public.authorities import AuthoritySet
from gridlab.chain.public.channel_effects import CHANNELS
from gridlab.chain.public.fee_views import FeeViews
from gridlab.chain.public.fees import ONE
from gridlab.chain.public.handover import handover_words
from gridlab.chain.public.network import Network
from gridlab.chain.public.parts import (
    BRIDGE_PART,
    REGISTRY_PART,
    BridgePart,
    ChannelPart,
    LockPart,
    RegistryPart,
    part_of,
)
from gridlab.chain.public.sandbox import ATTESTER, GOVERNANCE
from gridlab.chain.public.swap_effects import LOCKS
from gridlab.chain.swaps import LockBook, Stops
from gridlab.doors import through
from gridlab.errors import ArgumentTypeError, ChainError

if TYPE_CHECKING:
    from gridlab.chain.public.blocks import PublicBlock, PublicHeader
    from gridlab.chain.public.building import Builder, Node
    from gridlab.chain.public.forks import Forks
    from gridlab.chain.public.pool import PublicPool
    from gridlab.chain.public.record import PublicRecord
    from gridlab.chain.public.rules import RuleSet
    from gridlab.chain.public.terms import PublicTerms
    from gridlab.chain.transactions import Transaction

__all__ = ["PublicChainViews"]


class PublicChainViews(FeeViews):
    """What can be seen of a public chain; `PublicChain` is one."""

    terms: PublicTerms
    seed: int
    _builder: Builder
    _network: Network | None
    _forks: Forks | None
    _pool: PublicPool
    _record: PublicRecord
    _final: Node
    _names: dict[bytes, str]
    _slot: int

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.chain_id!r}, slot {self.slot}, final height {self.height}, "
            f"{len(self._pool)} waiting, state {hexadecimal(self.state_root)[:18]}…)"
        )

    def _repr_html_(self) -> str:
        html: str = through("public_chain_html", self)
        return html

    @property
    def plot(self) -> Any:
        """Pictures: ``chain.plot.blocks()``, ``chain.plot.finality()``, ``chain.plot.forks()``, … (HoloViews)."""
        return through("public_chain_plot", self)

    def controls(self) -> Any:
        """Return live controls: let slots pass, let validators fail or lie, cut the network, pay (ipywidgets)."""
        return through("public_chain_controls", self)

    # What is final

    @property
    def chain_id(self) -> str:
        """Name of the chain."""
        return self._builder.genesis.chain_id

    @property
    def slot(self) -> int:
        """The last slot that has passed."""
        return self._slot

    @property
    def height(self) -> int:
        """Height of the last final block."""
        return self._final.block.height

    @property
    def finalised(self) -> PublicBlock:
        """The last final block."""
        return self._final.block

    @property
    def head(self) -> PublicBlock:
        """The block that is built upon; it may still be undone."""
        return self.best.block

    @property
    def best(self) -> Node:
        """The head and its state."""
        raise NotImplementedError

    @property
    def state_root(self) -> bytes:
        """Root of the state after the last final block, 32 bytes."""
        return self._final.header.state_root

    @property
    def ledger(self) -> Ledger:
        """A copy of the ledger after the last final block."""
        return self._final.state.ledger.fork()

    @property
    def authorities(self) -> AuthoritySet:
        """Who certifies the block after the last final one."""
        return self._final.state.authorities

    @property
    def handover(self) -> str:
        """Whether the elected are in office, and if not, why the old set goes on."""
        return handover_words(self._final.state)

    @property
    def rules(self) -> RuleSet:
        """The set of rules that was in force at the head."""
        return self._builder.rules[self.best.state.rules_version]

    @property
    def multiplier(self) -> float:
        """What the weight fee is multiplied by in the block after the head."""
        return self.best.state.multiplier / ONE

    @property
    def treasury(self) -> int:
        """What the treasury holds after the last final block, micro-GRID."""
        return self._final.state.treasury

    def block(self, height: int) -> PublicBlock:
        """Return a final block."""
        return self._record.blocks[require_int("height", height, 0, self.height)]

    def header(self, height: int) -> PublicHeader:
        """Return the header of a final block."""
        return self.block(height).header

    @property
    def bridge_end(self) -> BridgeEnd:
        """The chain's end of the bridge after the last final block."""
        return part_of(self._final.state, BRIDGE_PART, BridgePart).end

    @property
    def registry(self) -> PublicRegistry:
        """Events of certificates after the last final block: ``.events`` lists them, ``.explore(id)`` finds one."""
        return part_of(self._final.state, REGISTRY_PART, RegistryPart).registry

    @property
    def lock_book(self) -> LockBook:
        """All hash time locks after the last final block."""
        return part_of(self._final.state, LOCKS, LockPart).book

    @property
    def channel_book(self) -> ChannelBook:
        """All channels after the last final block; `gridlab.chain.channels.channels_frame` shows them."""
        return part_of(self._final.state, CHANNELS, ChannelPart).book

    @property
    def stops(self) -> Stops:
        """The emergency stops of other chains that this one was told of."""
        return part_of(self._final.state, LOCKS, LockPart).stops

    def state_leaves(self) -> list[bytes]:
        """Return the leaves under the state root of the last final block, for proofs to other chains."""
        return self._final.state.leaves()

    def signed_header(self, height: int) -> SignedHeader:
        """Return a final header with its certificate and the set that gave it, for light clients of rule 'public'.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `height` is not one of 1 … the chain's final height.
        """
        require_int("height", height, 1, self.height)
        proof = self.block(height).justification
        certifiers = self._record.authorities(height)
        return SignedHeader(self.header(height).to_bytes(), proof.to_bytes() if proof else b"", certifiers.to_bytes())

    # Accounts

    def account(self, who: KeyPair | bytes) -> int:
        """Return the account of a key at the head.

        Raises
        ------
        ArgumentTypeError, ChainError
            `who` is no key, or has no account.
        """
        key = who.public_key if isinstance(who, KeyPair) else require_bytes("public key", who, 32)
        account = self.best.state.accounts.account_of.get(key)
        if account is None:
            raise ChainError(f"{ss58_encode(key)} has no account here; an attester's chain.attest([key]) opens one")
        return account

    def balance(self, who: KeyPair | bytes, asset: str = "GRID") -> int:
        """Return what an account holds after the last final block, in the smallest unit; 0 without an account."""
        key = who.public_key if isinstance(who, KeyPair) else require_bytes("public key", who, 32)
        account = self._final.state.accounts.account_of.get(key)
        return 0 if account is None else self._final.state.ledger.balance(account, asset)

    @property
    def accounts(self) -> pl.DataFrame:
        """One row per account after the last final block: account, name, address, role, kyc, nonce, balances."""
        state = self._final.state
        found = state.accounts.frame
        balances = state.ledger.balances.drop("account")
        keys = found["public_key"].to_list()
        return found.select(
            "account",
            pl.Series("name", [self._names.get(key, "") for key in keys], dtype=pl.String),
            pl.Series("address", [ss58_encode(key) for key in keys], dtype=pl.String),
            "role",
            "kyc",
            pl.Series("nonce", state.nonces.copy()),
        ).hstack(balances)

    def pay(
        self, sender: KeyPair, receiver: KeyPair | bytes, amount: int, *, asset: str = "GRID", tip: int = 0
    ) -> Transaction:
        """Send one transfer, numbered after the sender's last.

        Parameters
        ----------
        sender : KeyPair
        receiver : KeyPair or bytes
            Or the receiver's public key.
        amount : int
            In the asset's smallest unit.
        asset : str
        tip : int
            micro-GRID.

        Raises
        ------
        ArgumentTypeError, ArgumentError, FrameError, ChainError
            An argument does not fit, or one of the two has no account.
        """
        if not isinstance(sender, KeyPair):
            raise ArgumentTypeError(f"sender is a {type(sender).__name__}, allowed: a KeyPair, who signs")
        account, other = self.account(sender), self.account(receiver)
        nonce = self._pool.next_nonce(sender.public_key, int(self.best.state.nonces[account]))
        columns: dict[str, Any] = {
            # The nonce never repeats, so it serves as the number of the transfer.
            "transfer_id": [nonce],
            "debit_account": [account],
            "credit_account": [other],
            "asset": pl.Series([asset], dtype=pl.String).cast(ASSETS),
            "amount": [require_int("amount", amount, 1, 2**63 - 1)],
            "code": pl.Series(["transfer"], dtype=CODES),
        }
        return self.send(sender, "transfer", pl.DataFrame(columns), tip=tip)

    def attest(
        self, public_keys: Sequence[bytes], kyc: str = "verified", *, attester: KeyPair | None = None
    ) -> Transaction:
        """Send an attester's word on identities; a key without an account gets one.

        Parameters
        ----------
        public_keys : sequence of bytes
        kyc : str
            "verified", "pending", "expired" or "refused".
        attester : KeyPair, optional
            The sandbox's unless given.
        """
        names = list(require_sequence("public_keys", public_keys, bytes))
        frame = pl.DataFrame(
            {"public_key": pl.Series(names, dtype=pl.Binary), "kyc": pl.Series([kyc] * len(names), dtype=pl.String)}
        ).with_columns(pl.col("kyc").cast(KYC, strict=True))
        return self.send(attester or sandbox(self.seed, ATTESTER), "kyc_attestation", frame)

    def upgrade(self, version: int, height: int, *, governance: KeyPair | None = None) -> Transaction:
        """Send governance's approval of a released version of the rules, from a height on.

        Parameters
        ----------
        version : int
            One of `PublicChain`'s `rules`.
        height : int
            The first block under it.
        governance : KeyPair, optional
            The sandbox's unless given.
        """
        released = self._builder.rules
        if require_int("version", version, 1, 2**31) not in released:
            raise ChainError(f"version {version} of the rules is not released, released are {list(released)}")
        columns: dict[str, Any] = {
            "version": [version],
            "height": [require_int("height", height, 1, 2**63 - 1)],
            "rules": pl.Series([released[version].hash], dtype=pl.Binary),
        }
        return self.send(governance or sandbox(self.seed, GOVERNANCE), "upgrade", pl.DataFrame(columns))

    def send(self, key_pair: KeyPair, kind: str, frame: pl.DataFrame | pl.LazyFrame, *, tip: int = 0) -> Transaction:
        """Sign and submit a frame."""
        raise NotImplementedError

    # Frames

    @property
    def blocks(self) -> pl.DataFrame:
        """One row per block up to the head, those that may still be undone last (`final` is false)."""
        branch = [] if self._forks is None else [node.block for node in self._forks.branch]
        return self._record.block_frame(branch)

    @property
    def waiting(self) -> pl.DataFrame:
        """One row per transaction that is in no final block."""
        return self._pool.frame()

    @property
    def kinds(self) -> pl.DataFrame:
        """The kinds of transaction in force: kind, meaning, who may send it, weight and weight per row (µs)."""
        rows = [
            (kind, effect.meaning, ", ".join(effect.roles), effect.weight, effect.row_weight)
            for kind, effect in self.rules.effects.items()
        ]
        return pl.DataFrame(rows, schema=["kind", "meaning", "roles", "weight", "row_weight"], orient="row")

    @property
    def explorer(self) -> pl.DataFrame:
        """Final transactions as a block explorer lists them: newest first, with time, finality and what was paid."""
        blocks = self.blocks.filter("final").select("height", "slot", "time", "stake_ppb")
        return (
            self.transactions.join(blocks, on="height", how="left", maintain_order="left")
            .select(
                "height", "index", "slot", "time", "kind", "account", "tip", "accepted", "code",
                pl.col("id"), (pl.col("stake_ppb") / 1e7).alias("certified_stake_percent"),
            )
            .reverse()
        )  # fmt: skip

    @property
    def equivocations(self) -> pl.DataFrame:
        """Who was seen doing two things of one kind: seat, what ("block", "prevote", "precommit"), slot or round."""
        found = {} if self._network is None else self._network.evidence
        rows = [(each.seat, each.what, each.number) for _, each in sorted(found.items(), key=lambda item: item[0])]
        return pl.DataFrame(rows, schema={"seat": pl.UInt32, "what": pl.String, "number": pl.UInt64}, orient="row")

    def kpis(self) -> pl.DataFrame:
        """Return figures of the run so far: kpi, value, unit.

        Finality is counted from the writing of a block until an ordinary node, the observer, knew it final.
        """
        rows: list[tuple[str, float, str]] = [
            ("final height", float(self.height), "blocks"),
            (
                "final transactions",
                float(sum(len(block.transactions) for block in self._record.blocks)),
                "transactions",
            ),
            ("treasury", self.treasury / 10**6, "GRID"),
            ("fee multiplier", self.multiplier, ""),
        ]
        if self._network is not None and self._network.lags and self._forks is not None:
            lags = np.array([lag for _, lag in self._network.lags]) / 1000
            rows += [
                ("finality p50", float(np.quantile(lags, 0.5)), "s"),
                ("finality p99", float(np.quantile(lags, 0.99)), "s"),
                ("abandoned blocks", float(self._forks.abandoned), "blocks"),
                (
                    "deepest reorganisation",
                    float(max((d for *_, d in self._network.reorganisations), default=0)),
                    "blocks",
                ),
            ]
        return pl.DataFrame(rows, schema=["kpi", "value", "unit"], orient="row")
