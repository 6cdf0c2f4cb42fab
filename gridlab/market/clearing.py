"""The face of the market: `clear`, all books in one call."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from gridlab.errors import ArgumentTypeError, MarketError, nearest
from gridlab.market.continuous_trading.continuous import clear_continuous, continuous_options
from gridlab.market.core.books import number_books
from gridlab.market.core.door import book_columns, check_orders, price_bound
from gridlab.market.core.pay_as_bid import clear_pay_as_bid
from gridlab.market.core.pricing import PRICINGS, exact_share
from gridlab.market.core.rationing import RATIONINGS
from gridlab.market.core.result import Clearing
from gridlab.market.core.uniform import clear_uniform
from gridlab.market.local_first.tiered import clear_tiered, tiered_options
from gridlab.market.truthful_auctions.truthful_rules import TRUTHFUL_RULES, clear_truthful, truthful_options

__all__ = ["RULES", "Clearing", "clear"]

RULES = ("uniform", "pay_as_bid", "continuous", "tiered", *TRUTHFUL_RULES)

_ELSEWHERE = {
    "zonal": "gl.market.couple(orders, limits)",
    "blocks": "gl.market.clear_blocks(orders, blocks)",
    "bilateral": "gl.EnergyTradingContract.ppa(...) or gl.market.settle_ppa(agreements, production)",
}

Share = int | float | Fraction | Decimal


def clear(
    orders: pl.DataFrame | pl.LazyFrame,
    rule: str = "uniform",
    *,
    by: str | Sequence[str] = ("slot", "zone"),
    k: Share = 0.5,
    pricing: str = "competitive",
    rationing: str = "pro_rata",
    floor: int | None = None,
    cap: int | None = None,
    **rule_options: Any,
) -> Clearing:
    """Clear every book of an order frame.

    Parameters
    ----------
    orders : polars.DataFrame or polars.LazyFrame
        One row per order; columns as in ``gridlab.frames.ORDERS.describe()``. A LazyFrame is collected once.
    rule : str
        ``uniform``: one price per book. ``pay_as_bid``: each pair at its own price. ``continuous``: orders trade one by
        one as they arrive, by price and time (see `continuous_trading.continuous.clear_continuous`). ``tiered``: local
        first, wheeling inside the crossing test (`local_first.tiered.clear_tiered`). Truthful mechanisms:
        ``mcafee``, ``trade_reduction``, ``sbb``, ``huang``, ``muda``, ``vcg`` (each in the module of its name).
    by : str or sequence of str
        Columns that tell the books apart, any of the frame's; ``()`` for one book.
    k : int, float, Fraction or Decimal
        Where in the price interval the price lies, 0 (the sellers' end) to 1; a float counts as it is written, 0.3 is
        3/10. Not read by the pricings ``last_ask``, ``last_bid`` and ``seller_share``, nor by the rules ``continuous``,
        ``trade_reduction``, ``sbb``, ``huang`` and ``vcg``.
    pricing : str
        For ``uniform``, where the price comes from: ``competitive``, ``marginal_accepted``, ``last_ask``, ``last_bid``,
        ``first_rejected`` or ``seller_share`` (see `gridlab.market.core.pricing.price_books`).
    rationing : str
        Who gets the energy of the level that is cut: ``pro_rata`` or ``time`` (see `gridlab.market.core.rationing`).
        ``pro_rata``: by energy, largest remainders first, equal ones by seq. ``time``: whole by seq.
    floor, cap : int, optional
        Lowest and highest limit the market accepts (THB/MWh).
    **rule_options
        ``r``, for the pricing ``seller_share``: the seller's share, at least 0, default 1/2. ``self_trade`` and
        ``events``, for the rule ``continuous``. ``tariff``, ``accounts`` and ``limits_with_vat``, for ``tiered``.
        ``price_setter``, for ``sbb``. ``seed`` and ``variant``, for ``muda``.

    Returns
    -------
    Clearing
        With the frames `prices`, `fills` and `trades`. In every book bought = sold, no order gets more than it asked
        for, none trades at a price worse than its limit, and shuffling the rows changes nothing but the row order.

    Raises
    ------
    ArgumentTypeError
        An argument is of a wrong type.
    MarketError
        An argument is unknown or out of range, or the frame is rejected (see `gridlab.market.core.door.check_orders`).

    Examples
    --------
    >>> from datetime import datetime
    >>> import gridlab as gl
    >>> import polars as pl
    >>> orders = pl.DataFrame({
    ...     "order_id": [1, 2, 3], "account": [0, 1, 2], "side": ["buy", "buy", "sell"],
    ...     "slot": [datetime(2026, 4, 1, 12)] * 3, "zone": ["BKK"] * 3,
    ...     "price": [4500, 4000, 3500], "energy": [1000, 2000, 2000],
    ... })
    >>> gl.clear(orders).prices.select("price", "energy", "welfare").row(0)
    (4000, 2000, 1500000)
    """
    names = book_columns(by)
    if isinstance(rule, str) and rule in _ELSEWHERE:
        raise MarketError(f"rule {rule!r} needs more than one frame of orders; call {_ELSEWHERE[rule]}")
    _check_choice("rule", rule, RULES)
    _check_choice("pricing", pricing, PRICINGS)
    _check_choice("rationing", rationing, RATIONINGS)
    share = exact_share(k, "k")
    if rule == "continuous":
        low, high = price_bound(floor, "floor"), price_bound(cap, "cap")
        options = continuous_options(rule_options, pricing=pricing)
        return clear_continuous(orders, names, floor=low, cap=high, **options)
    if rule == "tiered":
        options = tiered_options(rule_options, pricing=pricing)
    elif rule in TRUTHFUL_RULES:
        options = truthful_options(rule, pricing=pricing, rationing=rationing, given=rule_options)
    else:
        options = _rule_options(rule, pricing, rule_options)
    books = number_books(check_orders(orders, names, price_bound(floor, "floor"), price_bound(cap, "cap")), names)
    if rule == "tiered":
        return clear_tiered(books, k=share, rationing=rationing, **options)
    if rule in TRUTHFUL_RULES:
        return clear_truthful(rule, books, k=share, rationing=rationing, options=options)
    if rule == "uniform":
        return clear_uniform(books, k=share, pricing=pricing, rationing=rationing, **options)
    return clear_pay_as_bid(books, k=share, rationing=rationing)


def _check_choice(name: str, value: object, allowed: Sequence[str] | dict[str, Any]) -> None:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name}: expected one of {tuple(allowed)}, got {value!r} ({type(value).__name__})")
    if value not in allowed:
        raise MarketError(f"{name} {value!r} is unknown; {nearest(value, allowed)}")


def _rule_options(rule: str, pricing: str, given: dict[str, Any]) -> dict[str, Fraction]:
    """Return the checked options of a rule; an option that would not be read is an error, not a silence."""
    if rule == "pay_as_bid" and pricing != "competitive":
        raise MarketError(
            f"pricing {pricing!r} has no effect with rule 'pay_as_bid', where each pair has its own price; "
            "leave pricing out, or use rule 'uniform'"
        )
    reads = ("r",) if rule == "uniform" and pricing == "seller_share" else ()
    for name in given:
        if name not in reads:
            hint = nearest(name, ("by", "k", "pricing", "rationing", "floor", "cap", *reads))
            where = "only pricing 'seller_share' of rule 'uniform' reads it" if name == "r" else hint
            raise MarketError(f"option {name!r} is not one that rule {rule!r} with pricing {pricing!r} reads; {where}")
    return {"r": exact_share(given.get("r", 0.5), "r", most=None)} if rule == "uniform" else {}
