"""gridlab: Thailand's hybrid-blockchain energy market, built out of parts in a notebook."""

__version__ = "0.1.0"
