"""Many small records by number, with one hash over all of them; a copy is free, and a change touches one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from gridlab.chain.encoding import blob, compact
from gridlab.chain.hashing import tagged_hash

__all__ = ["Register"]

_DOMAIN = "gridlab/governance-register/1"
_PAGE_DOMAIN = "gridlab/governance-register-page/1"
# Numbers on a page. With a hundred thousand records, a change then copies a few hundred references twice.
_PAGE = 256


class _Record(Protocol):
    def to_bytes(self) -> bytes:
        """Return the canonical bytes."""


_Item = TypeVar("_Item", bound=_Record)


class _Page(Generic[_Item]):
    """The records of neighbouring numbers, each written as bytes once, when it comes in."""

    __slots__ = ("_hash", "items", "leaves")

    def __init__(self, items: dict[int, _Item], leaves: dict[int, bytes]) -> None:
        self.items, self.leaves = items, leaves
        self._hash: bytes | None = None

    def changed(self, items: Mapping[int, _Item | None]) -> _Page[_Item]:
        after = _Page(self.items.copy(), self.leaves.copy())
        for number, item in items.items():
            if item is None:
                after.items.pop(number, None)
                after.leaves.pop(number, None)
            else:
                after.items[number] = item
                after.leaves[number] = compact(number) + blob(item.to_bytes())
        return after

    @property
    def hash(self) -> bytes:
        if self._hash is None:
            self._hash = tagged_hash(_PAGE_DOMAIN, b"".join(self.leaves[number] for number in sorted(self.leaves)))
        return self._hash


class Register(Generic[_Item]):
    """Records by number. Never changed: `changed` returns a new one."""

    __slots__ = ("_hash", "_length", "_pages")

    def __init__(self) -> None:
        self._pages: dict[int, _Page[_Item]] = {}
        self._length = 0
        self._hash: bytes | None = None

    def __len__(self) -> int:
        return self._length

    def get(self, number: int) -> _Item | None:
        """Return a record, None where there is none."""
        page = self._pages.get(number // _PAGE)
        return None if page is None else page.items.get(number)

    def items(self) -> Iterator[tuple[int, _Item]]:
        """Yield numbers and records in order of numbers."""
        for place in sorted(self._pages):
            items = self._pages[place].items
            for number in sorted(items):
                yield number, items[number]

    def values(self) -> list[_Item]:
        """Return the records in order of numbers."""
        return [item for _, item in self.items()]

    def changed(self, items: Mapping[int, _Item | None]) -> Register[_Item]:
        """Return it with other records in these places, and none where None stands."""
        by_page: dict[int, dict[int, _Item | None]] = {}
        for number, item in items.items():
            by_page.setdefault(number // _PAGE, {})[number] = item
        after: Register[_Item] = Register()
        after._pages, after._length = self._pages.copy(), self._length
        for place, changes in by_page.items():
            before = self._pages.get(place) or _Page({}, {})
            page = before.changed(changes)
            after._length += len(page.items) - len(before.items)
            if page.items:
                after._pages[place] = page
            else:
                after._pages.pop(place, None)
        return after

    @property
    def hash(self) -> bytes:
        """Hash over all records in order of numbers, 32 bytes."""
        if self._hash is None:
            pages = b"".join(compact(place) + self._pages[place].hash for place in sorted(self._pages))
            self._hash = tagged_hash(_DOMAIN, compact(self._length) + pages)
        return self._hash
