"""The terms of an energy trading contract, as data: who, when, how much, at which price, over whose grid.

Terms are a frozen record with one canonical encoding. The parties sign those bytes, the chain stores and executes
them, and JSON carries them between people; all three mean the same. Terms have three parts:

`TradingRules`
    How much energy passes in a slot, given the meters.
`SettlementTerms`
    What is paid for it: a fixed price, or the difference between a strike and a reference price.
`GridIntegration`
    What the grid gets for carrying it, and who pays that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gridlab.chain.arguments import require_int, require_sequence, require_text
from gridlab.chain.encoding import Reader, compact, i64, text, u8, u32, u64
from gridlab.chain.hashing import signing_message, tagged_hash
from gridlab.chain.meters import MOST_GENERATION
from gridlab.chain.moments import moment, require_microseconds
from gridlab.chain.sharing import PPB
from gridlab.errors import ArgumentError, ArgumentTypeError, nearest
from gridlab.frames import TIME_ZONE

__all__ = [
    "MOST_PRICE",
    "PAYERS",
    "PRICINGS",
    "SLOT_MICROSECONDS",
    "TEMPLATES",
    "VOLUMES",
    "ContractTerms",
    "GridIntegration",
    "SettlementTerms",
    "TradingRules",
]

VOLUMES = ("as_produced", "fixed", "matched", "shared")
PRICINGS = ("fixed", "difference")
PAYERS = ("buyer", "seller")
# template -> the volume rules it may have
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "ppa": ("as_produced", "fixed"),
    "p2p": ("matched",),
    "community": ("shared",),
    "block_trade": ("fixed",),
}

# 100 000 THB/kWh: with a slot's most energy, no amount of money leaves Int64.
MOST_PRICE = 10**8
SLOT_MICROSECONDS = 15 * 60 * 1_000_000
_MOST_PARTIES = 10_000
_LONGEST_NAME = 200
_VERSION = "gridlab/contract/1"
_ID_DOMAIN = "gridlab/contract-id/1"
_SIGNATURE_DOMAIN = "gridlab/contract-signature/1"


def _slot(name: str, value: object) -> datetime:
    """Return the start of a slot in Bangkok time."""
    microseconds = require_microseconds(name, value)
    if microseconds % SLOT_MICROSECONDS:
        raise ArgumentError(f"{name} is {value}, allowed: the start of a slot, on minute 0, 15, 30 or 45")
    return moment(microseconds).astimezone(ZoneInfo(TIME_ZONE))


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> str:
    found = require_text(name, value)
    if found not in allowed:
        raise ArgumentError(f"{name} is {found!r}; {nearest(found, allowed)}")
    return found


@dataclass(frozen=True, slots=True)
class TradingRules:
    """How much energy passes from sellers to buyers in a slot.

    Attributes
    ----------
    volume : str
        ``as_produced``: what the seller feeds in. ``fixed``: `energy` in every slot, whatever the meters say.
        ``matched``: the smaller of what the seller feeds in and the buyer takes. ``shared``: what all sellers feed in,
        by the buyers' shares, no buyer getting more than it takes.
    energy : int
        Wh in a slot: the volume itself where it is fixed, otherwise the most that passes; 0 for no limit.
    shares : tuple of int
        Parts per billion, one per buyer, summing to 10**9; empty: by what each buyer takes in the slot (dynamic).

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A value is of another type, out of range, or the shares do not sum to one.
    """

    volume: str
    energy: int = 0
    shares: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _one_of("volume", self.volume, VOLUMES)
        require_int("energy", self.energy, 1 if self.volume == "fixed" else 0, MOST_GENERATION)
        for place, share in enumerate(require_sequence("shares", self.shares, int)):
            require_int(f"shares[{place}]", share, 0, PPB)
        object.__setattr__(self, "shares", tuple(self.shares))
        if self.shares and sum(self.shares) != PPB:
            raise ArgumentError(f"shares sum to {sum(self.shares)} parts per billion, allowed: exactly {PPB}")


@dataclass(frozen=True, slots=True)
class SettlementTerms:
    """What a buyer pays a seller for energy.

    Attributes
    ----------
    pricing : str
        ``fixed``: the price itself. ``difference``: the price less a reference price, a contract for difference, where
        a negative result is paid by the seller.
    price : int
        THB/MWh; may be negative.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A value is of another type or out of range.
    """

    pricing: str
    price: int

    def __post_init__(self) -> None:
        _one_of("pricing", self.pricing, PRICINGS)
        require_int("price", self.price, -MOST_PRICE, MOST_PRICE)


@dataclass(frozen=True, slots=True)
class GridIntegration:
    """What the grid gets for carrying the energy.

    Attributes
    ----------
    operator : int or None
        Account of the grid operator that is paid; None where nobody is.
    wheeling : int
        THB/MWh on all energy that passes; 0 if and only if there is no operator.
    payer : str
        ``buyer`` or ``seller``.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A value is of another type or out of range.
    """

    operator: int | None = None
    wheeling: int = 0
    payer: str = "buyer"

    def __post_init__(self) -> None:
        if self.operator is not None:
            require_int("operator", self.operator, 0, 2**32 - 1)
        require_int("wheeling", self.wheeling, 0, MOST_PRICE)
        _one_of("payer", self.payer, PAYERS)
        if (self.operator is None) != (self.wheeling == 0):
            raise ArgumentError(
                f"wheeling of {self.wheeling} THB/MWh goes with operator {self.operator}; "
                "name the grid operator that is paid, or leave both out"
            )


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """Everything that a contract says.

    Attributes
    ----------
    name : str
        What people call it; two contracts with equal terms must differ in it.
    template : str
        ``ppa``, ``p2p``, ``community`` or ``block_trade``.
    sellers, buyers : tuple of int
        Accounts; no account stands there twice.
    start, end : datetime
        First slot, and the first moment after the last one.
    trading : TradingRules
    settlement : SettlementTerms
    grid : GridIntegration

    Raises
    ------
    ArgumentTypeError, ArgumentError
        A value is of another type or out of range, or the parts do not go together.
    """

    name: str
    template: str
    sellers: tuple[int, ...]
    buyers: tuple[int, ...]
    start: datetime
    end: datetime
    trading: TradingRules
    settlement: SettlementTerms
    grid: GridIntegration = field(default_factory=GridIntegration)

    def __post_init__(self) -> None:
        if not require_text("name", self.name, longest=_LONGEST_NAME):
            raise ArgumentError("name is empty; say what people call the contract")
        self._check_parties()
        for name in ("start", "end"):
            object.__setattr__(self, name, _slot(name, getattr(self, name)))
        if self.start >= self.end:
            raise ArgumentError(f"end {self.end} is not after start {self.start}; a contract covers one slot or more")
        parts = {"trading": TradingRules, "settlement": SettlementTerms, "grid": GridIntegration}
        for name, kind in parts.items():
            if not isinstance(getattr(self, name), kind):
                raise ArgumentTypeError(
                    f"{name} is a {type(getattr(self, name)).__name__}, allowed: a {kind.__name__}(…)"
                )
        self._check_together()

    def _check_parties(self) -> None:
        for name in ("sellers", "buyers"):
            accounts = require_sequence(name, getattr(self, name), int)
            require_int(f"number of {name}", len(accounts), 1, _MOST_PARTIES)
            for place, account in enumerate(accounts):
                require_int(f"{name}[{place}]", account, 0, 2**32 - 1)
            object.__setattr__(self, name, tuple(accounts))
        seen: set[int] = set()
        for account in self.parties:
            if account in seen:
                raise ArgumentError(f"account {account} is a party twice, allowed: different sellers and buyers")
            seen.add(account)

    def _check_together(self) -> None:
        _one_of("template", self.template, tuple(TEMPLATES))
        volume, shares = self.trading.volume, self.trading.shares
        _one_of(f"volume of a {self.template}", volume, TEMPLATES[self.template])
        if len(self.sellers) > 1 and volume != "shared":
            raise ArgumentError(f"{len(self.sellers)} sellers, allowed: 1 unless the volume is shared")
        if len(self.buyers) > 1 and (volume == "matched" or (volume != "shared" and not shares)):
            raise ArgumentError(
                f"{len(self.buyers)} buyers of {volume} energy, allowed: 1"
                + ("" if volume == "matched" else ", or one share for each")
            )
        if shares and len(shares) != len(self.buyers):
            raise ArgumentError(f"{len(shares)} shares for {len(self.buyers)} buyers, allowed: one for each")
        if self.grid.operator in self.parties:
            raise ArgumentError(f"grid operator {self.grid.operator} is a party too; nobody pays wheeling to itself")

    @property
    def parties(self) -> tuple[int, ...]:
        """Accounts that must sign: sellers, then buyers."""
        return (*self.sellers, *self.buyers)

    @property
    def metered(self) -> tuple[int, ...]:
        """Accounts whose meters decide the energy."""
        return {"fixed": (), "as_produced": self.sellers}.get(self.trading.volume, self.parties)

    @property
    def needs_reference(self) -> bool:
        """Whether a reference price decides the payments."""
        return self.settlement.pricing == "difference"

    @property
    def slots(self) -> int:
        """How many slots the contract covers."""
        return (self.end - self.start) // timedelta(minutes=15)

    @property
    def id(self) -> bytes:
        """BLAKE2b-256 of the canonical bytes under a tag of its own, 32 bytes."""
        return tagged_hash(_ID_DOMAIN, self.to_bytes())

    def message(self, chain_id: str) -> bytes:
        """Return what a party's signature covers: domain tag, chain and canonical bytes."""
        require_text("chain_id", chain_id)
        return signing_message(_SIGNATURE_DOMAIN, chain_id, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the one canonical encoding."""
        trading, settlement, grid = self.trading, self.settlement, self.grid
        operator = u8(0) if grid.operator is None else u8(1) + u32(grid.operator)
        moments = (require_microseconds("start", self.start), require_microseconds("end", self.end))
        return b"".join(
            (
                *map(text, (_VERSION, self.name, self.template)),
                *(compact(len(side)) + b"".join(map(u32, side)) for side in (self.sellers, self.buyers)),
                *map(i64, moments),
                text(trading.volume) + u64(trading.energy),
                compact(len(trading.shares)) + b"".join(map(u32, trading.shares)),
                text(settlement.pricing) + i64(settlement.price),
                operator + u64(grid.wheeling) + text(grid.payer),
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> ContractTerms:
        """Read what `to_bytes` wrote.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            `data` is not ``bytes``, or holds terms that do not go together.
        ChainError
            Bytes are missing, left over or not canonical.
        """
        reader = Reader(data, "contract")
        if (version := reader.text()) != _VERSION:
            raise reader.error(f"its version is {version!r}, allowed: {_VERSION!r}")
        name, template = reader.text(), reader.text()
        sellers, buyers = _read_numbers(reader), _read_numbers(reader)
        start, end = (moment(require_microseconds("moment", reader.i64())) for _ in range(2))
        trading = TradingRules(reader.text(), reader.u64(), _read_numbers(reader))
        settlement = SettlementTerms(reader.text(), reader.i64())
        flag = reader.u8()
        if flag > 1:
            raise reader.error(f"a flag is {flag}, allowed: 0 or 1")
        grid = GridIntegration(reader.u32() if flag else None, reader.u64(), reader.text())
        reader.finish()
        return cls(name, template, sellers, buyers, start, end, trading, settlement, grid)

    def to_dict(self) -> dict[str, Any]:
        """Return the terms as what JSON can hold."""
        sides = {"sellers": list(self.sellers), "buyers": list(self.buyers)}
        moments = {"start": self.start.isoformat(), "end": self.end.isoformat()}
        trading, settlement, grid = self.trading, self.settlement, self.grid
        return {
            "name": self.name,
            "template": self.template,
            **sides,
            **moments,
            "trading": {"volume": trading.volume, "energy": trading.energy, "shares": list(trading.shares)},
            "settlement": {"pricing": settlement.pricing, "price": settlement.price},
            "grid": {"operator": grid.operator, "wheeling": grid.wheeling, "payer": grid.payer},
        }


def _read_numbers(reader: Reader) -> tuple[int, ...]:
    # The count comes from a stranger: reading stops at the first number that is missing.
    return tuple(reader.u32() for _ in range(reader.compact()))
