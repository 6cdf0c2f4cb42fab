"""Colours that colour-blind readers tell apart, one for each thing, the same everywhere; each with a second mark.

Side, solar and party colours are those of Okabe and Ito, "Color Universal Design", 2008; zone colours are the scheme
"bright" of P. Tol, "Colour Schemes", SRON technical note, 2021. All are of middling lightness, so that they stand on a
white page and on a dark one. Meaning never hangs on colour alone: an ink carries a dash, a marker and a hatch beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CHAINS", "DEMAND", "KINDS", "NET_LOAD", "OTHER", "PARTIES", "SIDES", "SOLAR", "WITHOUT_MARKET", "ZONES", "Ink"]


@dataclass(frozen=True, slots=True)
class Ink:
    """How one thing is drawn.

    Attributes
    ----------
    colour : str
        ``#rrggbb``.
    dash : str
        SVG and Bokeh dash pattern in pixels; empty for a solid line.
    marker : str
        Bokeh marker.
    hatch : str
        Bokeh hatch pattern of an area; a blank is none.
    """

    colour: str
    dash: str = ""
    marker: str = "circle"
    hatch: str = " "


SIDES = {"buy": Ink("#0072b2"), "sell": Ink("#d55e00", "7 3", "square", "/")}

ZONES = {
    "MAC": Ink("#4477aa"),
    "CAC": Ink("#ee6677", "8 3", "square", "/"),
    "NEC": Ink("#b8a834", "2 2", "triangle", "."),
    "SAC": Ink("#228833", "8 3 2 3", "diamond", "-"),
    "NAC": Ink("#aa3377", "4 4", "inverted_triangle", "x"),
}

KINDS = {
    "household": Ink("#e69f00"),
    "condominium": Ink("#56b4e9", "8 3", "square", "/"),
    "school": Ink("#009e73", "2 2", "triangle", "."),
    "mall": Ink("#cc79a7", "8 3 2 3", "diamond", "-"),
    "factory": Ink("#7d7d7d", "4 4", "inverted_triangle", "x"),
}

PARTIES = {
    "prosumers": Ink("#009e73"),
    "utilities": Ink("#56b4e9", "8 3", "square", "/"),
    "state": Ink("#cc79a7", "2 2", "triangle", "."),
    "operator": Ink("#e69f00", "4 4", "diamond", "-"),
}

CHAINS = {"consortium": Ink("#6a51a3"), "public": Ink("#a6761d", "8 3", "square", "/")}

SOLAR = Ink("#e69f00", hatch=".")
DEMAND = Ink("#7d7d7d", "2 2")
NET_LOAD = Ink("#6a51a3")
WITHOUT_MARKET = Ink("#7d7d7d", hatch="/")

# For a zone, kind or party that a user's own accounts bring in.
OTHER = Ink("#7d7d7d", "1 2", "asterisk", "+")
