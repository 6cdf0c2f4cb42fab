"""A ledger with two parties, a middleman and a payee, and channels between them."""

from types import SimpleNamespace

import polars as pl
import pytest

from gridlab.chain import keys
from gridlab.chain.channels import ChannelBook, ChannelTerms, PaymentChannel, open_channel
from gridlab.chain.ledger import Ledger
from gridlab.chain.swaps import Stops

MINUTE = 60_000_000
PAIRS = tuple(keys.sandbox(11, name) for name in ("meter", "seller", "payee"))
TERMS = ChannelTerms(dispute_window=10, longest_lock=30)


def funded(amount=1_000):
    ledger = Ledger(4, issuers={"WATT": [0]})
    names = ("transfer_id", "debit_account", "credit_account", "asset", "amount", "code")
    rows = [dict(zip(names, (who, 0, who, "WATT", amount, "mint"), strict=True)) for who in (1, 2, 3)]
    ledger.apply(pl.DataFrame(rows))
    return ledger


def channel_of(book, ledger, sides=(0, 1), deposits=(800, 100), now=0):
    pairs = [PAIRS[side] for side in sides]
    accounts = tuple(side + 1 for side in sides)
    book, channel = open_channel(book, ledger, pairs, accounts, deposits, terms=TERMS, now=now)
    return book, PaymentChannel(book.chain, channel, pairs, book[channel])


@pytest.fixture
def make():
    """The makers above, as a fixture because test files do not import each other."""
    return SimpleNamespace(
        funded=funded, channel_of=channel_of, pairs=PAIRS, terms=TERMS, minute=MINUTE, running=Stops()
    )


@pytest.fixture
def opened(make):
    """A ledger, a book with one channel of 800 and 100, and that channel."""
    ledger = funded()
    book, channel = channel_of(ChannelBook("chain"), ledger)
    return ledger, book, channel
