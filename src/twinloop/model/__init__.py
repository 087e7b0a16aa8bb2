"""The frozen nouns, in SI units, that the rooms hand each other, and their JSON round trips."""
