"""The keys to lesson 07, "21 validators and 6 liars", each worked out by letting validators agree, or fail to.

What the quorum's arithmetic says is not trusted here: forks and standstills are looked for by running the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import count

from gridlab.chain import pbft
from gridlab.chain.pbft.byzantine import KINDS
from gridlab.chain.pbft.finality_model import FinalityModel
from gridlab.chain.pbft.wan import WideAreaNetwork, default_placement
from gridlab.learn.answers import Key

__all__ = [
    "BIGGER",
    "LIARS",
    "VALIDATORS",
    "bigger_fork",
    "bigger_quorum",
    "noisiest",
    "satellite",
    "silent_in_a_row",
    "standstill",
]

VALIDATORS, LIARS = 21, 6
BIGGER = 30
_TALKED = 10  # blocks, as in section 5
_SILENT = 5
_TIMEOUT_S = 2
_SATELLITE_MS = 500
_SAMPLE = 20_000
_PATIENCE_MS = 120_000.0  # six silent primaries cost 66 s


def _all(number: int, kind: str) -> dict[int, str]:
    return dict.fromkeys(range(number), kind)


def _least_fork(n: int, quorum: int) -> int:
    """Return how many colluding validators, at least, make two blocks of one height final."""
    return next(
        liars
        for liars in range(n)
        if pbft.simulate(n=n, blocks=1, byzantine=_all(liars, "collude"), quorum=quorum, limit_ms=60_000.0).forked
    )


def _complete(byzantine: Mapping[int, str], crashed: Sequence[int]) -> bool:
    return pbft.simulate(blocks=1, byzantine=byzantine, crashed=crashed, limit_ms=_PATIENCE_MS).complete


def _least_down(byzantine: Mapping[int, str]) -> int:
    """Return how many further validators, at least, must be down so that no block becomes final."""
    return next(down for down in count() if not _complete(byzantine, range(VALIDATORS - down, VALIDATORS)))


@cache
def bigger_quorum() -> Key:
    """Work out the quorum of 30 validators."""
    faulty = pbft.max_faulty(BIGGER)
    return Key(
        Fraction(pbft.quorum(BIGGER)),
        {
            "copied": Fraction(2 * faulty + 1),
            "majority": Fraction(BIGGER // 2 + 1),
            "two_thirds": Fraction(2 * BIGGER // 3 + 1),
            "faulty": Fraction(faulty),
        },
        {
            "answer": pbft.quorum(BIGGER),
            "faulty": faulty,
            "shared": 2 * pbft.quorum(BIGGER) - BIGGER,
            "fewer": 2 * (pbft.quorum(BIGGER) - 1) - BIGGER,
        },
    )


@cache
def noisiest() -> Key:
    """Work out which lie of six validators makes all of them send most messages."""
    traces = {kind: pbft.simulate(blocks=_TALKED, byzantine=_all(LIARS, kind)) for kind in KINDS}
    messages = {kind: sum(trace.messages.values()) for kind, trace in traces.items()}
    most = max(messages, key=lambda kind: messages[kind])
    honest = sum(pbft.simulate(blocks=_TALKED).messages.values())
    return Key(
        most,
        {
            "slowest": max(traces, key=lambda kind: max(traces[kind].finality_ms)),
            "evident": max(traces, key=lambda kind: len(traces[kind].evidence)),
        },
        {"answer": most, "messages": messages[most], "honest": honest},
    )


@cache
def silent_in_a_row() -> Key:
    """Work out after how many seconds a block is final where the first five primaries are silent."""
    seconds = {
        silent: Fraction(pbft.simulate(blocks=1, byzantine=_all(silent, "silent")).finality_ms[0]) / 1000
        for silent in (_SILENT - 1, _SILENT, _SILENT + 1)
    }
    doubled = sum(2**step for step in range(_SILENT))
    return Key(
        seconds[_SILENT],
        {
            "fixed": Fraction(_TIMEOUT_S * (_SILENT + 1)),
            "client": seconds[_SILENT] - _TIMEOUT_S,
            "first_doubled": Fraction(_TIMEOUT_S * doubled),
            "one_less": seconds[_SILENT - 1],
            "one_more": seconds[_SILENT + 1],
        },
        {"answer": float(seconds[_SILENT]), "more": float(seconds[_SILENT + 1])},
    )


def _median(network: WideAreaNetwork, placement: Sequence[str]) -> Fraction:
    return Fraction(FinalityModel(network, placement=placement).run(_SAMPLE, seed=1).quantile(0.5).value)


@cache
def satellite() -> Key:
    """Work out when the middle block is final where Yala hangs on a satellite (ms)."""
    cable, cities = WideAreaNetwork(), default_placement()
    before, after = (_median(network, cities) for network in (cable, WideAreaNetwork(yala=_SATELLITE_MS)))
    return Key(
        after,
        {
            "leg": Fraction(_SATELLITE_MS),
            "added": before + Fraction(_SATELLITE_MS) - Fraction(cable.yala),
            "there_and_back": Fraction(2 * _SATELLITE_MS),
            "primary": _median(cable, ("Yala", *cities[1:])),
        },
        {"before": float(before), "after": float(after), "quorum": pbft.quorum(VALIDATORS)},
    )


@cache
def standstill() -> Key:
    """Work out how many must be down beside six silent liars so that the chain stands still."""
    down, alone = _least_down(_all(LIARS, "silent")), _least_down({})
    left = VALIDATORS - LIARS
    return Key(
        Fraction(down),
        {"alone": Fraction(alone), "still_lives": Fraction(down - 1), "liars": Fraction(LIARS)},
        {"left": left, "lives": left - down + 1, "stops": left - down, "quorum": pbft.quorum(VALIDATORS)},
    )


@cache
def bigger_fork() -> Key:
    """Work out how many colluding validators of 30 fork a chain whose quorum is 2f + 1."""
    faulty = pbft.max_faulty(BIGGER)
    copied = 2 * faulty + 1
    least = _least_fork(BIGGER, copied)
    return Key(
        Fraction(least),
        {
            "promised": Fraction(faulty),
            "right_quorum": Fraction(2 * pbft.quorum(BIGGER) - BIGGER),
            "of_21": Fraction(_least_fork(VALIDATORS, 2 * pbft.max_faulty(VALIDATORS) + 1)),
            "still_safe": Fraction(least - 1),
        },
        {"answer": least, "copied": copied, "promised": faulty},
    )
