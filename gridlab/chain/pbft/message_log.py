"""The messages of one height as a frame, for pictures."""

from __future__ import annotations

import polars as pl

from gridlab.chain.pbft.network import Network

__all__ = ["MESSAGE_LOG", "message_frame"]

MESSAGE_LOG = {
    "time_ms": pl.Float64,
    "arrival_ms": pl.Float64,
    "kind": pl.String,
    "sender": pl.Int64,
    "receiver": pl.Int64,
    "view": pl.Int64,
    "height": pl.Int64,
    "delivered": pl.Boolean,
}


def message_frame(network: Network) -> pl.DataFrame:
    """Return what the network has logged, in the order of sending.

    Returns
    -------
    polars.DataFrame
        Columns time_ms (sent), arrival_ms (when it arrives, or would have), kind, sender, receiver, view, height,
        delivered. Numbers of 1,048,576 and more are clients and second instances of twins.
    """
    return pl.DataFrame(network.log, schema=MESSAGE_LOG, orient="row").sort("time_ms", maintain_order=True)
