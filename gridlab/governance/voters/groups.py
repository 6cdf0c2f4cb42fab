"""The populations of voters: how many, how rich, how keen. All synthetic, and each number a lever."""

from __future__ import annotations

from gridlab.governance.voters import group as of
from gridlab.governance.voters.group import Group

__all__ = [
    "Apathetic",
    "Cooperatives",
    "Experts",
    "Households",
    "Prosumers",
    "Utilities",
    "Whales",
]


class Households(Group):
    """People who buy a little from neighbours and hold a little GRID."""

    members = of.members(20_000)
    distribution = of.distribution("lognormal")
    balance = of.balance(100)
    inequality = of.inequality(55.0)
    turnout = of.turnout(8.0)
    delegating = of.delegating(10.0)
    conviction = of.conviction(1.0)
    noise = of.noise(60.0)
    wheeled = of.wheeled(60.0)


class Prosumers(Group):
    """People with panels on the roof who sell to neighbours."""

    members = of.members(5_000)
    distribution = of.distribution("lognormal")
    balance = of.balance(1_000)
    inequality = of.inequality(50.0)
    turnout = of.turnout(25.0)
    delegating = of.delegating(20.0)
    conviction = of.conviction(2.0)
    noise = of.noise(150.0)
    wheeled = of.wheeled(350.0)


class Utilities(Group):
    """MEA, PEA and EGAT, which earn the wheeling charge."""

    members = of.members(3)
    distribution = of.distribution("lognormal")
    balance = of.balance(8_000_000)
    inequality = of.inequality(20.0)
    turnout = of.turnout(95.0)
    delegating = of.delegating(0.0)
    conviction = of.conviction(1.0)
    noise = of.noise(200_000.0)
    wheeled = of.wheeled(0.0)


class Whales(Group):
    """Large holders who look at the price of GRID."""

    members = of.members(20)
    distribution = of.distribution("pareto")
    balance = of.balance(1_500_000)
    inequality = of.inequality(60.0)
    turnout = of.turnout(80.0)
    delegating = of.delegating(0.0)
    conviction = of.conviction(3.0)
    noise = of.noise(20_000.0)
    wheeled = of.wheeled(0.0)


class Cooperatives(Group):
    """Energy cooperatives, which vote for those who delegate to them."""

    members = of.members(50)
    distribution = of.distribution("lognormal")
    balance = of.balance(50_000)
    inequality = of.inequality(40.0)
    turnout = of.turnout(95.0)
    delegating = of.delegating(0.0)
    conviction = of.conviction(4.0)
    noise = of.noise(3000.0)
    wheeled = of.wheeled(5000.0)


class Experts(Group):
    """Engineers and economists who publish how they vote."""

    members = of.members(10)
    distribution = of.distribution("lognormal")
    balance = of.balance(5_000)
    inequality = of.inequality(40.0)
    turnout = of.turnout(98.0)
    delegating = of.delegating(0.0)
    conviction = of.conviction(4.0)
    noise = of.noise(50.0)
    wheeled = of.wheeled(0.0)


class Apathetic(Group):
    """People who got GRID and forgot about it."""

    members = of.members(15_000)
    distribution = of.distribution("lognormal")
    balance = of.balance(200)
    inequality = of.inequality(60.0)
    turnout = of.turnout(1.0)
    delegating = of.delegating(2.0)
    conviction = of.conviction(0.0)
    noise = of.noise(500.0)
    wheeled = of.wheeled(20.0)
