"""Electrical losses and the coupled operating point of chips."""
