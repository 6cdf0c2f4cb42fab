import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import keys, merkle
from gridlab.chain.account_tree import AccountTree, account_leaves, licences_of
from gridlab.chain.ledger import Ledger
from gridlab.chain.members import Members

ROLES = ["watt_issuer", "regulator", *["trader"] * 5]
MEMBERS = Members.of(
    pl.DataFrame(
        {
            "account": range(7),
            "name": [f"member {number}" for number in range(7)],
            "role": ROLES,
            "public_key": [keys.sandbox(4, f"member {number}").public_key for number in range(7)],
        }
    )
)


def plain_root(members, nonces, ledger, registers):
    return merkle.root([*account_leaves(licences_of(members), nonces, ledger), *registers], hash="blake2b-256")


def test_a_leaf_is_what_the_ledger_says_and_then_key_role_licence_kyc_and_nonce():
    ledger, nonces = Ledger(7), np.arange(7, dtype=np.uint64)
    leaves = account_leaves(licences_of(MEMBERS), nonces, ledger)
    expected = ledger.leaves()[2] + MEMBERS.frame["public_key"][2] + bytes([0, 1, 0]) + (2).to_bytes(8, "little")
    assert leaves[2] == expected
    assert account_leaves(licences_of(MEMBERS), nonces, ledger, np.array([5, 2])) == [leaves[5], leaves[2]]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_the_tree_of_any_later_state_has_the_root_of_its_leaves(data):
    members, nonces, ledger = MEMBERS, np.zeros(7, np.uint64), Ledger(7, issuers={"WATT": [0]})
    tree = AccountTree(members, nonces, ledger, [])
    first = tree.root
    for step in range(data.draw(st.integers(1, 4))):
        ledger = ledger.fork()
        for credit in data.draw(st.lists(st.integers(1, len(members) - 1), max_size=4)):
            row = {"transfer_id": [ledger.next_id(0)], "debit_account": [0], "credit_account": [credit]}
            ledger.apply(pl.DataFrame(row | {"asset": ["WATT"], "amount": [step + 1], "code": ["mint"]}))
        nonces = nonces.copy()
        nonces[data.draw(st.lists(st.integers(0, len(members) - 1), max_size=3))] += np.uint64(1)
        if data.draw(st.booleans()):
            added = members.frame.tail(1).with_columns(
                account=pl.lit(len(members), dtype=pl.UInt32),
                name=pl.lit(f"member {len(members)}"),
                public_key=pl.lit(keys.sandbox(4, f"member {len(members)}").public_key),
            )
            members = members.changed(added)
            nonces = np.pad(nonces, (0, 1))
            ledger.grow(len(members))
        registers = [bytes([step, number]) for number in range(data.draw(st.integers(0, 3)))]
        later = tree.after(members, nonces, ledger, registers)
        assert later.root == plain_root(members, nonces, ledger, registers)
        tree = later
        # What the state does after its tree was made must not reach the tree.
        nonces = nonces.copy()
    assert AccountTree(MEMBERS, np.zeros(7, np.uint64), Ledger(7), []).root == first
    assert "accounts" in repr(tree)


def test_a_tree_keeps_what_it_was_made_of_while_the_state_goes_on():
    nonces, ledger = np.zeros(7, np.uint64), Ledger(7, issuers={"WATT": [0]})
    tree = AccountTree(MEMBERS, nonces, ledger, [b"x"])
    before = tree.root
    nonces[3] = 9
    row = {"transfer_id": [1], "debit_account": [0], "credit_account": [4], "asset": ["WATT"], "amount": [5]}
    ledger.apply(pl.DataFrame(row | {"code": ["mint"]}))
    assert tree.after(MEMBERS, nonces, ledger, [b"x"]).root == plain_root(MEMBERS, nonces, ledger, [b"x"]) != before
    assert tree.root == before
