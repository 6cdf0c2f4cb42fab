"""What was written down, in order: a sequence that is only added to, and whose copies share what they have in common.

A tuple would be copied whole for every entry. Here the items stand on full pages, which are never copied, and one last
page that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeVar, overload

__all__ = ["History"]

_Item = TypeVar("_Item")
# Items on a page, as in a `Register`: an entry copies at most so many references, and one for each full page.
_PAGE = 256


class History(Sequence[_Item]):
    """Items in the order in which they came. Never changed: `added` returns a longer one.

    Examples
    --------
    >>> first = History().added("ab")
    >>> one, other = first.added("c"), first.added("d")
    >>> list(first), list(one), list(other)
    (['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'd'])
    """

    __slots__ = ("_last", "_pages")

    def __init__(self) -> None:
        self._pages: tuple[tuple[_Item, ...], ...] = ()
        self._last: tuple[_Item, ...] = ()

    def __len__(self) -> int:
        return len(self._pages) * _PAGE + len(self._last)

    def __iter__(self) -> Iterator[_Item]:
        return chain(*self._pages, self._last)

    def __repr__(self) -> str:
        return f"History({len(self)} entries)"

    @overload
    def __getitem__(self, place: int) -> _Item: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[_Item, ...]: ...
    def __getitem__(self, place: int | slice) -> _Item | tuple[_Item, ...]:
        # A range knows what is out of bounds, and counts from the end.
        if isinstance(place, slice):
            return tuple(self._at(each) for each in range(len(self))[place])
        return self._at(range(len(self))[place])

    def _at(self, place: int) -> _Item:
        page, offset = divmod(place, _PAGE)
        return (self._pages[page] if page < len(self._pages) else self._last)[offset]

    def added(self, items: Iterable[_Item]) -> History[_Item]:
        """Return it with further items at its end."""
        after: History[_Item] = History()
        pages, last = self._pages, (*self._last, *items)
        while len(last) >= _PAGE:
            pages, last = (*pages, last[:_PAGE]), last[_PAGE:]
        after._pages, after._last = pages, last
        return after
