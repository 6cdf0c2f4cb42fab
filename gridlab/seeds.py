"""One seed per lab, forked by name into independent random streams."""

from __future__ import annotations

import hashlib

import numpy as np

from gridlab.errors import ArgumentTypeError

__all__ = ["check_seed", "stream"]


def check_seed(seed: object) -> int:
    """Return `seed` if it is an integer >= 0, else raise `ArgumentTypeError`."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ArgumentTypeError(f"seed: expected an integer >= 0, got {seed!r}; 0 is the default")
    return int(seed)


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the generator that belongs to `seed` and the path `names`.

    Streams of different names are independent, so adding a consumer of one never shifts the numbers of another.

    Parameters
    ----------
    seed : int
        The lab's seed, >= 0.
    names : str
        Path of the consumer, such as ``"agents", "load"``.
    """
    text = "\x1f".join(("gridlab", str(seed), *names)).encode()
    words = np.frombuffer(hashlib.blake2b(text, digest_size=32).digest(), dtype="<u4")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words.tolist())))
