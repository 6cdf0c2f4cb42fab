"""What goes wrong on purpose while a public chain runs, what can be proved of it, and the whole tree of blocks."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import polars as pl

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.public.chain_views import PublicChainViews
from gridlab.chain.public.faults import Faults
from gridlab.chain.public.network import Network
from gridlab.chain.public.parts import STAKING, StakingPart
from gridlab.chain.public.simulation import PublicTrace, trace_of
from gridlab.chain.staking import EquivocationProof
from gridlab.errors import ChainError

__all__ = ["SEAT_STATES", "FailingChain"]

SEAT_STATES = {"seat": pl.UInt32, "stake": pl.Int64, "online": pl.Boolean, "lies": pl.Boolean, "side": pl.UInt32}


class FailingChain(PublicChainViews):
    """A chain whose validators and network may fail from now on; `PublicChain` is one."""

    def fail(
        self,
        *,
        offline: Sequence[int] = (),
        cut: Sequence[int] = (),
        equivocators: Sequence[int] = (),
        slots: int = 10,
    ) -> None:
        """Let something go wrong from the next slot on, beside what goes wrong already.

        What was on its way before still arrives. What is sent to a validator that is down, or over a cut, arrives when
        that is over, so the end is settled here and cannot be moved forward later.

        Parameters
        ----------
        offline : sequence of int
            Seats that are down for `slots` slots.
        cut : sequence of int
            Seats that are cut off together from all others, the observer included, for `slots` slots.
        equivocators : sequence of int
            Seats that write two blocks in their slots and vote twice in each round, for good.
        slots : int
            1 or more.

        Raises
        ------
        ArgumentTypeError, ArgumentError, ChainError
            A seat does not exist, `slots` is not a whole number of 1 or more, or the chain was read from bytes.
        """
        network = self._running()
        begin = network.now / 1000
        end = (self.slot + require_int("slots", slots, 1) + 1) * network.timing.slot / 1000
        down = {seat: [(begin, end)] for seat in require_sequence("offline", offline, int)}
        apart = list(require_sequence("cut", cut, int))
        cuts = [(begin, end, [[], apart])] if apart else []
        network.faults = network.faults.joined(Faults.of(len(network.pairs), down, cuts, equivocators))

    @property
    def seats(self) -> pl.DataFrame:
        """How each validator stands in the next slot: seat, stake (micro-GRID), online, lies, side (null if not cut).

        Side 0 is the observer's. Of several cuts at once the one that began last is shown.

        Raises
        ------
        ChainError
            The chain was read from bytes.
        """
        network, seats = self._running(), len(self.authorities.weights)
        moment = float((self.slot + 1) * network.timing.slot)
        cuts = [(start, side) for start, stop, side in network.faults.cuts if start <= moment < stop]
        side = max(cuts, key=lambda each: each[0])[1][:-1].tolist() if cuts else [None] * seats
        columns = {
            "seat": np.arange(seats),
            "stake": list(self.authorities.weights),
            "online": network.faults.online(moment),
            "lies": network.faults.liars,
            "side": side,
        }
        return pl.DataFrame(columns, schema_overrides=SEAT_STATES)

    @property
    def runs(self) -> bool:
        """Whether this chain writes blocks; one that was read from bytes only follows."""
        return self._network is not None

    @property
    def trace(self) -> PublicTrace:
        """Every block that was written so far, losing branches included, and what became of each.

        Raises
        ------
        ChainError
            The chain was read from bytes, which hold final blocks alone.
        """
        return trace_of(self._running(), self.slot)

    @property
    def evidence(self) -> tuple[EquivocationProof, ...]:
        """Proofs of equivocation that staking would take now, in the order in which they were caught.

        ``chain.report(proof, reporter)`` sends one. Empty where the chain has no staking, or was read from bytes.
        """
        part = self._final.state.parts.get(STAKING)
        if self._forks is None or not isinstance(part, StakingPart):
            return ()
        trial, found = part.staking.fork(), []
        for proof in self._forks.proofs:
            with contextlib.suppress(ChainError):
                trial.report_equivocation(proof)
                found.append(proof)
        return tuple(found)

    def _running(self) -> Network:
        if self._network is None:
            raise ChainError(
                "this chain was read from bytes: it has final blocks and no network of validators; "
                "PublicChain(…) makes one that runs"
            )
        return self._network
