"""Random batches of every kind give, whichever way they are applied, what the rows give one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridlab.chain.ledger import ASSETS, Applied, Ledger
from gridlab.errors import LedgerError
from tests.chain.ledger.reference import LARGEST, RowByRow, codes

ACCOUNTS = 5
ISSUERS = {"WATT": [0, 4], "THB": [1]}
SENDERS = [0, 3, 2**32 - 1]
ASSET_NAMES = ASSETS.categories.to_list()


def rows(amounts, accounts=ACCOUNTS):
    """Rows of all phases; about half of them are well-formed by themselves."""
    return st.fixed_dictionaries(
        {
            "transfer_id": st.integers(0, 9),
            "debit_account": st.integers(0, accounts),
            "credit_account": st.integers(0, accounts),
            "asset": st.sampled_from(["WATT", "WATT", "WATT", "THB"]),
            "amount": amounts,
            "code": st.sampled_from(["energy", "energy", "energy", "fee"]),
            "phase": st.sampled_from(["single", "single", "pending", "pending", "post", "void"]),
            "pending_id": st.integers(0, 9),
            "timeout": st.sampled_from([0, 0, 3, 10]),
            "linked": st.sampled_from([False, False, False, True]),
        }
    )


@st.composite
def sound_rows(draw, amounts):
    """Rows that name what fits: small amounts, one asset, pending ids of rows before them with the same accounts."""
    batch = []
    for number in range(draw(st.integers(0, 10))):
        row = draw(rows(amounts, ACCOUNTS - 1)) | {"transfer_id": draw(st.integers(0, 40)), "asset": "WATT"}
        waiting = [each for each in batch if each["phase"] == "pending"]
        if row["phase"] in {"post", "void"} and waiting:
            pending = draw(st.sampled_from(waiting))
            row["pending_id"] = pending["transfer_id"]
            row["amount"] = draw(st.sampled_from([0, 1, pending["amount"]]))
            row |= {side: pending[side] for side in ("debit_account", "credit_account")}
        elif row["phase"] in {"post", "void"}:
            row["phase"] = "single"
        row["amount"] += row["phase"] in {"single", "pending"} and row["amount"] <= 0
        row["pending_id"] *= row["phase"] in {"post", "void"}
        row["timeout"] *= row["phase"] == "pending"
        row["linked"] = row["linked"] and number < 9
        batch.append(row)
    return batch


SMALL = st.integers(-1, 6)
HUGE = st.sampled_from([0, 1, 5, 2**61, 2**62, LARGEST - 1, LARGEST])
BATCHES = {
    "any small": st.lists(rows(SMALL), max_size=10),
    "sound": sound_rows(SMALL),
    "sound and huge": sound_rows(HUGE),
}
EVENT = st.sampled_from(["apply", "apply", "each", "each", "each", "expire", "limit", "issuer", "reopen"])


def assert_same(fast, slow):
    posted, reserved = fast.balances, fast.reservations
    for asset in ASSET_NAMES:
        accounts = range(ACCOUNTS)
        assert posted[asset].to_list() == [slow.balance(account, asset) for account in accounts]
        assert reserved[asset].to_list() == [slow.reserved(account, asset) for account in accounts]
        assert [fast.incoming(account, asset) for account in accounts] == [
            slow.incoming(account, asset) for account in accounts
        ]
        assert all(fast.available(account, asset) >= 0 or fast.is_issuer(account, asset) for account in accounts)
        assert fast.circulation(asset) == slow.circulation(asset)
        assert sum(posted[asset].to_list()) == 0
    transfers, pending = fast.transfers, fast.pending
    assert dict(zip(transfers.select("sender", "transfer_id").rows(), transfers["moved"], strict=True)) == slow.moved
    assert dict(zip(pending.select("sender", "transfer_id").rows(), pending["expires"], strict=True)) == slow.open


def apply_whole(fast, slow, frame, batch, data, now):
    sender = data.draw(st.sampled_from(SENDERS))
    before = fast.to_bytes()
    new = slow.apply(batch, sender, now)
    if new is None:
        with pytest.raises(LedgerError):
            fast.apply(frame, sender=sender, now=now)
        assert fast.to_bytes() == before
    else:
        assert fast.apply(frame, sender=sender, now=now) == Applied(new, len(batch) - new)


def apply_rows(fast, slow, frame, batch, data, now):
    senders = [data.draw(st.sampled_from(SENDERS)) for _ in batch]
    results = fast.apply_each(frame, np.array(senders, np.uint32), now=now)
    assert results.codes.tolist() == codes(slow.apply_each(batch, senders, now))


@pytest.mark.parametrize("kind", BATCHES)
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_batches_give_what_rows_one_by_one_give(way, kind, make_transfers, data):
    backing = data.draw(st.sampled_from([None, {"WATT": "THB"}]))
    fast = Ledger(ACCOUNTS, issuers=ISSUERS, backing=backing)
    slow = RowByRow(ACCOUNTS, issuers=ISSUERS, backing=backing)
    start = [
        {"transfer_id": 100, "debit_account": 1, "credit_account": 0, "asset": "THB", "amount": 30},
        {"transfer_id": 101, "debit_account": 0, "credit_account": 2, "amount": 9},
        {"transfer_id": 102, "debit_account": 0, "credit_account": 3, "amount": 9},
    ]
    plain = make_transfers(start)
    assert fast.apply(plain, sender=9) == Applied(3, 0)
    assert slow.apply(plain.to_dicts(), 9, 0) == 3
    now = 0
    for event in data.draw(st.lists(EVENT, max_size=7)):
        now += data.draw(st.integers(0, 4))
        place = data.draw(st.integers(0, ACCOUNTS - 1)), "WATT"
        if event in {"apply", "each"}:
            batch = data.draw(BATCHES[kind])
            act = apply_whole if event == "apply" else apply_rows
            act(fast, slow, make_transfers(batch), batch, data, now)
        elif event == "expire":
            assert fast.expire(now) == slow.expire(now)
        elif event == "limit":
            slow.limits[place] = data.draw(st.integers(0, 20))
            fast.set_limit(*place, slow.limits[place])
        elif event == "issuer":
            slow.issuers.add(place)
            fast.declare_issuer(*place)
        else:
            root, written = fast.root, fast.to_bytes()
            fast = Ledger.from_bytes(written)
            assert (fast.root, fast.to_bytes()) == (root, written)
        assert_same(fast, slow)
