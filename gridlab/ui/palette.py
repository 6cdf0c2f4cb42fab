"""Colours that colour-blind readers tell apart, one for each thing, the same everywhere; each with a second mark.

Colours of sides, kinds and parties are those of Okabe and Ito, "Color Universal Design", 2008, with greys; zones have
the scheme "bright" of P. Tol, "Colour Schemes", SRON technical note, 2021, its yellow darker. All are of middling
lightness, so that they stand on a white page and on a dark one. Meaning never hangs on colour alone: an ink carries a
dash beside it, and what is no line has its name or its value written at it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CHAINS",
    "DEMAND",
    "KINDS",
    "MESSAGES",
    "NET_LOAD",
    "OTHER",
    "PARTIES",
    "RIVALS",
    "SIDES",
    "STATES",
    "WITHOUT_MARKET",
    "ZONES",
    "Ink",
]


@dataclass(frozen=True, slots=True)
class Ink:
    """How one thing is drawn.

    Attributes
    ----------
    colour : str
        ``#rrggbb``.
    dash : str
        SVG and Bokeh dash pattern in pixels; empty for a solid line.
    """

    colour: str
    dash: str = ""


SIDES = {"buy": Ink("#0072b2"), "sell": Ink("#d55e00", "7 3")}

ZONES = {
    "MAC": Ink("#4477aa"),
    "CAC": Ink("#ee6677", "8 3"),
    "NEC": Ink("#b8a834", "2 2"),
    "SAC": Ink("#228833", "8 3 2 3"),
    "NAC": Ink("#aa3377", "4 4"),
}

KINDS = {
    "household": Ink("#e69f00"),
    "condominium": Ink("#56b4e9", "8 3"),
    "school": Ink("#009e73", "2 2"),
    "mall": Ink("#cc79a7", "8 3 2 3"),
    "factory": Ink("#5e5e5e", "4 4"),
}

PARTIES = {
    "prosumers": Ink("#009e73"),
    "utilities": Ink("#56b4e9", "8 3"),
    "state": Ink("#cc79a7", "2 2"),
    "operator": Ink("#e69f00", "4 4"),
}

CHAINS = {"consortium": Ink("#6a51a3"), "public": Ink("#a6761d", "8 3")}

# What validators say to one another.
MESSAGES = {
    "pre_prepare": Ink("#e69f00"),
    "prepare": Ink("#56b4e9", "8 3"),
    "commit": Ink("#009e73", "2 2"),
    "view_change": Ink("#cc79a7", "8 3 2 3"),
    "other": Ink("#5e5e5e", "4 4"),
}

# Blocks that were proposed for one height, the first one first; each has its letter written at it.
RIVALS = {"A": Ink("#0072b2"), "B": Ink("#d55e00", "7 3"), "C": Ink("#7d7d7d", "2 2")}

# How a validator stands; each has a mark of its own beside its colour.
STATES = {"honest": Ink("#56b4e9"), "lies": Ink("#d55e00", "7 3"), "down": Ink("#7d7d7d", "2 2")}

DEMAND = Ink("#7d7d7d", "2 2")
NET_LOAD = Ink("#8073ac")
WITHOUT_MARKET = Ink("#7d7d7d")

# For a zone, kind or party that a user's own accounts bring in.
OTHER = Ink("#7d7d7d", "1 2")
