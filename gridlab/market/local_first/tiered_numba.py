"""The compiled walk of a tiered clearing: book by book, level by level, place by place.

The orders of a book stand in merit order, and so do those of each of its places, which are chained in one pass. A place
then clears as in `gridlab.market.local_first.tiered_run`, to the last Wh; see there for what is computed.
"""

# ruff: noqa: FBT001, PLR0917 - threads hand a kernel its arrays and its chunk by position

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridlab.market.core.kernel_numba import _compiled
from gridlab.market.core.kernels import FILLED, NO_COUNTERPARTY, NONE, PARTLY, PRICED_OUT, RATIONED

__all__ = ["walk"]

Int64s = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

_PPM = 1_000_000


@_compiled
def _shrink(value: int, ppm: int) -> Any:
    """Return ``floor(value / (1 + ppm / 1 000 000))``: a guess in floating point, put right in integers."""
    if ppm == 0:
        return value
    exact = value * _PPM
    guess = np.int64(np.floor(np.float64(exact) / np.float64(_PPM + ppm)))
    rest = exact - guess * (_PPM + ppm)
    return guess + np.int64(rest >= _PPM + ppm) - np.int64(rest < 0)


@_compiled
def _chain(side: int, left: Int64s, limits: Int64s, worst: int, place: Any, table: Int64s, epoch: int,
           following: Int64s, ends: Any, groups: int) -> Any:  # fmt: skip
    """Chain the open orders of one side by place, up to the `worst` limit that meets anybody; return the places met.

    ``table[place]`` holds epoch and group; ``ends[group, side]`` holds the first and the last position of a chain.
    """
    for position in range(len(left)):
        if limits[position] > worst if side else limits[position] < worst:
            break
        if left[position] == 0 or place[position] < 0:
            continue
        entry = table[place[position]]
        group = entry & 0xFFFFFFFF
        if entry >> 32 != epoch:
            group = groups
            groups += 1
            table[place[position]] = epoch << 32 | group
            ends[group, 0, 0] = ends[group, 1, 0] = -1
        following[position] = -1
        if ends[group, side, 0] < 0:
            ends[group, side, 0] = position
        else:
            following[ends[group, side, 1]] = position
        ends[group, side, 1] = position
    return groups


@_compiled
def _best_open(left: Int64s, limits: Int64s) -> Any:
    """Return the limit of the first open order of a side; `NONE` where there is none."""
    for position in range(len(left)):
        if left[position]:
            return limits[position]
    return np.int64(NONE)


@_compiled
def _serve(following: Int64s, limits: Int64s, left: Int64s, start: int, volume: int, out: Int64s) -> None:
    """Find the last served level of a chain: write to `out` its limit, fill, total, first position, next limit, value.

    The next limit is that of the first order not served whole; `NONE` where there is none.
    """
    reached, position, value, last = np.int64(0), start, np.int64(0), start
    first, ahead = start, np.int64(0)
    while reached < volume:
        if limits[position] != limits[last]:
            first, ahead = position, reached
        last = position
        reached += left[position]
        value += left[position] * limits[position]
        position = following[position]
    excess, limit = reached - volume, limits[last]
    behind = limits[position] if position >= 0 else np.int64(NONE)
    total = reached - ahead
    while position >= 0 and limits[position] == limit:
        total += left[position]
        position = following[position]
    out[0], out[1], out[2], out[3] = limit, volume - ahead, total, first
    out[4], out[5] = limit if excess > 0 else behind, value - excess * limit


@_compiled
def _volume(next_buy: Int64s, next_sell: Int64s, bids: Int64s, asks: Int64s, wanted: Int64s, offered: Int64s,
            i: int, j: int) -> Any:  # fmt: skip
    """Return the largest volume of a place."""
    volume = np.int64(0)
    bought, sold = wanted[i], offered[j]
    while bids[i] >= asks[j]:
        step = min(bought, sold)
        volume += step
        bought -= step
        sold -= step
        if bought == 0:
            i = next_buy[i]
            if i < 0:
                break
            bought = wanted[i]
        if sold == 0:
            j = next_sell[j]
            if j < 0:
                break
            sold = offered[j]
    return volume


@_compiled
def _share_out(rows: Int64s, following: Int64s, limits: Int64s, left: Int64s, seq: Words, ids: Words, by_time: bool,
               side: Int64s, given: Int64s) -> None:  # fmt: skip
    """Write to `given` what each order at the last level of a side gets, in the order of the chain."""
    limit, fill, total, position = side[0], side[1], side[2], side[3]
    count = 0
    while position >= 0 and limits[position] == limit:
        given[count] = position
        count += 1
        position = following[position]
    members, energy = rows[given[:count]], left[given[:count]]
    order = np.argsort(ids[members], kind="mergesort")
    order = order[np.argsort(seq[members[order]], kind="mergesort")]
    if by_time:
        for place in order:
            given[place] = min(energy[place], fill)
            fill -= given[place]
        return
    given[:count] = energy * fill // total
    spare = fill - given[:count].sum()
    order = order[np.argsort(-(energy * fill % total)[order], kind="mergesort")]
    for place in order[:spare]:
        given[place] += 1


@_compiled
def _fill(rows: Int64s, following: Int64s, limits: Int64s, left: Int64s, amount: Int64s, seq: Words, ids: Words,
          by_time: bool, start: int, side: Int64s, price: int, given: Int64s) -> None:  # fmt: skip
    """Fill one side of a place: whole ahead of the last level, shared out at it."""
    position = start
    while position != side[3]:
        amount[position] += left[position] * price
        left[position] = 0
        position = following[position]
    cut = side[1] < side[2]
    if cut and (following[position] < 0 or limits[following[position]] != side[0]):
        given[0] = side[1]
    elif cut:
        _share_out(rows, following, limits, left, seq, ids, by_time, side, given)
    place = 0
    while position >= 0 and limits[position] == side[0]:
        energy = given[place] if cut else left[position]
        amount[position] += energy * price
        left[position] -= energy
        place += 1
        position = following[position]


@_compiled
def _note(sums: Int64s, book: int, volume: int, price: int, bid_value: int, ask_value: int) -> None:
    """Add what a place traded to the sums of its book."""
    sums[0, book] += volume
    sums[3, book] += bid_value
    sums[4, book] += ask_value
    sums[5, book] += volume * price
    sums[6, book], sums[7, book] = min(sums[6, book], price), max(sums[7, book], price)


@_compiled
def _clear_places(groups: int, ends: Any, buys: Int64s, sells: Int64s, next_buy: Int64s, next_sell: Int64s,
                  bids: Int64s, asks: Int64s, wanted: Int64s, offered: Int64s, paid: Int64s, got: Int64s, seq: Words,
                  ids: Words, by_time: bool, numerator: int, denominator: int, bid: Int64s, ask: Int64s, given: Int64s,
                  sums: Int64s, book: int) -> Any:  # fmt: skip
    """Clear all places of a level in one book; return the last price found, `NONE` where nothing trades."""
    price = np.int64(NONE)
    for group in range(groups):
        i, j = ends[group, 0, 0], ends[group, 1, 0]
        if i < 0 or j < 0 or bids[i] < asks[j]:
            continue
        if next_buy[i] < 0 and next_sell[j] < 0:
            # One buy and one sell, the usual case in a small place: whoever is left over is at the margin.
            volume = min(wanted[i], offered[j])
            bottom = asks[j] if volume == wanted[i] else bids[i]
            top = bids[i] if volume == offered[j] else asks[j]
            price = bottom + (top - bottom) * numerator // denominator
            wanted[i] -= volume
            offered[j] -= volume
            paid[i] += volume * price
            got[j] += volume * price
            bid[0], ask[0] = bids[i], asks[j]
            _note(sums, book, volume, price, volume * bids[i], volume * asks[j])
            continue
        volume = _volume(next_buy, next_sell, bids, asks, wanted, offered, i, j)
        _serve(next_buy, bids, wanted, i, volume, bid)
        _serve(next_sell, asks, offered, j, volume, ask)
        bottom = max(ask[0], bid[4])
        top = bid[0] if ask[4] == NONE else min(bid[0], ask[4])
        price = bottom + (top - bottom) * numerator // denominator
        _fill(buys, next_buy, bids, wanted, paid, seq, ids, by_time, i, bid, price, given)
        _fill(sells, next_sell, asks, offered, got, seq, ids, by_time, j, ask, price, given)
        _note(sums, book, volume, price, bid[5], ask[5])
    return price


@_compiled
def _write(rows: Int64s, limits: Int64s, left: Int64s, amount: Int64s, sign: int, others: int, price: int, last: int,
           energy: Int64s, out: Any) -> None:  # fmt: skip
    """Write a side's fills to the rows of the frame, with the reason of those that got nothing at the last level."""
    filled_out, amount_out, paid_out, reason = out
    for position in range(len(rows)):
        row = rows[position]
        filled = energy[row] - left[position]
        filled_out[row], amount_out[row] = filled, amount[position]
        if filled:
            paid_out[row] = amount[position] // filled
            reason[row] = PARTLY if left[position] else FILLED
            continue
        paid_out[row] = NONE
        as_good = price != NONE and (sign * limits[position] <= sign * price or limits[position] == last)
        refusal = RATIONED if as_good else PRICED_OUT
        reason[row] = NO_COUNTERPARTY if price == NONE and not others else refusal


@_compiled
def _load(
    rows: Int64s,
    price: Int64s,
    energy: Int64s,
    places: Any,
    limits: Int64s,
    left: Int64s,
    amount: Int64s,
    place: Any,
) -> None:
    """Bring what is needed of a book's orders together."""
    for position in range(len(rows)):
        row = rows[position]
        limits[position], left[position], amount[position] = price[row], energy[row], 0
        for level in range(places.shape[1]):
            place[level, position] = places[row, level]


@_compiled
def _landed_to_energy(limits: Int64s, vat: int, besides: int, losses: int, bids: Int64s) -> None:
    """Write the buyers' limits on the energy price (see `gridlab.market.local_first.landed_limits`)."""
    for position in range(len(bids)):
        bids[position] = _shrink(_shrink(limits[position], vat) - besides, losses)


@_compiled
def walk(
    out: Any,
    sums: Int64s,
    rows: Int64s,
    runs: Int64s,
    price: Int64s,
    energy: Int64s,
    places: Any,
    terms: Int64s,
    arrival: Any,
    most: int,
    start: int,
    stop: int,
) -> None:
    """Clear the books from `start` to `stop` at all levels; the last level is the whole book.

    `out` is filled, amount, paid and reason by row; `sums` holds, by book: energy, demand, supply, values of buys and
    sells, turnover, lowest and highest price.
    """
    edges = runs[2 * start : 2 * stop + 1 : 2]
    largest = (edges[1:] - edges[:-1]).max()
    table = np.zeros(most, dtype=np.int64)
    space, ends = np.empty((6, largest), dtype=np.int64), np.empty((largest, 2, 2), dtype=np.int64)
    place = np.empty((places.shape[1], largest), dtype=np.int32)
    bid, ask = np.zeros(6, dtype=np.int64), np.zeros(6, dtype=np.int64)
    seq, ids, by_time = arrival
    epoch, last, found = np.int64(0), len(terms) - 1, np.int64(NONE)
    demand = supply = np.int64(0)
    for book in range(start, stop):
        first, middle, end = runs[2 * book], runs[2 * book + 1], runs[2 * book + 2]
        here, split = rows[first:end], middle - first
        limits, left, amount, chain, energy_limits = space[0], space[1], space[2], space[3], space[4]
        _load(here, price, energy, places, limits, left, amount, place)
        buys, sells, asks = here[:split], here[split:], limits[split : len(here)]
        wanted, offered = left[:split], left[split : len(here)]
        chains = (chain[:split], chain[split : len(here)])
        amounts = (amount[:split], amount[split : len(here)])
        bids = energy_limits[:split]
        sums[1, book], sums[2, book] = wanted.sum(), offered.sum()
        for level in range(last + 1):
            epoch += 1
            if level == 0 or (terms[level, :3] != terms[level - 1, :3]).any():
                _landed_to_energy(limits, terms[level, 0], terms[level, 1], terms[level, 2], bids)
            demand, supply = wanted.sum(), offered.sum()
            groups = 0
            if demand and supply:
                best_bid, best_ask = _best_open(wanted, bids), _best_open(offered, asks)
                groups = _chain(0, wanted, bids, best_ask, place[level], table, epoch, chains[0], ends, 0)
                groups = _chain(1, offered, asks, best_bid, place[level, split:], table, epoch, chains[1], ends, groups)
            found = _clear_places(
                groups, ends, buys, sells, chains[0], chains[1], bids, asks, wanted, offered, amounts[0], amounts[1],
                seq, ids, by_time, terms[level, 3], terms[level, 4], bid, ask, space[5], sums, book,
            )  # fmt: skip
        _write(buys, bids, wanted, amounts[0], -1, supply, found, bid[0], energy, out)
        _write(sells, asks, offered, amounts[1], 1, demand, found, ask[0], energy, out)
