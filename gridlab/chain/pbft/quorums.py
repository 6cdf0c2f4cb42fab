"""How many validators may lie, and how many must agree.

With n validators of which f may do anything at all, a quorum must be so large that any two of them share more
validators than can lie, and so small that the honest ones alone can form it:

    2q - n >= f + 1    and    q <= n - f.

The smallest such q is ceil((n + f + 1) / 2). It equals 2f + 1 only where n = 3f + 1. At n = 21, f is 6 and q is 14; two
groups of 2f + 1 = 13 may share as few as 5 validators, and if those 5 lie the chain forks.

References
----------
Malkhi, Reiter, "Byzantine quorum systems", Distributed Computing 11 (1998).
Castro, Liskov, "Practical Byzantine fault tolerance", OSDI 1999 (which assumes n = 3f + 1).
"""

from __future__ import annotations

from gridlab.chain.arguments import require_int

__all__ = ["MOST_VALIDATORS", "max_faulty", "quorum", "some_honest"]

MOST_VALIDATORS = 1000


def max_faulty(n: int) -> int:
    """Return how many of `n` validators may be faulty: floor((n - 1) / 3).

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `n` is not a whole number of 1 or more.

    Examples
    --------
    >>> [max_faulty(n) for n in (1, 4, 6, 7, 21)]
    [0, 1, 1, 2, 6]
    """
    return (require_int("n", n, 1) - 1) // 3


def quorum(n: int) -> int:
    """Return how many of `n` validators must sign the same thing: ceil((n + f + 1) / 2).

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `n` is not a whole number of 1 or more.

    Examples
    --------
    >>> [quorum(n) for n in (1, 4, 6, 7, 21)]
    [1, 3, 4, 5, 14]
    """
    return (n + max_faulty(n)) // 2 + 1


def some_honest(n: int) -> int:
    """Return how many of `n` validators hold at least one honest one for certain: f + 1.

    It serves a client that counts equal replies, and a replica that counts calls for a view change.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        `n` is not a whole number of 1 or more.
    """
    return max_faulty(n) + 1
