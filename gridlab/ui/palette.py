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
    "NET_LOAD",
    "OTHER",
    "PARTIES",
    "SIDES",
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

DEMAND = Ink("#7d7d7d", "2 2")
NET_LOAD = Ink("#8073ac")
WITHOUT_MARKET = Ink("#7d7d7d")

# For a zone, kind or party that a user's own accounts bring in.
OTHER = Ink("#7d7d7d", "1 2")
