"""Drift: what a full check of a window costs, beside peers."""
