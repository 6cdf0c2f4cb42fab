"""However the accounts are divided and whatever the messengers do: the same results and balances as one ledger."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain.ledger import Ledger
from gridlab.chain.shards import AbsenceLetter, ParcelLetter, ReceiptLetter, ShardedLedger
from tests.chain.shards.one_ledger import OneLedger

ISSUERS = {"WATT": [0], "THB": [1]}
BACKING = {"WATT": "THB"}
ACCOUNTS = 8
TIMEOUT = 10

ROWS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.integers(0, ACCOUNTS),
        st.integers(0, ACCOUNTS),
        st.integers(0, 9),
        st.sampled_from(["WATT", "WATT", "WATT", "THB"]),
    ),
    max_size=8,
)
FUNDS = [
    (100, 1, 0, 30, "THB"),
    *((100 + account, 1, account, 12, "THB") for account in (3, 5)),
    *((100 + account, 0, account, 6, "WATT") for account in range(2, 7)),
]
DIVISIONS = st.lists(st.sampled_from(["MEA", "N1", "C1", "S3"]), min_size=ACCOUNTS, max_size=ACCOUNTS)


def assert_same(sharded, one):
    for frame, other in ((sharded.balances, one.book.balances), (sharded.reservations, one.book.reservations)):
        assert frame.equals(other.head(ACCOUNTS))
    supply = sharded.supply
    assert supply["circulating"].to_list() == (supply["held"] + supply["in_flight"]).to_list()


def follow(sharded, one, letters, refused):
    """Let the reference do what the letters that were believed do: first what closes, then what arrives."""
    believed = [each for place, each in enumerate(letters) if place not in set(refused["letter"])]
    named = [(each, (sharded.names[each.key[0]], sharded.names[each.key[1]], each.key[2])) for each in believed]
    for each, parcel in named:
        if isinstance(each, ReceiptLetter):
            one.close(parcel, [result == "ok" for result in one.answers[parcel]])
        elif isinstance(each, AbsenceLetter):
            one.close(parcel, [False] * len(one.waiting[parcel]))
    # Shards do not see each other within a block, so it is enough that each one's letters keep their order.
    for each, parcel in named:
        if isinstance(each, ParcelLetter):
            one.arrive(parcel)


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_results_and_balances_are_those_of_one_ledger_whatever_messengers_do(pay, make_homes, data):
    division = data.draw(DIVISIONS)
    sharded = ShardedLedger(make_homes(*division), issuers=ISSUERS, backing=BACKING, timeout=TIMEOUT)
    one = OneLedger([sharded.home(account) for account in range(ACCOUNTS)], ISSUERS, BACKING)
    seen, now = [], 0
    for number in range(data.draw(st.integers(1, 8))):
        rows = FUNDS if number == 0 else data.draw(ROWS)
        now += data.draw(st.sampled_from([0, 0, 1, 6]))
        if data.draw(st.booleans()):
            account, bound = data.draw(st.integers(2, ACCOUNTS - 1)), data.draw(st.sampled_from([0, 7, None]))
            sharded.set_limit(account, "WATT", bound)
            one.book.set_limit(account, "WATT", bound)
        seen += [each for each in sharded.letters if each not in seen]
        seen += [sharded.absence(each.key) for each in sharded.letters if isinstance(each, ParcelLetter)]
        letters = data.draw(st.lists(st.sampled_from(seen), max_size=6)) if seen else []
        frame = pay(*rows)
        block = sharded.apply_each(frame, now=now, deliver=letters)
        follow(sharded, one, letters, block.refused)
        assert block.results.names.to_list() == one.block(frame.to_dicts())
        assert_same(sharded, one)
        for parcel, answers in one.answers.items():
            if parcel in one.waiting:
                key = (sharded.names.index(parcel[0]), sharded.names.index(parcel[1]), parcel[2])
                letter = next(each for each in sharded.letters if each.key == key)
                assert (letter.receipt.codes == 0).tolist() == [answer == "ok" for answer in answers]
    sharded.settle(now=now + TIMEOUT)
    assert sharded.in_flight.is_empty()
    assert sharded.reservations.select(pl.all().exclude("account").sum()).row(0) == (0,) * 5


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_settling_balances_are_those_of_a_plain_ledger_given_what_was_not_refused(pay, make_homes, data):
    sharded = ShardedLedger(make_homes(*data.draw(DIVISIONS)), issuers=ISSUERS)
    plain = Ledger(ACCOUNTS, issuers=ISSUERS)
    refused = 0
    for rows in [FUNDS, *data.draw(st.lists(ROWS, max_size=6))]:
        frame = pay(*rows)
        accepted = frame.filter(pl.Series(sharded.apply_each(frame).results.accepted))
        refused += frame.height - accepted.height
        results = plain.apply_each(accepted, accepted["debit_account"].to_numpy())
        assert results.accepted.all()
    sharded.settle()
    assert sharded.refunds.is_empty()
    assert sharded.balances.equals(plain.balances)


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_without_traffic_between_blocks_the_same_rows_are_refused_as_by_a_plain_ledger(pay, make_homes, data):
    """Where everything settles between blocks and nobody spends in a block what arrives in it."""
    sharded = ShardedLedger(make_homes(*data.draw(DIVISIONS)), issuers=ISSUERS)
    plain = Ledger(ACCOUNTS, issuers=ISSUERS)
    for rows in [FUNDS, *data.draw(st.lists(ROWS, max_size=6))]:
        receivers = {row[2] for row in rows}
        frame = pay(*(row for row in rows if row[1] not in receivers))
        mine = sharded.apply_each(frame).results.names.to_list()
        sharded.settle()
        assert mine == plain.apply_each(frame, frame["debit_account"].to_numpy()).names.to_list()
        assert sharded.balances.equals(plain.balances)


@pytest.mark.parametrize("shards", [1, 3])
def test_ids_that_come_again_in_a_block_are_judged_when_the_first_is(pay, make_homes, shards):
    names = ["MEA", "N1", "C1"][:shards]
    homes = [names[account % shards] for account in range(ACCOUNTS)]
    sharded = ShardedLedger(make_homes(*homes), issuers=ISSUERS)
    plain = Ledger(ACCOUNTS, issuers=ISSUERS)
    for frame in (
        pay(*FUNDS),
        # Refused, then possible, then there; another amount; and a payer whose first try comes too early.
        pay((1, 2, 3, 99), (1, 2, 4, 5), (1, 2, 4, 5), (1, 2, 4, 4), (1, 3, 5, 2), (2, 2, 5, 9), (2, 2, 5, 1)),
    ):
        mine = sharded.apply_each(frame).results.names.to_list()
        sharded.settle()
        assert mine == plain.apply_each(frame, frame["debit_account"].to_numpy()).names.to_list()
    assert mine == ["exceeds_balance", "ok", "exists", "exists_with_different_amount", "ok", "exceeds_balance", "ok"]
    assert sharded.balances.equals(plain.balances)
