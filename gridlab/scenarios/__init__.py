"""Scenarios: ready-made Thai labs, comparisons and what-if sweeps, and the report of a run."""
