"""Clear with the numpy kernels and with the compiled ones, and hold that nothing differs."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from polars.testing import assert_frame_equal

from gridlab.market.clearing import clear

KERNELS = [False, True] if find_spec("numba") else [False]


def clear_with(orders, rule="uniform", *, compiled, **options):
    """Clear by one set of kernels, whatever the size of the frame."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gridlab.market.core.books.pays_to_compile", lambda _: compiled)
        return clear(orders, rule, **options)


def clear_both(orders, rule="uniform", **options):
    """Clear by every set of kernels that is to be had; return the one result."""
    clearing, *others = (clear_with(orders, rule, compiled=compiled, **options) for compiled in KERNELS)
    for other in others:
        assert_frame_equal(clearing.prices, other.prices)
        assert_frame_equal(clearing.fills, other.fills)
        assert_frame_equal(clearing.trades, other.trades)
    return clearing
