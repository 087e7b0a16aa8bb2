"""A year of outdoor air for any place."""
