"""Which share of the stake an offence costs: nothing for an accident, everything for an attack.

One validator that is down or that signs twice by mistake loses little. Many at once look like an attack, so the share
grows with how many offend together.

References
----------
Parity Technologies, polkadot-sdk, ``substrate/frame/im-online/src/lib.rs`` (``UnresponsivenessOffence``) and
``substrate/frame/babe/src/equivocation.rs``, ``substrate/frame/grandpa/src/equivocation.rs``, 2024.
Web3 Foundation, "Slashing mechanisms in Polkadot", research.web3.foundation, 2020.
"""

from __future__ import annotations

from gridlab.chain.arguments import require_int
from gridlab.chain.perbill import BILLION, from_rational, multiply, square

__all__ = ["equivocation_slash", "offline_slash"]

_HIGHEST_OFFLINE = 7 * BILLION // 100


def offline_slash(offenders: int, validators: int) -> int:
    """Return the share that each loses when `offenders` of `validators` are offline in one session.

    ``min(3 (k - (n / 10 + 1)) / n, 1) · 7 %`` with whole-number ``n / 10``; nothing below ``n / 10 + 1``.

    Parameters
    ----------
    offenders : int
        How many are offline, 0 … `validators`.
    validators : int
        How many there are, 1 or more.

    Returns
    -------
    int
        Parts per billion.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is not a whole number or outside its bounds.

    Examples
    --------
    >>> offline_slash(5, 50), offline_slash(7, 50), offline_slash(50, 50)
    (0, 4200000, 70000000)
    """
    _require_counts(offenders, validators)
    beyond = offenders - (validators // 10 + 1)
    if beyond < 0:
        return 0
    return multiply(from_rational(3 * beyond, validators), _HIGHEST_OFFLINE)


def equivocation_slash(offenders: int, validators: int) -> int:
    """Return the share that each loses when `offenders` of `validators` sign two things in one slot.

    ``min((3 k / n)², 1)``, rounded down before and after squaring.

    Parameters
    ----------
    offenders : int
        How many signed two things in the same slot, 0 … `validators`.
    validators : int
        How many there are, 1 or more.

    Returns
    -------
    int
        Parts per billion.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        An argument is not a whole number or outside its bounds.

    Examples
    --------
    >>> equivocation_slash(1, 100), equivocation_slash(34, 100)
    (900000, 1000000000)
    """
    _require_counts(offenders, validators)
    return square(from_rational(3 * offenders, validators))


def _require_counts(offenders: int, validators: int) -> None:
    require_int("validators", validators, 1)
    require_int("offenders", offenders, 0, validators)
