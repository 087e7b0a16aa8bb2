"""Compute, placement and cooling chosen together."""
