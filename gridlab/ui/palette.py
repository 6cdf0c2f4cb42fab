"""Colours that colour-blind readers tell apart, one for each thing, the same everywhere; each with a second mark.

Colours of sides, kinds and parties are those of Okabe and Ito, "Color Universal Design", 2008, with greys; zones have
the scheme "bright" of P. Tol, "Colour Schemes", SRON technical note, 2021, its yellow darker. All are of middling
lightness, so that they stand on a white page and on a dark one. Meaning never hangs on colour alone: an ink carries a
dash beside it, and what is no line has its name or its value written at it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BALLOTS",
    "CHAINS",
    "DEMAND",
    "GAP_RULES",
    "KINDS",
    "MEASURES",
    "MESSAGES",
    "NET_LOAD",
    "OTHER",
    "PARTIES",
    "RIVALS",
    "SIDES",
    "SKY",
    "STATES",
    "VOTERS",
    "WATT",
    "WATT_HOLDERS",
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

# What is voted.
BALLOTS = {"aye": Ink("#0072b2"), "nay": Ink("#d55e00", "7 3"), "abstain": Ink("#7d7d7d", "2 2")}

# What a referendum is measured by; what is asked of it is drawn in the same colour, dotted.
MEASURES = {"approval": Ink("#0072b2"), "support": Ink("#e69f00", "8 3")}

# Populations of holders of GRID.
VOTERS = {
    "household": Ink("#e69f00"),
    "prosumer": Ink("#56b4e9", "8 3"),
    "utility": Ink("#5e5e5e", "4 4"),
    "whale": Ink("#0072b2", "2 2"),
    "cooperative": Ink("#009e73", "8 3 2 3"),
    "expert": Ink("#cc79a7", "12 3"),
    "apathetic": Ink("#d55e00", "1 3"),
}

# A feed as it is and as it was foretold; the past is solid.
SKY = {
    "truth": Ink("#0072b2"),
    "clear": Ink("#e69f00", "2 2"),
    "day_ahead": Ink("#d55e00", "8 3"),
    "1h": Ink("#5e5e5e", "4 4"),
}

# What WATT rests on, and what is asked of it.
WATT = {
    "reserve": Ink("#009e73"),
    "attested": Ink("#56b4e9", "2 2"),
    "circulation": Ink("#5e5e5e", "8 3"),
    "queued": Ink("#d55e00", "4 4"),
}

# Who holds WATT.
WATT_HOLDERS = {
    "households": Ink("#e69f00"),
    "traders": Ink("#56b4e9", "8 3"),
    "utilities": Ink("#5e5e5e", "2 2"),
    "funds": Ink("#0072b2", "4 4"),
}

# What is paid while baht are missing.
GAP_RULES = {"par": Ink("#d55e00", "7 3"), "haircut": Ink("#0072b2"), "stop": Ink("#7d7d7d", "2 2")}

DEMAND = Ink("#7d7d7d", "2 2")
NET_LOAD = Ink("#8073ac")
WITHOUT_MARKET = Ink("#7d7d7d")

# For a zone, kind or party that a user's own accounts bring in.
OTHER = Ink("#7d7d7d", "1 2")
