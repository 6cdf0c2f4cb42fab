"""Auctions in which lying does not pay, and what that costs."""
