"""A light client: what one chain knows of another one, without executing its blocks.

It starts from a header that governance trusts. From there every further one must be final by the authority that the
newest trusted header names: adjacent or not, as long as that set is in office. A block in which the set hands over
cannot be skipped, since the new set is proved by the old one alone. A set can sign many things once its licences or
stakes are gone, so a client trusts only while the newest header it has is younger than the trusting period, which must
be shorter than the time in which misbehaviour can still be punished.

References
----------
Interchain Standards, "ICS-002: Client semantics" and "ICS-007: Tendermint client", 2019-2023.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace

import polars as pl

from gridlab.chain.arguments import require_bytes, require_int
from gridlab.chain.bridge.conflicts import conflict
from gridlab.chain.bridge.finality import finality_of
from gridlab.chain.bridge.proofs import StateLayout
from gridlab.chain.bridge.signed_header import ANCHORS, Anchor, SignedHeader
from gridlab.chain.encoding import Reader, compact, text, u64
from gridlab.chain.hashing import hexadecimal, tagged_hash
from gridlab.chain.moments import moment
from gridlab.errors import ChainError
from gridlab.frames import SLOT

__all__ = ["LightClient"]

_LONGEST_PERIOD = 2**62


@dataclass(frozen=True, slots=True)
class LightClient:
    """The trusted headers of another chain. Never changed: each act returns a new client, or raises.

    Attributes
    ----------
    rule : str
        Name of the `FinalityProof`.
    layout : StateLayout
        Where under that chain's state root its end of the bridge stands.
    trusting_period : int
        Microseconds after the newest header's timestamp for which it is trusted.
    clock_drift : int
        Microseconds by which a header may be ahead of this chain's clock.
    longest_skip : int
        Most heights from one trusted header to the next.
    anchors : tuple of Anchor
        Rising heights, the first one trusted from outside.
    frozen : str
        Why the client is frozen; empty where it is not.
    """

    rule: str
    layout: StateLayout
    trusting_period: int
    clock_drift: int
    longest_skip: int
    anchors: tuple[Anchor, ...] = field(repr=False)
    frozen: str = ""

    def __post_init__(self) -> None:
        finality_of(self.rule)
        require_int("trusting_period", self.trusting_period, 1, _LONGEST_PERIOD)
        require_int("clock_drift", self.clock_drift, 0, _LONGEST_PERIOD)
        require_int("longest_skip", self.longest_skip, 1, 2**62)
        heights = [each.height for each in self.anchors]
        if not heights or heights != sorted(set(heights)) or len({each.chain_id for each in self.anchors}) != 1:
            raise ChainError("light client: it takes one trusted header at least, all of one chain at rising heights")

    @classmethod
    def trusting(
        cls, rule: str, header: bytes, layout: StateLayout, *, trusting_period: int, clock_drift: int, longest_skip: int
    ) -> LightClient:
        """Return a client that trusts one header, as governance says; lengths of time in microseconds."""
        anchor = finality_of(rule).read(require_bytes("header", header))
        return cls(rule, layout, trusting_period, clock_drift, longest_skip, (anchor,))

    def __repr__(self) -> str:
        state = f"frozen: {self.frozen}" if self.frozen else f"{len(self.anchors)} anchors"
        return f"LightClient({self.chain_id!r}, {self.rule}, height {self.newest.height}, {state})"

    @property
    def chain_id(self) -> str:
        """Name of the chain that it follows."""
        return self.anchors[0].chain_id

    @property
    def newest(self) -> Anchor:
        """The newest trusted header."""
        return self.anchors[-1]

    def require_active(self, now: int) -> None:
        """Raise ChainError where the client is frozen, or its newest header too old at `now` (microseconds)."""
        if self.frozen:
            raise ChainError(
                f"client of {self.chain_id!r} is frozen: {self.frozen}; governance may replace it by a client that "
                "starts from a header it trusts"
            )
        if now - self.newest.timestamp > self.trusting_period:
            raise ChainError(
                f"client of {self.chain_id!r} has expired: its newest header is of {moment(self.newest.timestamp)}, "
                f"older than the trusting period of {self.trusting_period // 1_000_000} s; governance may replace it"
            )

    def at(self, height: int, now: int) -> Anchor:
        """Return the trusted header at `height`, against which a proof may be checked at `now`.

        Raises
        ------
        ChainError
            The client is not active, has no header of that height, or one that is older than the trusting period.
        """
        self.require_active(now)
        found = self._known(height)
        if found is None:
            raise ChainError(f"height {height} of {self.chain_id!r} is not anchored; send its header first")
        if now - found.timestamp > self.trusting_period:
            raise ChainError(f"height {height} of {self.chain_id!r} is past the trusting period; prove at a later one")
        return found

    def _known(self, height: int) -> Anchor | None:
        place = bisect_left(self.anchors, height, key=lambda each: each.height)
        return self.anchors[place] if place < len(self.anchors) and self.anchors[place].height == height else None

    def update(self, signed: SignedHeader, now: int) -> LightClient:
        """Return the client with one more trusted header.

        Raises
        ------
        ChainError
            The client is frozen or expired, or the header is of another chain, not newer, too far away, from the
            future, not a child of its parent, or not final by the set that is in office.
        """
        self.require_active(now)
        rule, newest = finality_of(self.rule), self.newest
        anchor = rule.read(signed.header)
        reason = self._out_of_place(anchor, now)
        if reason is None and rule.authority_hash(signed.authority) != newest.next_authority:
            reason = (
                f"its authority is not the one that header {newest.height} names; send the header in which the set in "
                "office hands over to it first"
            )
        reason = reason or rule.why_not_final(signed.header, signed.proof, signed.authority)
        if reason:
            raise ChainError(f"header {anchor.height} of {anchor.chain_id!r}: {reason}")
        return replace(self, anchors=(*self.anchors, anchor))

    def _out_of_place(self, anchor: Anchor, now: int) -> str | None:
        newest = self.newest
        if anchor.chain_id != self.chain_id:
            return f"this client follows {self.chain_id!r}"
        if anchor.height <= newest.height:
            return self._stale(anchor)
        if anchor.height - newest.height > self.longest_skip:
            return f"it skips from {newest.height}, allowed: {self.longest_skip} heights; send one in between first"
        if anchor.height == newest.height + 1 and anchor.parent != newest.hash:
            return f"its parent is {hexadecimal(anchor.parent)}, not header {newest.height}"
        return self._out_of_time(anchor, now)

    def _stale(self, anchor: Anchor) -> str:
        known = self._known(anchor.height)
        what = "anchored already" if known == anchor else "not newer"
        conflicting = known is not None and known != anchor
        hint = "; another final one of that height is misbehaviour, report both" if conflicting else ""
        return f"it is {what}, the newest is {self.newest.height}{hint}"

    def _out_of_time(self, anchor: Anchor, now: int) -> str | None:
        newest = self.newest
        if anchor.timestamp < newest.timestamp:
            return f"it is of {moment(anchor.timestamp)}, before header {newest.height} of {moment(newest.timestamp)}"
        if anchor.timestamp > now + self.clock_drift:
            return f"it is of {moment(anchor.timestamp)}, which is in the future here ({moment(now)}); send it later"
        return None

    def misbehaved(self, first: SignedHeader, second: SignedHeader, now: int) -> LightClient:
        """Return the client frozen, if two final headers cannot both be of an honest chain.

        Raises
        ------
        ChainError
            The headers do not conflict, or one of them is not final by a set that the client trusts within the trusting
            period. An expired client may still be frozen; one that is frozen stays so.
        """
        if self.frozen:
            raise ChainError(f"client of {self.chain_id!r} is frozen already: {self.frozen}")
        anchors = [self._final_once(each, now) for each in (first, second)]
        certifiers = [finality_of(self.rule).authority_hash(each.authority) for each in (first, second)]
        reason = conflict(anchors, certifiers)
        if reason is None:
            raise ChainError(
                f"headers {anchors[0].height} and {anchors[1].height} of {self.chain_id!r} do not contradict each "
                "other, so the client goes on; misbehaviour is two final headers that no honest chain has both of"
            )
        return replace(self, frozen=reason)

    def _final_once(self, signed: SignedHeader, now: int) -> Anchor:
        rule = finality_of(self.rule)
        anchor, certifier = rule.read(signed.header), rule.authority_hash(signed.authority)
        if anchor.chain_id != self.chain_id:
            raise ChainError(f"header of {anchor.chain_id!r}: this client follows {self.chain_id!r}")
        named = any(
            each.next_authority == certifier and each.height < anchor.height
            for each in self.anchors
            if now - each.timestamp <= self.trusting_period
        )
        reason = rule.why_not_final(signed.header, signed.proof, signed.authority)
        if not named:
            reason = "no trusted header below it, within the trusting period, names its authority"
        if reason:
            raise ChainError(f"header {anchor.height} of {anchor.chain_id!r}: {reason}")
        return anchor

    @property
    def frame(self) -> pl.DataFrame:
        """The trusted headers as `gridlab.chain.bridge.signed_header.ANCHORS`: which roots are anchored."""
        rows = [
            (
                each.chain_id,
                each.height,
                each.timestamp,
                *map(hexadecimal, (each.hash, each.state_root, each.transactions_root, each.receipts_root)),
            )
            for each in self.anchors
        ]
        frame = pl.DataFrame(rows, schema={**ANCHORS, "slot": pl.Int64}, orient="row")
        return frame.with_columns(pl.col("slot").cast(SLOT))

    @property
    def hash(self) -> bytes:
        """Hash over all of it, 32 bytes."""
        return tagged_hash("gridlab/light-client/1", self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""
        head = text(self.rule) + self.layout.to_bytes() + u64(self.trusting_period) + u64(self.clock_drift)
        tail = b"".join(each.to_bytes() for each in self.anchors)
        return head + u64(self.longest_skip) + text(self.frozen) + compact(len(self.anchors)) + tail

    @classmethod
    def read(cls, reader: Reader) -> LightClient:
        """Read what `to_bytes` wrote; raises ChainError where the bytes are damaged."""
        rule, layout = reader.text(), StateLayout.read(reader)
        period, drift, skip, frozen = reader.u64(), reader.u64(), reader.u64(), reader.text()
        anchors = tuple(Anchor.read(reader) for _ in range(reader.compact()))
        return cls(rule, layout, period, drift, skip, anchors, frozen)
