"""The store: a chain of blocks in one SQLite file that survives a killed process, a full disk and a flipped byte."""

from gridlab.chain.store.store import Head, Store

__all__ = ["Head", "Store"]
