"""Zones coupled under transfer limits."""
