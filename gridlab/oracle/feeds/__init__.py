"""The world before the oracle reports it: sun, air, load, prices, reserve, and forecasts of them (docs/feeds.md)."""

from __future__ import annotations

from gridlab.oracle.feeds.feeds import Feeds
from gridlab.oracle.feeds.table import FAMILIES, FEED_VALUES, Family, family_of, feed_table

__all__ = ["FAMILIES", "FEED_VALUES", "Family", "Feeds", "family_of", "feed_table"]
