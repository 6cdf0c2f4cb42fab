"""How long finality takes over a year of blocks: the phases of PBFT sampled with numpy, block by block independent.

The simulator of this room sends every message; this model draws only their delays and takes order statistics, so that
a year of one-second blocks is a matter of minutes. Tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.chain.arguments import require_int, require_sequence
from gridlab.chain.pbft.finality import Finality
from gridlab.chain.pbft.finality_outages import Span, outage_spans
from gridlab.chain.pbft.finality_phases import Times, agree, elect, hear_self
from gridlab.chain.pbft.quorums import quorum as usual_quorum
from gridlab.chain.pbft.quorums import some_honest
from gridlab.chain.pbft.wan import WideAreaNetwork, require_delays
from gridlab.errors import ArgumentError, ArgumentTypeError
from gridlab.levers import Levers, choice, number
from gridlab.seeds import check_seed, stream

__all__ = ["BLOCKS_A_YEAR", "FinalityModel"]

BLOCKS_A_YEAR = 365 * 24 * 3600  # one block a second
# Delays in one array of a chunk, blocks x n x n of float32: 2 MB, which a processor's cache holds.
_CELLS = 500_000
_CONSORTIUM = "consortium of the validators"


class FinalityModel(Levers):
    r"""A model of the finality of blocks under PBFT over a wide-area network.

    A block's time runs from the moment its first primary would propose it until a quorum of replicas has committed it
    (`gridlab.chain.pbft.finality_phases` has the equations). Where that primary is down, every replica waits for the
    timeout :math:`T` and asks for the next view. Once it has a quorum of VIEW-CHANGEs it waits :math:`T` for the
    NEW-VIEW of the next primary, :math:`2T` for that of the one after, :math:`4T` and so on (Castro and Liskov 1999,
    section 4.5.2). The first primary that runs sends NEW-VIEW and the block in two messages; a replica needs both.

    Parameters
    ----------
    network : WideAreaNetwork, optional
        By default the Thai network.
    placement : sequence of str, optional
        City of each validator; by default the 21 of the dataset ``validators_synthetic``.
    delays_ms : array_like, optional
        Least one-way delays in place of the cities', shape (n, n), ms.
    quorum : int, optional
        By default ``pbft.quorum(n)``.
    **levers
        Levers by path, for example ``timeout=1000``.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument does not fit.
    LeverError
        A lever is out of bounds.

    Notes
    -----
    Validators compute and sign in no time, a block's size costs nothing, and validators are honest or down. Blocks
    are independent given who is down: congestion over several blocks and crashes within a block are not in the model.

    Examples
    --------
    >>> found = FinalityModel(availability=100).run(2_000, seed=1)
    >>> bool(found.quantile(0.99).high < 3_000)
    True
    """

    parts = ("network",)

    primary = choice(
        "sticky",
        ["sticky", "rotating"],
        label="Who proposes: one primary until it fails, or another one for each block",
        label_th="ผู้เสนอบล็อก: รายเดิมจนกว่าจะขัดข้อง หรือหมุนเวียนทุกบล็อก",
        source="sticky: Castro and Liskov 1999 (V); rotating: Buchman, Kwon and Milosevic 2018, arXiv 1807.04938 (V)",
        governed_by=_CONSORTIUM,
    )
    timeout = number(
        2000.0,
        10.0,
        600_000.0,
        10.0,
        unit="ms",
        label="First view-change timeout",
        label_th="เวลารอก่อนเปลี่ยนผู้นำครั้งแรก",
        source="two block intervals, teaching value (S)",
        governed_by=_CONSORTIUM,
    )
    availability = number(
        99.9,
        50.0,
        100.0,
        0.001,
        unit="%",
        label="Share of the time that a validator runs",
        label_th="สัดส่วนเวลาที่ผู้ตรวจสอบแต่ละรายทำงานได้",
        source="teaching value (S)",
        governed_by=_CONSORTIUM,
    )
    outage = number(
        4.0,
        0.1,
        720.0,
        0.1,
        unit="h",
        label="Mean length of a validator's outage",
        label_th="ระยะเวลาขัดข้องเฉลี่ยของผู้ตรวจสอบ",
        source="teaching value (S)",
        governed_by=_CONSORTIUM,
    )

    def __init__(
        self,
        network: WideAreaNetwork | None = None,
        *,
        placement: Sequence[str] | None = None,
        delays_ms: npt.ArrayLike | None = None,
        quorum: int | None = None,
        **levers: Any,
    ) -> None:
        if not isinstance(network, WideAreaNetwork | None):
            raise ArgumentTypeError(f"network is a {type(network).__name__}, allowed: a WideAreaNetwork")
        if placement is not None and delays_ms is not None:
            raise ArgumentError("placement and delays_ms are both given, allowed: one; delays_ms replaces the cities")
        self.network = network or WideAreaNetwork()
        self._placement = None if placement is None else tuple(require_sequence("placement", placement, str))
        self._delays = None if delays_ms is None else require_delays("delays_ms", delays_ms)
        self.validators = len(self.delays_ms())
        self.quorum = self._quorum(quorum)
        super().__init__(**levers)

    def _quorum(self, quorum: int | None) -> int:
        return usual_quorum(self.validators) if quorum is None else require_int("quorum", quorum, 1, self.validators)

    def delays_ms(self) -> npt.NDArray[np.float64]:
        """Return the least one-way delays, shape (n, n), ms: row sends, column receives."""
        return self.network.delays_ms(self._placement) if self._delays is None else self._delays.copy()

    def run(
        self,
        blocks: int = 100_000,
        *,
        crashed: Sequence[int] = (),
        seed: int = 0,
        interval_ms: float = 1000.0,
        progress: bool = False,
    ) -> Finality:
        """Sample the finality of consecutive blocks.

        Parameters
        ----------
        blocks : int
            1 or more; `BLOCKS_A_YEAR` is a year. The default gives p99 with a confidence interval in a second or so.
        crashed : sequence of int
            Validators, 0 to n - 1, that are down throughout, beside the outages by the levers.
        seed : int
            0 or more.
        interval_ms : float
            Time from block to block, > 0; it says how many blocks an outage lasts. 100,000 blocks that are 315,360 ms
            apart sample a whole year with its outages, a view change counting more than in the year itself.
        progress : bool
            Show a progress bar.

        Returns
        -------
        Finality
            Infinite where fewer than a quorum run.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit.
        """
        require_int("blocks", blocks, 1)
        spans = outage_spans(
            blocks,
            self.validators,
            crashed=self._require_crashed(crashed),
            availability=self.availability / 100.0,
            outage_blocks=max(1.0, self.outage * 3_600_000.0 / _require_interval(interval_ms)),
            rng=stream(check_seed(seed), "chain", "finality", "outages"),
        )
        sampler = _Sampler(self, stream(seed, "chain", "finality", "delays"))
        found = Finality(np.full(blocks, np.inf, dtype=np.float32), np.zeros(blocks, dtype=np.uint16))
        from tqdm.auto import tqdm

        with tqdm(total=blocks, unit="block", desc="finality", disable=not progress, leave=False) as bar:
            for span in spans:
                if len(span.running) >= self.quorum:
                    sampler.fill(found, span, bar.update)
                else:
                    bar.update(span.stop - span.start)
        return found

    def _require_crashed(self, crashed: Sequence[int]) -> list[int]:
        for place, validator in enumerate(require_sequence("crashed", crashed, int)):
            require_int(f"crashed[{place}]", validator, 0, self.validators - 1)
        return sorted(set(crashed))


class _Sampler:
    """One run: the delays as the levers stand, the view that the blocks so far have reached, the random stream."""

    def __init__(self, model: FinalityModel, rng: np.random.Generator) -> None:
        self.network, self.delays, self.rng = model.network, model.delays_ms(), rng
        self.validators, self.quorum = model.validators, model.quorum
        self.join = some_honest(model.validators)
        self.timeout, self.rotating = model.timeout, model.primary == "rotating"
        self.view = 0

    def fill(self, found: Finality, span: Span, done: Callable[[int], object]) -> None:
        """Time the blocks of a span, a chunk at a time."""
        skips = _skips(span.running, self.validators)
        chunk = max(1, _CELLS // self.validators**2)
        for start, stop in pairwise([*range(span.start, span.stop, chunk), span.stop]):
            first = self._turns(start, stop, skips)
            part, skipped = slice(start, stop), skips[first]
            column = np.searchsorted(span.running, (first + skipped) % self.validators)
            found.view_changes[part] = skipped
            for failures in np.unique(skipped):
                which = np.flatnonzero(skipped == failures)
                found.finality_ms[start + which] = self._final(column[which], int(failures), span.running)
            done(stop - start)

    def _turns(self, start: int, stop: int, skips: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Return whose turn to propose each block is at first, whether it runs or not."""
        if self.rotating:
            return np.arange(start, stop) % self.validators
        turn = self.view % self.validators
        self.view += int(skips[turn])
        turns = np.full(stop - start, self.view % self.validators)
        turns[0] = turn
        return turns

    def _final(self, primary: npt.NDArray[np.intp], failures: int, running: npt.NDArray[np.intp]) -> Times:
        """Return when blocks are final whose first `failures` primaries are down, given the column of the next."""
        base = self.delays[np.ix_(running, running)]
        every = np.arange(len(primary))
        sent = np.zeros(len(primary), dtype=np.float32)
        expiry = np.full((len(primary), len(running)), self.timeout, dtype=np.float32)
        for failure in range(failures):
            _, gathered = elect(expiry, self._votes(base, len(primary)), self.quorum, self.join)
            sent = gathered[every, primary]
            expiry = gathered + np.float32(self.timeout * 2.0**failure)
        arrival = self.network.sample(base[primary], 1, self.rng)[0]
        if failures:  # NEW-VIEW and pre-prepare, whichever comes later
            np.maximum(arrival, self.network.sample(base[primary], 1, self.rng)[0], out=arrival)
        arrival[every, primary] = 0.0
        arrival += sent[:, None]
        prepare, commit = (self._votes(base, len(primary)) for _ in range(2))
        committed = agree(arrival, primary, prepare, commit, self.quorum)
        committed.partition(self.quorum - 1, axis=-1)
        return committed[:, self.quorum - 1]

    def _votes(self, base: npt.NDArray[np.float64], count: int) -> Times:
        return hear_self(self.network.sample(base.T, count, self.rng))


def _require_interval(interval_ms: float) -> float:
    if isinstance(interval_ms, bool) or not isinstance(interval_ms, Real):
        raise ArgumentTypeError(f"interval_ms is {interval_ms!r}, allowed: a number of ms")
    if not 0 < interval_ms < float("inf"):
        raise ArgumentError(f"interval_ms is {interval_ms}, allowed: finite and above 0")
    return float(interval_ms)


def _skips(running: npt.NDArray[np.intp], validators: int) -> npt.NDArray[np.intp]:
    """Return for each validator how many primaries in a row, from itself on, are down."""
    place = np.searchsorted(running, np.arange(validators))
    following = np.concatenate([running, running[:1] + validators])[place]
    skips: npt.NDArray[np.intp] = following - np.arange(validators)
    return skips
