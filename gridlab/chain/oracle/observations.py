"""What one provider says in one round: the frame, the bytes that it signs, and the median of many.

A signature covers, in the chain's canonical encoding, a domain tag, the name of the network, and

    text(feed) u64(epoch) u64(round) u64(observed) i64(value)

so that it counts for nothing else: not for another feed, round or network, and for no other purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

import polars as pl

from gridlab.chain.arguments import require_text
from gridlab.chain.encoding import i64, text, u64
from gridlab.chain.hashing import signing_message
from gridlab.errors import OracleError
from gridlab.frames import SLOT, Column, Schema

__all__ = [
    "LONGEST_FEED",
    "NETWORK",
    "OBSERVATIONS",
    "messages_of",
    "observation_message",
    "upper_median",
]

NETWORK = "gridlab-oracle"
LONGEST_FEED = 64
_DOMAIN = "gridlab/oracle-observation/1"
# As u64(epoch) u64(round) u64(observed) i64(value).
_NUMBERS = Struct("<QQQq")

OBSERVATIONS = Schema(
    "oracle_observations",
    (
        Column("feed", pl.String, "text", "what is observed: 'price/MAC', 'weather/Chiang Mai', …; 1 to 64 bytes"),
        Column("epoch", pl.UInt64, "integer", "counts the oracle network's sets of providers"),
        Column("round", pl.UInt64, "integer", "counts the feed's rounds"),
        Column("provider", pl.UInt32, "integer", "number of the provider in the set, 0 upwards"),
        Column("value", pl.Int64, "integer", "in the feed's own unit, fixed point"),
        Column("observed", SLOT, "datetime", "moment for which the value holds"),
        Column("signature", pl.Binary, "binary", "the provider's, 64 bytes, Ed25519"),
    ),
)


def observation_message(network: str, feed: str, epoch: int, number: int, observed: int, value: int) -> bytes:  # noqa: PLR0917 - in the order in which it is signed
    """Return what the signature of an observation covers.

    Parameters
    ----------
    network : str
        Name of the oracle network.
    feed : str
    epoch, number : int
        Epoch and round, 0 … 2**64 - 1.
    observed : int
        Microseconds since 1970-01-01 UTC.
    value : int
        -2**63 … 2**63 - 1.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is of another type or out of bounds.
    """
    require_text("network", network, longest=LONGEST_FEED)
    require_text("feed", feed, longest=LONGEST_FEED)
    return signing_message(_DOMAIN, network, text(feed) + u64(epoch) + u64(number) + u64(observed) + i64(value))


def messages_of(observations: pl.DataFrame, network: str) -> list[bytes]:
    """Return `observation_message` of each row.

    Parameters
    ----------
    observations : polars.DataFrame
        With the columns that are signed, in the dtypes of `OBSERVATIONS`.
    network : str
    """
    names = ("feed", "epoch", "round", "observed", "value")
    feeds, *numbers = (observations[name].to_physical().to_list() for name in names)
    heads = {feed: signing_message(_DOMAIN, network, text(feed)) for feed in observations["feed"].unique()}
    return [heads[feed] + _NUMBERS.pack(*row) for feed, *row in zip(feeds, *numbers, strict=True)]


def upper_median(values: Sequence[int]) -> int:
    """Return ``sorted(values)[len(values) // 2]``: the median, the upper of two in the middle.

    With at least 2f + 1 values of which at most f are lies, at least f + 1 honest ones are left, and the value at this
    place has an honest one at or below it and an honest one at or above it (Chainlink, "Off-chain reporting protocol",
    2021).

    Raises
    ------
    OracleError
        There is no value.

    Examples
    --------
    >>> upper_median([3_100, 3_050, 9_999_999, 3_080])
    3100
    """
    if not values:
        raise OracleError("median: there is no observation, allowed: one or more")
    return sorted(values)[len(values) // 2]
