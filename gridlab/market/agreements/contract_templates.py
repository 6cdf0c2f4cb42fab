"""The templates of energy trading contracts: what people say (THB/kWh, kWh, who and when), made into exact terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Self

from gridlab import units
from gridlab.chain.arguments import require_sequence, require_text
from gridlab.chain.contract_terms import ContractTerms, GridIntegration, SettlementTerms, TradingRules
from gridlab.errors import ArgumentError, nearest
from gridlab.market.agreements.contract_inputs import moment, shares

__all__ = ["PPA_KINDS", "ContractDraft"]

# kind -> (volume rule, pricing rule)
PPA_KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "pay_as_produced": ("as_produced", "fixed"),
        "baseload": ("fixed", "fixed"),
        "cfd": ("as_produced", "difference"),
        "baseload_cfd": ("fixed", "difference"),
    }
)
_CHAIN_ID = "gridlab-consortium"


@dataclass(frozen=True, repr=False)
class ContractDraft:
    """Terms for one chain, as a template makes them; `EnergyTradingContract` adds the signatures.

    Attributes
    ----------
    terms : ContractTerms
    chain_id : str
    """

    terms: ContractTerms
    chain_id: str = _CHAIN_ID

    @classmethod
    def ppa(
        cls,
        *,
        seller: int,
        buyer: int | Sequence[int],
        price: units.Number,
        start: str | datetime,
        end: str | datetime,
        kind: str = "pay_as_produced",
        energy: units.Number = 0,
        coefficients: Sequence[units.Number] | None = None,
        wheeling: units.Number = 0,
        grid_operator: int | None = None,
        payer: str = "buyer",
        name: str = "Power purchase agreement",
        chain_id: str = _CHAIN_ID,
    ) -> Self:
        """Make a power purchase agreement.

        Parameters
        ----------
        seller : int
            Account of the plant.
        buyer : int or sequence of int
            Account or accounts that buy.
        price : number
            THB/kWh: the fixed price, or the strike of a contract for difference.
        start, end : str or datetime
            First slot and the moment after the last; without a time zone Bangkok time.
        kind : str
            ``pay_as_produced``: all that the plant feeds in, at the price. ``baseload``: `energy` in every slot,
            whatever the plant makes; the shape risk is the seller's. ``cfd`` and ``baseload_cfd``: the same volumes,
            and only the difference to a reference price is paid.
        energy : number
            kWh a slot: the baseload, or the most that is bought of what is produced (0: no limit).
        coefficients : sequence of numbers, optional
            How several buyers share, at any scale.
        wheeling : number
            THB/kWh to `grid_operator`, paid by `payer` (``buyer`` or ``seller``).
        grid_operator : int, optional
        payer, name, chain_id : str

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit; the error names it.
        """
        if require_text("kind", kind) not in PPA_KINDS:
            raise ArgumentError(f"kind {kind!r} is not one of a PPA; {nearest(kind, PPA_KINDS)}")
        volume, pricing = PPA_KINDS[kind]
        buyers = (buyer,) if isinstance(buyer, int) else tuple(require_sequence("buyer", buyer, int))
        parts = shares(coefficients, len(buyers)) if len(buyers) > 1 or coefficients is not None else ()
        return cls._of(
            ("ppa", name, chain_id), ((seller,), buyers), (start, end),
            TradingRules(volume, units.energy(energy), parts),
            SettlementTerms(pricing, units.price(price)), (grid_operator, wheeling, payer),
        )  # fmt: skip

    @classmethod
    def p2p(
        cls,
        *,
        seller: int,
        buyer: int,
        price: units.Number,
        start: str | datetime,
        end: str | datetime,
        energy: units.Number = 0,
        wheeling: units.Number = 0,
        grid_operator: int | None = None,
        payer: str = "buyer",
        name: str = "Trade between neighbours",
        chain_id: str = _CHAIN_ID,
    ) -> Self:
        """Make a contract in which a neighbour buys, in each slot, what the seller feeds in and the buyer takes.

        Parameters
        ----------
        seller, buyer : int
            Accounts.
        price : number
            THB/kWh.
        start, end : str or datetime
        energy : number
            Most that passes in a slot (kWh); 0 for no limit.
        wheeling, grid_operator, payer, name, chain_id
            As for `ppa`.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit; the error names it.
        """
        return cls._of(
            ("p2p", name, chain_id), ((seller,), (buyer,)), (start, end), TradingRules("matched", units.energy(energy)),
            SettlementTerms("fixed", units.price(price)), (grid_operator, wheeling, payer),
        )  # fmt: skip

    @classmethod
    def community(
        cls,
        *,
        plants: Sequence[int],
        members: Sequence[int],
        price: units.Number,
        start: str | datetime,
        end: str | datetime,
        coefficients: Sequence[units.Number] | None = None,
        energy: units.Number = 0,
        wheeling: units.Number = 0,
        grid_operator: int | None = None,
        payer: str = "buyer",
        name: str = "Energy community",
        chain_id: str = _CHAIN_ID,
    ) -> Self:
        """Make a contract in which members share what their plants feed in.

        Parameters
        ----------
        plants, members : sequence of int
            Accounts.
        price : number
            THB/kWh that a member pays for what it gets.
        start, end : str or datetime
        coefficients : sequence of numbers, optional
            Static shares at any scale, one per member; without them the shares are dynamic, by what each member takes.
        energy : number
            Most that is shared in a slot (kWh); 0 for no limit.
        wheeling, grid_operator, payer, name, chain_id
            As for `ppa`.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit; the error names it.
        """
        buyers = tuple(require_sequence("members", members, int))
        parts = () if coefficients is None else shares(coefficients, len(buyers))
        sellers = tuple(require_sequence("plants", plants, int))
        return cls._of(
            ("community", name, chain_id), (sellers, buyers), (start, end),
            TradingRules("shared", units.energy(energy), parts),
            SettlementTerms("fixed", units.price(price)), (grid_operator, wheeling, payer),
        )  # fmt: skip

    @classmethod
    def block_trade(
        cls,
        *,
        seller: int,
        buyer: int,
        price: units.Number,
        energy: units.Number,
        start: str | datetime,
        end: str | datetime,
        wheeling: units.Number = 0,
        grid_operator: int | None = None,
        payer: str = "buyer",
        name: str = "Block trade",
        chain_id: str = _CHAIN_ID,
    ) -> Self:
        """Make a contract over the same energy in every slot from `start` to `end`.

        Parameters
        ----------
        seller, buyer : int
            Accounts.
        price : number
            THB/kWh.
        energy : number
            kWh in every slot.
        start, end : str or datetime
        wheeling, grid_operator, payer, name, chain_id
            As for `ppa`.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            An argument does not fit; the error names it.
        """
        return cls._of(
            ("block_trade", name, chain_id), ((seller,), (buyer,)), (start, end),
            TradingRules("fixed", units.energy(energy)),
            SettlementTerms("fixed", units.price(price)), (grid_operator, wheeling, payer),
        )  # fmt: skip

    @classmethod
    def _of(  # noqa: PLR0917 - the parts of the terms, each one argument
        cls,
        labels: tuple[str, str, str],
        sides: tuple[tuple[int, ...], tuple[int, ...]],
        span: tuple[str | datetime, str | datetime],
        trading: TradingRules,
        settlement: SettlementTerms,
        carriage: tuple[int | None, units.Number, str],
    ) -> Self:
        template, name, chain_id = labels
        operator, wheeling, payer = carriage
        start, end = (moment(which, value) for which, value in zip(("start", "end"), span, strict=True))
        grid = GridIntegration(operator, units.price(wheeling), payer)
        return cls(ContractTerms(name, template, *sides, start, end, trading, settlement, grid), chain_id)
