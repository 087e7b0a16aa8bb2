"""One self-contained HTML page from a plan; knows only the model."""
