"""The keys to lesson 08, "An audit trail that cannot be bent", each worked out from a fresh Thai lab or chain."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from functools import cache

import polars as pl

from gridlab import units
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.hashing import blake2b_256
from gridlab.chain.keys import KeyPair, sandbox
from gridlab.chain.pbft.certificates import certificate_message, sealed_header, verify_certificate
from gridlab.chain.pbft.quorums import max_faulty
from gridlab.compliance.audit import Audit
from gridlab.lab import Lab
from gridlab.learn.answers import Key
from gridlab.run import Run

__all__ = [
    "BUYER",
    "SCHOOL",
    "VALIDATORS",
    "WORKS",
    "boonmees_part",
    "deposit_at_malai",
    "guessed_energy",
    "hashes_after_a_year",
    "note",
    "path_length",
    "signed_readings",
    "stolen_keys",
]

SCHOOL, WORKS, BUYER = 179, 164, 170  # a roof in the South, and two that bought from it
VALIDATORS = 21
_MALAI, _SOMCHAI = 78, 77
_TIME = "13:30"
_YEAR = 365 * 24 * 60 * 60  # s


@cache
def _run() -> Run:
    return Lab.thailand(prosumers=200).run(progress=False)


@cache
def signed_readings() -> Key:
    """Work out how many meter readings PEA signed on the day."""
    read = Audit(_run().chain).trail("meter_readings")
    of_pea = read.filter(pl.col("name") == "PEA")
    rows, messages = int(of_pea["rows"].sum()), of_pea.height
    meters = rows // messages
    return Key(
        Fraction(rows),
        {
            "messages": Fraction(messages),
            "both_utilities": Fraction(int(read["rows"].sum())),
            "mea": Fraction(int(read["rows"].sum()) - rows),
            "meters": Fraction(meters),
        },
        {"rows": rows, "messages": messages, "meters": meters},
    )


@cache
def deposit_at_malai() -> Key:
    """Work out how much of Somchai's deposit lies with Malai in the evening (THB)."""
    audit = Audit(_run().chain)
    watt = audit.movements.filter(pl.col("asset") == "WATT")
    deposit = watt.filter((pl.col("code") == "mint") & (pl.col("credit_account") == _SOMCHAI)).row(0, named=True)
    trace = audit.trace_funds(transfer=(deposit["sender"], deposit["transfer_id"]))
    bought = pl.col("code") == "energy"
    sales = watt.filter(bought & (pl.col("credit_account") == _MALAI))
    found, earned, roofs, keeps = (
        Fraction(int(amount or 0), units.MICRO)
        for amount in (
            trace.ends.filter(pl.col("account") == _MALAI)["amount"].sum(),
            sales["amount"].sum(),
            trace.edges.filter(bought)["amount"].sum(),
            trace.ends.filter(pl.col("account") == _SOMCHAI)["amount"].sum(),
        )
    )
    return Key(
        found,
        {"earned": earned, "all_roofs": roofs, "still_with_him": keeps},
        {"found": float(found), "roofs": float(roofs), "trades": trace.edges.filter(bought).height},
    )


def path_length(leaves: int) -> int:
    """Return how many hashes the longest inclusion proof of a tree of so many leaves, 1 or more, has."""
    return (leaves - 1).bit_length()


def hashes_after_a_year() -> Key:
    """Work out how many hashes a proof in the log of a year of blocks needs."""
    blocks = _YEAR + 1  # genesis stands in the log, too
    needed = path_length(blocks)
    return Key(
        Fraction(needed),
        {"rounded_down": Fraction(needed - 1), "all_blocks": Fraction(_YEAR), "doubled": Fraction(2 * needed)},
        {"needed": needed, "blocks": _YEAR, "reach": 2**needed},
    )


def _mixed_account() -> ConsortiumChain:
    """Return a chain on which an account gets 100 WATT of Anong and 50 of Boonmee, and pays Chai 120."""
    people = ("bank", "issuer", "Anong", "Boonmee", "jar", "Chai")
    pairs = [sandbox(0, f"lesson 08, {name}") for name in people]
    roles = ["reserve_bank", "watt_issuer", *["trader"] * 4]
    keys = [pair.public_key for pair in pairs]
    members = {"account": range(len(people)), "name": people, "role": roles, "public_key": keys}
    chain = ConsortiumChain(pl.DataFrame(members))
    anong, boonmee, jar, chai = 2, 3, 4, 5
    _pay(chain, pairs[0], "reserve", (0, 1, "THB", 150))
    _pay(chain, pairs[1], "mint", (1, anong, "WATT", 100), (1, boonmee, "WATT", 50))
    _pay(chain, pairs[anong], "transfer", (anong, jar, "WATT", 100))
    _pay(chain, pairs[boonmee], "transfer", (boonmee, jar, "WATT", 50))
    _pay(chain, pairs[jar], "transfer", (jar, chai, "WATT", 120))
    return chain


def _pay(chain: ConsortiumChain, pair: KeyPair, kind: str, *payments: tuple[int, int, str, int]) -> None:
    payers, payees, assets, amounts = zip(*payments, strict=True)
    frame = pl.DataFrame(
        {
            "transfer_id": range(1, 1 + len(payments)),
            "debit_account": payers,
            "credit_account": payees,
            "asset": assets,
            "amount": [units.MICRO * amount for amount in amounts],
            "code": [kind] * len(payments),
        }
    )
    chain.send(pair, kind, frame)
    chain.seal(datetime(2026, 5, 7))  # noqa: DTZ001 - the chain reads it as Bangkok time


@cache
def boonmees_part() -> Key:
    """Let the audit trace what Chai got, and work out how much of it was Boonmee's (WATT)."""
    trace = Audit(_mixed_account()).trace_funds(account=5, direction="backward")
    parts = {
        name: Fraction(int(trace.edges.filter(pl.col("source_name") == name)["amount"].sum()), units.MICRO)
        for name in ("Anong", "Boonmee")
    }
    paid, came = sum(parts.values()), Fraction(150)
    return Key(
        parts["Boonmee"],
        {
            "pro_rata": Fraction(50) * paid / came,
            "last_in_first_out": Fraction(50),
            "anongs": parts["Anong"],
            "left_over": came - paid,
        },
        {"boonmee": float(parts["Boonmee"]), "anong": float(parts["Anong"]), "share": float(50 * paid / came)},
    )


def note(energy: int) -> bytes:
    """Return the note whose hash the exercise shows."""
    return f"account {BUYER} bought {energy} Wh from account {SCHOOL} at {_TIME}".encode()


@cache
def guessed_energy() -> Key:
    """Work out by trying which energy stands behind the hash (Wh)."""
    trades = _run().chain.trades.filter((pl.col("seller") == SCHOOL) & (pl.col("slot").dt.strftime("%H:%M") == _TIME))
    sold = dict(trades.select("buyer", "energy").rows())
    hidden = blake2b_256(note(sold[BUYER]))
    energy = next(tried for tried in range(100_000) if blake2b_256(note(tried)) == hidden)
    mistakes = {"the_works": Fraction(sold[WORKS]), "all_together": Fraction(int(trades["energy"].sum()))}
    return Key(Fraction(energy), mistakes, {"energy": energy, "tries": energy + 1})


@cache
def stolen_keys() -> Key:
    """Steal keys one by one until they seal a block, and work out how many it takes."""
    keys = [sandbox(0, f"validator {place}") for place in range(VALIDATORS)]
    sealed = sealed_header(b"a header of the gang's liking", 0)
    signed = {pair.public_key: pair.sign(certificate_message(sealed)) for pair in keys}
    validators = list(signed)

    def seals(count: int) -> bool:
        return verify_certificate(sealed, dict(list(signed.items())[:count]), validators)

    needed = next(count for count in range(VALIDATORS + 1) if seals(count))
    faulty = max_faulty(VALIDATORS)
    return Key(
        Fraction(needed),
        {
            "simple_majority": Fraction(VALIDATORS // 2 + 1),
            "one_too_few": Fraction(needed - 1),
            "to_stop_it": Fraction(VALIDATORS - needed + 1),
            "may_lie": Fraction(faulty),
            "every_one": Fraction(VALIDATORS),
        },
        {
            "needed": needed,
            "validators": VALIDATORS,
            "faulty": faulty,
            "splits": faulty + 1,
            "stops": VALIDATORS - needed + 1,
        },
    )
