"""The line of headers from genesis to a block, which binds a proof to one chain and not to another of the same name.

A certificate says that the validators of a chain of this name have signed a block. Validators that serve two chains of
one name, as the sandbox keys of two runs do, would let a block of the one pass for a block of the other. Each header
holds its parent's hash, so the headers below a block, one after another, lead to one genesis only. They cost some 400
letters each; a proof may do without them, and then says what has to be trusted instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from gridlab.chain.blocks import Header
from gridlab.chain.chain_views import ChainViews
from gridlab.chain.hashing import hexadecimal
from gridlab.compliance.proof_reading import RefusedError, bytes_of, items_of, text_of
from gridlab.errors import GridlabError

__all__ = ["FULL", "NONE", "ancestors", "check_ancestry"]

FULL, NONE = "full", "none"
_MOST_HEADERS = 1_000_000


def ancestors(chain: ChainViews, height: int) -> list[str]:
    """Return the canonical bytes of the headers 1 … `height` - 1, in hexadecimal digits."""
    return [hexadecimal(chain.block(below).header.to_bytes()) for below in range(1, height)]


def check_ancestry(content: Mapping[str, object], first: Header, header: Header, handed: Sequence[Header]) -> bool:
    """Follow the line from genesis to a header, or raise RefusedError where it breaks.

    Parameters
    ----------
    content : mapping
        The proof, with ``ancestry`` and ``ancestors``.
    first, header : Header
        Of genesis, and of the block.
    handed : sequence of Header
        The hand-overs of the proof, which must lie on the line.

    Returns
    -------
    bool
        Whether the line is there.
    """
    mode = text_of(content["ancestry"], "ancestry", (FULL, NONE))
    listed = items_of(content["ancestors"], "ancestors", _MOST_HEADERS)
    if mode == NONE:
        # With block 1 the line is its own parent hash, so there is nothing to do without.
        if listed or header.height == 1:
            raise RefusedError("ancestry is 'none', and yet the line from genesis is there")
        return False
    if len(listed) != header.height - 1:
        raise RefusedError(f"ancestors has {len(listed)} headers, allowed below height {header.height}: all of them")
    line = [first, *(_read(each, f"ancestors[{place}]") for place, each in enumerate(listed)), header]
    for below, above in pairwise(line):
        if above.parent != below.hash or above.height != below.height + 1:
            raise RefusedError(f"ancestors: the header at height {above.height} is not the child of the one below it")
    for each in handed:
        if line[each.height].hash != each.hash:
            raise RefusedError(f"handovers: the header at height {each.height} is not on the line from genesis")
    changes = [above.height for below, above in pairwise(line[:-1]) if _differs(below, above)]
    if changes != [each.height for each in handed]:
        raise RefusedError(f"handovers: the validators changed at heights {changes}, and other ones are shown")
    return True


def _differs(below: Header, above: Header) -> bool:
    return below.next_authority != above.next_authority


def _read(value: object, where: str) -> Header:
    try:
        return Header.from_bytes(bytes_of(value, where))
    except GridlabError as problem:
        raise RefusedError(f"{where}: {problem}") from problem
