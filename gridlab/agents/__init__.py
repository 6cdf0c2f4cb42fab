"""Agents: who trades, what they use and generate, and what they bid."""

from gridlab.agents.agents import Agents

__all__ = ["Agents"]
