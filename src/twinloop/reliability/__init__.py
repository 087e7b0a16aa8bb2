"""Failures against temperature, checkpoints, stragglers, and what they leave of a job's time."""
