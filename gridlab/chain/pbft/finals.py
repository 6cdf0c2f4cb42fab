"""Who made which block final, when, and by whose signatures, as a run's trace tells it."""

from __future__ import annotations

import polars as pl

from gridlab.chain.hashing import hexadecimal
from gridlab.chain.pbft.engine import Engine

__all__ = ["FINALS", "certificate_signers", "finals_frame"]

FINALS = {"height": pl.Int64, "validator": pl.Int64, "hash": pl.String, "final_ms": pl.Float64}


def finals_frame(engine: Engine) -> pl.DataFrame:
    """Return the moment at which each honest validator held each block as final.

    Returns
    -------
    polars.DataFrame
        As `FINALS`, by height and validator; final_ms in virtual milliseconds.
    """
    first = engine.settings.height + 1
    rows = [
        (height, validator, hexadecimal(engine.validators[validator].durable.blocks[height - first].proposal.hash), at)
        for height, times in sorted(engine.final.items())
        for validator, at in sorted(times.items())
    ]
    return pl.DataFrame(rows, schema=FINALS, orient="row")


def certificate_signers(engine: Engine) -> dict[str, tuple[int, ...]]:
    """Return for each final block (``0x…``) whose commit signatures its certificate has, as one validator held it."""
    numbers = engine.settings.numbers
    return {
        hexadecimal(block_hash): tuple(sorted(numbers[key] for key in dict(block.signatures)))
        for _, blocks in sorted(engine.hashes.items())
        for block_hash, block in sorted(blocks.items())
    }
