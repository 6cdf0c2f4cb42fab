"""Small labs and their runs, shared by the tests of this room, each of which leaves the session speaking English."""

from __future__ import annotations

import polars as pl
import pytest

import gridlab as gl
from gridlab.chain import ConsortiumChain, keys

PROSUMERS = 60


@pytest.fixture(autouse=True)
def english():
    gl.config(language="en")
    yield
    gl.config(language="en")


@pytest.fixture
def thai(english):
    gl.config(language="th")


@pytest.fixture
def lab():
    return gl.Lab.thailand(prosumers=PROSUMERS)


@pytest.fixture(scope="session")
def day_run():
    return gl.Lab.thailand(prosumers=PROSUMERS).run(hours=24, progress=False)


@pytest.fixture(scope="session")
def night_run():
    """Two hours in which the sun does not shine: nothing is offered, nothing trades."""
    run = gl.Lab.thailand(prosumers=PROSUMERS).run(hours=2, progress=False)
    assert run.trades.height == 0
    return run


@pytest.fixture(scope="session")
def days_run():
    """Two and a half days of a market that pays as bid."""
    return gl.Lab.thailand(prosumers=PROSUMERS).set({"market.rule": "pay_as_bid"}).run(hours=60, progress=False)


@pytest.fixture(params=["day_run", "night_run", "days_run"])
def any_run(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def new_chain():
    """Make a chain of a bank, an issuer and a trader, with 21 validators unless another ordering is given."""

    def make(**options):
        names, roles = ("bank", "issuer", "trader"), ("reserve_bank", "watt_issuer", "trader")
        members = {
            "account": [0, 1, 2],
            "name": names,
            "role": roles,
            "public_key": [keys.sandbox(0, name).public_key for name in names],
        }
        return ConsortiumChain(pl.DataFrame(members), **options)

    return make


@pytest.fixture
def chain(new_chain):
    return new_chain()
