"""What the chain remembers of accepted meter readings: which slots were read, and what was generated each month.

A certificate stands for metered energy, so the same energy must never be counted from two readings. The register
remembers every slot of every account that was read, one bit each, and refuses to have it read again. Readings may come
late and in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.array_encoding import encode_array, read_array
from gridlab.chain.encoding import Reader
from gridlab.chain.hashing import tagged_hash
from gridlab.errors import ChainError
from gridlab.frames import show_rows

__all__ = ["MOST_GENERATION", "NO_GROUP", "MeterRegister"]

Array = npt.NDArray[Any]

# 10 GWh in a quarter of an hour is 40 GW, more than all of Thailand; below it no sum of one account leaves Int64.
MOST_GENERATION = 10**10
NO_GROUP = -1

_SLOTS_A_DAY = 96
_BYTES_A_DAY = _SLOTS_A_DAY // 8
_SLOT_MICROSECONDS = 15 * 60 * 1_000_000
# Bangkok time has been seven hours ahead of UTC, without summer time, since 1920.
_BANGKOK_MICROSECONDS = 7 * 3600 * 1_000_000
_DOMAIN = "gridlab/meter-register/1"


def _no_keys() -> Array:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True)
class MeterRegister:
    """Slots read and energy generated, per account. Never changed: `read` and `group` return a new one.

    Attributes
    ----------
    days : array of uint64, shape (d,)
        Account and day since 1970 in one key, ``account << 32 | day``, ascending.
    slots : array of uint8, shape (d, 12)
        One bit for each of the day's 96 slots: read or not.
    months : array of uint64, shape (m,)
        Account and month since 1970 in one key, ascending.
    generation : array of int64, shape (m,)
        Energy generated in that month (Wh).
    groups : array of int64, shape (g,)
        Account -> the account under which its generation is registered, or `NO_GROUP`; accounts beyond g have none.
    """

    days: Array = field(default_factory=_no_keys)
    slots: Array = field(default_factory=lambda: np.zeros((0, _BYTES_A_DAY), np.uint8))
    months: Array = field(default_factory=_no_keys)
    generation: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    groups: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever read or grouped."""
        return not (len(self.days) or len(self.groups))

    @cached_property
    def hash(self) -> bytes:
        """BLAKE2b-256 over everything that is remembered, 32 bytes."""
        arrays = (self.days, self.slots, self.months, self.generation, self.groups)
        sizes = np.array([len(each) for each in arrays], "<u8").tobytes()
        little = (each.astype(each.dtype.newbyteorder("<"), copy=False).tobytes() for each in arrays)
        return tagged_hash(_DOMAIN, sizes + b"".join(little))

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of everything that is remembered."""
        return b"".join(map(encode_array, (self.days, self.slots, self.months, self.generation, self.groups)))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote, or raise ChainError; that it is the true register only its hash can prove."""
        reader = Reader(data, "meter register")
        days, slots = read_array(reader, np.uint64), read_array(reader, np.uint8, width=_BYTES_A_DAY)
        months, generation = read_array(reader, np.uint64), read_array(reader, np.int64)
        groups = read_array(reader, np.int64)
        reader.finish()
        if len(days) != len(slots) or len(months) != len(generation):
            raise reader.error(
                f"{len(days)} days with {len(slots)} rows of slots, {len(months)} months with "
                f"{len(generation)} energies; allowed: one for each"
            )
        return cls(days, slots, months, generation, groups)

    @property
    def monthly(self) -> pl.DataFrame:
        """Generation per account and month: account (UInt32), month (Date, its first day), generation (Int64, Wh)."""
        months = (self.months & np.uint64(0xFFFF_FFFF)).astype(np.int64)
        return pl.DataFrame(
            {
                "account": (self.months >> np.uint64(32)).astype(np.uint32),
                "month": pl.Series(months.astype("datetime64[M]").astype("datetime64[D]")).cast(pl.Date),
                "generation": self.generation,
            }
        )

    def group_of(self, accounts: pl.Series) -> pl.Series:
        """Return the account under which each account's generation is registered: its group, or itself (UInt32)."""
        numbers = accounts.to_numpy().astype(np.int64)
        known = numbers < len(self.groups)
        groups = np.full(len(numbers), NO_GROUP, np.int64)
        groups[known] = self.groups[numbers[known]]
        return pl.Series(accounts.name, np.where(groups == NO_GROUP, numbers, groups), dtype=pl.UInt32)

    def read(self, readings: pl.DataFrame) -> Self:
        """Return the register after `readings` (`gridlab.frames.READINGS`, no account twice in a slot).

        Raises
        ------
        ChainError
            An account's slot was read before, or more was generated in a slot than any plant can.
        """
        account = readings["account"].to_numpy().astype(np.uint64)
        generation = readings["generation"].to_numpy()
        if (generation > MOST_GENERATION).any():
            raise ChainError(
                f"readings: more than {MOST_GENERATION} Wh are generated in a slot; look for a wrong unit\n"
                f"{show_rows(readings, pl.col('generation') > MOST_GENERATION)}"
            )
        local = readings["slot"].to_physical().to_numpy() + _BANGKOK_MICROSECONDS
        day, quarter = np.divmod(local // _SLOT_MICROSECONDS, _SLOTS_A_DAY)
        days, slots = self._with_slots(readings, _key(account, day), quarter)
        month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        months, place = np.unique(np.concatenate([self.months, _key(account, month)]), return_inverse=True)
        total = np.zeros(len(months), np.int64)
        np.add.at(total, place, np.concatenate([self.generation, generation]))
        return type(self)(days, slots, months, total, self.groups)

    def _with_slots(self, readings: pl.DataFrame, key: Array, quarter: Array) -> tuple[Array, Array]:
        days, row = np.unique(key, return_inverse=True)
        place = np.searchsorted(self.days, days)
        known = np.isin(days, self.days, assume_unique=True)
        packed = np.zeros((len(days), _BYTES_A_DAY), np.uint8)
        packed[known] = self.slots[place[known]]
        bits = np.unpackbits(packed, axis=1)
        again = bits[row, quarter].astype(np.bool_)
        if again.any():
            raise ChainError(
                "readings: a slot of an account was read before, and a kilowatt-hour is metered once; "
                f"send new slots only\n{show_rows(readings, pl.lit(pl.Series(again)))}"
            )
        bits[row, quarter] = 1
        packed = np.packbits(bits, axis=1)
        slots = self.slots.copy()
        slots[place[known]] = packed[known]
        new = place[~known]
        return np.insert(self.days, new, days[~known]), np.insert(slots, new, packed[~known], axis=0)

    def group(self, devices: pl.Series, registrants: pl.Series) -> Self:
        """Return the register with `devices` counted under `registrants` (both UInt32, of one length).

        The caller has checked that no device stands there twice or has a group already.
        """
        size = max(len(self.groups), int(devices.to_numpy().max(initial=0)) + 1)
        groups = np.full(size, NO_GROUP, np.int64)
        groups[: len(self.groups)] = self.groups
        groups[devices.to_numpy()] = registrants.to_numpy().astype(np.int64)
        return type(self)(self.days, self.slots, self.months, self.generation, groups)


def _key(account: Array, number: Array) -> Array:
    return account << np.uint64(32) | number.astype(np.uint64)
