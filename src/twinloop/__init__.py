"""Twinloop: plan, simulate and explain AI clusters on hybrid cooling."""
