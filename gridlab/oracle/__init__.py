"""The oracle network: providers that sign what they see, reports that a few liars cannot bend, and what lying costs."""

from gridlab.oracle.oracle import Oracle
from gridlab.oracle.run import OracleRun

__all__ = ["Oracle", "OracleRun"]
