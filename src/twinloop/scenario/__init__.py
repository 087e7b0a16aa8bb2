"""The file that a person writes: schema, loading, resolving."""
