"""Colours that must be told apart are told apart by readers with the common colour vision deficiencies."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gridlab.ui import palette

# Severity 1.0, on linear RGB.
MACHADO_2009 = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
# CIE 15: sRGB to XYZ under D65, then L*a*b*.
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = XYZ.sum(axis=1)

FAMILIES = ["SIDES", "ZONES", "KINDS", "PARTIES", "CHAINS", "MESSAGES", "RIVALS", "STATES", "BALLOTS", "MEASURES",
            "VOTERS", "SKY", "WATT", "WATT_HOLDERS", "GAP_RULES"]  # fmt: skip


def linear(colour):
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(colour, sight):
    seen = np.clip(MACHADO_2009[sight] @ linear(colour), 0, 1)
    ratio = XYZ @ seen / WHITE
    cube = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * cube[1] - 16, 500 * (cube[0] - cube[1]), 200 * (cube[1] - cube[2])])


@pytest.mark.parametrize("sight", MACHADO_2009)
@pytest.mark.parametrize("family", FAMILIES)
def test_colours_differ_under_the_sights_of_machado_oliveira_fernandes_2009(family, sight):
    inks = getattr(palette, family)
    distances = {
        (a, b): np.linalg.norm(lab(inks[a].colour, sight) - lab(inks[b].colour, sight))
        for a, b in combinations(inks, 2)
    }
    assert min(distances.values()) > 10, min(distances, key=distances.get)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_two_things_of_a_family_share_their_dash(family):
    inks = getattr(palette, family).values()
    assert len({ink.dash for ink in inks}) == len({ink.colour for ink in inks}) == len(inks)


def luminance(colour):
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour))


def test_every_colour_stands_out_on_white_and_on_a_dark_page():
    families = [ink for family in FAMILIES for ink in getattr(palette, family).values()]
    inks = [*families, palette.DEMAND, palette.NET_LOAD, palette.OTHER]
    for ink in inks:
        on_white = 1.05 / (luminance(ink.colour) + 0.05)
        on_dark = (luminance(ink.colour) + 0.05) / (luminance("#14181f") + 0.05)
        assert min(on_white, on_dark) > 2, ink
