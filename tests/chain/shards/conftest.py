"""Frames for the tests of shards."""

from __future__ import annotations

import polars as pl
import pytest

from gridlab.chain.ledger import TRANSFERS


@pytest.fixture(scope="session")
def pay():
    """Make a frame of (id, payer, payee, amount) or (id, payer, payee, amount, asset)."""
    schema = {column.name: column.dtype for column in TRANSFERS.columns if column.required}

    def make(*rows):
        full = [(*row[:3], row[4] if len(row) > 4 else "WATT", row[3], "transfer") for row in rows]
        return pl.DataFrame(full, schema=schema, orient="row")

    return make


@pytest.fixture(scope="session")
def make_homes():
    """Make the frame of homes of a list of shard names."""

    def make(*shards):
        return pl.DataFrame({"account": range(len(shards)), "shard": list(shards)})

    return make
