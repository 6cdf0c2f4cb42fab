"""An exact double-entry ledger for a million transfers at a time."""

from gridlab.chain.ledger.book import Ledger
from gridlab.chain.ledger.columns import Columns
from gridlab.chain.ledger.results import MEANINGS, RESULTS, Applied, Results
from gridlab.chain.ledger.schema import ASSETS, CODES, PHASES, TRANSFERS

__all__ = ["ASSETS", "CODES", "MEANINGS", "PHASES", "RESULTS", "TRANSFERS", "Applied", "Columns", "Ledger", "Results"]
