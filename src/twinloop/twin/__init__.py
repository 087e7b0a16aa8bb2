"""Elements wired into a site: the hybrid plant and its year."""
