"""Home shards: which shard keeps which account.

MEA's territory is one shard, each of PEA's twelve areas another. An account's shard follows from its place in the
accounts frame. The issuers of assets live together in the shard ``supply``, so that what backs what is seen in one
place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from gridlab.chain.arguments import require_int, require_mapping, require_sequence, require_text
from gridlab.chain.ledger.doors import require_asset
from gridlab.datasets import dataset
from gridlab.errors import ArgumentError, ChainError, nearest
from gridlab.frames import ACCOUNTS, Column, Schema, show_rows

__all__ = ["HOMES", "LONGEST_NAME", "SHARD_NAMES", "SUPPLY", "Homes", "home_shards"]

SUPPLY = "supply"
SHARD_NAMES = ("MEA", "N1", "N2", "N3", "NE1", "NE2", "NE3", "C1", "C2", "C3", "S1", "S2", "S3")
LONGEST_NAME = 64
# Accounts above would meet the numbers that the shards' own ledgers keep for themselves.
_MOST_ACCOUNTS = 2**31

HOMES = Schema(
    "homes",
    (
        Column("account", pl.UInt32, "integer", "0 upwards without gaps, each once"),
        Column("shard", pl.String, "text", "its home shard, such as MEA or NE2"),
    ),
)

Int64Array = npt.NDArray[np.int64]


def home_shards(accounts: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return the home shard of each account, from its utility and its zone.

    Accounts of MEA live in ``MEA``. For PEA's the zone decides: one of its areas by name, a province (by the table
    ``provinces``), or a region of EGAT. A region holds several areas, and the accounts frame says no more than the
    region; there whole substations are dealt to the region's areas in turn, which is a teaching choice (S).

    Parameters
    ----------
    accounts : polars.DataFrame or polars.LazyFrame
        As `gridlab.frames.ACCOUNTS`; only ``account``, ``utility``, ``zone`` and ``substation`` are read.

    Returns
    -------
    polars.DataFrame
        As `HOMES`, in the order of `accounts`.

    Raises
    ------
    ArgumentTypeError, FrameError
        `accounts` is no such frame.
    ChainError
        A utility is neither MEA nor PEA, or a zone is none of the three kinds.
    """
    needed = {"account", "utility", "zone", "substation"}
    chosen = Schema("accounts", tuple(column for column in ACCOUNTS.columns if column.name in needed)).check(accounts)
    stranger = ~pl.col("utility").is_in(["MEA", "PEA"])
    if chosen.select(stranger.any()).item():
        raise ChainError(f"accounts: utility is neither 'MEA' nor 'PEA'\n{show_rows(chosen, stranger)}")
    placed = chosen.with_columns(zone=pl.col("zone").cast(pl.String)).join(
        _areas_of_zones(), on="zone", how="left", maintain_order="left"
    )
    # A list by which substations take turns; of length 1 where the zone says the area itself.
    turn = pl.col("substation") % pl.col("areas").list.len()
    shard = pl.when(pl.col("utility") == "MEA").then(pl.lit("MEA")).otherwise(pl.col("areas").list.get(turn))
    homes = placed.select("account", "zone", shard=shard)
    unknown = pl.col("shard").is_null()
    if homes.select(unknown.any()).item():
        raise ChainError(
            "accounts: a zone of PEA is neither one of its areas, nor a province, nor a region of EGAT; allowed: "
            f"{', '.join(SHARD_NAMES[1:])}, or as in gridlab's table 'provinces'\n{show_rows(homes, unknown)}"
        )
    return homes.drop("zone")


def _areas_of_zones() -> pl.DataFrame:
    """Return zone -> the list of PEA areas that it may mean: areas themselves, provinces, EGAT's regions."""
    provinces = dataset("provinces").filter(pl.col("utility") == "PEA")
    by_region = provinces.group_by(zone="egat_region").agg(areas=pl.col("pea_area").unique().sort())
    by_province = provinces.select(zone="province", areas=pl.concat_list("pea_area"))
    by_area = pl.DataFrame({"zone": SHARD_NAMES[1:], "areas": [[name] for name in SHARD_NAMES[1:]]})
    return pl.concat([by_area, by_province, by_region]).unique("zone", keep="first", maintain_order=True)


@dataclass(frozen=True, slots=True)
class Homes:
    """The shards, and each account's place in one.

    Attributes
    ----------
    names : tuple of str
        The shards; `SUPPLY` first where there is one, then the areas from MEA to S3, then others by name.
    shard : array of int64, shape (accounts,)
        Each account's shard, a place in `names`.
    local : array of int64, shape (accounts,)
        Each account's number within its shard.
    """

    names: tuple[str, ...]
    shard: Int64Array
    local: Int64Array

    @classmethod
    def of(cls, homes: pl.DataFrame | pl.LazyFrame, issuers: Mapping[str, Sequence[int]]) -> Homes:
        """Check a frame of homes; issuers move to the shard `SUPPLY`, whatever it says of them.

        Raises
        ------
        ArgumentTypeError, ArgumentError, FrameError
            A wrong type, an unknown asset, or an issuer that is no account.
        ChainError
            Accounts are missing or stand there twice, or somebody else is to live in `SUPPLY`.
        """
        frame = HOMES.check(homes).sort("account")
        gaps = pl.col("account") != pl.int_range(pl.len(), dtype=pl.UInt32)
        if not 0 < frame.height < _MOST_ACCOUNTS:
            raise ChainError(f"homes: {frame.height} accounts, allowed: 1 to {_MOST_ACCOUNTS - 1}")
        if frame.select(gaps.any()).item():
            raise ChainError(f"homes: accounts do not count from 0 without gaps, each once\n{show_rows(frame, gaps)}")
        wrong = (pl.col("shard") == SUPPLY) | ~pl.col("shard").str.len_bytes().is_between(1, LONGEST_NAME)
        if frame.select(wrong.any()).item():
            raise ChainError(
                f"homes: a shard's name has 1 to {LONGEST_NAME} bytes, and only issuers live in {SUPPLY!r}; leave "
                f"them where their area is, they are moved\n{show_rows(frame, wrong)}"
            )
        return cls._arranged(frame["shard"], _issuing(issuers, frame.height))

    @classmethod
    def _arranged(cls, shard: pl.Series, issuing: list[int]) -> Homes:
        found = shard.set(pl.int_range(len(shard), eager=True).is_in(issuing), SUPPLY).rename("shard")
        present = found.unique().to_list()
        known = [name for name in (SUPPLY, *SHARD_NAMES) if name in present]
        names = (*known, *sorted(name for name in present if name not in known))
        codes = found.cast(pl.Enum(names))
        # An account's number in its shard is how many accounts of that shard come before it.
        local = pl.DataFrame(codes).select(pl.int_range(pl.len()).over("shard")).to_series()
        return cls(tuple(names), codes.to_physical().cast(pl.Int64).to_numpy().copy(), local.to_numpy().copy())

    def __len__(self) -> int:
        return len(self.shard)

    def members(self, shard: int) -> Int64Array:
        """Return the accounts of a shard in the order of their numbers in it."""
        return np.flatnonzero(self.shard == shard)

    def place(self, name: object) -> int:
        """Return the number of a shard; raises ArgumentTypeError or ArgumentError where there is none."""
        if require_text("shard", name) not in self.names:
            raise ArgumentError(f"shard {name!r} does not exist; {nearest(name, self.names)}")
        return self.names.index(str(name))


def _issuing(issuers: Mapping[str, Sequence[int]], accounts: int) -> list[int]:
    chosen: set[int] = set()
    for asset, members in require_mapping("issuers", issuers).items():
        require_asset(asset)
        for account in require_sequence(f"issuers[{asset!r}]", members, int):
            chosen.add(require_int(f"issuers[{asset!r}]", account, 0, accounts - 1))
    return sorted(chosen)
