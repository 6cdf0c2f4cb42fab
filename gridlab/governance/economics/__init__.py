"""What GRID is worth holding for: supply, inflation, rewards, treasury, burn, vesting and fees over ten years."""

from gridlab.governance.economics.books import Books
from gridlab.governance.economics.exact import FIGURES, exact_path
from gridlab.governance.economics.gas import Gas, GasMarket
from gridlab.governance.economics.model import Model
from gridlab.governance.economics.run import EconomicsRun, simulate
from gridlab.governance.economics.terms import GridEconomics
from gridlab.governance.economics.vesting import Vesting

__all__ = [
    "FIGURES",
    "Books",
    "EconomicsRun",
    "Gas",
    "GasMarket",
    "GridEconomics",
    "Model",
    "Vesting",
    "exact_path",
    "simulate",
]
