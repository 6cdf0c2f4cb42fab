"""Solar position, clear sky and PV: published vectors, pvlib's own way site by site, bounds."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridlab.calendar import slots
from gridlab.oracle.feeds import Feeds
from gridlab.oracle.feeds.places import places
from gridlab.oracle.feeds.sun import solar_position
from gridlab.oracle.feeds.weather import HIGHEST_INDEX, LOWEST_INDEX


def test_reda_and_andreas_2004_example_of_nrel():
    moment = dt.datetime(2003, 10, 17, 12, 30, 30, tzinfo=dt.timezone(dt.timedelta(hours=-7))).timestamp()
    site = (np.array([39.742476]), np.array([-105.1786]), np.array([1830.14]))
    sun = solar_position(np.array([moment]), *site, pressure=82_000.0, temperature=11.0, delta_t=67.0)
    assert sun.apparent_zenith[0, 0] == pytest.approx(50.11162, abs=5e-6)
    assert sun.azimuth[0, 0] == pytest.approx(194.34024, abs=5e-6)


@pytest.mark.parametrize(("province", "start"), [("Khon Kaen", "2026-04-20"), ("Narathiwat", "2026-12-21")])
def test_position_clear_sky_and_power_are_those_of_pvlib_site_by_site(one_site, province, start):
    day = dt.date.fromisoformat(start)
    world = Feeds(cloudiness=0, front_strength=0).world(slots(start, hours=24), [province])
    row = world.rows[0]
    here = places()
    turbidity = float(world.window.by_day(here.turbidity)[0, row])
    site = (here.latitude[row], here.longitude[row], here.altitude[row])
    air = world.temperature[:, 0]
    sun, clear, power = one_site(day, 1, *site, turbidity, air=air)
    mine = solar_position(world.window.unix_time, *(np.array([value]) for value in site))
    np.testing.assert_allclose(mine.zenith[:, 0], sun["zenith"], atol=1e-6)
    np.testing.assert_allclose(mine.apparent_zenith[:, 0], sun["apparent_zenith"], atol=1e-6)
    np.testing.assert_allclose(mine.azimuth[:, 0], sun["azimuth"], atol=1e-6)
    # Refraction shows a sun that is not yet up: some hundredths of a watt.
    np.testing.assert_allclose(world.clear[:, 0], clear, atol=0.02)
    np.testing.assert_allclose(world.ghi[:, 0], world.clear[:, 0], rtol=1e-9)
    np.testing.assert_allclose(world.pv[:, 0], power, atol=1e-5)


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**40),
    day=st.dates(dt.date(2016, 1, 1), dt.date(2098, 12, 31)),
    cloudiness=st.integers(0, 200),
    province=st.sampled_from(places().names),
)
def test_it_is_dark_at_night_and_never_brighter_than_broken_clouds_make_a_clear_sky(seed, day, cloudiness, province):
    world = Feeds(seed, cloudiness=cloudiness).world(slots(day, hours=24), [province])
    ghi, pv = world.ghi[:, 0], world.pv[:, 0]
    up = world.sky.up[:, 0]
    assert (ghi[~up] == 0).all()
    assert (pv[~up] == 0).all()
    assert (ghi >= 0).all()
    assert (ghi <= HIGHEST_INDEX * world.clear[:, 0] + 1e-9).all()
    outside = world.sky.extraterrestrial * np.cos(np.radians(world.sky.zenith))
    assert (world.sky.clear <= outside + 1e-9).all()
    assert (world.index >= LOWEST_INDEX).all()
    assert (world.index <= HIGHEST_INDEX).all()
    assert (pv >= 0).all()
    assert (pv <= 1).all()
    assert up[48]
    assert not up[0]
