"""Published cases against the model, errors shown."""
