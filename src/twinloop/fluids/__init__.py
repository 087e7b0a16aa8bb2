"""Properties of moist air, water, glycols and dielectric liquids."""
