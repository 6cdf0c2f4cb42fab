"""Continuous trading: orders meet one by one, by price and time."""
