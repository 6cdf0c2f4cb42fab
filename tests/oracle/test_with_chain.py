"""From the world to the chain: reports sent, fees paid, an equivocating provider seen, priced and slashed."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from gridlab.chain import ConsortiumChain, PbftOrdering, keys
from gridlab.chain.reports import REPORTS
from gridlab.errors import ArgumentError
from gridlab.oracle import Oracle
from gridlab.oracle.scores import fee_transfers

ROLES = ["reserve_bank", "watt_issuer", "market_operator", "regulator", "oracle", "treasury"]
STAKES = range(6, 21)  # accounts in which the fifteen stakes lie


def transfers(*rows):
    names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
    return pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows])


@pytest.fixture
def chain():
    names = [*ROLES, *(f"stake {number}" for number in range(15))]
    members = pl.DataFrame(
        {
            "account": range(21),
            "name": names,
            "role": [*ROLES, *["oracle"] * 15],
            "public_key": [keys.sandbox(1, name).public_key for name in names],
            "active": [True] * 6 + [False] * 15,
        }
    )
    return ConsortiumChain(members, ordering=PbftOrdering.of(4))


def test_a_lying_oracle_is_seen_priced_and_slashed_on_the_chain(chain, world, start):
    oracle = Oracle(stake=1_000.0, slash=40.0, data_fee=1.0, liars=3, lie="colluding").bribe(9, "equivocating")
    run = oracle.run(world(rounds=8), seed=5)

    def send(role, kind, frame):
        chain.send(keys.sandbox(1, role), kind, frame)

    total = 15 * 10**9 + 10**9
    send("reserve_bank", "reserve", transfers((1, 0, 1, "THB", total, "reserve")))
    minted = [(2 + place, 1, account, "WATT", 10**9, "mint") for place, account in enumerate((2, *STAKES))]
    send("watt_issuer", "mint", transfers(*minted))
    send("regulator", "oracle_providers", oracle.appointment(list(STAKES), seed=5))
    for slot in range(8):
        since = start + timedelta(minutes=15 * slot)
        send("oracle", "oracle_report", run.transactions(since, since + timedelta(minutes=15)))
    send("treasury", "oracle_evidence", run.evidence)
    paid = fee_transfers(run.scores, 2, list(STAKES), first_id=100)
    send("market_operator", "settlement", paid)
    block = chain.seal(datetime(2026, 4, 2))
    assert [receipt.reason for receipt in block.receipts if not receipt.accepted] == []

    newest = run.reports.group_by("feed").last().sort("feed")
    assert chain.reports.equals(newest.select(column.name for column in REPORTS.columns))
    assert chain.oracle_providers.struck == (9,)
    ledger = chain.ledger
    held = [ledger.balance(account, "WATT") for account in STAKES]
    assert held[9] == 600_000_000 == run.scores["stake"][9]
    assert ledger.balance(5, "WATT") == 400_000_000 == run.scores["slashed"][9]
    assert held[:3] == [10**9] * 3  # a lie that is not two values costs fees and reputation, no stake
    assert [amount - 10**9 for amount in held[10:]] == run.scores["fees"][10:].to_list()
    assert 10**9 - ledger.balance(2, "WATT") == run.scores["fees"].sum() == run.reports.height * 1_000_000
    assert ledger.circulation("WATT") == total
    assert chain.replay().fingerprint == chain.fingerprint


def test_fees_need_an_account_for_each_provider(world):
    scores = Oracle(liars=6, lie="silent").run(world(rounds=2), sign=False).scores
    assert fee_transfers(scores, 0, list(STAKES)).is_empty()
    with pytest.raises(ArgumentError, match="accounts are 3"):
        fee_transfers(scores, 0, [1, 2, 3])


def test_the_feeds_of_the_table_have_bounds_unless_others_are_given():
    assert Oracle().bounds_of("weather/temperature/Khon Kaen") == (-1_000, 5_500)
    assert Oracle().bounds_of("price/neighbour/Laos") is not None
    assert Oracle().bounds_of("something/else") is None
    assert Oracle(bounds={}).bounds_of("load/NEC") is None
    assert Oracle(bounds={"a/": (0, 9), "a/b/": (1, 8), "a/b/c": (2, 7)}).bounds_of("a/b/c") == (2, 7)
