"""The public chain as a relayer sees it: acts are transactions, which cost fees and take effect once they are final."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from gridlab.chain.bridge.client import LightClient
from gridlab.chain.bridge.end import BridgeEnd, Here
from gridlab.chain.bridge.events import EventProof
from gridlab.chain.bridge.far_side import FAR_CHANNEL, FAR_CLIENT
from gridlab.chain.bridge.inclusion import Inclusion, inclusion_of
from gridlab.chain.bridge.packet import EXECUTED, Packet
from gridlab.chain.bridge.proofs import CONSORTIUM_LAYOUT, BridgeProof
from gridlab.chain.bridge.registry import PublicRegistry
from gridlab.chain.bridge.signed_header import SignedHeader
from gridlab.chain.effects.bridging import RELAYS
from gridlab.chain.hashing import hexadecimal
from gridlab.chain.keys import KeyPair, require_key_pair, sandbox
from gridlab.chain.moments import moment as shown
from gridlab.chain.public.accounts import BRIDGE
from gridlab.chain.public.chain import PublicChain
from gridlab.chain.public.parts import PUBLIC_LAYOUT
from gridlab.chain.public.sandbox import GOVERNANCE
from gridlab.chain.transactions import Transaction
from gridlab.errors import ArgumentTypeError, ChainError
from gridlab.frames import SLOT

__all__ = ["PublicHost"]

# A day of slots of 6 s; who is further apart has mistaken the clock.
_MOST_SLOTS = 14_400


class PublicHost:
    """A public chain, and the account that relays to it and pays for it.

    What was sent waits in the chain's pool until it is final, and is not sent again meanwhile.

    Parameters
    ----------
    chain : PublicChain
    relayer : KeyPair
        Has an account with GRID; it need not be trusted, since everything it sends is proved.
    governance : KeyPair, optional
        Opens client and channel; the sandbox's unless given.

    Raises
    ------
    ArgumentTypeError, ChainError
        An argument does not fit, or the relayer has no account.
    """

    rule, layout = "public", PUBLIC_LAYOUT

    def __init__(self, chain: PublicChain, relayer: KeyPair, governance: KeyPair | None = None) -> None:
        self.chain, self.relayer = chain, require_key_pair("relayer", relayer)
        chosen = sandbox(chain.seed, GOVERNANCE) if governance is None else governance
        self.governance = require_key_pair("governance", chosen)
        for pair in (self.relayer, self.governance):
            if not chain.balance(pair):
                raise ChainError(
                    f"public side: {pair} has no GRID on {chain.chain_id!r} for fees; give its key a balance in "
                    "PublicChain(accounts), or attest it, pay it and let slots pass"
                )
        self._kept: dict[int, tuple[BridgeEnd, Inclusion]] = {}
        self._sent: dict[bytes, str] = {}
        self._waiting: set[str] = set()
        self._looked = -1
        self._headers: list[str] = []
        self.keep()

    def __repr__(self) -> str:
        return f"PublicHost({self.chain!r})"

    @property
    def chain_id(self) -> str:
        """Its name."""
        return self.chain.chain_id

    @property
    def height(self) -> int:
        """Height of its last final block."""
        return self.chain.height

    @property
    def now(self) -> int:
        """Start of the last slot that has passed, microseconds since 1970-01-01 UTC."""
        return self.chain.header(0).timestamp + self.chain.slot * self._slot_length

    @property
    def _slot_length(self) -> int:
        return self.chain.terms.timing.slot * 1_000

    @property
    def end(self) -> BridgeEnd:
        """Its end of the bridge after the last final block."""
        return self.chain.bridge_end

    @property
    def here(self) -> Here:
        """The chain's name and the timestamp of the next slot."""
        return Here(self.chain_id, self.now + self._slot_length)

    @property
    def registry(self) -> PublicRegistry:
        """The register of certificates after the last final block."""
        return self.chain.registry

    @property
    def is_telling(self) -> bool:
        """Whether a header of the other chain is on its way into a final block."""
        self._headers = [each for each in self._headers if self._waits(each)]
        return bool(self._headers)

    def header(self) -> bytes:
        """Return the last final header."""
        return self.chain.finalised.header.to_bytes()

    def keep(self) -> int:
        """Keep what proofs at the last final block take, and return its height."""
        height = self.height
        if height not in self._kept:
            leaves = self.chain.state_leaves()
            place = next(each for each, leaf in enumerate(leaves) if leaf.startswith(PUBLIC_LAYOUT.prefix))
            self._kept[height] = self.end, inclusion_of(leaves, place)
        return height

    def keeps(self, height: int) -> bool:
        """Say whether proofs can be made at a height."""
        return height in self._kept

    def at(self, height: int) -> tuple[BridgeEnd, Inclusion]:
        """Return the end after a final block that was kept, and the proof that the state root commits to it.

        Raises
        ------
        ChainError
            The block was not kept.
        """
        if height not in self._kept:
            raise ChainError(f"block {height} of {self.chain_id!r} was not kept for proofs; tell a later one")
        return self._kept[height]

    def signed(self, height: int) -> SignedHeader:
        """Return a final header with its certificate and the set that gave it.

        Whoever asks for the newest one tells it to the other chain, so what proofs at it take is kept.
        """
        if height == self.height:
            self.keep()
        return self.chain.signed_header(height)

    def require_reach(self, moment: int) -> None:
        """Raise ChainError where the chain's clock is more than 14,400 slots before `moment`."""
        slots = self._slots_until(moment)
        if slots > _MOST_SLOTS:
            raise ChainError(
                f"public side: the clock of {self.chain_id!r} is at {shown(self.now)}, {slots} slots before "
                f"{shown(moment)}, allowed: {_MOST_SLOTS}; PublicChain(genesis_time=…) starts it beside the other chain"
            )

    def _slots_until(self, moment: int) -> int:
        return max(0, -((self.now - moment) // self._slot_length))

    def advance(self, moment: int) -> None:
        """Let slots pass until one begins at `moment` or later."""
        self.require_reach(moment)
        slots = self._slots_until(moment)
        if slots:
            self.chain.run(slots)

    # Acts

    def open(self, client: LightClient, options: Mapping[str, int], counterpart: str, header: bytes) -> None:
        """Let governance open the client, which starts from `header`, and the channel to `counterpart`."""
        layout = CONSORTIUM_LAYOUT
        trusted = {
            "client": FAR_CLIENT, "rule": client.rule, "header": header, "prefix": layout.prefix,
            "before": layout.before, "after": layout.after, **options,
        }  # fmt: skip
        channel = {
            "channel": FAR_CHANNEL, "client": FAR_CLIENT, "counterpart": counterpart, "ordered": False,
            "vault": BRIDGE, "native": "GRID", "foreign": "WATT",
        }  # fmt: skip
        for kind, row in (("bridge_client", trusted), ("bridge_channel", channel)):
            self.chain.send(self.governance, kind, pl.DataFrame([row]))

    def send_tokens(
        self, sender: KeyPair | bytes, recipient: bytes, amount: int, asset: str, timeout: int
    ) -> Packet | Transaction:  # fmt: skip
        """Send a transaction that locks or burns the sender's tokens and sends them.

        Raises
        ------
        ArgumentTypeError, ArgumentError, FrameError, ChainError
            The sender is no key pair that signs, or as for `PublicChain.send`.
        """
        if not isinstance(sender, KeyPair):
            raise ArgumentTypeError(f"sender is a {type(sender).__name__}, allowed: a KeyPair, who signs")
        row = {"channel": FAR_CHANNEL, "recipient": recipient, "asset": asset, "amount": amount}
        frame = pl.DataFrame([row]).with_columns(timeout=pl.lit(timeout).cast(SLOT))
        return self.chain.send(sender, "bridge_transfer", frame)

    def circulation(self, asset: str) -> int:
        """Return what all accounts hold of an asset that do not issue it."""
        return self.chain.ledger.circulation(asset)

    def update(self, client: str, signed: SignedHeader) -> Transaction | None:
        """Send a header of the other chain."""
        frame = pl.DataFrame({"client": [client], "signed": [signed.to_bytes()]})
        transaction = self._once(signed.header, "bridge_header", frame)
        if transaction is not None:
            self._headers.append(hexadecimal(transaction.id))
        return transaction

    def enter(self, proof: EventProof) -> bool:
        """Send an event for the register; say whether it was not on its way already."""
        frame = pl.DataFrame({"client": [FAR_CLIENT], "proof": [proof.to_bytes()]})
        return self._once(proof.transaction, "registry_entry", frame) is not None

    def receive(self, packet: Packet, height: int, proof: BridgeProof) -> Transaction | None:
        """Send a packet of the other chain for execution."""
        return self._relay("receive", packet, EXECUTED, height, proof)

    def acknowledge(self, packet: Packet, code: int, height: int, proof: BridgeProof) -> Transaction | None:
        """Send the other chain's answer."""
        return self._relay("acknowledge", packet, code, height, proof)

    def time_out(self, packet: Packet, height: int, proof: BridgeProof) -> Transaction | None:
        """Ask for a packet to be paid back."""
        return self._relay("time_out", packet, EXECUTED, height, proof)

    def _relay(self, act: str, packet: Packet, code: int, height: int, proof: BridgeProof) -> Transaction | None:
        frame = pl.DataFrame(
            {
                "act": pl.Series([act], dtype=RELAYS),
                "packet": [packet.to_bytes()],
                "code": [code],
                "height": [height],
                "proof": [proof.to_bytes()],
            }
        )
        return self._once(act.encode() + packet.leaf, "bridge_relay", frame)

    def _once(self, name: bytes, kind: str, frame: pl.DataFrame) -> Transaction | None:
        """Send a transaction unless the same act waits already; None where it does."""
        if name in self._sent and self._waits(self._sent[name]):
            return None
        transaction = self.chain.send(self.relayer, kind, frame)
        self._sent[name] = hexadecimal(transaction.id)
        self._waiting.add(self._sent[name])
        return transaction

    def _waits(self, name: str) -> bool:
        # The pool may be large, so it is read once per slot.
        if self._looked != self.chain.slot:
            self._waiting, self._looked = set(self.chain.waiting["id"].to_list()), self.chain.slot
        return name in self._waiting
