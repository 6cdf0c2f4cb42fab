"""The keys to lesson 12, "A thousand payments, one transaction", each worked out by paying, cheating and settling.

The payments are those of the default Thai day between one buyer and one roof. Who the two are, their keys, and what a
transaction costs is made up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time
from fractions import Fraction
from functools import cache

import polars as pl

from gridlab import units
from gridlab.chain.channels import ChannelBook, ChannelTerms, PaymentChannel, SignedState, open_channel
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.ledger import Ledger
from gridlab.chain.moments import require_microseconds
from gridlab.chain.swaps import Stops
from gridlab.chain.terms import ChainTerms
from gridlab.errors import ChainError
from gridlab.lab import Lab
from gridlab.learn.answers import Key

__all__ = [
    "CONDO",
    "DEPOSIT",
    "FEE",
    "PEOPLE",
    "PRANEE",
    "PaidDay",
    "clock",
    "earned",
    "key_pair",
    "paid_day",
    "rewritten_state",
    "signatures",
    "sleepy_window",
    "stopped_chain",
    "street",
    "theft",
    "transfer",
]

CONDO, PRANEE = 50, 2  # a condominium in Bangkok and a roof of 6.1 kW, accounts of the lab
FEE, DEPOSIT = 50_000, 40 * units.MICRO  # micro-WATT: of a trader's transaction; what the condominium puts in
# The accounts of a small chain: name -> role; the first four run it.
_ROLES = {"bank": "reserve_bank", "issuer": "watt_issuer", "operator": "market_operator", "regulator": "regulator"}
PEOPLE = (*_ROLES, "condo", "pranee", "coop", "noi")
_PURSE = 100 * units.MICRO  # what each of the others has
_SHOWN = 8  # the old state of question 3
_STOP_HOURS = 5
_HOUR = 3_600_000_000
_MINUTE = _HOUR // 60
_DAY_MINUTES = 1440
_CHAIN, _OTHER_CHAIN = "gridlab-consortium", "gridlab-public"


def key_pair(name: str) -> KeyPair:
    """Return somebody's sandbox key; it guards nothing."""
    return sandbox(12, name)


def clock(hour: str, day: int = 6) -> int:
    """Return a moment of May 2026, Bangkok time, as the chain counts it (microseconds since 1970).

    Parameters
    ----------
    hour : str
        Such as ``"18:30"``.
    day : int
        Of May.
    """
    return require_microseconds("hour", datetime.combine(datetime(2026, 5, day), time.fromisoformat(hour)))  # noqa: DTZ001


def transfer(number: int, payer: str, payee: str, amount: int, code: str = "transfer") -> pl.DataFrame:
    """Return one payment as a frame that the chain takes.

    Parameters
    ----------
    number : int
        Counts the payer's payments.
    payer, payee : str
        Of `PEOPLE`.
    amount : int
        micro-WATT; micro-THB where the reserve bank pays.
    code : str
    """
    row = {"transfer_id": number, "debit_account": PEOPLE.index(payer), "credit_account": PEOPLE.index(payee)}
    return pl.DataFrame([row | {"asset": "THB" if code == "reserve" else "WATT", "amount": amount, "code": code}])


def street(fee: int = FEE, chain_id: str = _CHAIN) -> ConsortiumChain:
    """Return a small chain on which four traders hold 100 WATT each and pay for every transaction.

    Parameters
    ----------
    fee : int
        micro-WATT per transaction.
    chain_id : str
    """
    roles = [_ROLES.get(name, "trader") for name in PEOPLE]
    keys = [key_pair(name).public_key for name in PEOPLE]
    members = pl.DataFrame({"account": range(len(PEOPLE)), "name": PEOPLE, "role": roles, "public_key": keys})
    chain = ConsortiumChain(members, chain_id=chain_id, terms=ChainTerms(fee_per_transaction=fee))
    traders = PEOPLE[len(_ROLES) :]
    chain.send(key_pair("bank"), "reserve", transfer(1, "bank", "issuer", len(traders) * _PURSE, "reserve"))
    minted = pl.concat(transfer(number, "issuer", name, _PURSE, "mint") for number, name in enumerate(traders, start=1))
    chain.send(key_pair("issuer"), "mint", minted)
    chain.seal(clock("07:00"))
    return chain


@cache
def _amounts() -> tuple[int, ...]:
    """Return what the condominium paid the roof on the default day, in the order of the slots (micro-WATT)."""
    trades = Lab.thailand(prosumers=200).day().trades
    return tuple(trades.filter(buyer=CONDO, seller=PRANEE).sort("slot")["amount"])


@dataclass(frozen=True, slots=True)
class PaidDay:
    """A channel after the payments of a day, open on its chain.

    Attributes
    ----------
    ledger : Ledger
    book : ChannelBook
    channel : PaymentChannel
    states : tuple of SignedState
        Version 1 first.
    """

    ledger: Ledger
    book: ChannelBook
    channel: PaymentChannel
    states: tuple[SignedState, ...]

    def cheated(self, shown: int, *, window_minutes: int = _DAY_MINUTES, stops: Stops | None = None) -> int:
        """Close by an old state, wait for the window alone, settle; return what the roof gets (micro-WATT)."""
        closed = clock("20:00")
        running = Stops() if stops is None else stops
        book, _ = self.book.close(self.channel.channel, self.states[shown - 1], closed, running)
        _, record = book.settle(self.ledger.fork(), self.channel.channel, closed + window_minutes * _MINUTE, running)
        return record.outcome()[1]


def paid_day(window: int = _DAY_MINUTES, chain_id: str = _CHAIN) -> PaidDay:
    """Open a channel, make the payments of the day in it, and leave it open.

    Parameters
    ----------
    window : int
        For disputes, minutes.
    chain_id : str
    """
    ledger, pairs = street(chain_id=chain_id).ledger.fork(), [key_pair("condo"), key_pair("pranee")]
    accounts = PEOPLE.index("condo"), PEOPLE.index("pranee")
    terms, opened = ChannelTerms(dispute_window=window), clock("08:00")
    book, name = open_channel(ChannelBook(chain_id), ledger, pairs, accounts, (DEPOSIT, 0), terms=terms, now=opened)
    channel = PaymentChannel(chain_id, name, pairs, book[name])
    return PaidDay(ledger, book, channel, tuple(channel.pay(amount) for amount in _amounts()))


def _watt(micro: int) -> Fraction:
    return Fraction(micro, units.MICRO)


@cache
def earned() -> Key:
    """Settle the day's channel and work out what the roof has got (WATT)."""
    day = paid_day()
    before = day.ledger.balance(PEOPLE.index("pranee"), "WATT")
    final = day.channel.finish()
    day.book.close_together(day.ledger, day.channel.channel, final, clock("18:00"), Stops())
    got = day.ledger.balance(PEOPLE.index("pranee"), "WATT") - before
    trades = Lab.thailand(prosumers=200).day().trades.filter(buyer=CONDO, seller=PRANEE)
    return Key(
        _watt(got),
        {
            "deposit": _watt(DEPOSIT),
            "rest": _watt(DEPOSIT - got),
            "landed": _watt(int(trades["gross"].sum())),
            "last": _watt(_amounts()[-1]),
        },
        {"got": got / units.MICRO, "rest": (DEPOSIT - got) / units.MICRO, "payments": len(_amounts())},
    )


@cache
def signatures() -> Key:
    """Count the signatures under the states of the day's payments."""
    states = paid_day().states
    signed = sum(bool(signature) for each in states for signature in each.signatures)
    return Key(
        Fraction(signed),
        {"one_each": Fraction(len(states)), "checks_too": Fraction(2 * signed), "last_only": Fraction(2)},
        {"signed": signed, "payments": len(states)},
    )


@cache
def theft() -> Key:
    """Work out what the roof loses where the condominium closes by version 8 and nobody answers (WATT)."""
    day = paid_day()
    kept = {shown: day.cheated(shown) for shown in (_SHOWN - 1, _SHOWN, _SHOWN + 1)}
    due = day.states[-1].state.balances[1]
    return Key(
        _watt(due - kept[_SHOWN]),
        {
            "still_gets": _watt(kept[_SHOWN]),
            "everything": _watt(due),
            "one_early": _watt(due - kept[_SHOWN - 1]),
            "one_late": _watt(due - kept[_SHOWN + 1]),
        },
        {"due": due / units.MICRO, "kept": kept[_SHOWN] / units.MICRO, "shown": _SHOWN},
    )


def _settles_after(stop: int, *, answered: bool) -> Fraction:
    """Return how many hours after the close a channel may be settled where the chain stands for `stop` hours."""
    day, closed = paid_day(), clock("20:00")
    name, stops = day.channel.channel, Stops()
    book, _ = day.book.close(name, day.states[_SHOWN - 1], closed, stops)
    if stop:
        stops = stops.begin(_CHAIN, closed + 2 * _HOUR).end(_CHAIN, closed + (2 + stop) * _HOUR)
    if answered:
        book, _ = book.dispute(name, day.states[-1], closed + 12 * _HOUR, stops)
    for hours in range(100):
        try:
            book.settle(day.ledger.fork(), name, closed + hours * _HOUR, stops)
        except ChainError:
            continue
        return Fraction(hours)
    raise AssertionError("a window of a day is over within a hundred hours")


@cache
def stopped_chain() -> Key:
    """Work out when a channel may be settled if the chain stands for five hours meanwhile (hours after the close)."""
    alone = _settles_after(0, answered=False)
    answer = _settles_after(_STOP_HOURS, answered=True)
    extended = alone + 12
    return Key(
        answer,
        {
            "not_frozen": alone,
            "extended": extended,
            "extended_and_frozen": extended + _STOP_HOURS,
            "subtracted": alone - _STOP_HOURS,
        },
        {"answer": int(answer), "window": int(alone), "stop": _STOP_HOURS},
    )


_CHECKS = {  # a check of the chain -> words of its refusal
    "channel": "is of channel",
    "version": "strictly greater",
    "deposits": "counts on",
    "signature": "the signature of side",
    "window": "is over since",
}


def _refusal(day: PaidDay, signed: SignedState) -> str:
    """Return which check refuses a state that is shown while the channel closes."""
    closing, _ = day.book.close(day.channel.channel, None, clock("20:00"), Stops())
    try:
        closing.dispute(day.channel.channel, signed, clock("21:00"), Stops())
    except ChainError as refused:
        return next(name for name, words in _CHECKS.items() if words in str(refused))
    raise AssertionError("a state of another chain was taken")


@cache
def rewritten_state() -> Key:
    """Show a state of another chain with the channel's id rewritten, and work out which check refuses it."""
    day, foreign = paid_day(), paid_day(chain_id=_OTHER_CHAIN).states[-1]
    rewritten = replace(foreign, state=replace(foreign.state, channel=day.channel.channel))
    return Key(_refusal(day, rewritten), {"as_it_was": _refusal(day, foreign)}, {})


def _caught(window: int, looks_after: int) -> bool:
    """Return whether the roof, which looks next after so many minutes, can still answer a stale close."""
    day, closed = paid_day(window), clock("08:00", 7)
    closing, _ = day.book.close(day.channel.channel, day.states[0], closed, Stops())
    try:
        closing.dispute(day.channel.channel, day.states[-1], closed + looks_after * _MINUTE, Stops())
    except ChainError:
        return False
    return True


@cache
def sleepy_window() -> Key:
    """Work out the shortest window in which somebody who looks once a day cannot be cheated (minutes).

    The worst close comes in the same block as a look, just after it.
    """
    low, high = 1, 2 * _DAY_MINUTES  # unsafe, safe
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _caught(middle, _DAY_MINUTES) else (middle, high)
    return Key(
        Fraction(high),
        {"a_day": Fraction(low), "half": Fraction(_DAY_MINUTES, 2), "two_days": Fraction(2 * _DAY_MINUTES)},
        {"answer": high, "too_short": low},
    )
