"""How chains and blocks show themselves in a notebook: plain HTML without scripts."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from gridlab.chain.hashing import hexadecimal
from gridlab.frames import TIME_ZONE

if TYPE_CHECKING:
    from gridlab.chain.blocks import Block
    from gridlab.chain.consortium import ConsortiumChain

__all__ = ["block_html", "chain_html"]


def _table(rows: Sequence[tuple[str, object]]) -> str:
    cells = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(str(value))}</td></tr>'
        for name, value in rows
    )
    return f"<table>{cells}</table>"


def block_html(block: Block) -> str:
    """Return a block as an HTML table."""
    header = block.header
    return _table(
        [
            ("Block", header.height),
            ("slot", header.time.astimezone(ZoneInfo(TIME_ZONE)).isoformat(" ", "minutes")),
            ("hash", hexadecimal(header.hash)),
            ("parent", hexadecimal(header.parent)),
            ("transactions", f"{len(block.transactions)}, of which {block.rejected} rejected"),
            ("state root", hexadecimal(header.state_root)),
        ]
    )


def chain_html(chain: ConsortiumChain) -> str:
    """Return a chain as an HTML table."""
    blocks = chain.blocks
    whole, micro = divmod(chain.ledger.circulation("WATT"), 1_000_000)
    return _table(
        [
            ("Consortium chain", chain.chain_id),
            ("height", chain.height),
            ("members", chain.members.height),
            ("transactions", f"{blocks['transactions'].sum()}, of which {blocks['rejected'].sum()} rejected"),
            ("pending", len(chain.pending)),
            ("WATT in circulation", f"{whole:,}.{micro:06}"),
            ("head", hexadecimal(chain.head.hash)),
            ("state root", hexadecimal(chain.state_root)),
        ]
    )
