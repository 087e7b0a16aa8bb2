"""Failures against temperature, availability, checkpoints."""
