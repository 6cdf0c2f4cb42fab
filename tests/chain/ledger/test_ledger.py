import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.chain import ledger
from gridlab.chain.ledger import Applied, Ledger
from gridlab.errors import ArgumentError, ArgumentTypeError, FrameError, LedgerError

ACCOUNTS = 5
ASSET_NAMES = list(ledger.ASSETS.categories)
ISSUERS = {"WATT": [0], "THB": [1]}
NAMES = [column.name for column in ledger.TRANSFERS.columns if column.required]


class RefusedError(Exception):
    pass


class RowByRow:
    """The ledger's promises, one row after another and with nothing clever."""

    def __init__(self, *, backed):
        self.balances = {(account, asset): 0 for account in range(ACCOUNTS) for asset in ("WATT", "THB")}
        self.seen = {}
        self.backed = backed

    def circulation(self, asset):
        return -self.balances[ISSUERS[asset][0], asset]

    def apply(self, rows):
        before = dict(self.balances), dict(self.seen)
        try:
            return sum(self.one(*row) for row in rows)
        except RefusedError:
            self.balances, self.seen = before
            raise

    def one(self, number, debit, credit, asset, amount, code):
        if amount <= 0 or debit == credit or debit >= ACCOUNTS or credit >= ACCOUNTS:
            raise RefusedError
        fields = (debit, credit, asset, amount, code)
        if number in self.seen:
            if self.seen[number] != fields:
                raise RefusedError
            return 0
        self.balances[debit, asset] -= amount
        self.balances[credit, asset] += amount
        if self.balances[debit, asset] < 0 and debit not in ISSUERS[asset]:
            raise RefusedError
        if self.backed and self.circulation("WATT") > self.circulation("THB"):
            raise RefusedError
        self.seen[number] = fields
        return 1


def transfers(*rows):
    plain = dict(zip(NAMES, zip(*rows, strict=True), strict=True)) if rows else {name: [] for name in NAMES}
    schema = {name: pl.String if name in ("asset", "code") else pl.Int64 for name in NAMES}
    return pl.DataFrame({name: list(values) for name, values in plain.items()}, schema=schema)


ROW = st.tuples(
    st.integers(0, 12),
    st.integers(0, ACCOUNTS - 1),
    st.integers(0, ACCOUNTS - 1),
    st.sampled_from(["WATT", "WATT", "THB"]),
    st.integers(1, 5),
    st.sampled_from(["energy", "energy", "fee"]),
)
VALID_ROW = st.tuples(
    st.integers(0, 10_000),
    st.integers(0, ACCOUNTS - 1),
    st.integers(0, ACCOUNTS - 1),
    st.just("WATT"),
    st.integers(1, 5),
    st.just("energy"),
).filter(lambda row: row[1] != row[2])


@pytest.mark.parametrize("row", [ROW, VALID_ROW])
@pytest.mark.parametrize("backed", [False, True])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_batches_give_what_rows_one_by_one_give(row, backed, data):
    slow = RowByRow(backed=backed)
    fast = Ledger(ACCOUNTS, issuers=ISSUERS, backing={"WATT": "THB"} if backed else None)
    deposits = [(10_001, 1, 0, "THB", 30, "reserve"), *((20_000 + n, 0, n, "WATT", 6, "mint") for n in (1, 2, 3))]
    batches = [deposits, *data.draw(st.lists(st.lists(row, max_size=8), max_size=4))]
    for batch in batches:
        try:
            expected = slow.apply(batch)
        except RefusedError:
            before = fast.balances, fast.transfers
            with pytest.raises(LedgerError):
                fast.apply(transfers(*batch))
            assert fast.balances.equals(before[0])
            assert fast.transfers.equals(before[1])
        else:
            assert fast.apply(transfers(*batch)) == Applied(expected, len(batch) - expected)
        assert {key: fast.balance(*key) for key in slow.balances} == slow.balances
        assert fast.balances.select("WATT", "THB").sum().row(0) == (0, 0)
        assert fast.circulation("WATT") == slow.circulation("WATT")
        assert sorted(fast.transfers["transfer_id"].to_list()) == sorted(slow.seen)


@pytest.fixture
def book():
    book = Ledger(ACCOUNTS, issuers=ISSUERS)
    book.apply(transfers((1, 0, 2, "WATT", 100, "mint"), (2, 0, 3, "WATT", 50, "mint")))
    return book


def test_an_overdraft_on_the_way_counts_even_if_a_later_row_fills_it(book):
    pays, fills = (3, 4, 2, "WATT", 10, "energy"), (4, 3, 4, "WATT", 10, "energy")
    with pytest.raises(LedgerError, match=r"pays more than it holds[\s\S]*│ 0 "):
        book.apply(transfers(pays, fills))
    assert book.apply(transfers(fills, pays)) == Applied(2, 0)


def test_an_error_shows_every_row_that_overdraws(book):
    existing = (7, 2, 3, "WATT", 1, "energy")
    book.apply(transfers(existing))
    rows = [existing, (3, 2, 3, "WATT", 90, "energy"), (4, 2, 3, "WATT", 10, "energy"), (5, 4, 3, "WATT", 7, "fee")]
    with pytest.raises(LedgerError) as caught:
        book.apply(transfers(*rows))
    lines = [line.split("┆")[0].strip("│ ") for line in str(caught.value).splitlines() if line.startswith("│")]
    assert lines == ["row", "---", "u32", "2", "3"]


def test_a_transfer_sent_twice_moves_money_once(book):
    row = (9, 2, 3, "WATT", 5, "energy")
    assert book.apply(transfers(row)) == Applied(1, 0)
    assert book.apply(transfers(row)) == Applied(0, 1)
    assert book.apply(transfers(row, row, (10, 2, 3, "WATT", 1, "fee"))) == Applied(1, 2)
    assert book.balance(3, "WATT") == 56


@pytest.mark.parametrize(
    ("field", "row"),
    [
        ("debit_account", (9, 3, 4, "WATT", 5, "energy")),
        ("credit_account", (9, 2, 1, "WATT", 5, "energy")),
        ("asset", (9, 2, 4, "THB", 5, "energy")),
        ("amount", (9, 2, 4, "WATT", 6, "energy")),
        ("code", (9, 2, 4, "WATT", 5, "fee")),
    ],
)
def test_the_same_id_with_another_field_is_an_error_that_names_the_field(book, field, row):
    first = (9, 2, 4, "WATT", 5, "energy")
    with pytest.raises(LedgerError, match=f"exists already with another {field}"):
        book.fork().apply(transfers(first, row))
    book.apply(transfers(first))
    with pytest.raises(LedgerError, match=f"exists already with another {field}"):
        book.apply(transfers(row))


def test_an_id_belongs_to_its_sender(book):
    row, other = (9, 2, 3, "WATT", 5, "energy"), (9, 2, 4, "WATT", 6, "fee")
    assert book.apply(transfers(row), sender=2) == Applied(1, 0)
    assert book.apply(transfers(other), sender=3) == Applied(1, 0)
    assert book.apply(transfers(row), sender=2) == Applied(0, 1)
    assert book.transfers["sender"].to_list() == [0, 0, 2, 3]
    with pytest.raises(LedgerError, match="exists already"):
        book.apply(transfers(other), sender=2)


def test_ids_out_of_order_are_found_again(book):
    for number in (500, 100, 300, 200, 400):
        book.apply(transfers((number, 2, 3, "WATT", 1, "energy")))
    again = [(number, 2, 3, "WATT", 1, "energy") for number in (300, 150, 500, 100)]
    assert book.apply(transfers(*again)) == Applied(1, 3)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((3, 2, 3, "WATT", 0, "energy"), "not more than 0"),
        ((3, 2, 3, "WATT", -5, "energy"), "not more than 0"),
        ((3, 2, 2, "WATT", 5, "energy"), "pays itself"),
        ((3, 2, 5, "WATT", 5, "energy"), "does not exist, allowed: 0 … 4"),
        ((3, 4_000_000_000, 2, "WATT", 5, "energy"), "does not exist"),
        ((3, 2, 3, "THB", 5, "energy"), "pays more than it holds"),
        ((3, 1, 3, "WATT", 5, "energy"), "pays more than it holds"),
    ],
)
def test_rows_that_break_a_rule_are_refused_and_shown(book, row, message):
    before = book.balances
    with pytest.raises(LedgerError, match=message) as caught:
        book.apply(transfers((2_000, 2, 3, "WATT", 1, "energy"), row))
    assert "│ 1 " in str(caught.value)
    assert "│ 0 " not in str(caught.value)
    assert book.balances.equals(before)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((3, 2, 3, "GOLD", 5, "energy"), "allowed: one of"),
        ((3, 2, 3, "WATT", 5, "bribe"), "allowed: one of"),
        ((-1, 2, 3, "WATT", 5, "energy"), "transfer_id"),
        ((3, -2, 3, "WATT", 5, "energy"), "debit_account"),
        ((3, 2, 2**32, "WATT", 5, "energy"), "credit_account"),
        ((3, 2, 3, None, 5, "energy"), "nulls"),
    ],
)
def test_values_that_do_not_fit_the_schema_are_frame_errors(book, row, message):
    with pytest.raises(FrameError, match=message):
        book.apply(transfers(row))


def test_amounts_that_int64_cannot_count_are_refused_before_anything_wraps():
    book = Ledger(4, issuers={"WATT": [0, 3]})
    largest = 2**63 - 1
    halves = [(1, 0, 1, "WATT", 2**62, "mint"), (2, 3, 2, "WATT", 2**62, "mint")]
    with pytest.raises(LedgerError, match="more than Int64 counts"):
        book.apply(transfers(*halves))
    book.apply(transfers((1, 0, 1, "WATT", largest, "mint")))
    assert book.circulation("WATT") == largest
    with pytest.raises(LedgerError, match="what circulates would be more than Int64 counts"):
        book.apply(transfers((3, 3, 2, "WATT", 1, "mint")))
    back_and_forth = [(10 + number, 1 + number % 2, 2 - number % 2, "WATT", largest, "energy") for number in range(5)]
    assert book.apply(transfers(*back_and_forth)) == Applied(5, 0)
    assert (book.balance(1, "WATT"), book.balance(2, "WATT")) == (0, largest)


def test_no_more_watt_circulates_than_baht_back_it():
    book = Ledger(ACCOUNTS, issuers=ISSUERS, backing={"WATT": "THB"})
    mint = (2, 0, 2, "WATT", 80, "mint")
    with pytest.raises(LedgerError, match=r"more WATT would circulate than THB backs it \(0 are free"):
        book.apply(transfers(mint))
    book.apply(transfers((1, 1, 0, "THB", 100, "reserve"), mint))
    with pytest.raises(LedgerError, match=r"20 are free"):
        book.apply(transfers((3, 0, 1, "THB", 21, "redeem")))
    with pytest.raises(LedgerError, match=r"20 are free"):
        book.apply(transfers((4, 0, 1, "THB", 30, "redeem"), (5, 2, 0, "WATT", 30, "redeem")))
    assert book.apply(transfers((5, 2, 0, "WATT", 30, "redeem"), (4, 0, 1, "THB", 50, "redeem"))) == Applied(2, 0)


def test_the_error_names_the_pair_whose_backing_is_short():
    book = Ledger(3, issuers={"WATT": [0], "THB": [0], "GRID": [0]}, backing={"WATT": "THB", "GRID": "WATT"})
    book.apply(transfers((1, 0, 1, "THB", 10, "reserve"), (2, 0, 1, "WATT", 10, "mint"), (3, 0, 1, "GRID", 4, "mint")))
    with pytest.raises(LedgerError, match=r"more WATT would circulate than THB backs it \(0 are free"):
        book.apply(transfers((4, 0, 1, "WATT", 1, "mint")))
    with pytest.raises(LedgerError, match=r"more GRID would circulate than WATT backs it \(6 are free"):
        book.apply(transfers((4, 1, 0, "WATT", 7, "redeem")))


def test_a_fork_does_not_reach_its_origin(book):
    fork = book.fork()
    fork.grow(9)
    fork.declare_issuer(8, "WATT")
    fork.apply(transfers((7, 8, 4, "WATT", 1, "mint")))
    assert (len(book), book.balance(4, "WATT"), book.transfers.height) == (ACCOUNTS, 0, 2)
    assert (len(fork), fork.balance(4, "WATT"), fork.transfers.height) == (9, 1, 3)
    assert not book.is_issuer(4, "WATT")
    assert fork.is_issuer(8, "WATT")


def test_the_root_is_the_one_over_leaves_written_by_hand(book):
    from gridlab.chain import merkle

    leaves = [
        account.to_bytes(4, "little")
        + b"".join(book.balance(account, asset).to_bytes(8, "little", signed=True) for asset in ASSET_NAMES)
        + b"".join(book.reserved(account, asset).to_bytes(8, "little") for asset in ASSET_NAMES)
        for account in range(ACCOUNTS)
    ]
    assert book.leaves() == leaves
    assert book.leaf_bytes(np.array([3, 1])) == [leaves[3], leaves[1]]
    assert book.root == merkle.root([*leaves, book.commitment], hash="blake2b-256")
    before = book.root
    book.apply(transfers((3, 2, 3, "WATT", 1, "energy")))
    assert book.root != before


def test_transfers_come_back_as_they_were_applied(book):
    row = (7, 2, 3, "WATT", 3, "fee")
    book.apply(transfers(row))
    assert book.transfers.row(2) == (*row, "single", 0, 0, False, 0, 3)
    assert ledger.TRANSFERS.check(book.transfers).equals(book.transfers)
    assert book.apply(book.transfers) == Applied(0, 3)


def test_an_empty_batch_and_an_empty_ledger_are_fine(book):
    assert book.apply(transfers()) == Applied(0, 0)
    empty = Ledger(0)
    assert empty.apply(transfers()) == Applied(0, 0)
    assert empty.balances.height == 0
    with pytest.raises(LedgerError, match="does not exist"):
        empty.apply(transfers((1, 0, 1, "WATT", 1, "energy")))


def test_lazy_frames_are_taken(book):
    assert book.apply(transfers((7, 2, 3, "WATT", 3, "fee")).lazy()) == Applied(1, 0)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda book: book.apply([1]), ArgumentTypeError),
        (lambda book: book.apply(transfers(), sender="2"), ArgumentTypeError),
        (lambda book: book.apply(transfers(), sender=-1), ArgumentError),
        (lambda book: book.balance("2", "WATT"), ArgumentTypeError),
        (lambda book: book.balance(2, 0), ArgumentTypeError),
        (lambda book: book.balance(2, "WAT"), ArgumentError),
        (lambda book: book.balance(5, "WATT"), ArgumentError),
        (lambda book: book.balance(-1, "WATT"), ArgumentError),
        (lambda book: book.circulation("GOLD"), ArgumentError),
        (lambda book: book.grow(1), ArgumentError),
        (lambda _: Ledger("3"), ArgumentTypeError),
        (lambda _: Ledger(-1), ArgumentError),
        (lambda _: Ledger(1, issuers={"WATT": [1]}), ArgumentError),
        (lambda _: Ledger(1, backing={"WATT": "GOLD"}), ArgumentError),
        (lambda _: Ledger(1, backing=["WATT"]), ArgumentTypeError),
        (lambda _: Ledger(1, issuers={"WATT": 0}), ArgumentTypeError),
    ],
)
def test_calls_that_make_no_sense_are_errors(book, call, error):
    with pytest.raises(error, match=r"allowed|did you mean|expected"):
        call(book)
