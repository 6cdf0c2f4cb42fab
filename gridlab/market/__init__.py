"""The market: order frames in; prices, fills and trades out."""

from gridlab.market.clearing import Clearing, clear

__all__ = ["Clearing", "clear"]
