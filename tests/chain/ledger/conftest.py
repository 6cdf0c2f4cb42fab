"""Every way a batch can be applied, and the making of transfer frames."""

from __future__ import annotations

from importlib.util import find_spec

import polars as pl
import pytest

from gridlab.chain.ledger import TRANSFERS

WAYS = ["at once", "interpreted", *(["compiled"] if find_spec("numba") else [])]


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Apply batches of whatever size in one of the ways: at once where it may be, row by row in Python, or compiled."""
    monkeypatch.setattr("gridlab.chain.ledger.kernels.pays_to_compile", lambda _: request.param == "compiled")
    if request.param == "interpreted":
        monkeypatch.setattr("gridlab.chain.ledger.kernels.apply_at_once", lambda *_: False)
    return request.param


@pytest.fixture(scope="session")
def make_transfers():
    """Return a function that makes a transfer frame of rows given as dicts; what a row leaves out is its default."""
    defaults = {"asset": "WATT", "code": "energy", "phase": "single", "pending_id": 0, "timeout": 0, "linked": False}

    def make(rows):
        schema = {column.name: column.dtype for column in TRANSFERS.columns}
        return pl.DataFrame([defaults | row for row in rows], schema=schema, orient="row")

    return make
