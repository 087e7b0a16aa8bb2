"""Figures as inline SVG, one a file: pure functions from the model's nouns to a drawing and a table."""
