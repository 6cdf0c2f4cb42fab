"""Every error a user can cause, each a `GridlabError`, and the wording they share.

An error says which value was wrong, where it stood, what is allowed there and what to try next. Each class is also
the built-in exception that a Python user would expect, so ``except ValueError`` keeps working.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "CalendarError",
    "CertificateError",
    "ChainError",
    "DatasetError",
    "FrameError",
    "GovernanceError",
    "GridlabError",
    "LedgerError",
    "LeverError",
    "MarketError",
    "MissingProofError",
    "MissingRunError",
    "MissingStoreError",
    "OracleError",
    "ReportError",
    "RunFileError",
    "ScenarioError",
    "StablecoinError",
    "StoreError",
    "TariffError",
    "UnknownLeverError",
    "nearest",
]


class GridlabError(Exception):
    """Root of everything gridlab raises for what a user did wrong."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument, which would put quotes and escapes around a sentence.
        return " ".join(str(part) for part in self.args)


class ArgumentError(GridlabError, ValueError):
    """An argument has a value that the call does not allow."""


class ArgumentTypeError(GridlabError, TypeError):
    """An argument has a type that the call does not allow."""


class LeverError(GridlabError, ValueError):
    """A lever was given a value of the wrong kind or outside its bounds."""


class UnknownLeverError(LeverError, KeyError):
    """A lever path that does not exist."""


class FrameError(GridlabError, ValueError):
    """A frame does not fit its declared schema."""


class MarketError(FrameError):
    """An order frame or a clearing rule that the market does not accept."""


class CalendarError(GridlabError, ValueError):
    """A date or a slot outside what the Thai calendar tables cover."""


class TariffError(GridlabError, ValueError):
    """A retail tariff, voltage or billing month that is not in the tables."""


class DatasetError(GridlabError, KeyError, FileNotFoundError):
    """A dataset that does not exist, or whose file or card is damaged."""


class ScenarioError(GridlabError, KeyError, ValueError):
    """A scenario that does not exist, or one asked for with levers it does not have."""


class ChainError(GridlabError, ValueError):
    """A transaction, block, key or proof that the chain does not accept."""


class LedgerError(ChainError):
    """A transfer that the ledger does not accept."""


class GovernanceError(GridlabError, ValueError):
    """A proposal, vote or delegation that governance does not accept."""


class CertificateError(ChainError, FrameError):
    """A certificate or credit that is issued, transferred, retired or counted against its rules."""


class OracleError(ChainError, FrameError):
    """Observations or reports of the oracle network that break its rules."""


class StablecoinError(ChainError):
    """A proof of liabilities, or a run on WATT, that does not hold."""


class MissingProofError(ChainError, FileNotFoundError):
    """A proof that is not there."""


class StoreError(ChainError):
    """A store of blocks that is damaged, in use, full, or no store at all."""


class MissingStoreError(StoreError, FileNotFoundError):
    """A store that is not there."""


class ReportError(GridlabError, OSError):
    """A report that cannot be written where it was asked for."""


class RunFileError(GridlabError, ValueError):
    """A saved run that is damaged or was written by an unknown version."""


class MissingRunError(RunFileError, FileNotFoundError):
    """A saved run that is not there."""


def nearest(value: object, allowed: Iterable[str], *, limit: int = 3) -> str:
    """Say which allowed names look most like `value`, as the end of an error message.

    Parameters
    ----------
    value : object
        What the user wrote.
    allowed : iterable of str
        The names that would have been accepted.
    limit : int
        How many near names to show at most.

    Returns
    -------
    str
        ``"did you mean 'uniform'?"``, or the list of what is allowed where nothing looks alike.
    """
    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(str(value), names, n=limit, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(repr(name) for name in close) + "?"
    shown = ", ".join(repr(name) for name in names[:12])
    return f"allowed: {shown}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")
