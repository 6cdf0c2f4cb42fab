"""The keys to lesson 16, "A run on WATT", each worked out on a chain, in a tree of holders, or by letting holders run.

The four holders, their WATT, and everybody in the run are made up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, time
from fractions import Fraction
from functools import cache

import polars as pl

from gridlab import units
from gridlab.chain import PbftOrdering, keys
from gridlab.chain.consortium import ConsortiumChain
from gridlab.chain.encoding import i64
from gridlab.chain.hashing import HASH_BYTES
from gridlab.chain.keys import KeyPair
from gridlab.chain.moments import require_microseconds
from gridlab.chain.watt import ReserveAttestation, WattRules
from gridlab.chain.watt.wire import amount_frame, attestation_frame, rules_frame
from gridlab.errors import StablecoinError
from gridlab.learn.answers import Key
from gridlab.stablecoin import LiabilityProof, LiabilityStatement, WattTerms
from gridlab.stablecoin.payouts import payouts_of
from gridlab.stablecoin.run import WattRun, run
from gridlab.stablecoin.sums import Node, holder_hash, join, leaf, salt_of

__all__ = [
    "CHAIN",
    "HOLDINGS",
    "HOUR",
    "SECRET",
    "WATT",
    "amounts_of",
    "broken_join",
    "empty_chain",
    "fire_cost",
    "found",
    "four_proofs",
    "haircut_paid",
    "holder_leaf",
    "key_pair",
    "last_quarter",
    "least_total",
    "minted",
    "moment",
    "most_minted",
    "negative_leaf",
    "told",
    "transfer",
    "unchecked_join",
    "unchecked_leaf",
    "watt_chain",
]

CHAIN = "gridlab-consortium"
WATT = units.MICRO  # micro-THB in a WATT
HOUR = 3_600_000_000  # microseconds
SECRET = b"salts of lesson 16, not a secret"  # 32 bytes
HOLDINGS = {"Pranee": 60 * WATT, "Baan Sukjai": 40 * WATT, "Kaew": 70 * WATT, "Prasit": 30 * WATT}
# The accounts of a small chain: name -> role. The auditor is no member.
_ROLES = {"bank": "reserve_bank", "issuer": "watt_issuer", "regulator": "regulator"} | dict.fromkeys(HOLDINGS, "trader")
_PEOPLE = tuple(_ROLES)
_OWED = sum(HOLDINGS.values())
_FOUND = 183_400_000  # 8.3 % of 200 baht are missing
_DEPOSIT = 30 * WATT
_FEE_PPB = 5_000_000  # half a per cent

Join = Callable[[Node, Node], Node]


def key_pair(name: str) -> KeyPair:
    """Return somebody's sandbox key; it guards nothing."""
    return keys.sandbox(16, name)


def moment(hour: str, day: int = 6) -> int:
    """Return a moment of May 2026, Bangkok time, as the chain counts it (microseconds since 1970)."""
    return require_microseconds("hour", datetime.combine(datetime(2026, 5, day), time.fromisoformat(hour)))  # noqa: DTZ001


def transfer(payer: str, payee: str, asset: str, amount: int, code: str) -> pl.DataFrame:
    """Return one payment as a frame that the chain takes; `amount` in micro-THB, another one for each of a payer's."""
    row = {"transfer_id": amount, "debit_account": _PEOPLE.index(payer), "credit_account": _PEOPLE.index(payee)}
    return pl.DataFrame([row | {"asset": asset, "amount": amount, "code": code}])


def minted(holdings: Mapping[str, int] | None = None) -> pl.DataFrame:
    """Return the frame that mints WATT for holders; by default for all four what they hold."""
    wanted = HOLDINGS if holdings is None else holdings
    return pl.concat(transfer("issuer", name, "WATT", amount, "mint") for name, amount in wanted.items())


def found(hour: str, reserve: int, booked: int, *, by: str = "auditor", day: int = 6) -> pl.DataFrame:
    """Return what somebody found in reserve beside what was booked then (micro-THB), signed by him."""
    statement = ReserveAttestation(moment(hour, day), reserve, booked)
    return attestation_frame(statement, statement.sign(key_pair(by), CHAIN))


def amounts_of(chain: ConsortiumChain) -> dict[str, float]:
    """Return baht booked, baht attested and carried on, WATT in circulation, and the gap, all in whole units."""
    ledger, watt = chain.ledger, chain.watt
    booked, circulating = ledger.circulation("THB"), ledger.circulation("WATT")
    counted = {"booked": booked, "reserve": watt.reserve(ledger), "WATT": circulating, "gap": watt.gap(ledger)}
    return {name: amount / WATT for name, amount in counted.items()}


def told(chain: ConsortiumChain, hour: str, who: str, kind: str, frame: pl.DataFrame, *, day: int = 6) -> str:
    """Send one transaction in a block of its own; return "accepted", or the chain's reason."""
    chain.send(key_pair(who), kind, frame)
    receipt = chain.seal(moment(hour, day)).receipts[0]
    return "accepted" if receipt.accepted else receipt.reason


def empty_chain() -> ConsortiumChain:
    """Return a small chain of four validators on which nobody has anything yet."""
    pairs = [key_pair(name).public_key for name in _PEOPLE]
    members = {"account": range(len(_PEOPLE)), "name": _PEOPLE, "role": list(_ROLES.values()), "public_key": pairs}
    return ConsortiumChain(pl.DataFrame(members), chain_id=CHAIN, ordering=PbftOrdering.of(4))


def watt_chain(gap_rule: str = "stop", *, fee_ppb: int = 0) -> ConsortiumChain:
    """Return a chain on which 200 baht are booked and attested and the four hold their WATT, at 9:00.

    Parameters
    ----------
    gap_rule : str
        One of `gridlab.chain.watt.GAP_RULES`.
    fee_ppb : int
        On redemptions, parts per billion.
    """
    chain = empty_chain()
    rules = WattRules(key_pair("auditor").public_key, 48 * HOUR, gap_rule, fee_ppb=fee_ppb)
    chain.send(key_pair("bank"), "reserve", transfer("bank", "issuer", "THB", _OWED, "reserve"))
    chain.send(key_pair("regulator"), "watt_rules", rules_frame(rules))
    chain.send(key_pair("bank"), "reserve_attestation", found("09:00", _OWED, _OWED))
    chain.send(key_pair("issuer"), "mint", minted())
    chain.seal(moment("09:00"))
    return chain


# The tree of four holders, right and wrong.


def holder_leaf(name: str, balance: int, make: Callable[[bytes, int], Node] = leaf) -> Node:
    """Return somebody's leaf, under the salt that follows from `SECRET`."""
    return make(_holder(name), balance)


def _holder(name: str) -> bytes:
    public = key_pair(name).public_key
    return holder_hash(salt_of(SECRET, public), public)


def broken_join(left: Node, right: Node) -> Node:
    """Join two nodes as Maxwell's first tree did: the hash covers their total, and not their sums."""
    total = left.sum + right.sum
    return Node(hashlib.blake2b(left.hash + right.hash + i64(total), digest_size=HASH_BYTES).digest(), total)


def unchecked_leaf(holder: bytes, balance: int) -> Node:
    """Make a leaf as the right tree does, but let a negative balance pass."""
    return Node(hashlib.blake2b(b"\x00" + holder + i64(balance), digest_size=HASH_BYTES).digest(), balance)


def unchecked_join(left: Node, right: Node) -> Node:
    """Join two nodes as the right tree does, but let negative sums pass."""
    both = b"\x01" + left.to_bytes() + right.to_bytes()
    return Node(hashlib.blake2b(both, digest_size=HASH_BYTES).digest(), left.sum + right.sum)


def four_proofs(holdings: Mapping[str, int], joins: Join = join) -> tuple[Node, dict[str, LiabilityProof]]:
    """Return the top of a tree of four holders in the order given, and what each of them is handed.

    Parameters
    ----------
    holdings : Mapping[str, int]
        Four names and balances (micro-THB).
    joins : callable
        How two nodes are joined; with `unchecked_join` negative balances pass.
    """
    make = leaf if joins is join else unchecked_leaf
    leaves = [holder_leaf(name, balance, make) for name, balance in holdings.items()]
    pairs = [joins(leaves[0], leaves[1]), joins(leaves[2], leaves[3])]
    proofs = {}
    for place, (name, balance) in enumerate(holdings.items()):
        salt = salt_of(SECRET, key_pair(name).public_key)
        proofs[name] = LiabilityProof(salt, balance, place, 4, (leaves[place ^ 1], pairs[place // 2 ^ 1]))
    return joins(*pairs), proofs


# The questions.


def _watt(micro: int) -> Fraction:
    return Fraction(micro, WATT)


@cache
def _par_run() -> WattRun:
    return run(WattTerms(gap_rule="par"), hours=36, seed=1)


def _recovered(order: pl.DataFrame) -> Fraction:
    got, before = order.select((pl.col("received") + pl.col("worth")).sum(), pl.col("before").sum()).row(0)
    return Fraction(100 * got, before)


@cache
def last_quarter() -> Key:
    """Work out what the last quarter of the queue recovers of its WATT where first come is first served (%)."""
    order = _par_run().order
    answer = _recovered(order.filter(pl.col("came") == "last quarter"))
    everybody = _recovered(order)
    return Key(
        answer,
        {"lost": 100 - answer, "everybody": everybody, "others": Fraction(100)},
        {"answer": float(answer), "everybody": float(everybody)},
    )


def _gap_chain(gap_rule: str = "stop", *, fee_ppb: int = 0) -> ConsortiumChain:
    """Return a chain on which the auditor has found 183.40 of 200 baht at 12:00."""
    chain = watt_chain(gap_rule, fee_ppb=fee_ppb)
    told(chain, "12:00", "bank", "reserve_attestation", found("12:00", _FOUND, _OWED))
    return chain


@cache
def most_minted() -> Key:
    """Find by trial how much may be minted after 183.40 of 200 baht, and then 30 booked since, were found (WATT)."""
    chain = _gap_chain()
    told(chain, "12:15", "bank", "reserve", transfer("bank", "issuer", "THB", _DEPOSIT, "reserve"))
    if told(chain, "12:20", "issuer", "mint", minted({"Kaew": 1})) == "accepted":
        raise AssertionError("what is booked and not attested backs no new WATT")
    told(chain, "12:25", "bank", "reserve_attestation", found("12:25", _FOUND + _DEPOSIT, _OWED + _DEPOSIT))
    free = chain.watt.cover(chain.ledger) - chain.ledger.circulation("WATT")
    for hour, amount, accepted in (("12:30", free + 1, False), ("12:45", free, True)):
        if (told(chain, hour, "issuer", "mint", minted({"Kaew": amount})) == "accepted") is not accepted:
            raise AssertionError("the most that may be minted is what the attested reserve covers")
    missing = _OWED - _FOUND
    return Key(
        _watt(free),
        {
            "books_alone": _watt(_DEPOSIT),
            "wrong_sign": _watt(_DEPOSIT + missing),
            "reserve": _watt(_OWED + free),
            "nothing": Fraction(0),
        },
        {"free": free / WATT, "deposit": _DEPOSIT / WATT, "missing": missing / WATT},
    )


@cache
def haircut_paid() -> Key:
    """Redeem 60 WATT in a gap under the rule "haircut" with a fee of half a per cent; return what comes of it (THB)."""
    chain, asked = _gap_chain("haircut", fee_ppb=_FEE_PPB), HOLDINGS["Pranee"]
    told(chain, "12:15", "Pranee", "redeem", amount_frame(asked))
    told(chain, "12:30", "bank", "redemption_payout", amount_frame(asked))
    got = int(payouts_of(chain)["received"].sum())
    share, fee = Fraction(_FOUND, _OWED), Fraction(_FEE_PPB, 10**9)
    whole = _watt(asked)
    return Key(
        _watt(got),
        {
            "no_fee": whole * share,
            "no_haircut": whole * (1 - fee),
            "added_up": whole * (share - fee),
            "par": whole,
        },
        {"asked": asked / WATT, "share": float(100 * share), "fee": float(100 * fee), "got": got / WATT},
    )


@cache
def fire_cost() -> Key:
    """Work out what of the loss in the run under "par" came of the run itself, not of the bad news (million THB)."""
    outcome = _par_run()
    lost = int(outcome.people["loss"].sum())
    hour = outcome.holders.terms.shock_hour
    before, after = outcome.slots.filter(pl.col("hour") <= hour).tail(2)["lost"]
    news = after - before
    cost = Fraction(lost - news, 10**12)
    return Key(
        cost,
        {"all": Fraction(lost, 10**12), "news": Fraction(news, 10**12)},
        {"cost": float(cost), "news": news / 1e12, "all": lost / 1e12, "share": 100 * float(cost) * 1e12 / lost},
    )


@cache
def least_total() -> Key:
    """Find the least total under which Maxwell's first tree satisfies each of the four holders (WATT).

    A node may claim the larger of its children's sums, since each side can be shown the difference as the other's; so
    the root may claim the largest balance of all, and no less, for nobody's sum shrinks on the way up.
    """
    leaves = [holder_leaf(name, balance) for name, balance in HOLDINGS.items()]
    halves = [_claimed(*leaves[:2]), _claimed(*leaves[2:])]
    top = _claimed(*halves)
    return Key(
        _watt(top.sum),
        {
            "honest": _watt(_OWED),
            "half_way": _watt(halves[0].sum + halves[1].sum),
            "first_pair": _watt(halves[0].sum),
        },
        {
            "total": top.sum / WATT,
            "owed": _OWED / WATT,
            "halves": " and ".join(f"{half.sum / WATT:g}" for half in halves),
        },
    )


def _claimed(left: Node, right: Node) -> Node:
    """Return the node to which both sides are led in Maxwell's tree, if it claims the larger of their sums."""
    whole = max(left.sum, right.sum)
    told_left = broken_join(left, Node(right.hash, whole - left.sum))
    told_right = broken_join(Node(left.hash, whole - right.sum), right)
    if told_left != told_right:
        raise AssertionError("Maxwell's node hides how its total is split")
    return told_left


@cache
def negative_leaf() -> Key:
    """Put a leaf of -30 beside Kaew's and find out whose check refuses."""
    bent = {name: balance for name, balance in HOLDINGS.items() if name != "Prasit"} | {"a ghost": -30 * WATT}
    top, proofs = four_proofs(bent, unchecked_join)
    statement = LiabilityStatement.sign(key_pair("issuer"), CHAIN, 1, top.hash, top.sum, 4)
    issuer, refuse = key_pair("issuer").public_key, []
    for name in list(bent)[:3]:
        own = key_pair(name).public_key
        try:
            proofs[name].check(statement, issuer=issuer, chain_id=CHAIN, height=1, public_key=own, balance=bent[name])
        except StablecoinError:
            refuse.append(name)
    if len(refuse) != 1:
        raise AssertionError("a negative leaf is seen by its neighbour alone")
    return Key(
        refuse[0],
        {"everybody": "everybody", "nobody": "nobody", "elsewhere": "Pranee", "elsewhere_too": "Baan Sukjai"},
        {"total": top.sum / WATT, "owed": sum(bent[name] for name in list(bent)[:3]) / WATT},
    )
