"""Counts of messages by kind, which also answer to the paper's spelling."""

from __future__ import annotations

__all__ = ["MessageCounts"]


class MessageCounts(dict[str, int]):
    """A dict of kind to count; ``counts["pre-prepare"]`` is ``counts["pre_prepare"]``.

    Examples
    --------
    >>> MessageCounts(pre_prepare=20)["pre-prepare"]
    20
    """

    __slots__ = ()

    def __missing__(self, kind: str) -> int:
        plain = kind.replace("-", "_")
        if plain == kind or plain not in self:
            raise KeyError(kind)
        return self[plain]
