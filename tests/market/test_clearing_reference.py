"""Every rule, pricing and rationing against the Wh-by-Wh reference."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.market import kernels
from gridlab.market.clearing import clear
from gridlab.market.pricing import PRICINGS
from tests.market.reference import Order, by_book, clear_book, frame, pairs

SHARES = [Fraction(0), Fraction(3, 10), Fraction(1, 2), Fraction(1)]


@st.composite
def order_lists(draw, books=5, size=24):
    """Draw orders of few prices and small energies, so that ties and cut levels are the rule."""
    count = draw(st.integers(0, size))
    ids = draw(st.lists(st.integers(0, 200), min_size=count, max_size=count, unique=True))
    return [
        Order(
            order_id=order_id,
            book=draw(st.integers(0, books - 1)),
            side=draw(st.sampled_from(["buy", "sell"])),
            price=draw(st.integers(-4, 5)),
            energy=draw(st.integers(1, 7)),
            seq=draw(st.integers(0, 5)),
            account=draw(st.integers(0, 9)),
        )
        for order_id in ids
    ]


@pytest.fixture(params=["numpy", "numba"])
def kernel(request, monkeypatch):
    """Run a test with either kernel, whatever the size of the frame."""
    compiled = request.param == "numba"
    if compiled:
        pytest.importorskip("numba")
    monkeypatch.setattr("gridlab.market.books.pays_to_compile", lambda _: compiled)
    return kernels.load_kernel(compiled=compiled)


@pytest.mark.parametrize("pricing", sorted(PRICINGS))
@pytest.mark.parametrize("rationing", ["pro_rata", "time"])
@settings(max_examples=40, deadline=None, suppress_health_check=[])
@given(data=st.data())
def test_uniform_equals_reference(pricing, rationing, data):
    orders = data.draw(order_lists())
    k, r = data.draw(st.sampled_from(SHARES)), data.draw(st.sampled_from([*SHARES, Fraction(3)]))
    options = {"r": r} if pricing == "seller_share" else {}
    clearing = clear(frame(orders), k=k, pricing=pricing, rationing=rationing, **options)
    books = {b: clear_book(o, k=k, pricing=pricing, rationing=rationing, r=r) for b, o in by_book(orders).items()}
    found = clearing.prices.select("price", "price_low", "price_high", "energy", "welfare").rows()
    assert found == [(b.price, b.low, b.high, b.energy, b.welfare) for b in books.values()]
    fills = clearing.fills.select("filled", "price", "reason").rows()
    for order, (filled, price, reason) in zip(orders, fills, strict=True):
        book = books[order.book]
        assert filled == book.filled[order.order_id]
        assert price == (book.price if filled else None)
        assert reason == book.reason[order.order_id]
