"""Facts with their sources: CSV tables and typed look-ups."""
