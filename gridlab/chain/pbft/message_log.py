"""The messages of one height as a frame, for pictures."""

from __future__ import annotations

import polars as pl

from gridlab.chain.hashing import hexadecimal
from gridlab.chain.pbft.network import Network

__all__ = ["MESSAGE_LOG", "OUTSIDERS", "message_frame"]

# Numbers from here on are no validators: clients, and second instances of twins.
OUTSIDERS = 1 << 20

MESSAGE_LOG = {
    "time_ms": pl.Float64,
    "arrival_ms": pl.Float64,
    "kind": pl.String,
    "sender": pl.Int64,
    "receiver": pl.Int64,
    "view": pl.Int64,
    "height": pl.Int64,
    "delivered": pl.Boolean,
    "signer": pl.Int64,
    "digest": pl.String,
    "valid": pl.Boolean,
}


def message_frame(network: Network) -> pl.DataFrame:
    """Return what the network has logged, in the order of sending.

    Returns
    -------
    polars.DataFrame
        Columns time_ms (sent), arrival_ms (when it arrives, or would have), kind, sender, receiver, view, height,
        delivered, signer (in whose name it speaks, which a forger's is not), digest (``0x…``; of a proposal and of a
        vote, what it is for), valid (whether the signature holds; null where nobody has checked). Senders and receivers
        from `OUTSIDERS` on are clients and second instances of twins.
    """
    rows = [(*told, message.signer, hexadecimal(message.digest), message.verdict) for *told, message in network.log]
    return pl.DataFrame(rows, schema=MESSAGE_LOG, orient="row").sort("time_ms", maintain_order=True)
